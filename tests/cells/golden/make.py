"""Write recurrent_torch.npz, what torch's recurrent layers give: random weights, inputs, outputs and gradients.

    python tests/cells/golden/make.py        (needs torch and numpy; a second)

So the cells are compared with torch where torch is not installed too.
"""

from pathlib import Path

import numpy as np
import torch

PATH = Path(__file__).with_name("recurrent_torch.npz")
N, T, D, H = 3, 5, 2, 4
KINDS = {
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
    "elman-tanh": lambda *sizes, **options: torch.nn.RNN(*sizes, nonlinearity="tanh", **options),
    "elman-relu": lambda *sizes, **options: torch.nn.RNN(*sizes, nonlinearity="relu", **options),
}

STACKED = ("lstm", "gru", "elman-tanh")


def one_layer(kind, seed):
    """A layer with an initial state: outputs, final state, and the gradients of sum(ys d_ys) + sum(final d_final)."""
    torch.manual_seed(seed)
    layer = KINDS[kind](D, H, batch_first=True)
    for weight in layer.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    leaves = 2 if kind == "lstm" else 1
    xs = torch.randn(N, T, D, requires_grad=True)
    state = [torch.randn(1, N, H, requires_grad=True) for _ in range(leaves)]
    ys, final = layer(xs, tuple(state) if leaves == 2 else state[0])
    final = final if leaves == 2 else (final,)
    d_ys, d_final = torch.randn(N, T, H), [torch.randn(1, N, H) for _ in range(leaves)]
    loss = (ys * d_ys).sum() + sum((leaf * d).sum() for leaf, d in zip(final, d_final, strict=True))
    loss.backward()
    arrays = {"xs": xs, "ys": ys, "d_ys": d_ys, "grad.xs": xs.grad}
    for n in range(leaves):
        arrays |= {f"state{n}": state[n][0], f"final{n}": final[n][0], f"d_final{n}": d_final[n][0]}
        arrays |= {f"grad.state{n}": state[n].grad[0]}
    for name, weight in layer.named_parameters():
        arrays |= {name: weight, f"grad.{name}": weight.grad}
    return arrays


def stacked_both_ways(kind, seed):
    """Two layers, both directions, sequences of different lengths."""
    torch.manual_seed(seed)
    layer = KINDS[kind](D, H, num_layers=2, bidirectional=True, batch_first=True)
    xs, lengths = torch.randn(N, T, D), torch.tensor([5, 2, 4])
    packed = torch.nn.utils.rnn.pack_padded_sequence(xs, lengths, batch_first=True, enforce_sorted=False)
    ys, final = layer(packed)
    ys, _ = torch.nn.utils.rnn.pad_packed_sequence(ys, batch_first=True, total_length=T)
    final = final if kind == "lstm" else (final,)
    finals = {f"final{n}": leaf for n, leaf in enumerate(final)}
    return {"xs": xs, "lengths": lengths, "ys": ys, **finals, **dict(layer.named_parameters())}


def make():
    """All cases as one flat dictionary of NumPy arrays."""
    cases = {}
    for seed, kind in enumerate(KINDS):
        cases |= {f"{kind}/{name}": array for name, array in one_layer(kind, seed).items()}
        if kind in STACKED:
            cases |= {f"{kind}-stack/{name}": array for name, array in stacked_both_ways(kind, 10 + seed).items()}
    return {name: array.detach().numpy() for name, array in cases.items()}


if __name__ == "__main__":
    np.savez_compressed(PATH, **make())
    print(f"{PATH.name}: {PATH.stat().st_size} bytes, torch {torch.__version__}")
