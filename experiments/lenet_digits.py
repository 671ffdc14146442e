"""LeNet-5 as published and in its two later forms.

Question: what do the partial connections of C3, the trainable subsampling and the fixed pictures of digits at the
output of LeNet-5 (60,000 parameters) cost or gain on MNIST, beside partial connections with plain average pooling and
a dense output (60,806), full connections (61,706), logistic regression of the pixels and the commonest digit?

Command: python experiments/lenet_digits.py
    (11 MB are downloaded once, unless $SEQVISION_DATA_DIR/mnist has the four idx files; where neither is possible, and
    with --data digits, the 8 x 8 digits of scikit-learn are enlarged instead)

Expected: connections left out cost nothing, and what was given up later, the fixed pictures and trainable subsampling,
    was no loss at this step size.

Measured (from results/lenet_digits.json by results/tables.py):
    python experiments/lenet_digits.py (2026-11-20, 2 cores)
        accuracy (2 seeds): original 0.9773 ± 0.0023; partial 0.9878 ± 0.0005; dense 0.9876 ± 0.0011; against logistic
            regression 0.8960; commonest class 0.1135
Running time: 4 min (beside other work; about 5 s an epoch).
"""

import time
from dataclasses import dataclass
from typing import Any, Literal, get_args

from seqvision.data import DIGIT_CLASSES, Arrays, ImageData, load_digits, load_mnist, stratified_split
from seqvision.models import LeNet5, parameter_count
from seqvision.pipelines import run_experiment
from seqvision.reporting import to_plain
from seqvision.scorecards import score_classes
from seqvision.training import create_state, forward, make_run, make_train_step, run_population, updates_in

import jax
import numpy as np
import optax
from jax import Array
from sklearn.linear_model import LogisticRegression

Form = Literal["original", "partial", "dense"]


@dataclass(frozen=True)
class Config:
    """Train LeNet-5 in up to three forms."""

    data: Literal["mnist", "digits"] = "mnist"
    """data set"""
    forms: tuple[Form, ...] = get_args(Form)
    """which forms of the network to train"""
    epochs: int = 8
    """passes over the training images"""
    batch_size: int = 64
    """images a step"""
    learning_rate: float = 0.002
    """step size of Adam at the beginning; it falls to 0 along a cosine"""
    limit: int | None = None
    """use only so many training images"""
    regression_rows: int = 5000
    """training images that the logistic regression gets"""
    seeds: int = 2
    """how often each network is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""


def main(config: Config) -> dict[str, Any]:
    """Train every form, print the score card and the times, and return them."""
    train, test, classes = load(config)
    steps = updates_in(config.epochs, len(train), config.batch_size)
    optimizer = optax.adam(optax.cosine_decay_schedule(config.learning_rate, steps))
    run = make_run(make_train_step("cross_entropy"), epochs=config.epochs, batch_size=config.batch_size)
    keys = jax.random.split(jax.random.key(config.seed), config.seeds)
    logits, parameters, seconds = {}, {}, {}
    for form in config.forms:
        model, begin = LeNet5(form), time.perf_counter()

        def member(key: Array, train: Arrays, test: Arrays, model: LeNet5 = model) -> Array:
            state, _ = run(create_state(model, optimizer, key, train.x[:1]), train)
            return jax.lax.map(lambda x: forward(state, x[None])[0], test.x, batch_size=1000)

        logits[form] = run_population(member, keys, train, test, together=False)
        seconds[form] = time.perf_counter() - begin
        parameters[form] = parameter_count(model, jax.ShapeDtypeStruct((1, 28, 28, 1), "float32"))
        print(f"{form}: {parameters[form]:,} parameters, seeds: {config.seeds}, {seconds[form]:.0f} s")
    card = score_classes(np.asarray(test.y), logits=logits, training_labels=np.asarray(train.y), class_names=classes)
    regression = linear_accuracy(train, test, config.regression_rows)
    print(f"\n{card.text()}\n\nlogistic regression of the pixels, {config.regression_rows} images: {regression:.4f}")
    scores = {"scores": card.to_dict(), "logistic_regression": regression}
    return to_plain({**scores, "parameters": parameters, "seconds": seconds})


def load(config: Config) -> ImageData:
    """Load images of 28 x 28 with the background at -.1 and ink at 1.175, as the paper has them."""
    images = None
    if config.data == "mnist":
        try:
            images = load_mnist()
        except OSError as error:
            print(f"MNIST is not to be had ({error}): the digits of scikit-learn instead")
    if images is None:
        digits = load_digits()
        large = np.pad(np.kron(digits.x, np.ones((1, 3, 3, 1))), ((0, 0), (2, 2), (2, 2), (0, 0)))
        parts = [Arrays(large[rows], digits.y[rows]) for rows in stratified_split(digits.y, 0.2, config.seed)]
        images = ImageData(*parts, DIGIT_CLASSES)
    train, test = (Arrays(part.x * 1.275 - 0.1, part.y) for part in (images.train, images.test))
    return ImageData(train, test, images.classes).limited(config.limit)


def linear_accuracy(train: Arrays, test: Arrays, rows: int) -> float:
    """Return the share of test images that logistic regression of the pixels gets right."""
    x, y = (np.asarray(part.x).reshape(len(part), -1) for part in (train, test))
    model = LogisticRegression(C=0.01, max_iter=1000).fit(x[:rows], np.asarray(train.y)[:rows])
    return float(model.score(y, np.asarray(test.y)))


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
