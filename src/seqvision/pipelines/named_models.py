"""From the names and sizes of a configuration to models and optimizers."""

from functools import lru_cache
from typing import Any

import flax.linen as nn
import optax

from seqvision.cells import GRU, LSTM, Cell, Elman
from seqvision.models import MLP, Anchored, ClassificationHead, ConvNet, Recurrent, RegressionHead, RowByRow
from seqvision.pipelines.config import ClassifyConfig, ForecastConfig

# One entry for each name that `config` allows.
CELLS: dict[str, Any] = {"lstm": LSTM, "gru": GRU, "elman": Elman}
OPTIMIZERS: dict[str, Any] = {"adam": optax.adam, "rmsprop": optax.rmsprop, "sgd": optax.sgd}


def build_forecaster(name: str, config: ForecastConfig, targets: tuple[int, ...]) -> nn.Module:
    """Return a model from windows (B, T, D) to forecasts (B, horizon, K) of the K target columns.

    >>> build_forecaster("gru", ForecastConfig(hidden=4, residual=False), (0,)).cells
    (GRU(hidden=4, ...),)
    """
    head = RegressionHead(config.horizon, len(targets))
    model: nn.Module
    if name in CELLS:
        model = Recurrent(_cells(name, config.hidden, config.layers), dropout=config.dropout, head=head)
    else:
        features = () if name == "linear" else (config.hidden,) * config.layers
        model = MLP(features, dropout=config.dropout, head=head)
    residual = not config.returns if config.residual is None else config.residual
    return Anchored(model, targets) if residual else model


def build_classifier(name: str, config: ClassifyConfig, side: int, num_classes: int) -> nn.Module:
    """Return a model from images (B, side, side, C) to logits (B, num_classes).

    Images of 28 pixels and more get three convolutions of stride 2 and a dense layer of 512; smaller ones keep their
    few pixels for longer: two convolutions, each with batch norm and a max pool.

    >>> build_classifier("mlp", ClassifyConfig(hidden=64), 8, 10).features
    (64,)
    """
    head = ClassificationHead(num_classes)
    small = name == "convnet" and side < 28
    dropout = 0.2 if config.dropout is None else config.dropout
    if small:
        shape: dict[str, Any] = {"channels": (32, 64), "stride": 1, "padding": "same", "pool": (2, 2)}
        return ConvNet(**shape, batch_norm=True, dropout=dropout, dense=(config.hidden,), head=head)
    if name == "convnet":
        return ConvNet(dropout=dropout, head=head)
    if name in CELLS:
        return RowByRow(Recurrent(_cells(name, config.hidden, 1), dropout=dropout, head=head))
    return MLP(() if name == "linear" else (config.hidden,), dropout=dropout, head=head)


@lru_cache(maxsize=32)
def build_optimizer(name: str, learning_rate: float) -> optax.GradientTransformation:
    """Return an update rule; asked twice, the same object, so that compiled programs are shared.

    >>> build_optimizer("adam", 0.01) is build_optimizer("adam", 0.01)
    True
    """
    return OPTIMIZERS[name](learning_rate)


def _cells(name: str, hidden: int, layers: int) -> tuple[Cell, ...]:
    return (CELLS[name](hidden),) * layers
