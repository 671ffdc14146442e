"""Forecasts by blocks against the model itself, free runs against `free_run`, and how many programs that takes."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import GRU
from seqvision.models import MLP, Anchored, Recurrent, RegressionHead
from seqvision.pipelines.forecasting import forecaster
from seqvision.pipelines.forecasting.forecaster import BLOCK, STEPS, Forecaster
from seqvision.seq2seq import free_run

LENGTH = 6
COMPILED: list[str] = []
jax.monitoring.register_event_duration_secs_listener(
    lambda name, seconds, **about: COMPILED.append(name) if name.endswith("backend_compile_duration") else None
)


class Squashed(nn.Module):
    """A model whose free runs stay small, as wide as nothing else in the tests: its programs are its own."""

    horizon: int = 1
    hidden: int = 3

    @nn.compact
    def __call__(self, x):
        return jnp.tanh(MLP((self.hidden,), head=RegressionHead(self.horizon, x.shape[-1]))(x))


def seeds_of(model, columns=1, count=3):
    return [model.init(jax.random.key(seed), np.zeros((1, LENGTH, columns), np.float32)) for seed in range(count)]


def windows(rows, columns=1):
    return np.random.default_rng(0).normal(size=(rows, LENGTH, columns))


@pytest.mark.parametrize("rows", [1, BLOCK, 2 * BLOCK + 3])
@pytest.mark.parametrize(("horizon", "columns", "targets"), [(1, 1, (0,)), (2, 3, (2,))])
def test_forecasts_are_those_of_the_model(rows, horizon, columns, targets):
    model = Anchored(Recurrent((GRU(5),), head=RegressionHead(horizon, 1)), targets)
    variables = seeds_of(model, columns)
    found = Forecaster(model, variables, horizon, targets=1).forecast(windows(rows, columns))
    x = windows(rows, columns).astype(np.float32)
    np.testing.assert_allclose(found, [model.apply(one, x) for one in variables], rtol=1e-5, atol=1e-6)


def test_many_rows_go_by_large_blocks(monkeypatch):
    monkeypatch.setattr(forecaster, "LARGE_BLOCK", 2 * BLOCK)
    sizes = []
    call = Forecaster._call
    monkeypatch.setattr(Forecaster, "_call", lambda self, x, steps: sizes.append(x.shape[1]) or call(self, x, steps))
    model = Squashed(horizon=2)
    variables, x = seeds_of(model), windows(5 * BLOCK + 3)
    found = Forecaster(model, variables, horizon=2, targets=1).forecast(x)
    assert sizes == [2 * BLOCK, 2 * BLOCK, 2 * BLOCK]
    assert found.shape == (3, len(x), 2, 1)
    np.testing.assert_allclose(found, [model.apply(one, x.astype(np.float32)) for one in variables], rtol=1e-5)


@pytest.mark.parametrize("steps", [1, STEPS, STEPS + 3])
@pytest.mark.parametrize("columns", [1, 2])
def test_free_runs_are_those_of_one_scan(steps, columns):
    model = Squashed(horizon=2)
    variables, x = seeds_of(model, columns), windows(BLOCK + 1, columns)
    found = Forecaster(model, variables, horizon=2, targets=columns).run_freely(x, steps)
    assert found.shape == (3, len(x), steps, columns)
    for seed, origin in ((0, 0), (1, BLOCK - 1), (2, BLOCK)):
        history = jnp.asarray(x[origin], jnp.float32)
        path = free_run(lambda window, v=variables[seed]: model.apply(v, window), history, steps)
        np.testing.assert_allclose(found[seed, origin], path, rtol=1e-4, atol=1e-5)


def test_one_program_forecasts_and_runs_freely_whatever_the_rows_and_steps():
    model = Squashed(hidden=11)
    variables = seeds_of(model)
    one = Forecaster(model, variables, horizon=1, targets=1)
    before = len(COMPILED)
    for rows in (1, 3, 40):
        one.forecast(windows(rows))
        one.run_freely(windows(rows), steps=rows + 40)
    assert len(COMPILED) - before == 1
    Forecaster(Squashed(hidden=11), variables, horizon=1, targets=1).forecast(windows(7))
    assert len(COMPILED) - before == 1
