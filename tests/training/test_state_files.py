"""A training state goes through the files and messages that people keep states in, and trains on as if it had not."""

import pickle
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
import pytest
from flax import serialization

from seqvision.training import TrainState, create_adversarial_state, create_state, fit


class Network(nn.Module):
    """Batch statistics and dropout: all that a state holds has work to do."""

    @nn.compact
    def __call__(self, x, train=False):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(3)(x))
        return nn.Dense(1)(nn.Dropout(0.3, deterministic=not train)(x))


MODEL, ADAM = Network(), optax.adam(1e-2)
X = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
DATA = (X, X[:, :1])
train = partial(fit, MODEL, DATA, loss="mse", optimizer=ADAM, batch_size=5, progress=False)


@pytest.fixture(scope="module")
def state():
    return train(epochs=2, key=3).state


def blank():
    return create_state(MODEL, ADAM, jax.random.key(9), X[:1])


def through_flax(state, path):
    return serialization.from_bytes(blank(), serialization.to_bytes(state))


def through_state_dict(state, path):
    return serialization.from_state_dict(blank(), serialization.to_state_dict(state))


def through_orbax(state, path):
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(path / "here", state)
        checkpointer.wait_until_finished()
        return checkpointer.restore(path / "here", blank())


def through_orbax_shapes(state, path):
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(path / "here", state)
        checkpointer.wait_until_finished()
        return checkpointer.restore(path / "here", jax.eval_shape(blank))


def through_cloudpickle(state, path):
    cloudpickle = pytest.importorskip("cloudpickle")
    return cloudpickle.loads(cloudpickle.dumps(state))


def through_pickle(state, path):
    bare = state.replace(apply_fn=None, tx=None)  # functions inside functions, which pickle refuses
    return pickle.loads(pickle.dumps(bare)).replace(apply_fn=state.apply_fn, tx=state.tx)


WAYS = [through_flax, through_state_dict, through_orbax, through_orbax_shapes, through_cloudpickle, through_pickle]


@pytest.mark.parametrize("way", WAYS)
def test_what_comes_back_is_the_same_to_the_bit_and_trains_on_the_same(state, tmp_path, way):
    back = way(state, tmp_path)
    assert isinstance(back, TrainState)
    assert back.key == state.key
    assert jax.random.key_impl(back.key) == jax.random.key_impl(state.key)
    ours, theirs = (jax.tree.leaves(each.replace(key=None, tx=None, apply_fn=None)) for each in (state, back))
    for left, right in zip(ours, theirs, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    gone_on = [train(epochs=1, key=5, state=each).state.params for each in (state, back)]
    jax.tree.map(np.testing.assert_array_equal, *gone_on)


def test_populations_and_networks_in_opposition_go_through_too():
    states = blank().replace(key=jax.random.split(jax.random.key(0), 3))
    back = serialization.from_bytes(states, serialization.to_bytes(states))
    assert (back.key == states.key).all()
    both = create_adversarial_state(nn.Dense(2), nn.Dense(1), ADAM, 0, X[:1], latent=4)
    plain = serialization.to_state_dict(both)
    assert serialization.from_state_dict(both, plain).discriminator.key == both.discriminator.key


def test_keys_of_other_generators_and_of_the_old_kind(state):
    rbg = state.replace(key=jax.random.key(1, impl="rbg"))
    assert serialization.from_bytes(rbg, serialization.to_bytes(rbg)).key == rbg.key
    with pytest.raises(ValueError, match=r"key is one of 'rbg', but the state's is of .*threefry"):
        serialization.from_bytes(state, serialization.to_bytes(rbg))
    old = state.replace(key=jax.random.PRNGKey(1))
    np.testing.assert_array_equal(serialization.from_bytes(old, serialization.to_bytes(old)).key, old.key)
    with pytest.raises(ValueError, match="key is one of "):
        serialization.from_bytes(state, serialization.to_bytes(old))


def test_what_is_no_state_is_refused(state):
    plain = serialization.to_state_dict(state)
    for wrong, message in (
        ({name: part for name, part in plain.items() if name != "key"}, "lacks key"),
        ({**plain, "kee": 1}, r"has 'kee'; did you mean key\?"),
        (3, "is restored from a dict of batch_stats, key"),
        (
            {**plain, "key": {**plain["key"], "data": np.zeros(3, np.uint32)}},
            r"key is uint32\(3,\), expected uint32\(2,\)",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            serialization.from_state_dict(state, wrong)
    assert jnp.isfinite(state.step)
