"""Our cells under flax.linen.RNN and inside equinox modules."""

import subprocess
import sys
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import GRU, LSTM, LearnedStart, unroll
from seqvision.interop import EquinoxCell, FlaxCell, from_equinox
from seqvision.models import RecurrentLayer
from tests.interop.cases import CELLS, FAST, D, H, N, T, close, random_like, random_params, same

XS = random_like(jnp.zeros((N, T, D)))


class PlainDict:
    """A cell whose parameters are a dict: a leaky sum."""

    def init(self, key, in_features):
        return {"w": jax.random.normal(key, (in_features, H))}

    def initial_state(self, params, batch_shape=()):
        return jnp.zeros((*batch_shape, H))

    def step(self, params, state, x):
        state = 0.5 * state + x @ params["w"]
        return state, state


@pytest.mark.parametrize(
    "cell", [LSTM(H), CELLS["lstm-proj"], LearnedStart(GRU(H)), PlainDict()], ids=lambda cell: type(cell).__name__
)
def test_under_flax_rnn(cell):
    layer = nn.RNN(FlaxCell(cell), return_carry=True)
    variables = random_like(jax.eval_shape(layer.init, jax.random.key(0), XS))
    fields = variables["params"]["cell"]
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), D))
    params = params._replace(**fields) if hasattr(params, "_fields") else fields["params"]

    @partial(jax.jit, compiler_options=FAST)
    def both(variables, params):
        return layer.apply(variables, XS), unroll(cell, params, XS)

    close(*both(variables, params))


def test_the_parameters_are_those_of_our_own_layer():
    own = jax.eval_shape(RecurrentLayer(GRU(H)).init, jax.random.key(0), XS)
    assert jax.eval_shape(nn.RNN(FlaxCell(GRU(H))).init, jax.random.key(0), XS) == own


def test_drawing_them_gives_the_output_that_they_give():
    layer = nn.RNN(FlaxCell(LearnedStart(GRU(H))))
    ys, variables = layer.init_with_output(jax.random.key(0), XS)
    close(layer.apply(variables, XS), ys)


def test_flax_gradients_lengths_and_directions():
    cell = CELLS["lstm"]
    layer = nn.RNN(FlaxCell(cell), return_carry=True, reverse=True, keep_order=True)
    params, lengths = random_params(cell), jnp.asarray([T, 2])
    mask = jnp.arange(T)[None] < lengths[:, None]

    def theirs(params, xs):
        final, ys = layer.apply({"params": {"cell": params._asdict()}}, xs, seq_lengths=lengths)
        return jnp.sum(jnp.where(mask[..., None], ys, 0.0) ** 2) + jnp.sum(final.c)

    def ours(params, xs):
        final, ys = unroll(cell, params, xs, mask=mask, reverse=True)
        return jnp.sum(ys**2) + jnp.sum(final.c)

    close(*(jax.jit(jax.value_and_grad(f, (0, 1)), compiler_options=FAST)(params, XS) for f in (theirs, ours)))


def test_flax_carry_outside_a_layer_and_bidirectional_layers():
    carry = FlaxCell(LearnedStart(GRU(H))).initialize_carry(jax.random.key(0), (N, D))
    assert carry.h.shape == (N, H)
    both = nn.Bidirectional(nn.RNN(FlaxCell(LSTM(H))), nn.RNN(FlaxCell(GRU(H))))
    ys, _ = both.init_with_output(jax.random.key(0), XS)
    assert ys.shape == (N, T, 2 * H)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_as_an_equinox_cell(name):
    eqx = pytest.importorskip("equinox", reason="equinox's own cell is the reference")
    theirs = getattr(eqx.nn, f"{name.upper()}Cell")(D, H, key=jax.random.key(0))
    ours = EquinoxCell(CELLS[name], from_equinox(CELLS[name], theirs))

    class Model(eqx.Module):
        cell: EquinoxCell
        scale: jax.Array

        def __call__(self, xs, start):
            return self.scale * jax.tree.leaves(jax.lax.scan(lambda h, x: (self.cell(x, h), None), start, xs)[0])[0]

    @eqx.filter_jit
    @eqx.filter_value_and_grad
    def loss(model, start):
        return jnp.sum(jax.vmap(model, in_axes=(0, None))(XS, start) ** 2)

    zeros = jnp.zeros(H)
    value, gradient = loss(Model(ours, jnp.ones(())), ours.initial_state())
    expected, theirs = loss(Model(theirs, jnp.ones(())), (zeros, zeros) if name == "lstm" else zeros)
    close(value, expected)
    close(gradient.scale, theirs.scale)
    close(gradient.cell.params, from_equinox(CELLS[name], theirs.cell))
    arrays, rest = eqx.partition(ours, eqx.is_array)
    same(eqx.combine(arrays, rest), ours)


def test_equinox_cell_is_a_pytree_of_its_parameters():
    cell = CELLS["gru"]
    layer = EquinoxCell(cell, random_params(cell))
    doubled = jax.tree.map(lambda leaf: 2 * leaf, layer)
    assert doubled.cell == cell
    np.testing.assert_array_equal(doubled.params.w_x, 2 * layer.params.w_x)
    close(layer.unroll(XS, reverse=True), unroll(cell, layer.params, XS, reverse=True))


def test_the_room_imports_no_peer_but_flax():
    peers = ["torch", "keras", "haiku", "equinox", "tensorflow"]
    program = f"import sys, seqvision.interop; print([name for name in {peers} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
