"""Convolution of channels-last arrays in one, two and three dimensions."""

import functools
import math
from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.typing import ArrayLike, DTypeLike

from seqvision._checks import check_count, check_flag
from seqvision._sharding import runs_on_auto_axes
from seqvision.conv._arguments import conv_padding, dilated, output_sizes, per_axis, require_floating
from seqvision.conv._cpu_convolution import convolve_on_cpu
from seqvision.conv._geometry import LAYOUTS, Geometry
from seqvision.conv.channels import per_channel

Pixels = int | Sequence[int] | Sequence[tuple[int, int]]
Padding = Literal["same", "valid", "full", "causal", "reflect", "replicate"] | Pixels


@runs_on_auto_axes(channels="kernel")
def conv(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = "same",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    flip: bool = False,
) -> Array:
    """Cross-correlate channels-last images (or sequences, or volumes) with a kernel and add a bias.

    The kernel's rank says how many spatial axes there are: y[n, i, o] = sum over taps k and channels c of
    x[n, stride * i + dilation * k - low, c] * kernel[k, c, o], with zeros outside the image. It is fast in forward
    and both gradients inside `lax.scan` and `lax.while_loop` on CPU too, where XLA runs the convolutions of JAX's own
    gradient rules on a slow generic loop (https://github.com/jax-ml/jax/issues/12868).

    Args:
      x: (..., *spatial, C_in) floating-point; any number of batch axes, also none.
      kernel: (*window, C_in // groups, C_out), one to three spatial axes.
      bias: (C_out,), or None.
      stride: pixels between neighboring outputs, one int or one for each spatial axis.
      padding: "valid" (none); "same" (ceil(size / stride) outputs, the odd pixel at the end, as XLA and Keras);
        "full" (span - 1 zeros on each side, span being dilation * (K - 1) + 1); "causal" (span - 1 zeros before, one
        spatial axis only); "reflect" or "replicate" ((span - 1) // 2 border pixels before and span // 2 after,
        whatever the stride); or (low, high) zeros for each spatial axis, an int standing for equal sides.
      dilation: pixels between neighboring taps, one int or one for each spatial axis.
      groups: C_in and C_out are cut into this many blocks, and each output block sees one input block.
      flip: True: turn the window around, which makes this the convolution of mathematics and signal processing,
        kernel[K - 1 - k] in the place of kernel[k], as `scipy.signal.convolve`.
    Returns:
      (..., *out, C_out) with out = (size + low + high - span) // stride + 1, in the promoted dtype of the arguments.
    Raises:
      ValueError: for shapes that do not fit, an unknown padding, or a window larger than the padded input.
      TypeError: for arrays that are not floating-point.

    >>> image = jnp.arange(9.0).reshape(3, 3, 1)
    >>> kernel = jnp.arange(4.0).reshape(2, 2, 1, 1)
    >>> conv(image, kernel, stride=(3, 2), padding=1)[..., 0]
    Array([[0., 8.],
           [6., 8.]], dtype=float32)
    """
    x, kernel, bias = promote(x, kernel, bias)
    window, batch_shape, sizes = check_shapes(x, kernel, bias, groups)
    stride = per_axis("stride", stride, len(window))
    dilation = per_axis("dilation", dilation, len(window))
    spans = dilated(window, dilation)
    pairs, mode = conv_padding(padding, sizes, spans, stride)
    out = output_sizes(sizes, spans, stride, pairs)

    check_flag("flip", flip, owner="conv")
    if flip:
        kernel = jnp.flip(kernel, tuple(range(len(window))))
    images = x.reshape(math.prod(batch_shape), *x.shape[len(batch_shape) :])
    if mode != "constant":
        images = jnp.pad(images, ((0, 0), *pairs, (0, 0)), mode=mode)
        pairs = ((0, 0),) * len(window)
    y = convolve(images, kernel, Geometry(stride, pairs, (1,) * len(window), dilation, groups))
    if bias is not None:
        y = y + per_channel(bias, y.shape)
    return y.reshape(*batch_shape, *out, kernel.shape[-1])


@runs_on_auto_axes(channels="rhs")
def conv_general_dilated(
    lhs: Array,
    rhs: Array,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: lax.PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
) -> Array:
    """`jax.lax.conv_general_dilated` for channels-last arrays, fast inside scan on CPU: flax's `nn.Conv` takes it.

    Args:
      lhs: (N, *spatial, C_in) floating-point.
      rhs: (*window, C_in // feature_group_count, C_out), one to three spatial axes.
      window_strides: one int for each spatial axis.
      padding: "SAME", "SAME_LOWER", "VALID", or (low, high) for each spatial axis, negative to crop.
      lhs_dilation: zeros between pixels plus one, for each spatial axis.
      rhs_dilation: zeros between taps plus one, for each spatial axis.
      dimension_numbers: must mean ("NHWC", "HWIO", "NHWC") or its one- or three-dimensional relative.
      feature_group_count: number of groups.
      batch_group_count: 1.
      precision: as lax's, where the platform's own convolution runs; on CPU sums are at least float32 always.
      preferred_element_type: dtype of the result.
    Returns:
      (N, *out, C_out).
    Raises:
      ValueError: for another layout, batch groups, or shapes that do not fit.
      TypeError: for arrays that are not floating-point.

    >>> from flax import linen as nn
    >>> layer = nn.Conv(8, (3, 3), conv_general_dilated=conv_general_dilated)
    >>> layer.init_with_output(jax.random.key(0), jnp.ones((1, 5, 5, 2)))[0].shape
    (1, 5, 5, 8)
    """
    if batch_group_count != 1:
        raise ValueError(f"batch_group_count is {batch_group_count}: only 1 is supported")
    lhs, rhs, _ = promote(lhs, rhs, None)
    window, batch_shape, sizes = check_shapes(lhs, rhs, None, feature_group_count, names=("lhs", "rhs"))
    axes = len(window)
    if len(batch_shape) != 1:
        raise ValueError(f"lhs has shape {lhs.shape}: with rhs {rhs.shape} it must have one batch axis")
    _check_layout(lhs, rhs, dimension_numbers)
    stride = per_axis("window_strides", window_strides, axes)
    base = per_axis("lhs_dilation", 1 if lhs_dilation is None else lhs_dilation, axes)
    dilation = per_axis("rhs_dilation", 1 if rhs_dilation is None else rhs_dilation, axes)
    spans = dilated(window, dilation)
    if isinstance(padding, str):
        if max(base) > 1:
            raise ValueError(f"padding is {padding!r}: with lhs_dilation {base} give (low, high) pairs, as in lax")
        padding = lax.padtype_to_pads(dilated(sizes, base), spans, stride, padding)
    pairs = tuple((int(low), int(high)) for low, high in padding)
    output_sizes(dilated(sizes, base), spans, stride, pairs)
    geometry = Geometry(stride, pairs, base, dilation, feature_group_count)
    y = convolve(lhs, rhs, geometry, precision=precision)
    return y if preferred_element_type is None else y.astype(preferred_element_type)


@functools.partial(jax.jit, static_argnames=("geometry", "precision"))
def convolve(x: Array, kernel: Array, geometry: Geometry, precision: lax.PrecisionLike = None) -> Array:
    """x (N, *spatial, C_in) with kernel (*window, C_in // groups, C_out), by what is fast on the platform."""

    def by_platform(x, kernel):
        return lax.conv_general_dilated(
            x,
            kernel,
            geometry.stride,
            geometry.pairs,
            lhs_dilation=geometry.base,
            rhs_dilation=geometry.dilation,
            dimension_numbers=LAYOUTS[kernel.ndim - 2],
            feature_group_count=geometry.groups,
            precision=precision,
        )

    def on_cpu(x, kernel):
        return convolve_on_cpu(x, kernel, geometry)

    return lax.platform_dependent(x, kernel, cpu=on_cpu, default=by_platform)


def promote(x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None) -> tuple[Array, Array, Array | None]:
    """The arrays in their common floating dtype."""
    named = {"x": x, "kernel": kernel} if bias is None else {"x": x, "kernel": kernel, "bias": bias}
    for name, array in named.items():
        require_floating(name, array)
    dtype = jnp.result_type(*named.values())
    arrays = [jnp.asarray(array, dtype) for array in named.values()]
    return arrays[0], arrays[1], None if bias is None else arrays[2]


def check_shapes(
    x: Array, kernel: Array, bias: Array | None, groups: int, names: tuple[str, str] = ("x", "kernel")
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Window, batch shape and spatial sizes, once the shapes are found to fit together."""
    x_name, kernel_name = names
    axes = kernel.ndim - 2
    if axes not in LAYOUTS:
        raise ValueError(
            f"{kernel_name} has shape {kernel.shape}: it must be (*window, C_in // groups, C_out) "
            "with one to three spatial axes"
        )
    *window, fan_in, features = kernel.shape
    if min(kernel.shape) < 1:
        raise ValueError(f"{kernel_name} has shape {kernel.shape}: every size must be at least 1")
    if x.ndim < axes + 1:
        raise ValueError(
            f"{x_name} has shape {x.shape}: with {kernel_name} {kernel.shape} it needs {axes} spatial axes and channels"
        )
    if features % check_count("groups", groups):
        raise ValueError(f"groups is {groups!r}: it must divide {kernel_name}'s {features} outputs")
    if x.shape[-1] != fan_in * groups:
        raise ValueError(
            f"{x_name} has {x.shape[-1]} channels (its last axis: images are channels-last) and {kernel_name} "
            f"{kernel.shape} with groups={groups} takes {fan_in * groups}"
        )
    if bias is not None and bias.shape != (features,):
        raise ValueError(f"bias has shape {bias.shape}: it must be ({features},), one for each output channel")
    split = x.ndim - axes - 1
    return tuple(window), x.shape[:split], x.shape[split:-1]


def _check_layout(lhs: Array, rhs: Array, dimension_numbers: Any) -> None:
    """Refuse every layout but the channels-last one."""
    wanted = LAYOUTS[rhs.ndim - 2]
    given = lax.conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    if given != lax.conv_dimension_numbers(lhs.shape, rhs.shape, wanted):
        raise ValueError(
            f"dimension_numbers is {dimension_numbers!r} (None means channels first in lax): "
            f"only {wanted} is supported; transpose the arrays"
        )
