"""The rows of the convolution benchmark: layers and networks that every framework reads from here; NumPy alone."""

from typing import NamedTuple

import numpy as np


class Layer(NamedTuple):
    """One layer and its input."""

    kind: str  # "conv", "depthwise", "max" or "avg"
    N: int  # images
    size: int  # pixels on a side
    C: int  # channels
    F: int  # channels of the result
    k: int  # window
    stride: int


LAYERS = {
    "conv-32x32x32-32": Layer("conv", 32, 32, 32, 32, 3, 1),
    "conv-16x16x64-64": Layer("conv", 32, 16, 64, 64, 3, 1),
    "conv-8x8x128-128": Layer("conv", 32, 8, 128, 128, 3, 1),
    "conv-28x28x1-32": Layer("conv", 128, 28, 1, 32, 3, 1),
    "strided-13x13x32-64": Layer("conv", 32, 13, 32, 64, 3, 2),
    "depthwise-56x56x64": Layer("depthwise", 32, 56, 64, 64, 3, 1),
    "depthwise-28x28x128-s2": Layer("depthwise", 32, 28, 128, 128, 3, 2),
    "maxpool-32x32x32": Layer("max", 32, 32, 32, 32, 2, 2),
    "avgpool-32x32x32": Layer("avg", 32, 32, 32, 32, 2, 2),
}


class Network(NamedTuple):
    """A network, its batches, and its number of parameters (running statistics left out)."""

    shape: tuple[int, int, int]
    batch: int
    parameters: int


NETWORKS = {
    "mnist": Network((28, 28, 1), 128, 34_826),
    "fashion": Network((28, 28, 1), 32, 360_458),
    "cifar": Network((32, 32, 3), 32, 2_396_330),
}
POPULATION = "population"  # eight of a small network at once; seqvision alone


def images(network: Network, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random images (N, H, W, C) for so many steps, and labels (N,), the same in every process."""
    random = np.random.default_rng(0)
    count = steps * network.batch
    return random.random((count, *network.shape), np.float32), random.integers(0, 10, count).astype(np.int32)


def layer_input(layer: Layer) -> np.ndarray:
    """Return the layer's input (N, size, size, C)."""
    shape = (layer.N, layer.size, layer.size, layer.C)
    return np.random.default_rng(0).standard_normal(shape, np.float32)
