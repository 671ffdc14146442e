"""Convolutions against scipy.signal and torch, and what shifting the picture does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqvision.conv import conv, global_avg_pool, global_max_pool


@given(st.integers(1, 3), st.sampled_from(["full", "valid", "same"]), st.booleans(), st.data())
@settings(max_examples=12)
def test_equals_scipy(axes, padding, flip, data):
    signal = pytest.importorskip("scipy.signal", reason="scipy is the other library")
    window = tuple(data.draw(st.sampled_from([1, 3, 5] if padding == "same" else [1, 2, 3, 4])) for _ in range(axes))
    sizes = tuple(k + data.draw(st.integers(0, 3)) for k in window)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, kernel = rng.normal(size=sizes), rng.normal(size=window)
    theirs = (signal.convolve if flip else signal.correlate)(x, kernel, padding, "direct")
    with jax.enable_x64(True):
        ours = conv(x[..., None], kernel[..., None, None], padding=padding, flip=flip)[..., 0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@st.composite
def configurations(draw):
    per_axis = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(2))  # noqa: E731
    window, dilation, pads = per_axis(1, 3), per_axis(1, 2), per_axis(0, 2)
    sizes = tuple((k - 1) * d + 1 + draw(st.integers(0, 4)) for k, d in zip(window, dilation, strict=True))
    groups = draw(st.sampled_from([1, 2, 4]))
    return sizes, window, per_axis(1, 3), pads, dilation, groups


@given(configurations())
@settings(max_examples=10)
def test_equals_torch_in_values_and_gradients(configuration):
    torch = pytest.importorskip("torch", reason="torch is the other framework")
    sizes, window, stride, pads, dilation, groups = configuration
    rng = np.random.default_rng(0)
    x, weights, bias = rng.normal(size=(2, *sizes, 4)), rng.normal(size=(*window, 4 // groups, 8)), rng.normal(size=8)
    tensors = [
        torch.tensor(a, requires_grad=True) for a in (np.moveaxis(x, -1, 1), weights.transpose(3, 2, 0, 1), bias)
    ]
    y = torch.nn.functional.conv2d(*tensors, stride, pads, dilation, groups)
    y.sin().sum().backward()
    expected = [np.moveaxis(y.detach().numpy(), 1, -1), np.moveaxis(tensors[0].grad.numpy(), 1, -1)]
    expected += [tensors[1].grad.numpy().transpose(2, 3, 1, 0), tensors[2].grad.numpy()]

    def loss(x, weights, bias):
        y = conv(x, weights, bias, stride=stride, padding=pads, dilation=dilation, groups=groups)
        return jnp.sin(y).sum(), y

    with jax.enable_x64(True):
        (_, y), slopes = jax.jit(jax.value_and_grad(loss, (0, 1, 2), has_aux=True))(x, weights, bias)
    for ours, theirs in zip((y, *slopes), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 2**31))
@settings(max_examples=10)
def test_shifting_the_picture_shifts_the_output_and_leaves_global_pools_alone(down, right, seed):
    rng = np.random.default_rng(seed)
    x, kernel = np.zeros((14, 13, 2), np.float32), rng.normal(size=(3, 3, 2, 4)).astype(np.float32)
    x[5:9, 5:8] = rng.normal(size=(4, 3, 2))  # blank edges, so that nothing is lost
    shifted = np.roll(x, (down, right), (0, 1))
    y, moved = conv(x, kernel), conv(shifted, kernel)
    np.testing.assert_allclose(moved, np.roll(y, (down, right), (0, 1)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(global_max_pool(moved), global_max_pool(y), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(global_avg_pool(moved), global_avg_pool(y), rtol=1e-4, atol=1e-5)
