"""How a flax module that may or may not take ``train=`` is called."""

import inspect
from collections.abc import Callable
from typing import Any

import flax.linen as nn


def call_model(method: Callable, variables: Any, x: Any, *, train: bool, **options: Any) -> Any:
    """Call ``model.init`` or ``model.apply``, with ``train`` only where the module's ``__call__`` takes it."""
    if _takes_train(method):
        options["train"] = train
    return method(variables, x, **options)


def model_variables(model: nn.Module, variables: Any) -> tuple[Any, Any]:
    """Split a module's variables into (params, batch_stats) and refuse what training would drop."""
    unknown = sorted(set(variables) - {"params", "batch_stats"})
    if unknown:
        raise ValueError(
            f"{type(model).__name__} keeps the collections {unknown}; training carries params and batch_stats: "
            "sow values instead of keeping them, or train with a step of your own"
        )
    return variables.get("params", {}), variables.get("batch_stats", {})


def _takes_train(method: Callable) -> bool:
    module = getattr(method, "__self__", None)
    if isinstance(module, nn.Sequential):  # hands its keywords to its first layer
        first = module.layers[0] if module.layers else None
        return first is not None and _takes_train(first.__call__ if isinstance(first, nn.Module) else first)
    call = type(module).__call__ if isinstance(module, nn.Module) else method
    parameters = inspect.signature(call).parameters.values()
    return any(p.name == "train" or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
