"""A trained forecaster with the weights of all its seeds, run by programs of few sizes."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from seqvision._compilation import Program, kept_on_disk

BLOCK, LARGE_BLOCK = 16, 1024  # windows in one call: a program for each size, and many forecasters need the first alone
STEPS = 64  # of a free run in one call, at most


class Forecaster:
    """A model from windows (B, T, D) to forecasts (B, horizon, K), with the variables of every seed.

    Forecasts at once and free runs go by the same program, and so do judging and predicting: it takes a block of
    windows and a number of steps, and is kept on disk. Blocks that are not full are filled up on the host.

    Args:
      model: any flax module.
      variables: what it is applied with, one tree a seed.
      horizon: steps that it forecasts.
      targets: K; where they are all D columns, forecasts are fed back.
    """

    def __init__(self, model: nn.Module, variables: Sequence[Mapping[str, Any]], horizon: int, targets: int):
        stacked = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *variables)
        self._variables = jax.device_put(stacked)
        self._seeds, self._horizon, self._targets = len(variables), horizon, targets
        self._program = _program(model, horizon, targets)

    def prepare(self, length: int, columns: int) -> None:
        """Compile the program of `BLOCK` windows (length, columns) in the background."""
        with kept_on_disk():
            shape = (self._seeds, BLOCK, length, columns)
            self._program.prepare(self._variables, jax.ShapeDtypeStruct(shape, jnp.float32), np.int32(0))

    def forecast(self, windows: np.ndarray) -> np.ndarray:
        """Return the forecasts (S, B, horizon, K) from windows (B, T, D)."""
        return self._in_blocks(windows, lambda block: self._call(block, 1)[2])

    def run_freely(self, histories: np.ndarray, steps: int) -> np.ndarray:
        """Return the paths (S, O, steps, K) from histories (O, T, D), each step fed by those before it.

        Of a horizon above 1 the first step is used, as by `seqvision.seq2seq.free_run`.
        """

        def paths(block: Any) -> Any:
            parts = []
            for first in range(0, steps, STEPS):
                count = min(STEPS, steps - first)
                block, path, _ = self._call(block, count)
                parts.append(path)
            return np.concatenate([np.asarray(part) for part in parts], axis=2)[:, :, :steps]

        return self._in_blocks(histories, paths)

    def _in_blocks(self, windows: np.ndarray, run: Any) -> np.ndarray:
        found = []
        for first, count, size in _blocks(len(windows)):
            block = np.asarray(windows[first : first + count], np.float32)
            block = np.pad(block, ((0, size - count), (0, 0), (0, 0)), mode="edge")
            found.append((run(np.broadcast_to(block, (self._seeds, *block.shape))), count))
        return np.concatenate([np.asarray(part)[:, :count] for part, count in found], axis=1)

    def _call(self, block: Any, steps: int) -> Any:
        return self._program.call(kept_on_disk, self._variables, block, np.int32(steps))


def _blocks(rows: int) -> Iterator[tuple[int, int, int]]:
    """Divide rows into blocks: (first row, rows, rows with those that fill it up).

    >>> list(_blocks(20)), list(_blocks(1500))
    ([(0, 16, 16), (16, 4, 16)], [(0, 1024, 1024), ...])
    """
    first = 0
    while first < rows:
        size = LARGE_BLOCK if rows - first > LARGE_BLOCK // 2 else BLOCK
        yield first, min(size, rows - first), size
        first += size


@lru_cache(maxsize=64)
def _program(model: nn.Module, horizon: int, targets: int) -> Program:
    def run(variables: Any, windows: jax.Array, steps: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return windows (S, B, T, D), paths (S, B, STEPS, D) and forecasts (S, B, horizon, K) after the steps."""
        return jax.vmap(lambda v, w: _of_seed(v, w, steps))(variables, windows)

    def _of_seed(variables: Any, windows: jax.Array, steps: jax.Array) -> Any:
        def step(n: jax.Array, carry: Any) -> Any:
            windows, paths, _ = carry
            outputs: Any = model.apply(variables, windows)
            outputs = outputs.astype(windows.dtype)
            if targets == windows.shape[-1]:
                paths = jax.lax.dynamic_update_slice_in_dim(paths, outputs[:, :1], n, axis=1)
                windows = jnp.concatenate([windows[:, 1:], outputs[:, :1]], axis=1)
            return windows, paths, outputs

        rows, _, columns = windows.shape
        paths, outputs = (jnp.zeros((rows, *shape), windows.dtype) for shape in ((STEPS, columns), (horizon, targets)))
        return jax.lax.fori_loop(np.int32(0), steps, step, (windows, paths, outputs))

    return Program(run)
