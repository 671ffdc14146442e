"""Outputs on many rows: by programs of a few sizes, whatever the number of rows."""

import flax.linen as nn
import jax
import numpy as np
import optax
import pytest

from seqvision.data import Arrays, Windows
from seqvision.training import create_state, predict
from seqvision.training.predict import FEW

COMPILED: list[str] = []
jax.monitoring.register_event_duration_secs_listener(
    lambda name, seconds, **about: COMPILED.append(name) if name.endswith("backend_compile_duration") else None
)


class Wide(nn.Module):
    """As wide as nothing else in the tests: its programs are its own."""

    width: int = 13

    @nn.compact
    def __call__(self, x):
        return nn.Dense(self.width)(x.reshape(x.shape[0], -1))


def state_of(model, x):
    return create_state(model, optax.identity(), jax.random.key(0), x)


def test_numbers_of_rows_and_equal_models_share_programs():
    x = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    states = [state_of(Wide(), x[:1]) for _ in range(2)]
    expected = np.asarray(states[0].apply_fn({"params": states[0].params}, x))
    before = len(COMPILED)
    for rows in (1, FEW, FEW + 1, 30):
        for state in states:
            np.testing.assert_allclose(predict(state, x[:rows], batch_size=60), expected[:rows], rtol=1e-5, atol=1e-6)
    assert len(COMPILED) - before == 1
    for rows in (31, 60, 61, 80):
        np.testing.assert_allclose(predict(states[0], x[:rows], batch_size=60), expected[:rows], rtol=1e-5, atol=1e-6)
    assert len(COMPILED) - before == 2


@pytest.mark.parametrize("size", [1, 7, 1024])
def test_data_sets_are_taken_by_blocks(size):
    series = np.random.default_rng(1).normal(size=40).astype(np.float32)
    windows = Windows(series, 5)
    x = np.asarray(windows.gather(np.arange(len(windows))).x)
    state = state_of(Wide(3), x[:1])
    expected = state.apply_fn({"params": state.params}, x)
    for data in (windows, Arrays(x, x[:, 0])):
        np.testing.assert_allclose(predict(state, data, batch_size=size), expected, rtol=1e-5, atol=1e-6)
