"""Transposed convolutions against the float64 reference, lax, torch and Keras."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax
from jax.test_util import check_grads

from seqvision.conv import _cpu_convolution, conv, conv_transpose
from seqvision.conv.convolution import convolve
from seqvision.testing import reference

LAYOUTS = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}


@st.composite
def configurations(draw):
    axes = draw(st.integers(1, 3))
    per_axis = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    sizes, window = per_axis(1, 4 if axes < 3 else 2), per_axis(1, 4 if axes < 3 else 2)
    options = {"stride": per_axis(1, 4 if axes < 3 else 2), "dilation": per_axis(1, 3 if axes < 3 else 2)}
    padding = draw(st.sampled_from(["same", "valid", "pairs"]))
    if padding == "pairs":
        spans = [(k - 1) * d + 1 for k, d in zip(window, options["dilation"], strict=True)]
        padding = tuple((draw(st.integers(span - 1, span + 1)), draw(st.integers(0, span))) for span in spans)
    return (2, *sizes, draw(st.integers(1, 2))), (*window, draw(st.integers(1, 3))), options | {"padding": padding}


def lax_pairs(padding, window, stride, dilation):
    """The pairs that lax takes for a named padding, as its source says."""
    if not isinstance(padding, str):
        return padding
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    return tuple(lax_pair(padding, span, s) for span, s in zip(spans, stride, strict=True))


def lax_pair(padding, span, stride):
    total = span + stride - 2 + (max(span - stride, 0) if padding == "valid" else 0)
    low = span - 1 if padding == "valid" or stride > span - 1 else -(-total // 2)
    return low, total - low


@given(configurations(), st.integers(0, 2**31))
@settings(max_examples=12)
def test_values_equal_the_reference_and_gradients_the_adjoint(configuration, seed):
    shape, (*window, features), options = configuration
    rng = np.random.default_rng(seed)
    x, kernel = rng.normal(size=shape), rng.normal(size=(*window, shape[-1], features))
    bias = rng.normal(size=features)
    pairs = lax_pairs(options["padding"], window, options["stride"], options["dilation"])
    expected = reference.conv_transpose(
        x, kernel, bias, stride=options["stride"], pairs=pairs, dilation=options["dilation"]
    )
    cotangent = rng.normal(size=expected.shape)
    with jax.enable_x64(True):

        @jax.jit
        def run(x, kernel, bias, cotangent):
            y, pull = jax.vjp(lambda *a: conv_transpose(*a, **options), x, kernel, bias)
            return y, pull(cotangent)

        y, (dx, dkernel, dbias) = run(x, kernel, bias, cotangent)
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-10)
    inner = np.vdot(expected - bias, cotangent)  # linear in x, in the kernel
    np.testing.assert_allclose([np.vdot(x, dx), np.vdot(kernel, dkernel)], [inner, inner], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(dbias, cotangent.reshape(-1, features).sum(0), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("large", [True, False])
@pytest.mark.parametrize(("k", "s", "d"), [(4, 2, 1), (3, 2, 1), (2, 3, 1), (3, 2, 2), (5, 1, 1), (1, 2, 1)])
def test_equals_lax_with_gradients(monkeypatch, large, k, s, d):
    monkeypatch.setattr(_cpu_convolution, "_is_large", lambda *_: large)
    convolve.clear_cache()
    rng = np.random.default_rng(0)
    x, kernel = (rng.normal(size=a).astype(np.float32) for a in ((3, 5, 6, 2), (k, k, 2, 4)))

    def ours(x, kernel):
        return conv_transpose(x, kernel, stride=s, dilation=d)

    def theirs(x, kernel):
        return lax.conv_transpose(x, kernel, (s, s), "SAME", rhs_dilation=(d, d), dimension_numbers=LAYOUTS[2])

    def both(x, kernel):
        return [jax.value_and_grad(lambda *a, f=f: jnp.sin(f(*a)).sum(), (0, 1))(x, kernel) for f in (ours, theirs)]

    got, expected = jax.jit(both)(x, kernel)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5), got, expected)
    convolve.clear_cache()


def test_both_modes_and_second_derivatives(x64, monkeypatch):
    monkeypatch.setattr(_cpu_convolution, "_is_large", lambda *_: True)
    convolve.clear_cache()
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(1, 3, 2)), rng.normal(size=(4, 1, 2))
    function = jax.jit(lambda *a: jnp.sin(conv_transpose(*a, stride=2, groups=2)))
    check_grads(function, (x, kernel), order=2, modes=("fwd", "rev"))
    convolve.clear_cache()


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(0, 1), st.sampled_from([1, 2]))
@settings(max_examples=10)
def test_equals_torch(k, stride, padding, extra, groups):
    torch = pytest.importorskip("torch", reason="torch is the other framework")
    padding, extra = min(padding, k - 1), min(extra, stride - 1)
    rng = np.random.default_rng(0)
    x, weights = (rng.normal(size=s).astype(np.float32) for s in ((2, 4, 5, 4), (4, 3, k, k)))
    theirs = torch.nn.functional.conv_transpose2d(
        torch.from_numpy(np.moveaxis(x, -1, 1).copy()),
        torch.from_numpy(weights),
        stride=stride,
        padding=padding,
        output_padding=extra,
        groups=groups,
    )
    edge = k - 1 - padding
    blocks = np.split(weights, groups, 0)  # torch: (C_in, C_out // groups, *window)
    kernel = np.concatenate([np.moveaxis(block, (2, 3), (0, 1)) for block in blocks], -1)
    ours = conv_transpose(x, kernel, stride=stride, padding=[(edge, edge + extra)] * 2, groups=groups, flip=True)
    np.testing.assert_allclose(np.moveaxis(ours, -1, 1), theirs.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("k", "s"), [(4, 2), (3, 2), (2, 3)])
def test_equals_keras(padding, k, s):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="Keras is the other framework")
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)
    layer = keras.layers.Conv2DTranspose(2, k, s, padding)
    theirs = np.asarray(layer(x))
    kernel = jnp.swapaxes(np.asarray(layer.kernel), -1, -2)
    ours = conv_transpose(x, kernel, stride=s, padding=padding, flip=True)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_is_the_gradient_of_a_convolution():
    rng = np.random.default_rng(0)
    x, y, kernel = (rng.normal(size=s).astype(np.float32) for s in ((8, 8, 2), (4, 4, 3), (4, 4, 2, 3)))
    (expected,) = jax.vjp(lambda x: conv(x, kernel, stride=2, padding=1), x)[1](y)
    ours = conv_transpose(y, jnp.swapaxes(kernel, -1, -2), stride=2, padding=2, flip=True)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"padding": "full"}, '"same", "valid"'),
        ({"padding": -1}, "at least 0"),
        ({"stride": 0}, "stride"),
        ({"groups": 3}, "groups"),
        ({"padding": 0, "dilation": 9}, "spans"),
    ],
)
def test_refused(options, words):
    with pytest.raises(ValueError, match=words):
        conv_transpose(jnp.ones((4, 4, 2)), jnp.ones((3, 3, 2, 4)), **options)
