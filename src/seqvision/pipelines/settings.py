"""What the value of a setting may be: its type says it, and a wrong one is named before anything is read."""

import dataclasses
import math
import os
import types
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from seqvision._checks import check_choice, is_int


def check_settings(settings: Any) -> None:
    """Take lists for tuples, one text for a tuple of it and paths for texts; refuse every other wrong type.

    Numbers are finite, and True and False are none.

    Args:
      settings: a frozen dataclass, whose fields may be changed in place.

    Raises:
      ValueError: naming field and value.

    >>> from seqvision.pipelines.config import ForecastConfig
    >>> ForecastConfig(models="gru", hidden=8.5)
    Traceback (most recent call last):
    ValueError: hidden must be a whole number, got 8.5
    """
    owner: Any = type(settings)
    for name, kind in _types_of(owner).items():
        value = getattr(settings, name)
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if isinstance(value, list):
            value = tuple(value)
        choices = _choices(kind)
        if isinstance(value, str) and not any(_is(value, choice) for choice in choices):
            value = (value,) if any(get_origin(choice) is tuple for choice in choices) else value
        if not any(_is(value, choice) for choice in choices):
            if all(get_origin(choice) is Literal for choice in choices):
                check_choice(name, value, get_args(kind))
            wanted = " or ".join(dict.fromkeys(_words(choice) for choice in choices))
            raise ValueError(f"{name} must be {wanted}, got {value!r}")
        object.__setattr__(settings, name, value)


def check_finite(settings: Any) -> None:
    """Refuse a number of a dataclass that is not finite.

    >>> from types import SimpleNamespace
    >>> from seqvision.pipelines.config import SequenceConfig
    >>> check_finite(SequenceConfig())
    """
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{field.name} must be finite, got {value!r}")


@cache
def _types_of(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _choices(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(choice for part in get_args(kind) for choice in _choices(part))
    return (kind,)


def _is(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if get_origin(kind) is tuple:
        inner = _choices(get_args(kind)[0])
        return isinstance(value, tuple) and all(any(_is(item, choice) for choice in inner) for item in value)
    if kind is str:
        return isinstance(value, str) and "\0" not in value
    if kind is int:
        return is_int(value)
    if kind is float:
        return math.isfinite(value) if isinstance(value, float) else is_int(value) and abs(int(value)) < 2**63
    return isinstance(value, kind) if isinstance(kind, type) else True


def _words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(repr, get_args(kind)))
    if get_origin(kind) is tuple:
        return "several: " + " or ".join(_words(choice) for choice in _choices(get_args(kind)[0]))
    words = {str: "a text", int: "a whole number", float: "a finite number", bool: "True or False"}
    return words.get(kind, "None" if kind is type(None) else getattr(kind, "__name__", str(kind)))
