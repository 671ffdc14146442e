"""The classic filters, and random changes, on a photograph.

Question: what do the filters of every course - identity, two edge detectors, sharpening, box and Gaussian blur, Sobel
across and down - make of a real picture, as one convolution with eight output channels? Do they equal scipy's? And what
do the random changes that training pictures go through look like?

Command: python experiments/filters.py
    (the photograph comes with scikit-learn; nothing is downloaded; nothing is trained)

Expected: scipy's values. Blurring lowers the picture's contrast (the deviation of its pixels) and sharpening raises it;
    edges are sparse. filters.png and augmentations.png are in the run folder.

Measured (from results/filters.json by results/tables.py):
    python experiments/filters.py (2026-11-20, 2 cores)
        largest difference from scipy: all filters 7.2e-7
        deviation of the pixels: identity 0.306; box blur 0.301; Gaussian blur 0.302; sharpen 0.356
        median of the absolute pixels: edges (Laplacian) 0.067
        largest absolute pixel: edges (Laplacian) 2.22
Running time: 7 s.
"""

from dataclasses import dataclass
from typing import Any

from seqvision.conv import conv
from seqvision.data import Brightness, Contrast, Cutout, Flip, PadCrop, Shift, Warp, array_to_image, image_to_array
from seqvision.pipelines import run_experiment
from seqvision.reporting import RunFolder, plot_augmentations, plot_images, save_figure, to_plain

import jax
import jax.numpy as jnp
import numpy as np
import scipy.ndimage
import sklearn.datasets

FILTERS = {
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "diagonal edges": ((1, 0, -1), (0, 0, 0), (-1, 0, 1)),
    "edges (Laplacian)": ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "box blur": ((1 / 9,) * 3,) * 3,
    "Gaussian blur": ((1 / 16, 2 / 16, 1 / 16), (2 / 16, 4 / 16, 2 / 16), (1 / 16, 2 / 16, 1 / 16)),
    "Sobel x": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "Sobel y": ((1, 2, 1), (0, 0, 0), (-1, -2, -1)),
}
CHANGES = {
    "flip": Flip(),
    "shift": Shift(0.15, 0.15),
    "reflect-pad crop": PadCrop(12),
    "rotation": Warp(rotation=25),
    "zoom": Warp(zoom=0.4),
    "shear": Warp(shear=25),
    "brightness": Brightness(0.3),
    "contrast": Contrast(0.8),
    "cutout": Cutout(32),
}


@dataclass(frozen=True)
class Config:
    """Apply the classic filters to a photograph, and draw random changes of it."""

    image: str | None = None
    """file of a picture; by default a photograph that scikit-learn bundles"""
    side: int = 128
    """height and width that its middle square is resized to"""
    draws: int = 4
    """random versions of it for each change"""
    seed: int = 0
    """from which the random changes derive"""
    out: str = "runs"
    """folder in which the new run folder is made"""


def main(config: Config) -> dict[str, Any]:
    """Filter the picture, compare with scipy, draw both figures, and return the figures' numbers."""
    picture = image_to_array(
        config.image or array_to_image(sklearn.datasets.load_sample_image("china.jpg")), channels=3
    )
    color = image_to_array(array_to_image(middle_square(picture)), size=(config.side, config.side))
    gray = image_to_array(array_to_image(color), channels=1)
    kernel = np.stack([np.array(rows, np.float32) for rows in FILTERS.values()], axis=-1)[:, :, None, :]  # (3, 3, 1, 8)
    filtered = np.asarray(conv(jnp.asarray(gray), jnp.asarray(kernel), padding="replicate"))  # (H, W, 8)
    table = {}
    print(f"{'':<20}{'mean':>8}{'deviation':>11}{'median |value|':>16}{'largest |value|':>17}{'from scipy':>12}")
    for n, name in enumerate(FILTERS):
        expected = scipy.ndimage.correlate(gray[..., 0].astype(np.float64), kernel[:, :, 0, n], mode="nearest")
        values = filtered[..., n]
        row = {
            "mean": values.mean(),
            "deviation": values.std(),
            "median": np.median(np.abs(values)),
            "largest": np.abs(values).max(),
            "difference": np.abs(values - expected).max(),
        }
        table[name] = row
        print(f"{name:<20}{row['mean']:>8.3f}{row['deviation']:>11.3f}{row['median']:>16.3f}", end="")
        print(f"{row['largest']:>17.3f}{row['difference']:>12.1e}")
    with RunFolder.create(config.out, "filters") as folder:
        folder.write_config(config)
        save_figure(plot_images(shown(filtered), [*FILTERS, "gradient"], columns=3), folder.path / "filters.png")
        changes = plot_augmentations(color, CHANGES, jax.random.key(config.seed), draws=config.draws)
        save_figure(changes, folder.path / "augmentations.png")
        folder.write_json("summary.json", to_plain(table))
    print(f"\nrun folder: {folder.path}")
    return to_plain({"filters": table, "folder": folder.path})


def middle_square(picture: np.ndarray) -> np.ndarray:
    """Return the largest square (S, S, C) in the middle of a picture (H, W, C)."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def shown(filtered: np.ndarray) -> np.ndarray:
    """Return gray pictures (9, H, W, 3) in 0..1 of the channels, signs left out, and the length of Sobel's gradient."""
    gradient = np.hypot(filtered[..., -2], filtered[..., -1])
    pictures = np.abs(np.concatenate([filtered, gradient[..., None]], axis=-1)).transpose(2, 0, 1)
    return np.repeat(np.clip(pictures, 0, 1)[..., None], 3, axis=-1)


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
