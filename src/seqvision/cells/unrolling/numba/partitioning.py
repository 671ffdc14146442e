"""How a call of a kernel is split over devices, which XLA cannot do by itself: by members and by sequences."""

from collections.abc import Callable, Sequence

import jax
from jax import Array
from jax.experimental.custom_partitioning import ArrayMapping, SdyShardingRule, custom_partitioning
from jax.sharding import Mesh, NamedSharding, PartitionSpec

MEMBERS, SEQUENCES = "members", "sequences"
Place = int | None  # of the axis that counts sequences; the first one counts members


def split_over_devices(
    run: Callable[..., list[Array]], operands: Sequence[tuple[int, Place]], results: Sequence[tuple[int, Place]]
) -> Callable[..., list[Array]]:
    """Return a function of arrays that calls ``run`` on every device for the members and sequences that lie there.

    Args:
      run: (*arrays) -> arrays, all of them with an axis of members first.
      operands: of each array, how many axes it has, and the place of its axis of sequences.
      results: the same; one that has no such axis is a sum over all sequences.
    """
    call = custom_partitioning(lambda *arrays: run(*arrays))

    def partition(mesh, arguments, outputs):
        def spread(name, arrays, places):  # the axes of the mesh that members or sequences lie on
            for array, place in zip(arrays, places, strict=True):
                names = None if place is None else array.sharding.spec[place]
                if names is not None and array.shape[place] % _devices(mesh, names) == 0:
                    return names
            return None

        every = [*arguments, *outputs]
        members = spread(MEMBERS, every, [0] * len(every))
        sequences = spread(SEQUENCES, every, [place for _, place in (*operands, *results)])

        def lie(axes, place):
            names = {0: members} | ({} if place is None else {place: sequences})
            return NamedSharding(mesh, PartitionSpec(*(names.get(axis) for axis in range(axes))))

        def on_one(*arrays):
            got = run(*arrays)
            if sequences is None:
                return got
            return [a if place else jax.lax.psum(a, sequences) for a, (_, place) in zip(got, results, strict=True)]

        return mesh, on_one, [lie(*one) for one in results], tuple(lie(*one) for one in operands)

    call.def_partition(partition, sharding_rule=_rule(operands, results))
    return call


def _devices(mesh: Mesh, names: str | tuple[str, ...]) -> int:
    count = 1
    for name in (names,) if isinstance(names, str) else names:
        count *= mesh.shape[name]
    return count


def _rule(operands, results):
    """Say which axes go together: those of members, those of sequences, and each of the others by itself, whole."""
    whole: list[str] = []

    def mapping(axes, place):
        for axis in range(axes):
            if axis in (0, place):
                yield SEQUENCES if axis else MEMBERS
            else:
                whole.append(f"whole{len(whole)}")
                yield whole[-1]

    mappings = [[tuple(mapping(*one)) for one in arrays] for arrays in (operands, results)]
    summed = all(place is None for _, place in results)
    return SdyShardingRule(
        *(tuple(ArrayMapping(*one) for one in arrays) for arrays in mappings),
        reduction_factors=(SEQUENCES,) if summed else (),
        need_replication_factors=tuple(whole),
    )
