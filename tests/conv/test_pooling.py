"""Pools against the float64 references and against windows taken one by one."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax
from jax.test_util import check_grads

from seqvision.conv import avg_pool, global_avg_pool, global_max_pool, max_pool, sum_pool
from seqvision.testing import reference


@st.composite
def configurations(draw):
    axes = draw(st.integers(1, 3))
    per_axis = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    window = per_axis(1, 3 if axes < 3 else 2)
    stride = draw(st.sampled_from([None, per_axis(1, 3)]))
    padding = draw(st.sampled_from(["valid", "same", "pairs"]))
    if padding == "pairs":
        padding = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in window)
    sizes = tuple(k + draw(st.integers(0, 4 if axes < 3 else 2)) for k in window)
    batch = tuple(draw(st.lists(st.integers(1, 2), max_size=2)))
    return (*batch, *sizes, draw(st.integers(1, 2))), window, {"stride": stride, "padding": padding}


def pull_by_hand(x, cotangent, window, stride, padding):
    """The gradient of max pooling: every window's goes to the first of its largest pixels."""
    axes = len(window)
    stride = window if stride is None else stride
    images = x.reshape(-1, *x.shape[x.ndim - axes - 1 :])
    out = cotangent.shape[cotangent.ndim - axes - 1 : -1]
    cotangent = cotangent.reshape(images.shape[0], *out, x.shape[-1])
    low = [0] * axes
    if padding == "same":
        low = [max((-(-n // s) - 1) * s + k - n, 0) // 2 for n, k, s in zip(x.shape[-axes - 1 :], window, stride)]  # noqa: B905
    elif padding != "valid":
        low = [pair[0] for pair in padding]
    gradient = np.zeros_like(images)
    for n, c, pixel in itertools.product(range(images.shape[0]), range(x.shape[-1]), np.ndindex(*out)):
        corner = [p * s - lo for p, s, lo in zip(pixel, stride, low, strict=True)]
        seen = [
            tuple(a + b for a, b in zip(corner, tap, strict=True))
            for tap in np.ndindex(*window)
            if all(0 <= a + b < size for a, b, size in zip(corner, tap, images.shape[1:-1], strict=True))
        ]
        best = max(seen, key=lambda place: images[(n, *place, c)])  # the first of the largest
        gradient[(n, *best, c)] += cotangent[(n, *pixel, c)]
    return gradient.reshape(x.shape)


@given(configurations(), st.integers(0, 2**31), st.booleans())
@settings(max_examples=12)
def test_max_pool(configuration, seed, ties):
    shape, window, options = configuration
    rng = np.random.default_rng(seed)
    x = (rng.integers(0, 3, shape) if ties else rng.normal(size=shape)).astype(np.float32)
    expected = reference.max_pool(x, window, **options)
    cotangent = rng.normal(size=expected.shape).astype(np.float32)

    @jax.jit
    def run(x, cotangent):
        y, pull = jax.vjp(lambda x: max_pool(x, window, **options), x)
        return max_pool(x, window, **options), y, pull(cotangent)[0]

    alone, y, gradient = run(x, cotangent)
    np.testing.assert_array_equal(alone, expected)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_allclose(gradient, pull_by_hand(x, cotangent, window, **options), rtol=1e-5, atol=1e-5)


@given(configurations(), st.integers(0, 2**31))
@settings(max_examples=10)
def test_sum_and_average_pools(configuration, seed):
    shape, window, options = configuration
    x = np.random.default_rng(seed).normal(size=shape)
    with jax.enable_x64(True):

        @jax.jit
        def run(x):
            results = []
            for pool in (sum_pool, avg_pool):
                y, pull = jax.vjp(lambda x, pool=pool: pool(x, window, **options), x)
                results.append((y, pull(y)[0]))
            return results

        for (y, back), slow in zip(run(x), (reference.sum_pool, reference.avg_pool), strict=True):
            np.testing.assert_allclose(y, slow(x, window, **options), rtol=1e-12, atol=1e-12)
            # linear: <pool(x), y> = <x, transpose(y)>
            np.testing.assert_allclose(np.sum(y * y), np.sum(x * back), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("stride", [(1, 2), (2, 2)])
def test_both_modes_of_differentiation(x64, stride):
    x = np.random.default_rng(0).permutation(np.arange(2 * 7 * 6 * 2) / 10.0).reshape(2, 7, 6, 2)
    check_grads(jax.jit(lambda x: max_pool(x, (2, 2), stride=stride) ** 2), (x,), order=1, modes=("fwd", "rev"))


def test_average_counts_real_pixels_only():
    y = avg_pool(jnp.ones((5, 5, 1)), (3, 3), stride=2, padding="same")
    np.testing.assert_array_equal(y, np.ones((3, 3, 1)))
    np.testing.assert_array_equal(avg_pool(jnp.ones((4, 1)), (3,), stride=1, padding=((2, 1),)), np.ones((5, 1)))


def test_padding_never_wins_even_against_minus_infinity_or_the_least_integer():
    x = jnp.full((3, 1), -jnp.inf)
    np.testing.assert_array_equal(max_pool(x, (3,), stride=1, padding="same"), x)
    x = jnp.array([[-7], [-128], [-3]], jnp.int8)
    y = max_pool(x, (2,), stride=1, padding=1)
    assert y.dtype == jnp.int8
    np.testing.assert_array_equal(y[:, 0], [-7, -7, -3, -3])


@pytest.mark.parametrize("window", [(2,), (3,)])
def test_not_a_number_wins_and_gets_the_gradient(window):
    x = jnp.array([1.0, jnp.nan, 5.0, 2.0, 0.0, 1.0])[:, None]
    y, pull = jax.vjp(lambda x: max_pool(x, window, stride=2), x)
    assert np.isnan(y[0, 0])
    assert y[1, 0] == 5
    assert pull(jnp.ones_like(y))[0][1, 0] == 1


def test_integers_and_short_floats():
    x = jnp.full((4, 4, 1), 200, jnp.uint8)
    assert sum_pool(x, (4, 4)).item() == 3200
    assert avg_pool(x, (4, 4)).dtype == jnp.float32
    half = jnp.full((64, 64, 1), 0.1, jnp.bfloat16)
    assert sum_pool(half, (64, 64)).dtype == jnp.bfloat16
    np.testing.assert_allclose(avg_pool(half, (64, 64)).item(), 0.1, rtol=2**-8)


@pytest.mark.parametrize("stride", [None, 3])
def test_large_windows(stride):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, (13, 17, 1)).astype(np.float32)  # with ties
    options = {"stride": stride, "padding": "valid"}
    expected = reference.max_pool(x, (5, 7), **options)
    cotangent = rng.normal(size=expected.shape).astype(np.float32)
    y, pull = jax.vjp(jax.jit(lambda x: max_pool(x, (5, 7), **options)), x)
    np.testing.assert_array_equal(y, expected)
    if stride:
        stride = (stride, stride)
    gradient = pull_by_hand(x, cotangent, (5, 7), stride, "valid")
    np.testing.assert_allclose(pull(cotangent)[0], gradient, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(avg_pool(x, (5, 7), **options), reference.avg_pool(x, (5, 7), **options), rtol=1e-5)


@pytest.mark.parametrize("shape", [(4, 6, 3), (2, 4, 6, 3), (2, 5, 4, 6, 3)])
def test_global_pools(shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(global_max_pool(x), x.max((-3, -2)))
    np.testing.assert_allclose(global_avg_pool(x), x.mean((-3, -2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(global_max_pool(x, spatial=1), x.max(-2))
    assert global_avg_pool(x, spatial=len(shape) - 1).shape == (3,)


def test_vmap_equals_batch_axes():
    x = np.random.default_rng(0).normal(size=(3, 2, 6, 6, 2)).astype(np.float32)
    np.testing.assert_array_equal(jax.vmap(lambda x: max_pool(x, (2, 2)))(x), max_pool(x, (2, 2)))
    slope = jax.grad(lambda x: (max_pool(x, (3, 3), stride=2) ** 2).sum())
    np.testing.assert_allclose(jax.jit(jax.vmap(slope))(x), jax.jit(slope)(x), rtol=1e-6)


def test_same_sizes_as_xla():
    for size, k, s in itertools.product(range(1, 8), range(1, 4), range(1, 4)):
        x = jax.ShapeDtypeStruct((1, size, 1), jnp.float32)
        expected = jax.eval_shape(lambda x: lax.reduce_window(x, 0.0, lax.add, (1, k, 1), (1, s, 1), "SAME"), x)  # noqa: B023
        assert jax.eval_shape(lambda x: sum_pool(x, (k,), stride=s, padding="same"), x).shape == expected.shape  # noqa: B023
