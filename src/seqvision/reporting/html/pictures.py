"""Pictures within a page, as data: addresses."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqvision.reporting.html.blocks import Gallery, Picture

MOST_BYTES = 1_000_000  # of the pictures of a folder that one page takes in


def array_source(pixels: NDArray[np.uint8], side: int = 64) -> str:
    """Return (h, w), (h, w, 1) or (h, w, 3) as an image of at most ``side`` pixels: PNG if it is small, else JPEG.

    >>> array_source(np.zeros((2, 2), np.uint8))[:22]
    'data:image/png;base64,'
    """
    from PIL import Image

    image = Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels)
    large = max(image.size) > 32
    if max(image.size) > side:
        image.thumbnail((side, side))
    kind, written = ("JPEG" if large else "PNG"), io.BytesIO()
    image.save(written, format=kind, **({"quality": 85} if large else {}))
    return _source(written.getvalue(), kind.lower())


def folder_gallery(folder: Path, left_out: Sequence[str] = ()) -> Gallery | None:
    """Return the PNG files of a run folder, as many as `MOST_BYTES` hold; of the rest the names.

    Args:
      folder: of the run.
      left_out: beginnings of the names of files whose content the page shows in another way.
    """
    files = [file for file in sorted(folder.glob("*.png")) if not file.name.startswith(tuple(left_out))]
    pictures, rest, size = [], [], 0
    for file in files:
        content = file.read_bytes()
        if size + len(content) > MOST_BYTES:
            rest.append(file.name)
            continue
        size += len(content)
        name = file.stem.replace("_", " ").replace("-", ": ", 1)
        pictures.append(Picture(_source(content, "png"), f"{name}, the picture {file.name}", name))
    note = f"Not taken in, for this page's size: {', '.join(rest)}." if rest else ""
    return Gallery(pictures, "", note=note) if files else None


def scaled_bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return values of any range as bytes, the lowest black, the highest white.

    >>> scaled_bytes(np.array([[-1.0, 1.0]])).tolist()
    [[0, 255]]
    """
    finite = np.nan_to_num(np.asarray(values, np.float64))
    low, high = finite.min(), finite.max()
    return np.round(255 * (finite - low) / (high - low or 1.0)).astype(np.uint8)


def _source(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
