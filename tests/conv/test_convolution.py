"""Values and gradients of convolutions against loops over pixels in float64."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seqvision.conv import conv

PADDINGS = ("valid", "same", "full", "causal", "reflect", "replicate")


def pad_by_hand(x, window, stride, padding, dilation):
    """x (N, *spatial, C) padded as the documentation says."""
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    mode = {"reflect": "reflect", "replicate": "edge"}.get(padding, "constant")
    pairs = []
    for n, span, s in zip(x.shape[1:-1], spans, stride, strict=True):
        if padding == "valid":
            pair = (0, 0)
        elif padding == "same":
            total = max((int(np.ceil(n / s)) - 1) * s + span - n, 0)
            pair = (total // 2, total - total // 2)
        elif padding == "full":
            pair = (span - 1, span - 1)
        elif padding == "causal":
            pair = (span - 1, 0)
        else:
            pair = ((span - 1) // 2, span // 2)
        pairs.append(pair)
    if not isinstance(padding, str):
        pairs = list(padding)
    return np.pad(x, [(0, 0), *pairs, (0, 0)], mode=mode)


def conv_by_hand(x, kernel, bias, stride, padding, dilation, groups):
    """One output pixel, channel and tap after another; x (N, *spatial, C_in)."""
    *window, fan_in, features = kernel.shape
    x = pad_by_hand(x, window, stride, padding, dilation)
    sizes = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(x.shape[1:-1], window, dilation, stride, strict=True)]
    y = np.zeros((x.shape[0], *sizes, features))
    for pixel in itertools.product(*map(range, sizes)):
        for feature in range(features):
            group = feature // (features // groups)
            channels = slice(group * fan_in, (group + 1) * fan_in)
            total = np.zeros(x.shape[0])
            for tap in itertools.product(*map(range, window)):
                where = tuple(p * s + t * d for p, s, t, d in zip(pixel, stride, tap, dilation, strict=True))
                total += x[(slice(None), *where, channels)] @ kernel[(*tap, slice(None), feature)]
            y[(slice(None), *pixel, feature)] = total + (0.0 if bias is None else bias[feature])
    return y


@st.composite
def configurations(draw):
    axes = draw(st.integers(1, 3))
    per_axis = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    top = {1: 5, 2: 4, 3: 2}[axes]
    window, stride, dilation = per_axis(1, top), per_axis(1, 3), per_axis(1, 3 if axes < 3 else 2)
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    padding = draw(st.sampled_from([p for p in PADDINGS if axes == 1 or p != "causal"] + ["explicit"]))
    if padding == "explicit":
        padding = tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(axes))
    least = spans if padding == "valid" or not isinstance(padding, str) else [max(1, span // 2 + 1) for span in spans]
    sizes = tuple(n + draw(st.integers(0, 4 if axes < 3 else 2)) for n in least)
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    fan_in, fan_out = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    batch = tuple(draw(st.lists(st.integers(1, 2), max_size=2)))
    return {
        "x": (*batch, *sizes, fan_in * groups),
        "kernel": (*window, fan_in, fan_out * groups),
        "bias": draw(st.booleans()),
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "seed": draw(st.integers(0, 2**31)),
    }


def arrays(configuration):
    rng = np.random.default_rng(configuration.pop("seed"))
    x, kernel = rng.normal(size=configuration.pop("x")), rng.normal(size=configuration.pop("kernel"))
    return x, kernel, rng.normal(size=kernel.shape[-1]) if configuration.pop("bias") else None


@given(configurations())
@settings(max_examples=60)
def test_values_and_gradients_equal_the_loop(configuration):
    x, kernel, bias = arrays(configuration)
    axes = kernel.ndim - 2
    images = x.reshape(-1, *x.shape[x.ndim - axes - 1 :])

    def by_hand(x, kernel):
        return conv_by_hand(x, kernel, bias, **configuration)

    expected = by_hand(images, kernel)
    with jax.enable_x64(True):
        y = conv(x, kernel, bias, **configuration)
        assert y.dtype == np.float64
        assert y.shape == x.shape[: x.ndim - axes - 1] + expected.shape[1:]
        np.testing.assert_allclose(y, expected.reshape(y.shape), rtol=1e-12, atol=1e-12)

        # The map is linear in x and in kernel: its gradient along any direction is its value there.
        cotangent = np.random.default_rng(1).normal(size=y.shape)
        dx, dkernel = jax.grad(lambda x, k: jnp.sum(conv(x, k, bias, **configuration) * cotangent), (0, 1))(x, kernel)
        move_x, move_kernel = np.cos(images + 1), np.cos(kernel + 1)
        offset = 0.0 if bias is None else bias
        slope_x = np.sum((by_hand(move_x, kernel) - offset) * cotangent.reshape(expected.shape))
        slope_kernel = np.sum((by_hand(images, move_kernel) - offset) * cotangent.reshape(expected.shape))
        np.testing.assert_allclose(np.sum(dx * move_x.reshape(x.shape)), slope_x, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(np.sum(dkernel * move_kernel), slope_kernel, rtol=1e-9, atol=1e-9)
        if bias is not None:
            dbias = jax.grad(lambda b: jnp.sum(conv(x, kernel, b, **configuration) * cotangent))(bias)
            np.testing.assert_allclose(dbias, cotangent.reshape(-1, bias.size).sum(0), rtol=1e-12, atol=1e-12)
