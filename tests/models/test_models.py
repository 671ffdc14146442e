"""Layers and models: what they compute, how their parameters look, what they refuse."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from seqvision.cells import GRU, LSTM, Elman, LSTMParams, unroll
from seqvision.models import (
    MLP,
    Anchored,
    ClassificationHead,
    ConvBlock,
    ConvNet,
    Recurrent,
    RecurrentLayer,
    RegressionHead,
)

KEY = jax.random.key(0)


def count(variables):
    return sum(p.size for p in jax.tree.leaves(variables["params"]))


def draw(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@pytest.mark.parametrize("cell", [Elman(3), GRU(3), GRU(3, reset_after=False), LSTM(3)])
def test_a_layer_is_unroll_with_its_parameters_as_a_dict(cell):
    x = draw(2, 5, 4)
    layer = RecurrentLayer(cell)
    variables = layer.init(KEY, x)
    fields = variables["params"]["cell"]
    assert isinstance(fields, dict)
    expected = cell.init(KEY, 4)
    assert sorted(fields) == sorted(k for k, v in expected._asdict().items() if v is not None)
    final, ys = layer.apply(variables, x)
    _, wanted = unroll(cell, type(expected)(**fields), x)
    np.testing.assert_array_equal(ys, wanted)
    np.testing.assert_array_equal(final.h, wanted[:, -1])
    assert ("cell", "w_h") in flatten_dict(variables["params"])


KNOWN = {
    491: (Recurrent((LSTM(10),)), (10, 1)),
    146: (Recurrent((LSTM(5),)), (10, 1)),
    81_674: (Recurrent((LSTM(128),), head=ClassificationHead(10)), (28, 28)),
    30_643: (Recurrent((Elman(128), Elman(64)), head=nn.Sequential((nn.Dense(25), RegressionHead()))), (60, 1)),
    101_770: (MLP((128,), dropout=0.2, head=ClassificationHead(10)), (28, 28, 1)),
    27_195_001: (MLP((3000,) * 4), (60, 1)),
    360_458: (ConvNet(), (28, 28, 1)),
}


@pytest.mark.parametrize("parameters", KNOWN)
def test_parameter_counts_of_the_known_networks(parameters):
    model, shape = KNOWN[parameters]
    assert count(jax.eval_shape(model.init, KEY, jnp.zeros((1, *shape)))) == parameters


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("readout", ["last", "max", "mean", "all"])
def test_readouts_of_a_padded_batch_equal_each_sequence_alone(readout, bidirectional):
    x, lengths = draw(3, 6, 2), [6, 3, 1]
    mask = jnp.arange(6)[None] < jnp.array(lengths)[:, None]
    model = Recurrent((LSTM(3), GRU(4)), bidirectional, readout, head=None)
    variables = model.init(KEY, x)
    together = model.apply(variables, jnp.where(mask[..., None], x, jnp.nan), mask=mask)
    for row, length in enumerate(lengths):
        alone = model.apply(variables, x[row : row + 1, :length])[0]
        found = together[row, :length] if readout == "all" else together[row]
        np.testing.assert_allclose(found, alone, rtol=1e-5, atol=1e-6)


def test_an_empty_sequence_reads_zero():
    x = draw(2, 4, 2)
    for readout in ("max", "mean", "last"):
        model = Recurrent((LSTM(3),), readout=readout, head=None)
        variables = model.init(KEY, x)
        outputs = model.apply(variables, x, mask=jnp.zeros((2, 4), bool))
        np.testing.assert_array_equal(outputs, np.zeros((2, 3)))


def test_bidirectional_last_is_the_forward_end_and_the_backward_start():
    x = draw(2, 5, 2)
    model = Recurrent((LSTM(3),), bidirectional=True, head=None)
    variables = model.init(KEY, x)
    ahead, back = (LSTMParams(**variables["params"][name]["cell"]) for name in ("layer_0", "layer_0_reverse"))
    expected = jnp.concatenate(
        [unroll(LSTM(3), ahead, x)[1][:, -1], unroll(LSTM(3), back, x, reverse=True)[1][:, 0]], axis=-1
    )
    np.testing.assert_array_equal(model.apply(variables, x), expected)


class Sum:
    """A cell of a user's own: its parameters are a dict, its state a bare array."""

    def init(self, key, in_features):
        return {"scale": jnp.ones((in_features,))}

    def initial_state(self, params, batch_shape=()):
        return jnp.zeros((*batch_shape, params["scale"].shape[0]))

    def step(self, params, state, x):
        state = state + x * params["scale"].reshape((1,) * (x.ndim - 1) + (-1,))
        return state, state


def test_a_cell_of_the_users_own_works_in_the_models():
    x = draw(2, 5, 3)
    model = Recurrent((Sum(),), head=None)
    y, _ = model.init_with_output(KEY, x)
    np.testing.assert_allclose(y, x.sum(1), rtol=1e-5)


@pytest.mark.parametrize("horizon", [1, 4])
def test_regression_head_on_one_step_and_on_all(horizon):
    x = draw(2, 5, 3)
    for readout, shape in (("last", (2, horizon, 2)), ("all", (2, 5, horizon, 2))):
        model = Recurrent((GRU(3),), readout=readout, head=RegressionHead(horizon, 2))
        assert model.init_with_output(KEY, x)[0].shape == shape


def test_dropout_acts_in_training_only():
    x = draw(4, 8, 8, 1)
    for model in (MLP((16,), dropout=0.5), ConvNet((4,), dropout=0.5, dense=(8,), head=ClassificationHead(3))):
        variables = model.init(KEY, x)
        np.testing.assert_array_equal(model.apply(variables, x), model.apply(variables, x))
        one, two = (model.apply(variables, x, train=True, rngs={"dropout": jax.random.key(k)}) for k in (1, 2))
        assert not np.allclose(one, two)


def test_conv_block_equals_flax_layers():
    x = draw(2, 9, 8, 3)
    ours = ConvBlock(4, (3, 2), stride=(2, 1), pool=(2, 2))
    variables = ours.init(KEY, x)
    assert sorted(variables["params"]) == ["bias", "kernel"]
    theirs = nn.Conv(4, (3, 2), strides=(2, 1), padding="SAME")
    expected = nn.max_pool(nn.relu(theirs.apply(variables, x)), (2, 2), (2, 2))
    np.testing.assert_allclose(ours.apply(variables, x), expected, rtol=1e-5, atol=1e-6)


def test_conv_block_normalizes_before_the_activation():
    x = draw(8, 6, 6, 2)
    block = ConvBlock(3, activation="linear", batch_norm=True)
    variables = block.init(KEY, x)
    assert sorted(variables["params"]) == ["kernel", "norm"]
    y, updates = block.apply(variables, x, train=True, mutable=["batch_stats"])
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(y.var((0, 1, 2)), 1, rtol=1e-2)
    assert updates["batch_stats"]["norm"]["mean"].shape == (3,)


def test_our_convolution_is_a_hook_for_flax():
    from seqvision.conv import conv_general_dilated

    x = draw(2, 7, 7, 3)
    plain = nn.Conv(4, (3, 3), strides=2)
    variables = plain.init(KEY, x)
    hooked = nn.Conv(4, (3, 3), strides=2, conv_general_dilated=conv_general_dilated)
    np.testing.assert_allclose(hooked.apply(variables, x), plain.apply(variables, x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "x"),
    [
        (Recurrent((LSTM(4), GRU(3)), bidirectional=True), draw(2, 5, 3)),
        (MLP((4,)), draw(2, 5, 3)),
        (ConvNet((4, 4), batch_norm=True, dense=(8,)), draw(2, 8, 8, 1)),
        (Anchored(MLP((4,))), draw(2, 5, 1)),
    ],
)
def test_tabulate(model, x):
    table = model.tabulate(KEY, x, console_kwargs={"width": 160})
    assert "Total Parameters" in table


BAD = {
    "cells must be a tuple of at least one cell": lambda: Recurrent(()).init(KEY, draw(1, 2, 1)),
    "cells must be a tuple": lambda: Recurrent(LSTM(2)).init(KEY, draw(1, 2, 1)),
    "readout must be one of 'last', .* 'all', got 'first'": lambda: Recurrent((LSTM(2),), readout="first").init(
        KEY, draw(1, 2, 1)
    ),
    "activation must be one of linear, relu, .* got 'rleu'": lambda: MLP((2,), activation="rleu").init(KEY, draw(1, 2)),
    "RegressionHead: horizon must be an int >= 1, got 0": lambda: RegressionHead(0).init(KEY, draw(1, 2)),
    "ClassificationHead: num_classes must be an int >= 1, got 0": lambda: ClassificationHead(0).init(KEY, draw(1, 2)),
    "groups must divide the 3 input channels": lambda: ConvBlock(4, groups=2).init(KEY, draw(1, 4, 4, 3)),
    "the model forecasts 1 values, but 2 columns are anchored": lambda: Anchored(MLP((2,))).init(KEY, draw(1, 4, 2)),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_settings_are_refused(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()
