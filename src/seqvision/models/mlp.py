"""A multilayer perceptron over the flattened input."""

import flax.linen as nn
from jax import Array

from seqvision.activations import Activation, activation

from .heads import RegressionHead
from .initializers import GLOROT
from .input_checks import check_fields


class MLP(nn.Module):
    """Dense layers over the flattened input, and a head.

    Args:
      features: units of each hidden layer.
      activation: name, see `seqvision.activations`, or a function.
      dropout: rate after each hidden layer.
      head: a module from features to outputs; None returns the features.

    >>> import jax, jax.numpy as jnp
    >>> from seqvision.models import ClassificationHead
    >>> model = MLP((128,), dropout=0.2, head=ClassificationHead(10))
    >>> logits, _ = model.init_with_output(jax.random.key(0), jnp.ones((5, 28, 28, 1)))
    >>> logits.shape
    (5, 10)
    """

    features: tuple[int, ...] = (128,)
    activation: Activation = "relu"
    dropout: float = 0.0
    head: nn.Module | None = RegressionHead()

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map x (B, ...) to the head's outputs."""
        check_fields(self)
        x = x.reshape(x.shape[0], -1)
        for units in self.features:
            x = activation(self.activation)(nn.Dense(units, kernel_init=GLOROT)(x))
            x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return x if self.head is None else self.head(x)
