"""Linear and recurrent forecasters on a noisy sine and on a sine that quickens: when does a recurrent network pay?

Question: on sin(.1 t) with noise a linear model of the last ten values is all one needs; on the chirp sin((.1 t)^2)
no fixed linear rule holds. Who forecasts which, one step ahead and free-running, beside the last value and a
least-squares autoregression?

Command: python experiments/sine_and_chirp.py

Expected: mean squared errors on the second half. On the sine linear units win over all recurrent ones, and the
    least-squares AR(10) over all, free-running by far. On the chirp the linear model fails; tanh units and the LSTM
    follow it one step ahead, depending on the seed, and free-running nobody does: the LSTM is worse than linear. Linear
    units at a rate of .05 diverge there.

Measured (from results/sine_and_chirp.json by results/tables.py):
    python experiments/sine_and_chirp.py (2026-11-21, 2 cores)
        squared error, sine, one step ahead (5 seeds): linear 0.0140 ± 0.0005; Elman relu 0.0265 ± 0.0051; Elman tanh
            0.0173 ± 0.0018; Elman linear 0.0162 ± 0.0017; LSTM 0.0165 ± 0.0020; against last value 0.0241; AR(10)
            0.0128
        squared error, sine, free-running (5 seeds; lowest and highest model): linear, Elman, LSTM 0.36 to 0.94; against
            AR(10) 0.068
        squared error, chirp, one step ahead (5 seeds): linear 0.591 ± 0.010; Elman tanh 0.066 ± 0.027; LSTM 0.052 ±
            0.070; against last value 0.537
        squared error, chirp, free-running (5 seeds): linear 0.469; LSTM 1.07 ± 0.17
Running time: 10 s (most of it compiling ten models).
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from seqvision.cells import LSTM, Elman
from seqvision.data import Series, chirp, sine
from seqvision.models import MLP, Recurrent
from seqvision.pipelines import ForecastConfig, judge_forecasts, run_experiment, split_series, train_seeds
from seqvision.reporting import to_plain

import flax.linen as nn
import numpy as np
import optax

Name = Literal["linear", "Elman relu", "Elman tanh", "Elman linear", "LSTM"]


@dataclass(frozen=True)
class Config:
    """Train linear and recurrent forecasters on a noisy sine and on a chirp; both are cut in halves."""

    models: tuple[Name, ...] = get_args(Name)
    """which of these models to train"""
    noise: float = 0.1
    """standard deviation of the noise on the sine"""
    length: int = 10
    """rows that a model sees"""
    sine_rows: int = 200
    """rows of the sine"""
    sine_hidden: int = 5
    """recurrent units on the sine"""
    sine_epochs: int = 80
    """passes over the sine, all models"""
    sine_rate: float = 0.1
    """step size on the sine, all models"""
    chirp_rows: int = 400
    """rows of the chirp"""
    chirp_hidden: int = 10
    """recurrent units on the chirp"""
    chirp_epochs: tuple[int, int] = (80, 200)
    """passes over the chirp: linear model, recurrent models"""
    chirp_rate: tuple[float, float] = (0.01, 0.05)
    """step size on the chirp: linear model, recurrent models"""
    batch_size: int = 32
    """windows a step"""
    seeds: int = 5
    """how often each model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives, the noise too"""


def main(config: Config) -> dict[str, Any]:
    """Train on both series, print a table of each, and return mean squared errors by series and forecaster."""
    noisy = sine(config.sine_rows, noise=config.noise, seed=config.seed)
    epochs, rates = (config.sine_epochs,) * 2, (config.sine_rate,) * 2
    scores = {
        "sine": compare(config, noisy, config.sine_hidden, epochs, rates),
        "chirp": compare(config, chirp(config.chirp_rows), config.chirp_hidden, config.chirp_epochs, config.chirp_rate),
    }
    for name, table in scores.items():
        print(f"\n{name}: mean squared error on the second half, ± spread over seeds (seeds: {config.seeds})")
        print(f"{'':<16}{'one step ahead':<22}{'free-running':<22}")
        for forecaster, row in table.items():
            cells = [show(row[mode], row[f"{mode}_std"]) for mode in ("one_step", "free_running")]
            print(f"{forecaster:<16}{cells[0]:<22}{cells[1]}")
    return to_plain(scores)


def compare(
    config: Config, series: Series, hidden: int, epochs: tuple[int, int], rates: tuple[float, float]
) -> dict[str, dict[str, float]]:
    """Train every model on the first half; return mean squared errors on the second, naive forecasts below."""
    models: dict[str, nn.Module] = {"linear": MLP(())}
    models |= {f"Elman {unit}": Recurrent((Elman(hidden, unit),)) for unit in ("relu", "tanh", "linear")}
    models |= {"LSTM": Recurrent((LSTM(hidden),))}
    models = {name: models[name] for name in config.models}
    settings = ForecastConfig(length=config.length, train=0.5, validation=0.0, scaler="none")
    split = split_series(settings, series)
    variables = {}
    for name, model in models.items():
        kind, stream = int(name != "linear"), get_args(Name).index(name)
        variables[name] = train_seeds(
            model,
            split.train,
            optimizer=optax.adam(rates[kind]),
            seeds=config.seeds,
            seed=config.seed,
            stream=stream,
            loss="mse",
            epochs=epochs[kind],
            batch_size=config.batch_size,
        ).variables
    judged = judge_forecasts(settings, split, models, variables)
    truth, start = series.values[split.test_rows, 0], split.test_rows.start
    rows = {name: errors(truth, judged.forecasts[name][..., 0], judged.free_runs[name]) for name in models}
    for name, naive in judged.baselines.items():
        one_step = naive(series.values[:, 0], np.arange(start, len(series)), 1)[:, 0]
        rows[name] = errors(truth, one_step[None], naive(series.values[:, 0], np.array([start]), len(truth)))
    return rows


def errors(truth: np.ndarray, one_step: np.ndarray, free: np.ndarray) -> dict[str, float]:
    """Return mean squared errors of forecasts (S, B): the mean over seeds, and the spread of several."""
    row: dict[str, float] = {"seeds": len(one_step)}
    for mode, forecasts in (("one_step", one_step), ("free_running", free)):
        with np.errstate(over="ignore", invalid="ignore"):  # a path that diverged
            each = np.mean((forecasts - truth[None]) ** 2, axis=1)
            row |= {mode: each.mean(), f"{mode}_std": each.std(ddof=1) if len(each) > 1 else np.nan}
    return row


def show(value: float, spread: float) -> str:
    """Return a mean and its spread as text."""
    if not value < 1e3:
        return "diverges"
    return f"{value:.4f}" + ("" if np.isnan(spread) else f" ± {spread:.4f}")


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
