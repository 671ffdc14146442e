"""`conv_general_dilated` in flax's `nn.Conv`, against flax with its own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from seqvision.conv import conv_general_dilated

LAYOUTS = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}


@pytest.mark.parametrize(
    ("x_shape", "options"),
    [
        ((2, 9, 4), {"kernel_size": (3,), "padding": "CAUSAL", "kernel_dilation": 2}),
        ((2, 9, 8, 4), {"kernel_size": (3, 2), "padding": "CIRCULAR", "strides": 2}),
        ((9, 8, 4), {"kernel_size": (3, 4), "feature_group_count": 2, "strides": (2, 1), "use_bias": False}),
        ((2, 3, 9, 8, 4), {"kernel_size": (4, 3), "input_dilation": 2, "padding": ((1, 2), (0, 1))}),
        ((2, 5, 5, 5, 2), {"kernel_size": (2, 3, 2), "padding": "VALID", "precision": "highest"}),
        ((2, 9, 9, 4), {"kernel_size": (3, 3), "dtype": jnp.bfloat16, "padding": "REFLECT"}),
    ],
)
def test_layers_give_the_same(x_shape, options):
    theirs = nn.Conv(6, **options)
    ours = nn.Conv(6, **options, conv_general_dilated=conv_general_dilated)
    x = jax.random.normal(jax.random.key(0), x_shape)
    params = theirs.init(jax.random.key(1), x)
    tolerance = 2e-2 if options.get("dtype") else 1e-5

    @jax.jit
    def run(params, x):
        def loss(params, x, layer):
            y = layer.apply(params, x)
            return jnp.sum(y.astype(jnp.float32) ** 2), y

        return [jax.value_and_grad(loss, (0, 1), has_aux=True)(params, x, layer) for layer in (ours, theirs)]

    results, expected = run(params, x)
    assert results[0][1].dtype == expected[0][1].dtype
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(
            a.astype(jnp.float32), b.astype(jnp.float32), rtol=tolerance, atol=tolerance * (1 + np.abs(b).max())
        ),
        results,
        expected,
    )


@given(st.data())
@settings(max_examples=12)
def test_equals_lax(data):
    axes = data.draw(st.integers(1, 2))
    draw = lambda low, high: tuple(data.draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    window, stride, base, dilation = draw(1, 3), draw(1, 2), draw(1, 3), draw(1, 2)
    named = ["SAME", "VALID", "SAME_LOWER"] if max(base) == 1 else []
    padding = data.draw(st.sampled_from([*named, "pairs"]))
    if padding == "pairs":  # negative crops
        padding = tuple(zip(draw(-1, 3), draw(-1, 3), strict=True))
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, *[9] * axes, 2)), rng.normal(size=(*window, 2, 3))
    x, kernel = x.astype(np.float32), kernel.astype(np.float32)

    def call(function):
        return function(x, kernel, stride, padding, base, dilation, LAYOUTS[axes])

    ours, expected = jax.jit(lambda: (call(conv_general_dilated), call(lax.conv_general_dilated)))()
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


def test_element_type_may_be_asked_for():
    x, kernel = jnp.ones((1, 4, 4, 1), jnp.bfloat16), jnp.ones((2, 2, 1, 1), jnp.bfloat16)
    y = conv_general_dilated(
        x, kernel, (1, 1), "VALID", dimension_numbers=LAYOUTS[2], preferred_element_type=jnp.float32
    )
    assert y.dtype == jnp.float32
