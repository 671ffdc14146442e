"""Early stopping inside a compiled run: the best weights are kept, and epochs after the patience is spent never run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_count, check_flags, check_number

from .regularizers import judged, with_weights
from .state import TrainState


@dataclass(frozen=True)
class EarlyStopping:
    """Stop when an entry of the history has not improved for some epochs, and return the weights of the best epoch.

    Where the optimizer keeps an average of the weights (`average_weights`), "val_" entries are those of the average,
    and it is what is returned.

    Args:
      monitor: the entry; "val_" ones need validation data.
      patience: epochs without improvement after which training ends, >= 1.
      min_delta: what counts as an improvement: more than this.
      highest: True if more is better, as for "val_accuracy".

    >>> EarlyStopping(patience=3).monitor
    'val_loss'
    """

    monitor: str = "val_loss"
    patience: int = 5
    min_delta: float = 0.0
    highest: bool = False

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_flags(self)
        check_count("patience", self.patience)
        check_number("min_delta", self.min_delta, least=0, below=float("inf"))

    def check(self, entries: Iterable[str]) -> None:
        """Refuse to watch an entry that the history will not have."""
        if self.monitor not in entries:
            remedy = ": give validation data" if self.monitor.startswith("val_") else ""
            raise ValueError(f"monitor must be one of {', '.join(entries)}, got {self.monitor!r}{remedy}")


class Watch(NamedTuple):
    """What early stopping remembers from epoch to epoch."""

    best: Array  # () the best value, turned so that less is better
    bad_epochs: Array  # () int32, epochs since
    epochs: Array  # () int32, epochs run
    stopped: Array  # () bool
    params: Any  # of the best epoch
    batch_stats: Any


def start_watch(state: TrainState) -> Watch:
    """Return the memory before the first epoch; it shares no buffer with the state, which may be donated."""
    params, batch_stats = jax.tree.map(jnp.copy, (judged(state).params, state.batch_stats))
    return Watch(
        best=jnp.full((), jnp.inf, jnp.float32),
        bad_epochs=jnp.zeros((), jnp.int32),
        epochs=jnp.zeros((), jnp.int32),
        stopped=jnp.zeros((), bool),
        params=params,
        batch_stats=batch_stats,
    )


def update_watch(stopping: EarlyStopping, watch: Watch, state: TrainState, metrics: Mapping[str, Array]) -> Watch:
    """Return the memory after an epoch that gave these metrics; a NaN is no improvement."""
    value = metrics[stopping.monitor].astype(jnp.float32)
    value = -value if stopping.highest else value
    better = value < watch.best - stopping.min_delta
    params, batch_stats = jax.tree.map(
        lambda new, old: jnp.where(better, new, old),
        (judged(state).params, state.batch_stats),
        (watch.params, watch.batch_stats),
    )
    bad_epochs = jnp.where(better, 0, watch.bad_epochs + 1)
    stopped = bad_epochs >= stopping.patience
    return Watch(jnp.where(better, value, watch.best), bad_epochs, watch.epochs + 1, stopped, params, batch_stats)


def best_state(state: TrainState, watch: Watch) -> TrainState:
    """Return the state with the weights (or their average, if there is one) and statistics of the best epoch."""
    return with_weights(state, watch.params).replace(batch_stats=watch.batch_stats)
