"""Seven ways to descend, and six ways to let the step size fall, on one network.

Question: one hidden layer of 64 ReLU units on the 8 x 8 digits (4,810 parameters), 30 passes over 1,438 images: how far
do gradient descent on the whole data, stochastic gradient descent, momentum, Nesterov's momentum, AdaGrad, RMSProp and
Adam bring the training loss, each with the best of four step sizes? And momentum, when its step size falls by steps,
exponentially, as 1 / t, along a cosine, or along one after a warm-up?

Command: python experiments/optimizers.py

Expected: rules differ a lot in training loss and hardly on the 359 test images, but for gradient descent, which takes
    30 steps only. A falling step size does more than another rule.

Measured (from results/optimizers.json by results/tables.py):
    python experiments/optimizers.py (2026-11-20, 2 cores)
        accuracy, rules (5 seeds): gradient descent 0.863; SGD 0.965 ± 0.004; momentum 0.966 ± 0.001; Nesterov 0.965;
            AdaGrad 0.961; RMSProp 0.958; Adam 0.966 ± 0.004; against commonest class 0.100
        training loss, rules (5 seeds): gradient descent 0.360 ± 0.054; SGD 0.0026; momentum 0.0025; Nesterov 0.0028;
            AdaGrad 0.0127 ± 0.0039; RMSProp 0.0012; Adam 0.0002
        accuracy, step sizes of momentum (5 seeds): cosine 0.970 ± 0.005; warm-up, cosine 0.972 ± 0.006; against
            commonest class 0.100
Running time: 24 s (mostly compiling; 37 s with --together).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seqvision.data import Arrays, load_digits, stratified_split
from seqvision.models import MLP, ClassificationHead
from seqvision.pipelines import run_experiment
from seqvision.reporting import RunFolder, plot_epoch_curves, save_figure, to_plain
from seqvision.training import (
    create_state,
    inverse_time_decay,
    make_eval_step,
    make_run,
    make_train_step,
    run_population,
    updates_in,
    warm_up,
)

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

Rule = Callable[[Any], optax.GradientTransformation]  # from a step size or schedule
SMALL, MIDDLE, LARGE = (1e-3, 3e-3, 1e-2, 3e-2), (3e-2, 0.1, 0.3, 1.0), (0.1, 0.3, 1.0, 3.0)
RULES: dict[str, tuple[Rule, tuple[float, ...]]] = {
    "gradient descent": (optax.sgd, LARGE),
    "SGD": (optax.sgd, LARGE),
    "momentum": (lambda rate: optax.sgd(rate, momentum=0.9), MIDDLE),
    "Nesterov": (lambda rate: optax.sgd(rate, momentum=0.9, nesterov=True), MIDDLE),
    "AdaGrad": (lambda rate: optax.adagrad(rate, initial_accumulator_value=0.0), MIDDLE),
    "RMSProp": (lambda rate: optax.rmsprop(rate, decay=0.9), SMALL),
    "Adam": (optax.adam, SMALL),
}


def schedules(updates: int) -> dict[str, Callable[[Any], Any]]:
    """Return the ways in which a step size falls over so many updates, each from the first step size."""
    rising = max(1, updates // 10)
    return {
        "constant": lambda rate: rate,
        "steps": lambda rate: optax.exponential_decay(rate, max(1, updates // 3), 0.3, staircase=True),
        "exponential": lambda rate: optax.exponential_decay(rate, updates, 0.01),
        "1 / t": lambda rate: inverse_time_decay(rate, 20 / updates),
        "cosine": lambda rate: optax.cosine_decay_schedule(rate, updates),
        "warm-up, cosine": lambda rate: warm_up(rising, optax.cosine_decay_schedule(rate, max(1, updates - rising))),
    }


@dataclass(frozen=True)
class Config:
    """Train one network with every update rule, and momentum with every schedule."""

    hidden: int = 64
    """units of the hidden layer"""
    epochs: int = 30
    """passes over the training images"""
    batch_size: int = 32
    """images a step, but for gradient descent on all of them"""
    seeds: int = 5
    """how often each is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""
    together: bool = False
    """train all seeds in one vmapped program, as the step sizes are anyway, and not one after another"""
    out: str = "runs"
    """folder in which the new run folder is made"""


def main(config: Config) -> dict[str, Any]:
    """Train every row, print the tables, draw the curves, and return the numbers by row."""
    digits = load_digits()
    train, test = (Arrays(digits.x[part], digits.y[part]) for part in stratified_split(digits.y, 0.2))
    momentum, rates = RULES["momentum"]
    updates = updates_in(config.epochs, len(train), config.batch_size)
    falling = {name: lambda rate, f=fall: momentum(f(rate)) for name, fall in schedules(updates).items()}
    table = {"rules": RULES, "momentum, its step size": {name: (rule, rates) for name, rule in falling.items()}}
    commonest = float(np.mean(np.asarray(test.y) == np.bincount(np.asarray(train.y)).argmax()))
    scores: dict[str, Any] = {"commonest_class": commonest, **{heading: {} for heading in table}}
    curves: dict[str, dict[str, np.ndarray]] = {heading: {} for heading in table}
    for heading, rows in table.items():
        print(f"\n{heading:<24}{'step size':<12}{'training loss':<20}{'test accuracy':<18}seconds")
        for name, (rule, sizes) in rows.items():
            batch_size = len(train) if name == "gradient descent" else config.batch_size
            losses, row = judge(config, rule, sizes, batch_size, train, test)
            curves[heading][name], scores[heading][name] = losses, row
            print(
                f"{name:<24}{row['step_size']:<12g}{row['loss']:.5f} ± {row['loss_std']:<10.5f}"
                f"{row['accuracy']:.4f} ± {row['accuracy_std']:<9.4f}{row['seconds']:.1f}",
                flush=True,
            )
    print(f"commonest class {commonest:.4f}")
    with RunFolder.create(config.out, "optimizers") as folder:
        folder.write_config(config)
        figure = plot_epoch_curves(curves, ylabel="training loss", log=True)
        scores["picture"] = save_figure(figure, folder.path / "optimizers.png")
        folder.write_json("summary.json", to_plain(scores))
    return to_plain(scores)


def judge(
    config: Config, rule: Rule, sizes: tuple[float, ...], batch_size: int, train: Arrays, test: Arrays
) -> tuple[np.ndarray, dict[str, float]]:
    """Train with every step size from every seed; return the curves (S, epochs) and scores of the best step size."""
    model = MLP((config.hidden,), head=ClassificationHead(10))
    run = make_run(make_train_step("cross_entropy"), epochs=config.epochs, batch_size=batch_size)
    measure = make_eval_step("cross_entropy", {"accuracy"})

    def one(size: Array, key: Array, train: Arrays, test: Arrays) -> tuple[Array, Array, Array]:
        state, history = run(create_state(model, rule(size), key, train.x[:1]), train)
        seen, unseen = (measure(state, part.gather(jnp.arange(len(part)))) for part in (train, test))
        return history["loss"], seen["loss"], unseen["accuracy"]

    def member(key: Array, sizes: Array, train: Arrays, test: Arrays) -> tuple[Array, Array, Array]:
        return jax.vmap(lambda size: one(size, key, train, test))(sizes)

    keys = jax.random.split(jax.random.key(config.seed), config.seeds)
    begin = time.perf_counter()
    curves, losses, right = run_population(member, keys, jnp.array(sizes), train, test, together=config.together)
    # A step size with which a seed runs away has no mean: it is never the best.
    best = int(np.argmin(np.where(np.isfinite(losses).all(axis=0), losses.mean(axis=0), np.inf)))
    return curves[:, best], {
        "step_size": sizes[best],
        "loss": losses[:, best].mean(),
        "loss_std": losses[:, best].std(ddof=config.seeds > 1),
        "accuracy": right[:, best].mean(),
        "accuracy_std": right[:, best].std(ddof=config.seeds > 1),
        "seeds": config.seeds,
        "seconds": time.perf_counter() - begin,
    }


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
