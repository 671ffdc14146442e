"""Find digits in scenes: a small grid detector in the manner of YOLO's first version.

Question: one to three digits, 14 to 28 pixels tall or wide, stand on a noisy picture of 64 x 64. How well does a
network of 61,700 parameters find and name them at one look, by mean average precision at an overlap of .5, beside
boxes around connected light pixels named by the nearest of 5000 training digits, and always the mean box and the
commonest digit?

Command: python experiments/detect_shapes.py
    (11 MB are downloaded once, unless $SEQVISION_DATA_DIR/mnist has the four idx files; --data digits takes those of
    scikit-learn. The run folder gets a picture of scenes with boxes)

Expected: a little better than boxes around connected pixels, which are hard to beat by a threshold where the noise is
    weaker.

Measured (from results/detect_shapes.json by results/tables.py):
    python experiments/detect_shapes.py (2026-11-20, 2 cores)
        mean average precision at .5 (2 seeds): detector 0.887 ± 0.018; against connected pixels, nearest digit 0.864;
            mean box, commonest digit 0.000
        share of digits found (2 seeds): detector 0.93; against connected pixels, nearest digit 0.88
    python experiments/detect_shapes.py --noise .1 (2026-11-20, 2 cores)
        mean average precision at .5: connected pixels, nearest digit 0.918
Running time: 3 min (beside other work).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from seqvision import data
from seqvision.data import Arrays, Scenes, digit_scenes, load_mnist
from seqvision.metrics import score_detections
from seqvision.models import (
    Detections,
    GridDetector,
    decode_boxes,
    encode_boxes,
    non_maximum_suppression,
    parameter_count,
)
from seqvision.pipelines import run_experiment
from seqvision.reporting import RunFolder, plot_boxes, save_figure, to_plain
from seqvision.scorecards import connected_pixels, mean_box
from seqvision.training import fit, make_yolo_loss, predict, updates_in

import jax
import numpy as np
import optax
from scipy import ndimage
from sklearn.neighbors import KNeighborsClassifier


@dataclass(frozen=True)
class Config:
    """Train a grid detector on scenes of digits."""

    data: Literal["mnist", "digits"] = "mnist"
    """where the digits come from"""
    scenes: int = 10000
    """training scenes"""
    test: int = 1000
    """test scenes"""
    noise: float = 0.2
    """standard deviation of the noise on a scene"""
    channels: tuple[int, ...] = (16, 32, 64)
    """channels of the convolutions, each of which halves the picture"""
    epochs: int = 12
    """passes over the training scenes"""
    batch_size: int = 32
    """scenes a step"""
    learning_rate: float = 0.01
    """step size of Adam at the beginning; it falls to 0 along a cosine"""
    seeds: int = 2
    """how often the network is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""
    out: str = "runs"
    """where the run folder goes"""


def main(config: Config) -> dict[str, Any]:
    """Train, print mean average precisions and times, and return them."""
    train, test, digits = make_scenes(config)
    model = GridDetector(config.channels)
    cells = 64 // 2 ** len(config.channels)
    targets = np.asarray(jax.jit(encode_boxes, static_argnums=(2, 3))(train.boxes, train.labels, (cells, cells), 10))
    steps = updates_in(config.epochs, config.scenes, config.batch_size)
    optimizer, loss = optax.adam(optax.cosine_decay_schedule(config.learning_rate, steps)), make_yolo_loss(10)
    settings = {"loss": loss, "optimizer": optimizer, "epochs": config.epochs, "batch_size": config.batch_size}
    begin, found = time.perf_counter(), []
    for key in jax.random.split(jax.random.key(config.seed), config.seeds):
        state = fit(model, Arrays(train.images, targets), key=key, **settings).state
        found.append(find(predict(state, test.images, batch_size=500)))
    seconds = time.perf_counter() - begin
    heaps = connected_pixels(test.images, nearest_digit(digits), threshold=0.35, smallest=8)
    constant = mean_box(train.boxes, train.labels, config.test)
    naive = {"connected pixels, nearest digit": heaps, "mean box, commonest digit": constant}
    scores = {"detector": judge(test, found)} | {name: judge(test, [each]) for name, each in naive.items()}
    parameters = parameter_count(model, jax.ShapeDtypeStruct((1, 64, 64, 1), "float32"))
    print(f"{parameters:,} parameters, scenes: {config.scenes}, seeds: {config.seeds}, {seconds:.0f} s")
    print(f"\n{config.test} test scenes, {scores['detector']['objects']} digits")
    for name, row in scores.items():
        print(f"{name:<34} mAP at .5: {row['map']:.4f} ± {row['map_std']:.4f}   found: {row['recall']:.4f}")
    with RunFolder.create(config.out, "detect_shapes") as folder:
        folder.write_config(config)
        boxes, labels, sure = (np.asarray(part[:12]) for part in found[0])
        title = "found with a score above .15; true boxes dashed"
        labels = np.where(sure > 0.15, labels, -1)
        figure = plot_boxes(test.images[:12], boxes, labels, scores=sure, truth=test.boxes[:12], title=title)
        save_figure(figure, folder.path / "scenes.png")
    print(f"\nrun folder: {folder.path}")
    return to_plain({"scores": scores, "parameters": parameters, "seconds": seconds, "folder": folder.path})


def make_scenes(config: Config) -> tuple[Scenes, Scenes, Arrays]:
    """Make training scenes of training digits and test scenes of test digits; return the training digits too."""
    if config.data == "mnist":
        train, test, _ = load_mnist()
    else:
        digits = data.load_digits()
        train, test = (
            Arrays(digits.x[rows], digits.y[rows]) for rows in data.stratified_split(digits.y, 0.2, config.seed)
        )
    scenes = digit_scenes(train.x, train.y, config.scenes, noise=config.noise, seed=config.seed)
    return scenes, digit_scenes(test.x, test.y, config.test, noise=config.noise, seed=config.seed + 1), train


@jax.jit
def find(outputs: jax.Array) -> Detections:
    """Turn the outputs of a batch of scenes into at most ten boxes each."""
    return non_maximum_suppression(decode_boxes(outputs, 10), limit=10, threshold=0.4, lowest=0.05)


def nearest_digit(digits: Arrays) -> Callable[[np.ndarray], tuple[int, float]]:
    """Return a function that names a picture by the nearest of 5000 training digits, cut to their ink."""
    images = np.asarray(digits.x)[:5000, ..., 0]
    cuts = [shrunk(image[ndimage.find_objects((image > 0.35).astype(int))[0]]) for image in images]
    nearest = KNeighborsClassifier(1).fit(cuts, np.asarray(digits.y)[:5000])

    def name(picture: np.ndarray) -> tuple[int, float]:
        distance, row = nearest.kneighbors([shrunk(picture)])
        return int(digits.y[row[0, 0]]), 1 / (1 + float(distance[0, 0]))

    return name


def shrunk(image: np.ndarray) -> np.ndarray:
    """Return a picture as 16 x 16 numbers."""
    return data.image_to_array(data.array_to_image(image), size=(16, 16)).ravel()


def judge(test: Scenes, found: list[Detections]) -> dict[str, Any]:
    """Return mean average precision and recall over seeds."""
    each = [score_detections(test.boxes, test.labels, **one._asdict(), num_classes=10) for one in found]
    means = np.array([score.mean for score in each])
    row = {"map": means.mean(), "recall": np.mean([score.recall for score in each]), "seeds": len(each)}
    return row | {"map_std": means.std(ddof=1) if len(each) > 1 else 0.0, "objects": each[0].objects.sum()}


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
