"""Checks and normal forms of the arguments that convolutions and pools share."""

import operator
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import lax

from seqvision._checks import check_count, is_int

Pairs = tuple[tuple[int, int], ...]

_BORDER_MODES = {"reflect": "reflect", "replicate": "edge"}


def per_axis(name: str, value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """One positive int for each spatial axis, from one int for all of them or a sequence."""
    if is_int(value):
        return (check_count(name, value),) * axes
    if not isinstance(value, Sequence) or len(value) != axes:
        raise ValueError(f"{name} is {value!r}: give one int, or one int for each of the {axes} spatial axes")
    return tuple(check_count(f"{name}[{axis}]", entry) for axis, entry in enumerate(value))


def one_per_axis(name: str, value: Sequence[int], example: tuple[int, ...]) -> tuple[int, ...]:
    """Positive ints, of which there are as many as spatial axes."""
    if not isinstance(value, Sequence) or not 1 <= len(value) <= 3:
        raise ValueError(
            f"{name} is {value!r}: give a tuple of one to three ints, one for each spatial axis, e.g. {example}"
        )
    return per_axis(name, value, len(value))


def dilated(window: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """Pixels that a dilated window spans on each axis."""
    return tuple((k - 1) * d + 1 for k, d in zip(window, dilation, strict=True))


def same_pairs(sizes: Sequence[int], spans: Sequence[int], stride: Sequence[int]) -> Pairs:
    """Zero padding for ceil(size / stride) outputs, the odd pixel at the end: XLA's and Keras's "same"."""
    return tuple(lax.padtype_to_pads(sizes, spans, stride, "SAME"))


def explicit_pairs(padding: object, axes: int) -> Pairs:
    """(low, high) for each spatial axis, from an int, ints or pairs."""
    entries = (padding,) * axes if is_int(padding) else padding
    remedy = f"give one int, or for each of the {axes} spatial axes an int or a (low, high) pair"
    if not isinstance(entries, Sequence) or isinstance(entries, str) or len(entries) != axes:
        raise ValueError(f"padding is {padding!r}: {remedy}")
    pairs = tuple((entry, entry) if is_int(entry) else tuple(entry) for entry in entries)
    if not all(len(pair) == 2 and all(is_int(p) for p in pair) for pair in pairs):
        raise ValueError(f"padding is {padding!r}: {remedy}")
    if min(p for pair in pairs for p in pair) < 0:
        raise ValueError(f"padding is {padding!r}: entries must be at least 0; crop the input by slicing it")
    return tuple((operator.index(low), operator.index(high)) for low, high in pairs)


def conv_padding(
    padding: object, sizes: Sequence[int], spans: Sequence[int], stride: Sequence[int]
) -> tuple[Pairs, str]:
    """Pairs and the mode ("constant", "reflect" or "edge") of a convolution's padding argument."""
    axes = len(sizes)
    if not isinstance(padding, str):
        return explicit_pairs(padding, axes), "constant"
    match padding.lower():
        case "valid":
            return ((0, 0),) * axes, "constant"
        case "same":
            return same_pairs(sizes, spans, stride), "constant"
        case "full":
            return tuple((span - 1, span - 1) for span in spans), "constant"
        case "causal":
            if axes != 1:
                raise ValueError(f'padding "causal" needs one spatial axis (time), and the kernel has {axes}')
            return ((spans[0] - 1, 0),), "constant"
        case "reflect" | "replicate" as border:
            return tuple(((span - 1) // 2, span // 2) for span in spans), _BORDER_MODES[border]
    raise ValueError(
        f'padding is {padding!r}: give "valid", "same", "full", "causal", "reflect", "replicate" or (low, high) pairs'
    )


def pool_padding(padding: object, sizes: Sequence[int], window: Sequence[int], stride: Sequence[int]) -> Pairs:
    """Pairs of a pool's padding argument; every window is made to touch at least one pixel."""
    if isinstance(padding, str):
        match padding.lower():
            case "valid":
                return ((0, 0),) * len(sizes)
            case "same":
                return same_pairs(sizes, window, stride)
        raise ValueError(f'padding is {padding!r}: a pool takes "valid", "same" or (low, high) pairs')
    pairs = explicit_pairs(padding, len(sizes))
    if any(max(pair) >= k for pair, k in zip(pairs, window, strict=True)):
        raise ValueError(f"padding is {padding!r}: it must stay below the window {tuple(window)} on every axis")
    return pairs


def output_sizes(sizes: Sequence[int], spans: Sequence[int], stride: Sequence[int], pairs: Pairs) -> tuple[int, ...]:
    """(size - span + low + high) // stride + 1 on each axis; at least one output is asked for."""
    padded = tuple(n + low + high for n, (low, high) in zip(sizes, pairs, strict=True))
    if any(n < 1 for n in sizes):
        raise ValueError(f"x has spatial sizes {tuple(sizes)}: every one must be at least 1")
    if any(n < span for n, span in zip(padded, spans, strict=True)):
        raise ValueError(
            f"the window spans {tuple(spans)} pixels and x, padded, has {padded}: use a smaller window or more padding"
        )
    return tuple((n - span) // s + 1 for n, span, s in zip(padded, spans, stride, strict=True))


def require_floating(name: str, array: object) -> None:
    """Refuse integers, booleans and complex numbers."""
    dtype = jnp.result_type(array)
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(
            f"{name} has dtype {dtype}: convolutions take floating-point arrays; "
            f"cast (and scale) first, e.g. {name}.astype(jnp.float32) / 255"
        )


def at_least_float32(dtype: np.dtype) -> np.dtype:
    """What numbers of a floating type are added up in."""
    return dtype if dtype.itemsize >= 4 else np.dtype(np.float32)
