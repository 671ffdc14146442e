"""Gradients by lag, by depth and along training, where the answer is known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.cells import GRU, LSTM, Elman, ElmanParams
from seqvision.interpret import depth_profile, gradient_by_lag, gradient_trace

KEY = jax.random.key(0)


def scaled_identity(a, H=3):
    return ElmanParams(w_x=jnp.eye(H), w_h=a * jnp.eye(H), b=jnp.zeros(H))


@pytest.mark.parametrize("a", [0.5, 1.0, 1.25])
def test_a_linear_cell_has_the_powers_of_its_weight(a):
    xs = jax.random.normal(KEY, (2, 4, 12, 3))
    by_lag = gradient_by_lag(Elman(3, "linear"), scaled_identity(a), xs)
    assert by_lag.shape == (2, 4, 12)
    np.testing.assert_allclose(by_lag, np.broadcast_to(a ** np.arange(12), (2, 4, 12)), rtol=1e-5)


def test_a_saturating_cell_is_bounded_by_its_slope():
    by_lag = gradient_by_lag(Elman(3, "sigmoid"), scaled_identity(1.0), jnp.zeros((20, 3)))
    ratios = by_lag[1:] / by_lag[:-1]
    assert by_lag[0] <= 0.25
    assert (ratios <= 0.25).all()
    assert (ratios > 0.2).all()


def test_any_cell_loss_and_state():
    def first_unit(y):
        return y[..., 0]

    for cell in (GRU(4), LSTM(4)):
        params = cell.init(KEY, 2)
        state = jax.tree.map(lambda leaf: leaf + 0.5, cell.initial_state(params, (5,)))
        xs = jax.random.normal(KEY, (5, 9, 2))
        got = gradient_by_lag(cell, params, xs, state=state, loss=first_unit)
        assert got.shape == (5, 9)

        def last(x, cell=cell, params=params, state=state):  # by finite differences, at lag 2 of sequence 0
            now = jax.tree.map(lambda leaf: leaf[0], state)
            for row in x:
                now, y = cell.step(params, now, row)
            return float(y[0])

        step = 1e-2
        slopes = [(last(xs[0].at[6, d].add(step)) - last(xs[0].at[6, d].add(-step))) / (2 * step) for d in range(2)]
        np.testing.assert_allclose(got[0, 2], np.hypot(*slopes), rtol=5e-3)
    with pytest.raises(ValueError, match=r"one number a sequence, \(5,\), got shape \(5, 4\)"):
        gradient_by_lag(cell, params, xs, loss=lambda y: y)


def test_depth_of_linear_and_sigmoid_layers():
    x = jax.random.normal(KEY, (6, 2))
    linear = depth_profile(jnp.stack([3.0 * jnp.eye(2)] * 4), x, lambda a: a)
    np.testing.assert_allclose(linear.gradient, 3.0 ** np.arange(3, -1, -1), rtol=1e-5)
    np.testing.assert_allclose(linear.output, 3.0 ** np.arange(1, 5) * np.sqrt(np.mean(np.asarray(x) ** 2)), rtol=1e-5)
    sigmoid = depth_profile(jnp.stack([jnp.eye(2)] * 10), x, jax.nn.sigmoid)
    assert (sigmoid.gradient <= 0.25 ** np.arange(10, 0, -1)).all()
    assert (sigmoid.dead == 0).all()


def test_dead_units_have_slope_zero_for_every_example():
    x = jnp.array([[1.0, 2.0, 0.0, 0.0], [3.0, 0.5, 0.0, 0.0]])
    first = jnp.array([[1.0, -1.0, 1.0, -1.0], [1.0, -1.0, -1.0, 1.0], [0.0] * 4, [0.0] * 4])
    kernels = jnp.stack([first, jnp.ones((4, 4))])
    profile = depth_profile(kernels, x, jax.nn.relu)  # unit 1 never fires; 2 and 3 do for one of the examples
    np.testing.assert_allclose(profile.dead, [0.25, 0.0])
    assert (depth_profile(kernels, x, jax.nn.leaky_relu).dead == 0).all()
    np.testing.assert_allclose(depth_profile(-kernels, x, jax.nn.relu).dead, [0.25, 1.0])


def test_bad_shapes_are_refused():
    with pytest.raises(ValueError, match=r"kernels \(L, n, n\) and x \(B, n\), got \(2, 3, 4\) and \(5, 3\)"):
        depth_profile(jnp.ones((2, 3, 4)), jnp.ones((5, 3)), jnp.tanh)
    with pytest.raises(ValueError, match=r"one number an example, \(5,\), got shape \(5, 3\)"):
        depth_profile(jnp.ones((2, 3, 3)), jnp.ones((5, 3)), jnp.tanh, loss=lambda h: h)


def test_the_trace_of_training_and_what_clipping_does_to_it():
    def steep(w, target):
        return 50.0 * jnp.sum((w - target) ** 2)

    targets = jnp.zeros((5, 2))
    start = jnp.array([3.0, 4.0])
    trace = gradient_trace(steep, start, optax.sgd(0.05), targets)  # w -> -4 w
    np.testing.assert_allclose(trace.norms, 500.0 * 4.0 ** np.arange(5), rtol=1e-5)
    np.testing.assert_allclose(trace.losses, 50.0 * 25.0 * 16.0 ** np.arange(5), rtol=1e-5)
    clipped = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.05))
    trace = gradient_trace(steep, start, clipped, targets)  # steps of length .05 towards 0
    np.testing.assert_allclose(trace.norms, 100.0 * (5.0 - 0.05 * np.arange(5)), rtol=1e-5)
    np.testing.assert_allclose(jnp.linalg.norm(trace.params), 4.75, rtol=1e-5)
