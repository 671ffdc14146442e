"""flax.linen, flax.nnx, haiku and equinox: the same function both ways, outputs and gradients."""

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from seqvision import interop
from seqvision.cells import unroll
from tests.interop.cases import CELLS, FAST, D, H, N, T, close, random_like, random_params, same

LINEN_LSTMS = (nn.LSTMCell, nn.OptimizedLSTMCell)
XS, D_YS = random_like((jnp.zeros((N, T, D)), jnp.zeros((N, T, H))), seed=9)


@dataclass
class Peer:
    cell: Any
    run: Any  # (weights, xs) -> ys
    weights: Any  # the peer's own, random
    back: Any  # from_X
    there: Any  # to_X
    exact: bool = True  # from_X, then to_X, changes nothing: no second bias on their side
    free: tuple[str, ...] = ()  # parameters of ours that the peer does not have


def linen(name, kind, **options):
    layer = nn.RNN(getattr(nn, kind)(H, **options))
    weights = random_like(jax.eval_shape(layer.init, jax.random.key(0), XS)["params"]["cell"])
    return Peer(
        CELLS[name],
        lambda weights, xs: layer.apply({"params": {"cell": weights}}, xs),
        weights,
        interop.from_flax,
        interop.to_flax,
    )


def nnx_cell(name, kind, free=()):
    layer = nnx.RNN(getattr(nnx, kind)(D, H, rngs=nnx.Rngs(0)), rngs=nnx.Rngs(0))
    graph, state, rest = nnx.split(layer, nnx.Param, ...)

    def run(weights, xs):
        ours = nnx.State({"cell": jax.tree.map(nnx.Param, weights)})
        zeros = jnp.zeros((N, H))
        return nnx.merge(graph, ours, rest)(xs, initial_carry=(zeros, zeros) if "LSTM" in kind else zeros)

    there = partial(interop.to_nnx, module=kind) if "LSTM" in kind else interop.to_nnx
    return Peer(CELLS[name], run, random_like(nnx.to_pure_dict(state)["cell"]), interop.from_nnx, there, free=free)


def haiku(name, kind, exact=True, **options):
    hk = pytest.importorskip("haiku", reason="haiku is asked for its outputs")

    @hk.without_apply_rng
    @hk.transform
    def layer(xs):
        core = getattr(hk, kind)(H, **options)
        return hk.dynamic_unroll(core, xs, core.initial_state(N), time_major=False)[0]

    weights = random_like(jax.eval_shape(layer.init, jax.random.key(0), XS))
    there = partial(interop.to_haiku, **options)
    return Peer(CELLS[name], layer.apply, weights, interop.from_haiku, there, exact)


def equinox(name, kind, bias=True):
    eqx = pytest.importorskip("equinox", reason="equinox is asked for its outputs")
    module = getattr(eqx.nn, kind)(D, H, use_bias=bias, key=jax.random.key(0))

    def run(weights, xs):
        cell = eqx.tree_at(lambda m: [getattr(m, key) for key in weights], module, list(weights.values()))
        start = jnp.zeros(H) if name == "gru" else (jnp.zeros(H), jnp.zeros(H))

        def body(state, x):
            state = cell(x, state)
            return state, state if name == "gru" else state[0]

        return jax.vmap(lambda xs: jax.lax.scan(body, start, xs)[1])(xs)

    there = partial(interop.to_equinox, bias=bias)
    free = () if bias else ("b", "b_n")
    weights = {key: getattr(module, key, None) for key in ("weight_ih", "weight_hh", "bias", "bias_n")}
    weights = {key: array for key, array in weights.items() if array is not None}
    return Peer(CELLS[name], run, random_like(weights), interop.from_equinox, there, free=free)


PEERS = {
    "linen-SimpleCell": partial(linen, "elman-tanh", "SimpleCell"),
    "linen-SimpleCell-relu": partial(linen, "elman-relu", "SimpleCell", activation_fn=nn.relu),
    "linen-GRUCell": partial(linen, "gru", "GRUCell"),
    "linen-OptimizedLSTMCell": partial(linen, "lstm", "OptimizedLSTMCell"),
    "nnx-SimpleCell": partial(nnx_cell, "elman-tanh", "SimpleCell"),
    "nnx-GRUCell": partial(nnx_cell, "gru", "GRUCell", free=("b_n",)),
    "nnx-LSTMCell": partial(nnx_cell, "lstm", "LSTMCell"),
    "nnx-OptimizedLSTMCell": partial(nnx_cell, "lstm", "OptimizedLSTMCell"),
    "haiku-VanillaRNN": partial(haiku, "elman-relu", "VanillaRNN", exact=False),
    "haiku-VanillaRNN-one-bias": partial(haiku, "elman-relu", "VanillaRNN", double_bias=False),
    "haiku-GRU": partial(haiku, "gru-reset-before", "GRU"),
    "haiku-LSTM": partial(haiku, "lstm", "LSTM"),
    "equinox-GRUCell": partial(equinox, "gru", "GRUCell"),
    "equinox-GRUCell-plain": partial(equinox, "gru", "GRUCell", bias=False),
    "equinox-LSTMCell": partial(equinox, "lstm", "LSTMCell"),
}


@cache
def peer_of(name):
    return PEERS[name]()


@pytest.mark.parametrize("name", PEERS)
def test_both_ways(name):
    peer = peer_of(name)
    theirs, ours = jax.jit(partial(gradients, peer.run), compiler_options=FAST), partial(our_gradients, peer.cell)
    # Their random weights: our outputs, and our gradients carried to their weights.
    ys, d_params, d_xs = ours(peer.back(peer.cell, peer.weights), XS)
    carried = jax.jit(
        lambda weights, d: jax.vjp(partial(peer.back, peer.cell), weights)[1](d)[0], compiler_options=FAST
    )
    close((ys, carried(peer.weights, d_params), d_xs), theirs(peer.weights, XS))
    # Our random parameters: their outputs and gradients.
    params = random_params(peer.cell)
    params = params._replace(**{field: 0 * getattr(params, field) for field in peer.free})
    ys, _, d_xs = theirs(peer.there(peer.cell, params), XS)
    expected, _, expected_d_xs = ours(params, XS)
    close((ys, d_xs), (expected, expected_d_xs))


def gradients(run, weights, xs):
    ys, pull = jax.vjp(run, weights, xs)
    return ys, *pull(D_YS)


@partial(jax.jit, static_argnums=0, compiler_options=FAST)  # compiled once for each cell
def our_gradients(cell, params, xs):
    return gradients(lambda params, xs: unroll(cell, params, xs)[1], params, xs)


@pytest.mark.parametrize("name", PEERS)
def test_there_and_back(name):
    peer = peer_of(name)
    params = random_params(peer.cell)
    params = params._replace(**{field: 0 * getattr(params, field) for field in peer.free})
    again = peer.back(peer.cell, peer.there(peer.cell, params))
    if name == "haiku-LSTM":  # b - 1 + 1
        close(again, params, 1e-6)
    else:
        same(again, jax.tree.map(jnp.asarray, params))
    weights = peer.there(peer.cell, jax.tree.map(np.asarray, peer.back(peer.cell, peer.weights)))
    if peer.exact:
        close(weights, peer.weights, 1e-6)
    else:
        assert jax.tree.map(jnp.shape, weights) == jax.tree.map(jnp.shape, peer.weights)


def test_linens_two_lstm_cells_have_one_set_of_parameters():
    trees = [jax.eval_shape(kind(H).init, jax.random.key(0), (XS[:, 0, :1],) * 2, XS[:, 0]) for kind in LINEN_LSTMS]
    assert trees[0] == trees[1]


def test_haiku_modules_inside_others_are_found_by_name():
    cell = CELLS["lstm"]
    params = random_params(cell)
    tree = interop.to_haiku(cell, params, name="model/~/lstm_1") | {"model/~/head": {"w": np.ones((H, 1))}}
    close(interop.from_haiku(cell, tree, name="model/~/lstm_1"), params)
    with pytest.raises(ValueError, match=r"no 'lstm/linear.w' among .*model/~/lstm_1/linear.w.*: name= gives the path"):
        interop.from_haiku(cell, tree)


def test_nnx_states_and_modules_of_arrays_are_read_as_they_are():
    layer = nnx.OptimizedLSTMCell(D, H, rngs=nnx.Rngs(0))
    params = interop.from_nnx(CELLS["lstm"], nnx.state(layer))
    same(params.w_x, layer.dense_i.kernel[...])
    state = nnx.state(layer)
    nnx.replace_by_pure_dict(state, interop.to_nnx(CELLS["lstm"], random_params(CELLS["lstm"])))
    nnx.update(layer, state)
    same(layer.dense_h.bias[...], jnp.asarray(random_params(CELLS["lstm"]).b))


def test_equinox_modules_are_read_as_they_are():
    eqx = pytest.importorskip("equinox", reason="an equinox module is needed")
    module = eqx.nn.LSTMCell(D, H, key=jax.random.key(0))
    same(interop.from_equinox(CELLS["lstm"], module).w_h, module.weight_hh.T)
