"""Recurrent layers and models: any cell, stacked, in one or both directions."""

from dataclasses import replace
from typing import Any, Literal, get_args

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_choice, check_flag, shown
from seqvision.cells import Cell, Method, unroll
from seqvision.cells.unrolling.stacks import Layer, run_both_ways, run_stack

from .heads import RegressionHead
from .input_checks import check_fields
from .parameter_dicts import from_dict, to_dict

Readout = Literal["last", "max", "mean", "all"]


class RecurrentLayer(nn.Module):
    """One cell over a sequence; its parameters are a plain dict of the fields that ``cell.init`` returns.

    Args:
      cell: any object with ``init``, ``initial_state`` and ``step``; where ``train`` is True, `Zoneout` and
        `VariationalDropout` around it draw from the "dropout" rng.
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
    method: Method = "auto"

    @property
    def least_axes(self) -> int:
        """How many axes a batch of sequences has at least."""
        return 2 + event_axes((self.cell,))

    @nn.compact
    def __call__(
        self,
        x: Array,
        *,
        state: Any = None,
        mask: Array | None = None,
        reset: Array | None = None,
        train: bool = False,
    ) -> tuple[Any, Array]:
        """Map x (..., T, D) to the final state and ys (..., T, H); a `ConvLSTM` has spatial axes before D and H."""
        check_fields(self)
        _check_cells("RecurrentLayer", (self.cell,))
        cell: Any = self.cell
        in_features = x.shape[-1]
        shapes = jax.eval_shape(lambda: cell.init(jax.random.key(0), in_features))
        params = from_dict(shapes, self.param("cell", lambda key: to_dict(cell.init(key, in_features))))
        if train and hasattr(cell, "with_masks"):
            cell = replace(cell, train=True)
            x = cell.with_masks(params, x, self.make_rng("dropout"))
        return unroll(cell, params, x, state=state, mask=mask, reset=reset, reverse=self.reverse, method=self.method)


class Recurrent(nn.Module):
    """A stack of recurrent layers, a readout over time, and a head.

    Args:
      cells: the cells from the input upwards; `Zoneout` or `VariationalDropout` around one is noise in its recurrence.
      bidirectional: run each layer in both directions, outputs side by side.
      readout: what the head sees of the top layer: "last" (in each direction the last valid step), "max" or "mean" over
        valid steps, "all" steps. A sequence without a valid step reads as 0.
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
    readout: Readout = "last"
    dropout: float = 0.0
    head: nn.Module | None = RegressionHead()
    method: Method = "auto"

    @property
    def least_axes(self) -> int:
        """How many axes a batch of sequences has at least."""
        return 2 + event_axes(self.cells)

    @nn.compact
    def __call__(
        self,
        x: Array,
        *,
        mask: Array | None = None,
        reset: Array | None = None,
        state: Any = None,
        return_state: bool = False,
        train: bool = False,
    ) -> Any:
        """Map x (..., T, D), with a bool mask (..., T) of valid steps, to the head's outputs.

        A stream is read in pieces by return_state=True, which gives (outputs, state), and passing that state on: a
        tuple with one entry a layer, the cell's state or, bidirectional, those of the two directions. The reset flags
        (..., T) are those of `unroll`.
        """
        check_fields(self)
        check_flag("return_state", return_state, owner="Recurrent")
        mask, reset = (flags if flags is None else jnp.asarray(flags) for flags in (mask, reset))
        check_choice("readout", self.readout, get_args(Readout), owner="Recurrent")
        settings: dict[str, Any] = {"dropout": self.dropout, "method": self.method, "train": train}
        finals, x = run_layers(self, x, state, mask=mask, reset=reset, **settings)
        time = x.ndim - 1 - getattr(self.cells[-1], "event_axes", 1)
        if self.readout != "all" and not x.shape[time]:
            x = jnp.zeros((*x.shape[:time], *x.shape[time + 1 :]), x.dtype)
        elif self.readout == "last":
            outputs = jnp.split(x, 2, axis=-1) if self.bidirectional else [x]
            x = jnp.concatenate([_last(ys, time, mask, bool(n)) for n, ys in enumerate(outputs)], axis=-1)
        elif self.readout != "all":
            x = _pool(x, time, mask, self.readout)
        x = x if self.head is None else self.head(x)
        return (x, finals) if return_state else x


def run_layers(
    model: Any,
    x: Array,
    state: Any = None,
    *,
    mask: Array | None = None,
    reset: Array | None = None,
    dropout: float = 0.0,
    method: Method = "auto",
    train: bool = False,
) -> tuple[tuple[Any, ...], Array]:
    """Run a model's ``cells`` upwards, ``bidirectional`` or not, in its compact call: final states, the top outputs."""
    owner, cells = type(model).__name__, model.cells
    _check_cells(owner, cells)
    if state is not None and len(state) != len(cells):
        raise ValueError(f"{owner}: state must have one entry a layer, {len(cells)}, got {len(state)}")

    def layer(depth: int, *, reverse: bool = False) -> Layer:
        name = f"layer_{depth}_reverse" if reverse else f"layer_{depth}"
        recurrence = RecurrentLayer(cells[depth], reverse, method, name=name)
        drop = nn.Dropout(dropout, deterministic=not train)

        def run(xs: Array, start: Any) -> tuple[Any, Array]:
            final, ys = recurrence(xs, state=start, mask=mask, reset=reset, train=train)
            return final, drop(ys)

        return run

    depths = range(len(cells))
    if model.bidirectional:
        return run_stack([run_both_ways(layer(depth), layer(depth, reverse=True)) for depth in depths], x, state)
    return run_stack([layer(depth) for depth in depths], x, state)


def event_axes(cells: Any) -> int:
    """Return how many axes one step's input has."""
    return getattr(cells[0], "event_axes", 1) if isinstance(cells, tuple | list) and cells else 1


def _check_cells(owner: str, cells: Any) -> None:
    if isinstance(cells, Cell) or not len(cells):
        raise ValueError(
            f"{owner}: cells must be a tuple of at least one cell, got {shown(cells)}: write {owner}((LSTM(8),))"
        )
    for cell in cells:
        if isinstance(cell, type) or not isinstance(cell, Cell):
            name = cell.__name__ if isinstance(cell, type) else "LSTM"
            raise TypeError(f"{owner}: cells must be made, such as {name}(8), got {shown(cell)}")


def _last(ys: Array, time: int, mask: Array | None, reverse: bool) -> Array:
    """Return the output of the step that ran last among the valid ones: ys without its axis of time."""
    if mask is None:
        return jax.lax.index_in_dim(ys, 0 if reverse else ys.shape[time] - 1, axis=time, keepdims=False)
    T = mask.shape[-1]
    index = jnp.argmax(mask, axis=-1) if reverse else T - 1 - jnp.argmax(jnp.flip(mask, -1), axis=-1)
    index = index.reshape(index.shape + (1,) * (ys.ndim - time))
    return jnp.squeeze(jnp.take_along_axis(ys, index, axis=time), axis=time)


def _pool(ys: Array, time: int, mask: Array | None, readout: Readout) -> Array:
    if mask is None:
        return ys.max(axis=time) if readout == "max" else ys.mean(axis=time)
    valid = mask.reshape(mask.shape + (1,) * (ys.ndim - time - 1))
    if readout == "mean":
        return ys.sum(axis=time) / jnp.maximum(valid.sum(axis=time), 1).astype(ys.dtype)  # masked outputs are 0
    highest = jnp.where(valid, ys, jnp.finfo(ys.dtype).min).max(axis=time)
    return jnp.where(valid.any(axis=time), highest, 0)
