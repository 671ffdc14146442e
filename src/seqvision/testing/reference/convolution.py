"""Convolution (cross-correlation, as deep-learning libraries mean it), one output position at a time, float64."""

import itertools
from typing import Any

import numpy as np


def conv(x, kernel, bias=None, *, stride=1, padding="same", dilation=1, groups=1):
    """Convolve over 1, 2 or 3 spatial axes.

    out[p, o] = bias[o] + sum over k and c of x[p stride + k dilation - low, c] kernel[k, c, o].

    Args:
      x: (..., *spatial, C_in), any number of batch axes.
      kernel: (*window, C_in // groups, C_out).
      bias: (C_out,), or None.
      stride, dilation: one integer, or one for each spatial axis.
      padding: "valid", "same", "full", "causal", "reflect", "replicate", or a pair (low, high) for each spatial axis.
      groups: the channels are cut into this many groups that do not see each other.
    Returns:
      (..., *spatial_out, C_out), float64.

    >>> conv(np.array([[1.0], [2.0], [4.0]]), np.array([[[1.0]], [[10.0]]]), padding="causal").ravel()
    array([10., 21., 42.])
    """
    plan = _Plan(x, kernel, stride, padding, dilation, groups)
    out = np.zeros((plan.padded.shape[0], *plan.out_spatial, plan.kernel.shape[-1]))
    for position, patch, outputs in plan.visits():
        # (N, *window, C_in/groups) with (*window, C_in/groups, C_out/groups)
        out[position][:, outputs] = np.tensordot(plan.padded[patch], plan.kernel[..., outputs], plan.kernel.ndim - 1)
    if bias is not None:
        out = out + np.asarray(bias, np.float64)
    return out.reshape(*plan.batch, *out.shape[1:])


def conv_gradients(x, kernel, d_out, *, stride=1, padding="same", dilation=1, groups=1):
    """Backpropagate through ``conv``: each output position sends its gradient back along the products that formed it.

    Args:
      x, kernel, stride, padding, dilation, groups: as ``conv``.
      d_out: (..., *spatial_out, C_out), the gradient with respect to the output.
    Returns:
      (dx, dkernel, dbias), of the shapes of x, kernel and (C_out,), float64.

    >>> x, kernel = np.array([[1.0], [2.0], [4.0]]), np.array([[[1.0]], [[10.0]]])
    >>> dx, dkernel, dbias = conv_gradients(x, kernel, np.ones((2, 1)), padding="valid")
    >>> dx.ravel(), dkernel.ravel(), dbias
    (array([ 1., 11., 10.]), array([3., 6.]), array([2.]))
    """
    plan = _Plan(x, kernel, stride, padding, dilation, groups)
    d_out = np.asarray(d_out, np.float64)
    d_out = d_out.reshape(plan.padded.shape[0], *plan.out_spatial, plan.kernel.shape[-1])
    d_padded, d_kernel = np.zeros_like(plan.padded), np.zeros_like(plan.kernel)
    for position, patch, outputs in plan.visits():
        delta = d_out[position][:, outputs]  # (N, C_out/groups)
        d_padded[patch] += np.tensordot(delta, plan.kernel[..., outputs], ((1,), (plan.kernel.ndim - 1,)))
        d_kernel[..., outputs] += np.tensordot(plan.padded[patch], delta, ((0,), (0,)))
    d_x = unpad(d_padded, plan.sources, plan.spatial)
    return d_x.reshape(plan.shape), d_kernel, d_out.sum(axis=tuple(range(d_out.ndim - 1)))


def conv_transpose(x, kernel, bias=None, *, stride=1, pairs, dilation=1):
    """Convolve, with stride 1, the image that has stride - 1 zeros between its pixels and ``pairs`` zeros around.

    Args:
      x: (..., *spatial, C_in).
      kernel: (*window, C_in, C_out).
      bias, stride, dilation: as ``conv``.
      pairs: (low, high) for each spatial axis.
    Returns:
      (..., *spatial_out, C_out), float64.

    >>> conv_transpose(np.array([[1.0], [2.0]]), np.array([[[1.0]], [[10.0]]]), stride=2, pairs=((1, 0),)).ravel()
    array([10.,  1., 20.])
    """
    x, rank = np.asarray(x, np.float64), np.ndim(kernel) - 2
    spatial = x.shape[-rank - 1 : -1]
    step = each(stride, rank, "stride")
    sizes = [(n - 1) * s + 1 for n, s in zip(spatial, step, strict=True)]
    stretched = np.zeros((*x.shape[: -rank - 1], *sizes, x.shape[-1]))
    places: Any = (..., *(slice(None, None, s) for s in step), slice(None))
    stretched[places] = x
    return conv(stretched, kernel, bias, padding=pairs, dilation=dilation)


def sources(padding, spatial, window, stride, dilation):
    """Say for each padded position which input position it copies, -1 where it is zero, for each spatial axis.

    Args:
      padding: as in ``conv``.
      spatial, window, stride, dilation: tuples with one entry for each spatial axis.
    Returns:
      A list of integer arrays, one for each spatial axis.

    >>> sources("reflect", (4,), (3,), (1,), (1,))
    [array([1, 0, 1, 2, 3, 2])]
    """
    maps = []
    for axis, (n, k, s, d) in enumerate(zip(spatial, window, stride, dilation, strict=True)):
        reach = d * (k - 1)  # the dilated kernel spans reach + 1
        if not isinstance(padding, str):
            low, high = padding[axis]
        elif padding == "valid":
            low = high = 0
        elif padding == "full":
            low = high = reach
        elif padding == "causal":
            low, high = reach, 0
        elif padding in ("reflect", "replicate"):
            low, high = reach // 2, (reach + 1) // 2
        elif padding == "same":
            total = max((-(-n // s) - 1) * s + reach + 1 - n, 0)
            low, high = total // 2, total - total // 2
        else:
            raise ValueError(f"padding: {padding!r} is none of valid, same, full, causal, reflect, replicate")
        index = np.arange(n)
        if padding == "reflect":
            maps.append(np.pad(index, (low, high), mode="reflect"))
        elif padding == "replicate":
            maps.append(np.pad(index, (low, high), mode="edge"))
        else:
            maps.append(np.pad(index, (low, high), constant_values=-1))
    return maps


def pad(x, maps, fill=0.0):
    """Build the padded array that ``sources`` describes.

    Args:
      x: (N, *spatial, C).
      maps: one source index array for each spatial axis.
      fill: what stands where the source is -1.
    Returns:
      (N, *padded, C).

    >>> pad(np.array([[[1.0], [2.0]]]), [np.array([-1, 0, 1, 1])]).ravel()
    array([0., 1., 2., 2.])
    """
    for axis, index in enumerate(maps, start=1):
        real = np.reshape(index >= 0, (-1,) + (1,) * (x.ndim - axis - 1))
        x = np.where(real, np.take(x, np.maximum(index, 0), axis), fill)
    return x


def unpad(d_padded, maps, spatial):
    """Send the gradient of a padded array back to the input: every copy adds its own, zeros add nothing.

    Args:
      d_padded: (N, *padded, C).
      maps: one source index array for each spatial axis.
      spatial: the sizes before padding.
    Returns:
      (N, *spatial, C).

    >>> unpad(np.ones((1, 4, 1)), [np.array([-1, 0, 1, 1])], (2,)).ravel()
    array([1., 2.])
    """
    for axis, (index, n) in enumerate(zip(maps, spatial, strict=True), start=1):
        moved = np.moveaxis(d_padded, axis, 0)
        total = np.zeros((n, *moved.shape[1:]))
        np.add.at(total, index[index >= 0], moved[index >= 0])
        d_padded = np.moveaxis(total, 0, axis)
    return d_padded


def each(value, rank: int, name: str) -> tuple[int, ...]:
    """Spread one integer over all spatial axes.

    Args:
      value: an integer, or one for each axis.
      rank: the number of spatial axes.
      name: what to call the argument in an error.
    Returns:
      A tuple of ``rank`` integers.
    Raises:
      ValueError: if the number of entries is wrong.

    >>> each(2, 3, "stride")
    (2, 2, 2)
    """
    entries = (int(value),) * rank if np.ndim(value) == 0 else tuple(int(v) for v in value)
    if len(entries) != rank:
        raise ValueError(f"{name}: {value!r} has {len(entries)} entries for {rank} spatial axes; give one for each")
    return entries


class _Plan:
    """The shapes of one convolution and the walk over its output positions."""

    def __init__(self, x, kernel, stride, padding, dilation, groups):
        x, self.kernel = np.asarray(x, np.float64), np.asarray(kernel, np.float64)
        self.window = self.kernel.shape[:-2]
        rank = len(self.window)
        self.shape, self.batch, self.spatial = x.shape, x.shape[: -rank - 1], x.shape[-rank - 1 : -1]
        self.stride, self.dilation = each(stride, rank, "stride"), each(dilation, rank, "dilation")
        self.groups = groups
        self.sources = sources(padding, self.spatial, self.window, self.stride, self.dilation)
        self.padded = pad(x.reshape(int(np.prod(self.batch)), *self.spatial, x.shape[-1]), self.sources)
        self.reach = [d * (k - 1) + 1 for k, d in zip(self.window, self.dilation, strict=True)]
        sizes = zip(self.padded.shape[1:-1], self.reach, self.stride, strict=True)
        self.out_spatial = tuple(max((n - r) // s + 1, 0) for n, r, s in sizes)

    def visits(self):
        """Yield (index of the output position, index of the patch it sees, slice of the output channels)."""
        group_in, group_out = self.kernel.shape[-2], self.kernel.shape[-1] // self.groups
        for position in itertools.product(*map(range, self.out_spatial)):
            starts = [p * s for p, s in zip(position, self.stride, strict=True)]
            box = [slice(a, a + r, d) for a, r, d in zip(starts, self.reach, self.dilation, strict=True)]
            for group in range(self.groups):
                channels = slice(group * group_in, (group + 1) * group_in)
                outputs = slice(group * group_out, (group + 1) * group_out)
                yield (slice(None), *position), (slice(None), *box, channels), outputs
