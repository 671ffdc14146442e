"""Train one model several times, each from initial weights of its own."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from seqvision.pipelines.build import build_optimizer
from seqvision.training import PerExample, TrainState, fit

Say = Callable[[str], None]


class Trained(NamedTuple):
    """One model, trained from several seeds."""

    states: tuple[TrainState, ...]  # one a seed
    history: dict[str, np.ndarray]  # (S, epochs) each
    seconds: dict[str, float]  # "compile" and "run", of all seeds together


def train_seeds(
    model: nn.Module,
    data: Any,
    config: Any,
    *,
    loss: str | PerExample,
    stream: int,
    optimizer: optax.GradientTransformation | None = None,
    validation: Any = None,
    metrics: Any = None,
    progress: bool | None = None,
    **options: Any,
) -> Trained:
    """Train a model ``config.seeds`` times; the program is compiled for the first and used for all.

    Args:
      model: any flax module.
      data: training data, `Windows` or `Arrays`.
      config: epochs, batch_size, seeds and seed are read, optimizer and learning_rate where none is given.
      loss: name of the loss, or a function.
      stream: number of the model's own stream of random numbers, so that it does not matter which others are trained.
      optimizer: an update rule.
      validation: data for the validation curve, or None.
      metrics: names of further metrics.
      progress: a bar on stderr; by default if that is a terminal.
      options: what else `fit` takes, augment and stopping for instance.
    """
    optimizer = optimizer or build_optimizer(config.optimizer, config.learning_rate)
    base = jax.random.fold_in(jax.random.key(config.seed), stream)
    fits = [
        fit(
            model,
            data,
            loss=loss,
            optimizer=optimizer,
            epochs=config.epochs,
            batch_size=config.batch_size,
            key=jax.random.fold_in(base, seed),
            validation=validation,
            metrics=metrics,
            progress=progress,
            **options,
        )
        for seed in range(config.seeds)
    ]
    history = {name: np.stack([f.history[name] for f in fits]) for name in fits[0].history}
    seconds = {name: sum(f.seconds[name] for f in fits) for name in ("compile", "run")}
    return Trained(tuple(f.state for f in fits), history, seconds)


def silent(text: str) -> None:
    """Say nothing."""


def history_records(model: str, history: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return one record an epoch and seed, for metrics.jsonl.

    >>> history_records("gru", {"loss": np.array([[0.5, 0.25]])})[1]
    {'model': 'gru', 'seed': 0, 'epoch': 2, 'loss': 0.25}
    """
    seeds, epochs = next(iter(history.values())).shape
    return [
        {"model": model, "seed": s, "epoch": e + 1, **{name: float(values[s, e]) for name, values in history.items()}}
        for s in range(seeds)
        for e in range(epochs)
    ]


def state_variables(state: TrainState) -> dict[str, Any]:
    """Return what a model needs to be applied: its parameters and, if it has any, batch statistics."""
    return {"params": state.params, **({"batch_stats": state.batch_stats} if state.batch_stats else {})}


def stack_seeds(trees: list[Any]) -> Any:
    """Return trees of the same structure as one with a leading axis of seeds.

    >>> stack_seeds([{"w": np.zeros(2)}, {"w": np.ones(2)}])["w"].shape
    (2, 2)
    """
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)
