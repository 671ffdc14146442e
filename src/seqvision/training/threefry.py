"""JAX's random bits in NumPy: the same numbers, without a program to compile."""

from typing import Any

import jax
import numpy as np
from jax import Array


def is_threefry(key: Array) -> bool:
    """Whether a key draws as JAX's keys do by default, which is what is written down here."""
    partitionable = getattr(jax.config, "jax_threefry_partitionable", True)
    return bool(partitionable) and str(jax.random.key_impl(key)) == "threefry2x32"


def fold_in(key: Any, number: Any) -> np.ndarray:
    """Return `jax.random.fold_in`: of keys (2, ...) and numbers (...) uint32, (2, ...).

    It is also what `jax.random.split` has at that place.

    >>> folded = jax.random.fold_in(jax.random.key(5), 3)
    >>> bool((jax.random.key_data(folded) == fold_in(np.array([0, 5], np.uint32), np.uint32(3))).all())
    True
    """
    return _hash(key, np.zeros_like(number), number)


def bits(key: Any, size: int) -> np.ndarray:
    """Return `jax.random.bits` (..., size) uint32, of keys (2, ..., 1) or (2,).

    >>> bool((jax.random.bits(jax.random.key(5), (4,)) == bits(np.array([0, 5], np.uint32), 4)).all())
    True
    """
    high, low = _hash(key, np.uint32(0), np.arange(size, dtype=np.uint32))
    return high ^ low


def _hash(key: Any, high: Any, low: Any) -> np.ndarray:
    """Return the two words (2, ...) that 20 rounds of Threefry-2x32 make of a counter (Salmon et al. 2011)."""
    keys = (key[0], key[1], key[0] ^ key[1] ^ np.uint32(0x1BD11BDA))
    with np.errstate(over="ignore"):  # words wrap around
        a, b = np.add(high, keys[0]), np.add(low, keys[1])
        for group in range(5):
            for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[group % 2]:
                a = a + b
                b = a ^ (b << np.uint32(turn) | b >> np.uint32(32 - turn))
            a = a + keys[(group + 1) % 3]
            b = b + keys[(group + 2) % 3] + np.uint32(group + 1)
    return np.stack(np.broadcast_arrays(a, b))
