"""Arrays that lie over several devices: functions that fit into `shard_map` and onto meshes with explicit axes."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import jax
import numpy as np
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec

P = ParamSpec("P")
R = TypeVar("R")


def varying_alike(*trees: Any) -> Any:
    """Return the trees with every array varying over all axes of `shard_map` over which one of them varies.

    JAX does so by itself for its own operations. What is sent back to an array that did not vary is then summed.

    >>> varying_alike(1.0, [2.0])
    (1.0, [2.0])
    """
    over: frozenset = frozenset().union(*map(_varying, jax.tree.leaves(trees)))
    if not over:
        return trees

    def vary(leaf: Any) -> Any:
        missing = tuple(sorted(over - _varying(leaf)))
        return jax.lax.pcast(leaf, missing, to="varying") if missing else leaf

    return jax.tree.map(vary, trees)


def _varying(leaf: Any) -> frozenset:
    return getattr(jax.typeof(leaf), "manual_axis_type", None).varying if isinstance(leaf, jax.Array) else frozenset()


def explicit_mesh(*trees: Any) -> AbstractMesh | None:
    """Return the mesh with explicit axes on which one of the arrays lies, None if none does.

    >>> explicit_mesh(jax.numpy.ones(3)) is None
    True
    """
    for leaf in jax.tree.leaves(trees):
        if isinstance(leaf, jax.Array):
            mesh = getattr(jax.typeof(leaf).sharding, "mesh", None)
            if mesh is not None and AxisType.Explicit in mesh.axis_types:
                return mesh
    return None


def with_automatic_axes(*, channels: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function run on meshes with explicit axes as it does on those with automatic ones.

    Every axis of a result but its last lies as that axis of the first argument does, where its size allows; the last
    as the last axis of the argument named ``channels``, or of the first one.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            mesh = explicit_mesh(args, kwargs)
            if mesh is None:
                return function(*args, **kwargs)
            given = signature.bind(*args, **kwargs).arguments
            first = next(iter(given.values()))
            last = first if channels is None else given[channels]

            def places(result: Any) -> NamedSharding:
                leading = (*_entries(first)[:-1], *(None,) * result.ndim)[: result.ndim - 1]
                return NamedSharding(mesh, _fitting(mesh, (*leading, _entries(last)[-1]), result.shape))

            return automatic(mesh, places, function, *args, **kwargs)

        return wrapped

    return decorate


def automatic(
    mesh: AbstractMesh, places: Callable[[Any], NamedSharding], function: Callable, *args: Any, **kwargs: Any
):
    """Return function(*args, **kwargs), inside of which no axis of the mesh is explicit.

    Args:
      mesh: on which the arguments lie.
      places: from the outline of a result to where it shall lie.
      function: any function of JAX.
      args, kwargs: its arguments, of which arrays are traced.
    """
    leaves, tree = jax.tree.flatten((args, kwargs))
    arrays = [leaf for leaf in leaves if isinstance(leaf, jax.Array)]

    def of_arrays(*arrays: Any) -> Any:
        rest = iter(arrays)
        args, kwargs = tree.unflatten([next(rest) if isinstance(leaf, jax.Array) else leaf for leaf in leaves])
        return function(*args, **kwargs)

    outlines = jax.eval_shape(of_arrays, *(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in arrays))
    return jax.sharding.auto_axes(of_arrays, out_sharding=jax.tree.map(places, outlines))(*arrays)


def _entries(array: Any) -> tuple:
    """Return over which axes of the mesh each axis of an array is cut."""
    spec = jax.typeof(array).sharding.spec if isinstance(array, jax.Array) else ()
    return (*spec, *(None,) * (np.ndim(array) - len(spec)))


def _fitting(mesh: AbstractMesh, entries: tuple, shape: tuple[int, ...]) -> PartitionSpec:
    """Return the entries whose devices divide the size of their axis, and no axis of the mesh twice."""
    kept: list = []
    used: set = set()
    for entry, size in zip(entries, shape, strict=True):
        names = (entry,) if isinstance(entry, str) else tuple(entry or ())
        fits = names and size % int(np.prod([mesh.shape[name] for name in names])) == 0 and not used & set(names)
        kept.append(entry if fits else None)
        used |= set(names) if fits else set()
    return PartitionSpec(*kept)
