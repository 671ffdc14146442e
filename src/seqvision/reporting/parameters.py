"""Parameters as one .npz file: path -> array, never pickled, restored only where every leaf fits."""

import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

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
            if not isinstance(node, dict):
                break
        if not isinstance(node, dict) or name in node:
            raise ValueError(f"{path!r} lies in another leaf, or another lies in it")
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
        raw = path.open("rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"no parameters at {path}: did the run finish?") from None
    with raw:
        try:
            leaves = _read_leaves(raw, path.stat().st_size)
            tree = unflatten_leaves(leaves)
        except Exception as error:  # of a damaged file zipfile and numpy raise almost anything
            text = str(error) or type(error).__name__
            raise ValueError(f"{path} is damaged ({text}): train again, or restore the file from a copy") from error
    if expected is not None:
        problems = _differences(leaves, flatten_expected(expected))
        if problems:
            listed = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
            raise ValueError(f"{path} does not fit the model: {listed}")
    return tree


def flatten_expected(tree: Mapping[str, Any], prefix: str = "") -> dict[str, tuple[tuple[int, ...], str]]:
    """Return {'a/b/c': (shape, dtype)} of nested mappings of anything that has both."""
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= flatten_expected(value, f"{prefix}{key}/")
        else:
            found[f"{prefix}{key}"] = (tuple(value.shape), str(value.dtype))
    return found


def _read_leaves(raw: BinaryIO, size: int) -> Leaves:
    """Read arrays that are stored as they are, each after its header: none claims more than the file holds."""
    leaves: Leaves = {}
    with zipfile.ZipFile(raw) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > size:
            raise ValueError("its members claim more than the file holds")
        for member in members:
            name = member.filename.removesuffix(".npy")
            if member.compress_type != zipfile.ZIP_STORED or name == member.filename or name in leaves:
                raise ValueError(f"{member.filename!r} is no array of its own that is stored as it is")
            with archive.open(member) as file:
                leaves[name] = _read_array(file, member.file_size)
    return leaves


def _read_array(file: Any, size: int) -> NDArray[Any]:
    version = np.lib.format.read_magic(file)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, fortran, dtype = read_header(file)
    count = math.prod(shape)
    if dtype.kind not in "biufc" or count * dtype.itemsize != size - file.tell() or min(shape, default=0) < 0:
        raise ValueError(f"{dtype}{shape} is not what {size} bytes hold")
    array = np.frombuffer(bytearray(file.read()), dtype, count)
    return array.reshape(shape, order="F" if fortran else "C")


def _differences(leaves: Leaves, expected: Mapping[str, tuple[tuple[int, ...], str]]) -> list[str]:
    problems = [f"{name} is missing" for name in sorted(expected.keys() - leaves.keys())]
    problems += [f"{name} is not a leaf of the model" for name in sorted(leaves.keys() - expected.keys())]
    for name in sorted(expected.keys() & leaves.keys()):
        saved, wanted = (leaves[name].shape, str(leaves[name].dtype)), expected[name]
        if saved != wanted:
            problems.append(f"{name} is {saved[1]}{saved[0]}, expected {wanted[1]}{wanted[0]}")
    return problems
