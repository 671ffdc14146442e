"""What turns features into forecasts or class scores."""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_count

from .initializers import GLOROT


class RegressionHead(nn.Module):
    """Read ``horizon`` future steps of ``targets`` values from features (..., F), as (..., horizon, targets).

    Args:
      horizon: time steps ahead, >= 1.
      targets: values a step, >= 1.

    >>> import jax
    >>> head = RegressionHead(horizon=3, targets=2)
    >>> y, _ = head.init_with_output(jax.random.key(0), jnp.ones((5, 8)))
    >>> y.shape
    (5, 3, 2)
    """

    horizon: int = 1
    targets: int = 1

    @nn.compact
    def __call__(self, features: Array) -> Array:
        """Map features (..., F) to (..., horizon, targets)."""
        check_count("horizon", self.horizon, owner="RegressionHead")
        check_count("targets", self.targets, owner="RegressionHead")
        y = nn.Dense(self.horizon * self.targets, kernel_init=GLOROT, name="dense")(features)
        return y.reshape(*y.shape[:-1], self.horizon, self.targets)


class ClassificationHead(nn.Module):
    """Read class scores from features (..., F), as logits (..., num_classes).

    Args:
      num_classes: number of classes, >= 1 (1: one binary logit).

    >>> import jax
    >>> logits, _ = ClassificationHead(10).init_with_output(jax.random.key(0), jnp.ones((5, 8)))
    >>> logits.shape
    (5, 10)
    """

    num_classes: int

    @nn.compact
    def __call__(self, features: Array) -> Array:
        """Map features (..., F) to logits (..., num_classes)."""
        check_count("num_classes", self.num_classes, owner="ClassificationHead")
        return nn.Dense(self.num_classes, kernel_init=GLOROT, name="dense")(features)


class Anchored(nn.Module):
    """Forecast the change from the last value seen: the model's output plus the input's last (valid) step.

    A forecaster that does not subtract the last value must learn to copy it first.

    Args:
      model: maps x (..., T, D) to (..., horizon, targets).
      columns: the columns of x that are forecast, one a target; all of them where None.

    >>> import jax
    >>> from seqvision.models import MLP
    >>> model = Anchored(MLP((4,), head=RegressionHead()))
    >>> y, _ = model.init_with_output(jax.random.key(0), jnp.ones((2, 10, 1)))
    >>> y.shape
    (2, 1, 1)
    """

    model: nn.Module
    columns: tuple[int, ...] | None = None

    @property
    def least_axes(self) -> int:
        """How many axes a batch of sequences has."""
        return 3

    @nn.compact
    def __call__(self, x: Array, *, mask: Array | None = None, train: bool = False) -> Array:
        """Map x (..., T, D), with a bool mask (..., T) of valid steps, to (..., horizon, targets)."""
        if x.ndim < 2:
            raise ValueError(f"Anchored: x must be (..., T, D), got {x.shape}: add the missing axis")
        columns = range(x.shape[-1]) if self.columns is None else self.columns
        if not isinstance(columns, tuple | list | range) or any(c not in range(x.shape[-1]) for c in columns):
            raise ValueError(f"Anchored: columns must be a tuple of positions in 0..{x.shape[-1] - 1}, got {columns!r}")
        last = x[..., -1:, :]
        if mask is not None:
            mask = jnp.asarray(mask)
            step = mask.shape[-1] - 1 - jnp.argmax(jnp.flip(mask, -1), axis=-1, keepdims=True)
            last = jnp.take_along_axis(x, step[..., None], axis=-2)
        last = last if self.columns is None else last[..., jnp.array(self.columns)]
        change = self.model(x, train=train) if mask is None else self.model(x, mask=mask, train=train)
        if change.shape[-1] != last.shape[-1]:
            raise ValueError(
                f"Anchored: the model forecasts {change.shape[-1]} values, but {last.shape[-1]} columns are anchored: "
                "name one column a target"
            )
        return change + jnp.broadcast_to(last, change.shape)
