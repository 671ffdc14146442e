"""Counting and timing: where the Elman cell, the GRU, the LSTM and the LSTM with peepholes differ.

Question: (1) Counting. A network reads strings a^n b^n, n = 1 ... 10, and says after each b whether the string is over.
Up to which n does it go on saying so rightly? An LSTM can count in its cell, whose values are not bounded; the states
of a GRU or Elman cell are. (2) Timing. In a train of rare spikes it says at each spike how many steps ago the one
before it was, 10 to 29. Peepholes, by which the gates see the cell, are said to help there.

Command: python experiments/counting_and_timing.py

Expected: peepholes count farthest, up to n = 28 at best, and every gated cell tells most gaps; trained for longer all
    but Elman tell nearly all, with peepholes or without.

Measured (from results/counting_and_timing.json by results/tables.py):
    python experiments/counting_and_timing.py (2026-11-21, 2 cores)
        a^n b^n right up to n (10 seeds): Elman 11 ± 1; GRU 13 ± 2; LSTM 15 ± 2; LSTM, peepholes 17 ± 6; against always
            b 0
        gaps told right (10 seeds): Elman 0.39 ± 0.32; GRU 0.74 ± 0.30; LSTM 0.89 ± 0.06; LSTM, peepholes 0.91 ± 0.06;
            against a guess 0.05
    python experiments/counting_and_timing.py --time-epochs 100 (2026-11-21, 2 cores)
        gaps told right (10 seeds): GRU 0.999; LSTM 0.999; LSTM, peepholes 0.999; against a guess 0.050
Running time: 50 s (beside other work, most of it training).

Sources: Gers, Schraudolph and Schmidhuber, "Learning precise timing with LSTM recurrent networks", 2002; Weiss,
Goldberg and Yahav, "On the practical computational power of finite precision RNNs for language recognition", 2018.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from seqvision.cells import GRU, LSTM, Elman, LSTMVariant
from seqvision.data import Arrays
from seqvision.models import ClassificationHead, Recurrent
from seqvision.pipelines import run_experiment
from seqvision.reporting import to_plain
from seqvision.training import create_state, forward, make_run, make_train_step, run_population, updates_in

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

Name = Literal["Elman", "GRU", "LSTM", "LSTM, peepholes"]


@dataclass(frozen=True)
class Config:
    """Train small recurrent networks to count and to measure times."""

    models: tuple[Name, ...] = get_args(Name)
    """which of these cells to train"""
    hidden: int = 5
    """recurrent units"""
    longest: int = 10
    """strings a^n b^n of n = 1 ... longest to train on"""
    furthest: int = 100
    """largest n to test"""
    count_epochs: int = 4000
    """passes over these strings, all of them in one step"""
    gaps: tuple[int, int] = (10, 29)
    """fewest and most steps from spike to spike"""
    length: int = 150
    """steps of a train of spikes"""
    trains: int = 640
    """trains of spikes to train on, and as many to test on"""
    time_epochs: int = 20
    """passes over them"""
    batch_size: int = 32
    """trains of spikes a step"""
    learning_rate: float = 0.01
    """step size of Adam at the beginning; it falls to 0 along a cosine"""
    seeds: int = 10
    """how often each model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""


def main(config: Config) -> dict[str, Any]:
    """Train every cell on both tasks, print the table, and return it."""
    low, high = config.gaps
    names = {"Elman": Elman, "GRU": GRU, "LSTM": LSTM}
    table: dict[str, dict[str, Any]] = {}
    print(f"{'':<17}{f'counts up to n (learned: {config.longest})':<36}gaps of {low}-{high} steps told right")
    for name in config.models:
        cell = LSTMVariant(config.hidden, peephole=True) if "," in name else names[name](config.hidden)
        table[name] = {"counts": train_to_count(config, cell), "times": train_to_time(config, cell)}
        print(f"{name:<17}{show(table[name]['counts'], 0):<36}{show(table[name]['times'], 3)}", flush=True)
    table["baseline"] = {"counts": np.zeros(1), "times": np.full(1, 1 / (high - low + 1))}
    print(f"{'always b / a guess':<19}{'0':<34}{table['baseline']['times'][0]:.3f}")
    return to_plain(table)


def train_to_count(config: Config, cell: Any) -> np.ndarray:
    """Return for every seed the largest N such that all strings of n <= N are judged rightly."""
    train, test = count_strings(config.longest), count_strings(config.furthest)

    def member(key: Array, train: Arrays, test: Arrays) -> Array:
        state = fit(config, cell, key, train, config.count_epochs, config.longest, optax.sigmoid_binary_cross_entropy)
        wrong = (test.y >= 0) & ((forward(state, test.x)[..., 0] > 0) != (test.y > 0.5))
        return jnp.cumprod(~wrong.any(axis=1)).sum()

    return run_population(member, jax.random.split(jax.random.key(config.seed), config.seeds), train, test)


def train_to_time(config: Config, cell: Any) -> np.ndarray:
    """Return for every seed the share of spikes at which the gap, rounded to whole steps, is right."""

    def member(key: Array) -> Array:
        key_train, key_test, key_weights = jax.random.split(key, 3)
        train, test = spike_trains(config, key_train), spike_trains(config, key_test)
        state = fit(config, cell, key_weights, train, config.time_epochs, config.batch_size, lambda a, b: (a - b) ** 2)
        width = config.gaps[1] - config.gaps[0]
        right = jnp.abs(forward(state, test.x)[..., 0] - test.y) * width < 0.5
        return jnp.sum(right & (test.y >= 0)) / jnp.sum(test.y >= 0)

    return run_population(member, jax.random.split(jax.random.key(config.seed), config.seeds))


def fit(config: Config, cell: Any, key: Array, data: Arrays, epochs: int, batch_size: int, loss: Any) -> Any:
    """Train on targets (B, T), of which only those >= 0 count; return the state."""

    def mean_of_counted(outputs: Array, y: Array) -> Array:
        counted = y >= 0  # (B, T, 1), as the outputs
        return jnp.sum(jnp.where(counted, loss(outputs, y), 0), axis=(1, 2)) / jnp.sum(counted, axis=(1, 2))

    steps = updates_in(epochs, len(data), batch_size)
    adam = optax.adam(optax.cosine_decay_schedule(config.learning_rate, steps))
    model = Recurrent((cell,), readout="all", head=ClassificationHead(1))
    state = create_state(model, optax.chain(optax.clip_by_global_norm(1.0), adam), key, data.x[:1])
    return make_run(make_train_step(mean_of_counted), epochs=epochs, batch_size=batch_size)(state, data)[0]


def count_strings(longest: int) -> Arrays:
    """Return a^n b^n for n = 1 ... longest one-hot (n, 2 longest, 2); after each b 0, after the last 1, else -1."""
    n, t = np.arange(1, longest + 1)[:, None], np.arange(2 * longest)[None]
    x = np.stack([t < n, (t >= n) & (t < 2 * n)], axis=-1).astype(np.float32)
    return Arrays(x, np.where(x[..., 1] > 0, t == 2 * n - 1, -1).astype(np.float32))


def spike_trains(config: Config, key: Array) -> Arrays:
    """Draw trains of spikes (B, T, 1); at every spike but the first the gap before it, scaled to 0 ... 1, else -1."""
    low, high = config.gaps
    gaps = jax.random.randint(key, (config.trains, -(-config.length // low)), low, high + 1)
    at, rows = jnp.cumsum(gaps, axis=1) - low, jnp.arange(config.trains)[:, None]
    x = jnp.zeros((config.trains, config.length)).at[rows, at].set(1.0, mode="drop")
    y = jnp.full_like(x, -1.0).at[rows, at[:, 1:]].set((gaps[:, 1:] - low) / (high - low), mode="drop")
    return Arrays(x[..., None], y)


def show(each: np.ndarray, digits: int) -> str:
    spread = f" ± {each.std(ddof=1):.{digits}f}" if len(each) > 1 else ""
    return f"{each.mean():.{digits}f}{spread}, {each.min():.{digits}f} - {each.max():.{digits}f}"


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
