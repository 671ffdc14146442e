"""A running average of the weights, kept beside an optimizer's own state."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from .state import TrainState


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
    if not 0 <= decay < 1:
        raise ValueError(f"decay must be in [0, 1), got {decay!r}")

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
    nodes = jax.tree.leaves(state.opt_state, is_leaf=lambda node: isinstance(node, WeightAverage))
    found = [node.average for node in nodes if isinstance(node, WeightAverage)]
    if not found:
        raise ValueError("the optimizer keeps no average of the weights: train with average_weights(optimizer)")
    return state.replace(params=found[0])
