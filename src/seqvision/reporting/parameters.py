"""Parameters as one .npz file: path -> array, never pickled, restored only where every leaf fits."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Leaves = dict[str, NDArray[Any]]


def flatten_leaves(tree: Mapping[str, Any], prefix: str = "") -> Leaves:
    """Return nested mappings of arrays as {'a/b/c': array}.

    >>> flatten_leaves({"dense": {"kernel": np.ones((2, 3))}})["dense/kernel"].shape
    (2, 3)
    """
    leaves: Leaves = {}
    for key, value in tree.items():
        if not isinstance(key, str) or not key or "/" in key:
            raise ValueError(f"parameter name {key!r} under {prefix or 'the root'!r}: use a text without '/'")
        if isinstance(value, Mapping):
            leaves |= flatten_leaves(value, f"{prefix}{key}/")
        else:
            array = np.asarray(value)
            if array.dtype.kind not in "biufc":
                raise TypeError(f"{prefix}{key} has dtype {array.dtype}, which .npz cannot hold: cast it to float32")
            leaves[f"{prefix}{key}"] = array
    return leaves


def unflatten_leaves(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Return {'a/b/c': array} as nested dicts.

    >>> unflatten_leaves({"dense/kernel": 1, "dense/bias": 2})
    {'dense': {'kernel': 1, 'bias': 2}}
    """
    tree: dict[str, Any] = {}
    for path, value in leaves.items():
        *parents, name = path.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = value
    return tree


def save_parameters(path: str | os.PathLike[str], tree: Mapping[str, Any]) -> None:
    """Write nested mappings of arrays; the file appears whole or not at all.

    Args:
      path: ends in .npz.
      tree: for instance ``{"GRU": {"seed_0": {"params": …}}}``.
    """
    path = Path(path)
    leaves = flatten_leaves(tree)
    temporary = path.with_name(path.name + ".partial")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **leaves)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_parameters(path: str | os.PathLike[str], expected: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Read what ``save_parameters`` wrote, and refuse it unless it has exactly the expected leaves.

    Args:
      path: the .npz file.
      expected: nested mappings of anything with shape and dtype (arrays, or ``jax.eval_shape`` of an init); None takes
        the file as it is.

    Returns:
      Nested dicts of NumPy arrays.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if the file is damaged (every array has a checksum), or naming each leaf that is missing, unexpected
        or of another shape or dtype.
    """
    path = Path(path)
    try:
        # Opened here: of a damaged file np.load would leave its own open.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            leaves = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise FileNotFoundError(f"no parameters at {path}: did the run finish?") from None
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise ValueError(f"{path} is damaged ({error}): train again, or restore the file from a copy") from error
    if expected is not None:
        problems = _differences(leaves, flatten_expected(expected))
        if problems:
            listed = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
            raise ValueError(f"{path} does not fit the model: {listed}")
    return unflatten_leaves(leaves)


def flatten_expected(tree: Mapping[str, Any], prefix: str = "") -> dict[str, tuple[tuple[int, ...], str]]:
    """Return {'a/b/c': (shape, dtype)} of nested mappings of anything that has both."""
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= flatten_expected(value, f"{prefix}{key}/")
        else:
            found[f"{prefix}{key}"] = (tuple(value.shape), str(value.dtype))
    return found


def _differences(leaves: Leaves, expected: Mapping[str, tuple[tuple[int, ...], str]]) -> list[str]:
    problems = [f"{name} is missing" for name in sorted(expected.keys() - leaves.keys())]
    problems += [f"{name} is not a leaf of the model" for name in sorted(leaves.keys() - expected.keys())]
    for name in sorted(expected.keys() & leaves.keys()):
        saved, wanted = (leaves[name].shape, str(leaves[name].dtype)), expected[name]
        if saved != wanted:
            problems.append(f"{name} is {saved[1]}{saved[0]}, expected {wanted[1]}{wanted[0]}")
    return problems
