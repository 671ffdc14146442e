"""From a description and weights to a model that answers: every value looked at, every leaf compared."""

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, get_args

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from seqvision._checks import shown
from seqvision.cells import Method, available_methods
from seqvision.saving.building import build_module
from seqvision.saving.fields import read_fields
from seqvision.saving.saved_model import SavedModel, check_outputs
from seqvision.saving.trees import leaves_by_path, tree_like
from seqvision.storage import describe_leaves, leaf_differences
from seqvision.training import TrainState, create_state, forward

logger = logging.getLogger(__name__)

SCHEMA = 1  # of description.json; a change that older versions cannot read is a new number
_LONGEST = 1 << 20  # an axis, or a number in a module, that is longer must be that of a weight
_CALLS = 20_000  # of modules in one model


def restore(told: Any, weights: Mapping[str, Any], *, where: str, model: nn.Module | None = None) -> SavedModel:
    """Return the model that is described, with its weights.

    Args:
      told: what description.json holds.
      weights: path -> array, such as "seed_0/params/dense/kernel".
      where: the file, for errors.
      model: the module, where it is not to be built from its description.

    Raises:
      ValueError: naming the file or the leaf, if anything is not as it must be.
    """
    leaves = describe_leaves(weights)
    try:
        fields = read_fields(told)
        made = build_module(_at_home(_bounded(told["module"], leaves), where)) if model is None else model
        if not isinstance(made, nn.Module):
            raise ValueError(f"module is {shown(made)}, no flax module")
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"{where} does not describe a model: {_text(error)}") from error
    seeds = fields.pop("seeds")
    if seeds > max(1, len(leaves)):
        raise ValueError(f"{where} tells of {seeds} seeds, but there are {len(leaves)} arrays")
    wide = [name for name, (_, dtype) in sorted(leaves.items()) if str(jax.dtypes.canonicalize_dtype(dtype)) != dtype]
    if wide:
        raise ValueError(
            f"{where}: {wide[0]} is {leaves[wide[0]][1]}, which jax has after jax.config.update('jax_enable_x64', True)"
        )
    shapes, outputs = _shapes(made, fields["example"], where, own=model is not None)
    expected = leaves_by_path({f"seed_{number}": _variables(shapes) for number in range(seeds)})
    problems = leaf_differences(weights, describe_leaves(expected))
    if problems:
        listed = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise ValueError(f"{where}: the weights do not fit the model {type(made).__name__}: {listed}")
    states = tuple(_state(shapes, weights, f"seed_{number}/") for number in range(seeds))
    saved = SavedModel(model=getattr(states[0].apply_fn, "__self__", made), states=states, **fields)
    try:
        check_outputs(saved, outputs)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return saved


def _shapes(model: nn.Module, example: Any, where: str, *, own: bool) -> tuple[TrainState, Any]:
    """Return the state and the outputs of a model as shapes; nothing is computed."""
    try:
        shapes = _known_shapes if _hashable((model, example)) else _known_shapes.__wrapped__
        return shapes(model, example, jax.dtypes.canonicalize_dtype(float))
    except Exception as error:
        what = f"the model given, {type(model).__name__}," if own else "the model described"
        raise ValueError(f"{where}: {what} cannot read inputs of {shown(example)}: {_text(error)}") from error


@lru_cache(maxsize=64)
def _known_shapes(model: nn.Module, example: Any, widest: Any) -> tuple[TrainState, Any]:
    """Return the shapes; equal models that are loaded again are the first one, and share its compiled programs.

    What is widest, float32 or float64, says which shapes those are that jax makes at the time.
    """

    def run(key: Any, x: Any) -> tuple[TrainState, Any]:
        state = create_state(model, optax.identity(), key, x)
        return state, forward(state, x)

    with nn.intercept_methods(_counted()):
        return jax.eval_shape(run, jax.random.key(0), example)


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _counted() -> Callable[..., Any]:
    """Return an interceptor that ends a model which would never be done."""
    left = [_CALLS]

    def count(call: Callable[..., Any], args: Any, kwargs: Any, context: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise ValueError(f"the model has more than {_CALLS} calls of modules")
        return call(*args, **kwargs)

    return count


def _state(shapes: TrainState, weights: Mapping[str, Any], prefix: str) -> TrainState:
    trees = tree_like(_variables(shapes), weights, prefix)
    trees = {"batch_stats": {}, **jax.tree.map(jnp.asarray, trees)}
    return shapes.replace(step=jnp.zeros((), jnp.int32), opt_state=(), key=jax.random.key(0), **trees)


def _variables(state: TrainState) -> dict[str, Any]:
    return {"params": state.params} | ({"batch_stats": state.batch_stats} if state.batch_stats else {})


def _at_home(module: Any, where: str) -> Any:
    """Return a description in which ways to run a recurrence that this device does not have are left to "auto"."""
    if isinstance(module, list):
        return [_at_home(part, where) for part in module]
    if not isinstance(module, dict):
        return module
    module = {name: _at_home(part, where) for name, part in module.items()}
    if "class" not in module and module.get("method") in set(get_args(Method)) - {"auto", *available_methods()}:
        logger.warning(
            f'{where}: method="{module["method"]}" is not for {jax.default_backend()}: "auto" runs in its place, the '
            "same to rounding"
        )
        module["method"] = "auto"
    return module


def _bounded(module: Any, leaves: Mapping[str, tuple[tuple[int, ...], str]]) -> Any:
    """Refuse numbers in a module that are larger than any axis of its weights, and than most that there are."""
    longest = max([_LONGEST, *(n for shape, _ in leaves.values() for n in shape)])
    stack = [module]
    while stack:
        value = stack.pop()
        if isinstance(value, dict | list):
            stack.extend(value.values() if isinstance(value, dict) else value)
        elif isinstance(value, int) and abs(value) > longest:
            raise ValueError(f"module has the number {shown(value, 40)}, beyond {longest}")
    return module


def _text(error: BaseException) -> str:
    text = str(error).splitlines()
    head = text[0][:300] if text else ""
    return f"it lacks {head}" if isinstance(error, KeyError) else head or type(error).__name__
