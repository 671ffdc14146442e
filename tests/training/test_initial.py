"""First parameters whose random bits the host draws: those that JAX draws, from a smaller program."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.cells import GRU, LSTM
from seqvision.models import ClassificationHead, ConvNet, Recurrent, RegressionHead
from seqvision.training import create_state
from seqvision.training.initial import Initial


class Odd(nn.Module):
    """Draws in ways that layers do not."""

    @nn.compact
    def __call__(self, x):
        def draw(key, shape):
            keys = jax.random.split(key, (2, 3))
            return jax.random.normal(keys[1, 2], shape) + jax.lax.map(jax.random.uniform, keys[0]).sum()

        count = self.param("count", lambda key: jax.random.randint(jax.random.split(key)[1], (3,), 0, 100_000))
        chosen = self.param("chosen", lambda key: jax.random.permutation(key, 7).astype(jnp.float32))
        return x @ self.param("w", draw, (x.shape[-1], 2)) + count.sum() + chosen.sum()


MODELS = {
    "recurrent": (Recurrent((LSTM(3), GRU(2)), dropout=0.2, head=RegressionHead()), (1, 4, 2)),
    "pictures": (ConvNet((4,), batch_norm=True, dense=(5,), head=ClassificationHead(3)), (1, 6, 6, 1)),
    "embedded": (nn.Sequential((nn.Dense(4, kernel_init=nn.initializers.truncated_normal()), nn.Dense(2))), (1, 3)),
    "odd": (Odd(), (1, 3)),
}


@pytest.mark.parametrize("name", MODELS)
def test_first_parameters_are_those_of_the_plain_initialization(name):
    model, shape = MODELS[name]
    for key in (jax.random.key(11), jax.random.PRNGKey(11), jax.random.key(11, impl="rbg")):
        state = create_state(model, optax.adam(1e-3), key, jnp.zeros(shape))
        init_key, dropout_key, train_key = jax.random.split(key, 3)
        expected = jax.jit(model.init)({"params": init_key, "dropout": dropout_key}, jnp.zeros(shape))
        jax.tree.map(np.testing.assert_array_equal, state.params, expected["params"])
        assert (state.key == train_key).all()
        assert state.key.dtype == train_key.dtype


def test_the_program_has_no_generator_and_serves_every_key():
    initial = Initial(lambda key, x: [jax.random.normal(key, (3,)), jax.random.fold_in(key, 1), x])
    one, other = (initial(jax.random.key(seed), jnp.ones(2)) for seed in (1, 2))
    assert not np.array_equal(one[0], other[0])
    (traced,) = initial._traced.values()
    (program,) = traced.program._compiled.values()
    assert "threefry" not in program.result().as_text()
    assert initial.shapes(jax.random.key(1), jnp.ones(2))[0].shape == (3,)
