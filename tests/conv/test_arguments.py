"""Arguments that make no sense are refused in words, before tracing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.conv import avg_pool, conv, conv_block, conv_general_dilated, global_avg_pool, max_pool

X = jnp.ones((2, 8, 8, 4))
KERNEL = jnp.ones((3, 3, 4, 6))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: conv(X, KERNEL, stride=0), ValueError, "stride must be an int >= 1, got 0"),
        (lambda: conv(X, KERNEL, stride=(1, 2, 3)), ValueError, "stride.*2 spatial axes"),
        (lambda: conv(X, KERNEL, stride=1.5), ValueError, "stride is 1.5: give one int, or one int for each"),
        (lambda: conv(X, KERNEL, stride=True), ValueError, "stride"),
        (lambda: conv(X, KERNEL, dilation=-1), ValueError, "dilation"),
        (lambda: conv(X, KERNEL, padding="sama"), ValueError, '"same"'),
        (lambda: conv(X, KERNEL, padding="causal"), ValueError, "one spatial axis"),
        (lambda: conv(X, KERNEL, padding=((1, 1), (-1, 0))), ValueError, "at least 0.*slicing"),
        (lambda: conv(X, KERNEL, padding=((1, 1),)), ValueError, "padding.*2 spatial axes"),
        (lambda: conv(X, KERNEL, padding=((1, 1, 1), (1, 1, 1))), ValueError, "pair"),
        (lambda: conv(X, KERNEL, padding=None), ValueError, "padding"),
        (lambda: conv(X[:, :2], KERNEL, padding="valid"), ValueError, r"spans \(3, 3\).*\(2, 8\)"),
        (lambda: conv(X, KERNEL, dilation=4, padding="valid"), ValueError, r"spans \(9, 9\)"),
        (lambda: conv(jnp.moveaxis(X, -1, 1), KERNEL), ValueError, "channels-last"),
        (lambda: conv(X, KERNEL, groups=2), ValueError, "groups=2 takes 8"),
        (lambda: conv(X, jnp.ones((3, 3, 1, 6)), groups=4), ValueError, "groups is 4"),
        (lambda: conv(X, KERNEL, groups=0), ValueError, "groups must be an int >= 1, got 0"),
        (lambda: conv(X, KERNEL, jnp.ones(4)), ValueError, r"bias has shape \(4,\).*\(6,\)"),
        (lambda: conv_block(X, KERNEL, jnp.ones(4), pool=2), ValueError, r"bias has shape \(4,\)"),
        (lambda: conv(X, jnp.ones((4, 6))), ValueError, "one to three spatial axes"),
        (lambda: conv(X, jnp.ones((0, 3, 4, 6))), ValueError, "kernel has shape"),
        (lambda: conv(jnp.ones((8, 4)), KERNEL), ValueError, "needs 2 spatial axes"),
        (lambda: conv(jnp.ones((0, 8, 4)), KERNEL, padding="full"), ValueError, "at least 1"),
        (lambda: conv(X.astype(jnp.uint8), KERNEL), TypeError, "x has dtype uint8.*astype"),
        (lambda: conv(X, KERNEL.astype(int)), TypeError, "kernel has dtype int32"),
        (lambda: conv(X, KERNEL, jnp.ones(6, bool)), TypeError, "bias has dtype bool"),
        (lambda: conv(X.astype(complex), KERNEL), TypeError, "complex"),
        (lambda: conv_block(X, KERNEL, activation="relo"), ValueError, "relu"),
        (lambda: conv_block(X, KERNEL, pool=(2,)), ValueError, "pool"),
        (lambda: conv_block(X, KERNEL, pool=0), ValueError, "pool"),
        (lambda: conv_block(X, KERNEL, pool=9), ValueError, "window"),
        (lambda: max_pool(X, 2), ValueError, r"tuple.*\(2, 2\)"),
        (lambda: max_pool(X, (2, 2, 2, 2)), ValueError, "one to three"),
        (lambda: max_pool(X, (9, 9)), ValueError, "spans"),
        (lambda: max_pool(X, (2, 0)), ValueError, r"window\[1\] must be an int >= 1, got 0"),
        (lambda: max_pool(X, (2, 2), stride=(1,)), ValueError, "stride"),
        (lambda: max_pool(X, (2, 2), padding=((2, 0), (0, 0))), ValueError, "below the window"),
        (lambda: avg_pool(X, (2, 2), padding="full"), ValueError, '"valid", "same"'),
        (lambda: max_pool(jnp.ones((8, 4)), (2, 2)), ValueError, "needs 2 spatial axes"),
        (lambda: max_pool(X > 0, (2, 2)), TypeError, "bool"),
        (lambda: global_avg_pool(jnp.ones(3)), ValueError, "spatial"),
        (lambda: global_avg_pool(X, spatial=0), ValueError, "spatial must be an int >= 1, got 0"),
        (lambda: global_avg_pool(jnp.ones((0, 2, 3))), ValueError, "no pixels"),
        (lambda: conv_general_dilated(X, KERNEL, (1, 1), "SAME"), ValueError, "channels first in lax"),
        (
            lambda: conv_general_dilated(X, KERNEL, (1, 1), "SAME", dimension_numbers=("NHWC", "OIHW", "NHWC")),
            ValueError,
            "only .*HWIO",
        ),
        (
            lambda: conv_general_dilated(
                X, KERNEL, (1, 1), "SAME", batch_group_count=2, dimension_numbers=("NHWC", "HWIO", "NHWC")
            ),
            ValueError,
            "batch_group_count",
        ),
    ],
)
def test_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_refused_while_tracing_too():
    with pytest.raises(ValueError, match="channels"):
        jax.eval_shape(lambda x: conv(x, KERNEL), jax.ShapeDtypeStruct((8, 8, 3), jnp.float32))


def test_numpy_integers_are_integers():
    assert conv(X, KERNEL, stride=np.int64(2), padding=[(np.int32(1), 1), (1, 1)]).shape == (2, 4, 4, 6)
