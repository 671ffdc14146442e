"""What every exchange needs: reading named arrays, checking their shapes, taking gates apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seqvision._checks import shown
from seqvision.cells import (
    GRU,
    LSTM,
    Cell,
    Elman,
    ElmanParams,
    GRUParams,
    LSTMParams,
    LSTMVariant,
    LSTMVariantParams,
    PyTree,
)

PARAMS: dict[type, Any] = {
    Elman: ElmanParams,
    GRU: GRUParams,
    LSTM: LSTMParams,
    LSTMVariant: LSTMVariantParams,  # with proj alone, which torch has
}
GATES: dict[type, int] = {Elman: 1, GRU: 3, LSTM: 4, LSTMVariant: 4}


@dataclass(frozen=True)
class Reader:
    """Read named arrays for a cell, and say what is wrong where one is missing or has another shape."""

    owner: str  # the function that the user called
    cell: Cell
    weights: Mapping[str, Any]
    hint: str  # what to pass instead, where a name is missing

    def __call__(self, name: str, shape: Sequence[int | None]) -> Any:
        """Return an array; None in `shape` stands for any size."""
        if name not in self.weights:
            raise ValueError(f"{self.owner}: no {name!r} among {sorted(self.weights)}: {self.hint}")
        array = as_array(self.owner, name, self.weights[name])
        check_shape(self.owner, self.cell, name, array, shape)
        return array


def check_shape(owner: str, cell: Cell, name: str, array: Any, shape: Sequence[int | None]) -> None:
    """Refuse an array of another shape; None in `shape` stands for any size."""
    fits = len(array.shape) == len(shape) and all(s in (None, n) for n, s in zip(array.shape, shape, strict=True))
    if not fits:
        wanted = ", ".join("any" if s is None else str(s) for s in shape)
        raise ValueError(
            f"{owner}: {name} must have the shape ({wanted}) for {cell!r}, got {tuple(array.shape)}: "
            "give the cell the kind and the sizes of the weights"
        )


def as_array(owner: str, name: str, value: Any) -> Any:
    """Return a NumPy or JAX array of the same dtype; tensors on a device or with a gradient are copied off it."""
    if isinstance(value, jax.Array | np.ndarray):
        return value
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        return np.asarray(value)
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"{owner}: NumPy cannot read {name} ({error}): pass it as a float32 array") from error


def our_params(owner: str, cell: Cell, params: PyTree) -> Any:
    """Return the cell's parameters as its NamedTuple with all shapes checked, from one or from a dict of its fields."""
    kind = PARAMS[type(cell)]
    if isinstance(params, Mapping):
        unknown = sorted(set(params) - set(kind._fields))
        missing = sorted({"w_x", "w_h", "b"} - set(params))
        if unknown or missing:
            raise ValueError(
                f"{owner}: params must have the fields {', '.join(kind._fields)}, got {sorted(params)}: "
                "pass what cell.init gives, or its fields as a dict"
            )
        params = kind(**params)
    if not isinstance(params, kind):
        raise TypeError(f"{owner}: params must be {kind.__name__} for {cell!r}, got {type(params).__name__}")
    shapes = _shapes(cell)
    for name, array in params._asdict().items():
        if (array is not None) != (name in shapes):
            raise ValueError(
                f"{owner}: params.{name} must be {'an array' if name in shapes else 'None'} for {cell!r}: "
                "use the cell that the parameters were made with"
            )
        if array is not None:
            check_shape(owner, cell, f"params.{name}", array, shapes[name])
    return params


def _shapes(cell: Any) -> dict[str, tuple[int | None, ...]]:
    """The shape of every array among a cell's parameters."""
    H, P, width = sizes(cell)
    shapes: dict[str, tuple[int | None, ...]] = {"w_x": (None, width), "w_h": (P, width), "b": (width,)}
    if isinstance(cell, GRU) and cell.reset_after:
        shapes |= {"b_n": (H,)}
    return shapes | ({"w_p": (H, P)} if isinstance(cell, LSTMVariant) else {})


def sizes(cell: Any) -> tuple[int, int, int]:
    """Return the hidden size H, that of the output P, and the width of all gates together."""
    return cell.hidden, getattr(cell, "proj", None) or cell.hidden, GATES[type(cell)] * cell.hidden


def as_params(cell: Cell, **fields: Any) -> Any:
    """Return the cell's NamedTuple of JAX arrays."""
    return PARAMS[type(cell)](
        **{name: value if value is None else jnp.asarray(value) for name, value in fields.items()}
    )


def check_counterpart(owner: str, cell: Cell, peer: str, known: Sequence[type] = (Elman, GRU, LSTM)) -> None:
    """Refuse what is no cell, and a cell that has no counterpart among a peer's layers."""
    names = ", ".join(kind.__name__ for kind in known)
    if isinstance(cell, type) or not isinstance(cell, Cell):
        raise TypeError(f"{owner}: the cell comes first, such as LSTM(hidden), then the weights, got {shown(cell, 80)}")
    if type(cell) not in known:
        raise TypeError(f"{owner}: {peer} has no layer like {cell!r}: pass one of {names}")


def given(owner: str, weights: Any, method: str, hint: str) -> Any:
    """Return weights by name; of a layer itself they are what its method gives."""
    if not hasattr(weights, "items") and callable(getattr(weights, method, None)):
        weights = getattr(weights, method)()
    if not hasattr(weights, "items"):
        raise TypeError(f"{owner}: weights must be arrays by name, got {shown(weights, 80)}: {hint}")
    return weights


def check_zero(owner: str, name: str, array: Any, remedy: str) -> None:
    """Refuse values that the other side has no place for."""
    if np.any(np.asarray(array)):
        raise ValueError(f"{owner}: {name} is not zero, and there is no place for it: {remedy}")


def split(array: Any, parts: int) -> list[Any]:
    """Cut the last axis into equal parts."""
    return _module(array).split(array, parts, axis=-1)


def join(parts: Sequence[Any]) -> Any:
    """Put arrays side by side along the last axis."""
    return _module(*parts).concatenate(list(parts), axis=-1)


def reorder(array: Any, order: Sequence[int]) -> Any:
    """Put the gates along the last axis in another order: part k of the result is part order[k]."""
    parts = split(array, len(order))
    return join([parts[k] for k in order])


def zeros(like: Any, size: int) -> Any:
    """Return (size,) zeros of an array's dtype."""
    return _module(like).zeros((size,), like.dtype)


def to_numpy(weights: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return NumPy arrays of the same dtypes, in C order."""
    return {name: np.ascontiguousarray(array) for name, array in weights.items()}


def _module(*arrays: Any) -> Any:
    """NumPy keeps float64 where JAX would not; JAX can be traced."""
    return jnp if any(isinstance(array, jax.Array) for array in arrays) else np
