"""Batch normalization with gradients that are fast on CPU."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_number
from seqvision.conv import batch_norm


class BatchNorm(nn.Module):
    """Batch normalization over the last axis, several times faster on CPU than flax's, right after few steps.

    Parameters ``scale`` and ``bias``, statistics ``mean`` and ``var``, all (C,), are flax's, so that weights of one
    serve in the other. Beside them is ``count`` (), the batches seen: where flax's statistics are still made of the
    zeros and ones that they start from for hundreds of steps, these are of batches from the first one on, and at most
    of the last tenth of so many, as long as that is less than ``momentum`` keeps.

    Args:
      use_running_average: True: normalize by the running statistics (inference); False: by the batch's, and carry
        the running ones on.
      momentum: of the running statistics, ``new = momentum * old + (1 - momentum) * batch``, or, after n batches,
        ``n / (n + 10)`` where that is less. Statistics that come without a count have momentum alone.
      epsilon: added to the variance.
      scale_init: of the scale.

    >>> import jax
    >>> y, _ = BatchNorm(False).init_with_output(jax.random.key(0), jnp.array([[1.0], [3.0]]))
    >>> [round(value, 3) for value in y[:, 0].tolist()]
    [-1.0, 1.0]
    """

    use_running_average: bool
    momentum: float = 0.99
    epsilon: float = 1e-5
    scale_init: Callable[..., Any] = nn.initializers.ones_init()

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Normalize x (..., C)."""
        check_number("momentum", self.momentum, owner="BatchNorm", least=0, most=1)
        size = x.shape[-1:]
        mean = self.variable("batch_stats", "mean", jnp.zeros, size)
        var = self.variable("batch_stats", "var", jnp.ones, size)
        scale = self.param("scale", self.scale_init, size)
        bias = self.param("bias", nn.initializers.zeros_init(), size)
        counted = self.is_initializing() or self.has_variable("batch_stats", "count")
        count = self.variable("batch_stats", "count", jnp.zeros, ()) if counted else None
        if self.use_running_average:
            return batch_norm(x, scale, bias, mean=mean.value, var=var.value, epsilon=self.epsilon)[0]
        y, batch_mean, batch_var = batch_norm(x, scale, bias, epsilon=self.epsilon)
        if not self.is_initializing():
            kept = self.momentum if count is None else jnp.minimum(self.momentum, count.value / (count.value + 10))
            mean.value = kept * mean.value + (1 - kept) * batch_mean
            var.value = kept * var.value + (1 - kept) * batch_var
            if count is not None:
                count.value += 1
        return y
