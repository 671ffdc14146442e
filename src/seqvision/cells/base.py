"""What a cell is."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal, Protocol, TypeVar, get_args, runtime_checkable

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_choice

PyTree = Any
Params = TypeVar("Params")
State = TypeVar("State")

FloatType = Literal["bfloat16", "float16", "float32", "float64"]  # what the operands of products may be rounded to


@runtime_checkable
class Cell(Protocol[Params, State]):
    """Anything with these three pure functions unrolls, wraps and tests like the cells of this package.

    A cell is static: hashable by value and free of arrays (a frozen dataclass is the usual form), so that two equal
    cells share one compilation. Parameters and states are pytrees of arrays, NamedTuples for choice.
    """

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> Params:
        """Draw parameters for inputs of ``in_features`` values; a cell of your own may leave ``dtype`` out."""
        ...

    def initial_state(self, params: Params, batch_shape: Sequence[int] = ()) -> State:
        """Return the state before the first step; every leaf starts with ``batch_shape``."""
        ...

    def step(self, params: Params, state: State, x: Array) -> tuple[State, Array]:
        """Advance one time step: state, x (..., D) -> state, y (..., H)."""
        ...


def init_params(cell: Cell[Params, Any], key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> Params:
    """Draw a cell's parameters; its ``init`` is given a dtype only where it is not the usual one, float32."""
    if jnp.dtype(dtype) == jnp.float32:
        return cell.init(key, in_features)
    return cell.init(key, in_features, dtype)


def float_type(owner: str, compute_dtype: Any) -> FloatType | None:
    """Return the name of a float type that is given by name or as JAX's or NumPy's own, such as ``jnp.bfloat16``."""
    name = compute_dtype
    if name is not None:
        with suppress(TypeError):
            name = jnp.dtype(name).name
    check_choice("compute_dtype", name, (None, *get_args(FloatType)), owner=owner)
    return name
