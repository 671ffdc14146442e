import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.scorecards import fit_autoregression
from seqvision.seq2seq import free_run

W = jnp.array([[0.5, 0.2], [-0.3, 0.4], [0.1, 0.7]])  # (T, D): one weight a lag and column


def model(w, x):
    """Two columns, two steps ahead: (1, T, 2) -> (1, 2, 2)."""
    first = jnp.sin((x * w[None]).sum(axis=1))
    return jnp.stack([first, first + 100.0], axis=1)


def test_equals_a_loop_and_feeds_the_first_step_back():
    history = jnp.arange(6.0).reshape(3, 2)
    run = jax.jit(lambda w, h: free_run(lambda x: model(w, x), h, steps=7))
    rows = [np.asarray(row) for row in history]
    for _ in range(7):
        rows.append(np.asarray(model(W, jnp.asarray(np.stack(rows[-3:]))[None])[0, 0]))
    np.testing.assert_allclose(run(W, history), rows[3:], rtol=1e-6)


def test_maps_over_origins_and_seeds():
    histories = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3, 2)), jnp.float32)
    paths = jax.vmap(lambda h: free_run(lambda x: model(W, x), h, steps=3))(histories)
    for path, history in zip(paths, histories, strict=True):
        np.testing.assert_allclose(path, free_run(lambda x: model(W, x), history, 3), rtol=1e-6)


def test_a_linear_model_runs_as_the_autoregression_does():
    y = np.random.default_rng(1).normal(size=40).cumsum()
    fit = fit_autoregression(y[:30], order=4)
    weights = jnp.asarray(fit.coefficients[::-1], jnp.float32)  # windows run from old to new
    ours = free_run(lambda x: (x[:, :, 0] @ weights + fit.intercept)[:, None, None], jnp.asarray(y[26:30, None]), 10)
    np.testing.assert_allclose(ours[:, 0], fit(y, [30], 10)[0], rtol=1e-4)


def test_keeps_the_dtype_of_the_history():
    out = free_run(lambda x: x[:, -1:].astype(jnp.float32), jnp.ones((3, 1), jnp.bfloat16), 2)
    assert out.dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("apply", "history", "steps", "message"),
    [
        (lambda x: x[:, -1:, :1], jnp.zeros((3, 2)), 2, "whose targets are all its input columns"),
        (lambda x: x, jnp.zeros(3), 2, r"history must be \(T, D\)"),
        (lambda x: x, jnp.zeros((0, 1)), 2, "T, D >= 1"),
        (lambda x: x, jnp.zeros((3, 1)), 0, "steps must be an int >= 1"),
    ],
)
def test_errors(apply, history, steps, message):
    with pytest.raises(ValueError, match=message):
        free_run(apply, history, steps)
