"""What a run would be, without computing it."""

import re
from typing import Any

import flax.linen as nn
import jax

from seqvision._checks import counted
from seqvision.models import parameter_count
from seqvision.pipelines.classification.data import describe_images, load_images
from seqvision.pipelines.classification.decisions import check_threshold
from seqvision.pipelines.classification.run import build_classifiers
from seqvision.pipelines.config import BATCH_SIZE, ClassifyConfig, ForecastConfig, field_groups, with_batch_size
from seqvision.pipelines.forecasting.data import describe_split, load_series, split_series
from seqvision.pipelines.forecasting.run import build_forecasters, window_shape
from seqvision.pipelines.results import Description, ModelSize
from seqvision.training import updates_in


def describe_forecast(config: ForecastConfig) -> Description:
    """Return shapes, sizes and parameter counts of a forecast run; nothing is compiled or written.

    >>> describe_forecast(ForecastConfig(models=("gru",), hidden=4)).models["gru"].parameters
    81
    """
    split = split_series(config, load_series(config))
    windows = {"train": len(split.train), "test": len(split.test)}
    windows |= {"validation": len(split.validation)} if split.validation is not None else {}
    return _describe(describe_split(split), build_forecasters(config, split), window_shape(split), windows, config)


def describe_classify(config: ClassifyConfig) -> Description:
    """Return shapes, sizes and parameter counts of a classification run; nothing is compiled or written.

    >>> describe_classify(ClassifyConfig(models=("mlp",), hidden=8)).models["mlp"]
    ModelSize(input=(8, 8, 1), output=(10,), parameters=610)
    """
    split = load_images(config)
    check_threshold(config, split)
    rows = {"train": len(split.train), "test": len(split.test)}
    rows |= {"validation": len(split.validation)} if split.validation is not None else {}
    return _describe(
        describe_images(config, split),
        build_classifiers(config, split.form, len(split.classes)),
        split.example,
        rows,
        config,
    )


def chosen_settings(config: ForecastConfig | ClassifyConfig) -> dict[str, Any]:
    """Return the settings of networks and training that are not the defaults.

    >>> chosen_settings(ForecastConfig(layers=2, optimizer="adamw", csv="my.csv"))
    {'layers': 2, 'optimizer': 'adamw'}
    """
    kind: Any = type(config)
    default, groups = kind(), field_groups(kind)
    return {
        name: getattr(config, name)
        for name, group in groups.items()
        if group in ("network", "training") and name not in ("models", "batch_size", "seeds", "seed", "epochs")
        if getattr(config, name) != getattr(default, name)
    } | ({"augment": config.augment} if isinstance(config, ClassifyConfig) and config.augment else {})


def _describe(
    head: str,
    models: dict[str, nn.Module],
    example: jax.ShapeDtypeStruct,
    rows: dict[str, int],
    config: ForecastConfig | ClassifyConfig,
) -> Description:
    sizes = {}
    for name, model in models.items():
        output, _ = jax.eval_shape(model.init_with_output, jax.random.key(0), example)
        sizes[name] = ModelSize(example.shape[1:], output.shape[1:], parameter_count(model, example))
    config = with_batch_size(config, rows["train"])
    steps = updates_in(config.epochs, rows["train"], config.batch_size or BATCH_SIZE)
    lines = [head]
    lines += [
        f"{name}: {size.input} -> {size.output}, {counted(size.parameters, 'parameter')}"
        for name, size in sizes.items()
    ]
    lines += [
        f"{counted(rows['train'], 'training example')}, {counted(steps, 'step')} of {config.batch_size}, "
        f"{counted(config.seeds, 'seed')}"
    ]
    if told := chosen_settings(config):
        lines += ["with " + ", ".join(f"{name}={value!r}" for name, value in told.items())]
    return Description(re.sub(r"\((\d+),\)", r"(\1)", "\n".join(lines)), sizes, rows, steps)
