"""Names of a room that are imported when they are first used."""

import ast
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any


def late_imports(room: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a room; see PEP 562.

    What the room's file imports under ``if TYPE_CHECKING:`` stands there for who reads or checks it, and is imported, a
    file at a time, when a program uses it. A name must not be that of a file beside it as well: the file would take its
    place as soon as anyone imports it.

    Args:
      room: ``__name__`` of the package.
    """
    module = sys.modules[room]

    def find(name: str) -> Any:
        if name not in late_names(room):
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value = getattr(import_module(late_names(room)[name], room), name)
        setattr(module, name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(module), *module.__all__})

    return find, names


@cache
def late_names(room: str) -> dict[str, str]:
    """Return the names that a room imports under ``if TYPE_CHECKING:``, each with the module that has it.

    >>> late_names("seqvision.data")["read_series"]
    'seqvision.data.series.read_series'
    """
    loader: Any = sys.modules[room].__loader__
    source = loader.get_source(room)
    if source is None:
        raise ImportError(f"{room} is there without its source, which says where its names come from")
    blocks = [node.body for node in ast.parse(source).body if isinstance(node, ast.If)]
    found = [node for block in blocks for node in block if isinstance(node, ast.ImportFrom)]
    return {alias.name: "." * node.level + (node.module or "") for node in found for alias in node.names}
