"""What an argument may be, said once: each check names the argument, its value and what would do instead.

``owner`` is the function or class that the error is reported for, left out where the argument's name says enough.
"""

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
        raise ValueError(f"{_of(owner)}{name} must be an int {bounds}, got {value!r}")
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
    if value not in choices:
        raise ValueError(f"{_of(owner)}{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")


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
        number = float("nan") if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if number != number or not all(holds(number, bound) for _, bound, holds in given):
        wanted = " and ".join(f"{sign} {bound}" for sign, bound, _ in given)
        raise ValueError(f"{_of(owner)}{name} must be a number {wanted}".rstrip() + f", got {value!r}")
    return number


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" if a known word is near, else the list of them.

    >>> did_you_mean("epoch", ["epochs", "seed"])
    '; did you mean epochs?'
    """
    near = difflib.get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else f": there are {', '.join(sorted(known))}"


def _of(owner: str) -> str:
    return f"{owner}: " if owner else ""
