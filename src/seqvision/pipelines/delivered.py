"""What a run delivers of one model as a pure function: from rows in original units to what `predict` says."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from seqvision._checks import did_you_mean
from seqvision._compilation import kept_on_disk
from seqvision.data import PictureForm
from seqvision.metrics import softmax
from seqvision.pipelines.classification.data import load_images
from seqvision.pipelines.classification.decisions import kept_thresholds
from seqvision.pipelines.classification.image_record import RECORD
from seqvision.pipelines.classification.run import restore_classifiers
from seqvision.pipelines.config import ClassifyConfig, ForecastConfig, config_from_dict, is_of_images
from seqvision.pipelines.finished.records import read_record
from seqvision.pipelines.forecasting.data import load_again, read_saved, split_series
from seqvision.pipelines.forecasting.forecaster import Forecaster
from seqvision.pipelines.named_models import build_forecaster
from seqvision.pipelines.saved_variables import load_variables
from seqvision.reporting import RunFolder
from seqvision.scorecards import delivered_name
from seqvision.training import predict

_ROWS = 256  # test rows on which an exported model is compared


@dataclasses.dataclass(frozen=True, eq=False)
class DeliveredModel:
    """One model of a run, all of its seeds, with test rows and what the run says of them."""

    name: str  # as in the configuration
    module: nn.Module  # what each seed is
    function: Callable[[Any, jax.Array], jax.Array]  # (variables, rows) -> what `predict` says; traceable
    variables: tuple[dict[str, Any], ...]  # one tree a seed
    rows: np.ndarray  # (N, ...) test rows as a caller has them
    expected: np.ndarray  # what the run says of them, by the way that `predict` goes
    output: str  # "forecast" or "probabilities"
    about: dict[str, Any]  # what the rows and the outputs are, in plain values


@kept_on_disk()
def delivered_model(
    path: str | Path, model: str | None = None, *, csv: str | None = None, folder: str | None = None
) -> DeliveredModel:
    """Return what a run delivers of one of its models.

    Of a run on a series the function maps windows (B, length, columns) in original units to forecasts (B, horizon) in
    the target's unit; of a run on images pixels (B, H, W, C) in 0..1 to probabilities (B, classes). Scaling and the
    mean over seeds are within.

    Args:
      path: the run folder.
      model: which; None: the only one, or the one with the least error on the validation rows.
      csv: where the data file of a forecast is now, if that has moved.
      folder: where the folder of images of a classification is now, if that has moved.

    Raises:
      ValueError: for a run of another kind, an unknown model, csv for a run of images, or folder for one on a series.
    """
    run = RunFolder.open(path)
    kind = read_record(run.path).kind
    if kind not in ("forecast", "classify"):
        raise ValueError(
            f"{path} is a run of {kind}: only forecasters and classifiers are exported as a run; of another model "
            "seqvision.saving.load_model gives module and variables, which export_onnx and its kin take"
        )
    configuration = run.read_json("config.json")
    if is_of_images(configuration):
        if csv is not None:
            raise ValueError(f"{path} is a run on images: it has no csv")
        return _classifier(run, config_from_dict(ClassifyConfig, configuration), model, folder)
    if folder is not None:
        raise ValueError(f"{path} is a run on a series: it has no folder of images")
    return _forecaster(run, config_from_dict(ForecastConfig, configuration), model, csv)


def _forecaster(run: RunFolder, config: ForecastConfig, model: str | None, csv: str | None) -> DeliveredModel:
    name, notes = _which(run, config.models, model)
    saved = read_saved(run)
    split = split_series(config, load_again(config, saved, csv))
    at, columns = saved["columns"].index(saved["target"]), saved["columns"]
    module: Any = build_forecaster(name, config, (at,))
    example = jax.ShapeDtypeStruct((1, config.length, len(columns)), jnp.float32)
    models = {other: build_forecaster(other, config, (at,)) for other in config.models}
    trees = load_variables(models, example, config.seeds, run)[name]
    scaler, values = saved["scaler"], split.series.values
    origins = np.arange(split.test_rows.start, len(values) + 1)[:_ROWS]
    windows = values[origins[:, None] - config.length + np.arange(config.length)[None, :]]
    outputs = Forecaster(module, trees, config.horizon, targets=1).forecast(scaler.transform(windows))
    expected = scaler.inverse(outputs, (at,))[..., 0].mean(axis=0)

    # The shift in two parts, so that large levels with small changes lose nothing in float32.
    coarse = np.asarray(scaler.shift, np.float32)
    fine = (np.asarray(scaler.shift) - coarse).astype(np.float32)
    scale = np.asarray(scaler.scale, np.float32)

    def function(variables: Any, window: jax.Array) -> jax.Array:
        scaled = (window - coarse[None, None] - fine[None, None]) / scale[None, None]
        forecast = _mean(module.apply(tree, scaled)[..., 0] for tree in variables)
        return forecast * scale[at] + fine[at] + coarse[at]

    what = f"{saved['target']}, relative changes from row to row" if config.returns else str(saved["target"])
    unit = config.unit or None
    ahead = f"{config.horizon} rows" if config.horizon > 1 else "row"
    about = {
        "model": delivered_name(name, config.seeds),
        "data": saved["name"],
        "inputs": {
            "window": {
                "meaning": f"the last {config.length} rows of {', '.join(map(str, columns))}, oldest first"
                + (", as relative changes from row to row" if config.returns else ", in original units"),
                "columns": list(columns),
            }
        },
        "outputs": {"forecast": {"meaning": f"the next {ahead} of {what}", "unit": unit}},
        "verdict": _verdict(run, delivered_name(name, config.seeds)),
        "notes": notes,
    }
    return DeliveredModel(name, module, function, tuple(trees), windows.astype(np.float32), expected, "forecast", about)


def _classifier(run: RunFolder, config: ClassifyConfig, model: str | None, folder: str | None) -> DeliveredModel:
    name, notes = _which(run, config.models, model)
    record = run.read_json(RECORD)
    form, classes = PictureForm.from_dict(record["form"]), list(record["classes"])
    if folder is not None and config.folder is None:
        raise ValueError(f"{run.path} is a run on the data set {config.data}: leave out folder={folder!r}")
    decided = kept_thresholds(run.read_json("summary.json"), config, run.path) if config.threshold_for else {}
    notes = [
        *notes,
        *(f"the run {threshold.text(tuple(classes))}" for one, threshold in decided.items() if one == name),
    ]
    states = restore_classifiers(run, config, form, len(classes))[name]
    pixels = np.asarray(load_images(config if folder is None else dataclasses.replace(config, folder=folder)).test.x)
    pixels = pixels[:_ROWS].astype(np.float32)
    expected = np.mean([softmax(predict(state, pixels)) for state in states], axis=0)
    apply = states[0].apply_fn

    def function(variables: Any, images: jax.Array) -> jax.Array:
        return _mean(jax.nn.softmax(apply(tree, images), axis=-1) for tree in variables)

    trees = [{"params": s.params} | ({"batch_stats": s.batch_stats} if s.batch_stats else {}) for s in states]
    color = "gray" if form.channels == 1 else "red, green, blue"
    bytes_ = " (values / 16)" if config.folder is None and config.data == "digits" else " (bytes / 255)"
    about = {
        "model": delivered_name(name, config.seeds),
        "data": config.folder or config.data,
        "inputs": {"images": {"meaning": f"pixels in 0..1{bytes_}, rows from top to bottom, {color}"}},
        "outputs": {"probabilities": {"meaning": f"one of each of {len(classes)} classes"}},
        "classes": classes,
        "verdict": _verdict(run, delivered_name(name, config.seeds)),
        "notes": notes,
    }
    module: Any = getattr(apply, "__self__", None)  # the bound method of a flax module
    return DeliveredModel(name, module, function, tuple(trees), pixels, expected, "probabilities", about)


def _mean(outputs: Any) -> jax.Array:
    each = list(outputs)
    return sum(each[1:], start=each[0]) / len(each)


def _which(run: RunFolder, models: Sequence[str], model: str | None) -> tuple[str, list[str]]:
    """Return the model that is meant, and what to say of the choice."""
    if model is not None:
        if model not in models:
            raise ValueError(f"model={model!r} is not in {run.path}{did_you_mean(model, models)}")
        return model, []
    if len(models) == 1:
        return models[0], []
    if not run.read_json("summary.json").get("validation"):
        raise ValueError(f"{run.path} has several models: say model=… which, one of {', '.join(models)}")
    chosen = read_record(run.path).chosen
    others = ", ".join(name for name in models if name != chosen)
    return chosen, [f"{chosen} has the least error on the validation rows; model=… takes another one: {others}"]


def _verdict(run: RunFolder, row: str) -> str | None:
    """Return what the card says of a model, of all steps where there are several."""
    told = [v for v in run.read_json("summary.json")["scores"]["verdicts"] if v["model"] == row]
    best = {v["mode"]: v["text"] for v in told}
    return best.get("all steps") or best.get("one step ahead") or best.get("classes")
