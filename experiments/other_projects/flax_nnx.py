"""A cell as a layer of flax.nnx: its parameters are nnx.Param, which optimizers and checkpoints of nnx know.

python experiments/other_projects/flax_nnx.py prints the loss of a network before and after 50 updates.
"""

from seqvision.cells import LSTM, unroll

import jax.numpy as jnp
import optax
from flax import nnx


class Unrolled(nnx.Module):
    def __init__(self, cell, in_features, rngs):
        drawn = cell.init(rngs.params(), in_features)._asdict()
        self.cell = cell
        self.params = nnx.Dict({name: nnx.Param(value) for name, value in drawn.items() if value is not None})

    def __call__(self, xs):  # (B, T, D) -> (B, T, H)
        return unroll(self.cell, {name: param[...] for name, param in self.params.items()}, xs)[1]


class Network(nnx.Module):
    def __init__(self, rngs):
        self.layer, self.head = Unrolled(LSTM(8), 2, rngs), nnx.Linear(8, 1, rngs=rngs)

    def __call__(self, xs):
        return self.head(self.layer(xs)[:, -1])


@nnx.jit
def update(network, optimizer, xs, targets):
    loss, gradients = nnx.value_and_grad(lambda network: jnp.mean((network(xs) - targets) ** 2))(network)
    optimizer.update(network, gradients)
    return loss


network = Network(nnx.Rngs(0))
optimizer = nnx.Optimizer(network, optax.adam(1e-2), wrt=nnx.Param)
xs = nnx.Rngs(1).params.normal((16, 10, 2))
losses = [float(update(network, optimizer, xs, xs.sum((1, 2))[:, None])) for _ in range(50)]
print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}")
