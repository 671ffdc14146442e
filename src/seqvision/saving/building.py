"""From the JSON of a module to the module: names are looked up in tables, and nothing is imported or run by them."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from seqvision._checks import did_you_mean, shown
from seqvision.saving.registry import CLASSES, DTYPES, FUNCTIONS, INITIALIZERS

_DEEPEST = 60  # modules in modules


def build_module(description: Any) -> Any:
    """Return what `describe_module` described: an equal module.

    Nothing is imported or run that the description could name: classes and functions are looked up in a table.

    Raises:
      ValueError: for what is no description, or names what there is not.

    >>> from seqvision.saving import describe_module
    >>> build_module(describe_module(nn.Dense(3))) == nn.Dense(3)
    True
    """
    return _Builder().value(description, "module", 0)


class _Builder:
    """One walk through a description."""

    def __init__(self) -> None:
        self.met: list[Any] = []

    def value(self, told: Any, path: str, depth: int) -> Any:
        """Return the value that was described."""
        if depth > _DEEPEST:
            raise ValueError(f"{path[:80]}… lies more than {_DEEPEST} deep")
        if told is None or isinstance(told, bool | int | str | float):
            return told
        if isinstance(told, list):
            return tuple(self.value(item, f"{path}[{n}]", depth + 1) for n, item in enumerate(told))
        keys = set(told) if isinstance(told, dict) else set()
        for kind, others in _KINDS.items():
            if kind in keys and keys <= {kind, *others}:
                return getattr(self, f"_{kind}")(told, path, depth + 1)
        raise ValueError(f"{path} is {shown(told, 80)}, which is no part of a description")

    def _class(self, told: Any, path: str, depth: int) -> Any:
        cls = _look_up(CLASSES, told["class"], "class", path)
        module = issubclass(cls, nn.Module)
        place = len(self.met)
        if module:
            self.met.append(None)
        fields = self.mapping(told.get("fields"), path, depth)
        known = {field.name for field in dataclasses.fields(cls) if field.init} - {"parent"}
        if unknown := sorted(fields.keys() - known):
            raise ValueError(f"{path}: {told['class']} has no field {unknown[0]!r}{did_you_mean(unknown[0], known)}")
        try:
            made = cls(**fields)
        except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"{path}: {told['class']} cannot be made so ({error})") from error
        if module:
            self.met[place] = made
        return made

    def _same(self, told: Any, path: str, depth: int) -> Any:
        number = told["same"]
        if type(number) is not int or not 0 <= number < len(self.met) or self.met[number] is None:
            raise ValueError(f"{path} is the module number {shown(number)}, which was not told before")
        return self.met[number]

    def _list(self, told: Any, path: str, depth: int) -> Any:
        if not isinstance(told["list"], list):
            raise ValueError(f"{path} is no list")
        return list(self.value(told["list"], path, depth))

    def _dict(self, told: Any, path: str, depth: int) -> Any:
        return self.mapping(told["dict"], path, depth)

    def _function(self, told: Any, path: str, depth: int) -> Any:
        return _look_up(FUNCTIONS, told["function"], "function", path)

    def _partial(self, told: Any, path: str, depth: int) -> Any:
        function = self.value(told["partial"], path, depth)
        if not callable(function):
            raise ValueError(f"{path} is no function")
        return functools.partial(function, **self.mapping(told.get("keywords"), path, depth))

    def _initializer(self, told: Any, path: str, depth: int) -> Any:
        made = _look_up(INITIALIZERS, told["initializer"], "initializer", path)
        if "keywords" not in told:
            return made
        try:
            return made(**self.mapping(told["keywords"], path, depth))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: {told['initializer']} cannot be made so ({error})") from error

    def _dtype(self, told: Any, path: str, depth: int) -> Any:
        return np.dtype(_look_up(DTYPES, told["dtype"], "dtype", path))

    def _scalar_type(self, told: Any, path: str, depth: int) -> Any:
        return _look_up(DTYPES, told["scalar_type"], "dtype", path)

    def _precision(self, told: Any, path: str, depth: int) -> Any:
        return _look_up({each.name: each for each in jax.lax.Precision}, told["precision"], "precision", path)

    def _float(self, told: Any, path: str, depth: int) -> Any:
        return _look_up({name: float(name) for name in ("nan", "inf", "-inf")}, told["float"], "number", path)

    def mapping(self, told: Any, path: str, depth: int) -> dict[str, Any]:
        if not isinstance(told, dict):
            raise ValueError(f"{path} has {shown(told, 80)} where there should be names and values")
        return {name: self.value(value, f"{path}.{name}", depth) for name, value in told.items()}


# What an object of a description is, by the key that it has, and what else it may hold.
_KINDS: dict[str, tuple[str, ...]] = {
    "class": ("fields",),
    "same": (),
    "list": (),
    "dict": (),
    "function": (),
    "partial": ("keywords",),
    "initializer": ("keywords",),
    "dtype": (),
    "scalar_type": (),
    "precision": (),
    "float": (),
}


def _look_up(table: Mapping[str, Any], name: Any, kind: str, path: str) -> Any:
    if not isinstance(name, str) or name not in table:
        raise ValueError(f"{path} names the {kind} {shown(name, 80)}, which this version of seqvision does not have")
    return table[name]
