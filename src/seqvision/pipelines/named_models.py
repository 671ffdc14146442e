"""From the names and sizes of a configuration to models."""

from functools import partial
from typing import Any

import flax.linen as nn

from seqvision.cells import (
    GRU,
    LRU,
    LSTM,
    MGU,
    SLSTM,
    Cell,
    Elman,
    IndRNN,
    LearnedStart,
    LSTMVariant,
    MinGRU,
    MinLSTM,
    VariationalDropout,
    Zoneout,
)
from seqvision.models import (
    MLP,
    Anchored,
    ClassificationHead,
    ConvNet,
    Recurrent,
    RegressionHead,
    RowByRow,
    TemporalConvNet,
)
from seqvision.pipelines.config import ClassifyConfig, ForecastConfig, Network

# One entry for each name that `config` allows.
CELLS: dict[str, Any] = {
    "lstm": LSTM,
    "gru": GRU,
    "elman": Elman,
    "mgu": MGU,
    "indrnn": IndRNN,
    "slstm": SLSTM,
    "peephole_lstm": partial(LSTMVariant, peephole=True),
    "coupled_lstm": partial(LSTMVariant, coupled=True),
    "layer_norm_lstm": partial(LSTMVariant, layer_norm=True),
    "multiplicative_lstm": partial(LSTMVariant, multiplicative=True),
    "mingru": MinGRU,
    "minlstm": MinLSTM,
    "lru": LRU,
}


def build_forecaster(name: str, config: ForecastConfig, targets: tuple[int, ...]) -> nn.Module:
    """Return a model from windows (B, T, D) to forecasts (B, horizon, K) of the K target columns.

    >>> build_forecaster("gru", ForecastConfig(hidden=4, residual=False), (0,)).cells
    (GRU(hidden=4, ...),)
    """
    head = RegressionHead(config.horizon, len(targets))
    model: nn.Module
    if name in CELLS:
        model = _recurrent(name, config, config.dropout, head)
    elif name == "cnn":
        channels = (config.hidden,) * config.layers
        shape: dict[str, Any] = {"kernel_size": config.kernel_size, "activation": config.activation or "relu"}
        model = TemporalConvNet(channels, dropout=config.dropout, head=head, **shape)
    else:
        model = _perceptron(name, config, config.dropout, head)
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
        return RowByRow(_recurrent(name, config, dropout, head))
    return _perceptron(name, config, dropout, head)


def _recurrent(name: str, config: Network, dropout: float, head: nn.Module) -> nn.Module:
    return Recurrent(
        (_cell(name, config),) * config.layers,
        bidirectional=config.bidirectional,
        readout=config.readout,
        dropout=dropout,
        head=head,
        method=config.method,
    )


def _cell(name: str, config: Network) -> Cell:
    has_one = config.activation is not None and name in ("elman", "indrnn")
    cell: Any = CELLS[name](config.hidden, **({"activation": config.activation} if has_one else {}))
    cell = LearnedStart(cell) if config.learned_start else cell
    if config.zoneout:
        return Zoneout(cell, h=config.zoneout)
    rate = config.variational_dropout
    return VariationalDropout(cell, h=rate, x=rate) if rate else cell


def _perceptron(name: str, config: Network, dropout: float, head: nn.Module) -> nn.Module:
    features = () if name == "linear" else (config.hidden,) * config.layers
    return MLP(features, activation=config.activation or "relu", dropout=dropout, head=head)
