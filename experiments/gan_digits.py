"""A small DCGAN learns to write digits.

Question: what does a classifier of real digits think of those that a generator of transposed convolutions makes after
each epoch: how sure is it, are all classes there as often as they should, how far are its logits from those of real
test digits (Fréchet distance), beside real training digits, pixels drawn independently with the training images' mean
and spread, and white noise?

Command: python experiments/gan_digits.py
    (11 MB are downloaded once, unless $SEQVISION_DATA_DIR/mnist has the four idx files; --data fashion_mnist makes
    clothes. The run folder gets a grid of what becomes of the same noise by epoch)

Expected: with every epoch the samples come nearer to real digits, without reaching them (10,000 images); about half of
    them are digits to the eye. More images and epochs (--limit 60000 --epochs 20) were not tried.

Measured (from results/gan_digits.json by results/tables.py):
    python experiments/gan_digits.py (2026-11-20, 2 cores)
        Fréchet distance (1 seed): after epoch 1 131; after epoch 2 68; after epoch 4 27; after epoch 8 14; against real
            training images 1.6; independent pixels 164; white noise 174
        inception score (1 seed): after epoch 1 1.8; after epoch 8 4.7; against real training images 8.5; white noise
            1.1
        confidence (1 seed): after epoch 1 0.44; after epoch 8 0.76; against real training images 0.95
        class distance (1 seed): after epoch 8 0.20
Running time: 5 min (beside other work; 2 min of processor time).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from seqvision.data import Arrays, load_fashion_mnist, load_mnist
from seqvision.metrics import frechet_distance, score_samples
from seqvision.models import digit_gan, mnist_convnet
from seqvision.pipelines import run_experiment
from seqvision.reporting import RunFolder, plot_image_rows, save_figure, to_plain
from seqvision.training import create_adversarial_state, fit, generate_samples, make_adversarial_step, make_run, predict

import jax
import numpy as np
import optax
from jax import Array


@dataclass(frozen=True)
class Config:
    """Train a small DCGAN."""

    data: Literal["mnist", "fashion_mnist"] = "mnist"
    """data set"""
    channels: tuple[int, int] = (64, 32)
    """channels of the generator's pictures of 7 x 7 and 14 x 14; the discriminator has them the other way round"""
    latent: int = 64
    """numbers of noise that an image is made from"""
    limit: int = 10000
    """training images"""
    epochs: int = 8
    """passes over the training images"""
    batch_size: int = 64
    """images a step"""
    learning_rate: float = 0.0004
    """step size of Adam for both networks, whose momentum is .5"""
    samples: int = 2000
    """images that are made and judged after each epoch, and real ones that they are compared with"""
    judge_epochs: int = 2
    """passes over the training images of the classifier that judges"""
    seeds: int = 1
    """how often the networks are trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""
    out: str = "runs"
    """where the run folder goes"""


def main(config: Config) -> dict[str, Any]:
    """Train, judge the samples of each epoch, write the grids, and return the scores."""
    train, test, _ = load_mnist() if config.data == "mnist" else load_fashion_mnist()
    train = Arrays(train.x[: config.limit] * 2 - 1, train.y[: config.limit])  # in -1..1, like the generator's tanh
    test = Arrays(test.x[: config.samples] * 2 - 1, test.y[: config.samples])
    judge, rng = make_judge(config, train, test), np.random.default_rng(config.seed)
    mean, spread = np.asarray(train.x.mean(axis=0)), np.asarray(train.x.std(axis=0))
    real = np.asarray(test.x)
    naive = {
        "real training images": np.asarray(train.x[: config.samples]),
        "independent pixels": rng.normal(mean[None], spread[None], real.shape).clip(-1, 1),
        "white noise": rng.uniform(-1, 1, real.shape),
    }
    begin, seeds, grids = time.perf_counter(), [], {}
    for key in jax.random.split(jax.random.key(config.seed), config.seeds):
        rows, pictures = train_pair(config, key, train, judge)
        seeds.append(rows)
        grids = grids or pictures
    seconds = time.perf_counter() - begin
    print(f"images: {len(train)}, epochs: {config.epochs}, seeds: {config.seeds}, {seconds:.0f} s")
    scores = {f"made, seed {s}": rows[-1] for s, rows in enumerate(seeds)}
    scores |= {name: judge(images) for name, images in naive.items()}
    for name, row in scores.items():
        print(f"{name:<24}{text(row)}")
    with RunFolder.create(config.out, "gan_digits") as folder:
        folder.write_config(config)
        save_figure(plot_image_rows(grids, title="the same noise after each epoch"), folder.path / "samples.png")
    print(f"\nrun folder: {folder.path}")
    return to_plain({"scores": scores, "epochs": seeds, "seconds": seconds, "folder": folder.path})


def make_judge(config: Config, train: Arrays, test: Arrays) -> Callable[[np.ndarray], dict[str, float]]:
    """Train a classifier of real images and return what it says of others."""
    settings: Any = {"loss": "cross_entropy", "optimizer": optax.adam(1e-3), "batch_size": 64}
    model, epochs = mnist_convnet(), config.judge_epochs
    state = fit(model, train, epochs=epochs, key=jax.random.key(config.seed), **settings).state
    labels, logits = np.asarray(test.y), predict(state, test)
    print(
        f"the classifier gets {np.mean(logits.argmax(axis=1) == labels):.4f} of {len(labels)} real test images right",
        flush=True,
    )

    def judge(images: np.ndarray) -> dict[str, float]:
        seen = predict(state, np.asarray(images, np.float32))
        scores = score_samples(seen, shares=np.bincount(labels, minlength=10) / len(labels))
        row = {name: value for name, value in scores._asdict().items() if name != "classes"}
        return row | {"frechet_distance": frechet_distance(seen, logits)}

    return judge


def train_pair(
    config: Config, key: Array, train: Arrays, judge: Callable[[np.ndarray], dict[str, float]]
) -> tuple[list[dict[str, float]], dict[str, np.ndarray]]:
    """Train a generator and a discriminator; return the scores after each epoch, and grids of the same noise."""
    optimizer = optax.adam(config.learning_rate, b1=0.5)
    state = create_adversarial_state(*digit_gan(config.channels), optimizer, key, train.x[:1], latent=config.latent)
    step = make_adversarial_step(config.latent, smoothing=0.1)
    run = jax.jit(make_run(step, epochs=1, batch_size=config.batch_size), donate_argnums=0)
    noise = jax.random.normal(jax.random.fold_in(key, 1), (config.samples, config.latent))
    rows, grids = [], {}
    for epoch in range(1, config.epochs + 1):
        state, _ = run(state, train)
        made = np.asarray(jax.jit(generate_samples)(state, noise))
        rows.append(judge(made))
        print(f"{f'epoch {epoch}':<24}{text(rows[-1])}", flush=True)
        if epoch in (1, 2, 3, 5, config.epochs):
            grids[f"epoch {epoch}"] = made[:12]
    return rows, grids


def text(row: dict[str, float]) -> str:
    """Return scores as a line."""
    return "   ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in row.items())


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
