"""What a unit wants to see: images that make a channel or a class as active as they can."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from seqvision._checks import check_count
from seqvision.interpret.capture import capture, layer_shapes, variables_of
from seqvision.interpret.checks import pick_layer
from seqvision.training import TrainState


class ActivationImages(NamedTuple):
    """Images found by gradient ascent, and what they reach."""

    images: np.ndarray  # (K, H, W, C), one a unit
    activations: np.ndarray  # (K,): the class's score, or the channel's mean over positions
    start: np.ndarray  # (K,): the same of the images that the ascent began with


def maximize_activation(
    state: TrainState,
    shape: tuple[int, int, int],
    units: Any,
    *,
    layer: str | None = None,
    steps: int = 200,
    learning_rate: float = 0.05,
    l2: float = 0.01,
    smoothness: float = 0.05,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    seed: int = 0,
) -> ActivationImages:
    """Find images that excite classes, or channels of a layer, by gradient ascent from noise.

    Maximized are activation - l2 * sum x^2 - smoothness * sum of squared differences of neighboring pixels, by Adam,
    all units at once. Simonyan, Vedaldi, Zisserman, "Deep inside convolutional networks", 2013, equation 1.

    Args:
      state: what `fit` or `create_state` returns.
      shape: (H, W, C) of an image.
      units: K integers: classes, or channels of the layer.
      layer: name as in `feature_maps`; None for the model's scores (B, C).
      steps: of the ascent.
      learning_rate: of Adam, in units of the pixels.
      l2: weight of the penalty on large pixels; it makes what does not matter dark.
      smoothness: weight of the penalty on noise.
      bounds: least and largest value of a pixel, kept by clipping, or None. The noise begins in their middle.
      seed: of the noise.

    Raises:
      ValueError: if a unit is not in the layer, or there is no such layer.

    >>> import flax.linen as nn
    >>> from seqvision.training import create_state
    >>> model = nn.Sequential([lambda x: x.reshape(x.shape[0], -1), nn.Dense(3)])
    >>> state = create_state(model, optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 4, 4, 1)))
    >>> found = maximize_activation(state, (4, 4, 1), [0, 2], steps=10)
    >>> found.images.shape, bool((found.activations > found.start).all())
    ((2, 4, 4, 1), True)
    """
    check_count("steps", steps)
    chosen = np.atleast_1d(np.asarray(units))
    if chosen.dtype.kind not in "iu" or chosen.ndim != 1 or chosen.size == 0:
        raise ValueError(f"units must be one integer or more, got {units!r}")
    low, high = (-np.inf, np.inf) if bounds is None else bounds
    middle = 0.0 if bounds is None else (low + high) / 2
    width = 0.1 if bounds is None else 0.1 * (high - low)
    x = middle + width * jax.random.normal(jax.random.key(seed), (len(chosen), *shape))
    outputs, layers = layer_shapes(state, x)
    if layer is None and len(outputs.shape) != 2:
        raise ValueError(f"the model must give scores (B, C), got shape {outputs.shape}: name a layer")
    size = outputs.shape[-1] if layer is None else layers[pick_layer(layers, layer)].shape[-1]
    if chosen.min() < 0 or chosen.max() >= size:
        raise ValueError(f"units must lie in [0, {size}), got {chosen.tolist()}")
    adam, picked = optax.adam(learning_rate), jnp.asarray(chosen)

    def objective(x: Array, variables: Any) -> tuple[Array, Array]:
        scores, named = capture(state, variables, x)
        scores = scores if layer is None else named[layer].mean(axis=(1, 2))
        reached = jnp.take_along_axis(scores, picked[:, None], axis=1)[:, 0]
        rough = sum(jnp.square(jnp.diff(x, axis=axis)).sum() for axis in (1, 2))
        return l2 * jnp.square(x).sum() + smoothness * rough - reached.sum(), reached

    @jax.jit
    def ascend(variables: Any, x: Array, memory: Any) -> tuple[Array, Any, Array]:
        gradient, reached = jax.grad(objective, has_aux=True)(x, variables)
        updates, memory = adam.update(gradient, memory, x)
        return jnp.clip(optax.apply_updates(x, updates), low, high), memory, reached

    variables, x = variables_of(state), jnp.clip(x, low, high)
    memory, along = adam.init(x), []
    for _ in range(steps):  # a loop, not a scan: convolutions of any module stay fast on CPU
        x, memory, reached = ascend(variables, x, memory)
        along.append(reached)
    last = ascend(variables, x, memory)[2]
    return ActivationImages(np.asarray(x), np.asarray(last), np.asarray(along[0]))
