"""Values and gradients of `conv` against the float64 references, which visit one output after another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax
from jax.test_util import check_grads

from seqvision.conv import _cpu_convolution, _large_convolution, conv
from seqvision.conv.convolution import convolve
from seqvision.testing import reference


@st.composite
def configurations(draw):
    """Shapes and settings of a small convolution; every documented setting can occur with every other."""
    axes = draw(st.integers(1, 3))
    per_axis = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    window, stride = per_axis(1, {1: 5, 2: 4, 3: 2}[axes]), per_axis(1, 3)
    dilation = per_axis(1, {1: 3, 2: 2, 3: 2}[axes])
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    named = ["valid", "same", "full", "reflect", "replicate"] + ["causal"] * (axes == 1)
    padding = draw(st.sampled_from([*named, "pairs"]))
    least = spans
    if padding == "pairs":
        padding = tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(axes))
    elif padding != "valid":
        least = [span // 2 + 1 for span in spans]
    sizes = tuple(n + draw(st.integers(0, 3 if axes < 3 else 2)) for n in least)
    groups, fan_in, fan_out = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    batch = tuple(draw(st.lists(st.integers(1, 2), max_size=2)))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (*batch, *sizes, fan_in * groups), (*window, fan_in, fan_out * groups), options


@pytest.fixture(params=["large", "small"])
def form(request, monkeypatch):
    """Every convolution of a test in the form for large ones, in small chunks, or in the form for small ones."""
    large = request.param == "large"
    monkeypatch.setattr(_cpu_convolution, "_is_large", lambda *_: large)
    monkeypatch.setattr(_large_convolution, "_CHUNK_BYTES", 20_000)
    convolve.clear_cache()
    yield request.param
    convolve.clear_cache()


def value_and_gradients(x, kernel, bias, cotangent, **options):
    """Of conv, in one compilation."""

    @jax.jit
    def run(x, kernel, bias, cotangent):
        y, pull = jax.vjp(lambda *arrays: conv(*arrays, **options), x, kernel, bias)
        return y, *pull(cotangent)

    return run(x, kernel, bias, cotangent)


def assert_equals_reference(x_shape, kernel_shape, options, seed=0, rtol=1e-10, dtype=np.float64):
    rng = np.random.default_rng(seed)
    x, kernel, bias = (rng.normal(size=shape) for shape in (x_shape, kernel_shape, kernel_shape[-1:]))
    expected = reference.conv(x, kernel, bias, **options)
    cotangent = rng.normal(size=expected.shape)
    gradients = reference.conv_gradients(x, kernel, cotangent, **options)
    results = value_and_gradients(*(a.astype(dtype) for a in (x, kernel, bias, cotangent)), **options)
    for result, truth in zip(results, (expected, *gradients), strict=True):
        assert result.dtype == dtype
        assert result.shape == truth.shape
        np.testing.assert_allclose(result, truth, rtol=rtol, atol=rtol * max(1.0, np.abs(truth).max()))


@given(configurations(), st.integers(0, 2**31))
@settings(max_examples=12)
def test_values_and_gradients_equal_the_reference(configuration, seed):
    with jax.enable_x64(True):
        assert_equals_reference(*configuration, seed=seed)


@pytest.mark.parametrize(
    ("x_shape", "kernel_shape", "options"),
    [
        ((2, 3, 7, 6, 4), (2, 4, 2, 6), {"stride": (2, 3), "padding": "same", "dilation": (2, 1), "groups": 2}),
        ((9, 8, 3), (4, 2, 1, 6), {"stride": 2, "padding": "same", "dilation": 2, "groups": 3}),
        ((2, 11, 3), (4, 3, 2), {"stride": 3, "padding": "causal", "dilation": 2}),
        ((2, 5, 5, 2), (4, 2, 2, 3), {"stride": 2, "padding": "replicate", "dilation": 2}),
        ((2, 6, 5, 2), (4, 3, 2, 3), {"stride": 2, "padding": "reflect"}),
        ((2, 4, 4, 2), (3, 3, 2, 3), {"stride": 2, "padding": "full"}),
        ((3, 1, 1, 2), (3, 3, 2, 3), {"padding": "same"}),
    ],
)
def test_hard_cases(x64, x_shape, kernel_shape, options):
    assert_equals_reference(x_shape, kernel_shape, options)


@pytest.mark.parametrize(
    ("x_shape", "kernel_shape", "options"),
    [
        ((3, 41, 40, 4), (3, 5, 4, 8), {"stride": (1, 2), "padding": "same", "dilation": (2, 1)}),
        ((2, 3, 24, 21, 8), (4, 3, 4, 6), {"padding": ((0, 2), (3, 1)), "groups": 2}),
        ((2, 300, 16), (5, 16, 4), {"padding": "causal", "stride": 2}),
        ((12, 12, 11, 4), (3, 3, 2, 4, 2), {"padding": "full"}),
        ((4, 20, 20, 6), (3, 3, 1, 12), {"stride": 2, "groups": 6}),
    ],
)
def test_either_form(form, x_shape, kernel_shape, options):
    assert_equals_reference(x_shape, kernel_shape, options, rtol=3e-5, dtype=np.float32)


@pytest.mark.parametrize("groups", [2, 4])
def test_forward_and_reverse_mode_agree_with_finite_differences(x64, form, groups):
    x, kernel = differentiable(groups)
    check_grads(jax.jit(lambda *a: wave(*a, groups)), (x, kernel), order=1, modes=("fwd", "rev"))


@pytest.mark.parametrize("groups", [1, 4])
def test_second_derivatives(x64, form, groups):
    x, kernel = differentiable(groups)
    slope = jax.grad(lambda *a: wave(*a, groups).sum(), 1)
    forward = jax.jit(lambda x, k: jax.jvp(lambda k: slope(x, k), (k,), (jnp.cos(k),))[1])(x, kernel)
    reverse = jax.jit(lambda x, k: jax.grad(lambda k: jnp.vdot(slope(x, k), jnp.cos(kernel)))(k))(x, kernel)
    step = 1e-5 * np.cos(kernel)
    difference = (jax.jit(slope)(x, kernel + step) - jax.jit(slope)(x, kernel - step)) / 2e-5
    np.testing.assert_allclose(forward, difference, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(reverse, difference, rtol=1e-5, atol=1e-5)


def differentiable(groups):
    rng = np.random.default_rng(3)
    return rng.normal(size=(2, 5, 6, 4)), rng.normal(size=(3, 2, 4 // groups, 4))


def wave(x, kernel, groups):
    return jnp.sin(conv(x, kernel, stride=(1, 2), dilation=(1, 2), groups=groups))


@given(
    st.integers(1, 9),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(1, 3),
)
@settings(max_examples=10)
def test_same_is_that_of_xla(size, k, stride, dilation):
    x, kernel = np.ones((1, size, 1), np.float32), np.arange(1.0, k + 1, dtype=np.float32).reshape(k, 1, 1)
    expected = lax.conv_general_dilated(
        x, kernel, (stride,), "SAME", rhs_dilation=(dilation,), dimension_numbers=("NWC", "WIO", "NWC")
    )
    np.testing.assert_array_equal(conv(x, kernel, stride=stride, dilation=dilation), expected)


def test_integers_stand_for_all_axes_and_all_sides():
    rng = np.random.default_rng(0)
    x, kernel = (rng.normal(size=s).astype(np.float32) for s in ((7, 8, 2), (3, 3, 2, 4)))
    expected = conv(x, kernel, stride=(2, 2), dilation=(1, 1), padding=((2, 2), (2, 2)))
    np.testing.assert_array_equal(conv(x, kernel, stride=2, dilation=1, padding=2), expected)
    np.testing.assert_array_equal(conv(x, kernel, stride=2, padding=(2, 2)), expected)
    np.testing.assert_array_equal(conv(x, kernel, padding="SAME"), conv(x, kernel, padding=1))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_batches_of_none_and_nothing(axes):
    kernel = jnp.ones((*[2] * axes, 3, 4))
    assert conv(jnp.ones((*[5] * axes, 3)), kernel).shape == (*[5] * axes, 4)
    assert conv(jnp.ones((0, 2, *[5] * axes, 3)), kernel).shape == (0, 2, *[5] * axes, 4)


def test_true_convolution_is_numpys():
    signal, kernel = np.arange(6.0, dtype=np.float32), np.array([1.0, 2.0, -1.0, 3.0], np.float32)
    for mode in ("full", "valid"):
        y = conv(signal[:, None], kernel[::-1, None, None], padding=mode)[:, 0]
        np.testing.assert_allclose(y, np.convolve(signal, kernel, mode), rtol=1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [(jnp.bfloat16, 2**-8), (jnp.float16, 2**-10)])
def test_16_bit_arrays_are_summed_in_32(dtype, tolerance):
    rng = np.random.default_rng(0)
    x, kernel = (jnp.asarray(rng.normal(size=s), dtype) for s in ((2, 6, 6, 64), (3, 3, 64, 8)))
    y = jax.jit(conv)(x, kernel)
    exact = reference.conv(np.asarray(x, np.float64), np.asarray(kernel, np.float64))
    assert y.dtype == dtype
    np.testing.assert_allclose(np.asarray(y, np.float64), exact, rtol=tolerance, atol=1e-3)
    dx, dkernel = jax.jit(jax.grad(lambda x, k: conv(x, k).astype(jnp.float32).sum(), (0, 1)))(x, kernel)
    assert (dx.dtype, dkernel.dtype) == (dtype, dtype)


def test_dtypes_are_promoted():
    x, kernel = jnp.ones((4, 4, 1), jnp.bfloat16), jnp.ones((2, 2, 1, 1), jnp.float32)
    assert conv(x, kernel).dtype == jnp.float32
    assert conv(x, kernel.astype(jnp.bfloat16), jnp.ones(1, jnp.float32)).dtype == jnp.float32
    assert conv(np.ones((4, 4, 1)), kernel.astype(jnp.float16)).dtype == jnp.float32


def test_vmap_over_models_equals_a_loop(form):
    rng = np.random.default_rng(0)
    x, kernels = (rng.normal(size=s).astype(np.float32) for s in ((3, 2, 9, 9, 4), (3, 3, 2, 2, 4)))

    def loss(x, kernel):
        return jnp.sum(conv(x, kernel, groups=2, stride=2) ** 2)

    for axes, pairs in {
        (0, 0): [(x[i], kernels[i]) for i in range(3)],
        (None, 0): [(x[0], kernels[i]) for i in range(3)],
        (0, None): [(x[i], kernels[0]) for i in range(3)],
    }.items():
        one, many = (x if axes[0] == 0 else x[0]), (kernels if axes[1] == 0 else kernels[0])
        slopes = jax.jit(jax.value_and_grad(loss, (0, 1)))
        results = jax.jit(jax.vmap(jax.value_and_grad(loss, (0, 1)), axes))(one, many)
        expected = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[slopes(*p) for p in pairs])
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), results, expected)
