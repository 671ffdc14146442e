"""Our cells where flax's go: under `flax.linen.RNN` and `Bidirectional`."""

from typing import Any

import flax.linen as nn
import jax
from jax import Array

from seqvision.cells import Cell


class FlaxCell(nn.RNNCellBase):
    """Any of our cells as a flax.linen RNN cell.

    ``nn.RNN(FlaxCell(cell))`` has the parameters of `seqvision.models.RecurrentLayer`, ``{"cell": {"w_x": …}}``, and
    runs the cell's step by ``nn.scan``; RecurrentLayer calls `unroll`, with its faster methods.

    Args:
      cell: any object with ``init``, ``initial_state`` and ``step``.

    >>> import jax.numpy as jnp
    >>> from seqvision.cells import GRU
    >>> layer = nn.RNN(FlaxCell(GRU(4)))
    >>> ys, variables = layer.init_with_output(jax.random.key(0), jnp.ones((2, 5, 3)))
    >>> ys.shape, sorted(variables["params"]["cell"])
    ((2, 5, 4), ['b', 'b_n', 'w_h', 'w_x'])
    """

    cell: Cell

    @nn.compact
    def __call__(self, carry: Any, inputs: Array) -> tuple[Any, Array]:
        """Advance one step: carry, inputs (..., D) -> carry, y (..., H)."""
        names = _fields(self._abstract(inputs.shape[-1]))
        fields = {name: self.param(name, self._draw, name, inputs.shape[-1]) for name in names}
        return self.cell.step(self._build(fields, inputs.shape[-1]), carry, inputs)

    @nn.nowrap
    def initialize_carry(self, rng: Array, input_shape: tuple[int, ...]) -> Any:
        """Return the cell's initial state for inputs of a shape (..., D)."""
        D = input_shape[-1]
        if self.scope is None:
            params = self.cell.init(rng, D)
        else:  # the parameters may hold a learned initial state; this comes before the first step, which draws them
            names = _fields(self._abstract(D))
            params = self._build({name: self.scope.param(name, self._draw, name, D) for name in names}, D)
        return self.cell.initial_state(params, input_shape[: -self.num_feature_axes])

    @property
    def num_feature_axes(self) -> int:
        """How many trailing axes one input has."""
        return getattr(self.cell, "event_axes", 1)

    def _draw(self, key, name, in_features):
        return _fields(self.cell.init(key, in_features))[name]

    def _abstract(self, in_features):
        return jax.eval_shape(lambda: self.cell.init(jax.random.key(0), in_features))

    def _build(self, fields, in_features):
        abstract = self._abstract(in_features)
        return abstract._replace(**fields) if hasattr(abstract, "_fields") else fields["params"]


def _fields(params):
    """Name the parts of a parameter tree, as flax's dicts want it."""
    if not hasattr(params, "_asdict"):
        return {"params": params}
    return {name: value for name, value in params._asdict().items() if value is not None}
