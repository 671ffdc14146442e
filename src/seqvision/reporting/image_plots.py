"""Pictures of pictures: grids of images, learned filters, feature maps, and maps laid over images."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from seqvision.reporting.plain_text import short_lines, short_name
from seqvision.reporting.scaled_images import Floats, scaled_images
from seqvision.reporting.style import new_figure

_NARROW = 5  # images beside each other over which a title has room


def plot_images(images: ArrayLike, titles: Sequence[str] | None = None, *, columns: int = 8, title: str = "") -> Figure:
    """Draw images in a grid, all on one scale: gray with the largest values dark, or in colors.

    Args:
      images: (B, H, W), (B, H, W, 1) or (B, H, W, 3), values of any range.
      titles: (B,), one or two lines above each.
      columns: images in a row.
      title: above the grid.

    >>> figure = plot_images(np.zeros((3, 8, 8, 1)), ["a", "b", "c"], columns=2)
    >>> [axes.get_title() for axes in figure.axes]
    ['a', 'b', 'c', '']
    """
    pictures = scaled_images(images)
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"titles has {len(titles)} entries for {len(pictures)} images")
    columns = max(1, min(columns, max(len(pictures), 0 if titles is None else _NARROW)))
    lines = max(1, -(-len(pictures) // columns))
    above = max([2, *(str(text).count("\n") + 1 for text in titles or [])])
    high = 1.35 if titles is None else 1.43 + 0.16 * above
    figure = new_figure(1.32 * columns, high * lines + 0.4)
    panels = figure.subplots(lines, columns, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for n, (axes, picture) in enumerate(zip(panels.flat, pictures, strict=False)):
        _show(axes, picture)
        axes.set_title("" if titles is None else short_lines(titles[n]), fontsize=7.5)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def plot_image_rows(rows: Mapping[str, ArrayLike], titles: Sequence[str] | None = None, *, title: str = "") -> Figure:
    """Draw several versions of the same things below each other, a row a version, each row on a scale of its own.

    Args:
      rows: name -> (B, h, w), (B, h, w, 1) or (B, h, w, 3); sizes may differ from row to row, B may not.
      titles: (B,) above the first row.
      title: above all.

    >>> figure = plot_image_rows({"small": np.zeros((2, 4, 4)), "large": np.zeros((2, 8, 8))}, ["a", "b"])
    >>> [axes.get_title() for axes in figure.axes]
    ['', 'a', 'b', '', '', '']
    """
    pictures = {name: scaled_images(images) for name, images in rows.items()}
    counts = {name: len(p) for name, p in pictures.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"plot_image_rows needs rows of equally many images, got {counts}")
    columns = next(iter(counts.values()))
    if titles is not None and len(titles) != columns:
        raise ValueError(f"titles has {len(titles)} entries for {columns} images")
    figure = new_figure(1.32 * columns + 1.1, 1.45 * len(rows) + 0.5)
    panels = figure.subplots(len(rows), columns + 1, squeeze=False, width_ratios=[0.8] + [1.0] * columns)
    for line, (name, images) in zip(panels, pictures.items(), strict=True):
        _label(line[0], name)
        for axes, picture in zip(line[1:], images, strict=True):
            _show(axes, picture)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, text in zip(panels[0, 1:], titles or [], strict=False):
        axes.set_title(short_lines(text), fontsize=7.5)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def plot_filters(filters: Mapping[str, ArrayLike], *, limit: int = 32, title: str = "") -> Figure:
    """Draw the filters of each convolution, a column a filter: blue adds, red takes away, white is 0.

    Filters of three channels that come first are drawn in colors, gray being 0. Of others every input channel is a
    row, up to four.

    Args:
      filters: layer -> (C_out, h, w, C_in), as ``learned_filters`` gives.
      limit: filters of a layer at most, the first ones.
      title: above all.

    >>> len(plot_filters({"first": np.ones((4, 3, 3, 1)), "second": np.ones((2, 3, 3, 4))}).axes) > 0
    True
    """
    if not filters:
        raise ValueError("plot_filters needs the filters of at least one convolution")
    strips = [_filter_strip(np.asarray(f, np.float64)[:limit], first=not n) for n, f in enumerate(filters.values())]
    heights = [0.32 + 9.0 * strip.shape[0] / max(strip.shape[1], 8 * strip.shape[0] // 3) for strip in strips]
    figure = new_figure(10.0, sum(heights) + 0.5)
    panels = figure.subplots(len(strips), 1, squeeze=False, height_ratios=heights).flat
    for axes, strip, (name, f) in zip(panels, strips, filters.items(), strict=True):
        _show_signed(axes, strip)
        c_out, h, w, c_in = np.shape(f)
        shown = f", the first {limit}" if c_out > limit else ""
        rows = f", the first {_ROWS} of {c_in} input channels by row" if c_in > _ROWS else ""
        axes.set_title(
            f"{short_name(name)}: {c_out} filters of {h} x {w} x {c_in}{shown}{rows}", loc="left", fontsize=9
        )
        axes.set_axis_off()
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def plot_feature_maps(image: ArrayLike, maps: Mapping[str, ArrayLike], *, limit: int = 16, title: str = "") -> Figure:
    """Draw an image and what each layer makes of it, a channel a picture, dark where it is active.

    Args:
      image: (H, W), (H, W, 1) or (H, W, 3).
      maps: layer -> (h, w, C), one image's entry of what ``feature_maps`` gives; each channel has its own scale.
      limit: channels of a layer at most, the first ones.
      title: above all.

    >>> len(plot_feature_maps(np.zeros((8, 8)), {"conv": np.ones((4, 4, 3))}).axes)
    4
    """
    for name, layer in maps.items():
        if np.ndim(layer) != 3:
            raise ValueError(f"maps[{name!r}] must be (h, w, C), got shape {np.shape(layer)}: take one image's entry")
    figure = new_figure(10.5, 0.75 * (len(maps) + 1) + 0.3)
    panels = figure.subplots(len(maps) + 1, 2, squeeze=False, width_ratios=[1.4, limit])
    for axes in panels.flat:
        axes.set_axis_off()
        axes.set_anchor("W")
    picture = scaled_images(np.asarray(image)[None])[0]
    _label(panels[0, 0], "image")
    panels[0, 1].imshow(picture, cmap="gray_r", vmin=0.0, vmax=1.0)
    for (left, right), (name, layer) in zip(panels[1:], maps.items(), strict=True):
        h, w, channels = np.shape(layer)
        _label(left, f"{name}\n{h} x {w} x {channels}")
        right.imshow(_channel_strip(np.asarray(layer, np.float64), limit), cmap="gray_r", vmin=0.0, vmax=1.0)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def plot_heat_maps(
    images: ArrayLike, maps: Mapping[str, ArrayLike], titles: Sequence[str] | None = None, *, title: str = ""
) -> Figure:
    """Draw images in a row, and below each the same with maps laid over it: red speaks for, blue against.

    Args:
      images: (B, H, W), (B, H, W, 1) or (B, H, W, 3).
      maps: name -> (B, H, W), such as ``grad_cam`` and ``occlusion_map`` give; each picture has its own scale.
      titles: (B,) above the images.
      title: above all.

    >>> len(plot_heat_maps(np.zeros((3, 8, 8)), {"Grad-CAM": np.ones((3, 8, 8))}).axes)
    8
    """
    pictures = scaled_images(images)
    for name, heat in maps.items():
        if np.shape(heat) != pictures.shape[:3]:
            raise ValueError(f"maps[{name!r}] has shape {np.shape(heat)}, expected {pictures.shape[:3]}")
    figure = plot_image_rows({"image": pictures, **dict.fromkeys(maps, pictures)}, titles, title=title)
    across = len(pictures) + 1
    for n, heat in enumerate(maps.values(), start=1):
        line = figure.axes[n * across + 1 : (n + 1) * across]
        for axes, values in zip(line, np.asarray(heat, np.float64), strict=True):
            signed = values / (np.abs(values).max() or 1.0)
            # Red or blue by sign, the more opaque the larger: what does not matter shows the image.
            axes.imshow(np.sign(signed), cmap="RdBu_r", vmin=-1.4, vmax=1.4, alpha=0.85 * np.abs(signed))
    return figure


_ROWS = 4  # input channels of a layer that are drawn


def _filter_strip(filters: Floats, *, first: bool) -> Floats:
    """Put filters side by side: (height, width) in -1..1 with NaN between, or (height, width, 3) in 0..1."""
    if filters.ndim != 4:
        raise ValueError(f"filters must be (C_out, h, w, C_in), got shape {filters.shape}")
    scaled = filters / (np.abs(filters).max() or 1.0)
    if filters.shape[-1] == 3 and first:
        framed = np.pad(0.5 + scaled / 2, ((0, 0), (0, 0), (0, 1), (0, 0)), constant_values=1.0)
        return np.concatenate(list(framed), axis=1)[:, :-1]
    framed = np.pad(scaled[..., :_ROWS], ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=np.nan)
    lines = [np.concatenate(list(framed[..., c]), axis=1) for c in range(framed.shape[-1])]
    return np.concatenate(lines, axis=0)[:-1, :-1]


def _channel_strip(layer: Floats, limit: int) -> Floats:
    """Put channels side by side, each scaled to 0..1, an eighth of a channel apart; blank where there are fewer."""
    h, w, channels = layer.shape
    scale = max(1, -(-32 // w))  # so that an eighth is a whole number of pixels
    low, high = layer.min(axis=(0, 1)), layer.max(axis=(0, 1))
    scaled = (layer - low[None, None]) / np.where(high > low, high - low, 1.0)[None, None]
    fine = scaled.repeat(scale, axis=0).repeat(scale, axis=1)
    gap = max(1, w * scale // 8)
    strip = np.zeros((h * scale, limit * (w * scale + gap) - gap))
    for k in range(min(channels, limit)):
        left = k * (w * scale + gap)
        strip[:, left : left + w * scale] = fine[..., k]
    return strip


def _show(axes: Axes, picture: Floats) -> None:
    axes.imshow(picture, cmap="gray_r" if picture.ndim == 2 else None, vmin=0.0, vmax=1.0)


def _show_signed(axes: Axes, picture: Floats) -> None:
    if picture.ndim == 3:
        axes.imshow(picture)
    else:
        axes.imshow(picture, cmap="RdBu", vmin=-1.0, vmax=1.0, interpolation="nearest")


def _label(axes: Axes, text: str) -> None:
    axes.text(0.0, 0.5, short_lines(text), fontsize=7.5, va="center", transform=axes.transAxes)
