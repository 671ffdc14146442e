"""What a pipeline is told: plain frozen dataclasses that import nothing heavy, so that a command line starts at once.

Every field is a flag of the command line, with the text below it as its help.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from seqvision._checks import check_count, check_number, did_you_mean, is_int
from seqvision.pipelines.reading import Reading
from seqvision.pipelines.settings import check_settings

Config = TypeVar("Config")

CELLS = ("lstm", "gru", "elman")
FORECASTERS = (*CELLS, "mlp", "linear")
CLASSIFIERS = ("convnet", "mlp", "linear", *CELLS)
Optimizer = Literal["adam", "rmsprop", "sgd"]


BATCH_SIZE = 32  # windows or images a step by default, if there are so many
PAIRS = 128  # pairs of sequences


@dataclass(frozen=True)
class ForecastConfig(Reading):
    """Train forecasters on a series and judge them beside the naive forecasts on the same rows.

    How the file is read, the fields of `Reading` say. Of a file with several series below each other ``series_id`` and
    ``series`` name one; all of them are a loop::

        for name in read_all_series("long.csv", "value", series_id="id"):
            run_forecast(ForecastConfig(csv="long.csv", target="value", series_id="id", series=name))
    """

    csv: str | None = None
    """file of the series; by default the daily prices of one stock that matplotlib bundles"""
    target: str | int | None = None
    """column to predict, by name or position; may be left out if there is one column of numbers"""
    columns: tuple[str | int, ...] = ()
    """further columns that the models see (then nothing runs freely)"""
    returns: bool = False
    """forecast relative changes instead of levels"""
    unit: str = ""
    """unit of the target, for tables and plots"""
    season: int | None = None
    """rows in a season, or steps of time where there are dates, for the seasonal naive forecast and MASE"""

    models: tuple[str, ...] = ("lstm", "gru", "elman", "mlp")
    """models to train: lstm, gru, elman, mlp, linear (also as --cell)"""
    hidden: int = 16
    """units of a layer"""
    layers: int = 1
    """recurrent or hidden layers"""
    dropout: float = 0.0
    """rate after each layer"""
    residual: bool | None = None
    """forecast the change from the last value; by default for levels and not for returns"""

    length: int = 10
    """rows that a model sees"""
    horizon: int = 1
    """rows ahead that it forecasts at once"""
    train: int | float = 0.7
    """number of rows to train on, or share of the rows after the first length of them, so that the test rows of a share
    depend on length; the scaler sees these alone"""
    validation: int | float = 0.1
    """number of rows between training and test, or share of the same rows, for the loss curves"""
    scaler: Literal["standard", "minmax", "none"] = "standard"
    """how columns are scaled"""

    loss: Literal["mse", "mae", "huber"] = "mse"
    """what is minimized, on the scaled target"""
    optimizer: Optimizer = "adam"
    """update rule"""
    learning_rate: float = 0.01
    """its step size"""
    epochs: int = 50
    """passes over the training windows"""
    batch_size: int | None = None
    """windows a step; by default 32, or all if they are fewer"""
    seeds: int = 5
    """how often each model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives, in [0, 2^32)"""

    out: str = "runs"
    """folder in which the new run folder is made"""
    name: str = "forecast"
    """first part of the run folder's name"""

    def __post_init__(self) -> None:
        """Refuse what cannot be, before anything is read or compiled."""
        super().__post_init__()
        _check_counts(self, "hidden", "layers", "length", "horizon", "epochs", "batch_size", "seeds", "season")
        _check_common(self, FORECASTERS)
        for name, least in (("train", 1), ("validation", 0)):
            part = getattr(self, name)
            if is_int(part):
                check_count(name, part, least=least)
            else:
                check_number(name, part, least=0, above=0 if least else None, below=1)
        if self.returns and (self.residual or self.columns):
            raise ValueError("returns=True is for one column and without residual: leave out residual and columns")


@dataclass(frozen=True)
class ClassifyConfig:
    """Train classifiers on images and judge them beside the commonest class on the same rows."""

    data: Literal["digits", "mnist", "fashion_mnist", "cifar10"] = "digits"
    """data set; digits come with scikit-learn, the others are downloaded once"""
    folder: str | None = None
    """folder of images with one subfolder a class, instead of a data set"""
    size: int | None = None
    """height and width to which its images are brought; may be left out if all are alike"""
    models: tuple[str, ...] = ("convnet",)
    """models to train: convnet, mlp, linear; lstm, gru, elman read an image row by row"""
    hidden: int = 128
    """units of a dense or recurrent layer"""
    dropout: float | None = None
    """rate after each layer; by default .2"""
    test: float = 0.2
    """share of digits or of a folder held out at random within each class; the other data sets have a test part"""
    validation: float = 0.0
    """share of the training rows held out for the loss curves"""
    limit: int | None = None
    """use only so many training rows"""

    optimizer: Optimizer = "adam"
    """update rule"""
    learning_rate: float = 0.001
    """its step size"""
    epochs: int = 30
    """passes over the training rows"""
    batch_size: int | None = None
    """images a step; by default 32, or all if they are fewer"""
    seeds: int = 5
    """how often each model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives, in [0, 2^32)"""

    out: str = "runs"
    """folder in which the new run folder is made"""
    name: str = "classify"
    """first part of the run folder's name"""

    def __post_init__(self) -> None:
        """Refuse what cannot be, before anything is read or compiled."""
        check_settings(self)
        _check_counts(self, "hidden", "epochs", "batch_size", "seeds", "limit", "size")
        _check_common(self, CLASSIFIERS)
        if self.size is not None and self.folder is None:
            raise ValueError("size is for the images of a folder: give folder too, or leave out size")
        for name in ("test", "validation"):
            check_number(name, getattr(self, name), least=0, below=1)


@dataclass(frozen=True)
class SequenceConfig:
    """How encoder-decoders are trained."""

    epochs: int = 10
    """passes over the training pairs"""
    batch_size: int | None = None
    """pairs a step; by default 128, or all if they are fewer"""
    learning_rate: float = 0.01
    """first step size of Adam; it falls to zero as a cosine"""
    seeds: int = 5
    """how often each model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""
    out: str = "runs"
    """folder in which the new run folder is made"""
    name: str = "sequences"
    """first part of the run folder's name"""

    def __post_init__(self) -> None:
        """Refuse what cannot be, before anything is read or compiled."""
        check_settings(self)
        _check_counts(self, "epochs", "batch_size", "seeds")
        _check_numbers(self)


def with_batch_size(config: Config, rows: int, default: int = BATCH_SIZE) -> Config:
    """Return a configuration whose batch fits the rows there are: the default shrinks to them, a given one must fit.

    Args:
      config: with a field batch_size.
      rows: what there is to train on.
      default: batch size where none is given.

    >>> with_batch_size(ForecastConfig(), 14).batch_size
    14
    """
    given = getattr(config, "batch_size")  # noqa: B009
    if given is not None and given > rows:
        raise ValueError(f"batch_size {given} is larger than the {rows} examples to train on: use {rows} or less")
    return dataclasses.replace(config, batch_size=min(default, rows) if given is None else given)  # type: ignore


def config_from_dict(cls: type[Config], values: Any) -> Config:
    """Rebuild a configuration from what was read of its JSON; unknown keys are refused with a suggestion.

    >>> config_from_dict(ForecastConfig, {"models": ["gru"], "epochs": 3}).models
    ('gru',)
    """
    known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if not isinstance(values, Mapping):
        raise ValueError(f"{cls.__name__} must be a mapping of settings, got {type(values).__name__}")
    for key in values:
        if key not in known:
            raise ValueError(f"{cls.__name__} has no setting {key!r}{did_you_mean(key, known)}")
    return cls(**values)


def _check_counts(config: Any, *names: str) -> None:
    optional, most = ("batch_size", "season", "limit", "size"), {"seeds": 10_000, "layers": 100, "hidden": 1_000_000}
    for name in names:
        if name not in optional or getattr(config, name) is not None:
            check_count(name, getattr(config, name), below=most.get(name, 2**31))


def _check_common(config: Any, models: tuple[str, ...]) -> None:
    if not config.models or len(set(config.models)) != len(config.models):
        raise ValueError(f"models must name at least one model and none twice, got {config.models!r}")
    for model in config.models:
        if model not in models:
            raise ValueError(f"models: {model!r} is unknown{did_you_mean(model, models)}")
    if config.dropout is not None:
        check_number("dropout", config.dropout, least=0, below=1)
    _check_numbers(config)


def _check_numbers(config: Any) -> None:
    check_count("seed", config.seed, least=0, below=2**32)
    check_number("learning_rate", config.learning_rate, above=0, below=float("inf"))
