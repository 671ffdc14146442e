"""What is kept of the result of each experiment and benchmark: a function of its name, result -> measures.

`run_experiment` calls them where an experiment is run with `--record experiments/results`. The first argument of
`measured` is the name of the metric, the second a table of models and of what is naive.
"""

from typing import Any

from seqvision.reporting import Measurement, measured

import numpy as np

Result = dict[str, Any]
Measures = list[Measurement]


def add_numbers(result: Result) -> Measures:
    scores = result["scores"]
    whole = measured("whole sums right", scores, "exact", headline=True)
    return [whole, measured("digits right", scores, "symbols")]


def character_rnn(result: Result) -> Measures:
    grammar, model, *tables = result["bits"]
    naive, seeds = {name: result["bits"][name] for name in (grammar, *tables)}, "lowest and highest seed"
    return [
        measured("bits a character", {model: result["each"]}, baselines=naive, ends=seeds, digits=".3f", headline=True),
        measured("share of sentences right", {model: result["right"]}, ends=seeds, digits=".2f"),
    ]


def cifar_cnn(result: Result) -> Measures:
    scores = result["scores"]["scores"]
    return [
        measured("accuracy", scores, headline=True),
        measured("accuracy on training images", result["train_accuracy"]),
        measured("calibration error", scores, "calibration_error", digits=".3f"),
        measured("seconds an epoch", result["seconds"], digits=".0f"),
    ]


def cifar_record(result: Result) -> Measures:
    scores = result["scores"]["scores"]
    return [
        measured("accuracy", scores, headline=True),
        measured("calibration error", scores, "calibration_error", digits=".2f"),
        measured("seconds of training", {"whitened": result["seconds"]}, digits=".0f"),
    ]


def classify_digits(result: Result) -> Measures:
    logistic = {"logistic regression": result["logistic_regression"]}
    return [measured("accuracy", result["scores"]["scores"], baselines=logistic, headline=True)]


def counting_and_timing(result: Result) -> Measures:
    models = {name: row for name, row in result.items() if name != "baseline"}
    counts, times = ({name: row[key] for name, row in models.items()} for key in ("counts", "times"))
    guess = {"a guess": result["baseline"]["times"][0]}
    return [
        measured("a^n b^n right up to n", counts, digits=".0f", baselines={"always b": 0}, headline=True),
        measured("gaps told right", times, digits=".3f", baselines=guess),
    ]


def detect_shapes(result: Result) -> Measures:
    scores = result["scores"]
    naive = [name for name in scores if name != "detector"]
    return [
        measured("mean average precision at .5", scores, "map", naive=naive, digits=".3f", headline=True),
        measured("share of digits found", scores, "recall", naive=naive, digits=".2f"),
    ]


def fashion_cnn(result: Result) -> Measures:
    shirts = {name: classes["shirt"]["recall"] for name, classes in result["scores"]["per_class"].items()}
    accuracy = measured("accuracy", result["scores"]["scores"], headline=True)
    return [accuracy, measured("share of shirts found", shirts, digits=".2f")]


def filters(result: Result) -> Measures:
    table = result["filters"]
    far = max(row["difference"] for row in table.values())
    return [
        measured("largest difference from scipy", {"all filters": far}, digits=".1e", headline=True),
        measured("deviation of the pixels", table, "deviation", digits=".3f"),
        measured("median of the absolute pixels", table, "median", digits=".3f"),
        measured("largest absolute pixel", table, "largest", digits=".2f"),
    ]


def gan_digits(result: Result) -> Measures:
    last, naive = len(result["epochs"][0]), {n: row for n, row in result["scores"].items() if not n.startswith("made")}
    by_epoch = {n: [rows[n - 1] for rows in result["epochs"]] for n in (1, 2, 4, last) if n <= last}
    names = {"frechet_distance": ".3g", "inception_score": ".1f", "confidence": ".2f", "class_distance": ".2f"}
    return [
        measured(
            "Fréchet distance" if name == "frechet_distance" else name.replace("_", " "),
            {f"after epoch {n}": [row[name] for row in rows] for n, rows in by_epoch.items()},
            baselines={n: row[name] for n, row in naive.items()},
            digits=digits,
            headline=name == "frechet_distance",
        )
        for name, digits in names.items()
    ]


def gradient_flow(result: Result) -> Measures:
    last, first = ({name: v[at] for name, v in result[of].items()} for of, at in (("by lag", -1), ("by layer", 0)))
    dead, traces = result["dead units by layer"], result["gradient by training step"]
    return [
        measured("share of the gradient", last, of="the first input", digits=".2g", headline=True),
        measured("share of the gradient", first, of="the first layer", digits=".2g"),
        measured("share of dead units", {n: v[-1] for n, v in dead.items()}, of="the fifth layer", digits=".2g"),
        measured("norm of the gradient", {n: v[0] for n, v in traces.items()}, of="the first step", digits=".3g"),
        measured("norm of the gradient", {n: v[-1] for n, v in traces.items()}, of="the last step", digits=".2g"),
    ]


def lenet_digits(result: Result) -> Measures:
    logistic = {"logistic regression": result["logistic_regression"]}
    return [measured("accuracy", result["scores"]["scores"], baselines=logistic, headline=True)]


def long_distance_xor(result: Result) -> Measures:
    measures = []
    for of in dict.fromkeys(f"{row['signs']} signs, T = {row['T']}" for row in result["table"]):
        rows = {row["model"]: row for row in result["table"] if of == f"{row['signs']} signs, T = {row['T']}"}
        commonest = {"commonest class": np.mean([row["commonest_class"] for row in rows.values()])}
        each, solved = ({name: row[key] for name, row in rows.items()} for key in ("each", "solved"))
        shown = of == "first signs, T = 30"
        measures.append(measured("accuracy", each, of=of, digits=".3f", baselines=commonest, headline=shown))
        measures.append(measured("solved seeds", solved, of=of, digits=".0f"))
    return measures


def mlp_versus_rnn(result: Result) -> Measures:
    tables = {"one step ahead": result["scores"]["one_step"], "free-running": result["scores"]["free_running"]}
    errors = [
        measured("RMSE", table, "rmse", of=of, digits="#.4g", headline=of == "one step ahead")
        for of, table in tables.items()
        if table
    ]
    epochs = {name: seconds["an epoch"] for name, seconds in result["seconds"].items()}
    return [*errors, measured("seconds an epoch", epochs, digits=".2g")]


def mnist_cnn(result: Result) -> Measures:
    return [measured("accuracy", result["scores"]["scores"], headline=True)]


def mnist_dense(result: Result) -> Measures:
    return [measured("accuracy", result["scores"]["scores"], headline=True)]


def optimizers(result: Result) -> Measures:
    commonest = {"commonest class": result["commonest_class"]}
    return [
        measure
        for of, title in {"rules": "rules", "momentum, its step size": "step sizes of momentum"}.items()
        for measure in (
            measured("accuracy", result[of], of=title, baselines=commonest, digits=".3f", headline=of == "rules"),
            measured("training loss", result[of], "loss", of=title),
        )
    ]


def reverse_digits(result: Result) -> Measures:
    scores = result["scores"]
    whole = measured("whole strings right", scores, "exact", headline=True)
    return [whole, measured("digits right", scores, "symbols")]


def row_mnist(result: Result) -> Measures:
    return [measured("accuracy", result["scores"]["scores"], headline=True)]


def series_as_images(result: Result) -> Measures:
    naive, measures = ("logistic regression", "last direction", "commonest class"), []
    for horizon, table in result["scores"].items():
        settings: dict[str, Any] = {"of": f"{horizon} ahead", "naive": naive, "digits": ".3f"}
        measures += [
            measured("accuracy", table, ends="95 %", headline=not measures, **settings),
            measured("accuracy in training", table, "training", **settings),
            measured("log-loss", table, "log_loss", **settings | {"digits": ".2f"}),
        ]
    return measures


def sine_and_chirp(result: Result) -> Measures:
    naive, modes = ("last value", "drift", "AR(10)"), {"one_step": "one step ahead", "free_running": "free-running"}
    return [
        measured("squared error", table, key, of=f"{series}, {of}", naive=naive, headline=key == "one_step")
        for series, table in result.items()
        for key, of in modes.items()
    ]


def spell_digits(result: Result) -> Measures:
    scores = result["scores"]
    whole = measured("whole names right", scores, "exact", headline=True)
    return [whole, measured("letters right", scores, "symbols")]


def stock_forecast(result: Result) -> Measures:
    tables = {"one step ahead": result["scores"]["one_step"], "free-running": result["scores"]["free_running"]}
    return [
        measured("RMSE", table, "rmse", of=of, digits="#.4g", headline=of == "one step ahead")
        for of, table in tables.items()
        if table
    ]


def interval_coverage(result: Result) -> Measures:
    return [
        measured(
            f"inside {level} %",
            {model: 100 * row["coverage"] for model, row in rows.items()},
            of=f"{name}, {step} ahead",
            unit="% of the test rows",
            digits=".1f",
            naive=[list(rows)[-1]],
            headline=step == "1" and level == "95",
        )
        for name, series in result.items()
        for step, levels in series["steps"].items()
        for level, rows in levels.items()
    ]


def fit_peers(result: Result) -> Measures:
    return [
        measured(
            f"{'an' if part == 'epoch' else 'a'} {part}",
            {"seqvision": row["medians"]["seqvision"][part]},
            of=row["title"],
            unit="s",
            digits=".3g",
            baselines={peer: times[part] for peer, times in row["medians"].items() if peer != "seqvision"},
            ratios={"fastest peer / ours": row["ratios"][part]} if row["ratios"] else None,
            headline=part == "epoch",
        )
        for row in result.values()
        for part in ("epoch", "fit", "process")
    ]


def recurrent_layers(result: Result) -> Measures:
    if "loop" not in result and "call" not in result:
        return [
            measured(metric, {way: scale * a[key] for way, a in ways.items()}, of=row, unit=unit, digits=digits)
            for metric, key, scale, unit, digits in (
                ("gradient of a loss on the last step", "seconds", 1e3, "ms", ".3g"),
                ("temporaries", "temporaries", 2**-20, "MiB", ".1f"),
            )
            for row, ways in result.items()
        ]
    peers = ("floor", "flax", "haiku", "equinox", "keras-jax", "keras-tf", "torch")
    ratios = {"best JAX or Keras / ours": "best / ours", "torch / ours": "torch / ours"}
    names = {"auto": "seqvision"}
    return [
        measured(
            "a step in a loop" if mode == "loop" else "a single call",
            {names.get(way, way): 1e3 * s for way, s in one["seconds"].items() if s and way not in peers},
            of=row,
            unit="ms",
            digits=".3g",
            baselines={peer: 1e3 * s for peer, s in one["seconds"].items() if s and peer in peers},
            ratios={name: one[key] for name, key in ratios.items() if one[key]},
        )
        for mode in ("loop", "call")
        for row, one in result.get(mode, {}).items()
    ]


def convolution(result: Result) -> Measures:
    return [
        measured(
            "a step",
            {name.removesuffix(" call"): 1e3 * s for name, s in row["seconds"].items() if name.startswith("seqvision")},
            of=name,
            unit="ms",
            digits=".3g",
            baselines={peer: 1e3 * s for peer, s in row["seconds"].items() if not peer.startswith("seqvision")},
            ratios=row["ratios"],
            headline="run / loop" in row["ratios"],
        )
        for name, row in result.items()
    ]


def classic_networks(result: Result) -> Measures:
    return [
        measured("a step", row, of=name, unit="ms", digits=".3g", ratios={"run / loop": row["run"] / row["loop"]})
        for name, row in result.items()
    ]


def reading(result: Result) -> Measures:
    kinds = (("seconds", "s"), ("peak MB", "MB"), ("MB above the imports", "MB"))
    return [
        measured(
            metric,
            {"seqvision": row["seqvision"][metric]},
            of=f"dates {form}",
            unit=unit,
            digits=".3g",
            baselines={"pandas": row["pandas"][metric]},
            ratios={"ours / pandas": row["ours / pandas"][metric]},
        )
        for form, row in result.items()
        for metric, unit in kinds
    ]


def time_to_result(result: Result) -> Measures:
    scores = (("a process", "process", "s"), ("a fit", "fit", "s"), ("CPU seconds", "cpu", "s"))
    found = [
        measured(
            metric,
            {name: row[name][state][key] for name in ("seqvision", "before") if name in row},
            of=f"{short}, {state}",
            unit=unit,
            digits=".3g",
            baselines={peer: peers[key] for peer, peers in row["peers"].items()},
            ratios={name: parts[key] for name, parts in row["ratios"][state].items() if key in parts},
            headline=metric == "a fit" and state == "cold" and bool(row["peers"]),
        )
        for metric, key, unit in (*scores, ("peak memory", "peak MB", "MB"))
        for short, row in result.items()
        for state, times in row["seqvision"].items()
        if times[key] is not None
    ]
    return found + [
        measured("phases", {**times["phases"]}, of=f"{short}, {state}", unit="s", digits=".2f")
        for short, row in result.items()
        for state, times in row["seqvision"].items()
    ]
