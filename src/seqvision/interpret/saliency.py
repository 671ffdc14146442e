"""Where a classifier looks: class activation maps by gradients, and what covering a part of the image costs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from seqvision._checks import check_count
from seqvision.interpret.capture import capture, layer_shapes, variables_of
from seqvision.interpret.checks import check_classes, check_images, pick_layer
from seqvision.training import TrainState, forward


def grad_cam(state: TrainState, images: Any, *, layer: str | None = None, classes: Any = None) -> np.ndarray:
    """Return where a layer's channels speak for a class: the map of Grad-CAM, enlarged to the size of the images.

    With A^k the channels of the layer and y the class's score: relu(sum_k a_k A^k), a_k the mean of dy/dA^k over
    positions. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization",
    ICCV 2017, equations 1 and 2.

    Args:
      state: what `fit` or `create_state` returns; the model gives scores (B, C).
      images: (B, H, W, C).
      layer: name as in `feature_maps`; by default the last layer with two spatial axes.
      classes: one for all images or (B,); by default the class that the model gives each image.

    Returns:
      (B, H, W), >= 0, in units of the score.

    Raises:
      ValueError: if there is no such layer, or a class is not among the model's outputs.

    >>> import flax.linen as nn, optax
    >>> from seqvision.training import create_state
    >>> model = nn.Sequential([nn.Conv(4, (3, 3), strides=2), nn.relu, lambda x: x.mean((1, 2)), nn.Dense(3)])
    >>> state = create_state(model, optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 8, 8, 1)))
    >>> grad_cam(state, np.ones((5, 8, 8, 1)), classes=2).shape
    (5, 8, 8)
    """
    check_images(images)
    x = jnp.asarray(images)
    outputs, shapes = layer_shapes(state, x)
    layer = pick_layer(shapes, layer)
    check_classes(classes, outputs.shape)
    wanted = None if classes is None else jnp.broadcast_to(jnp.asarray(classes), x.shape[:1])

    @jax.jit
    def maps(variables: Any, x: Array, wanted: Array | None) -> Array:
        def score(change: Array) -> tuple[Array, Array]:  # an image's depends on that image alone: one gradient does
            logits, named = capture(state, variables, x, {layer: change})
            chosen = logits.argmax(axis=1) if wanted is None else wanted
            return jnp.take_along_axis(logits, chosen[:, None], axis=1).sum(), named[layer]

        nothing = jnp.zeros(shapes[layer].shape, shapes[layer].dtype)
        gradients, channels = jax.grad(score, has_aux=True)(nothing)
        weights = gradients.mean(axis=(1, 2), keepdims=True)
        spoken = jax.nn.relu((weights * channels).sum(axis=-1))
        return jax.image.resize(spoken, x.shape[:3], "bilinear")

    return np.asarray(maps(variables_of(state), x, wanted))


def occlusion_map(
    state: TrainState,
    images: Any,
    window: tuple[int, int],
    *,
    stride: int = 1,
    fill: float | Array = 0.0,
    classes: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Return by how much a class's score falls where a part of the image is covered.

    A window slides over the image; each pixel gets the mean fall over the windows that cover it. Zeiler and Fergus,
    "Visualizing and understanding convolutional networks", ECCV 2014, section 4.2.

    Args:
      state: what `fit` or `create_state` returns; the model gives scores (B, C).
      images: (B, H, W, C).
      window: height and width of what is covered, in pixels.
      stride: pixels from one window to the next, at most the window; the last ones end at the border.
      fill: what a covered pixel becomes, a number or (C,): the background, or the mean of the training images.
      classes: one for all images or (B,); by default the class that the model gives each image.
      batch_size: covered images that are computed at once.

    Returns:
      (B, H, W) in units of the score, > 0 where the class needs what was covered.

    Raises:
      ValueError: if the window is larger than the image or the stride than the window.

    >>> import flax.linen as nn, optax
    >>> from seqvision.training import create_state
    >>> model = nn.Sequential([lambda x: x.reshape(x.shape[0], -1), nn.Dense(3)])
    >>> state = create_state(model, optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 8, 8, 1)))
    >>> occlusion_map(state, np.ones((5, 8, 8, 1)), (2, 2), stride=2).shape
    (5, 8, 8)
    """
    check_images(images)
    check_count("batch_size", batch_size)
    x = jnp.asarray(images)
    check_classes(classes, jax.eval_shape(forward, state, x).shape)
    covered = _windows(x.shape[1:3], window, stride)
    masks = jnp.asarray(np.concatenate([np.zeros_like(covered[:1]), covered]))  # the first one covers nothing
    blank = jnp.broadcast_to(jnp.asarray(fill, x.dtype), x.shape[3:])

    @jax.jit
    def scores(state: TrainState, x: Array, masks: Array, blank: Array, pairs: Array) -> Array:
        image, place = pairs // len(masks), pairs % len(masks)
        return forward(state, jnp.where(masks[place][..., None], blank[None, None, None], x[image]))

    count = len(x) * len(masks)
    size = min(batch_size, count)
    # One shape for all blocks, one compilation: the last one is filled up with pairs that are cut off again.
    blocks = np.minimum(np.arange(-(-count // size) * size), count - 1).reshape(-1, size)
    parts = [np.asarray(scores(state, x, masks, blank, jnp.asarray(pairs))) for pairs in blocks]
    logits = np.concatenate(parts)[:count].reshape(len(x), len(masks), -1)
    chosen = logits[:, 0].argmax(axis=1) if classes is None else np.broadcast_to(classes, len(x))
    of_class = np.take_along_axis(logits, chosen[:, None, None], axis=2)[..., 0]
    weights = covered / covered.sum(axis=0, keepdims=True)
    return np.einsum("bp,phw->bhw", of_class[:, :1] - of_class[:, 1:], weights)


def _windows(size: tuple[int, ...], window: tuple[int, int], stride: int) -> np.ndarray:
    """Return one mask (H, W) a place of the window, True where it covers."""
    check_count("stride", stride)
    if len(window) != 2 or any(not 1 <= w <= n for w, n in zip(window, size, strict=True)):
        raise ValueError(f"window must be (height, width) within images of {size[0]} x {size[1]}, got {window}")
    if stride > min(window):
        raise ValueError(f"stride {stride} would leave pixels uncovered by windows of {window}: make it smaller")
    starts = [sorted({*range(0, n - w + 1, stride), n - w}) for w, n in zip(window, size, strict=True)]
    masks = np.zeros((len(starts[0]), len(starts[1]), *size), bool)
    for i, top in enumerate(starts[0]):
        for j, left in enumerate(starts[1]):
            masks[i, j, top : top + window[0], left : left + window[1]] = True
    return masks.reshape(-1, *size)
