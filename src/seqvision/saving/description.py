"""A flax module as JSON: classes and functions by registered names, everything else by value.

Numbers, texts, None and tuples stand for themselves (a tuple is a JSON list); what JSON has no word for is an object
with a key that says what it is. A module that stands in two places, and so shares its parameters, is told once.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from seqvision._checks import shown
from seqvision.saving.registry import dtype_name, initializer_call, names_of

Description = dict[str, Any]


class UndescribableError(ValueError):
    """A module has a part without a registered name.

    Args:
      path: the field.
      what: what it is.
    """

    def __init__(self, path: str, what: str):
        self.reason = f"{path} is {what}"
        super().__init__(
            f"{self.reason}: use a name of seqvision.activations, or keep the weights alone and give the module when "
            "loading, load_model(path, model=…)"
        )


def describe_module(model: nn.Module) -> Description:
    """Return a flax module, or a cell, as values of JSON.

    Args:
      model: made of the modules and cells of this library and flax's layers, with fields of numbers, texts, None,
        tuples, lists, dicts, dtypes, named functions and initializers.

    Raises:
      UndescribableError: naming the field, for a class of your own, or a function without a name.

    >>> describe_module(nn.Sequential([nn.Dense(3, use_bias=False)]))["fields"]["layers"]["list"][0]["class"]
    'flax.Dense'
    """
    if not _is_part(model):
        raise TypeError(
            f"model must be a flax module, such as seqvision.models.Recurrent((LSTM(8),)), got {shown(model)}"
        )
    if isinstance(model, nn.Module) and model.scope is not None:
        raise ValueError(f"{type(model).__name__} is bound to variables: give the module itself, model.unbind()[0]")
    return _Describer().part(model, type(model).__name__)


def _is_part(value: Any) -> bool:
    return isinstance(value, nn.Module) or id(type(value)) in names_of("classes")


class _Describer:
    """One walk through a module; modules are numbered in the order in which they are met."""

    def __init__(self) -> None:
        self.met: dict[int, int] = {}

    def part(self, thing: Any, path: str) -> Description:
        """Describe a module or a cell."""
        if isinstance(thing, nn.Module):
            if id(thing) in self.met:
                return {"same": self.met[id(thing)]}
            self.met[id(thing)] = len(self.met)
        name = names_of("classes").get(id(type(thing)))
        if name is None:
            raise UndescribableError(path, f"of the class {type(thing).__qualname__}, which the library has not")
        fields = {}
        for field in dataclasses.fields(thing):
            value = getattr(thing, field.name)
            if not field.init or field.name == "parent" or (field.name == "name" and value is None):
                continue
            if callable(value) and value is field.default and id(value) not in names_of("functions"):
                continue  # initial weights and the like, as the class has them
            fields[field.name] = self.value(value, f"{path}.{field.name}")
        return {"class": name, "fields": fields}

    def value(self, value: Any, path: str) -> Any:
        """Describe any value of a field."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, jax.lax.Precision):
            return {"precision": value.name}
        if _is_part(value):
            return self.part(value, path)
        if dtype := dtype_name(value):
            return {dtype[0]: dtype[1]}
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            items = [self.value(item, f"{path}[{n}]") for n, item in enumerate(value)]
            return {"list": items} if isinstance(value, list) else items
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return {"dict": {key: self.value(item, f"{path}[{key!r}]") for key, item in value.items()}}
        if callable(value):
            return self.function(value, path)
        raise UndescribableError(path, f"{shown(value, 80)}, which JSON cannot hold")

    def function(self, value: Callable[..., Any], path: str) -> Description:
        """Describe a function by its name."""
        if (name := names_of("functions").get(id(value))) is not None:
            return {"function": name}
        if isinstance(value, functools.partial) and not value.args:
            inner = self.value(value.func, path)
            return {"partial": inner, "keywords": self.keywords(value.keywords, path)}
        if (call := initializer_call(value)) is not None:
            return {"initializer": call[0]} | ({} if call[1] is None else {"keywords": self.keywords(call[1], path)})
        what = f"the function {getattr(value, '__qualname__', type(value).__qualname__)}, which has no registered name"
        raise UndescribableError(path, what)

    def keywords(self, values: Mapping[str, Any], path: str) -> Description:
        return {name: self.value(value, f"{path}({name})") for name, value in values.items()}
