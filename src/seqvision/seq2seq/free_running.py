"""Forecast far beyond one step by feeding forecasts back, as one traceable scan."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_count
from seqvision._sharding import vary_alike


def free_run(apply: Callable[[Array], Array], history: Array, steps: int) -> Array:
    """Forecast ``steps`` rows from one origin: each forecast becomes the newest row of the next input.

    The model's targets must be its input columns, all of them and in their order. Of a model with a horizon above 1 the
    first step is used and fed back, so that its path compares with that of a one-step model. Pure and traceable: jit
    it, or vmap it over origins and seeds; pass parameters as arguments of the jitted function, not by closure.

    Args:
      apply: (1, T, D) -> (1, horizon, D), or (1, D).
      history: (T, D), the last window before the first forecast.
      steps: rows to forecast, >= 1.

    Returns:
      (steps, D), the scale of history.

    Raises:
      ValueError: if the outputs do not cover the input columns.

    >>> free_run(lambda x: x[:, -1:] + 1.0, jnp.zeros((3, 1)), steps=3)[:, 0]
    Array([1., 2., 3.], dtype=float32)
    """
    steps = check_count("steps", steps)
    if history.ndim != 2 or 0 in history.shape:
        raise ValueError(f"history must be (T, D) with T, D >= 1, got shape {history.shape}")
    columns = history.shape[1]
    outline = jax.eval_shape(lambda window: apply(window[None]), history)
    out = outline.shape
    if len(out) not in (2, 3) or out[0] != 1 or out[-1] != columns or 0 in out:
        raise ValueError(
            f"free_run feeds outputs back as inputs, so apply must give (1, horizon, {columns}) for the {columns} "
            f"input columns, got {out}: train a model whose targets are all its input columns"
        )

    def step(window: Array, _: None) -> tuple[Array, Array]:
        output = apply(window[None])
        row = (output[0, 0] if output.ndim == 3 else output[0]).astype(window.dtype)
        return jnp.concatenate([window[1:], row[None]]), row

    _, path = jax.lax.scan(step, vary_alike(history, outline), None, length=steps)
    return path
