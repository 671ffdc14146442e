"""What the checks of ``check_cell`` share: what to try a cell with, a slow twin of ``unroll``, how to compare."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seqvision.cells import unroll

PyTree = Any


@dataclass(frozen=True, eq=False)
class Trial:
    """One cell with float64 parameters and the sizes it is tried with."""

    cell: Any
    params: PyTree
    event: tuple[int, ...]  # the shape of one input
    length: int
    batch_shapes: tuple[tuple[int, ...], ...]
    seed: int
    tolerance: float
    run: Any = field(init=False)  # unroll(params, xs, state=..., ...), compiled once for each shape

    def __post_init__(self):
        run = partial(unroll, self.cell, method="scan")
        object.__setattr__(self, "run", jax.jit(run, static_argnames="reverse"))

    def inputs(self, *shape: int, seed: int = 0) -> jax.Array:
        """Return random inputs (*shape, *event)."""
        rng = np.random.default_rng((self.seed, seed))
        return jnp.asarray(rng.normal(size=(*shape, *self.event)))

    def state(self, batch: tuple[int, ...]) -> PyTree:
        """Return a state that is not the initial one: two steps further."""
        state = self.cell.initial_state(self.params, batch)
        for t in range(2):
            state, _ = self.cell.step(self.params, state, self.inputs(*batch, seed=100 + t))
        return state

    def flags(self, *shape: int) -> tuple[jax.Array, jax.Array]:
        """Return a mask with holes and resets, some of them on masked steps."""
        rng = np.random.default_rng((self.seed, 7))
        mask, reset = rng.random(shape) < 0.7, rng.random(shape) < 0.3
        mask[..., 0], mask[..., 1] = True, False
        reset[..., 0], reset[..., 1] = False, rng.random(shape[:-1]) < 0.5
        return jnp.asarray(mask), jnp.asarray(reset)

    def slowly(self, xs, state, mask=None, reset=None, reverse=False) -> tuple[PyTree, jax.Array]:
        """Unroll by Python loops and ifs over examples and steps, with no batch axis at all."""
        batch = xs.shape[: -len(self.event) - 1]
        length = xs.shape[len(batch)]
        finals, outputs = [], []
        for example in np.ndindex(batch):
            now = jax.tree.map(lambda leaf, example=example: leaf[example], state)
            ys: list[Any] = [None] * length
            for t in reversed(range(length)) if reverse else range(length):
                if reset is not None and reset[(*example, t)]:
                    now = self.cell.initial_state(self.params, ())
                new, y = self.cell.step(self.params, now, xs[(*example, t)])
                held = mask is not None and not mask[(*example, t)]
                ys[t], now = (jnp.zeros_like(y), now) if held else (y, new)
            finals.append(now)
            outputs.append(jnp.stack(ys))

        def gather(*leaves):
            return jnp.stack(leaves).reshape(batch + leaves[0].shape)

        return jax.tree.map(gather, *finals), gather(*outputs)

    def close(self, what: str, got: PyTree, expected: PyTree) -> None:
        """Compare two trees leaf by leaf."""
        same_structure(what, got, expected)
        for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(got), jax.tree.leaves(expected), strict=True):
            name = what + jax.tree_util.keystr(path)
            assert jnp.shape(a) == jnp.shape(b), f"{name}: shape {jnp.shape(a)} against {jnp.shape(b)}"
            a, b = _numbers(a), _numbers(b)
            bad = ~(np.abs(a - b) <= self.tolerance * (1.0 + np.abs(b)))  # NaN is bad
            if bad.any():
                at = tuple(int(i) for i in np.argwhere(bad)[0])
                raise AssertionError(
                    f"{name} of shape {a.shape}: {bad.sum()} of {bad.size} entries differ, "
                    f"first at {at}: {a[at]} against {b[at]}"
                )


def same_structure(what: str, got: PyTree, expected: PyTree) -> None:
    """Compare the structures of two trees."""
    ours, theirs = str(jax.tree.structure(got)), str(jax.tree.structure(expected))
    assert ours == theirs, f"{what}: structure {ours} against {theirs}"


def cast(tree: PyTree, dtype) -> PyTree:
    """Cast the floating-point leaves of a tree."""

    def one(leaf):
        leaf = jnp.asarray(leaf)
        return leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree.map(one, tree)


def _numbers(leaf) -> np.ndarray:
    if leaf.dtype == jax.dtypes.float0:  # the gradient of an integer
        return np.zeros(leaf.shape)
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf, np.complex128 if jnp.iscomplexobj(leaf) else np.float64)
