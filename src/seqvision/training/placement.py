"""Where the arrays of a run lie: on one device, or over several, each of which computes its part of a batch."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec


def batch_sharding(data: Any) -> NamedSharding | None:
    """Return how a batch of data lies: its rows as those of the data, cut over a mesh; None on one device.

    >>> batch_sharding(jax.numpy.ones((8, 3))) is None
    True
    """
    for leaf in jax.tree.leaves(data):
        sharding = getattr(leaf, "sharding", None)
        if not isinstance(sharding, NamedSharding) or not isinstance(sharding.mesh, Mesh):
            continue
        if sharding.mesh.size > 1 or AxisType.Explicit in sharding.mesh.axis_types:
            return NamedSharding(_with_auto_axes(sharding.mesh), PartitionSpec(*sharding.spec[:1]))
    return None


def lay_batch(batch: Any, sharding: NamedSharding | None) -> Any:
    """Let every device have its part of the rows of a batch, where its devices divide them; traceable."""
    if sharding is None:
        return batch
    entry = sharding.spec[0] if sharding.spec else None
    names = (entry,) if isinstance(entry, str) else tuple(entry or ())
    parts = math.prod(sharding.mesh.shape[name] for name in names)

    def lay(leaf: Any) -> Any:
        return leaf if leaf.shape[0] % parts else jax.lax.with_sharding_constraint(leaf, sharding)

    return jax.tree.map(lay, batch)


def on_mesh(tree: Any, sharding: NamedSharding | None, *, owned: bool = False) -> Any:
    """Return arrays, or shapes, on a mesh whose axes are automatic: cut as they are if they lie there, else whole.

    Devices of a CPU may share the memory of what was put there; with ``owned`` each has its own, to be donated.
    """
    if sharding is None:
        return tree
    mesh: Any = sharding.mesh

    def move(leaf: Any) -> Any:
        old: Any = getattr(leaf, "sharding", None)
        lies_there = isinstance(old, NamedSharding) and old.mesh.devices.tolist() == mesh.devices.tolist()
        new = NamedSharding(mesh, old.spec if lies_there else PartitionSpec())
        if isinstance(leaf, jax.ShapeDtypeStruct):
            return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=new)
        if old == new:
            return leaf
        put = _lying(leaf, new) if isinstance(leaf, jax.Array) and lies_there else jax.device_put(leaf, new)
        return jnp.copy(put) if owned else put

    return jax.tree.map(move, tree)


def as_given(tree: Any, given: Any) -> Any:
    """Return arrays on the mesh on which the given ones lie, whose axes may be explicit."""
    meshes = {sharding.mesh for leaf in jax.tree.leaves(given) if isinstance(sharding := leaf.sharding, NamedSharding)}
    explicit = [mesh for mesh in meshes if AxisType.Explicit in mesh.axis_types]
    if not explicit:
        return tree
    return jax.tree.map(lambda leaf: _lying(leaf, NamedSharding(explicit[0], leaf.sharding.spec)), tree)


def _lying(leaf: Any, sharding: NamedSharding) -> Any:
    """Return an array under another name for how it lies: no number moves."""
    if leaf.is_fully_addressable:
        return jax.device_put(leaf, sharding)
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(_lying(jax.random.key_data(leaf), sharding), impl=jax.random.key_impl(leaf))
    parts = [shard.data for shard in leaf.addressable_shards]
    return jax.make_array_from_single_device_arrays(leaf.shape, sharding, parts)


@contextmanager
def around(sharding: NamedSharding | None) -> Iterator[None]:
    """Compute on a mesh, whatever mesh the caller has set."""
    if sharding is None:
        yield
        return
    mesh: Any = sharding.mesh
    with jax.set_mesh(mesh):
        yield


def _with_auto_axes(mesh: Mesh) -> Mesh:
    return Mesh(mesh.devices, mesh.axis_names, axis_types=(AxisType.Auto,) * len(mesh.axis_names))
