"""Variables of any structure as arrays by their paths, and back into that structure."""

from collections.abc import Mapping
from typing import Any

import jax


def leaves_by_path(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Return {'a/b/c': leaf} of dicts, tuples, NamedTuples and what else is a pytree; None is no leaf.

    Raises:
      ValueError: for a name that is empty or has a '/'.

    >>> leaves_by_path({"dense": {"kernel": 1, "more": (2, None)}}, "params/")
    {'params/dense/kernel': 1, 'params/dense/more/0': 2}
    """
    found = {}
    for keys, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        names = [str(_name(key)) for key in keys]
        for name in names:
            if not name or "/" in name:
                raise ValueError(f"parameter name {name!r} in {'/'.join(names)!r}: use a text without '/'")
        found[prefix + "/".join(names)] = leaf
    return found


def tree_like(tree: Any, leaves: Mapping[str, Any], prefix: str = "") -> Any:
    """Return the leaves in the structure of a tree.

    >>> tree_like({"dense": (0, None)}, {"dense/0": 7})
    {'dense': (7, None)}
    """
    return jax.tree.unflatten(jax.tree.structure(tree), [leaves[path] for path in leaves_by_path(tree, prefix)])


def _name(key: Any) -> Any:
    """Return what a step of a path is called: key, attribute or index."""
    for attribute in ("key", "name", "idx"):
        if hasattr(key, attribute):
            return getattr(key, attribute)
    return key
