"""Train models several times, each from initial weights of its own."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
import optax

from seqvision._checks import counted
from seqvision._phases import phase
from seqvision.pipelines.ahead import ahead_of_time
from seqvision.pipelines.config import ClassifyConfig, ForecastConfig
from seqvision.pipelines.early_stops import best_epochs, epochs_run, stopping_text
from seqvision.pipelines.kept_trainings import KeptTrainings, Training
from seqvision.pipelines.named_training import build_stopping, fit_options
from seqvision.reporting import RunFolder
from seqvision.training import NonFiniteLossError, TrainState, averaged, create_state, fit, prepare_fit

logger = logging.getLogger(__name__)


class TrainedSeeds(NamedTuple):
    """One model, trained from several seeds."""

    states: tuple[TrainState, ...]  # one a seed
    history: dict[str, np.ndarray]  # (S, epochs) each
    seconds: dict[str, float]  # "compile" and "run", of all seeds together
    kept: tuple[int, ...] | None = None  # with early stopping, the epoch of each seed whose weights these are

    @property
    def variables(self) -> list[dict[str, Any]]:
        """What the model needs to be applied, one tree a seed: parameters and, if it has any, batch statistics."""
        return [
            {"params": state.params, **({"batch_stats": state.batch_stats} if state.batch_stats else {})}
            for state in self.states
        ]


class StoppedSeedsError(ArithmeticError):
    """A loss became infinite or NaN in the training of some seeds; the others were trained to the end.

    Args:
      stopped: seed number -> what stopped it.
      trained: all seeds, with the last good state of those that stopped; their history ends in NaN.
    """

    def __init__(self, stopped: Mapping[int, NonFiniteLossError], trained: TrainedSeeds):
        first, error = next(iter(stopped.items()))
        others = (
            f" (so did {', '.join(f'seed {seed}' for seed in stopped if seed != first)})" if len(stopped) > 1 else ""
        )
        super().__init__(f"seed {first} of 0..{len(trained.states) - 1}{others}: {error}")
        self.stopped, self.trained = dict(stopped), trained


def train_seeds(
    model: nn.Module,
    data: Any,
    *,
    optimizer: optax.GradientTransformation,
    seeds: int,
    seed: int = 0,
    stream: int = 0,
    kept: KeptTrainings | None = None,
    name: str = "model",
    variables: Sequence[Mapping[str, Any]] | None = None,
    after_first: Callable[[], Any] | None = None,
    **options: Any,
) -> TrainedSeeds:
    """Train a model several times; the program is compiled for the first seed and used for all.

    Args:
      model: any flax module.
      data: training data, `seqvision.data.Windows` or `seqvision.data.Arrays`.
      optimizer: an optax transformation, the same for all seeds.
      seeds: how often to train.
      seed: from which every random number derives.
      stream: number of the model's own stream of random numbers, so that it does not matter which others are trained.
      kept: where the trainings are kept, and gone on with.
      name: of the model, there and where it is said how far the run is.
      variables: what each seed begins with, as `TrainedSeeds.variables` has them; by default it draws initial weights.
      after_first: called when the first seed that has to be trained is, and others follow.
      options: what else `seqvision.training.fit` takes: loss, epochs, batch_size, and validation, metrics, augment or
        stopping where they are wanted.

    Raises:
      StoppedSeedsError: after all seeds, if the loss of some became infinite or NaN.

    >>> from seqvision.data import Arrays
    >>> data = Arrays(np.ones((10, 3)), np.zeros((10, 1)))
    >>> done = train_seeds(nn.Dense(1), data, optimizer=optax.sgd(0.1), seeds=2, loss="mse", epochs=5, batch_size=4)
    >>> len(done.states), done.history["loss"].shape
    (2, (2, 5))
    """
    base = jax.random.fold_in(jax.random.key(seed), stream)
    keys = [jax.random.fold_in(base, number) for number in range(seeds)]
    fits, stopped = [], {}
    for number, one_key in enumerate(keys):
        done = None if kept is None else kept.finished(name, number, Training(model, optimizer, data))
        if done is not None:
            fits.append(done)
            continue
        checkpoints = None if kept is None else kept.checkpoints(name, number)
        try:
            begun = None if variables is None else _begun(model, data, optimizer, one_key, variables[number])
            training = ("training", f"{name} seed {number + 1} of {seeds}" if seeds > 1 else name)
            with phase("compiling", name, told=not fits, then=training):  # for all seeds at the first
                one = fit(
                    model, data, optimizer=optimizer, key=one_key, state=begun, checkpoints=checkpoints, **options
                )
            fits.append(one)
            if after_first is not None and number + 1 < seeds:
                after_first()
                after_first = None
            if kept is not None:
                kept.keep(name, number, fits[-1])
        except NonFiniteLossError as error:
            stopped[number] = error
            fits.append(error.fit)
    history = {name: _stack_padded([one.history[name] for one in fits]) for name in fits[0].history}
    seconds = {name: sum(one.seconds[name] for one in fits) for name in ("compile", "run")}
    trained = TrainedSeeds(tuple(one.state for one in fits), history, seconds)
    if stopped:
        raise StoppedSeedsError(stopped, trained)
    return trained


def train_models(
    models: Mapping[str, nn.Module],
    data: Any,
    config: ForecastConfig | ClassifyConfig,
    folder: RunFolder,
    *,
    streams: tuple[str, ...],
    trainings: KeptTrainings,
    kept: Mapping[str, Any],
    variables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    ahead: Callable[[nn.Module, TrainedSeeds], Any] | None = None,
    **options: Any,
) -> dict[str, TrainedSeeds]:
    """Train every model of a configuration from every seed; curves and models go into the run folder.

    While the later seeds of a model train, what the next one runs is compiled by another thread.

    Args:
      models: by name.
      data: training data.
      config: the fields of `seqvision.pipelines.config.Training` are read.
      folder: of the run.
      streams: all names there are, whose places number the streams of random numbers.
      trainings: where they are kept until the run is done.
      kept: what is kept beside the weights of each model; see `seqvision.saving.save_model`.
      variables: model -> what each seed begins with; by default it draws initial weights.
      ahead: called by that thread with each model that is trained, to compile what is to be done with it.
      options: what else `seqvision.training.fit` takes.

    Raises:
      ArithmeticError: naming model, seed, epoch and batch, if a loss became infinite or NaN; what was trained till then
        is in the run folder, and so are all other models and seeds.
    """
    (folder.path / "metrics.jsonl").unlink(missing_ok=True)  # of a run that is gone on with: it is written anew
    trained: dict[str, TrainedSeeds] = {}
    stopped: list[str] = []
    wanted = fit_options(config, len(data)) | options
    following = dict(zip(models, list(models.values())[1:], strict=False))
    with ahead_of_time() as compile_ahead:
        for name, model in models.items():
            coming = following.get(name)
            try:
                done = train_seeds(
                    model,
                    data,
                    seeds=config.seeds,
                    seed=config.seed,
                    stream=streams.index(name),
                    kept=trainings,
                    name=name,
                    variables=None if variables is None else variables[name],
                    after_first=None if coming is None else partial(compile_ahead, _prepare, coming, data, wanted),
                    **wanted,
                )
            except StoppedSeedsError as error:
                done = error.trained
                stopped.append(f"{name}, {error}")
            if (stopping := build_stopping(config)) is not None:
                done = done._replace(kept=best_epochs(done.history, stopping))
            if config.average is not None:  # what is judged and kept
                done = done._replace(states=tuple(map(averaged, done.states)))
            trained[name] = done
            if ahead is not None:
                compile_ahead(ahead, model, done)
            folder.log_metrics(history_records(name, done.history))
            folder.save_model(name, model, done.states, **kept)
    if stopped:
        raise ArithmeticError("; ".join(stopped))
    return trained


def _prepare(model: nn.Module, data: Any, options: Mapping[str, Any]) -> None:
    prepare_fit(model, data, **{name: value for name, value in options.items() if name != "progress"})


def _begun(
    model: nn.Module, data: Any, optimizer: optax.GradientTransformation, key: jax.Array, variables: Mapping[str, Any]
) -> TrainState:
    """Return a state with weights of before, and an optimizer that remembers nothing."""
    blank = create_state(model, optimizer, key, data.gather(np.zeros(1, np.int32)).x)
    return blank.replace(params=variables["params"], batch_stats=variables.get("batch_stats", {}))


def training_text(counts: Mapping[str, int], trained: Mapping[str, TrainedSeeds]) -> str:
    """Return a line a model: its size, and how long it trained."""
    return "\n".join(
        f"{name}: {counted(counts[name], 'parameter')}, {counted(len(done.states), 'seed')} trained in "
        f"{done.seconds['run']:.2f} s"
        f" (and compiled in {done.seconds['compile']:.2f} s)"
        + ("" if done.kept is None else f"; {stopping_text(epochs_run(done.history), done.kept)}")
        for name, done in trained.items()
    )


def epochs_kept(trained: Mapping[str, TrainedSeeds]) -> dict[str, dict[str, Any]]:
    """Return for summary.json, where trainings stopped early, how many epochs each seed ran and which one it kept."""
    stopped = {
        name: {"run": epochs_run(done.history), "kept": done.kept}
        for name, done in trained.items()
        if done.kept is not None
    }
    return {"epochs": stopped} if stopped else {}


def history_records(model: str, history: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return one record an epoch and seed, for metrics.jsonl; epochs that a seed did not run to the end have none.

    >>> history_records("gru", {"loss": np.array([[0.5, 0.25]])})[1]
    {'model': 'gru', 'seed': 0, 'epoch': 2, 'loss': 0.25}
    """
    seeds, epochs = next(iter(history.values())).shape
    return [
        {"model": model, "seed": s, "epoch": e + 1, **{name: float(values[s, e]) for name, values in history.items()}}
        for s in range(seeds)
        for e in range(epochs)
        if not all(np.isnan(values[s, e]) for values in history.values())
    ]


def _stack_padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Return rows of different lengths as one array, NaN where they have ended."""
    longest = max(len(row) for row in rows)
    return np.stack([np.pad(row, (0, longest - len(row)), constant_values=np.nan) for row in rows])
