"""Pictures within a page, as data: addresses."""

import base64
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqvision.reporting.html.blocks import Gallery, Picture
from seqvision.reporting.scaled_images import scaled_images
from seqvision.storage import load_weights, save_weights

MOST_BYTES = 1_000_000  # of the pictures of a folder that one page takes in
MOST_MISTAKES = 24  # of a model, with their pictures
_THUMBNAILS, _SIDE = "mistakes.safetensors", 64


def array_source(pixels: NDArray[np.uint8], *, lossless: bool = False) -> str:
    """Return (h, w) or (h, w, 3) as an image: PNG if it is small or has to be exact, else JPEG.

    >>> array_source(np.zeros((2, 2), np.uint8))[:22]
    'data:image/png;base64,'
    """
    from PIL import Image

    image = Image.fromarray(pixels)
    large = max(image.size) > 32 and not lossless
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


def save_thumbnails(folder: str | os.PathLike[str], images: ArrayLike, mistakes: pd.DataFrame) -> None:
    """Keep the images of the surest mistakes, small, for the report of a run.

    Args:
      folder: of the run; nothing is written where there are no mistakes.
      images: (N, H, W), (N, H, W, 1) or (N, H, W, 3) test images, values of any range.
      mistakes: with columns "model" and "row", the surest first.
    """
    from PIL import Image

    kept = np.unique(mistakes.groupby("model").head(MOST_MISTAKES)["row"].to_numpy(np.int64))
    if not len(kept):
        return
    small = []
    for pixels in _as_bytes(np.asarray(images)[kept]):
        image = Image.fromarray(pixels)
        image.thumbnail((_SIDE, _SIDE))
        small.append(np.asarray(image))
    save_weights(Path(folder) / _THUMBNAILS, {"rows": kept, "pictures": np.stack(small)})


def load_thumbnails(folder: str | os.PathLike[str]) -> dict[int, NDArray[np.uint8]]:
    """Return what `save_thumbnails` kept, by row; nothing if there is no such file."""
    path = Path(folder) / _THUMBNAILS
    if not path.is_file():
        return {}
    kept = load_weights(path)
    return dict(zip(kept["rows"].tolist(), kept["pictures"], strict=True))


def scaled_bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return values of any range as bytes, the lowest black, the highest white.

    >>> scaled_bytes(np.array([[-1.0, 1.0]])).tolist()
    [[0, 255]]
    """
    finite = np.nan_to_num(np.asarray(values, np.float64))
    low, high = finite.min(), finite.max()
    return np.round(255 * (finite - low) / (high - low or 1.0)).astype(np.uint8)


def _as_bytes(images: NDArray[Any]) -> NDArray[np.uint8]:
    """Return images as they are if they are bytes or lie in 0..1, else from their lowest to their highest value."""
    pictures = images[..., 0] if images.shape[-1] == 1 and images.ndim == 4 else images
    if pictures.dtype == np.uint8:
        return pictures
    within = pictures.min() >= 0 and pictures.max() <= 1
    return np.round(255 * (pictures if within else scaled_images(pictures))).astype(np.uint8)


def _source(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
