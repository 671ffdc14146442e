"""Every public function of `seqvision.conv` as a function of an image and a kernel, beside its float64 reference."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from seqvision import conv
from seqvision.conv import _cpu_convolution, _large_convolution
from seqvision.testing.reference import convolution, pooling

# Bounds by which small arrays pass for large ones, and their sums over images for sums over several chunks.
PRODUCT_BYTES, CHUNK_BYTES = 20_000, 4_000


class Case(NamedTuple):
    function: str
    call: Callable  # (x, kernel) -> y
    reference: Callable  # the same in NumPy
    x: tuple[int, ...]
    kernel: tuple[int, ...] = (3, 3, 2, 4)
    sums: bool = False  # over the batch

    def arrays(self, dtype=np.float32):
        """x, kernel, and weights of a sum over y."""
        rng = np.random.default_rng(sum(map(ord, self.function)))
        x, kernel = rng.normal(size=self.x), rng.normal(size=self.kernel)
        weights = rng.normal(size=self.reference(x, kernel).shape)
        return tuple(np.asarray(a, dtype) for a in (x, kernel, weights))


def lower_bounds(patch):
    """Lower the bounds, with pytest's ``setattr`` or the plain one."""
    patch(_cpu_convolution, "_PRODUCT_BYTES", PRODUCT_BYTES)
    patch(_large_convolution, "_CHUNK_BYTES", CHUNK_BYTES)


def normalized(x, kernel):
    scale, bias = (kernel.sum(axis=(0, 1, 3)) / 10, kernel.mean(axis=(0, 1, 3)))
    if isinstance(x, np.ndarray) and isinstance(kernel, np.ndarray) and x.dtype == np.float64:
        axes = tuple(range(x.ndim - 1))
        return (x - x.mean(axes)) / np.sqrt(x.var(axes) + 1e-5) * scale + bias
    return conv.batch_norm(x, scale, bias)[0]


def block(x, kernel):
    y = np.maximum(convolution.conv(x, kernel) + kernel[0, 0, 0], 0)
    return pooling.max_pool(y, (2, 2))


def dilated_transposed(x, kernel):
    return convolution.conv_transpose(x, kernel, stride=2, pairs=((2, 1), (2, 1)))


NHWC = ("NHWC", "HWIO", "NHWC")
CONV_CASES = [
    Case(
        "conv", lambda x, k: conv.conv(x, k, k[0, 0, 0]), lambda x, k: convolution.conv(x, k, k[0, 0, 0]), (8, 4, 4, 2)
    ),
    Case(
        "conv, large",
        lambda x, k: conv.conv(x, k, stride=(1, 2)),
        lambda x, k: convolution.conv(x, k, stride=(1, 2)),
        (8, 12, 12, 8),
        (3, 3, 8, 4),
    ),
    Case(
        "conv, depthwise",
        lambda x, k: conv.conv(x, k, groups=2),
        lambda x, k: convolution.conv(x, k, groups=2),
        (8, 5, 5, 2),
        (3, 3, 1, 4),
    ),
    Case(
        "conv, replicate",
        lambda x, k: conv.conv(x, k, padding="replicate"),
        lambda x, k: convolution.conv(x, k, padding="replicate"),
        (8, 4, 4, 2),
    ),
    Case(
        "conv, 2 groups",
        lambda x, k: conv.conv(x, k, groups=2),
        lambda x, k: convolution.conv(x, k, groups=2),
        (8, 4, 4, 4),
    ),
    Case(
        "conv_general_dilated",
        lambda x, k: conv.conv_general_dilated(x, k, (1, 1), "SAME", dimension_numbers=NHWC),
        convolution.conv,
        (8, 4, 4, 2),
    ),
    Case("conv_transpose", lambda x, k: conv.conv_transpose(x, k, stride=2), dilated_transposed, (8, 3, 3, 2)),
    Case("conv_block", lambda x, k: conv.conv_block(x, k, k[0, 0, 0], pool=2), block, (8, 4, 4, 2)),
    Case("max_pool", lambda x, k: conv.max_pool(x, (2, 2)), lambda x, k: pooling.max_pool(x, (2, 2)), (8, 5, 4, 2)),
    Case(
        "max_pool, overlapping",
        lambda x, k: conv.max_pool(x, (3, 5), stride=2, padding="same"),
        lambda x, k: pooling.max_pool(x, (3, 5), stride=2, padding="same"),
        (8, 5, 6, 2),
    ),
    Case(
        "avg_pool",
        lambda x, k: conv.avg_pool(x, (3, 3), stride=2, padding="same"),
        lambda x, k: pooling.avg_pool(x, (3, 3), stride=2, padding="same"),
        (8, 5, 5, 2),
    ),
    Case("sum_pool", lambda x, k: conv.sum_pool(x, (2, 2)), lambda x, k: pooling.sum_pool(x, (2, 2)), (8, 4, 5, 2)),
    Case("global_max_pool", lambda x, k: conv.global_max_pool(x), lambda x, k: x.max((1, 2)), (8, 4, 4, 2)),
    Case("global_avg_pool", lambda x, k: conv.global_avg_pool(x), lambda x, k: x.mean((1, 2)), (8, 4, 4, 2)),
    Case(
        "adaptive_avg_pool",
        lambda x, k: conv.adaptive_avg_pool(x, (3, 2)),
        lambda x, k: pooling.adaptive_pool(x, (3, 2)),
        (8, 5, 4, 2),
    ),
    Case(
        "adaptive_max_pool",
        lambda x, k: conv.adaptive_max_pool(x, (3, 2)),
        lambda x, k: pooling.adaptive_pool(x, (3, 2), np.max),
        (8, 5, 4, 2),
    ),
    Case("batch_norm", normalized, normalized, (8, 4, 4, 2), sums=True),
    Case("channel_sums", lambda x, k: conv.channel_sums(x), lambda x, k: x.sum((0, 1, 2)), (8, 4, 4, 2), sums=True),
    Case(
        "per_channel",
        lambda x, k: conv.per_channel(k[0, 0, :, 0], x.shape) * x,
        lambda x, k: k[0, 0, :, 0] * x,
        (8, 4, 4, 2),
    ),
]


# A few that stand for all where time is short: both primitives, products, pools that a reshape makes.
FEW = {"conv, large", "conv, depthwise", "conv_block", "sum_pool"}


def weighted(case, weights):
    """The sum of what a case computes, weighted: a function of x and kernel."""
    return lambda x, kernel: (case.call(x, kernel) * jnp.asarray(weights, x.dtype)).sum()


def expected(case):
    """y, and how fast its weighted sum grows along x and the kernel themselves, in float64 without JAX."""
    x, kernel, weights = case.arrays(np.float64)
    step = 1e-6
    ahead, behind = ((case.reference(x * s, kernel * s) * weights).sum() for s in (1 + step, 1 - step))
    return case.reference(x, kernel), (ahead - behind) / (2 * step)
