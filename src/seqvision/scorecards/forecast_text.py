"""How scores of forecasts are written: at most 110 columns, aligned, models first, baselines below."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqvision.scorecards.forecast_scores import ForecastScores
from seqvision.scorecards.tables import row_groups, wrapped

_NAME, _ERROR, _SHORT, _DIRECTION = 16, 18, 9, 19
_MARKS = {"skill": "+", "unclear": "?"}
_WIDE = 28  # of a name that says how many seeds


def format_number(value: float, like: float | None = None) -> str:
    """Return four significant digits or more, or as many decimals as ``like`` gets; a dash for NaN.

    >>> format_number(0.73131), format_number(1234.56), format_number(0.00201, like=0.73131)
    ('0.7313', '1,235', '0.0020')
    >>> format_number(float("nan"))
    '–'
    """
    if not np.isfinite(value):
        return "–" if np.isnan(value) else str(value)
    size = abs(value if like is None else like)
    if size >= 1e6 or 0 < size < 1e-4:
        return f"{value:.1e}" if like is None else f"{value:.0e}"
    decimals = 4 if size == 0 else max(0, 3 - int(np.floor(np.log10(size))))
    return f"{value:,.{decimals}f}"


def scores_text(rows: Mapping[str, ForecastScores]) -> str:
    """Return one line a forecaster under a head, models first."""
    head = f"{'':<{_NAME}}{'MAE':<{_ERROR}}{'RMSE':<{_ERROR}}"
    head += f"{'MASE':>{_SHORT}}{'sMAPE %':>{_SHORT}}{'R²':>{_SHORT}}  {'direction %':<{_DIRECTION}}{'skill':>9}"
    lines = [head]
    for title, group in row_groups(rows):
        lines += [title, *(_line(name, row) for name, row in group.items())]
    return "\n".join(line.rstrip() for line in lines)


def steps_text(table: Any, names: Sequence[str], columns: int = 8) -> list[str]:
    """Return the RMSE of each forecaster at some steps, the closer ones denser, and which of them show skill.

    Args:
      table: a `StepTable`.
      names: the rows to show.
      columns: steps at most.
    """
    steps = sorted({int(h + 0.5) for h in np.geomspace(1, table.rmse.shape[1], columns)})
    lines = [f"{'':<{_WIDE}}" + "".join(f"{f'{h} ':>10}" for h in steps).rstrip()]
    for name, row in table.rmse.loc[[*names]].to_dict("index").items():
        marks = table.outcomes.loc[name].to_dict() if name in table.outcomes.index else {}
        texts = [text if len(text := format_number(row[h])) < 9 else f"{row[h]:.2e}" for h in steps]
        cells = [text + _MARKS.get(str(marks.get(h)), " ") for h, text in zip(steps, texts, strict=True)]
        lines.append(f"  {_cut(str(name), _WIDE - 2):<{_WIDE - 2}}" + "".join(f"{cell:>10}" for cell in cells).rstrip())
    return [*lines, *wrapped(f"+ skill over the {table.reference}, ? unclear, without a mark none", 2)]


def _line(name: str, row: ForecastScores) -> str:
    cells = [f"  {_cut(name, _NAME - 2):<{_NAME - 2}}"]
    for mean, spread in ((row.mae, row.mae_std), (row.rmse, row.rmse_std)):
        text = format_number(mean) + ("" if np.isnan(spread) else f" ± {format_number(spread, like=mean)}")
        if len(text) >= _ERROR:
            text = f"{mean:.3e}" + ("" if np.isnan(spread) else f" ± {spread:.0e}")
        cells.append(f"{text:<{_ERROR}}")
    cells += [_short(row.mase, 3), _short(row.smape, 2), _short(row.r2, 3)]
    direction = "–"
    if row.direction_rows:
        direction = f"{100 * row.direction:.1f}"
    if not np.isnan(row.direction_low):
        direction += f" [{100 * row.direction_low:.1f}, {100 * row.direction_high:.1f}]"
    skill = (
        "–"
        if np.isnan(row.skill)
        else f"{round(100 * row.skill, 1) + 0.0:+.1f} %"
        if row.skill > -99.995
        else "< -9999 %"
    )
    return "".join([*cells, f"  {direction:<{_DIRECTION}}{skill:>9}"])


def _short(value: float, decimals: int) -> str:
    text = "–" if np.isnan(value) else f"{value:.{decimals}f}" if abs(value) < 1e3 else f"{value:.1e}"
    return f"{text:>{_SHORT}}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
