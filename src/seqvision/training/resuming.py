"""Going on from a state: the model, the optimizer and the key of the new call count, or an error says what to do."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax import Array

from .state import TrainState, state_shapes, training_key


def resume(
    state: TrainState, model: nn.Module, optimizer: optax.GradientTransformation, key: Array, x: Any
) -> TrainState:
    """Return the state under this model, optimizer and key; the memory of an optimizer of the same form is kept.

    Args:
      state: what is gone on from.
      model, optimizer, key: as in `fit`.
      x: an input with its batch axis.

    Raises:
      TypeError: for what is no training state.
      ValueError: if the state's weights are not the model's, or its optimizer's memory has another form.
    """
    if not isinstance(state, TrainState):
        remedy = ": give its .state" if isinstance(getattr(state, "state", None), TrainState) else ""
        raise TypeError(f"state must be a TrainState, got {type(state).__name__}{remedy}")
    if state.input_axes is not None:
        state.input_axes.check(x, "fit")
    before = getattr(state.apply_fn, "__self__", None)
    if before is not model and (before is None or not _equal(before, model)):
        shapes = state_shapes(model, optimizer, key, x)
        for name in ("params", "batch_stats"):
            _check_same(
                name,
                getattr(state, name),
                getattr(shapes, name),
                "give the model that it was trained with, or no state",
            )
        state = state.replace(apply_fn=model.apply)
    if state.tx is not optimizer:
        memory = jax.eval_shape(optimizer.init, state.params)
        remedy = "start the optimizer anew by state=state.replace(tx=optimizer, opt_state=optimizer.init(state.params))"
        _check_same("the memory of its optimizer", state.opt_state, memory, remedy)
        state = state.replace(tx=optimizer)
    return state.replace(key=training_key(key))


def _equal(one: nn.Module, other: nn.Module) -> bool:
    try:
        return bool(one == other)
    except ValueError:  # fields with arrays
        return False


def _check_same(name: str, ours: Any, wanted: Any, remedy: str) -> None:
    """Refuse trees of another structure or with other shapes, naming the first that differs."""
    had, wants = (
        {jax.tree_util.keystr(path): jnp.shape(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}
        for tree in (ours, wanted)
    )
    if had == wants and jax.tree.structure(ours) == jax.tree.structure(wanted):  # type: ignore[operator]
        return
    where = next((key for key in (*wants, *had) if had.get(key) != wants.get(key)), "")
    what = f"{where} is {had.get(where)} and should be {wants.get(where)}" if where else "its rules are others"
    raise ValueError(f"state does not go with what fit is given: in {name}, {what}: {remedy}")
