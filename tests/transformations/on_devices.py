"""Functions over eight devices: a program that prints which rows of the matrix do not hold."""

import json
import re
import sys

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from tests.transformations.conv_cases import CONV_CASES, expected, lower_bounds, weighted
from tests.transformations.program_cases import PROGRAM_CASES

MOVES = re.compile(r" (all-gather|all-to-all|collective-permute)(-start)?\(")


def derivative(case, weights):
    """(x, kernel) -> y, and by how much its weighted sum grows along x and the kernel, from the gradient."""
    total = weighted(case, weights)

    def compute(x, kernel):
        gradients = jax.grad(total, (0, 1))(x, kernel)
        return case.call(x, kernel), gradients

    return compute


def check(case, y, gradients, arrays):
    want, growth = expected(case)
    scale = np.abs(want).max()
    np.testing.assert_allclose(np.asarray(y, np.float64) / scale, want / scale, atol=2e-4)
    slope = sum(np.vdot(np.asarray(g, np.float64), a) for g, a in zip(gradients, arrays, strict=True))
    np.testing.assert_allclose(slope / scale, growth / scale, atol=4e-3, rtol=2e-3)


def in_shard_map(check_vma):
    def run(case):
        mesh = jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,))
        x, kernel, weights = case.arrays()

        def one_shard(x, kernel, weights):
            y = case.call(x, kernel)
            by_x, by_kernel = jax.grad(weighted(case, weights), (0, 1))(x, kernel)
            return y, by_x, by_kernel if check_vma else jax.lax.psum(by_kernel, "data")

        rows = P("data")
        shards = jax.shard_map(
            one_shard, mesh=mesh, in_specs=(rows, P(), rows), out_specs=(rows, rows, P()), check_vma=check_vma
        )
        if case.sums:  # over the images of a device: one device is told what each has
            alone = [jax.jit(case.call)(x[i : i + 1], kernel) for i in range(8)]
            shards = jax.shard_map(
                lambda x, kernel: case.call(x, kernel)[None],
                mesh=mesh,
                in_specs=(rows, P()),
                out_specs=rows,
                check_vma=check_vma,
            )
            np.testing.assert_allclose(jax.jit(shards)(x, kernel), alone, rtol=1e-4, atol=1e-4)
            return
        y, *gradients = jax.jit(shards)(x, kernel, weights)
        check(case, y, gradients, (x, kernel))

    return run


def sharded(axis_type):
    def run(case):
        mesh = jax.make_mesh((8,), ("data",), axis_types=(axis_type,))
        x, kernel, weights = case.arrays()
        rows, whole = NamedSharding(mesh, P("data")), NamedSharding(mesh, P())
        arrays = jax.device_put(x, rows), jax.device_put(kernel, whole)
        program = jax.jit(derivative(case, jax.device_put(weights, whole if case.sums else rows))).lower(*arrays)
        program = program.compile()
        y, gradients = program(*arrays)
        check(case, y, gradients, (x, kernel))
        assert y.ndim == 1 or y.sharding.is_equivalent_to(rows, y.ndim), y.sharding
        with jax.set_mesh(mesh):
            y, gradients = derivative(case, weights)(*arrays)
        check(case, y, gradients, (x, kernel))
        moved = MOVES.search(program.as_text())
        assert moved is None, f"the program has {moved}"

    return run


def sharded_members(case):
    mesh = jax.make_mesh((8,), ("members",), axis_types=(AxisType.Auto,))
    x, kernel, weights = case.arrays()
    scales = np.arange(1, 17, dtype=np.float32) / 8
    xs, kernels = (np.stack([s * a for s in scales]) for a in (x, kernel))
    arrays = jax.device_put((xs, kernels), NamedSharding(mesh, P("members")))
    program = jax.jit(jax.vmap(derivative(case, weights))).lower(*arrays).compile()
    moved = MOVES.search(program.as_text())
    assert moved is None, f"the program has {moved}"
    y, gradients = program(*arrays)
    check(case, y[7], [g[7] for g in gradients], (x, kernel))


CHECKS = {
    "shard_map": in_shard_map(True),
    "shard_map, check_vma=False": in_shard_map(False),
    "NamedSharding, Auto": sharded(AxisType.Auto),
    "NamedSharding, Explicit": sharded(AxisType.Explicit),
    "NamedSharding over vmap": sharded_members,
}


def main(functions):
    lower_bounds(setattr)
    broken = []
    for how, run in CHECKS.items():
        for case in (case for case in (*CONV_CASES, *PROGRAM_CASES) if case.function in functions):
            try:
                run(case)
            except Exception as error:
                broken.append((case.function, how, f"{type(error).__name__}: {str(error)[:300]}"))
    json.dump(broken, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
