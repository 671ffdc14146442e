"""What a flax network is made of, read off while it is built: no number is computed."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from seqvision.training import call_model


class Call(NamedTuple):
    """One module that ran."""

    path: str
    module: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def calls(model: nn.Module, shape: tuple[int, ...], *kinds: type) -> list[Call]:
    """Return every module of these kinds that runs in training, in its order, on one example of a shape."""
    seen = []

    def spy(call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext) -> Any:
        outputs = call(*args, **kwargs)
        if context.method_name == "__call__" and isinstance(context.module, kinds):
            seen.append(Call("/".join(context.module.path), context.module, args[0].shape, outputs.shape))
        return outputs

    def run(x):
        variables = model.init(jax.random.key(0), x)
        options = {"rngs": {"dropout": jax.random.key(1)}, "mutable": ["batch_stats"]}
        with nn.intercept_methods(spy):
            return call_model(model.apply, variables, x, train=True, **options)

    jax.eval_shape(run, jnp.zeros((1, *shape)))
    return seen
