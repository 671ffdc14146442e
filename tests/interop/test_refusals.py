"""What has no counterpart on the other side is refused by name."""

import chex
import jax
import numpy as np
import pytest
from flax import nnx

from seqvision import interop
from seqvision.cells import GRU, LSTM, Elman, LSTMVariant
from tests.interop.cases import CELLS, H, random_params


class Own(LSTM):
    """A cell whose step may be another one."""


@pytest.mark.parametrize(
    ("peer", "cell", "message"),
    [
        ("torch", GRU(H, reset_after=False), "its GRU is GRU\\(hidden, reset_after=True\\)"),
        ("torch", Elman(H, "sigmoid"), 'its RNN has the activation "tanh" or "relu"'),
        ("torch", LSTMVariant(H, proj=2, peephole=True), "of the options it has proj alone"),
        ("torch", LSTMVariant(H), "of the options it has proj alone"),
        ("flax", GRU(H, reset_after=False), "its GRUCell is GRU\\(hidden, reset_after=True\\)"),
        ("nnx", GRU(H, reset_after=False), "its GRUCell is GRU\\(hidden, reset_after=True\\)"),
        ("haiku", GRU(H), "its GRU is GRU\\(hidden, reset_after=False\\)"),
        ("haiku", Elman(H), 'its VanillaRNN is Elman\\(hidden, "relu"\\)'),
        ("equinox", Elman(H), "it has LSTM\\(hidden\\) and GRU"),
        *((peer, Own(H), "pass one of Elman, GRU, LSTM") for peer in ("torch", "keras", "flax", "haiku", "equinox")),
    ],
)
def test_cells_that_the_peer_lacks(peer, cell, message):
    for way in ("from", "to"):
        with pytest.raises(TypeError, match=f"{way}_{peer}: .* {message}"):
            getattr(interop, f"{way}_{peer}")(cell, {} if peer != "keras" else [])


@pytest.mark.parametrize("peer", ["torch", "keras", "flax", "nnx", "equinox"])
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda p: p._replace(w_h=p.w_h[:-1]), ValueError, r"params.w_h must have the shape \(5, 15\) .*got \(4, 15\)"),
        (lambda p: p._replace(b_n=None), ValueError, r"params.b_n must be an array for GRU"),
        (lambda p: {"w_x": p.w_x, "w_h": p.w_h}, ValueError, "must have the fields w_x, w_h, b, b_n, got"),
        (lambda p: p._asdict() | {"bias": p.b}, ValueError, "must have the fields w_x, w_h, b, b_n, got"),
        (lambda p: random_params(LSTM(H)), TypeError, "params must be GRUParams for GRU.*, got LSTMParams"),
    ],
)
def test_parameters_of_another_cell(peer, change, error, message):
    with pytest.raises(error, match=f"to_{peer}: .*{message}"):
        getattr(interop, f"to_{peer}")(CELLS["gru"], change(random_params(CELLS["gru"])))


@pytest.mark.parametrize("peer", ["torch", "keras", "equinox"])
def test_biases_with_nowhere_to_go(peer):
    cell = CELLS["gru"]
    zero = jax.tree.map(np.zeros_like, random_params(cell))
    for field in ("b", "b_n"):
        ones = zero._replace(**{field: np.ones_like(getattr(zero, field))})
        with pytest.raises(ValueError, match=f"to_{peer}: params.{field} is not zero, .*bias=True"):
            getattr(interop, f"to_{peer}")(cell, ones, bias=False)


def test_nnx_has_no_recurrent_bias():
    with pytest.raises(ValueError, match=r"to_nnx: params.b_n is not zero, .*: use flax.linen's GRUCell \(to_flax\)"):
        interop.to_nnx(CELLS["gru"], random_params(CELLS["gru"]))
    with pytest.raises(ValueError, match="module must be OptimizedLSTMCell or LSTMCell, got 'GRUCell'"):
        interop.to_nnx(CELLS["lstm"], random_params(CELLS["lstm"]), module="GRUCell")


def test_whole_flax_trees_are_refused_with_the_place_to_look():
    tree = {"cell": interop.to_flax(CELLS["lstm"], random_params(CELLS["lstm"]))}
    with pytest.raises(ValueError, match=r"no 'ii.kernel' among .*: pass .*variables\['params'\]\['cell'\]"):
        interop.from_flax(CELLS["lstm"], tree)


@pytest.mark.parametrize("peer", ["torch", "keras", "flax", "nnx", "haiku", "equinox"])
@pytest.mark.parametrize("way", ["from", "to"])
def test_a_cell_in_another_place_or_its_class_is_named(peer, way):
    function, weights = getattr(interop, f"{way}_{peer}"), random_params(CELLS["gru"])
    for cell in (LSTM, weights, {"weight_ih_l0": np.zeros((300, 300))}):
        with pytest.raises(TypeError, match=rf"{way}_{peer}: the cell comes first, such as LSTM\(hidden\)") as error:
            function(cell, CELLS["lstm"])
        assert len(str(error.value)) < 400  # no whole arrays


@pytest.mark.parametrize("peer", ["torch", "flax", "nnx", "haiku"])
def test_what_are_no_weights_by_name_is_refused(peer):
    cell = {"haiku": CELLS["lstm"]}.get(peer, CELLS["gru"])
    for weights in (np.zeros((300, 300)), [np.zeros((300, 300))] * 3, 3):
        with pytest.raises(TypeError, match=rf"from_{peer}: weights must be arrays by name, got .*: pass ") as error:
            getattr(interop, f"from_{peer}")(cell, weights)
        assert len(str(error.value)) < 400


def test_flags_are_true_or_false():
    for call in (
        lambda: interop.from_torch(CELLS["gru"], {}, reverse="no"),
        lambda: interop.to_torch(CELLS["gru"], random_params(CELLS["gru"]), bias="no"),
        lambda: interop.to_torch(CELLS["gru"], random_params(CELLS["gru"]), reverse=0),
        lambda: interop.to_keras(CELLS["gru"], random_params(CELLS["gru"]), bias="no"),
        lambda: interop.to_equinox(CELLS["gru"], random_params(CELLS["gru"]), bias="no"),
    ):
        with pytest.raises(TypeError, match="must be True or False"):
            call()


def test_layers_themselves_are_their_weights():
    torch = pytest.importorskip("torch")
    layer, cell = torch.nn.GRU(3, H), GRU(H)
    chex.assert_trees_all_equal(interop.from_torch(cell, layer), interop.from_torch(cell, layer.state_dict()))
    module = nnx.GRUCell(3, H, rngs=nnx.Rngs(0))
    chex.assert_trees_all_equal(interop.from_nnx(cell, module), interop.from_nnx(cell, nnx.state(module)))


class Layer:
    """What a layer of Keras is for us."""

    def get_weights(self):
        return [np.ones((3, 3 * H)), np.ones((H, 3 * H)), np.ones((2, 3 * H))]


def test_a_layer_of_keras_gives_its_weights():
    cell = GRU(H)
    chex.assert_trees_all_equal(interop.from_keras(cell, Layer()), interop.from_keras(cell, Layer().get_weights()))
