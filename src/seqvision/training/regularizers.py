"""What keeps a network from fitting noise: penalties, smoothed labels, averaged weights."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from seqvision._checks import check_number

from .losses import as_labels, categorical_cross_entropy, magnitude
from .optimizers import decay_mask
from .state import TrainState


@dataclass(frozen=True)
class WeightPenalty:
    """Add l1 * sum |w| + l2 * sum w^2 over all weights to what is minimized; biases and norms go free.

    Hand it to `fit` or `make_train_step` as ``penalty=``. The reported "loss" is that of the examples alone, so that it
    compares with "val_loss". With Adam, `optax.adamw` with ``mask=decay_mask`` usually does better than an l2 penalty.

    Args:
      l1: factor of the absolute values, which drives weights to 0.
      l2: factor of the squares (Keras's, without the 1/2).

    >>> float(WeightPenalty(l1=1.0, l2=2.0)({"kernel": jnp.full((2, 2), -3.0), "bias": jnp.ones(2)}))
    84.0
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        """Check the factors."""
        for name in ("l1", "l2"):
            check_number(name, getattr(self, name), least=0, below=float("inf"))

    def __call__(self, params: Any) -> Array:
        """Return the penalty, one number."""
        weights = [w for w, decays in zip(*map(jax.tree.leaves, (params, decay_mask(params))), strict=True) if decays]
        total = jnp.zeros(())
        for w in weights:
            total += self.l1 * magnitude(w).sum() + self.l2 * jnp.square(w).sum()
        return total


@dataclass(frozen=True)
class SmoothedCrossEntropy:
    """Cross entropy with smoothed labels: a share ``amount`` of each target is spread evenly over all classes.

    A loss for `fit` and `make_train_step`: equal ones share one compilation.

    Args:
      amount: the share, in [0, 1).

    Source: Szegedy et al., Rethinking the inception architecture, arXiv:1512.00567.

    >>> SmoothedCrossEntropy(0.1)(jnp.zeros((1, 4)), jnp.array([3])).tolist()
    [1.38...]
    """

    amount: float = 0.1

    def __post_init__(self) -> None:
        """Check the share."""
        check_number("amount", self.amount, least=0, below=1)

    def __call__(self, logits: Array, labels: Array) -> Array:
        """Map logits (B, ..., K), and labels (B, ...) or shares (B, ..., K), to (B,); NaN for a label outside."""
        if jnp.issubdtype(labels.dtype, jnp.floating) and labels.shape[-1:] == logits.shape[-1:]:
            return categorical_cross_entropy(logits, optax.smooth_labels(labels.astype(logits.dtype), self.amount))
        labels = as_labels("SmoothedCrossEntropy", logits, labels)
        targets = optax.smooth_labels(jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype), self.amount)
        inside = (labels >= 0) & (labels < logits.shape[-1])
        return categorical_cross_entropy(logits, jnp.where(inside[..., None], targets, jnp.nan))


class WeightAverage(NamedTuple):
    """State of `average_weights`."""

    inner: Any  # of the optimizer
    average: Any  # like the parameters
    updates: Array  # () int32, how many there were


def average_weights(optimizer: optax.GradientTransformation, decay: float = 0.999) -> optax.GradientTransformation:
    """Keep an exponential moving average of the weights that an optimizer makes; training itself stays the same.

    The average forgets faster at the beginning, by (1 + t) / (10 + t) at update t where that is less than ``decay``, so
    that the initial weights do not linger. `averaged` puts it in the place of the weights.

    Args:
      optimizer: any optax transformation.
      decay: share of the average that stays at an update, in [0, 1).

    Source: Polyak, Juditsky, Acceleration of stochastic approximation by averaging, 1992.

    >>> rule = average_weights(optax.sgd(1.0), 0.5)
    >>> state = rule.init(jnp.array([0.0]))
    >>> updates, state = rule.update(jnp.array([-1.0]), state, jnp.array([0.0]))
    >>> updates.tolist(), state.average.tolist()
    ([1.0], [0.89...])
    """
    check_number("decay", decay, least=0, below=1)

    def init(params: Any) -> WeightAverage:
        return WeightAverage(optimizer.init(params), jax.tree.map(jnp.copy, params), jnp.zeros((), jnp.int32))

    def update(updates: Any, state: WeightAverage, params: Any = None) -> tuple[Any, WeightAverage]:
        if params is None:
            raise ValueError("average_weights needs the parameters: call update(gradients, state, params)")
        updates, inner = optimizer.update(updates, state.inner, params)
        kept = jnp.minimum(decay, (1 + state.updates) / (10 + state.updates))
        new = optax.apply_updates(params, updates)
        average = jax.tree.map(lambda a, p: p + kept.astype(p.dtype) * (a - p), state.average, new)
        return updates, WeightAverage(inner, average, state.updates + 1)

    return optax.GradientTransformation(init, update)


def averaged(state: TrainState) -> TrainState:
    """Return the state with the average of its weights as its weights.

    Raises:
      ValueError: if the optimizer keeps none.
    """
    found = _averages(state)
    if not found:
        raise ValueError("the optimizer keeps no average of the weights: train with average_weights(optimizer)")
    return state.replace(params=found[0].average)


def judged(state: TrainState) -> TrainState:
    """Return the state with the weights that count: their average where the optimizer keeps one, else its own."""
    return averaged(state) if _averages(state) else state


def with_weights(state: TrainState, params: Any) -> TrainState:
    """Return the state with other weights, which are their average too where the optimizer keeps one."""
    opt_state = jax.tree.map(
        lambda node: node._replace(average=params) if isinstance(node, WeightAverage) else node,
        state.opt_state,
        is_leaf=lambda node: isinstance(node, WeightAverage),
    )
    return state.replace(params=params, opt_state=opt_state if _averages(state) else state.opt_state)


def _averages(state: TrainState) -> list[WeightAverage]:
    nodes = jax.tree.leaves(state.opt_state, is_leaf=lambda node: isinstance(node, WeightAverage))
    return [node for node in nodes if isinstance(node, WeightAverage)]
