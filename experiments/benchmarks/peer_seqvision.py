"""A row trained by seqvision: one compiled run."""

from seqvision.cells import LSTM, Elman
from seqvision.data import Arrays, Windows
from seqvision.models import MLP, ClassificationHead, ConvNet, Recurrent, RegressionHead
from seqvision.training import fit

import flax.linen as nn
import jax
import optax
from rows import Row, Sample


def train(
    row: Row,
    sample: Sample,
    epochs: int,
    batch_size: int,
    threads: int,
    seed: int,
    *,
    compilation_cache: bool = False,
) -> tuple[float, list[float]]:
    """Train the row's network and return the seconds of an epoch and the loss of each."""
    data = Windows(sample.series, row.length, row.outputs) if sample.series is not None else Arrays(sample.x, sample.y)
    optimizer = optax.adam(row.learning_rate) if row.optimizer == "adam" else optax.rmsprop(row.learning_rate)
    result = fit(
        build(row),
        data,
        loss=row.loss,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        key=jax.random.key(seed),
        progress=False,
        compilation_cache=compilation_cache,
    )
    return result.seconds["run"] / epochs, result.history["loss"].tolist()


def build(row: Row) -> nn.Module:
    """Return the row's network."""
    head = RegressionHead(row.outputs) if row.loss == "mse" else ClassificationHead(row.outputs)
    if row.network == "conv":
        return ConvNet(row.units, dense=(row.dense,), head=head)
    if row.network == "mlp":
        return MLP(row.units, head=head)
    if row.dense is not None:
        head = nn.Sequential((nn.Dense(row.dense), head))
    cell = LSTM if row.network == "lstm" else Elman
    return Recurrent(tuple(cell(units) for units in row.units), head=head)
