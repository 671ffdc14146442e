"""The training state: flax's TrainState with batch statistics and a key; how its model is called."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct
from flax.training import train_state
from jax import Array

from .arguments import check_model, resolve_key
from .initial import Initial
from .optimizers import OptimizerName, resolve_optimizer


class TrainState(train_state.TrainState):
    """Step count, parameters and optimizer state of flax's TrainState, plus batch statistics and the run's key."""

    batch_stats: Any  # the model's "batch_stats" collection, {} if it has none
    key: Array  # every random draw of training is fold_in(key, ...)
    input_axes: Any = struct.field(pytree_node=False, default=None)  # `InputAxes` of the example; None: not known


class MaskError(TypeError):
    """A mask is no array of bools."""


@dataclass(frozen=True)
class InputAxes:
    """How many axes the inputs have that a model was made for, batch axis included; their shapes, to say in errors."""

    structure: Any
    axes: tuple[int, ...]
    shapes: str = field(default="", compare=False)
    examples: tuple[jax.ShapeDtypeStruct, ...] = field(default=(), compare=False)

    @staticmethod
    def of(x: Any) -> "InputAxes":
        """Return those of an input; a mask beside it counts not."""
        leaves, structure = jax.tree.flatten(_beside(x)[0])
        examples = tuple(jax.ShapeDtypeStruct((1, *jnp.shape(leaf)[1:]), jnp.result_type(leaf)) for leaf in leaves)
        return InputAxes(structure, tuple(jnp.ndim(leaf) for leaf in leaves), _shapes(leaves), examples)

    @property
    def example(self) -> Any:
        """Shapes and dtypes of a batch of one."""
        return jax.tree.unflatten(self.structure, self.examples)

    def check(self, x: Any, owner: str) -> None:
        """Refuse inputs with fewer axes: that of the batch is missing, or that of the channels."""
        given = InputAxes.of(x)
        structure, axes = given.structure, given.axes
        if structure != self.structure or all(n >= m for n, m in zip(axes, self.axes, strict=True)):
            return
        got = ", ".join(str(jnp.shape(leaf)) for leaf in jax.tree.leaves(_beside(x)[0]))
        raise ValueError(
            f"{owner}: the model was made for inputs of {', '.join(map(str, self.axes))} axes, the first that of the "
            f"examples, got {got}: one example is x[None], one channel x[..., None]"
        )

    def explain(self, x: Any, owner: str, error: Exception) -> None:
        """Raise an error for inputs that the model cannot read, if they differ from those that it was made for."""
        given = InputAxes.of(x)
        made = f"but the model was made for x {self.shapes}"
        if given.structure != self.structure:
            raise ValueError(
                f"{owner}: data is a {type(x).__name__} of x {given.shapes}, {made}: give inputs alone, "
                "without targets, in the structure of training"
            ) from error
        if given.shapes != self.shapes:
            raise ValueError(
                f"{owner}: x is {given.shapes}, {made}: give the features that it was trained on, in their order"
            ) from error


def _shapes(leaves: Any) -> str:
    return ", ".join(f"(N{''.join(f', {n}' for n in jnp.shape(leaf)[1:])})" for leaf in leaves)


def create_state(
    model: nn.Module, optimizer: optax.GradientTransformation | OptimizerName, key: Array | int, example_x: Any
) -> TrainState:
    """Initialize a model and its optimizer in one jitted call.

    Equal models share one compilation; an optimizer counts as equal only if it is the same object.

    Args:
      model: any flax.linen module; ``train=`` is passed where its call takes it.
      optimizer: an optax transformation, or a name, see `fit`.
      key: a JAX key, or a seed.
      example_x: an input with its batch axis; only shapes and dtypes matter. With a mask it is a pair (x, mask) or a
        dict of "x" and "mask", as in `fit`.

    Raises:
      TypeError: for what is no model, optimizer or key.
      ValueError: if the model keeps variables other than params and batch_stats.

    >>> state = create_state(nn.Dense(2), optax.sgd(0.1), jax.random.key(0), jax.numpy.ones((1, 3)))
    >>> state.params["kernel"].shape
    (3, 2)
    """
    model, optimizer, key = check_model(model), resolve_optimizer(optimizer), resolve_key(key)
    example_x = jax.tree.map(jnp.asarray, example_x)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((key, example_x))):
        return _init(model, optimizer, key, example_x)  # inside a caller's jit or vmap
    return _initial(Static(model), optimizer)(key, example_x)


def state_shapes(model: nn.Module, optimizer: optax.GradientTransformation, key: Array, example_x: Any) -> TrainState:
    """Return what `create_state` returns, as shapes and dtypes."""
    return _initial(Static(model), optimizer).shapes(key, example_x)


def _init(model, optimizer, key, example_x):
    init_key, dropout_key, train_key = jax.random.split(key, 3)
    variables = call_model(model.init, {"params": init_key, "dropout": dropout_key}, example_x, train=False)
    unknown = sorted(set(variables) - {"params", "batch_stats"})
    if unknown:
        raise ValueError(
            f"{type(model).__name__} keeps the collections {unknown}; training carries params and batch_stats: "
            "sow values instead of keeping them, or train with a step of your own"
        )
    params = variables.get("params", {})
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        apply_fn=model.apply,
        params=params,
        tx=optimizer,
        opt_state=optimizer.init(params),
        batch_stats=variables.get("batch_stats", {}),
        key=train_key,
        input_axes=InputAxes.of(example_x),
    )


def training_key(key: Array) -> Array:
    """Return the key that `create_state` hands to training."""
    return jax.random.split(key, 3)[2]


@lru_cache(maxsize=64)
def _initial(static: "Static", optimizer: optax.GradientTransformation) -> Initial:
    return Initial(lambda key, x: _init(static.model, optimizer, key, x))


class Static:
    """A module as a static argument: equal by value, or by identity if a field (a list, say) has no hash."""

    def __init__(self, model: nn.Module):
        self.model = model
        try:
            hash(model)
            self.token: Any = model
        except TypeError:
            self.token = id(model)

    def __hash__(self) -> int:
        return hash(self.token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and type(self.token) is type(other.token) and self.token == other.token


def call_model(method: Callable, variables: Any, x: Any, *, train: bool, **options: Any) -> Any:
    """Call ``model.init`` or ``model.apply``, with ``train`` only where the module's ``__call__`` takes it.

    Inputs that are a dict of "x" and other arguments of the call, or a pair (x, mask) with a bool mask, are taken
    apart where the call takes those arguments by name.
    """
    if _takes(method, "train", any_keyword=True):
        options["train"] = train
    inputs, beside = _beside(x)
    if type(x) is tuple and len(x) == 2 and not beside and _takes(method, "mask"):
        shape, mask = getattr(x[0], "shape", ()), getattr(x[1], "shape", ())
        if mask and mask == shape[:2]:
            raise MaskError(f"mask must be bool, got {x[1].dtype}: write mask.astype(bool)")
    if beside and all(_takes(method, name) for name in beside):
        return method(variables, inputs, **beside, **options)
    if beside and not _may_take_trees(method):
        model = type(getattr(method, "__self__", method)).__name__
        raise TypeError(
            f"{model} takes no {' and no '.join(beside)} beside x: give x alone, or a model whose __call__ has the "
            "argument, such as seqvision.models.Recurrent"
        )
    return method(variables, x, **options)


def _beside(x: Any) -> tuple[Any, dict[str, Any]]:
    """Take what stands beside the inputs apart from them: a mask, or other arguments of the model's call."""
    if isinstance(x, Mapping) and "x" in x:
        return x["x"], {name: part for name, part in x.items() if name != "x"}
    if type(x) is tuple and len(x) == 2 and getattr(x[1], "dtype", None) == np.bool_:
        return x[0], {"mask": x[1]}
    return x, {}


def _may_take_trees(method: Callable) -> bool:
    """Whether a model may read a pair or a dict as a whole: those of a user's own alone."""
    module = getattr(method, "__self__", None)
    if isinstance(module, nn.Sequential) and module.layers:
        first = module.layers[0]
        return _may_take_trees(first.__call__) if isinstance(first, nn.Module) else True
    return not type(module).__module__.startswith(("flax.linen", "seqvision.models"))


def _takes(method: Callable, name: str, any_keyword: bool = False) -> bool:
    module = getattr(method, "__self__", None)
    if isinstance(module, nn.Sequential):  # hands its keywords to its first layer
        first = module.layers[0] if module.layers else None
        if first is None:
            return False
        return _takes(first.__call__ if isinstance(first, nn.Module) else first, name, any_keyword)
    call = type(module).__call__ if isinstance(module, nn.Module) else method
    parameters = inspect.signature(call).parameters.values()
    return any(p.name == name or (any_keyword and p.kind is inspect.Parameter.VAR_KEYWORD) for p in parameters)
