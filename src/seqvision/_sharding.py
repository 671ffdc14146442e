"""Arrays on several devices: what varies inside `jax.shard_map`, and meshes whose axes are Explicit."""

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

PyTree = Any
P = ParamSpec("P")
R = TypeVar("R")


def varying(tree: PyTree) -> frozenset[str]:
    """Return the axes of a mesh over which any array of a tree varies: none outside `jax.shard_map`.

    >>> varying({"x": jax.numpy.ones(3)})
    frozenset()
    """
    types = [getattr(leaf, "manual_axis_type", None) or jax.typeof(leaf).manual_axis_type for leaf in _arrays(tree)]
    return frozenset().union(*(kind.varying for kind in types))


def vary_alike(tree: PyTree, *others: PyTree) -> PyTree:
    """Make all arrays of a tree vary over every axis over which one of them, or of others, does.

    A loop's carry must vary as what is added to it does: zeros that are made inside `jax.shard_map` do not by
    themselves. The gradient of what did not vary is then the sum over all devices, as everywhere in `jax.shard_map`.
    """
    axes = varying((tree, others))

    def cast(leaf: Any) -> Any:
        missing = tuple(sorted(axes - varying(leaf)))
        return jax.lax.pcast(leaf, missing, to="varying") if missing else leaf

    return jax.tree.map(cast, tree) if axes else tree


def on_auto_axes(run: Callable[..., PyTree], lead: Any, axes: int, *arguments: PyTree) -> PyTree:
    """Call run(*arguments), its arrays free to lie as XLA likes also where they are on Explicit axes of a mesh.

    Args:
      run: a function of trees of arrays; every array that it returns starts with the axes that ``lead`` starts with.
      lead: the array whose first ``axes`` axes say how the results lie.
    """
    mesh = explicit_mesh(arguments)
    if mesh is None:
        return run(*arguments)
    spec = PartitionSpec(*jax.typeof(lead).sharding.spec[:axes])
    explicit = [name for name, kind in zip(mesh.axis_names, mesh.axis_types, strict=True) if kind == AxisType.Explicit]
    # jitted, since line by line JAX takes constants that were made for the Explicit axes
    program = jax.jit(run)
    return jax.sharding.auto_axes(program, axes=tuple(explicit), out_sharding=NamedSharding(mesh, spec))(*arguments)


def explicit_mesh(tree: PyTree) -> Any:
    """Return the mesh with Explicit axes on which an array of a tree lies, None if none does.

    >>> explicit_mesh({"x": jax.numpy.ones(3)}) is None
    True
    """
    meshes = [jax.typeof(leaf).sharding.mesh for leaf in _arrays(tree)]
    return next((mesh for mesh in meshes if AxisType.Explicit in mesh.axis_types), None)


def runs_on_auto_axes(*, channels: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function run where its arrays are on Explicit axes of a mesh as it does elsewhere.

    Every axis of a result but its last lies as that axis of the first argument does, where its size allows; the last
    as the last axis of the argument named ``channels``, or of the first one.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            mesh = explicit_mesh((args, kwargs))
            if mesh is None:
                return function(*args, **kwargs)
            given = signature.bind(*args, **kwargs).arguments
            first = next(iter(given.values()))
            last = first if channels is None else given[channels]
            leaves, tree = jax.tree.flatten((args, kwargs))
            places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]

            def of_arrays(*arrays: Any) -> Any:
                known = dict(zip(places, arrays, strict=True))
                args, kwargs = jax.tree.unflatten(tree, [known.get(place, leaf) for place, leaf in enumerate(leaves)])
                return function(*args, **kwargs)

            def lies(result: Any) -> NamedSharding:
                leading = (*_entries(first)[:-1], *(None,) * result.ndim)[: result.ndim - 1]
                return NamedSharding(mesh, _fitting(mesh, (*leading, _entries(last)[-1]), result.shape))

            arrays = [leaves[place] for place in places]
            outlines = jax.eval_shape(of_arrays, *(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in arrays))
            return jax.sharding.auto_axes(of_arrays, out_sharding=jax.tree.map(lies, outlines))(*arrays)

        return wrapped

    return decorate


def _entries(array: Any) -> tuple:
    """Return over which axes of a mesh each axis of an array is cut."""
    spec = jax.typeof(array).sharding.spec if isinstance(array, jax.Array) else ()
    return (*spec, *(None,) * (np.ndim(array) - len(spec)))


def _fitting(mesh: Any, entries: tuple, shape: tuple[int, ...]) -> PartitionSpec:
    """Return the entries whose devices divide the size of their axis, and no axis of the mesh twice."""
    kept: list = []
    used: set[str] = set()
    for entry, size in zip(entries, shape, strict=True):
        names = {entry} if isinstance(entry, str) else set(entry or ())
        fits = names and size % math.prod(mesh.shape[name] for name in names) == 0 and not used & names
        kept.append(entry if fits else None)
        used |= names if fits else set()
    return PartitionSpec(*kept)


def _arrays(tree: PyTree) -> list:
    return [leaf for leaf in jax.tree.leaves(tree) if hasattr(leaf, "dtype") and hasattr(leaf, "shape")]
