"""Which modules are told whether they train."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
import pytest

from seqvision.data import Batch
from seqvision.training import create_state, forward, make_train_step


class Told(nn.Module):
    """Gives 1 in training and 0 at inference."""

    @nn.compact
    def __call__(self, x, *, train):
        return nn.Dense(1)(x) * 0.0 + jnp.float32(train)


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ([Told(), nn.relu], True),
        ([nn.Sequential([Told()]), nn.relu], True),
        ([nn.Dense(1), nn.relu], False),
        ([lambda x: x, nn.Dense(1)], False),
    ],
    ids=["first layer", "nested", "no layer", "function"],
)
def test_a_sequential_is_told_if_its_first_layer_asks(layers, told):
    x, y = jnp.ones((4, 3)), jnp.zeros((4, 1))
    state = create_state(nn.Sequential(layers), optax.sgd(0.0), jax.random.key(0), x)
    _, metrics = make_train_step("mse")(state, Batch(x, y))
    if told:
        assert metrics["loss"] == 1.0
        assert (forward(state, x) == 0.0).all()
    else:
        assert metrics["loss"] == pytest.approx(float(jnp.square(forward(state, x)).mean()))
