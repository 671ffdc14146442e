"""Recurrent layers by torch: its own layers, a loop of steps as a Python loop, subnormal numbers flushed to zero."""

import torch
from layer_rows import RATE, Row, sample


def load(peer: str, threads: int) -> None:
    """Set torch's threads."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def build(peer: str, row: Row, *, mode: str, steps: int):
    """Return a function that does the row's work once."""
    kinds = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
    if row.cell not in kinds:
        raise NotImplementedError(f"torch has no {row.cell}")
    layer = kinds[row.cell](row.D, row.H, batch_first=True)
    xs, weights = (torch.from_numpy(array) for array in sample(row))
    leaves = [xs.requires_grad_(), *layer.parameters()]

    def gradients():
        return torch.autograd.grad((layer(xs)[0] * weights).sum(), leaves)

    def loop():
        for _ in range(steps):
            slopes = gradients()
            with torch.no_grad():
                torch._foreach_add_(leaves, slopes, alpha=-RATE)

    return loop if mode == "loop" else gradients
