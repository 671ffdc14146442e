"""Vanishing and exploding gradients, dead units, and what clipping does.

Question: how much of a loss's gradient reaches an input k steps back through newly drawn Elman cells, GRUs and LSTMs,
and the lower ones of 20 layers, for seven activation functions; how many ReLU units die if the steps of training are
too long; and what becomes of training when gradients explode, with and without clipping?

Command: python experiments/gradient_flow.py
    (writes gradient_flow.png; --out names another file)

Expected: medians over the seeds, of the first of 100 inputs and of 20 layers. Only an LSTM that hardly forgets keeps a
    gradient over the whole sequence; a sigmoid loses nearly all of it in 20 layers; longer steps kill more ReLU units.
    Gradient descent diverges where the gradient explodes; clipped to norm 1 it brings it down.

Measured (from results/gradient_flow.json by results/tables.py):
    python experiments/gradient_flow.py (2026-11-21, 2 cores)
        share of the gradient, the first input (10 seeds): LSTM, forget bias 0 8e-19; LSTM, forget bias 1 1.5e-7; LSTM,
            forget bias 5 0.94; GRU 3e-17; Elman tanh 7e-15; Elman linear, weights x 1.1 6e+3
        share of the gradient, the first layer (10 seeds): sigmoid 2e-13; softplus 5e-6; relu 0.003; leaky_relu 0.003;
            elu 0.12; tanh 0.16; bionodal root 0.41
        share of dead units, the fifth layer (10 seeds): ReLU, step size 0.01 0.11; ReLU, step size 0.1 0.34; ReLU, step
            size 1 0.42
        norm of the gradient, the first step (10 seeds): gradient descent 250; clipped to norm 1 250
        norm of the gradient, the last step (10 seeds): clipped to norm 1 2.4
Running time: 15 s (most of it compiling).
"""

from dataclasses import dataclass
from typing import Any

from seqvision.activations import activation
from seqvision.cells import GRU, LSTM, Elman, unroll
from seqvision.interpret import depth_profile, gradient_by_lag, gradient_trace
from seqvision.pipelines import run_experiment
from seqvision.reporting import plot_gradient_flow, save_figure, to_plain
from seqvision.training import run_population

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

GLOROT = jax.nn.initializers.glorot_uniform(batch_axis=(0,))
CELLS: dict[str, tuple[Any, float]] = {  # with a factor of the recurrent weights, orthogonal at first
    "Elman tanh": (Elman(32), 1.0),
    "Elman linear, weights x .9": (Elman(32, "linear"), 0.9),
    "Elman linear, weights x 1.1": (Elman(32, "linear"), 1.1),
    "GRU": (GRU(32), 1.0),
    "LSTM, forget bias 0": (LSTM(32, forget_bias=0.0), 1.0),
    "LSTM, forget bias 1": (LSTM(32), 1.0),
    "LSTM, forget bias 5": (LSTM(32, forget_bias=5.0), 1.0),
}
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus")


@dataclass(frozen=True)
class Config:
    """Measure where gradients vanish and explode."""

    cells: tuple[str, ...] = tuple(CELLS)
    """which cells to follow back in time"""
    length: int = 100
    """steps of a sequence"""
    depth: int = 20
    """layers of the deep network"""
    width: int = 64
    """units of a layer"""
    rates: tuple[float, ...] = (0.01, 0.1, 1.0)
    """step sizes at which a ReLU network of five layers is trained, to see which units die"""
    steps: int = 300
    """steps of training"""
    batch_size: int = 32
    """examples at once"""
    seeds: int = 10
    """how often everything is drawn anew"""
    seed: int = 0
    """from which every random number derives"""
    out: str = "gradient_flow.png"
    """file of the figure"""


def main(config: Config) -> dict[str, Any]:
    """Measure, print the tables, draw the figure, and return the medians over seeds."""
    keys = jax.random.split(jax.random.key(config.seed), config.seeds)
    found = run_population(lambda key: measure(config, key), keys)
    found = jax.tree.map(lambda values: np.where(np.isnan(values), np.inf, values), found)  # training that diverged
    figure = plot_gradient_flow(
        by_lag=found["by lag"],
        by_depth=found["by layer"],
        dead=found["dead units by layer"],
        traces=found["gradient by training step"],
        title=f"Gradients (seeds: {config.seeds})",
    )
    save_figure(figure, config.out)
    places = {
        "by lag": [0, config.length // 10, config.length // 2, config.length - 1],
        "by layer": [0, config.depth // 2, config.depth - 1],
        "dead units by layer": [0, 2, 4],
        "gradient by training step": [0, config.steps // 10, config.steps - 1],
    }
    result: dict[str, Any] = {}
    for title, table in found.items():
        at = places[title]
        print(f"\n{title:<30}" + "".join(f"{place + (title != 'by lag'):<28}" for place in at))
        result[title] = {name: np.median(values[:, at], axis=0) for name, values in table.items()}
        for name, values in table.items():
            cells = [f"{np.median(v):.2g} ({v.min():.2g} - {v.max():.2g})" for v in values[:, at].T]
            print(f"{name:<30}" + "".join(f"{cell:<28}" for cell in cells))
    print(f"\nmedian (lowest - highest) over seeds, of which there are {config.seeds}; figure: {config.out}")
    return to_plain({**result, "figure": config.out})


def measure(config: Config, key: Array) -> dict[str, dict[str, Array]]:
    """Draw networks and inputs from one key and return all curves."""
    k_x, k_cell, k_deep, k_relu, k_train = jax.random.split(key, 5)
    xs = jax.random.normal(k_x, (config.batch_size, config.length, 8))
    lags = {name: lag_curve(*CELLS[name], k_cell, xs) for name in config.cells}
    x = jax.random.normal(k_x, (config.batch_size, config.width))
    deep = GLOROT(k_deep, (config.depth, config.width, config.width))
    functions = {name: activation(name) for name in ACTIVATIONS} | {"bionodal root": activation("bru")}
    depths = {name: depth_profile(deep, x, function).gradient for name, function in functions.items()}
    dead = {f"ReLU, step size {rate:g}": dead_units(config, rate, k_relu, x) for rate in config.rates}
    clipped = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.01))
    rules = {"gradient descent": optax.sgd(0.01), "clipped to norm 1": clipped}
    traces = {name: exploding(config, rule, k_train) for name, rule in rules.items()}
    return {"by lag": lags, "by layer": depths, "dead units by layer": dead, "gradient by training step": traces}


def lag_curve(cell: Any, factor: float, key: Array, xs: Array) -> Array:
    params = cell.init(key, xs.shape[-1])
    return gradient_by_lag(cell, params._replace(w_h=factor * params.w_h), xs).mean(axis=0)


def dead_units(config: Config, rate: float, key: Array, x: Array) -> Array:
    """Train five ReLU layers to sum their inputs; return the share of dead units."""
    kernels = 2**0.5 * GLOROT(key, (5, config.width, config.width))

    def loss(kernels: Array, x: Array) -> Array:
        h, _ = jax.lax.scan(lambda h, kernel: (jax.nn.relu(h @ kernel), None), x, kernels)
        return jnp.mean((h.mean(axis=1) - x.sum(axis=1)) ** 2)

    batches = jax.random.normal(key, (config.steps, *x.shape))
    rule = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(rate))
    return depth_profile(gradient_trace(loss, kernels, rule, batches).params, x, jax.nn.relu).dead


def exploding(config: Config, rule: optax.GradientTransformation, key: Array) -> Array:
    """Train a linear Elman cell with recurrent weights of size 1.1 to recall its first input; return gradient norms."""
    cell = Elman(16, "linear")
    params = cell.init(key, 1)
    xs = jax.random.normal(key, (config.steps, config.batch_size, 30, 1))

    def loss(params: Any, xs: Array) -> Array:
        return jnp.mean((unroll(cell, params, xs)[1][:, -1].mean(axis=1) - jnp.tanh(xs[:, 0, 0])) ** 2)

    return gradient_trace(loss, params._replace(w_h=1.1 * params.w_h), rule, xs).norms


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
