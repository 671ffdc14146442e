"""Arrays by their paths in one .safetensors file: never pickled, restored only where every leaf fits."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from safetensors import deserialize
from safetensors.numpy import save_file

Leaves = dict[str, NDArray[Any]]
Expected = dict[str, tuple[tuple[int, ...], str]]  # path -> (shape, dtype)

# The names that .safetensors has for the dtypes of arrays.
CODES = {
    "BOOL": "bool",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "U8": "uint8",
    "U16": "uint16",
    "U32": "uint32",
    "U64": "uint64",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "C64": "complex64",
}


def flatten_leaves(tree: Mapping[str, Any], prefix: str = "") -> Leaves:
    """Return nested mappings of arrays as {'a/b/c': array}.

    Raises:
      ValueError: for a name that is no text, or has a '/'.
      TypeError: for a dtype that .safetensors does not have.

    >>> flatten_leaves({"dense": {"kernel": np.ones((2, 3))}})["dense/kernel"].shape
    (2, 3)
    """
    leaves: Leaves = {}
    for key, value in tree.items():
        if not isinstance(key, str) or not key or "/" in key or key == "__metadata__":
            raise ValueError(f"parameter name {key!r} under {prefix or 'the root'!r}: use a text without '/'")
        if isinstance(value, Mapping):
            leaves |= flatten_leaves(value, f"{prefix}{key}/")
        else:
            dtype = value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype
            if dtype.name not in CODES.values():
                raise TypeError(f"{prefix}{key} has dtype {dtype}, which .safetensors lacks: cast it, e.g. to float32")
            leaves[f"{prefix}{key}"] = np.asarray(value)
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


def save_weights(path: str | os.PathLike[str], tree: Mapping[str, Any]) -> None:
    """Write nested mappings of arrays; the file appears whole or not at all.

    The file is read by any reader of safetensors; beside the arrays it holds a SHA-256 of them.

    Args:
      path: ends in .safetensors.
      tree: for instance ``{"seed_0": {"params": …}}``; every dtype is kept, bfloat16 too.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_weights(Path(folder, "weights.safetensors"), {"dense": {"bias": jnp.ones(2, jnp.bfloat16)}})
    ...     load_weights(Path(folder, "weights.safetensors"))
    {'dense': {'bias': array([1, 1], dtype=bfloat16)}}
    """
    path = Path(path)
    leaves = {name: _in_order(array) for name, array in flatten_leaves(tree).items()}
    temporary = path.with_name(path.name + ".partial")
    try:
        save_file(leaves, temporary, metadata={"sha256": _digest(leaves)})
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_weights(path: str | os.PathLike[str], expected: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Read what ``save_weights`` wrote, and refuse it unless it has exactly the expected leaves.

    Args:
      path: the .safetensors file.
      expected: nested mappings of anything with shape and dtype (arrays, or ``jax.eval_shape`` of an init); None takes
        the file as it is.

    Returns:
      Nested dicts of NumPy arrays.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if the file is damaged, or naming each leaf that is missing, unexpected or of another shape or dtype.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"no weights at {path}: did the run finish?") from None
    try:
        leaves = _read_leaves(content)
        tree = unflatten_leaves(leaves)
    except Exception as error:  # safetensors has an error of its own; a header may hold anything
        text = str(error) or type(error).__name__
        raise ValueError(f"{path} is damaged ({text:.300}): train again, or restore the file from a copy") from error
    if expected is not None:
        problems = leaf_differences(leaves, describe_leaves(expected))
        if problems:
            listed = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
            raise ValueError(f"{path} does not fit the model: {listed}")
    return tree


def describe_leaves(tree: Mapping[str, Any], prefix: str = "") -> Expected:
    """Return {'a/b/c': (shape, dtype)} of nested mappings of anything that has both.

    >>> describe_leaves({"dense": {"bias": np.ones(2, np.float32)}})
    {'dense/bias': ((2,), 'float32')}
    """
    found: Expected = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= describe_leaves(value, f"{prefix}{key}/")
        else:
            found[f"{prefix}{key}"] = (tuple(value.shape), str(value.dtype))
    return found


def leaf_differences(leaves: Mapping[str, Any], expected: Expected) -> list[str]:
    """Return a text for each leaf that is missing, unexpected or of another shape or dtype.

    >>> leaf_differences({"w": np.ones(2, np.float32)}, {"w": ((3,), "float32"), "b": ((1,), "float32")})
    ['b is missing', 'w is float32(2,), expected float32(3,)']
    """
    problems = [f"{name} is missing" for name in sorted(expected.keys() - leaves.keys())]
    problems += [f"{name} is not a leaf of the model" for name in sorted(leaves.keys() - expected.keys())]
    for name in sorted(expected.keys() & leaves.keys()):
        saved, wanted = (tuple(leaves[name].shape), str(leaves[name].dtype)), expected[name]
        if saved != wanted:
            problems.append(f"{name} is {saved[1]}{saved[0]}, expected {wanted[1]}{wanted[0]}")
    return problems


def _read_leaves(content: bytes) -> Leaves:
    """Read arrays by their header, of which safetensors has made sure that it claims what the file holds."""
    leaves: Leaves = {}
    for name, told in deserialize(content):
        data = told["data"]
        data = bytearray(data) if isinstance(data, bytes) else data  # arrays that may be written to
        leaves[name] = np.frombuffer(data, jnp.dtype(CODES[told["dtype"]])).reshape(told["shape"])
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    own = header.get("__metadata__", {}).get("sha256")
    if own is not None and own != _digest(leaves):
        raise ValueError("its arrays are not those that were written, says its SHA-256")
    return leaves


def _in_order(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array row by row, its bytes in the order of the file."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _digest(leaves: Leaves) -> str:
    digest = hashlib.sha256()
    for name in sorted(leaves):
        array = leaves[name]
        digest.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
