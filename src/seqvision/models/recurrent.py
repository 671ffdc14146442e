"""Recurrent layers and models: any cell, stacked, in one or both directions."""

from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from seqvision.cells import Cell, unroll

from .heads import RegressionHead

READOUTS = ("last", "max", "mean", "all")


class RecurrentLayer(nn.Module):
    """One cell over a sequence; its parameters are a plain dict of the fields that ``cell.init`` returns.

    Args:
      cell: any object with ``init``, ``initial_state`` and ``step``.
      reverse: run from the last step to the first.
      method: see `seqvision.cells.unroll`.

    >>> from seqvision.cells import LSTM
    >>> layer = RecurrentLayer(LSTM(4))
    >>> (final, ys), variables = layer.init_with_output(jax.random.key(0), jnp.ones((2, 5, 3)))
    >>> ys.shape, sorted(variables["params"]["cell"])
    ((2, 5, 4), ['b', 'w_h', 'w_x'])
    """

    cell: Cell
    reverse: bool = False
    method: Literal["auto", "scan", "fused"] = "auto"

    @nn.compact
    def __call__(
        self, x: Array, *, state: Any = None, mask: Array | None = None, reset: Array | None = None
    ) -> tuple[Any, Array]:
        """Map x (..., T, D) to the final state and ys (..., T, H)."""
        shapes = jax.eval_shape(lambda: self.cell.init(jax.random.key(0), x.shape[-1]))
        fields = self.param("cell", lambda key: _to_dict(self.cell.init(key, x.shape[-1])))
        params = type(shapes)(**fields) if hasattr(shapes, "_fields") else fields
        return unroll(
            self.cell, params, x, state=state, mask=mask, reset=reset, reverse=self.reverse, method=self.method
        )


class Recurrent(nn.Module):
    """A stack of recurrent layers, a readout over time, and a head.

    Args:
      cells: the cells from the input upwards.
      bidirectional: run each layer in both directions, outputs side by side.
      readout: what the head sees of the top layer: "last" (in each direction the last valid step), "max" or "mean" over
        valid steps, "all" steps.
      dropout: rate after each layer.
      head: a module from features to outputs; None returns the features.
      method: see `seqvision.cells.unroll`.

    Raises:
      ValueError: for no cells or an unknown readout.

    >>> from seqvision.cells import GRU, LSTM
    >>> model = Recurrent((LSTM(8), GRU(4)), head=RegressionHead(horizon=2))
    >>> y, _ = model.init_with_output(jax.random.key(0), jnp.ones((5, 10, 3)))
    >>> y.shape
    (5, 2, 1)
    """

    cells: tuple[Cell, ...]
    bidirectional: bool = False
    readout: Literal["last", "max", "mean", "all"] = "last"
    dropout: float = 0.0
    head: nn.Module | None = RegressionHead()
    method: Literal["auto", "scan", "fused"] = "auto"

    @nn.compact
    def __call__(self, x: Array, *, mask: Array | None = None, train: bool = False) -> Array:
        """Map x (..., T, D), with a bool mask (..., T) of valid steps, to the head's outputs."""
        if isinstance(self.cells, Cell) or not len(self.cells):
            raise ValueError(f"Recurrent: cells must be a tuple of at least one cell, got {self.cells!r}")
        if self.readout not in READOUTS:
            raise ValueError(f"Recurrent: readout must be one of {', '.join(READOUTS)}, got {self.readout!r}")
        directions = (False, True) if self.bidirectional else (False,)
        outputs: list[Array] = []
        for depth, cell in enumerate(self.cells):
            outputs = []
            for reverse in directions:
                name = f"layer_{depth}_reverse" if reverse else f"layer_{depth}"
                _, ys = RecurrentLayer(cell, reverse, self.method, name=name)(x, mask=mask)
                outputs.append(nn.Dropout(self.dropout, deterministic=not train)(ys))
            x = jnp.concatenate(outputs, axis=-1)
        if self.readout == "last":
            x = jnp.concatenate([_last(ys, mask, r) for ys, r in zip(outputs, directions, strict=True)], axis=-1)
        elif self.readout != "all":
            x = _pool(x, mask, self.readout)
        return x if self.head is None else self.head(x)


def _to_dict(params: Any) -> Any:
    if not hasattr(params, "_asdict"):
        return params
    return {name: value for name, value in params._asdict().items() if value is not None}


def _last(ys: Array, mask: Array | None, reverse: bool) -> Array:
    """Return the output of the step that ran last among the valid ones, (..., H)."""
    if mask is None:
        return ys[..., 0, :] if reverse else ys[..., -1, :]
    T = mask.shape[-1]
    index = jnp.argmax(mask, axis=-1) if reverse else T - 1 - jnp.argmax(jnp.flip(mask, -1), axis=-1)
    return jnp.take_along_axis(ys, index[..., None, None], axis=-2)[..., 0, :]


def _pool(ys: Array, mask: Array | None, readout: str) -> Array:
    if mask is None:
        return ys.max(axis=-2) if readout == "max" else ys.mean(axis=-2)
    valid = mask[..., None]
    if readout == "mean":
        return ys.sum(axis=-2) / jnp.maximum(valid.sum(axis=-2), 1)  # masked outputs are 0
    highest = jnp.where(valid, ys, -jnp.inf).max(axis=-2)
    return jnp.where(valid.any(axis=-2), highest, 0)
