"""LeNet-5, as it was published and in its two later forms."""

from functools import partial
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from seqvision._checks import check_choice
from seqvision.activations import Activation, activation
from seqvision.conv import avg_pool, conv, sum_pool
from seqvision.models.blocks.convolution import ConvBlock
from seqvision.models.heads import ClassificationHead
from seqvision.models.initializers import GLOROT
from seqvision.models.input_checks import check_axes, check_pictures

from .digit_codes import DIGIT_CODES

# The maps of S2 that each of the 16 maps of C3 reads (table I of the paper).
_COLUMNS = "012 123 234 345 450 501 0123 1234 2345 3450 4501 5012 0134 1245 0235 012345"
C3_INPUTS = tuple(tuple(int(digit) for digit in column) for column in _COLUMNS.split())


def scaled_tanh(x: Array) -> Array:
    """1.7159 tanh(2 x / 3), which maps 1 to 1 and -1 to -1 (LeCun et al. 1998, appendix A).

    >>> scaled_tanh(jnp.array([-1.0, 0.0, 1.0])).round(3).tolist()
    [-1.0, 0.0, 1.0]
    """
    return 1.7159 * jnp.tanh(x * (2 / 3))


class PartialConv(nn.Module):
    """A "valid" convolution whose output maps read only some of the input maps.

    The parameter ``kernel`` (*kernel_size, connections) holds the weights of the connections alone, so that no
    optimizer, momentum or weight decay can move the others away from zero.

    Args:
      inputs: for every output map, the input maps that it reads.
      kernel_size: one entry a spatial axis.
      activation: name or function.

    >>> import jax
    >>> layer = PartialConv(((0, 1), (1, 2)))
    >>> y, variables = layer.init_with_output(jax.random.key(0), jnp.ones((2, 8, 8, 3)))
    >>> y.shape, variables["params"]["kernel"].shape
    ((2, 4, 4, 2), (5, 5, 4))
    """

    inputs: tuple[tuple[int, ...], ...]
    kernel_size: tuple[int, ...] = (5, 5)
    activation: Activation = "tanh"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Map x (B, *spatial, C) to (B, *spatial', len(inputs))."""
        check_axes(self, x, more=True)
        if not all(0 <= c < x.shape[-1] for maps in self.inputs for c in maps):
            raise ValueError(f"PartialConv: inputs name maps that x {x.shape} does not have: {self.inputs}")
        pairs = [(c, o) for o, maps in enumerate(self.inputs) for c in maps]
        kernel = self.param("kernel", partial(_partial_init, self.inputs), (*self.kernel_size, len(pairs)))
        bias = self.param("bias", nn.initializers.zeros_init(), (len(self.inputs),))
        # Which weight stands at (input, output); the last one is a zero.
        places = np.full((x.shape[-1], len(self.inputs)), len(pairs))
        places[tuple(np.transpose(pairs))] = np.arange(len(pairs))
        padded = jnp.concatenate([kernel, jnp.zeros_like(kernel[..., :1])], axis=-1)
        return activation(self.activation)(conv(x, padded[..., places], bias, padding="valid"))


class TrainablePool(nn.Module):
    """The subsampling of LeNet-5: the sum of 2x2 pixels, times a coefficient and plus a bias for each map.

    Args:
      activation: name or function.

    >>> import jax
    >>> y, variables = TrainablePool("linear").init_with_output(jax.random.key(0), jnp.ones((1, 4, 4, 6)))
    >>> y.shape, sum(p.size for p in jax.tree.leaves(variables)), float(y[0, 0, 0, 0])
    ((1, 2, 2, 6), 12, 1.0)
    """

    activation: Activation = scaled_tanh

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Map x (B, H, W, C) to (B, H // 2, W // 2, C)."""
        check_axes(self, x, 2, more=True)
        coefficient = self.param("coefficient", nn.initializers.constant(0.25), (x.shape[-1],))
        bias = self.param("bias", nn.initializers.zeros_init(), (x.shape[-1],))
        sums = sum_pool(x, (2, 2))
        wide = partial(jnp.broadcast_to, shape=sums.shape)
        return activation(self.activation)(sums * wide(coefficient) + wide(bias))


class LeNet5(nn.Module):
    """LeNet-5 on images of 28 x 28 (padded by 2) or 32 x 32.

    Args:
      form: "original": partial connections in C3, trainable subsampling, scaled tanh, and an output whose logits are
        minus the squared distances of F6 from fixed pictures of the digits (60,000 parameters); "partial": partial
        connections, average pooling and a dense output (60,806); "dense": every map of C3 reads all (61,706).
      num_classes: logits; 10 in the original form, which knows pictures of the ten digits.
      activation: of the two later forms.

    Cross entropy of the original's logits is the paper's criterion (9) without its rubbish class.

    Source: LeCun, Bottou, Bengio, Haffner, Gradient-Based Learning Applied to Document Recognition, 1998, section II.

    >>> import jax
    >>> logits, variables = LeNet5("original").init_with_output(jax.random.key(0), jnp.ones((2, 28, 28, 1)))
    >>> logits.shape, sum(p.size for p in jax.tree.leaves(variables))
    ((2, 10), 60000)
    """

    form: Literal["original", "partial", "dense"] = "original"
    num_classes: int = 10
    activation: Activation = "tanh"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Map images x (B, 28 or 32, 28 or 32, C) to logits (B, num_classes)."""
        check_pictures(self, x)
        self._check(x)
        original = self.form == "original"
        squash: Any = scaled_tanh if original else activation(self.activation)

        def halve(x: Array, name: str) -> Array:
            return TrainablePool(squash, name=name)(x) if original else avg_pool(x, (2, 2))

        x = ConvBlock(6, (5, 5), padding=2 if x.shape[1] == 28 else 0, activation=squash, name="C1")(x)
        x = halve(x, "S2")
        if self.form == "dense":
            x = ConvBlock(16, (5, 5), padding="valid", activation=squash, name="C3")(x)
        else:
            x = PartialConv(C3_INPUTS, activation=squash, name="C3")(x)
        x = halve(x, "S4").reshape(x.shape[0], -1)
        x = squash(nn.Dense(120, kernel_init=GLOROT, name="C5")(x))
        x = squash(nn.Dense(84, kernel_init=GLOROT, name="F6")(x))
        if not original:
            return ClassificationHead(self.num_classes, name="head")(x)
        codes = jnp.asarray(DIGIT_CODES, x.dtype)
        return -jnp.square(x[:, None, :] - codes[None]).sum(axis=-1)

    def _check(self, x: Array) -> None:
        check_choice("form", self.form, ("original", "partial", "dense"), owner="LeNet5")
        if x.shape[1:3] not in ((28, 28), (32, 32)):
            raise ValueError(f"LeNet5: images must be (B, 28, 28, C) or (B, 32, 32, C), got {x.shape}: resize them")
        if self.form == "original" and self.num_classes != 10:
            raise ValueError(
                f'LeNet5: the "original" form knows pictures of 10 digits, not {self.num_classes} classes: '
                'use "partial"'
            )


def _partial_init(inputs: tuple[tuple[int, ...], ...], key: Array, shape: tuple[int, ...]) -> Array:
    """Draw weights uniformly within 2.4 / fan-in of their own output map, as the paper does (section III-C)."""
    fan_in = np.concatenate([np.full(len(maps), len(maps)) for maps in inputs]) * np.prod(shape[:-1])
    limits = jnp.broadcast_to(jnp.asarray(2.4 / fan_in, jnp.float32), shape)
    return jax.random.uniform(key, shape, minval=-1.0, maxval=1.0) * limits
