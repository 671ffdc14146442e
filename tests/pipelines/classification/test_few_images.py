"""The default convnet on few images, beside logistic regression on the same pixels."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from seqvision.data import Arrays, load_digits
from seqvision.pipelines import ClassifyConfig, train_seeds
from seqvision.pipelines.named_models import build_classifier
from seqvision.pipelines.named_training import build_optimizer
from seqvision.training import predict


def digits():
    every = load_digits()
    rows = np.random.default_rng(0).permutation(len(every.y))
    return np.asarray(every.x)[rows], np.asarray(every.y)[rows]


def shapes(count=600, side=16):
    """Noisy bars, dots, rings and crosses at random places."""
    rng = np.random.default_rng(0)
    images, labels = rng.normal(0.2, 0.06, (count, side, side)), np.arange(count) % 4
    yy, xx = np.mgrid[:side, :side]
    for image, label in zip(images, labels, strict=True):
        row, column = rng.integers(4, side - 4, 2)
        away = np.hypot(yy - row, xx - column)
        bar, cross = abs(yy - row) < 1, (np.minimum(abs(yy - row), abs(xx - column)) == 0) & (away < 4)
        image += rng.uniform(0.25, 0.6) * [bar, away < 2.6, abs(away - 3.5) < 0.7, cross][label]
    return images[..., None].clip(0, 1).astype(np.float32), labels


@pytest.mark.optimized
@pytest.mark.parametrize("make", [digits, shapes])
def test_160_images_are_enough_not_to_be_behind_logistic_regression(make):
    x, y = make()
    train, test = Arrays(x[:160], y[:160]), Arrays(x[160:560], y[160:560])
    regression = LogisticRegression(max_iter=1000).fit(x[:160].reshape(160, -1), y[:160])
    base = regression.score(x[160:560].reshape(400, -1), y[160:560])
    config = ClassifyConfig()
    trained = train_seeds(
        build_classifier("convnet", config, x.shape[1], y.max() + 1),
        train,
        optimizer=build_optimizer(config, len(train)),
        loss="cross_entropy",
        epochs=config.epochs,
        batch_size=32,
        seeds=2,
    )
    right = [float(np.mean(predict(state, test).argmax(axis=1) == y[160:560])) for state in trained.states]
    assert min(right) >= base - 0.01
    assert np.mean(right) > 0.9
