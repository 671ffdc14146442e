"""An LSTM reads MNIST row by row.

Question: a digit is shown as 28 rows of 28 pixels, one row a time step. How many of the 10,000 test digits does one
LSTM layer of 128 units with a dense layer of 10 on its last state (81,674 parameters) get right after ten epochs with
Adam, beside always saying the commonest digit? What does it help to let the step size fall to 0?

Command: python experiments/row_mnist.py
    (11 MB are downloaded once, unless $SEQVISION_DATA_DIR/mnist has the four idx files)

Expected: the falling step size helps; without it accuracy still goes up and down by .002 an epoch in the end.

Measured (from results/row_mnist.json by results/tables.py):
    python experiments/row_mnist.py (2026-11-20, 2 cores)
        accuracy (2 seeds): LSTM 0.9912 ± 0.0001; against commonest class 0.1135
    python experiments/row_mnist.py --learning-rate .001 (2026-11-20, 2 cores)
        accuracy: LSTM 0.9892; against commonest class 0.1135
    python experiments/row_mnist.py --learning-rate .001 --no-decay (2026-11-20, 2 cores)
        accuracy: LSTM 0.9868; against commonest class 0.1135
Running time: 2 min (3 min beside other work; about 5 s an epoch and seed).
"""

import time
from dataclasses import dataclass
from typing import Any

from seqvision.cells import LSTM
from seqvision.data import Arrays, load_mnist
from seqvision.models import ClassificationHead, Recurrent, RowByRow, parameter_count
from seqvision.pipelines import run_experiment
from seqvision.reporting import to_plain
from seqvision.scorecards import score_classes
from seqvision.training import create_state, forward, make_run, make_train_step, run_population, updates_in

import jax
import numpy as np
import optax
from jax import Array


@dataclass(frozen=True)
class Config:
    """Classify the digits of MNIST with an LSTM that reads row by row."""

    hidden: int = 128
    """units of the LSTM"""
    epochs: int = 10
    """passes over the training images"""
    batch_size: int = 32
    """images a step"""
    learning_rate: float = 0.002
    """step size of Adam, at the beginning"""
    decay: bool = True
    """let the step size fall to 0 along a cosine"""
    limit: int | None = None
    """use only so many training images"""
    seeds: int = 2
    """how often the model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""


def main(config: Config) -> dict[str, Any]:
    """Train, print the score card and the times, and return them."""
    train, test, classes = load_mnist().limited(config.limit)
    model = RowByRow(Recurrent((LSTM(config.hidden),), head=ClassificationHead(len(classes))))
    steps = updates_in(config.epochs, len(train), config.batch_size)
    rate = optax.cosine_decay_schedule(config.learning_rate, steps) if config.decay else config.learning_rate
    optimizer = optax.adam(rate)
    run = make_run(make_train_step("cross_entropy"), epochs=config.epochs, batch_size=config.batch_size)

    def member(key: Array, train: Arrays, test: Arrays) -> tuple[Array, Array]:
        state, history = run(create_state(model, optimizer, key, train.x[:1]), train)
        return history["loss"], forward(state, test.x)

    begin = time.perf_counter()
    keys = jax.random.split(jax.random.key(config.seed), config.seeds)
    losses, logits = run_population(member, keys, train, test, together=False)
    seconds = time.perf_counter() - begin
    card = score_classes(
        np.asarray(test.y), logits={"LSTM": logits}, training_labels=np.asarray(train.y), class_names=classes
    )
    parameters = parameter_count(model, jax.ShapeDtypeStruct((1, *train.x.shape[1:]), "float32"))
    print(
        f"{parameters:,} parameters, {len(train)} images, seeds: {config.seeds}, {seconds:.0f} s, compilation included"
    )
    print(f"training loss by epoch, seed 0: {' '.join(f'{loss:.3f}' for loss in losses[0])}\n\n{card.text()}")
    return to_plain({"scores": card.to_dict(), "parameters": parameters, "seconds": seconds, "loss": losses})


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
