"""What a network has learned and what it sees: filters as images, and the output of every layer."""

import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from seqvision.interpret.capture import capture, layer_shapes, variables_of
from seqvision.interpret.checks import check_images
from seqvision.training import TrainState


def learned_filters(params: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the kernels of all two-dimensional convolutions as images.

    Args:
      params: a tree of parameters, such as ``state.params``; every leaf with four axes (h, w, C_in, C_out) counts.

    Returns:
      For each layer, in natural order of the names, (C_out, h, w, C_in): one image a filter.

    >>> params = {"conv_10": {"kernel": np.zeros((3, 3, 8, 4))}, "conv_9": {"kernel": np.zeros((5, 3, 1, 8))}}
    >>> {name: filters.shape for name, filters in learned_filters(params).items()}
    {'conv_9/kernel': (8, 5, 3, 1), 'conv_10/kernel': (4, 3, 3, 8)}
    """
    leaves = jax.tree_util.tree_leaves_with_path(params)
    named = {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}
    order = sorted(named, key=lambda name: [int(s) if s.isdigit() else s for s in re.split(r"(\d+)", name)])
    return {name: np.moveaxis(np.asarray(named[name]), -1, 0) for name in order if np.ndim(named[name]) == 4}


def layer_outputs(state: TrainState, x: Any) -> dict[str, np.ndarray]:
    """Return the output of every submodule at inference, in the order in which they are done.

    Works for any flax.linen module. A layer that hands on its very input (dropout at inference) and outputs that are
    not arrays are left out; outputs after the first of a module that is called several times are "name (2)" and so on.

    Args:
      state: what `fit` or `create_state` returns.
      x: (B, ...) inputs.

    Returns:
      Name, from the path of the module, -> (B, ...).

    >>> import flax.linen as nn, optax
    >>> from seqvision.training import create_state
    >>> model = nn.Sequential([nn.Conv(4, (3, 3)), nn.relu, nn.Conv(2, (3, 3), strides=2)])
    >>> state = create_state(model, optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 8, 8, 1)))
    >>> {name: y.shape for name, y in layer_outputs(state, jnp.ones((5, 8, 8, 1))).items()}
    {'layers_0': (5, 8, 8, 4), 'layers_2': (5, 4, 4, 2)}
    """
    x = jax.tree.map(jnp.asarray, x)
    names = [name for name, y in layer_shapes(state, x)[1].items() if hasattr(y, "ndim")]

    @jax.jit
    def outputs(variables: Any, x: Any) -> dict[str, Array]:
        named = capture(state, variables, x)[1]
        return {name: named[name] for name in names}

    values = outputs(variables_of(state), x)
    return {name: np.asarray(values[name]) for name in names}


def feature_maps(state: TrainState, images: Any) -> dict[str, np.ndarray]:
    """Return what every layer that keeps the two axes of an image makes of it: name -> (B, h, w, C), first layer first.

    Args:
      state: what `fit` or `create_state` returns.
      images: (B, H, W, C).

    Raises:
      ValueError: if images have no batch axis, or no layer gives images.

    >>> import flax.linen as nn, optax
    >>> from seqvision.training import create_state
    >>> model = nn.Sequential([nn.Conv(4, (3, 3))])
    >>> state = create_state(model, optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 8, 8, 1)))
    >>> feature_maps(state, np.zeros((5, 8, 8, 1)))["layers_0"].shape
    (5, 8, 8, 4)
    """
    check_images(images)
    maps = {name: y for name, y in layer_outputs(state, images).items() if y.ndim == 4}
    if not maps:
        raise ValueError("no layer of the model gives images (B, h, w, C): it has no feature maps to show")
    return maps
