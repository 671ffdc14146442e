"""method="numba": the recurrence on CPU as one call of a compiled kernel, each core with sequences of its own.

The kernels are in `seqvision.cells.numba_kernels`; the gradients of inputs and weights are products after the loop, as
in "fused". Each of the two loops, forward and backward, is a JAX primitive: on CPU it is the kernel; on a GPU or TPU,
and where it is differentiated itself, it is its twin, a scan of the same values (`seqvision.cells.numba_twins`). vmap
makes more sequences of what it adds, or calls the kernel for one set of weights after another.
"""

import functools
import sys
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.interpreters import partial_eval

from .base import PyTree, check_features, keep
from .elman import Elman
from .gru import GRU
from .lstm import LSTM
from .numba_primitives import KernelPrimitive, floats
from .numba_twins import backward_twin, forward_twin, input_twin, weight_twin
from .scan import in_chunks

KINDS = ("tanh", "relu", "sigmoid", "linear", "lstm", "gru")  # as numba_gates numbers them, Elman by its activation
WORK = ("backward", "forward", "weights", "inputs")  # as numba_kernels numbers it
FEATURES = 16  # features of the input, below which its gradient is a product of XLA's


@functools.cache
def here() -> bool:
    """Whether numba is installed and the computation runs on a CPU whose threads the kernels know."""
    return jax.default_backend() == "cpu" and sys.platform != "win32" and find_spec("numba") is not None


def supports_numba(cell) -> bool:
    """Whether method="numba" can run this cell: `Elman`, `LSTM` or `GRU` (reset_after), without a compute_dtype."""
    known = type(cell) in (Elman, LSTM) or (type(cell) is GRU and cell.reset_after)
    return known and cell.compute_dtype is None


def pays(cell) -> bool:
    """Whether the layer has so many units that a kernel is faster than a loop over all sequences at once."""
    return cell.hidden >= (16 if isinstance(cell, Elman) else 5)


@functools.cache
def kernels():
    """Return the module of kernels, which XLA knows from then on."""
    from . import numba_kernels  # here, since it takes long to import

    jax.ffi.register_ffi_target("seqvision_recurrent", jax.ffi.pycapsule(numba_kernels.handler.ctypes), platform="cpu")
    return numba_kernels


def numba(
    cell,
    params: PyTree,
    xs: Array,
    state: PyTree,
    fresh: PyTree,
    mask: Array | None,
    reset: Array | None,
    remat: str = "none",
) -> tuple[PyTree, Array]:
    """Unroll over xs (T, ..., D) in float32; masked inputs are already zero.

    Raises:
      ValueError: away from a CPU, without numba, for another type than float32, or for parameters of another cell.
    """
    if not here():
        raise ValueError(
            f'unroll: method="numba" needs a CPU, Linux or macOS, and numba installed, got {jax.default_backend()} on '
            f'{sys.platform}, numba {"there" if find_spec("numba") else "missing"}: use method="fused" or "auto"'
        )
    dtype = jnp.result_type(*jax.tree.leaves((params, xs, state)))
    if dtype != jnp.float32:
        raise ValueError(f'unroll: method="numba" computes in float32, got {dtype}: use method="fused" or "auto"')
    _check(cell, params, xs)
    params, xs, state, fresh = jax.tree.map(lambda leaf: leaf.astype(dtype), (params, xs, state, fresh))
    T, *batch, D = xs.shape
    N = int(np.prod(batch))
    if not T * N:
        return state, jnp.zeros((T, *batch, cell.hidden), dtype)
    state, fresh = jax.tree.map(lambda leaf: leaf.reshape(N, -1), (state, fresh))
    mask, reset = jax.tree.map(lambda flags: flags.reshape(T, N), (mask, reset))

    def run(state, inputs):
        xs, mask, reset = inputs
        if reset is not None:  # the kernels look for resets between two steps
            state, reset = keep(reset[0], fresh, state), reset.at[0].set(False)
        final, hs = _run(cell, params, xs, state, fresh, mask, reset)
        return final, hs if mask is None else keep(mask, hs, jnp.zeros_like(hs))

    inputs = (xs.reshape(T, N, D), mask, reset)
    final, ys = in_chunks(run, state, inputs) if remat == "sqrt" else run(state, inputs)
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


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run(cell, params, xs, state, fresh, mask, reset):
    return _forward_loop(cell, "states", params, xs, state, fresh, mask, reset)[:2]


def _forward(cell, params, xs, state, fresh, mask, reset):
    final, hs, cs, saved = _forward_loop(cell, "all", params, xs, state, fresh, mask, reset)
    return (final, hs), (params, xs, state, fresh, mask, reset, hs, cs, saved)


def _backward(cell, residuals, cotangents):
    params, xs, state, fresh, mask, reset, hs, cs, saved = residuals
    d, d_state, d_fresh = _backward_loop(cell, "all", params.w_h, *cotangents, hs, cs, saved, state, fresh, mask, reset)
    (d_w,) = _weight_sums(cell, "all", xs, hs, d, state.h, reset, None if fresh is None else fresh.h)
    return *_gather(cell, params, xs, d, d_w), d_state, d_fresh, None, None


def _gather(cell, params, xs, d, d_w):
    """Return the gradients of the parameters and of xs from those of the steps' rows."""
    H, w_x = cell.hidden, params.w_x
    by_h, by_one, by_x = d_w[:H], d_w[H], d_w[H + 1 :]
    if isinstance(cell, GRU):  # x's share of n, r, z, and h's share of n
        w_x = jnp.concatenate([w_x[:, 2 * H :], w_x[:, : 2 * H]], axis=-1)
        by_x = jnp.concatenate([by_x[:, H : 3 * H], by_x[:, :H]], axis=-1)
        b, b_n = jnp.concatenate([by_one[H : 3 * H], by_one[:H]]), by_one[3 * H :]
        d_params = params._replace(w_x=by_x, w_h=by_h[:, H:], b=b, b_n=b_n)
    else:
        d_params = params._replace(w_x=by_x, w_h=by_h, b=by_one)
    (d_xs,) = _input_products(cell, "all", d, w_x)
    return d_params, d_xs


_run.defvjp(_forward, _backward)


# What the kernels take and give -------------------------------------------------------------------------------------


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


_forward_loop = KernelPrimitive(
    "forward", _forward_kernel, forward_twin, _forward_shapes, (None, 1, 0, 0, 1, 1), (0, 1, 1, 1)
)
_backward_loop = KernelPrimitive(
    "backward", _backward_kernel, backward_twin, _backward_shapes, (None, 0, 1, 1, 1, 1, 0, 0, 1, 1), (1, 0, 0)
)
_weight_sums = KernelPrimitive("weights", _weight_kernel, weight_twin, _weight_shapes, (None,) * 6, (None,))
_input_products = KernelPrimitive("inputs", _input_kernel, input_twin, _input_shapes, (1, None), (1,))


def _without_states(used, equation):
    """Stack no states where nobody reads them."""
    if not any(used):
        return [False] * len(equation.invars), None
    if equation.params["stacks"] == "states" and not used[-1]:
        params = equation.params | {"stacks": "none"}
        equation = equation.replace(outvars=equation.outvars[:-1], params=params)
    return [True] * len(equation.invars), equation


partial_eval.dce_rules[_forward_loop.core] = _without_states
