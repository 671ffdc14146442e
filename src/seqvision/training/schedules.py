"""Step sizes that change as training goes on: what optax does not have.

A schedule maps the number of updates so far to a step size; `optax.sgd`, `optax.adam` and the others take it in place
of a number. Optax has most of them:

>>> import optax
>>> step = optax.exponential_decay(0.1, transition_steps=10, decay_rate=0.5, staircase=True)  # halved every 10 updates
>>> exponential = optax.exponential_decay(0.1, transition_steps=1, decay_rate=0.99)
>>> cosine = optax.cosine_decay_schedule(0.1, decay_steps=1000)
>>> linear = optax.linear_schedule(0.1, 0.0, transition_steps=1000)
>>> [round(float(schedule(20)), 4) for schedule in (step, exponential, cosine, linear)]
[0.025, 0.0818, 0.0999, 0.098]
"""

import optax

from seqvision._checks import check_count


def inverse_time_decay(initial: float, rate: float) -> optax.Schedule:
    """Return initial / (rate * t + 1).

    Args:
      initial: step size at first.
      rate: after 1 / rate updates half of it is left.

    >>> [float(inverse_time_decay(1.0, 0.5)(t)) for t in (0, 2, 6)]
    [1.0, 0.5, 0.25]
    """
    return lambda count: initial / (rate * count + 1)


def warm_up(updates: int, then: optax.Schedule | float) -> optax.Schedule:
    """Rise linearly to a schedule's first value in so many updates, then follow it from its beginning.

    The first update has 1 / updates of that value already.

    Args:
      updates: how many, >= 1.
      then: a schedule, or a constant step size.

    >>> [float(warm_up(4, 0.5)(t)) for t in range(6)]
    [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]
    """
    check_count("updates", updates)
    follow = then if callable(then) else optax.constant_schedule(then)
    rise = optax.linear_schedule(follow(0) / updates, follow(0), updates - 1)
    return optax.join_schedules([rise, follow], [updates])


def updates_in(epochs: int, examples: int, batch_size: int) -> int:
    """Return how many updates so many passes over the examples make: the unit that schedules count in.

    >>> updates_in(epochs=3, examples=100, batch_size=32)
    12
    """
    return epochs * -(-examples // batch_size)
