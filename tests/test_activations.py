"""The table of activations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.activations import MONOTONE, bru
from seqvision.conv import ACTIVATIONS, activation


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_values_and_slopes_are_finite_everywhere(name):
    x = jnp.array([-1e4, -50.0, -1.0, 0.0, 1e-3, 3.0, 50.0, 1e4])
    values, slopes = jax.vmap(jax.value_and_grad(activation(name)))(x)
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize("name", sorted(MONOTONE))
def test_those_that_are_called_monotone_never_decrease(name):
    assert (np.diff(MONOTONE[name](jnp.linspace(-8, 8, 4001))) >= -1e-6).all()  # rounding of tanh


@pytest.mark.parametrize("r", [1.0, 2.0, 3.0])
def test_bionodal_root_unit_is_smooth_at_nought(r):
    np.testing.assert_allclose(bru(0.0, r), 1 - 1 / r, atol=1e-6)
    np.testing.assert_allclose([jax.grad(bru)(x, r) for x in (-1e-6, 0.0, 1e-6)], r, rtol=1e-4)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_slopes_at_kinks_lie_between_those_beside_them(name):
    kinks = jnp.array([-3.0, -1.0, 0.0, 1.0, 3.0, 6.0])
    slope = jax.vmap(jax.grad(activation(name)))
    left, at, right = (np.asarray(slope(kinks + step)) for step in (-1e-3, 0.0, 1e-3))
    assert (at >= np.minimum(left, right) - 1e-2).all()
    assert (at <= np.maximum(left, right) + 1e-2).all()


def test_slopes_at_kinks_are_those_of_torch():
    torch = pytest.importorskip("torch")
    functions = {
        "relu": (torch.nn.functional.relu, [0.0]),
        "relu6": (torch.nn.functional.relu6, [0.0, 6.0]),
        "elu": (torch.nn.functional.elu, [0.0]),
        "selu": (torch.nn.functional.selu, [0.0]),
        "celu": (torch.nn.functional.celu, [0.0]),
        "hard_sigmoid": (torch.nn.functional.hardsigmoid, [-3.0, 3.0]),
    }
    for name, (function, kinks) in functions.items():
        x = torch.tensor(kinks, requires_grad=True)
        function(x).sum().backward()
        found = jax.vmap(jax.grad(activation(name)))(jnp.array(kinks))
        np.testing.assert_allclose(found, x.grad.numpy(), rtol=1e-5, err_msg=name)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"one of linear, relu, .* got 'relo'"):
        activation("relo")
