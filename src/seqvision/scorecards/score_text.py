"""The score card as text: at most 110 columns, aligned, models first, baselines below."""

import textwrap

import numpy as np
import pandas as pd

from seqvision.scorecards.score_card import ScoreCard
from seqvision.scorecards.tables import Record, records

WIDTH = 110
_NAME, _ERROR, _SHORT, _DIRECTION = 16, 17, 9, 19


def render_score_card(card: ScoreCard) -> str:
    """Return the card as lines of at most 110 columns.

    >>> from seqvision.scorecards import default_baselines, score_forecasts
    >>> y = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 5.0, 7.0])
    >>> card = score_forecasts(y, 5, {"mine": [6.0, 6.0, 6.5]}, baselines=default_baselines(y[:5], order=1))
    >>> print(render_score_card(card).splitlines()[0])
    One step ahead: 3 test rows, every past value known
    """
    unit = f", in {card.unit}" if card.unit else ""
    parts = [f"One step ahead: {card.test_rows} test rows, every past value known{unit}", _table(card.one_step)]
    if card.free_running is not None:
        parts += ["", f"Free-running: one path of {card.test_rows} rows fed by its own forecasts{unit}"]
        parts += [_table(card.free_running)]
    if card.by_horizon is not None:
        parts += ["", f"RMSE by steps ahead{unit}", _horizons(card.by_horizon)]
    up, down, _ = card.moves
    if up + down:
        commoner, hits = ("up", up) if up >= down else ("down", down)
        text = f"Of the rows {100 * up / card.test_rows:.1f} % went up, {100 * down / card.test_rows:.1f} % down: "
        text += f"always saying {commoner} is right in {100 * hits / (up + down):.1f} % of those that moved."
        parts += ["", text]
    note = "± is the spread over seeds; " if card.one_step["seeds"].max() > 1 else ""
    parts += [note + "skill is 1 - RMSE / RMSE of the best baseline."]
    parts += ["", "Verdict"]
    for verdict in card.verdicts:
        parts += _wrap(verdict.text)
    return "\n".join(parts)


def number(value: float, like: float | None = None) -> str:
    """Return four significant digits or more, or as many decimals as ``like`` gets; a dash for NaN.

    >>> number(0.73131), number(1234.56), number(0.00201, like=0.73131), number(float("nan"))
    ('0.7313', '1,235', '0.0020', '–')
    """
    if not np.isfinite(value):
        return "–" if np.isnan(value) else str(value)
    size = abs(value if like is None else like)
    if size >= 1e6 or 0 < size < 1e-4:
        return f"{value:.1e}" if like is None else f"{value:.0e}"
    decimals = 4 if size == 0 else max(0, 3 - int(np.floor(np.log10(size))))
    return f"{value:,.{decimals}f}"


def _table(table: pd.DataFrame) -> str:
    head = f"{'':<{_NAME}}{'MAE':<{_ERROR}}{'RMSE':<{_ERROR}}"
    head += f"{'MASE':>{_SHORT}}{'sMAPE %':>{_SHORT}}{'R²':>{_SHORT}}  {'direction %':<{_DIRECTION}}{'skill':>9}"
    lines = [head]
    for kind, title in (("model", "models"), ("baseline", "baselines")):
        rows = {name: row for name, row in records(table).items() if row["kind"] == kind}
        if rows:
            lines += [title, *(_line(name, row) for name, row in rows.items())]
    return "\n".join(line.rstrip() for line in lines)


def _line(name: str, row: Record) -> str:
    cells = [f"  {_cut(name, _NAME - 2):<{_NAME - 2}}"]
    for metric in ("mae", "rmse"):
        spread = row[f"{metric}_std"]
        text = number(row[metric]) + ("" if np.isnan(spread) else f" ± {number(spread, like=row[metric])}")
        cells.append(f"{text:<{_ERROR}}")
    cells += [_short(row["mase"], 3), _short(row["smape"], 2), _short(row["r2"], 3)]
    direction = "–"
    if row["direction_rows"]:
        direction = f"{100 * row['direction']:.1f}"
    if not np.isnan(row["direction_low"]):
        direction += f" [{100 * row['direction_low']:.1f}, {100 * row['direction_high']:.1f}]"
    skill = (
        "–"
        if np.isnan(row["skill"])
        else f"{round(100 * row['skill'], 1) + 0.0:+.1f} %"
        if row["skill"] > -99.995
        else "< -9999 %"
    )
    return "".join([*cells, f"  {direction:<{_DIRECTION}}{skill:>9}"])


def _short(value: float, decimals: int) -> str:
    text = "–" if np.isnan(value) else f"{value:.{decimals}f}" if abs(value) < 1e3 else f"{value:.1e}"
    return f"{text:>{_SHORT}}"


def _horizons(table: pd.DataFrame, columns: int = 9) -> str:
    steps = sorted({int(h + 0.5) for h in np.geomspace(1, table.shape[1], columns)})
    lines = [f"{'':<{_NAME}}" + "".join(f"{f'{h}':>10}" for h in steps)]
    for name, row in table.to_dict("index").items():
        lines.append(f"  {_cut(str(name), _NAME - 2):<{_NAME - 2}}" + "".join(f"{number(row[h]):>10}" for h in steps))
    return "\n".join(lines)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="      ")
