"""The four primitives of method="numba": what each takes and gives, and its call of a compiled kernel.

Packed weights and scratch beside the results are of the kernels alone; a scan has neither.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.interpreters import partial_eval

from ...elman import Elman
from ...gru import GRU
from ...lstm import LSTM
from . import scans
from .kernel_primitive import KernelPrimitive, floats
from .kernels.signatures import (
    INPUTS,
    WEIGHTS,
    BackwardOperands,
    BackwardResults,
    ForwardOperands,
    ForwardResults,
    Handler,
    InputOperands,
    InputResults,
    Kind,
    WeightOperands,
    WeightResults,
    Work,
    positions,
)
from .processor import lanes, panel
from .rows import before_h, columns_of_x, row_size
from .targets import registered

FEATURES = 16  # features of the input, below which its gradient is a product of XLA's
NARROW = 24  # units below which the sequences fill the vectors, if there are enough of them
NOTHING = floats(0, 0, 0)  # in the place of a result that is not wanted


def _forward_outlines(cell, stacks, params, xs, state, fresh, mask, reset):
    """Return those of the last state, and as ``stacks`` asks, of hs (T, N, H), and of cs and a step's row of gates."""
    (T, N, _), H, everything = xs.shape, cell.hidden, stacks == "all"
    hs = None if stacks == "none" else floats(T, N, H)
    cs = floats(T, N, H) if everything and isinstance(cell, LSTM) else None
    saved = floats(T, N, row_size(cell)) if everything and not isinstance(cell, Elman) else None
    return jax.tree.map(lambda a: floats(*a.shape), state), hs, cs, saved


def _forward_operands(cell, params, xs, state, fresh, mask, reset):
    b = columns_of_x(cell, params.b)
    if isinstance(cell, GRU):
        b = jnp.concatenate([b, params.b_n])
    (h0, c0), (fresh_h, fresh_c) = _h_and_c(state), _h_and_c(fresh)
    return ForwardOperands(
        xs=xs,
        w_x=_packed(columns_of_x(cell, params.w_x)),
        w_h=_packed(params.w_h),
        bias=_filled_up(b, _wide(cell)),
        h0=h0,
        c0=c0,
        mask=mask,
        reset=reset,
        fresh_h=fresh_h,
        fresh_c=fresh_c,
    )


def _forward_kernel(cell, outlines, *operands):
    final, hs, cs, saved = outlines
    (h, c), N = _h_and_c(final), final.h.shape[0]
    results = ForwardResults(
        hs=NOTHING if hs is None else hs,
        cs=NOTHING if cs is None else cs,
        saved=NOTHING if saved is None else saved,
        z=floats(N, _wide(cell)),
        last_h=h,
        last_c=c,
        turns=floats(2, N, cell.hidden),
    )
    got = _call(_loop(Work.FORWARD, cell, N), cell, results, _forward_operands, operands)
    return [got.last_h, got.last_c][: len(final)], got.hs, got.cs, got.saved


def _wide(cell):
    """Return the values of a step's row, with what the last panel adds."""
    return before_h(cell) + _whole_panels(row_size(cell) - before_h(cell))


def _backward_outlines(cell, stacks, w_h, d_final, d_hs, hs, cs, saved, state, fresh, mask, reset):
    """Return those of the gradients of a step's row, of the first state and of the fresh one."""
    d_state = jax.tree.map(lambda a: floats(*a.shape), state)
    return floats(*hs.shape[:2], row_size(cell)), d_state, None if fresh is None else d_state


def _backward_operands(cell, w_h, d_final, d_hs, hs, cs, saved, state, fresh, mask, reset):
    (h0, c0), (fresh_h, fresh_c), (d_last_h, d_last_c) = _h_and_c(state), _h_and_c(fresh), _h_and_c(d_final)
    return BackwardOperands(
        d_hs=d_hs,
        saved=saved,
        hs=hs,
        cs=cs,
        h0=h0,
        c0=c0,
        mask=mask,
        reset=reset,
        fresh_h=fresh_h,
        fresh_c=fresh_c,
        w_back=_packed(w_h.T),
        d_last_h=d_last_h,
        d_last_c=d_last_c,
    )


def _backward_kernel(cell, outlines, *operands):
    d, d_state, d_fresh = outlines
    (N, H), (_, d_c0), (d_fresh_h, d_fresh_c) = d_state.h.shape, _h_and_c(d_state), _h_and_c(d_fresh)
    results = BackwardResults(
        d=d,
        d_fresh_h=d_fresh_h,
        d_fresh_c=d_fresh_c,
        carry=floats(N, _whole_panels(H)),
        d_c0=d_c0,
        spare=floats(N, 6 * H),
        d_h0=d_state.h,
    )
    # The gradients of a step's row take the place of the row.
    row, d_row = positions(BackwardOperands).saved, positions(BackwardResults).d
    aliases = {} if isinstance(cell, Elman) else {row: d_row}
    got = _call(_loop(Work.BACKWARD, cell, N), cell, results, _backward_operands, operands, aliases)
    size = len(d_state)
    return got.d, [got.d_h0, got.d_c0][:size], [got.d_fresh_h, got.d_fresh_c][:size]


def _weight_outlines(cell, stacks, xs, hs, d, h0, reset, fresh_h):
    """Return that of [h, 1, x]^T d."""
    return (floats(xs.shape[-1] + 1 + cell.hidden, d.shape[-1]),)


def _weight_operands(cell, xs, hs, d, h0, reset, fresh_h):
    return WeightOperands(xs=xs, hs=hs, d=d, h0=h0, reset=reset, fresh_h=fresh_h)


def _weight_kernel(cell, outlines, *operands):
    K, columns = outlines[0].shape
    results = WeightResults(sums=floats(_whole_panels(columns) // panel(), K, panel()))
    sums = _call(WEIGHTS[_kind(cell)], cell, results, _weight_operands, operands).sums
    return (sums.swapaxes(1, 2).reshape(-1, K, sums.shape[1] * panel())[..., :columns],)


def _input_outlines(cell, stacks, d, w_x):
    """Return that of the gradient of xs."""
    return (floats(*d.shape[:2], w_x.shape[0]),)


def _input_operands(cell, d, w_x):
    return InputOperands(d=d.reshape(-1, d.shape[-1]), w_x_back=_packed(w_x.T))


def _input_kernel(cell, outlines, d, w_x):
    T, N, D = outlines[0].shape
    if D < FEATURES:  # most of a panel would be zeros
        return (jnp.einsum("mtnk,mdk->mtnd", d[..., : w_x.shape[-1]], w_x),)
    results = InputResults(d_xs=floats(T * N, _whole_panels(D)))
    d_xs = _call(INPUTS, cell, results, _input_operands, (d, w_x)).d_xs
    return (d_xs[..., :D].reshape(-1, T, N, D),)


def _kind(cell) -> Kind:
    return Kind[(cell.activation if isinstance(cell, Elman) else type(cell).__name__).upper()]


def _loop(work, cell, sequences) -> Handler:
    """Return the handler of a loop over time: which form, follows from the sizes alone."""
    narrow = cell.hidden < NARROW and 4 * sequences >= 3 * lanes()
    return Handler(work, _kind(cell), narrow)


def _call(handler, cell, results, prepare, operands, aliases=None):
    """Run a kernel on operands with an axis of members, which results get too; in the place of None is an empty one."""
    members = len(jax.tree.leaves(operands)[0])
    none = np.zeros((members, 0, 0), np.float32)
    operands = [none if a is None else a for a in jax.vmap(functools.partial(prepare, cell))(*operands)]
    outlines = [jax.ShapeDtypeStruct(none.shape if r is None else (members, *r.shape), jnp.float32) for r in results]
    call = jax.ffi.ffi_call(registered(handler), outlines, input_output_aliases=aliases or {})
    return type(results)(*call(*operands))


def _whole_panels(columns):
    """Return how many columns there are with what the last panel adds."""
    return columns + -columns % panel()


def _packed(w):
    """Return the columns of w (K, M) as panels (M / PANEL, K, PANEL), filled up with zeros."""
    K, columns = w.shape[0], _whole_panels(w.shape[1])
    return lax.transpose(lax.reshape(_filled_up(w, columns), (K, columns // panel(), panel())), (1, 0, 2))


def _filled_up(a, width):
    """Return an array with zeros after its last axis."""
    last = a.ndim - 1
    return lax.pad(a, np.float32(0), [(0, width - a.shape[-1] if axis == last else 0, 0) for axis in range(a.ndim)])


def _h_and_c(state):
    """Return h and c of a state, empty where there is none."""
    return (*(state or ()), None, None)[:2]


forward_loop = KernelPrimitive(
    "forward",
    kernel=_forward_kernel,
    scan=scans.forward,
    outlines=_forward_outlines,
    axes={"params": None, "xs": 1, "state": 0, "fresh": 0, "mask": 1, "reset": 1},
    result_axes={"final": 0, "hs": 1, "cs": 1, "saved": 1},
)
backward_loop = KernelPrimitive(
    "backward",
    kernel=_backward_kernel,
    scan=scans.backward,
    outlines=_backward_outlines,
    axes={
        "w_h": None,
        "d_final": 0,
        "d_hs": 1,
        "hs": 1,
        "cs": 1,
        "saved": 1,
        "state": 0,
        "fresh": 0,
        "mask": 1,
        "reset": 1,
    },
    result_axes={"d": 1, "d_state": 0, "d_fresh": 0},
)
weight_sums = KernelPrimitive(
    "weights",
    kernel=_weight_kernel,
    scan=scans.weight_sums,
    outlines=_weight_outlines,
    axes=dict.fromkeys(("xs", "hs", "d", "h0", "reset", "fresh_h")),  # a sum over all sequences
    summed_axes={"xs": 1, "hs": 1, "d": 1, "h0": 0, "reset": 1, "fresh_h": 0},
    result_axes={"sums": None},
)
input_products = KernelPrimitive(
    "inputs",
    kernel=_input_kernel,
    scan=scans.input_products,
    outlines=_input_outlines,
    axes={"d": 1, "w_x": None},
    result_axes={"d_xs": 1},
)


def _without_states(used, equation):
    """Stack no states where nobody reads them."""
    if not any(used):
        return [False] * len(equation.invars), None
    if equation.params["stacks"] == "states" and not used[-1]:
        params = equation.params | {"stacks": "none"}
        equation = equation.replace(outvars=equation.outvars[:-1], params=params)
    return [True] * len(equation.invars), equation


partial_eval.dce_rules[forward_loop.core] = _without_states
