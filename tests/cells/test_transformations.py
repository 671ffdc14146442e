"""All of cells and seq2seq under the modes of JAX: strict types, no jit, forward mode, export, keys in a state."""

import functools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from seqvision import cells, seq2seq
from seqvision.cells import (
    GRU,
    LRU,
    LSTM,
    Elman,
    VariationalDropout,
    Zoneout,
    newton_unroll,
    unroll,
    unroll_bidirectional,
    unroll_stack,
    unroll_truncated,
)
from seqvision.seq2seq import Bahdanau, Decoder, Encoded, Luong, free_run, generate
from seqvision.testing import check_cell, reference
from tests.cells.cases import same
from tests.cells.own_cells import SRU, Drawn, LiquidTimeConstant
from tests.cells.unrolling.test_methods import CELLS

N, T, D = 2, 5, 3
TRAINED = {"lstm": (LSTM(8), reference.lstm), "gru": (GRU(8), reference.gru), "elman": (Elman(16), reference.elman)}


def problem(cell, dtype=jnp.float32):
    rng = np.random.default_rng(0)
    params = cell.init(jax.random.key(0), D, dtype)
    xs = jnp.asarray(rng.normal(size=(N, T, *getattr(cell, "size", ()), D)), dtype)
    return params, xs, jnp.asarray(rng.random((N, T)) < 0.8), jnp.asarray(rng.random((N, T)) < 0.3)


def total(final, ys):
    leaves = [leaf for leaf in jax.tree.leaves(final) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.sum(jnp.sin(ys)) + sum(jnp.sum(jnp.abs(leaf) ** 2) for leaf in leaves)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", CELLS)
def test_types_never_mix_by_themselves(name, dtype):
    cell = CELLS[name]
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        params, xs, mask, reset = problem(cell, dtype)

        def loss(params, xs):
            _, ys = unroll(cell, params, xs, mask=mask, reset=reset)
            assert ys.dtype == dtype
            return jnp.sum(ys.astype(jnp.float32))

        jax.eval_shape(jax.grad(loss, argnums=(0, 1)), params, xs)
        jax.eval_shape(functools.partial(unroll_truncated, cell, length=2), params, xs)
        if isinstance(cell, Zoneout | VariationalDropout):
            noisy = replace(cell, train=True)
            jax.eval_shape(lambda p, x: unroll(noisy, p, noisy.with_masks(p, x, jax.random.key(0))), params, xs)


@pytest.mark.parametrize("dtype", [jnp.float16], ids=["float16"])
@pytest.mark.parametrize("feed", ["none", "context", "attentional"])
@pytest.mark.parametrize("attention", [Bahdanau(4), Luong("concat", 4)], ids=["bahdanau", "luong"])
def test_types_of_decoders_never_mix_by_themselves(attention, feed, dtype):
    decoder = Decoder(12, GRU(8), attention=attention, feed=feed)
    params = decoder.init(jax.random.key(0), 6, 5, dtype)
    encoded = Encoded(jnp.ones((2, 6), dtype), jnp.ones((2, 7, 5), dtype), jnp.ones((2, 7), bool))
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        logits, _ = jax.eval_shape(lambda p: decoder.score(p, encoded, jnp.ones((2, 3), int)), params)
        jax.eval_shape(lambda p: generate(decoder, p, encoded, max_length=4), params)
        jax.eval_shape(lambda h: free_run(lambda x: x[:, -1:], h, 3), jnp.zeros((4, 2), dtype))
    assert logits.dtype == dtype


@pytest.mark.parametrize("name", ["lstm", *(pytest.param(n, marks=pytest.mark.slow) for n in ("gru", "elman"))])
def test_without_jit(name):
    cell, slowly = TRAINED[name]
    params, xs, mask, reset = problem(cell)
    with jax.disable_jit():
        (h, *_), ys = unroll(cell, params, xs, mask=mask, reset=reset)
        slopes = jax.grad(lambda p: total(*unroll(cell, p, xs, mask=mask, reset=reset)))(params)
    final, expected = slowly(params, np.asarray(xs), mask=np.asarray(mask), reset=np.asarray(reset))
    np.testing.assert_allclose(ys, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(h, final[0], rtol=1e-5, atol=1e-5)
    same(
        slopes, jax.jit(jax.grad(lambda p: total(*unroll(cell, p, xs, mask=mask, reset=reset, method="scan"))))(params)
    )


@pytest.mark.parametrize("name", TRAINED)
def test_forward_mode_by_default_equals_differences_of_the_reference(name):
    cell, slowly = TRAINED[name]
    params, xs, mask, reset = problem(cell)
    along = jnp.cos(jnp.arange(xs.size, dtype=xs.dtype)).reshape(xs.shape)

    def outputs(xs):
        return unroll(cell, params, xs, mask=mask, reset=reset)[1]

    dots = jax.jit(lambda x: jax.jvp(outputs, (x,), (along,))[1])(xs)
    ahead, behind = (
        slowly(params, np.asarray(xs, float) + e * np.asarray(along, float), mask=mask, reset=reset)[1]
        for e in (1e-5, -1e-5)
    )
    np.testing.assert_allclose(dots, (ahead - behind) / 2e-5, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", ["auto", *(pytest.param(m, marks=pytest.mark.slow) for m in ("fused", "newton"))])
def test_hessian_and_both_orders_of_modes(method):
    cell = LSTM(5)
    params, xs, mask, reset = problem(cell)

    def loss(b, method=method):
        return total(*unroll(cell, params._replace(b=b), xs, mask=mask, reset=reset, method=method))

    expected = jax.jit(jax.hessian(functools.partial(loss, method="scan")))(params.b)
    same(jax.jit(jax.hessian(loss))(params.b), expected, 1e-4)
    same(jax.jit(jax.jacrev(jax.jacfwd(loss)))(params.b), expected, 1e-4)


def test_sixteen_members():
    cell = LSTM(8)
    params, xs, mask, reset = problem(cell)
    members = jax.tree.map(lambda w: jnp.stack([w * (1 + k / 16) for k in range(16)]), params)
    run = jax.value_and_grad(lambda p: total(*unroll(cell, p, xs, mask=mask, reset=reset)))
    slow = jax.value_and_grad(lambda p: total(*unroll(cell, p, xs, mask=mask, reset=reset, method="scan")))
    same(jax.jit(jax.vmap(run))(members), jax.jit(lambda m: jax.lax.map(slow, m))(members), 1e-4)


@pytest.mark.parametrize("flag", ["jax_debug_nans", "jax_debug_infs"])
@pytest.mark.parametrize("cell", [LSTM(8), LRU(4), SRU(4)], ids=["lstm", "lru", "sru"])
def test_nothing_that_is_not_finite_on_the_way(cell, flag):
    params, xs, mask, reset = problem(cell)
    jax.config.update(flag, True)
    try:
        jax.jit(jax.grad(lambda p: total(*unroll(cell, p, xs, mask=mask, reset=reset))))(params)
        newton_unroll(GRU(3), GRU(3).init(jax.random.key(0), D), xs)
    finally:
        jax.config.update(flag, False)


@pytest.mark.parametrize("remat", ["none", "gates", "sqrt"])
def test_a_key_and_a_counter_in_the_state(remat):
    cell = Drawn(4)
    params, xs, mask, reset = problem(cell)

    def run(params):
        return unroll(cell, params, xs, mask=mask, reset=reset, remat=remat)

    final, ys = jax.jit(run)(params)
    state, rows = cell.initial_state(params, (N,)), []
    for t in range(T):
        fresh = cell.initial_state(params, (N,))
        state = jax.tree.map(lambda a, b, t=t: jnp.where(_over(reset[:, t], a), b, a), state, fresh)
        new, y = cell.step(params, state, xs[:, t])
        state = jax.tree.map(lambda a, b, t=t: jnp.where(_over(mask[:, t], a), a, b), new, state)
        rows.append(jnp.where(mask[:, t, None], y, 0))
    np.testing.assert_allclose(ys, jnp.stack(rows, 1), rtol=1e-6, atol=1e-6)
    assert (jax.random.key_data(final.key) == jax.random.key_data(state.key)).all()
    assert (final.steps == state.steps).all()
    assert final.key.dtype == state.key.dtype
    slope = jax.grad(lambda p: jnp.sum(run(p)[1]))(params)
    dot = jax.jvp(lambda p: jnp.sum(run(p)[1]), (params,), (jax.tree.map(jnp.ones_like, params),))[1]
    np.testing.assert_allclose(jnp.sum(slope["w"]), dot, rtol=1e-5)


def _over(flags, leaf):
    return flags.reshape(flags.shape + (1,) * (leaf.ndim - 1))


@pytest.mark.slow
@pytest.mark.parametrize("cell", [SRU(4), LiquidTimeConstant(4)], ids=["sru", "ltc"])
def test_cells_of_ones_own_pass_every_check(cell):
    check_cell(cell, in_features=D)


def kin(name):
    """Functions of params and xs, with their parameters: all that runs cells."""
    cell = GRU(8)
    params = cell.init(jax.random.key(0), D)
    pair = (params, cell.init(jax.random.key(1), 8 if name == "stack" else D))
    return {
        "unroll": (functools.partial(unroll, cell), params),
        "reset before": (functools.partial(unroll, GRU(8, reset_after=False)), params._replace(b_n=None)),
        "linear": (functools.partial(unroll, LRU(4)), LRU(4).init(jax.random.key(0), D)),
        "own": (functools.partial(unroll, SRU(4)), SRU(4).init(jax.random.key(0), D)),
        "stack": (functools.partial(unroll_stack, (cell, cell)), pair),
        "bidirectional": (functools.partial(unroll_bidirectional, cell, cell), pair),
        "truncated": (functools.partial(unroll_truncated, cell, length=2), params),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "unroll",
        "linear",
        *(
            pytest.param(n, marks=pytest.mark.slow)
            for n in ("reset before", "own", "stack", "bidirectional", "truncated")
        ),
    ],
)
def test_export_with_any_batch(name):
    run, params = kin(name)
    _, xs, *_ = problem(GRU(8))
    (batch,) = export.symbolic_shape("batch")
    outline = jax.ShapeDtypeStruct((batch, T, D), jnp.float32)
    kept = export.export(jax.jit(run), platforms=("cpu", "cuda"))(params, outline)
    same(kept.call(params, xs), run(params, xs))


def test_export_with_its_gradient_through_a_file():
    pytest.importorskip("flatbuffers")  # which jax.export writes files with
    _, xs, *_ = problem(GRU(8))
    for name in ("unroll", "linear"):
        run, params = kin(name)
        (batch,) = export.symbolic_shape("batch")
        kept = export.export(jax.jit(run))(params, jax.ShapeDtypeStruct((batch, T, D), jnp.float32))
        again = export.deserialize(kept.serialize(vjp_order=1))
        got, expected = (jax.grad(lambda p, f=f: total(*f(p, xs)))(params) for f in (again.call, run))
        assert type(got) is type(params)
        same(got, expected)


@pytest.mark.parametrize("room", [cells, seq2seq], ids=["cells", "seq2seq"])
def test_every_named_tuple_has_a_name_in_files(room):
    kinds = [getattr(room, name) for name in room.__all__]
    named = [kind for kind in kinds if isinstance(kind, type) and hasattr(kind, "_fields")]
    assert len(named) >= 4
    for kind in named:
        with pytest.raises(ValueError, match="Duplicate serialization registration"):
            export.register_namedtuple_serialization(kind, serialized_name="another")


@pytest.mark.optimized
def test_twenty_thousand_steps_keep_the_root_of_their_states():
    cell, steps = GRU(32), 20_000
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), 1))
    xs = jax.ShapeDtypeStruct((1, steps, 1), jnp.float32)

    def temporaries(remat):
        slope = jax.grad(lambda p, x: jnp.sum(unroll(cell, p, x, remat=remat)[1] ** 2))
        return jax.jit(slope).lower(params, xs).compile().memory_analysis().temp_size_in_bytes

    whole = steps * cell.hidden * 4
    assert temporaries("none") > 3 * whole
    assert temporaries("sqrt") < 3 * whole  # the outputs, and their gradients
