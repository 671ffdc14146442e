"""method="numba": the recurrence on CPU as one call of a compiled kernel, each core with sequences of its own.

The kernels are in `seqvision.cells.unrolling.numba.kernels`; the gradients of inputs and weights are products after the
loop, as in "fused". Each of the two loops, forward and backward, is a JAX primitive: on CPU it is the kernel; on a GPU
or TPU, and where it is differentiated itself, it is a scan of the same values
(`seqvision.cells.unrolling.numba.scans`). vmap makes more sequences of what it adds, or calls the kernel for one set of
weights after another.
"""

import functools
import math
import sys

import jax
import jax.numpy as jnp
from jax import Array

from seqvision._derivatives import with_backward

from ...affine import check_features
from ...base import PyTree
from ...elman import Elman
from ...gru import GRU
from ...lstm import LSTM
from ..problem import Problem, keep
from ..rules.table import has_gated_rule
from ..scan import in_chunks
from . import targets
from .kernel_calls import backward_loop, forward_loop, input_products, weight_sums
from .rows import before_h, columns_of_x, parameters_of_x


@functools.cache
def is_available() -> bool:
    """Whether the computation runs on a CPU that has kernels, and whose threads they know."""
    return jax.default_backend() == "cpu" and sys.platform != "win32" and targets.are_there()


def is_supported(cell, problem: Problem) -> bool:
    """Whether method="numba" can run this cell: `Elman`, `LSTM` or `GRU` (reset_after), without a compute_dtype."""
    return has_gated_rule(cell) and cell.compute_dtype is None


def is_worthwhile(cell) -> bool:
    """Whether the layer has so many units that a kernel is faster than a loop over all sequences at once."""
    return cell.hidden >= (16 if isinstance(cell, Elman) else 5)


def unroll_by_numba(cell, problem: Problem, remat: str = "none") -> tuple[PyTree, Array]:
    """Unroll in float32.

    Raises:
      ValueError: for parameters of another cell.
    """
    _check(cell, problem.params, problem.xs)
    params, xs, state, fresh, mask, reset = problem.cast()
    T, *batch, _ = xs.shape
    N = math.prod(batch)
    if 0 in xs.shape[:-1]:
        return state, jnp.zeros((T, *batch, cell.hidden), xs.dtype)
    state, fresh = jax.tree.map(lambda leaf: leaf.reshape(N, -1), (state, fresh))
    steps = jax.tree.map(lambda leaf: leaf.reshape(T, N, *leaf.shape[len(batch) + 1 :]), (xs, mask, reset))

    def run(state, steps):
        xs, mask, reset = steps
        if reset is not None:  # the kernels look for resets between two steps
            state, reset = keep(reset[0], fresh, state), reset.at[0].set(False)
        final, hs = _run(cell, Problem(params, xs, state, fresh, mask, reset))
        return final, hs if mask is None else keep(mask, hs, jnp.zeros_like(hs))

    final, ys = in_chunks(run, state, steps) if remat == "sqrt" else run(state, steps)
    return jax.tree.map(lambda leaf: leaf.reshape(*batch, -1), final), ys.reshape(T, *batch, -1)


def _check(cell, params, xs):
    """Refuse parameters that are not the cell's: a kernel would read past their ends."""
    check_features(xs, params.w_x)
    D, H, gates = xs.shape[-1], cell.hidden, {Elman: 1, GRU: 3, LSTM: 4}[type(cell)]
    expected = {"w_x": (D, gates * H), "w_h": (H, gates * H), "b": (gates * H,)}
    expected |= {"b_n": (H,)} if isinstance(cell, GRU) else {}
    for name, shape in expected.items():
        if jnp.shape(getattr(params, name)) != shape:
            got = None if getattr(params, name) is None else jnp.shape(getattr(params, name))
            raise ValueError(f"{cell!r} needs params.{name} {shape}, got {got}: init with the same cell")


def _forward(cell, problem: Problem):
    final, hs, cs, saved = forward_loop(cell, "all", *problem)
    return (final, hs), (problem, hs, cs, saved)


def _backward(cell, residuals, cotangents):
    (params, xs, state, fresh, mask, reset), hs, cs, saved = residuals
    d, d_state, d_fresh = backward_loop(cell, "all", params.w_h, *cotangents, hs, cs, saved, state, fresh, mask, reset)
    (d_w,) = weight_sums(cell, "all", xs, hs, d, state.h, reset, None if fresh is None else fresh.h)
    d_params, d_xs = _gather(cell, params, d, d_w)
    return Problem(d_params, d_xs, d_state, d_fresh)


@with_backward(_forward, _backward)
def _run(cell, problem: Problem):
    return forward_loop(cell, "states", *problem)[:2]


def _gather(cell, params, d, d_w):
    """Return the gradients of the parameters and of xs from those of the steps' rows."""
    H = cell.hidden
    by_h, by_one, by_x = d_w[:H, before_h(cell) :], d_w[H], d_w[H + 1 :]
    d_params = params._replace(w_x=parameters_of_x(cell, by_x), w_h=by_h, b=parameters_of_x(cell, by_one))
    if isinstance(cell, GRU):
        d_params = d_params._replace(b_n=by_one[3 * H :])
    (d_xs,) = input_products(cell, "all", d, columns_of_x(cell, params.w_x))
    return d_params, d_xs
