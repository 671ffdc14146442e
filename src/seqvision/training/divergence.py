"""A loss that is no number any more: at which batch that began, and the last good state before it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

VALIDATION = np.int32(2**31 - 1)  # the batch of a guard that stands for the validation data after an epoch


class NonFiniteLossError(ArithmeticError):
    """A loss became infinite or NaN, so that training stopped.

    Args:
      text: what is told.
      fit: a `Fit`, what came of the epochs before: the last good state, with which the first batch of an epoch had a
        finite loss, and the history of the whole epochs that had finite losses.
      epoch: counted from 1, in which it happened.
      batch: of that epoch, counted from 1; None if the loss of the validation data after the epoch was not finite.
      step: updates made before the batch, those of the given state among them.
    """

    def __init__(self, text: str, fit: Any, epoch: int, batch: int | None, step: int):
        super().__init__(text)
        self.fit, self.epoch, self.batch, self.step = fit, epoch, batch, step


class Guard(NamedTuple):
    """What is remembered from epoch to epoch against a loss that is not finite."""

    state: Any  # at the start of the last epoch whose first loss was finite
    epochs: Any  # () int32, epochs all of whose losses were finite
    batch: Any  # () int32, the first batch of the epoch after them whose loss is not finite; -1 where there is none


def start_guard(state: Any) -> Guard:
    """Return the memory before the first epoch; it shares no buffer with the state, which may be donated."""
    counts = np.zeros((), np.int32), np.full((), -1, np.int32)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(state)):
        return Guard(state, *map(jnp.asarray, counts))
    if not all(getattr(leaf, "is_fully_addressable", True) for leaf in jax.tree.leaves(state)):
        return Guard(jax.tree.map(jnp.copy, state), *counts)  # other processes have parts
    return Guard(*jax.device_put((state, *counts), may_alias=False))


def update_guard(guard: Guard, before: Any, bad: Array, metrics: Mapping[str, Array]) -> Guard:
    """Return the memory after an epoch; once a loss was not finite, it stays.

    Args:
      guard: before the epoch.
      before: the state then.
      bad: () the first batch whose loss is not finite, -1 where there is none.
      metrics: of the epoch, "val_loss" perhaps among them.
    """
    bad = jnp.where((bad < 0) & ~_finite(metrics, "val_"), VALIDATION, bad)
    going = guard.batch < 0
    proved = going & (bad != 0)
    state = jax.tree.map(lambda new, old: jnp.where(proved, new, old), before, guard.state)
    return Guard(state, guard.epochs + (going & (bad < 0)).astype(jnp.int32), jnp.where(going, bad, guard.batch))


def check_validation(guard: Guard, metrics: Mapping[str, Any]) -> Guard:
    """Return the memory after an epoch of finite losses whose "val_loss" became known since."""
    if int(guard.batch) >= 0 or bool(_finite(metrics, "val_")):
        return guard
    return Guard(guard.state, guard.epochs - 1, VALIDATION)


def first_bad_batch(losses: Array) -> Array:
    """Return the first place () int32 in (batches,) that is not finite, -1 where all are."""
    bad = ~jnp.isfinite(losses)
    return jnp.where(bad.any(), jnp.argmax(bad), -1).astype(jnp.int32)


def loss_of(metrics: Mapping[str, Array], prefix: str = "") -> Array | None:
    """Return "loss", or the sum of all "..._loss" where a step has several; None without any."""
    named = [value for name, value in metrics.items() if name.startswith(prefix) and _is_loss(name[len(prefix) :])]
    alone = metrics.get(f"{prefix}loss")
    return alone if alone is not None else sum(named[1:], named[0]) if named else None


def non_finite_loss(fit: Any, epoch: int, batch: int, batches: int, step: int) -> NonFiniteLossError:
    """Return the error for a loss that was not finite.

    Args:
      fit: the `Fit` of the epochs before.
      epoch: counted from 1.
      batch: counted from 0, or `VALIDATION`.
      batches: in an epoch.
      step: updates before this run.
    """
    after = batch == VALIDATION
    done = step + (epoch - 1) * batches + (batches if after else batch)
    where = f"on the validation data after epoch {epoch}" if after else f"at batch {batch + 1} of epoch {epoch}"
    text = (
        f"the loss is infinite or NaN {where} (step {done}): training stopped, the last good state (step "
        f"{int(fit.state.step)}) is kept; try a smaller learning_rate, and look for huge values in the data"
    )
    return NonFiniteLossError(text, fit, epoch, None if after else batch + 1, done)


def _finite(metrics: Mapping[str, Array], prefix: str) -> Array:
    loss = loss_of(metrics, prefix)
    return jnp.asarray(True) if loss is None else jnp.isfinite(loss)


def _is_loss(name: str) -> bool:
    return name.endswith("_loss") and not name.startswith("val_")
