"""The calls of the compiled kernels: what each takes and gives, and the primitive that it is.

Packed weights and scratch beside the results are of the kernels alone; a twin has neither.
"""

import functools

import jax
import jax.numpy as jnp
from jax.interpreters import partial_eval

from ...elman import Elman
from ...gru import GRU
from ...lstm import LSTM
from .primitives import KernelPrimitive, floats
from .twins import backward_twin, forward_twin, input_twin, weight_twin

KINDS = ("tanh", "relu", "sigmoid", "linear", "lstm", "gru")  # as numba_gates numbers them, Elman by its activation
WORK = ("backward", "forward", "weights", "inputs")  # as numba_kernels numbers it
FEATURES = 16  # features of the input, below which its gradient is a product of XLA's


@functools.cache
def kernels():
    """Return the module of kernels, which XLA knows from then on."""
    from . import kernels as numba_kernels  # here, since it takes long to import

    jax.ffi.register_ffi_target("seqvision_recurrent", jax.ffi.pycapsule(numba_kernels.handler.ctypes), platform="cpu")
    return numba_kernels


def _forward_shapes(cell, stacks, params, xs, state, fresh, mask, reset):
    """Return those of the last state, and as ``stacks`` asks, of hs (T, N, H), and of cs and a step's row of gates."""
    (T, N, _), H, everything = xs.shape, cell.hidden, stacks == "all"
    hs = None if stacks == "none" else floats(T, N, H)
    cs = floats(T, N, H) if everything and isinstance(cell, LSTM) else None
    saved = floats(T, N, 4 * H) if everything and not isinstance(cell, Elman) else None
    return jax.tree.map(lambda a: floats(*a.shape), state), hs, cs, saved


def _forward_operands(cell, params, xs, state, fresh, mask, reset):
    H, w_x, b = cell.hidden, params.w_x, params.b
    if isinstance(cell, GRU):  # in a step's row stand x's share of n, r, z, and h's share of n
        w_x = jnp.concatenate([w_x[:, 2 * H :], w_x[:, : 2 * H]], axis=-1)
        b = jnp.concatenate([b[2 * H :], b[: 2 * H], params.b_n])
    w_x, w_h = _packed(w_x), _packed(params.w_h)
    bias = jnp.pad(b, (0, _wide(cell) - b.size))
    return xs, w_x, w_h, bias, *_pair(state), *_flags(mask, reset), *_pair(fresh)


def _forward_kernel(cell, shapes, *operands):
    final, *stacks = shapes
    (h, c), N = _pair(final), len(operands[2].h[0])
    results = [*(s or floats(0, 0, 0) for s in stacks), floats(N, _wide(cell)), h, c, floats(2, N, cell.hidden)]
    hs, cs, saved, _, h, c, _ = _call("forward", cell, results, _forward_operands, operands)
    return [h, c][: len(final)], hs, cs, saved


def _wide(cell):
    """Return the values of a step's row, with what the last panel adds."""
    blocks, skip = {Elman: (1, 0), GRU: (3, cell.hidden), LSTM: (4, 0)}[type(cell)]
    columns = blocks * cell.hidden
    return skip + columns + -columns % kernels().PANEL


def _backward_shapes(cell, stacks, w_h, d_final, d_hs, hs, cs, saved, state, fresh, mask, reset):
    """Return those of the gradients of a step's row, of the first state and of the fresh one."""
    columns = cell.hidden * (1 if isinstance(cell, Elman) else 4)
    d_state = jax.tree.map(lambda a: floats(*a.shape), state)
    return floats(*hs.shape[:2], columns), d_state, None if fresh is None else d_state


def _backward_operands(cell, w_h, d_final, d_hs, hs, cs, saved, state, fresh, mask, reset):
    arrays = (d_hs, *(jnp.zeros((0, 0, 0), jnp.float32) if a is None else a for a in (saved, hs, cs)))
    return *arrays, *_pair(state), *_flags(mask, reset), *_pair(fresh), _packed(w_h.T), *_pair(d_final)


def _backward_kernel(cell, shapes, *operands):
    d, d_state, d_fresh = shapes
    (d_h, d_c), (N, H) = _pair(d_state), d_state.h.shape
    results = [d, *_pair(d_fresh), floats(N, H + -H % kernels().PANEL), d_c, floats(N, 6 * H), d_h]
    aliases = {} if isinstance(cell, Elman) else {2: 0}  # the gradients of a step's row take the place of the row
    d, d_fresh_h, d_fresh_c, _, d_c, _, d_h = _call("backward", cell, results, _backward_operands, operands, aliases)
    size = len(d_state)
    return d, [d_h, d_c][:size], [d_fresh_h, d_fresh_c][:size]


def _weight_shapes(cell, stacks, xs, hs, d, h0, reset, fresh_h):
    """Return that of [h, 1, x]^T d."""
    return (floats(xs.shape[-1] + 1 + cell.hidden, d.shape[-1]),)


def _weight_operands(cell, xs, hs, d, h0, reset, fresh_h):
    return xs, hs, d, h0, *_flags(reset), jnp.zeros((0, 0), jnp.float32) if fresh_h is None else fresh_h


def _weight_kernel(cell, shapes, *operands):
    K, columns = shapes[0].shape
    panel = kernels().PANEL
    (sums,) = _call("weights", cell, [floats(-(-columns // panel), K, panel)], _weight_operands, operands)
    return (sums.swapaxes(1, 2).reshape(-1, K, sums.shape[1] * panel)[..., :columns],)


def _input_shapes(cell, stacks, d, w_x):
    """Return that of the gradient of xs."""
    return (floats(*d.shape[:2], w_x.shape[0]),)


def _input_operands(cell, d, w_x):
    return d.reshape(-1, d.shape[-1]), _packed(w_x.T)


def _input_kernel(cell, shapes, d, w_x):
    T, N, D = shapes[0].shape
    if D < FEATURES:  # most of a panel would be zeros
        return (jnp.einsum("mtnk,mdk->mtnd", d[..., : w_x.shape[-1]], w_x),)
    wide = floats(T * N, D + -D % kernels().PANEL)
    (product,) = _call("inputs", cell, [wide], _input_operands, (d, w_x))
    return (product[..., :D].reshape(-1, T, N, D),)


def _call(what, cell, results, prepare, operands, aliases=None):
    """Run a kernel on operands with an axis of members, which results get too."""
    members = len(jax.tree.leaves(operands)[0])
    operands = jax.vmap(functools.partial(prepare, cell))(*operands)
    kind = KINDS.index(cell.activation if isinstance(cell, Elman) else type(cell).__name__.lower())
    results = [jax.ShapeDtypeStruct((members, *r.shape), jnp.float32) for r in results]
    call = jax.ffi.ffi_call("seqvision_recurrent", results, input_output_aliases=aliases or {})
    return call(jnp.array([kind, WORK.index(what), members, 0], jnp.int32), *operands)


def _packed(w):
    """Return the columns of w (K, M) as panels (M / PANEL, K, PANEL), filled up with zeros."""
    panel = kernels().PANEL
    w = jnp.pad(w, ((0, 0), (0, -w.shape[1] % panel)))
    return w.reshape(w.shape[0], -1, panel).transpose(1, 0, 2)


def _pair(state):
    """Return h and c of a state, empty where there is none."""
    none = jnp.zeros((0, 0), jnp.float32)
    return (*(state or ()), none, none)[:2]


def _flags(*flags):
    return tuple(jnp.zeros((0, 0), jnp.int8) if f is None else f.astype(jnp.int8) for f in flags)


forward_loop = KernelPrimitive(
    "forward", _forward_kernel, forward_twin, _forward_shapes, (None, 1, 0, 0, 1, 1), (0, 1, 1, 1)
)
backward_loop = KernelPrimitive(
    "backward", _backward_kernel, backward_twin, _backward_shapes, (None, 0, 1, 1, 1, 1, 0, 0, 1, 1), (1, 0, 0)
)
weight_sums = KernelPrimitive("weights", _weight_kernel, weight_twin, _weight_shapes, (None,) * 6, (None,))
input_products = KernelPrimitive("inputs", _input_kernel, input_twin, _input_shapes, (1, None), (1,))


def _without_states(used, equation):
    """Stack no states where nobody reads them."""
    if not any(used):
        return [False] * len(equation.invars), None
    if equation.params["stacks"] == "states" and not used[-1]:
        params = equation.params | {"stacks": "none"}
        equation = equation.replace(outvars=equation.outvars[:-1], params=params)
    return [True] * len(equation.invars), equation


partial_eval.dce_rules[forward_loop.core] = _without_states
