"""A wide MLP against a small recurrent network on a price index: which forecasts better, and which trains faster?

Question: four dense layers of 3000 ReLU units (27,195,001 parameters, RMSprop) or two simple recurrent layers of 128
and 64 units with a dense layer of 25 (30,643 parameters, Adam), both seeing the last 60 closes of the VN-Index: what
does each err one step ahead and free-running, how long does each train, and does either beat the last value?

Command: python experiments/mlp_versus_rnn.py
    (the file is looked for in $SEQVISION_DATA_DIR/vnindex; else --csv FILE --target COLUMN, or --bundled for the daily
    prices that matplotlib ships)

Expected: neither beats the last value on the 657 test days, and one seed does not tell which of the two errs less. Many
    prices of the test lie above all that was trained on, and a network that must first learn to copy the last value
    does not get there. The MLP takes some 35 times as long to train.

Measured (from results/mlp_versus_rnn.json by results/tables.py):
    python experiments/mlp_versus_rnn.py --seeds 1 (2026-11-21, 2 cores)
        RMSE, one step ahead (1 seed): MLP 46.3; against last value 15.06
        RMSE, free-running (1 seed): MLP 455.6; against last value 285.0
        seconds an epoch: MLP 7.3; SimpleRNN 0.2
    python experiments/mlp_versus_rnn.py --models SimpleRNN --seeds 5 (2026-11-21, 2 cores)
        RMSE, one step ahead (5 seeds): SimpleRNN 62.4 ± 15.8; against last value 15.06
        RMSE, free-running (5 seeds): SimpleRNN 422 ± 161; against last value 285.0
Running time: 4.2 min (from the time of one epoch); 30 s (from the time of one epoch).
"""

from dataclasses import dataclass
from typing import Any, Literal

from seqvision.cells import Elman
from seqvision.data import find_file
from seqvision.models import MLP, Anchored, Recurrent, RegressionHead, parameter_count
from seqvision.pipelines import (
    ForecastConfig,
    describe_split,
    judge_forecasts,
    load_series,
    run_experiment,
    split_series,
    train_seeds,
)
from seqvision.reporting import to_plain

import flax.linen as nn
import jax
import optax


@dataclass(frozen=True)
class Config:
    """Compare a wide MLP with a small recurrent network on one series."""

    models: tuple[Literal["MLP", "SimpleRNN"], ...] = ("MLP", "SimpleRNN")
    """which of them to train"""
    csv: str | None = None
    """file of the series; by default the VN-Index export in $SEQVISION_DATA_DIR/vnindex"""
    target: str = "Lần cuối"
    """column to predict"""
    bundled: bool = False
    """use the bundled daily prices instead of a file"""
    length: int = 60
    """rows that a model sees"""
    train: float = 0.8
    """share of the rows to train on; the rest is the test"""
    residual: bool = False
    """forecast the change from the last value"""
    units: int = 3000
    """units of each of the MLP's four layers"""
    cells: tuple[int, int] = (128, 64)
    """units of the two recurrent layers"""
    dense: int = 25
    """units of the linear layer above them"""
    epochs: int = 30
    """passes over the training windows"""
    batch_size: int = 32
    """windows a step"""
    learning_rate: float = 0.001
    """step size of both update rules"""
    seeds: int = 2
    """how often each model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""


def build(config: Config) -> dict[str, nn.Module]:
    """Return the networks by name."""
    head = nn.Sequential((nn.Dense(config.dense, kernel_init=nn.initializers.glorot_uniform()), RegressionHead()))
    models: dict[str, nn.Module] = {
        "MLP": MLP((config.units,) * 4),
        "SimpleRNN": Recurrent(tuple(Elman(units) for units in config.cells), head=head),
    }
    return {name: Anchored(models[name]) if config.residual else models[name] for name in config.models}


def parameter_counts(config: Config) -> dict[str, int]:
    """Return how many numbers each network trains."""
    example = jax.ShapeDtypeStruct((1, config.length, 1), "float32")
    return {name: parameter_count(model, example) for name, model in build(config).items()}


def main(config: Config) -> dict[str, Any]:
    """Train the networks, print their score card and times, and return them."""
    settings = ForecastConfig(
        csv=None if config.bundled else config.csv or str(find_file("vnindex", "vnindex_investing_vi_2009_2022.csv")),
        target=None if config.bundled else config.target,
        length=config.length,
        train=config.train,
        validation=0.0,
    )
    split = split_series(settings, load_series(settings))
    models, sizes = build(config), parameter_counts(config)
    rules = {"MLP": optax.rmsprop(config.learning_rate), "SimpleRNN": optax.adam(config.learning_rate)}
    how = {"loss": "mse", "epochs": config.epochs, "batch_size": config.batch_size}
    trained = {
        name: train_seeds(
            models[name], split.train, optimizer=rule, seeds=config.seeds, seed=config.seed, stream=stream, **how
        )
        for stream, (name, rule) in enumerate(rules.items())
        if name in models
    }
    card = judge_forecasts(settings, split, models, {name: done.variables for name, done in trained.items()}).card
    seconds = {
        name: {
            "compile": done.seconds["compile"],
            "train one seed": done.seconds["run"] / config.seeds,
            "an epoch": done.seconds["run"] / config.seeds / config.epochs,
        }
        for name, done in trained.items()
    }
    print(describe_split(split))
    for name in models:
        print(
            f"{name}: {sizes[name]:,} parameters, {seconds[name]['train one seed']:.1f} s to train one seed for "
            f"{config.epochs} epochs, {seconds[name]['compile']:.1f} s to compile"
        )
    print(f"\n{card.text()}")
    return to_plain({"scores": card.to_dict(), "parameters": sizes, "seconds": seconds})


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
