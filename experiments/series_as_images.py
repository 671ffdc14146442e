"""Windows of a price series drawn as pictures, and a small convolutional network that says whether it goes up.

Question: twenty days of prices drawn as a bar chart, or as a Gramian angular field of the closes. Does a network that
looks at the picture say more often whether the price is higher after one day, or after five, than the commonest class,
the direction of the days before, or a logistic regression of the same twenty days' changes?

Command: python experiments/series_as_images.py
    (the daily prices of one stock that matplotlib bundles; --csv FILE --columns OPEN HIGH LOW CLOSE for any other)

Expected: no skill: no interval leaves .5 in the 315 test days, the networks know their training windows by heart, and
    are surer than they may be.

Measured (from results/series_as_images.json by results/tables.py):
    python experiments/series_as_images.py (2026-11-20, 2 cores)
        accuracy, 1 ahead (5 seeds; in brackets 95 %): bars 0.479 ± 0.024 [0.424, 0.534]; summation field 0.507 ± 0.015;
            difference field 0.518 ± 0.021; against logistic regression 0.521; last direction 0.502; commonest class
            0.470
        accuracy in training, 1 and 5 ahead (5 seeds; lowest and highest network): bars, summation field, difference
            field 0.88 to 1.00
        log-loss, 1 and 5 ahead (5 seeds; lowest and highest network): bars, summation field, difference field 1.10 to
            2.10; against commonest class, 1 ahead 0.70; commonest class, 5 ahead 0.72
        accuracy, 5 ahead (5 seeds; in brackets 95 %): bars 0.528 ± 0.015 [0.406, 0.647]; summation field 0.514;
            difference field 0.518; against logistic regression 0.518; last direction 0.514; commonest class 0.489
    python experiments/series_as_images.py --csv vnindex_investing_vi_2009_2022.csv --columns OPEN HIGH LOW CLOSE
        --seeds 3 (2026-11-20, 2 cores)
        accuracy, 1 ahead (3 seeds): bars 0.507 ± 0.015; summation field 0.521 ± 0.010; against commonest class 0.568
    python experiments/series_as_images.py --csv sbux.csv --columns OPEN HIGH LOW CLOSE --seeds 3 (2026-11-20, 2 cores)
        accuracy, 1 ahead (3 seeds): bars 0.504 ± 0.013; difference field 0.470 ± 0.027; against commonest class 0.489;
            last direction 0.540
Running time: 1 min.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from seqvision.data import Arrays, Series, bar_chart_images, gramian_angular_field, load_goog, read_series
from seqvision.metrics import log_loss, roc_curve, softmax, wilson_interval
from seqvision.models import ClassificationHead, ConvNet
from seqvision.pipelines import run_experiment, train_seeds
from seqvision.reporting import RunFolder, plot_image_rows, save_figure, to_plain
from seqvision.training import predict

import numpy as np
import optax
from sklearn.linear_model import LogisticRegression

Encoding = Literal["bars", "summation field", "difference field"]


@dataclass(frozen=True)
class Config:
    """Say from pictures of a price whether it rises."""

    csv: str | None = None
    """file of the series; by default the daily prices of one stock that matplotlib bundles"""
    columns: tuple[str, str, str, str] = ("open", "high", "low", "close")
    """its columns of opening, highest, lowest and closing prices"""
    encodings: tuple[Encoding, ...] = get_args(Encoding)
    """how windows are drawn"""
    horizons: tuple[int, ...] = (1, 5)
    """rows ahead: is the close higher then than now?"""
    length: int = 20
    """rows in a picture"""
    train: float = 0.7
    """share of the rows to train on, in time order"""
    epochs: int = 30
    """passes over the training windows"""
    batch_size: int = 32
    """windows a step"""
    learning_rate: float = 0.001
    """step size of Adam"""
    seeds: int = 5
    """how often each network is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""
    out: str = "runs"
    """folder in which the new run folder is made"""


def main(config: Config) -> dict[str, Any]:
    """Train on every encoding and horizon, print the tables and return them."""
    series = load_goog() if config.csv is None else read_series(config.csv, columns=config.columns)
    pictures, closes = draw(config, series)
    with RunFolder.create(config.out, "series_as_images") as folder:
        folder.write_config(config)
        scores = {str(h): judge(config, series.name, pictures, closes, h) for h in config.horizons}
        folder.write_json("summary.json", {"scores": scores})
        rows = np.linspace(0, len(closes) - 1, 8).astype(int)
        shown, titles = {name: x[rows] for name, x in pictures.items()}, [f"from row {row}" for row in rows]
        save_figure(plot_image_rows(shown, titles, title=series.name), folder.path / "pictures.png")
    print(f"\nrun folder: {folder.path}")
    return to_plain({"scores": scores, "folder": folder.path})


def draw(config: Config, series: Series) -> tuple[dict[Encoding, np.ndarray], np.ndarray]:
    """Return the pictures (W, h, w, 1) of every window of the series, and its closes (W, T)."""
    windows = [np.lib.stride_tricks.sliding_window_view(series.column(c), config.length) for c in config.columns]
    fields = {f"{kind} field": gramian_angular_field(windows[3], kind) for kind in ("summation", "difference")}
    drawn = {"bars": bar_chart_images(*windows), **fields}
    return {name: drawn[name] for name in config.encodings}, windows[3]


def judge(
    config: Config, series: str, pictures: dict[Encoding, np.ndarray], closes: np.ndarray, horizon: int
) -> dict[str, dict[str, Any]]:
    """Train for one horizon, score networks and baselines on the same test windows, and print the table."""
    up = (closes[horizon:, -1] > closes[:-horizon, -1]).astype(np.int32)  # of all windows whose future is known
    train, test = split_windows(config, len(closes), horizon)
    moved, changes = closes[:, -1] > closes[:, -1 - horizon], np.diff(np.log(closes), axis=1)
    regression = LogisticRegression().fit(changes[train] / changes[train].std(), up[train])
    chances: dict[str, np.ndarray] = {}
    adam = optax.adam(config.learning_rate)  # one object, so that all encodings share one program
    for stream, (encoding, x) in enumerate(pictures.items()):
        model = ConvNet((16, 32, 64), dropout=0.5, dense=(64,), head=ClassificationHead(2))
        done = train_seeds(
            model,
            Arrays(x[train], up[train]),
            optimizer=adam,
            seeds=config.seeds,
            seed=config.seed,
            stream=10 * horizon + stream,
            loss="cross_entropy",
            epochs=config.epochs,
            batch_size=config.batch_size,
        )
        chances[encoding] = np.stack([softmax(predict(state, x[: len(up)]))[:, 1] for state in done.states])
    chances["logistic regression"] = regression.predict_proba(changes[: len(up)] / changes[train].std())[None, :, 1]
    chances["last direction"] = moved[None, : len(up)].astype(float)
    chances["commonest class"] = np.full((1, len(up)), up[train].mean())
    print(f"\n{series}: is the close higher {horizon} ahead? {len(test)} test windows, {up[test].mean():.3f} are up")
    print(f"{'':<22}{'right in training':<20}{'right in the test [95 %]':<32}{'ROC area':<18}log-loss")
    scores = {name: score(up, p, train, test, horizon) for name, p in chances.items()}
    print("\n".join(show(name, row) for name, row in scores.items()))
    return scores


def split_windows(config: Config, windows: int, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Return training and test windows: the rows that decide a training label all lie before the first test label's."""
    first = int(config.train * (windows + config.length - 1)) - config.length  # it ends with the last training row
    if first - horizon < 1 or first >= windows - horizon:
        raise ValueError(f"{windows} windows of {config.length} rows are too few for train={config.train}")
    return np.arange(first - horizon + 1), np.arange(first, windows - horizon)


def score(up: np.ndarray, p: np.ndarray, train: np.ndarray, test: np.ndarray, horizon: int) -> dict[str, Any]:
    """Score chances of a rise (S, W) of each seed: mean and spread."""
    right = (p > 0.5) == up.astype(bool)[None]
    each = {
        "training": right[:, train].mean(axis=1),
        "accuracy": right[:, test].mean(axis=1),
        "roc_area": np.array([roc_curve(up[test], scores=seed[test]).area for seed in p]),
        "log_loss": np.array([log_loss(up[test], probabilities=np.stack([1 - q, q], axis=1)) for q in p[:, test]]),
    }
    row = {name: values.mean() for name, values in each.items()}
    row |= {f"{name}_std": values.std(ddof=1) if len(p) > 1 else None for name, values in each.items()}
    row["log_loss"] = row["log_loss"] if np.isfinite(row["log_loss"]) else None  # a chance of 0 came true
    independent = len(test) // horizon  # the labels of neighboring windows share rows
    share = wilson_interval(row["accuracy"] * independent, independent)
    return {**row, "low": share.low, "high": share.high}


def show(name: str, row: dict[str, Any]) -> str:
    """Return one line of the table."""
    numbers = {
        key: "" if row[key] is None else f"{row[key]:.3f}" + (f" ± {std:.3f}" if (std := row[f"{key}_std"]) else "")
        for key in ("training", "accuracy", "roc_area", "log_loss")
    }
    right = f"{numbers['accuracy']} [{row['low']:.3f}, {row['high']:.3f}]"
    return f"  {name:<20}{numbers['training']:<20}{right:<32}{numbers['roc_area']:<18}{numbers['log_loss']}".rstrip()


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
