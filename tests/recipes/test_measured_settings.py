"""The settings that the kept results were measured with: who changes one measures anew, and keeps the new result."""

import importlib
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from recipes.digit_strings import DigitStringConfig, build

from seqvision.pipelines import SequenceConfig
from seqvision.pipelines.config import BATCH_SIZE, PAIRS
from seqvision.pipelines.sequences import _optimizer

RESULTS = Path(__file__).parents[2] / "experiments" / "results"

# No paper gives these numbers. An experiment's first result is that of its defaults.
MEASURED = {
    "add_numbers": {"epochs": 15, "batch_size": 128, "learning_rate": 0.01, "pairs": 20_000, "digits": 3, "hidden": 64},
    "character_rnn": {"epochs": 20, "batch_size": 16, "learning_rate": 0.005, "hidden": 64, "chunk": 25},
    "cifar_cnn": {"epochs": 15, "batch_size": 32, "learning_rate": 0.001, "schedule": "constant"},
    "cifar_record": {"epochs": 8, "batch_size": 512, "learning_rate": 1.5, "weight_decay": 0.002, "smoothing": 0.2},
    "classify_digits": {"epochs": 60, "batch_size": 32, "learning_rate": 0.001, "dropout": 0.5, "hidden": 128},
    "counting_and_timing": {
        **{"count_epochs": 4000, "time_epochs": 20, "batch_size": 32, "learning_rate": 0.01, "hidden": 5},
        **{"longest": 10, "gaps": (10, 29), "length": 150, "trains": 640},
    },
    "detect_shapes": {
        **{"epochs": 12, "batch_size": 32, "learning_rate": 0.01, "channels": (16, 32, 64)},
        **{"scenes": 10_000, "noise": 0.2},
    },
    "fashion_cnn": {"epochs": 15, "batch_size": 32, "learning_rate": 0.001, "dropout": None, "peak": 0.004},
    "gan_digits": {
        **{"epochs": 8, "batch_size": 64, "learning_rate": 0.0004, "latent": 64, "channels": (64, 32)},
        **{"limit": 10_000, "judge_epochs": 2},
    },
    "interval_coverage": {"epochs": 20, "batch_size": 32, "seeds": 3, "length": 20, "horizon": 10, "models": ("gru",)},
    "lenet_digits": {"epochs": 8, "batch_size": 64, "learning_rate": 0.002},
    "long_distance_xor": {"epochs": 200, "batch_size": 32, "learning_rate": 0.01, "clip": 0.1, "hidden": 5},
    "mlp_versus_rnn": {
        **{"epochs": 30, "batch_size": 32, "learning_rate": 0.001, "residual": False},
        **{"units": 3000, "cells": (128, 64), "dense": 25, "length": 60},
    },
    "mnist_cnn": {"epochs": 15, "batch_size": 128, "learning_rate": 0.003},
    "mnist_dense": {"epochs": 10, "batch_size": 32, "learning_rate": 0.001, "hidden": 128, "dropout": None},
    "optimizers": {"epochs": 30, "batch_size": 32, "hidden": 64},
    "reverse_digits": {"epochs": 10, "batch_size": 128, "learning_rate": 0.01, "pairs": 6000, "hidden": 64},
    "row_mnist": {"epochs": 10, "batch_size": 32, "learning_rate": 0.002, "decay": True, "hidden": 128},
    "series_as_images": {"epochs": 30, "batch_size": 32, "learning_rate": 0.001, "length": 20, "horizons": (1, 5)},
    "sine_and_chirp": {
        **{"sine_epochs": 80, "sine_rate": 0.1, "sine_hidden": 5, "chirp_epochs": (80, 200)},
        **{"chirp_rate": (0.01, 0.05), "chirp_hidden": 10, "batch_size": 32, "length": 10, "noise": 0.1},
    },
    "spell_digits": {
        **{"epochs": 40, "batch_size": 64, "learning_rate": 0.003, "dropout": 0.3, "hidden": 64},
        **{"channels": (32, 64), "embedding": 16, "held_out": 0.2},
    },
    "stock_forecast": {
        **{"epochs": 50, "batch_size": 32, "learning_rate": 0.01, "dropout": 0.0, "hidden": 16, "layers": 1},
        **{"length": 10, "horizon": 1, "loss": "mse", "scaler": "standard"},
    },
}


@pytest.mark.parametrize("name", MEASURED)
def test_defaults_are_what_the_first_result_was_measured_with(name):
    config = importlib.import_module(f"experiments.{name}").Config()
    found = {setting: getattr(config, setting) for setting in MEASURED[name]}
    if "batch_size" in found and found["batch_size"] is None:  # as many as there are, up to
        found["batch_size"] = PAIRS if isinstance(config, SequenceConfig) else BATCH_SIZE
    assert found == MEASURED[name]


def test_every_experiment_that_trains_and_keeps_a_result_is_here():
    trains = {
        path.stem
        for path in RESULTS.glob("*.json")
        if (RESULTS.parent / path.name).with_suffix(".py").exists()
        and "epochs" in (RESULTS.parent / path.name).with_suffix(".py").read_text(encoding="utf-8")
    }
    assert trains <= set(MEASURED)
    assert all(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["runs"] for name in MEASURED)


def test_strings_are_written_by_the_networks_of_the_papers():
    models = build(DigitStringConfig(hidden=8, embedding=4), symbols=12)
    luong, bahdanau = models["Luong"].decoder, models["Bahdanau"].decoder
    # Luong et al. 2015, equation 8, "general"; section 3.1: the query is the new state.
    assert (luong.attention.score, luong.feed) == ("general", "none")
    # Bahdanau et al. 2015, appendix A: an alignment model as wide as the decoder, and a context that the cell reads.
    assert (bahdanau.attention.units, bahdanau.feed) == (8, "context")
    assert models["no attention"].decoder.attention is None
    # Section 3.2 there: the source is read in both directions.
    assert all(model.encoder.bidirectional for model in models.values())


def test_gradients_of_strings_are_clipped_to_norm_1_and_the_step_size_falls_to_0():
    # Sutskever et al. 2014, section 3.4, clips the norm of the gradient (there to 5).
    config = SequenceConfig(epochs=5, batch_size=10, learning_rate=0.1)
    rule = _optimizer(config, 40)
    params = {"w": jnp.zeros(2)}
    state, clipped = rule.init(params), optax.adam(1.0)
    plain = clipped.init(params)
    for t in range(20):
        gradient = {"w": jnp.array([30.0, 40.0]) if t % 2 else jnp.array([0.1, -0.2])}
        update, state = rule.update(gradient, state, params)
        short = {"w": jnp.array([0.6, 0.8])} if t % 2 else gradient
        expected, plain = clipped.update(short, plain, params)
        rate = 0.05 * (1 + np.cos(np.pi * t / 20))
        np.testing.assert_allclose(update["w"], rate * expected["w"], rtol=1e-4, atol=1e-7)
