"""Look inside any flax module while it computes: outputs of its layers, and gradients with respect to them."""

from typing import Any

import flax.linen as nn
import jax
from jax import Array

from seqvision.training import TrainState, call_model

_PERTURBATION = "seen"


def variables_of(state: TrainState) -> dict[str, Any]:
    """Return what the model is applied to at inference."""
    return {"params": state.params, **({"batch_stats": state.batch_stats} if state.batch_stats else {})}


def capture(
    state: TrainState, variables: Any, x: Any, changes: dict[str, Array] | None = None
) -> tuple[Any, dict[str, Any]]:
    """Return a model's outputs at inference and, by name, the output of each submodule in the order of their ends.

    What a module is given and hands on unchanged (dropout at inference) is not listed; outputs after the first of a
    module called several times are named "name (2)" and so on. ``changes`` are added to the outputs of the submodules
    that they name: gradients with respect to them are those with respect to the outputs.
    """
    order: list[tuple[str, ...]] = []

    def note(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
        y = call(*args, **kwargs)
        if context.method_name == "__call__" and not any(y is given for given in args):
            order.append(context.module.path)
            if changes and "/".join(context.module.path) in changes:
                y = context.module.perturb(_PERTURBATION, y)
        return y

    if changes:
        variables = {**variables, "perturbations": _nested(changes)}
    with nn.intercept_methods(note):
        outputs, kept = call_model(
            state.apply_fn, variables, x, train=False, capture_intermediates=True, mutable=["intermediates"]
        )
    named = {}
    for path in dict.fromkeys(path for path in order if path):
        for n, y in enumerate(_kept(kept.get("intermediates", {}), path), start=1):
            named["/".join(path) + (f" ({n})" if n > 1 else "")] = y
    return outputs, named


def layer_shapes(state: TrainState, x: Any) -> tuple[Any, dict[str, Any]]:
    """Return what ``capture`` returns, as shapes and dtypes; nothing is computed."""
    names: list[str] = []

    def shapes(variables: Any, x: Any) -> tuple[Any, list[Any]]:
        outputs, named = capture(state, variables, x)
        names[:] = named  # a dict that comes out of jax has its keys sorted
        return outputs, list(named.values())

    outputs, values = jax.eval_shape(shapes, variables_of(state), x)
    return outputs, dict(zip(names, values, strict=True))


def _nested(changes: dict[str, Array]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, change in changes.items():
        branch = tree
        for part in name.split("/"):
            branch = branch.setdefault(part, {})
        branch[_PERTURBATION] = change
    return tree


def _kept(tree: Any, path: tuple[str, ...]) -> tuple[Any, ...]:
    """Return what flax kept of a module's calls; nothing for modules inside a lifted scan, which drops it."""
    for name in (*path, "__call__"):
        tree = tree.get(name, {})
    return tree or ()
