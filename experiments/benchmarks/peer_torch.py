"""A row trained by torch: the plain loop of a user who cares for speed.

The data are tensors in memory, batches are rows of them by index, the order of an epoch is one permutation, Adam is the
fused one, and subnormal numbers are flushed to zero as XLA and TensorFlow do (without it some runs take ten times as
long). Nothing is compiled. Initial weights are drawn as in Keras and seqvision.
"""

import time
from itertools import pairwise

import torch
from rows import Row, Sample
from torch import nn

LOSSES = {
    "mse": nn.functional.mse_loss,
    "binary_cross_entropy": nn.functional.binary_cross_entropy_with_logits,
    "cross_entropy": nn.functional.cross_entropy,
}


def train(row: Row, sample: Sample, epochs: int, batch_size: int, threads: int, seed: int) -> tuple[float, list[float]]:
    """Train the row's network and return the seconds of an epoch, without the first, and the loss of each."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    x, y = torch.from_numpy(sample.x), torch.from_numpy(sample.y)
    if row.network == "conv":
        x = x.movedim(-1, 1)
    y = y.long() if row.loss == "cross_entropy" else y
    model, loss_of = build(row, x[:1]), LOSSES[row.loss]
    initialize(model, x[:1])
    if row.optimizer == "adam":
        optimizer = torch.optim.Adam(model.parameters(), row.learning_rate, fused=True)
    else:
        optimizer = torch.optim.RMSprop(model.parameters(), row.learning_rate, alpha=0.9)
    losses, ends = [], []
    for _ in range(epochs):
        total = torch.zeros(())
        for index in torch.randperm(len(x)).split(batch_size):
            optimizer.zero_grad()
            loss = loss_of(model(x[index]), y[index])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(index)
        losses.append(total.item() / len(x))
        ends.append(time.perf_counter())
    return (ends[-1] - ends[0]) / (epochs - 1), losses


class Recurrent(nn.Module):
    """Recurrent layers, and a head on the last step."""

    def __init__(self, row: Row, features: int):
        super().__init__()
        kind = nn.LSTM if row.network == "lstm" else nn.RNN
        sizes = (features, *row.units)
        self.layers = nn.ModuleList(kind(below, units, batch_first=True) for below, units in pairwise(sizes))
        dense = [] if row.dense is None else [nn.Linear(sizes[-1], row.dense)]
        self.head = nn.Sequential(*dense, nn.Linear(row.dense or sizes[-1], row.outputs))

    def forward(self, x):
        """Map x (B, T, D) to outputs (B, outputs)."""
        for layer in self.layers:
            x, _ = layer(x)
        return self.head(x[:, -1])


def build(row: Row, example: torch.Tensor) -> nn.Module:
    """Return the row's network for inputs like an example."""
    if row.network == "conv":
        channels = (example.shape[1], *row.units)
        stack: list[nn.Module] = []
        for below, above in pairwise(channels):
            stack += [nn.Conv2d(below, above, 3, stride=2), nn.ReLU()]
        stack += [nn.Flatten(), nn.Dropout(0.2), nn.LazyLinear(row.dense), nn.ReLU(), nn.Dropout(0.2)]
        return nn.Sequential(*stack, nn.Linear(row.dense, row.outputs))
    if row.network == "mlp":
        sizes = (example[0].numel(), *row.units)
        stack = [nn.Flatten()]
        for below, above in pairwise(sizes):
            stack += [nn.Linear(below, above), nn.ReLU()]
        return nn.Sequential(*stack, nn.Linear(sizes[-1], row.outputs))
    return Recurrent(row, example.shape[-1])


def initialize(model: nn.Module, example: torch.Tensor) -> None:
    """Draw Glorot kernels and orthogonal recurrent kernels, biases 0, that of the forget gate 1."""
    with torch.no_grad():
        model(example)  # gives the lazy layer its size
        for name, parameter in model.named_parameters():
            if "weight_hh" in name:
                for gate in parameter.split(parameter.shape[1]):
                    nn.init.orthogonal_(gate)
            elif parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)
        for layer in model.modules():
            if isinstance(layer, nn.LSTM):
                layer.bias_ih_l0[layer.hidden_size : 2 * layer.hidden_size] = 1
