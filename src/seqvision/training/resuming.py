"""Going on from a state: the model, the optimizer and the key of the new call count, or an error says what to do."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
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
      ValueError: if the state's weights are not the model's, or its optimizer's memory has another form or is that of
        another rule, as Adam's mean of squares is not Adamax's largest gradient.
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
        had, wants = (list(_rules(tx, state.params)) for tx in (state.tx, optimizer))
        if had and had != wants:
            raise ValueError(
                "state does not go with what fit is given: the memory of its optimizer is that of "
                f"{', '.join(had)}, and the optimizer given is {', '.join(wants)}: {remedy}"
            )
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


def _rules(part: Any, params: Any, within: tuple[int, ...] = ()) -> Iterator[str]:
    """Yield the names of the rules with a memory that an optimizer is made of, whatever their rates are.

    A rule is told by the function that makes its memory, found among what the optimizer's ``init`` encloses.
    """
    if id(part) in within:
        return
    inner: Iterable[Any] = ()
    if isinstance(part, Mapping):
        inner = part.values()
    elif callable(getattr(part, "init", None)) and callable(getattr(part, "update", None)):
        inner = (part.init,)
    elif isinstance(part, list | tuple):
        inner = part
    elif isinstance(part, functools.partial):
        inner = (part.func, part.args, part.keywords)
    elif inspect.ismethod(part):
        inner = (part.__func__, getattr(part.__self__, "__dict__", {}))
    elif hasattr(part, "__wrapped__"):
        inner = (part.__wrapped__,)
    elif inspect.isfunction(part):
        inner = [content for cell in part.__closure__ or () for content in _contents(cell)]
        if _remembers(part, params):
            yield part.__qualname__.split(".<locals>")[0]
    for each in inner:
        yield from _rules(each, params, (*within, id(part)))


def _contents(cell: Any) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # a name that is never set
        return ()


def _remembers(function: Callable, params: Any) -> bool:
    """Whether a function is a rule of optax by its name, or an ``init`` that makes a memory of parameters."""
    if "init" not in function.__name__:
        return "<" not in function.__qualname__ and function.__module__.startswith("optax")
    try:
        return bool(jax.tree.leaves(jax.eval_shape(function, params)))
    except Exception:
        return True
