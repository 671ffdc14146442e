"""Configurations from what was written, and for the rows there are."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from seqvision._checks import did_you_mean
from seqvision.pipelines.config.network import ACTS_ON

Config = TypeVar("Config")

BATCH_SIZE = 32  # windows or images a step by default, if there are so many
PAIRS = 128  # pairs of sequences


def with_batch_size(config: Config, rows: int, default: int = BATCH_SIZE) -> Config:
    """Return a configuration whose batch fits the rows there are: the default shrinks to them, a given one must fit.

    Args:
      config: with a field batch_size.
      rows: what there is to train on.
      default: batch size where none is given.

    >>> from seqvision.pipelines import ForecastConfig
    >>> with_batch_size(ForecastConfig(), 14).batch_size
    14
    """
    given = getattr(config, "batch_size")  # noqa: B009
    if given is not None and given > rows:
        raise ValueError(f"batch_size {given} is larger than the {rows} examples to train on: use {rows} or less")
    return dataclasses.replace(config, batch_size=min(default, rows) if given is None else given)  # type: ignore


def is_of_images(configuration: Any) -> bool:
    """Return whether what was read of a config.json is of a run on images, which alone names its data.

    >>> is_of_images({"data": "digits"}), is_of_images({"csv": "prices.csv"}), is_of_images(None)
    (True, False, False)
    """
    return isinstance(configuration, Mapping) and "data" in configuration


def config_from_dict(cls: type[Config], values: Any) -> Config:
    """Rebuild a configuration from what was read of its JSON; unknown keys are refused with a suggestion.

    A setting that acts on none of its models, which a class with other defaults may have, is left at the default.

    >>> from seqvision.pipelines import ForecastConfig
    >>> config_from_dict(ForecastConfig, {"models": ["gru"], "epochs": 3}).models
    ('gru',)
    """
    known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if not isinstance(values, Mapping):
        raise ValueError(f"{cls.__name__} must be a mapping of settings, got {type(values).__name__}")
    for key in values:
        if key not in known:
            raise ValueError(f"{cls.__name__} has no setting {key!r}{did_you_mean(key, known)}")
    models = values.get("models")
    idle = {
        name
        for name, takers in ACTS_ON.items()
        if isinstance(models, list | tuple) and not {*map(str, models)} & {*takers}
    }
    return cls(**{name: value for name, value in values.items() if name not in idle})
