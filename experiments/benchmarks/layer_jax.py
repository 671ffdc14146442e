"""Recurrent layers by the frameworks on JAX: seqvision, flax, haiku, equinox, Keras, and the matrix products alone."""

import importlib
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from layer_rows import GATES, RATE, Row, sample

NEEDS = {
    "seqvision": "seqvision.cells",
    "flax": "flax.linen",
    "haiku": "haiku",
    "equinox": "equinox",
    "keras-jax": "keras",
    "floor": "jax",
}


class Layer(NamedTuple):
    """Parameters, and the function (params, xs) -> ys."""

    params: Any
    apply: Any


def load(peer: str, threads: int) -> None:
    """Import the framework, or raise ImportError; the cores are set for the process."""
    importlib.import_module(NEEDS[peer])


def build(peer: str, row: Row, *, mode: str, steps: int, method: str = "auto", remat: str = "none"):
    """Return a function without arguments that does the row's work once and waits for it.

    Modes: "call" is the gradient of sum(ys * weights) with respect to parameters and inputs; "loop" so many steps of
    gradient descent on both, in one program; "last" is "call" for a loss on the last step alone.
    """
    xs, weights = (jnp.asarray(array) for array in sample(row))
    if peer == "floor":
        params, gradients = products(row)
    else:
        try:
            options = {"method": method, "remat": remat} if peer == "seqvision" else {}
            layer = LAYERS[peer](row, xs, **options)
            jax.eval_shape(layer.apply, layer.params, xs)
        except (ValueError, KeyError) as error:
            raise NotImplementedError(f"{peer}: {error}") from error
        params = layer.params

        def loss(params, xs, weights):
            ys = layer.apply(params, xs)
            return jnp.sum(ys[:, -1] * weights[:, -1]) if mode == "last" else jnp.sum(ys * weights)

        gradients = jax.grad(loss, (0, 1))

    def loop(params, xs, weights):
        def step(both, _):
            slopes = gradients(*both, weights)
            return jax.tree.map(lambda a, d: a - RATE * d, both, slopes), None

        return jax.lax.scan(step, (params, xs), length=steps)[0]

    if mode == "last":
        return Compiled(gradients, params, xs, weights)
    return partial(_wait, jax.jit(loop if mode == "loop" else gradients), params, xs, weights)


def _wait(run, *arguments):
    jax.block_until_ready(run(*arguments))


class Compiled:
    """A program compiled ahead of time, which knows the bytes of its temporaries."""

    def __init__(self, run, *arguments):
        self.run = jax.jit(run).lower(*arguments).compile()
        self.arguments = arguments
        self.temporaries = self.run.memory_analysis().temp_size_in_bytes

    def __call__(self):
        """Run it and wait."""
        _wait(self.run, *self.arguments)


def draw(shapes: Any, H: int) -> Any:
    """Return random arrays of the shapes of a tree, of a size at which states neither die nor explode."""
    random = np.random.default_rng(1)
    scale = np.float32(H**-0.5)
    return jax.tree.map(lambda leaf: jnp.asarray(scale * random.standard_normal(leaf.shape, np.float32)), shapes)


def seqvision(row: Row, xs: jax.Array, method: str, remat: str) -> Layer:
    """Any of our cells, by any method."""
    from seqvision import cells

    kinds = {
        "elman": cells.Elman,
        "gru": cells.GRU,
        "grubefore": partial(cells.GRU, reset_after=False),
        "lstm": cells.LSTM,
        "mingru": cells.MinGRU,
        "minlstm": cells.MinLSTM,
        "lru": cells.LRU,
    }
    cell = kinds[row.cell](row.H)
    params = draw(jax.eval_shape(lambda: cell.init(jax.random.key(0), row.D)), row.H)
    return Layer(params, lambda params, xs: cells.unroll(cell, params, xs, method=method, remat=remat)[1])


def flax(row: Row, xs: jax.Array) -> Layer:
    """flax.linen's cells under nn.RNN."""
    import flax.linen as nn

    kinds = {"elman": nn.SimpleCell, "gru": nn.GRUCell, "lstm": nn.OptimizedLSTMCell}
    layer = nn.RNN(kinds[row.cell](row.H))
    return Layer(draw(jax.eval_shape(layer.init, jax.random.key(0), xs), row.H), layer.apply)


def haiku(row: Row, xs: jax.Array) -> Layer:
    """haiku's cores under dynamic_unroll; its GRU resets before the product, its simple cell is rectified."""
    import haiku as hk

    kinds = {"elman": hk.VanillaRNN, "gru": hk.GRU, "grubefore": hk.GRU, "lstm": hk.LSTM}
    kind = kinds[row.cell]

    @hk.without_apply_rng
    @hk.transform
    def layer(xs):
        core = kind(row.H)
        return hk.dynamic_unroll(core, xs, core.initial_state(len(xs)), time_major=False)[0]

    return Layer(draw(jax.eval_shape(layer.init, jax.random.key(0), xs), row.H), layer.apply)


def equinox(row: Row, xs: jax.Array) -> Layer:
    """equinox's cells in a lax.scan, as its documentation shows, over a batch by vmap."""
    import equinox as eqx

    kind = {"gru": eqx.nn.GRUCell, "lstm": eqx.nn.LSTMCell}[row.cell]
    params, static = eqx.partition(kind(row.D, row.H, key=jax.random.key(0)), eqx.is_array)
    start = jnp.zeros(row.H) if row.cell == "gru" else (jnp.zeros(row.H), jnp.zeros(row.H))

    def apply(params, xs):
        cell = eqx.combine(params, static)

        def body(state, x):
            state = cell(x, state)
            return state, state if row.cell == "gru" else state[0]

        return jax.vmap(lambda xs: jax.lax.scan(body, start, xs)[1])(xs)

    return Layer(params, apply)


def keras(row: Row, xs: jax.Array) -> Layer:
    """Keras's layers, by their stateless call."""
    from layer_tensorflow import make

    layer = make(row)
    layer.build(xs.shape)
    others = [variable.value for variable in layer.non_trainable_variables]
    params = [variable.value for variable in layer.trainable_variables]
    return Layer(params, lambda params, xs: layer.stateless_call(params, others, xs)[0])


LAYERS = {"seqvision": seqvision, "flax": flax, "haiku": haiku, "equinox": equinox, "keras-jax": keras}


def products(row: Row):
    """Return weights and a function that does the matrix products of a layer's gradient, and little else.

    T products of the state forward and T backward, one after another; before them that of the inputs, after them those
    of the weights' and inputs' gradients, over all T * N rows at once. The shares of one feature (D = 1) are no
    products in the forward pass.
    """
    if row.cell not in GATES:
        raise NotImplementedError(f"floor: the products of {row.cell} are not known")
    N, T, D, H, K = row.N, row.T, row.D, row.H, GATES[row.cell] * row.H
    w_x, w_h = draw((jnp.zeros((D, K)), jnp.zeros((H, K))), H)
    turn, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((H, H)))
    w_h = w_h.at[:, :H].set(turn.astype(np.float32))  # keeps the state's length

    def gradients(params, xs, weights):
        w_x, w_h = params
        w_back = w_h.T
        rows = xs.reshape(-1, D)
        a = rows @ w_x if D > 1 else jnp.zeros((T * N, K))

        def forward(h, _):
            return (h @ w_h)[:, :H], h

        h, hs = jax.lax.scan(forward, a[:N, :H] + weights[:, 0], length=T)

        def backward(d, _):
            return d.at[:, :H].set(d @ w_back), None

        d, _ = jax.lax.scan(backward, jnp.concatenate([h] * (K // H), axis=1), length=T)
        d_rows = a.at[:N].add(d)
        return (rows.T @ d_rows, hs.reshape(-1, H).T @ d_rows), (d_rows @ w_x.T).reshape(xs.shape)

    return (w_x, w_h), gradients
