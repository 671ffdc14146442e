"""The leaves of a pytree by name, written and read by orbax; typed keys as their numbers."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def named_leaves(tree: Any) -> dict[str, Any]:
    """Return the leaves of a pytree by their paths: arrays, keys or shapes.

    Raises:
      TypeError: naming a leaf that is no array.

    >>> list(named_leaves({"a": [np.ones(2), 3.0]}))
    ["['a'][0]", "['a'][1]"]
    """
    leaves = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path) or "."
        array = leaf if hasattr(leaf, "shape") and hasattr(leaf, "dtype") else np.asarray(leaf)
        if getattr(array.dtype, "kind", "V") in "OSUmM":
            raise TypeError(f"{name} is a {type(leaf).__name__}, which no checkpoint keeps: keep it in about")
        leaves[name] = array
    return leaves


def saved_leaves(leaves: Mapping[str, Any]) -> dict[str, tuple[list[int], str]]:
    """Return shape and dtype by name, as they are kept beside the arrays; that of a key is for instance key<fry>.

    >>> saved_leaves({"key": jax.random.key(0), "w": np.ones((2, 3))})
    {'key': ([], 'key<fry>'), 'w': ([2, 3], 'float64')}
    """
    return {name: (list(leaf.shape), str(leaf.dtype)) for name, leaf in leaves.items()}


def write_arrays(path: Path, leaves: Mapping[str, Any]) -> None:
    """Write leaves with orbax; when this returns, they are written.

    Raises:
      OSError: if they cannot be, the disk being full for instance.
    """
    ocp = _orbax()

    arrays = {name: array for name, leaf in leaves.items() if (array := _plain(leaf)).size}  # orbax refuses empty ones
    if not arrays:
        path.mkdir()
        return
    try:
        with (
            _quiet(),
            ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer,
        ):  # waits, unlike asynchronous ones
            checkpointer.save(path.absolute(), arrays)
    except OSError:
        raise
    except Exception as error:  # what tensorstore raises is a ValueError
        number = re.search(r"os_error_code='(\d+)'", str(error))
        text = str(error).split("[os_error_code")[0].rsplit(": ", 1)[-1].strip() if number else str(error)
        raise OSError(int(number[1]) if number else 0, text) from error


def read_arrays(path: Path, saved: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Read what `write_arrays` wrote, by name; keys as their numbers, none of what is empty.

    Args:
      path: what was written to.
      saved: shape and dtype by name.
    """
    ocp = _orbax()

    names = [name for name, (shape, _) in saved.items() if 0 not in shape]
    if not names:
        return {}
    with _quiet(), ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        as_numpy = {name: ocp.RestoreArgs(restore_type=np.ndarray) for name in names}
        found = checkpointer.restore(path.absolute(), args=ocp.args.PyTreeRestore(restore_args=as_numpy))
    return found


def like_saved(like: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Return a pytree of the structure of another with other leaves: NumPy's where it has them, else JAX's."""
    leaves = [_as(leaf, arrays.get(name)) for name, leaf in named_leaves(like).items()]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _as(leaf: Any, array: np.ndarray | None) -> Any:
    if array is None:
        return np.empty(leaf.shape, leaf.dtype) if _is_numpy(leaf) else jnp.empty(leaf.shape, leaf.dtype)
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        like = jnp.zeros((), leaf.dtype)
        return jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(like))
    return array if _is_numpy(leaf) else jnp.asarray(array)


def _is_numpy(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray | np.generic)


def _plain(leaf: Any) -> np.ndarray:
    is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.device_get(jax.random.key_data(leaf) if is_key else leaf))


def _orbax() -> Any:
    """Import orbax, which takes half a second."""
    with _quiet():
        import orbax.checkpoint
    return orbax.checkpoint


@contextmanager
def _quiet() -> Iterator[None]:
    """Let orbax log nothing: neither the traceback of each thread in which a write failed, for the error is raised too,
    nor anything else, for which absl would give all programs of this process a handler.
    """
    log, nothing = logging.getLogger("absl"), logging.NullHandler()
    level = log.level
    log.setLevel(logging.CRITICAL)
    logging.root.addHandler(nothing)
    try:
        yield
    finally:
        logging.root.removeHandler(nothing)
        log.setLevel(level)
