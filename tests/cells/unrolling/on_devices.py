"""What the methods do on eight devices, run as a process of its own: prints one JSON line a case."""

import json
import os
import sys
import traceback

if __name__ == "__main__":
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8".strip()

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from seqvision.cells import GRU, LRU, LSTM, Elman, unroll
from seqvision.seq2seq import Bahdanau, Decoder, Encoded, generate
from seqvision.testing import reference
from tests.cells.own_cells import SRU, Drawn

N, T, D = 16, 4, 3
CELLS = {
    "lstm": (LSTM(16), reference.lstm),
    "gru": (GRU(8), reference.gru),
    "elman": (Elman(16), reference.elman),
    "lru": (LRU(4), reference.lru),
    "sru": (SRU(4), None),
    "drawn": (Drawn(4), None),
}
METHODS = {
    "lstm": ("auto", "numba", "fused", "scan", "newton", "pallas"),
    "gru": ("numba", "fused"),
    "elman": ("numba",),
    "lru": ("auto", "associative"),
    "sru": ("auto",),
    "drawn": ("auto",),
}
WAYS = ("shard_map", "shard_map unchecked", "Auto", "Explicit")
CASES = [
    (name, method, way)
    for name, methods in METHODS.items()
    for method in methods
    for way in WAYS
    if name != "drawn" or not way.startswith("shard_map")  # whose states are drawn for the batch of each device
]
CASES += [("decoder", feed, way) for feed in ("none", "context") for way in ("shard_map", "Explicit")]
QUICK = [case for case in CASES if case[:2] == ("lstm", "auto")] + [
    ("gru", "fused", "Explicit"),
    ("lru", "auto", "Auto"),
    ("drawn", "auto", "Explicit"),
]
BY_SCAN: dict = {}  # values and gradients on one device


def problem(cell):
    """Parameters, inputs and flags."""
    rng = np.random.default_rng(0)
    params = cell.init(jax.random.key(0), D)
    params = jax.tree.map(lambda w: w + jnp.asarray(0.1 * rng.normal(size=w.shape), w.dtype), params)
    xs = jnp.asarray(rng.normal(size=(N, T, D)), jnp.float32)
    return params, xs, jnp.asarray(rng.random((N, T)) < 0.8), jnp.asarray(rng.random((N, T)) < 0.3)


def run(name, method, way):
    """Compare values and gradients with one device's, and values with the reference's; say how the program is split."""
    if name == "decoder":
        return write_and_score(method, way)
    cell, slowly = CELLS[name]
    params, xs, mask, reset = problem(cell)

    def forward(params, xs, mask, reset, method=method):
        final, ys = unroll(cell, params, xs, mask=mask, reset=reset, method=method)
        return [leaf for leaf in jax.tree.leaves(final) if jnp.issubdtype(leaf.dtype, jnp.inexact)], ys

    def both(params, xs, mask, reset, run=forward):
        def loss(params, xs):
            final, ys = run(params, xs, mask, reset)
            return jnp.sum(jnp.sin(ys)) + sum(jnp.sum(jnp.abs(leaf) ** 2) for leaf in final), (final, ys)

        return jax.grad(loss, argnums=(0, 1), has_aux=True)(params, xs)

    if name not in BY_SCAN:
        by_scan = jax.jit(lambda *a: both(*a, run=lambda *b: forward(*b, method="scan")))
        BY_SCAN[name] = by_scan(params, xs, mask, reset)
        if slowly is not None:
            final, ys = slowly(params, np.asarray(xs), mask=np.asarray(mask), reset=np.asarray(reset))
            near(BY_SCAN[name][1], (list(final), ys))
    expected = BY_SCAN[name]
    if way.startswith("shard_map"):
        mesh = jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,))
        split = (P(), P("data"), P("data"), P("data"))
        checked = way == "shard_map"
        mapped = jax.shard_map(forward, mesh=mesh, in_specs=split, out_specs=P("data"), check_vma=checked)
        near(jax.jit(lambda *a: both(*a, run=mapped))(params, xs, mask, reset), expected)
        if not checked:
            return
        inside = jax.shard_map(both, mesh=mesh, in_specs=split, out_specs=((P(), P("data")), P("data")))
        near(jax.jit(inside)(params, xs, mask, reset), expected)
        try:
            wrong = jax.shard_map(forward, mesh=mesh, in_specs=split, out_specs=P())
            jax.eval_shape(wrong, params, xs, mask, reset)
        except ValueError:
            return
        raise AssertionError("results are taken to be the same on all devices")
    mesh = jax.make_mesh((8,), ("data",), axis_types=(getattr(AxisType, way),))
    rows, everywhere = NamedSharding(mesh, P("data")), NamedSharding(mesh, P())
    placed = jax.device_put((params, xs, mask, reset), (everywhere, rows, rows, rows))
    with jax.set_mesh(mesh):
        program = jax.jit(both).lower(*placed).compile()
    got = program(*placed)
    near(got, expected)
    assert "all-gather" not in program.as_text(), "a batch is gathered"
    for leaf in (got[0][1], *jax.tree.leaves(got[1])):
        assert leaf.sharding.is_equivalent_to(rows, leaf.ndim), f"results lie as {leaf.sharding}"


def write_and_score(feed, way):
    """Compare what a decoder scores and writes with one device's."""
    decoder = Decoder(12, GRU(8), attention=Bahdanau(4), feed=feed)
    params, (k1, k2, k3) = decoder.init(jax.random.key(0), 6, 5), jax.random.split(jax.random.key(1), 3)
    mask = jnp.ones((N, 7), bool).at[:, 5:].set(False)
    encoded = Encoded(jax.random.normal(k1, (N, 6)), jax.random.normal(k2, (N, 7, 5)), mask)

    def both(params, encoded, tokens):
        def loss(params):
            scores = decoder.score(params, encoded, tokens)
            return jnp.sum(jnp.sin(scores[0])), scores

        return jax.grad(loss, has_aux=True)(params), generate(decoder, params, encoded, max_length=4)

    given = params, encoded, jax.random.randint(k3, (N, 3), 0, 12)
    expected = jax.jit(both)(*given)
    mesh = jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto if way == "shard_map" else AxisType.Explicit,))
    everywhere, rows = NamedSharding(mesh, P()), NamedSharding(mesh, P("data"))
    if way == "shard_map":
        split = ((P(), P("data")), P("data"))
        run = jax.shard_map(both, mesh=mesh, in_specs=(P(), P("data"), P("data")), out_specs=split)
        return near(jax.jit(run)(*given), expected)
    with jax.set_mesh(mesh):
        near(jax.jit(both)(*jax.device_put(given, (everywhere, rows, rows))), expected)


def near(got, expected):
    """Leaf by leaf the same numbers."""
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=3e-4, atol=3e-4)


def main(cases):
    """Run cases and say how each went."""
    jax.config.update("jax_default_matmul_precision", "highest")
    for case in cases:
        try:
            run(*case)
            print(json.dumps([*case, None]), flush=True)
        except Exception:
            print(json.dumps([*case, traceback.format_exc()[-1500:]]), flush=True)


if __name__ == "__main__":
    main(CASES if sys.argv[1:] == ["all"] else QUICK)
