"""Readouts over time of sequences without a valid step, or without any step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import GRU, LSTM, MinGRU
from seqvision.models import Recurrent, RegressionHead

H = 4


def program(model, mask):
    """From variables and inputs to the gradients of both, and the outputs."""

    def loss(variables, x):
        y = model.apply(variables, x, mask=mask)
        return jnp.sum(jnp.sin(y)), y

    return jax.jit(jax.grad(loss, (0, 1), has_aux=True))


@pytest.mark.parametrize("readout", ["last", "max", "mean"])
def test_sequences_without_a_valid_step_read_as_zero_and_have_finite_gradients(readout):
    model = Recurrent((GRU(H),), bidirectional=readout == "last", readout=readout, head=None)
    x = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    mask = np.arange(5) < np.array([0, 3, 5])[:, None]
    variables = model.init(jax.random.key(0), x)
    x[0] = np.inf
    run = program(model, mask)
    with jax.debug_nans(True), jax.debug_infs(True):
        gradients, y = run(variables, np.where(mask[..., None], x, 0))
    again, y_again = run(variables, x)
    assert not y[0].any()
    assert not gradients[1][0].any()
    np.testing.assert_array_equal(y, y_again)
    jax.tree.map(np.testing.assert_array_equal, gradients, again)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((gradients, y)))


@pytest.mark.parametrize("readout", ["last", "max", "mean", "all"])
@pytest.mark.parametrize("masked", [False, True])
def test_sequences_without_steps_read_as_zero(readout, masked):
    model = Recurrent((MinGRU(H), LSTM(H)), bidirectional=masked, readout=readout, head=RegressionHead())
    variables = model.init(jax.random.key(0), jnp.ones((1, 3, 2)))
    variables["params"]["head"]["dense"]["bias"] = jnp.ones(1)
    x, mask = jnp.zeros((3, 0, 2)), jnp.zeros((3, 0), bool) if masked else None
    with jax.debug_nans(True):
        gradients, y = program(model, mask)(variables, x)
    assert y.shape == ((3, 0, 1, 1) if readout == "all" else (3, 1, 1))
    np.testing.assert_array_equal(y, 1)  # the head's bias
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    _, states = model.apply(variables, x, mask=mask, return_state=True)
    assert not any(leaf.any() for leaf in jax.tree.leaves(states))
