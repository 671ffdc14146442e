"""What a primitive of method="numba" is: a kernel on CPU, a scan elsewhere, and rules for vmap and derivatives.

Its operands and results are flat and start with an axis of members, the models of a population, or one; its parameter
``tree`` is the tree of the operands.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax._src.dispatch import prim_requires_devices_during_lowering
from jax.extend.core import Primitive
from jax.interpreters import ad, mlir

from seqvision._primitives import make_primitive, outline_like

from .partitioning import split_over_devices


def floats(*shape: int) -> jax.core.ShapedArray:
    """Return the outline of an array of 32-bit floats."""
    return jax.core.ShapedArray(shape, jnp.float32)


@dataclass(eq=False)
class KernelPrimitive:
    """A primitive with its rules, and the function that calls it as f(cell, stacks, *operands).

    Args:
      name: as it stands in a jaxpr after "recurrent_".
      kernel: (cell, outlines, *operands) -> results, in which everything has the axis of members.
      scan: (cell, stacks, *operands) -> results, without that axis.
      outlines: (cell, stacks, *operands) -> the outlines of the results, without that axis.
      axes: of each operand, the axis that counts sequences; None where all sequences share it.
      result_axes: the same of the results.
      summed_axes: those of operands where the results are sums over all sequences: devices add up what each has of it.
    """

    name: str
    kernel: Callable
    scan: Callable
    outlines: Callable
    axes: dict[str, int | None]
    result_axes: dict[str, int | None]
    summed_axes: dict[str, int] | None = None
    core: Primitive = field(init=False)

    def __post_init__(self):
        self.core = make_primitive(
            f"recurrent_{self.name}",
            self._by_scan,
            outlines=self._abstract,
            batch=self._batch,
            options=("cell", "stacks", "tree"),
            multiple_results=True,
        )
        ad.primitive_jvps[self.core] = self._jvp
        mlir.register_lowering(self.core, self._lower_on_cpu, platform="cpu")
        prim_requires_devices_during_lowering.add(self.core)

    def __call__(self, cell, stacks: str, *operands: Any) -> Any:
        """Return the results for operands that are trees without the axis of members."""
        leaves, tree = jax.tree.flatten(operands)
        results = self.core.bind(*(jax.lax.expand_dims(a, (0,)) for a in leaves), cell=cell, stacks=stacks, tree=tree)
        expected = self.outlines(cell, stacks, *jax.tree.unflatten(tree, [floats(*a.shape) for a in leaves]))
        return jax.tree.unflatten(jax.tree.structure(expected), [jax.lax.squeeze(a, (0,)) for a in results])

    def _outlines_of(self, leaves, cell, stacks, tree):
        return self.outlines(cell, stacks, *jax.tree.unflatten(tree, [floats(*a.shape[1:]) for a in leaves]))

    def _abstract(self, *leaves, **static):
        results = jax.tree.leaves(self._outlines_of(leaves, **static))
        return [outline_like(leaves[0], (leaves[0].shape[0], *a.shape), a.dtype) for a in results]

    def _lower_on_cpu(self, context, *operands, **static):
        """Call the kernel, on each device its own; but not where XLA splits unseen, or where a program is exported."""
        module = context.module_context
        place, run = module.axis_context, self._by_scan
        if not module.lowering_parameters.for_export:
            if isinstance(place, mlir.SPMDAxisContext):  # inside `jax.shard_map`
                run = self._by_kernel if set(place.manual_axes) == set(place.mesh.axis_names) else run
            elif place.num_devices == 1:
                run = self._by_kernel
            elif place.abstract_mesh is not None:
                run = self._split
        return mlir.lower_fun(functools.partial(run, **static), multiple_results=True)(context, *operands)

    def _split(self, *leaves, **static):
        """Call the kernel on each device for the members and sequences that lie there."""
        results = self._outlines_of(leaves, **static)
        axes = self.summed_axes or self.axes
        places = _spread(axes.values(), jax.tree.unflatten(static["tree"], leaves))
        ends = _spread(self.result_axes.values(), results)
        run = split_over_devices(
            functools.partial(self._by_kernel, **static),
            [(a.ndim, None if place is None else place + 1) for a, place in zip(leaves, places, strict=True)],
            [
                (len(a.shape) + 1, None if k is None else k + 1)
                for a, k in zip(jax.tree.leaves(results), ends, strict=True)
            ],
        )
        return run(*leaves)

    def _by_kernel(self, *leaves, cell, stacks, tree):
        expected = self._outlines_of(leaves, cell, stacks, tree)
        results = self.kernel(cell, expected, *jax.tree.unflatten(tree, leaves))
        return jax.tree.leaves([r for s, r in zip(expected, results, strict=True) if s is not None])

    def _by_scan(self, *leaves, cell, stacks, tree):
        def one(*leaves):
            return jax.tree.leaves(self.scan(cell, stacks, *jax.tree.unflatten(tree, leaves)))

        if leaves[0].shape[0] > 1:
            return jax.vmap(one)(*leaves)
        return [a[None] for a in one(*(a[0] for a in leaves))]

    def _jvp(self, primals, tangents, **static):
        continuous = [jnp.issubdtype(p.dtype, jnp.floating) for p in primals]

        def of_floats(*given):
            rest = iter(given)
            full = (next(rest) if f else p for p, f in zip(primals, continuous, strict=True))
            return self._by_scan(*full, **static)

        moving = tuple(p for p, f in zip(primals, continuous, strict=True) if f)
        along = tuple(ad.instantiate_zeros(t) for t, f in zip(tangents, continuous, strict=True) if f)
        return jax.jvp(of_floats, moving, along)

    def _batch(self, leaves, batched, **static):
        """Make more sequences of the new axis where no weights have it, else members."""
        size = next(a.shape[axis] for a, axis in zip(leaves, batched, strict=True) if axis is not None)
        leaves = [
            jnp.broadcast_to(a, (size, *a.shape)) if axis is None else jnp.moveaxis(a, axis, 0)
            for a, axis in zip(leaves, batched, strict=True)
        ]
        places = _spread(self.axes.values(), jax.tree.unflatten(static["tree"], leaves))
        if any(axis is not None and place is None for axis, place in zip(batched, places, strict=True)):
            return self._members(leaves, **static)
        merged = [a[0] if place is None else _merged(a, place + 1) for a, place in zip(leaves, places, strict=True)]
        ends = [k + 1 for k in _spread(self.result_axes.values(), self._outlines_of(merged, **static))]
        results = self.core.bind(*merged, **static)
        return [a.reshape(*a.shape[:k], size, -1, *a.shape[k + 1 :]) for a, k in zip(results, ends, strict=True)], ends

    def _members(self, leaves, **static):
        """Call the kernel once where there is one member so far, else for one value of the new axis after another."""
        if leaves[0].shape[1] == 1:
            results = [a[:, None] for a in self.core.bind(*(a[:, 0] for a in leaves), **static)]
        else:
            results = jax.lax.map(lambda one: self.core.bind(*one, **static), leaves)
        return results, [0] * len(results)


def _spread(values, trees):
    """Repeat each value for the leaves of its tree."""
    return [value for value, tree in zip(values, trees, strict=True) for _ in jax.tree.leaves(tree)]


def _merged(a, place):
    """Make more sequences, which axis ``place`` counts, of the first axis."""
    a = jnp.moveaxis(a, 0, place)
    return a.reshape(*a.shape[:place], -1, *a.shape[place + 2 :])
