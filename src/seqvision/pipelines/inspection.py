"""What a run would be, without computing it; and which kind of run a folder holds."""

import re
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from seqvision.models import parameter_count
from seqvision.pipelines import classify, forecast
from seqvision.pipelines.config import ClassifyConfig, ForecastConfig
from seqvision.pipelines.forecast_data import describe_split, load_series, split_series
from seqvision.reporting import RunFolder


def describe_forecast(config: ForecastConfig) -> dict[str, Any]:
    """Return shapes, sizes and parameter counts of a forecast run; nothing is compiled or written.

    >>> describe_forecast(ForecastConfig(models=("gru",), hidden=4))["models"]["gru"]["parameters"]
    81
    """
    split = split_series(config, load_series(config))
    example = jax.ShapeDtypeStruct((1, config.length, len(split.series.columns)), jnp.float32)
    windows = {"train": len(split.train), "test": len(split.test)}
    windows |= {"validation": len(split.validation)} if split.validation is not None else {}
    return _description(describe_split(split), forecast.build_models(config, split), example, windows, config)


def describe_classify(config: ClassifyConfig) -> dict[str, Any]:
    """Return shapes, sizes and parameter counts of a classification run; nothing is compiled or written."""
    split = classify.load_images(config)
    rows = {"train": len(split.train), "test": len(split.test)}
    rows |= {"validation": len(split.validation)} if split.validation is not None else {}
    models = classify.build_models(config, split)
    return _description(classify.describe_images(config, split), models, split.example, rows, config)


def evaluate_run(path: str | Path, csv: str | None = None) -> dict[str, Any]:
    """Recompute the score card of any run; see ``evaluate_forecast`` and ``evaluate_classify``.

    Raises:
      ValueError: if csv is given for a run of images.
    """
    if "data" not in RunFolder.open(path).read_json("config.json"):
        return forecast.evaluate_forecast(path, csv)
    if csv is not None:
        raise ValueError(f"{path} is a run on images: it has no csv")
    return classify.evaluate_classify(path)


def _description(
    head: str, models: dict[str, nn.Module], example: jax.ShapeDtypeStruct, rows: dict[str, int], config: Any
) -> dict[str, Any]:
    described = {}
    for name, model in models.items():
        output, _ = jax.eval_shape(model.init_with_output, jax.random.key(0), example)
        shapes = {"input": example.shape[1:], "output": output.shape[1:]}
        described[name] = {**shapes, "parameters": parameter_count(model, example)}
    steps = -(-rows["train"] // config.batch_size) * config.epochs
    lines = [head]
    lines += [
        f"{name}: {shape['input']} -> {shape['output']}, {shape['parameters']:,} parameters"
        for name, shape in described.items()
    ]
    lines += [f"{rows['train']} training examples, {steps:,} steps of {config.batch_size}, {config.seeds} seeds"]
    text = re.sub(r"\((\d+),\)", r"(\1)", "\n".join(lines))
    return {"text": text, "models": described, "examples": rows, "steps": steps}
