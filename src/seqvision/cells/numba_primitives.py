"""What method="numba" runs, as JAX primitives: kernels on CPU, twins elsewhere, and rules for vmap and derivatives.

Operands and results of a primitive are flat and start with an axis of members, the models of a population, or one; its
parameter ``tree`` is the tree of the operands.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir


def floats(*shape: int) -> jax.core.ShapedArray:
    """Return the outline of an array of 32-bit floats."""
    return jax.core.ShapedArray(shape, jnp.float32)


def primitive(name: str, kernel: Callable, twin: Callable, shapes: Callable, axes: tuple, axes_out: tuple) -> tuple:
    """Build a primitive and the function that calls it as f(cell, stacks, *operands).

    Args:
      name: as it stands in a jaxpr after "recurrent_".
      kernel: (cell, shapes, *operands) -> results, in which everything has the axis of members.
      twin: (cell, stacks, *operands) -> results, without that axis.
      shapes: (cell, stacks, *operands) -> the shapes of the results, without that axis.
      axes: of each operand, the axis that counts sequences; None where all sequences share it.
      axes_out: the same of the results.
    """
    core = Primitive(f"recurrent_{name}")
    core.multiple_results = True

    def outlines(leaves, cell, stacks, tree):
        return shapes(cell, stacks, *jax.tree.unflatten(tree, [floats(*a.shape[1:]) for a in leaves]))

    def abstract(*leaves, **static):
        return [floats(leaves[0].shape[0], *a.shape) for a in jax.tree.leaves(outlines(leaves, **static))]

    def by_kernel(*leaves, cell, stacks, tree):
        expected = outlines(leaves, cell, stacks, tree)
        results = kernel(cell, expected, *jax.tree.unflatten(tree, leaves))
        chosen = [r for s, r in zip(expected, results, strict=True) if s is not None]
        return jax.tree.leaves(chosen)

    def by_twin(*leaves, cell, stacks, tree):
        def one(*leaves):
            return jax.tree.leaves(twin(cell, stacks, *jax.tree.unflatten(tree, leaves)))

        if leaves[0].shape[0] > 1:
            return jax.vmap(one)(*leaves)
        return [a[None] for a in one(*(a[0] for a in leaves))]

    def jvp(primals, tangents, **static):
        continuous = [jnp.issubdtype(p.dtype, jnp.floating) for p in primals]

        def of_floats(*given):
            rest = iter(given)
            return by_twin(*(next(rest) if f else p for p, f in zip(primals, continuous, strict=True)), **static)

        moving = tuple(p for p, f in zip(primals, continuous, strict=True) if f)
        along = tuple(ad.instantiate_zeros(t) for t, f in zip(tangents, continuous, strict=True) if f)
        return jax.jvp(of_floats, moving, along)

    def batch(leaves, batched, **static):
        size = next(a.shape[axis] for a, axis in zip(leaves, batched, strict=True) if axis is not None)
        leaves = [
            jnp.broadcast_to(a, (size, *a.shape)) if axis is None else jnp.moveaxis(a, axis, 0)
            for a, axis in zip(leaves, batched, strict=True)
        ]
        places = _spread(axes, jax.tree.unflatten(static["tree"], leaves))
        if any(axis is not None and place is None for axis, place in zip(batched, places, strict=True)):
            return members(leaves, size, **static)
        merged = [a[0] if place is None else _merged(a, place + 1) for a, place in zip(leaves, places, strict=True)]
        ends = [k + 1 for k in _spread(axes_out, outlines(merged, **static))]
        results = core.bind(*merged, **static)
        return [a.reshape(*a.shape[:k], size, -1, *a.shape[k + 1 :]) for a, k in zip(results, ends, strict=True)], ends

    def members(leaves, size, **static):
        if leaves[0].shape[1] == 1:
            results = core.bind(*(a[:, 0] for a in leaves), **static)
            return [a[:, None] for a in results], [0] * len(results)
        results = jax.lax.map(lambda one: core.bind(*one, **static), leaves)
        return results, [0] * len(results)

    core.def_impl(jax.jit(core.bind, static_argnames=("cell", "stacks", "tree")))
    core.def_abstract_eval(abstract)
    ad.primitive_jvps[core] = jvp
    batching.primitive_batchers[core] = batch
    mlir.register_lowering(core, mlir.lower_fun(by_kernel), platform="cpu")
    mlir.register_lowering(core, mlir.lower_fun(by_twin))

    def bind(cell, stacks, *operands):
        leaves, tree = jax.tree.flatten(operands)
        leaves = [a[None] for a in leaves]
        results = core.bind(*leaves, cell=cell, stacks=stacks, tree=tree)
        return jax.tree.unflatten(jax.tree.structure(outlines(leaves, cell, stacks, tree)), [a[0] for a in results])

    return core, bind


def _spread(values, trees):
    """Repeat each value for the leaves of its tree."""
    return [value for value, tree in zip(values, trees, strict=True) for _ in jax.tree.leaves(tree)]


def _merged(a, place):
    """Make more sequences, which axis ``place`` counts, of the first axis."""
    a = jnp.moveaxis(a, 0, place)
    return a.reshape(*a.shape[:place], -1, *a.shape[place + 2 :])
