"""What an argument may be, said once: each check names the argument, its value and what would do instead.

``owner`` is the function or class that the error is reported for, left out where the argument's name says enough.
"""

import dataclasses
import difflib
import operator
from collections.abc import Collection, Iterable
from typing import Any


def check_count(name: str, value: Any, *, owner: str = "", least: int = 1, below: int | None = None) -> int:
    """Return an int >= ``least``, and < ``below``, of Python or NumPy as an int of Python; True and False are none.

    >>> check_count("epochs", 0)
    Traceback (most recent call last):
    ValueError: epochs must be an int >= 1, got 0
    """
    if not is_int(value) or operator.index(value) < least or (below is not None and operator.index(value) >= below):
        bounds = f">= {least}" if below is None else f">= {least} and < {below}"
        raise ValueError(f"{_of(owner)}{name} must be an int {bounds}, got {shown(value)}")
    return operator.index(value)


def is_int(value: Any) -> bool:
    """Whether a value is an int of Python or NumPy; True and False are none.

    >>> is_int(2), is_int(2.0), is_int(True)
    (True, False, False)
    """
    try:
        operator.index(value)
    except TypeError:
        return False
    return not isinstance(value, bool)


def check_choice(name: str, value: Any, choices: Collection[Any], *, owner: str = "") -> None:
    """Refuse what is not one of a few values.

    >>> check_choice("kind", "maximum", ("minmax", "standard"))
    Traceback (most recent call last):
    ValueError: kind must be one of 'minmax', 'standard', got 'maximum'
    """
    if getattr(value, "shape", ()) or value not in choices:
        raise ValueError(f"{_of(owner)}{name} must be one of {', '.join(map(repr, choices))}, got {shown(value)}")


def check_flag(name: str, value: Any, *, owner: str = "") -> None:
    """Refuse what is neither True nor False: "no" would count as True, and 0 can be meant as a number.

    >>> check_flag("reverse", "no")
    Traceback (most recent call last):
    TypeError: reverse must be True or False, got 'no'
    """
    if not isinstance(value, bool) and type(value).__name__ not in ("bool", "bool_"):  # NumPy's, which is not loaded
        raise TypeError(f"{_of(owner)}{name} must be True or False, got {shown(value)}")


def check_flags(thing: Any) -> None:
    """Check every field of a dataclass that its annotation says to be a bool, or a bool or None."""
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if field.type in (bool, "bool") or (field.type in (bool | None, "bool | None") and value is not None):
            check_flag(field.name, value, owner=type(thing).__name__)


def check_number(
    name: str,
    value: Any,
    *,
    owner: str = "",
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> float:
    """Return a real number within bounds as a float: least <= value <= most, above < value < below.

    >>> check_number("rate", 1.0, least=0, below=1)
    Traceback (most recent call last):
    ValueError: rate must be a number >= 0 and < 1, got 1.0
    """
    bounds = (
        (">=", least, operator.ge),
        (">", above, operator.gt),
        ("<=", most, operator.le),
        ("<", below, operator.lt),
    )
    given = [(sign, bound, holds) for sign, bound, holds in bounds if bound is not None]
    try:
        no_number = isinstance(value, bool | str | bytes) or getattr(value, "ndim", 0) > 0 or hasattr(value, "mask")
        number = float("nan") if no_number else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if number != number or not all(holds(number, bound) for _, bound, holds in given):
        wanted = " and ".join(f"{sign} {bound}" for sign, bound, _ in given)
        raise ValueError(f"{_of(owner)}{name} must be a number {wanted}".rstrip() + f", got {shown(value)}")
    return number


def shown(value: Any, most: int = 200) -> str:
    """Return a value as errors show it: an array by its shape, what is long cut.

    >>> shown("no"), shown([0] * 100, most=9)
    ("'no'", '[0, 0, 0,…')
    """
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape and dtype is not None:
        return f"an array {tuple(shape)} of {dtype}"
    if hasattr(value, "_fields"):
        parts = (f"{name}={shown(part, most)}" for name, part in zip(value._fields, value, strict=True))
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, list | tuple) and _arrays(value):
        text = f"a {type(value).__name__} of {', '.join(shown(part, most) for part in value)}"
    elif isinstance(value, dict) and _arrays(value.values()):
        text = f"a dict of {', '.join(f'{name!r}: {shown(part, most)}' for name, part in value.items())}"
    else:
        text = repr(value)
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]}…"


def _arrays(parts: Iterable[Any]) -> bool:
    return any(hasattr(part, "dtype") for part in parts)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number of things in words.

    >>> counted(1, "seed"), counted(1200, "seed"), counted(2, "class", "classes")
    ('1 seed', '1,200 seeds', '2 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" if a known word is near, else the list of them.

    >>> did_you_mean("epoch", ["epochs", "seed"])
    '; did you mean epochs?'
    """
    near = difflib.get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else f": there are {', '.join(sorted(known))}"


def _of(owner: str) -> str:
    return f"{owner}: " if owner else ""
