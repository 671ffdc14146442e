"""How large a model is, told without computing any of it."""

from typing import Any

import flax.linen as nn
import jax


def parameter_count(model: nn.Module, example: Any) -> int:
    """Return how many numbers are trained.

    Args:
      model: any flax.linen module.
      example: an input with its batch axis, or its `jax.ShapeDtypeStruct`; only shapes and dtypes matter.

    >>> parameter_count(nn.Dense(3), jax.ShapeDtypeStruct((1, 2), "float32"))
    9
    """
    return sum(leaf.size for leaf in jax.tree.leaves(variable_shapes(model, example).get("params", {})))


def variable_shapes(model: nn.Module, example: Any) -> dict[str, Any]:
    """Return the shapes and dtypes of a model's variables.

    Args:
      model: any flax.linen module.
      example: an input with its batch axis, or its `jax.ShapeDtypeStruct`; only shapes and dtypes matter.

    >>> variable_shapes(nn.Dense(3), jax.ShapeDtypeStruct((1, 2), "float32"))["params"]["kernel"].shape
    (2, 3)
    """
    return jax.eval_shape(model.init, jax.random.key(0), example)
