"""Transposed convolution, which makes images larger."""

import math
from collections.abc import Sequence
from typing import Literal

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from seqvision._checks import check_flag
from seqvision._sharding import runs_on_auto_axes
from seqvision.conv._arguments import Pairs, dilated, explicit_pairs, output_sizes, per_axis
from seqvision.conv._geometry import Geometry
from seqvision.conv.channels import per_channel
from seqvision.conv.convolution import check_shapes, convolve, promote

TransposedPadding = Literal["same", "valid"] | int | Sequence[int] | Sequence[tuple[int, int]]


@runs_on_auto_axes(channels="kernel")
def conv_transpose(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: TransposedPadding = "same",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    flip: bool = False,
) -> Array:
    """Put stride - 1 zeros between the pixels, convolve with stride 1, and add a bias: strides to make images larger.

    Sizes and values are those of `jax.lax.conv_transpose` and flax's `ConvTranspose`, whose kernels fit as they are.
    Keras and torch define the operation as the gradient of a convolution, with the window turned and the kernel's
    channel axes exchanged: their weights are `conv_transpose(x, jnp.swapaxes(keras_kernel, -1, -2), flip=True)`, and
    for torch (C_in, C_out, *window) moved to (*window, C_in, C_out). No product with a zero between pixels is
    computed on CPU: each remainder of an output's index by the stride has a convolution of its own
    (Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", https://arxiv.org/abs/1603.07285).

    Args:
      x: (..., *spatial, C_in) floating-point; any number of batch axes, also none.
      kernel: (*window, C_in // groups, C_out), one to three spatial axes.
      bias: (C_out,), or None.
      stride: how many times larger the result is, one int or one for each spatial axis.
      padding: "same" (stride * size pixels); "valid" ((size - 1) * stride + max(span, stride) pixels, span being
        dilation * (K - 1) + 1); or (low, high) zeros around the stretched image for each spatial axis, as in flax:
        torch's padding p and output_padding q are (span - 1 - p, span - 1 - p + q).
      dilation: pixels between neighboring taps, one int or one for each spatial axis.
      groups: C_in and C_out are cut into this many blocks, and each output block sees one input block.
      flip: True: turn the window around.
    Returns:
      (..., *out, C_out) with out = (size - 1) * stride + 1 + low + high - (span - 1), in the promoted dtype.
    Raises:
      ValueError: for shapes that do not fit, an unknown padding, or a window larger than the padded input.
      TypeError: for arrays that are not floating-point.

    >>> image = jnp.array([1.0, 2.0])[:, None]
    >>> conv_transpose(image, jnp.ones((2, 1, 1)), stride=2)[:, 0].tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    x, kernel, bias = promote(x, kernel, bias)
    window, batch_shape, sizes = check_shapes(x, kernel, bias, groups)
    axes = len(window)
    stride, dilation = per_axis("stride", stride, axes), per_axis("dilation", dilation, axes)
    spans = dilated(window, dilation)
    pairs = _pairs(padding, spans, stride)
    ones = (1,) * axes
    out = output_sizes(dilated(sizes, stride), spans, ones, pairs)
    check_flag("flip", flip, owner="conv_transpose")
    if flip:
        kernel = jnp.flip(kernel, tuple(range(axes)))
    images = x.reshape(math.prod(batch_shape), *x.shape[len(batch_shape) :])
    y = convolve(images, kernel, Geometry(ones, pairs, stride, dilation, groups))
    if bias is not None:
        y = y + per_channel(bias, y.shape)
    return y.reshape(*batch_shape, *out, kernel.shape[-1])


def _pairs(padding: TransposedPadding, spans: Sequence[int], stride: Sequence[int]) -> Pairs:
    """Zeros around the stretched image."""
    if not isinstance(padding, str):
        return explicit_pairs(padding, len(spans))
    if padding.lower() == "valid":
        return tuple((span - 1, max(span, s) - 1) for span, s in zip(spans, stride, strict=True))
    if padding.lower() != "same":
        raise ValueError(f'padding is {padding!r}: a transposed convolution takes "same", "valid" or (low, high) pairs')
    lows = (min((span + s - 1) // 2, span - 1) for span, s in zip(spans, stride, strict=True))
    return tuple((low, span + s - 2 - low) for low, span, s in zip(lows, spans, stride, strict=True))
