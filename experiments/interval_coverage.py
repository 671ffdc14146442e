"""Intervals of 80 and 95 % on five real series: how many rows of the test lie inside, and where it is not as many.

Question: split conformal intervals hold as often as they say where rows come like those that they were made from. Rows
of a series need not. How far off are they for a GRU and for the naive forecast, one step ahead and ten?

Command: python experiments/interval_coverage.py
    (GOOG comes with matplotlib; the others are looked for in $SEQVISION_DATA_DIR and left out where they are not)

Expected: of the GRU's within six points of the nominal share on GOOG, SBUX and ETTh1; up to ten too few on sunspots,
    whose test holds the highest cycles; and far too few on the VN-Index, whose prices rise and swing more in the test
    than in the rows before: its relative changes hold better. It is off for the naive forecast as for the GRU: the
    series changes, not the model.

Measured (from results/interval_coverage.json by results/tables.py):
    python experiments/interval_coverage.py (2026-11-28, 2 cores, AMD EPYC)
        inside 80 %, GOOG, 1 ahead, % of the test rows: gru (mean of 3 seeds) 76.3; against last value 75.8
        inside 95 %, GOOG, 1 ahead, % of the test rows: gru (mean of 3 seeds) 94.7; against last value 93.2
        inside 80 %, GOOG, 10 ahead, % of the test rows: gru (mean of 3 seeds) 77.8; against last value 77.3
        inside 95 %, GOOG, 10 ahead, % of the test rows: gru (mean of 3 seeds) 89.4; against last value 88.9
        inside 80 %, SBUX, 1 ahead, % of the test rows: gru (mean of 3 seeds) 80.3; against last value 81.9
        inside 95 %, SBUX, 1 ahead, % of the test rows: gru (mean of 3 seeds) 96.8; against last value 96.4
        inside 80 %, SBUX, 10 ahead, % of the test rows: gru (mean of 3 seeds) 79.9; against last value 75.1
        inside 95 %, SBUX, 10 ahead, % of the test rows: gru (mean of 3 seeds) 90.4; against last value 92.8
        inside 80 %, VN-Index, 1 ahead, % of the test rows: gru (mean of 3 seeds) 57.5; against last value 66.7
        inside 95 %, VN-Index, 1 ahead, % of the test rows: gru (mean of 3 seeds) 79.6; against last value 84.5
        inside 80 %, VN-Index, 10 ahead, % of the test rows: gru (mean of 3 seeds) 47.1; against last value 61.7
        inside 95 %, VN-Index, 10 ahead, % of the test rows: gru (mean of 3 seeds) 67.0; against last value 84.8
        inside 80 %, VN-Index, changes, 1 ahead, % of the test rows: gru (mean of 3 seeds) 69.9; against zero return
            72.3
        inside 95 %, VN-Index, changes, 1 ahead, % of the test rows: gru (mean of 3 seeds) 89.9; against zero return
            89.3
        inside 80 %, VN-Index, changes, 10 ahead, % of the test rows: gru (mean of 3 seeds) 73.2; against zero return
            72.3
        inside 95 %, VN-Index, changes, 10 ahead, % of the test rows: gru (mean of 3 seeds) 89.8; against zero return
            89.3
        inside 80 %, ETTh1, 1 ahead, % of the test rows: gru (mean of 3 seeds) 79.1; against last value 76.8
        inside 95 %, ETTh1, 1 ahead, % of the test rows: gru (mean of 3 seeds) 94.2; against last value 93.9
        inside 80 %, ETTh1, 10 ahead, % of the test rows: gru (mean of 3 seeds) 84.5; against last value 69.8
        inside 95 %, ETTh1, 10 ahead, % of the test rows: gru (mean of 3 seeds) 95.0; against last value 89.5
        inside 80 %, sunspots, 1 ahead, % of the test rows: gru (mean of 3 seeds) 73.4; against AR(20) 72.1
        inside 95 %, sunspots, 1 ahead, % of the test rows: gru (mean of 3 seeds) 90.2; against AR(20) 90.4
        inside 80 %, sunspots, 10 ahead, % of the test rows: gru (mean of 3 seeds) 70.5; against AR(20) 69.3
        inside 95 %, sunspots, 10 ahead, % of the test rows: gru (mean of 3 seeds) 91.4; against AR(20) 87.7
Running time: 4.2 min (on cores shared with other work).
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from seqvision.data import find_file
from seqvision.pipelines import ForecastConfig, run_experiment, run_forecast
from seqvision.reporting import to_plain

Name = Literal["GOOG", "SBUX", "VN-Index", "VN-Index, changes", "ETTh1", "sunspots"]

# data set, file, column to predict, season
FILES: dict[str, tuple[str, str, str, int | None]] = {
    "SBUX": ("stocks", "sbux.csv", "close", None),
    "VN-Index": ("vnindex", "vnindex_investing_vi_2009_2022.csv", "Lần cuối", None),
    "VN-Index, changes": ("vnindex", "vnindex_investing_vi_2009_2022.csv", "Lần cuối", None),
    "ETTh1": ("ett", "ETTh1.csv", "OT", 24),
    "sunspots": ("classic_series", "monthly-sunspots.csv", "Sunspots", None),
}


@dataclass(frozen=True)
class Config:
    """Train forecasters on each series, and count the test rows inside their intervals."""

    series: tuple[Name, ...] = get_args(Name)
    """which of these series"""
    models: tuple[str, ...] = ("gru",)
    """models to train"""
    length: int = 20
    """rows that a model sees"""
    horizon: int = 10
    """rows ahead that it forecasts at once"""
    epochs: int = 20
    """passes over the training rows"""
    batch_size: int = 32
    """windows a step"""
    seeds: int = 3
    """how often each model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""
    out: str = "runs"
    """folder in which the run folders are made"""


def main(config: Config) -> dict[str, Any]:
    """Train, print a table of each series and return the shares by series, step, level and forecaster."""
    found: dict[str, Any] = {}
    for name in config.series:
        csv, target, season = None, None, None
        if name in FILES:
            data_set, filename, target, season = FILES[name]
            try:
                csv = str(find_file(data_set, filename))
            except FileNotFoundError as error:
                print(f"{name} is left out: {error}")
                continue
        settings = {"models": config.models, "length": config.length, "horizon": config.horizon}
        settings |= {"returns": name.endswith("changes"), "name": f"coverage-{name.replace(', ', '-')}"}
        settings |= {
            "epochs": config.epochs,
            "batch_size": config.batch_size,
            "seeds": config.seeds,
            "seed": config.seed,
            "out": config.out,
        }
        run = run_forecast(ForecastConfig(csv=csv, target=target, season=season, **settings))
        found[name] = counted_inside(run.card, config.horizon)
        show(name, found[name])
    return to_plain(found)


def counted_inside(card: Any, last: int) -> dict[str, Any]:
    """Return what the card says of the intervals of the first and the last step."""
    table = card.intervals.scores
    rows = [*card.delivered("one step ahead"), card.references["all steps"]]
    table = table[(table["way"] == "at once") & table["step"].isin((1, last)) & table["model"].isin(rows)]
    steps: dict[str, Any] = {}
    for row in table.to_dict("records"):
        step = steps.setdefault(str(row["step"]), {}).setdefault(f"{100 * row['level']:.0f}", {})
        step[row["model"]] = {key: row[key] for key in ("coverage", "width", "score")}
    return {"calibration_rows": card.intervals.rows, "test_rows": card.test_rows, "steps": steps}


def show(name: str, result: dict[str, Any]) -> None:
    """Print how many test rows lay inside."""
    print(f"\n{name}: {result['calibration_rows']} rows before the test, {result['test_rows']} in it")
    for step, levels in result["steps"].items():
        for level, rows in levels.items():
            cells = [f"{model} {100 * row['coverage']:.1f} % (width {row['width']:.4g})" for model, row in rows.items()]
            print(f"  {step:>2} ahead, {level} %: {'; '.join(cells)}")


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
