"""Run a cell over a sequence: one function, several ways to execute it."""

from typing import Literal, get_args

import jax
import jax.numpy as jnp
from jax import Array

from ..base import Cell, PyTree
from ..learned_start import stepper
from .arguments import promote, time_first
from .associative import associative, supports_associative
from .fused import fused, supports_fused
from .gpu.cudnn import cudnn, supports_cudnn
from .gpu.pallas import pallas, supports_pallas
from .newton import newton
from .numba.method import here, numba, pays, supports_numba
from .scan import scan

Method = Literal["auto", "scan", "fused", "associative", "newton", "pallas", "cudnn", "numba"]
Remat = Literal["none", "gates", "sqrt"]
METHODS, REMAT = get_args(Method), get_args(Remat)


def unroll(
    cell: Cell,
    params: PyTree,
    xs: Array,
    *,
    state: PyTree | None = None,
    mask: Array | None = None,
    reset: Array | None = None,
    reverse: bool = False,
    method: Method = "auto",
    remat: Remat = "none",
) -> tuple[PyTree, Array]:
    """Run a cell over time.

    Args:
      cell: any object with ``init``, ``initial_state`` and ``step``.
      params: the cell's parameters.
      xs: (..., T, D) inputs, any number of batch axes, T >= 0.
      state: the state before the first step; ``cell.initial_state`` where None.
      mask: bool (..., T). Where False the state is held and the output is 0, whatever the input holds, NaN included;
        no gradient comes from there.
      reset: bool (..., T). Where True at t, the state before step t is ``cell.initial_state``.
      reverse: run from the last step to the first; the same as flipping inputs, mask and reset, and flipping ys back.
      method: how it is executed, the numbers being the same to rounding.
        "scan": `lax.scan`, for every cell, differentiable in every mode.
        "fused": the same loop with a hand-written backward pass (reverse mode only); `Elman`, `LSTM` and `GRU`.
        "associative": all steps at once for cells that are linear in their state; `MinGRU`, `MinLSTM` and `LRU`.
        "newton": all steps at once for any cell with a small real state, by iteration; see `newton_unroll`.
        "pallas": one GPU kernel that keeps W_h on the chip; `Elman`, `LSTM`, `GRU` of 16, 32, 64 … units.
        "cudnn": NVIDIA's kernels for the `LSTM`, in float32, without mask and reset.
        "numba": one compiled kernel that takes each core's sequences through time; `Elman`, `LSTM` and `GRU` on CPU, in
          float32. numba compiles it once on a machine, for about 15 seconds.
        "auto": "numba" where it can run and the layer is not tiny, else "fused" where the cell has it, "associative" on
          accelerators where the cell has that, else "scan".
      remat: "none" keeps what the backward pass needs; "gates" keeps states and recomputes gates; "sqrt" keeps about
        sqrt(T) states, and computes the forward pass twice. For "scan" and "fused"; "numba" has "sqrt" alone.

    Mixed dtypes: the state takes the type that parameters, inputs and given state promote to (float16 parameters with
    float32 inputs compute in float32), and keeps it.

    Returns:
      The state after the last step, and ys (..., T, H).

    Raises:
      ValueError: for shapes that do not fit together, or an unknown method.
      TypeError: for a mask that is not bool or an object that is no cell.

    >>> from seqvision.cells import LSTM
    >>> cell = LSTM(8)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> final, ys = unroll(cell, params, jnp.ones((2, 5, 3)))
    >>> ys.shape, final.h.shape
    ((2, 5, 8), (2, 8))
    """
    if method not in METHODS:
        raise ValueError(f"unroll: method must be one of {', '.join(METHODS)}, got {method!r}")
    if remat not in REMAT:
        raise ValueError(f"unroll: remat must be one of {', '.join(REMAT)}, got {remat!r}")
    batch, xs, state, fresh, mask, reset = time_first("unroll", cell, params, xs, state, mask, reset)
    cell, params = stepper(cell, params)
    how = _choose(cell, method, remat, jnp.result_type(*jax.tree.leaves((params, xs, state))))
    if reverse:
        xs, mask, reset = jax.tree.map(lambda a: jnp.flip(a, 0), (xs, mask, reset))

    if how in ("fused", "numba"):
        final, ys = {"fused": fused, "numba": numba}[how](cell, params, xs, state, fresh, mask, reset, remat)
    else:
        state, fresh = promote(cell, params, state, fresh, xs)
        if how == "scan":
            final, ys = scan(cell, params, xs, state, fresh, mask, reset, remat)
        else:
            run = {"associative": associative, "newton": newton, "pallas": pallas, "cudnn": cudnn}[how]
            final, ys = run(cell, params, xs, state, fresh, mask, reset)
    if reverse:
        ys = jnp.flip(ys, 0)
    return final, jnp.moveaxis(ys, 0, len(batch))


def _choose(cell, method, remat, dtype):
    if method == "auto":
        if supports_numba(cell) and pays(cell) and here() and dtype == jnp.float32 and remat != "gates":
            return "numba"
        if supports_fused(cell):
            return "fused"
        parallel = supports_associative(cell) and remat == "none" and jax.default_backend() != "cpu"
        return "associative" if parallel else "scan"
    known = {
        "fused": supports_fused,
        "associative": supports_associative,
        "pallas": supports_pallas,
        "cudnn": supports_cudnn,
        "numba": supports_numba,
    }
    if method in known and not known[method](cell):
        raise ValueError(f'unroll: method="{method}" does not know {cell!r}: use method="scan" or "auto"')
    if remat not in {"scan": REMAT, "fused": REMAT, "numba": ("none", "sqrt")}.get(method, ("none",)):
        raise ValueError(f'unroll: method="{method}" does not know remat={remat!r}: drop one of them')
    return method
