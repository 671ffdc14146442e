"""Optimizers by name, and which parameters decay."""

import inspect
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import optax

from seqvision._checks import shown

_NO_WEIGHTS = {
    "bias",
    "b",
    "b_n",
    "b_c",
    "b_out",
    "b_start",
    "scale",
    "scale_x",
    "scale_h",
    "scale_c",
    "coefficient",
    "start",
} | {f"{name}_log" for name in ("nu", "theta", "gamma")}


def decay_mask(params: Any) -> Any:
    """Tell weights, which decay, from biases, the scales of norms and learned starts, which do not.

    By name: ``bias``, ``scale``, ``b``, ``b_n`` and the like never decay, however many axes of members of a population
    they have. What else has two axes or more decays.

    For optax: ``optax.adamw(1e-3, weight_decay=0.01, mask=decay_mask)``, or before another rule
    ``optax.chain(optax.add_decayed_weights(5e-4, mask=decay_mask), optax.sgd(0.1, momentum=0.9, nesterov=True))``.

    >>> decay_mask({"kernel": jnp.ones((3, 2)), "bias": jnp.ones(2)})
    {'bias': False, 'kernel': True}
    """

    def decays(path: Any, leaf: Any) -> bool:
        names = {getattr(key, "name", getattr(key, "key", None)) for key in path}
        return jnp.ndim(leaf) >= 2 and not names & _NO_WEIGHTS

    return jax.tree_util.tree_map_with_path(decays, params)


OptimizerName = Literal["adam", "adamw", "rmsprop", "sgd"]

# With the learning rates that Keras has by default; made once, so that a name is the same object again.
_OPTIMIZERS: dict[str, optax.GradientTransformation] = {
    "adam": optax.adam(1e-3),
    "adamw": optax.adamw(1e-3, weight_decay=4e-3, mask=decay_mask),
    "rmsprop": optax.rmsprop(1e-3),
    "sgd": optax.sgd(1e-2),
}


def resolve_optimizer(optimizer: Any) -> optax.GradientTransformation:
    """Return the optax transformation that is given, or the one of a name.

    "adam", "adamw" (weight decay 0.004, biases and norms go free) and "rmsprop" have the learning rate 0.001, "sgd"
    0.01, as in Keras.

    >>> resolve_optimizer("adam") is resolve_optimizer("adam")
    True
    """
    if isinstance(optimizer, str) and optimizer.lower() in _OPTIMIZERS:
        return _OPTIMIZERS[optimizer.lower()]
    if callable(getattr(optimizer, "init", None)) and callable(getattr(optimizer, "update", None)):
        return optimizer
    if inspect.isfunction(optimizer) and optimizer.__module__.startswith("optax"):
        raise TypeError(f"optimizer must be made: write optax.{optimizer.__name__}(learning_rate)")
    names = ", ".join(map(repr, get_args(OptimizerName)))
    raise TypeError(
        "optimizer must be an optax transformation, such as optax.adam(1e-3), or one of "
        f"{names}, got {shown(optimizer)}"
    )
