"""Look inside any flax module while it computes: outputs of its layers, and gradients with respect to them."""

from typing import Any

import flax.linen as nn
import jax
import numpy as np
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


def is_image(y: Any) -> bool:
    """Say whether an output of a layer has the axes (B, h, w, C)."""
    return getattr(y, "ndim", 0) == 4


def pick_layer(named: dict[str, Any], layer: str | None) -> str:
    """Return the name of a layer that gives images (B, h, w, C) and is called once; by default the last such.

    Raises:
      ValueError: if there is none of that name; the error lists those there are.
    """
    fit = [name for name, y in named.items() if is_image(y) and " (" not in name and f"{name} (2)" not in named]
    if layer is None and fit:
        return fit[-1]
    if layer not in fit:
        wanted = "the model has no layer" if layer is None else f"layer {layer!r} is none"
        raise ValueError(f"{wanted} that is called once and gives (B, h, w, C); there are {fit}")
    return layer


def check_classes(classes: Any, shape: tuple[int, ...]) -> None:
    """Refuse outputs that are no scores (B, C), and classes that are not among them.

    Raises:
      ValueError: naming the shape or the classes.
    """
    if len(shape) != 2:
        raise ValueError(f"the model must give scores (B, C), got shape {shape}")
    if classes is None:
        return
    chosen = np.asarray(classes)
    if chosen.dtype.kind not in "iu" or chosen.shape not in ((), shape[:1]):
        raise ValueError(f"classes must be one integer or one for each of {shape[0]} images, got {classes!r}")
    if chosen.min() < 0 or chosen.max() >= shape[1]:
        raise ValueError(f"classes must lie in [0, {shape[1]}), got {classes!r}")


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
