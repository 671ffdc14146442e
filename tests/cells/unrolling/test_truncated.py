"""Sequences of many lengths, cut in pieces, reset in the middle, or too long for one backward pass."""

import warnings
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import (
    GRU,
    LSTM,
    Elman,
    MinGRU,
    sequence_mask,
    unroll,
    unroll_bidirectional,
    unroll_stack,
    unroll_truncated,
)
from seqvision.cells.unrolling.methods import METHODS
from seqvision.models import Recurrent
from tests.cells.cases import D, H, random_params, random_state

LENGTHS = (6, 3, 0)
CELLS = {
    "elman": (Elman(H), ("newton",)),
    "gru": (GRU(H), ("fused",)),
    "lstm": (LSTM(H), ("scan", "fused")),
    "mingru": (MinGRU(H), ("scan", "associative")),
}
WAYS = [(name, method) for name, (_, methods) in CELLS.items() for method in methods if method in METHODS]
MASK = np.arange(6) < np.reshape(LENGTHS, (3, 1))


def stack(params, xs, *, state=None, **options):
    return unroll_stack((LSTM(5), GRU(H)), params, xs, state=state, **options)


def both(params, xs, *, state=None, **options):
    return unroll_bidirectional(LSTM(H), GRU(5), params, xs, state=state, **options)


def draw(name, rng):
    """A function like unroll without its cell, with parameters and a state for it."""
    if name == "stack":
        params = (random_params(LSTM(5), rng), random_params(GRU(H), rng, 5))
        return stack, params, (random_state(LSTM(5), rng, (3,)), random_state(GRU(H), rng, (3,)))
    if name == "both":
        params = (random_params(LSTM(H), rng), random_params(GRU(5), rng))
        return both, params, (random_state(LSTM(H), rng, (3,)), random_state(GRU(5), rng, (3,)))
    cell = CELLS[name][0]
    return partial(unroll, cell), random_params(cell, rng), random_state(cell, rng, (3,))


def close(ours, wanted, **tolerance):
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, **{"rtol": 1e-9, "atol": 1e-10, **tolerance})


@pytest.mark.parametrize(("name", "method"), [*WAYS, ("stack", "auto"), ("both", "auto")])
def test_padding_changes_nothing_and_each_sequence_is_as_if_alone(name, method, x64):
    rng = np.random.default_rng(0)
    run, params, state = draw(name, rng)
    xs = rng.normal(size=(3, 6, D))

    gradients = values_and_grads(lambda params, xs, state: run(params, xs, state=state, mask=MASK, method=method))
    clean = gradients(params, xs, state)
    dirty = gradients(params, np.where(MASK[..., None], xs, np.nan), state)
    for a, b in zip(jax.tree.leaves(clean), jax.tree.leaves(dirty), strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.isfinite(a).all()
    (_, (final, ys)), (_, d_xs, _) = dirty
    assert not np.asarray(ys)[~MASK].any()
    assert not np.asarray(d_xs)[~MASK].any()
    close(jax.tree.map(lambda leaf: leaf[2], final), jax.tree.map(lambda leaf: leaf[2], state))  # nothing was read
    alone = jax.jit(partial(run, method=method))
    for row, length in ((0, 6), (1, 3)):
        start, end = (jax.tree.map(lambda leaf: leaf[row], tree) for tree in (state, final))  # noqa: B023
        close((end, ys[row, :length]), alone(params, xs[row, :length], state=start))


@pytest.mark.parametrize(("name", "method"), WAYS)
def test_a_row_without_a_valid_step_returns_the_initial_state(name, method):
    cell = CELLS[name][0]
    params = random_params(cell, np.random.default_rng(0), dtype=np.float32)
    final, ys = unroll(cell, params, jnp.full((2, 3, D), jnp.nan), mask=jnp.zeros((2, 3), bool), method=method)
    close(final, cell.initial_state(params, (2,)), rtol=0, atol=0)
    assert not ys.any()


@pytest.mark.parametrize(
    ("name", "method", "reverse"), [*((*way, False) for way in WAYS), ("lstm", "fused", True), ("mingru", "scan", True)]
)
def test_a_reset_begins_a_new_sequence(name, method, reverse, x64):
    rng = np.random.default_rng(1)
    cell = CELLS[name][0]
    params, state, xs = random_params(cell, rng), random_state(cell, rng, ()), rng.normal(size=(7, D))
    reset = np.isin(np.arange(7), (2, 3))
    pieces = [(4, 7), (3, 4), (0, 3)] if reverse else [(0, 2), (2, 3), (3, 7)]  # in the order in which they are read

    def whole(params, state):
        return unroll(cell, params, xs, state=state, reset=reset, reverse=reverse, method=method)

    def apart(params, state):
        outputs = {}
        for i, (first, last) in enumerate(pieces):
            start = state if i == 0 else None
            final, outputs[first] = unroll(cell, params, xs[first:last], state=start, reverse=reverse, method="scan")
        return final, jnp.concatenate([outputs[first] for first in sorted(outputs)])

    close(*(values_and_grads(run)(params, state) for run in (whole, apart)), rtol=1e-6, atol=1e-8)


def values_and_grads(run):
    """Compile one function for outputs and gradients of everything."""

    def loss(arguments):
        final, ys = run(*arguments)
        return jnp.sum(jnp.sin(ys)) + sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(final)), (final, ys)

    return jax.jit(lambda *arguments: jax.value_and_grad(loss, has_aux=True)(arguments))


@pytest.mark.parametrize(("name", "method"), [*WAYS, ("stack", "auto")])
def test_pieces_with_the_state_passed_on_equal_one_call(name, method, x64):
    rng = np.random.default_rng(2)
    run, params, state = draw(name, rng)
    xs, mask, reset = rng.normal(size=(3, 7, D)), rng.random((3, 7)) < 0.8, rng.random((3, 7)) < 0.2
    run = jax.jit(partial(run, method=method))
    whole = run(params, xs, state=state, mask=mask, reset=reset)
    outputs = []
    for part in (slice(0, 3), slice(3, 6), slice(6, 7)):
        state, ys = run(params, xs[:, part], state=state, mask=mask[:, part], reset=reset[:, part])
        outputs.append(ys)
    close((state, jnp.concatenate(outputs, axis=1)), whole, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("name", "length"), [("lstm", 1), ("lstm", 3), ("lstm", 7), ("lstm", 9), ("mingru", 3)])
def test_truncated_gradients_equal_a_manual_stop(name, length, x64):
    rng = np.random.default_rng(3)
    cell = CELLS[name][0]
    params, state, xs = random_params(cell, rng), random_state(cell, rng, (2,)), rng.normal(size=(2, 7, D))
    mask, reset = rng.random((2, 7)) < 0.8, rng.random((2, 7)) < 0.2

    def truncated(params, xs, state):
        return unroll_truncated(cell, params, xs, length=length, state=state, mask=mask, reset=reset)

    def by_hand(params, xs, state):
        outputs = []
        for first in range(0, 7, length):
            part = slice(first, first + length)
            start = state if first == 0 else jax.lax.stop_gradient(state)
            state, ys = unroll(cell, params, xs[:, part], state=start, mask=mask[:, part], reset=reset[:, part])
            outputs.append(ys)
        return state, jnp.concatenate(outputs, axis=1)

    ours, wanted = (values_and_grads(run)(params, xs, state) for run in (truncated, by_hand))
    close(ours, wanted, rtol=1e-8)
    values = unroll(cell, params, xs, state=state, mask=mask, reset=reset)
    close(ours[0][1], values)
    assert np.asarray(ours[1][1]).any()


def test_truncation_is_one_program_however_many_chunks():
    cell = LSTM(H)
    params = cell.init(jax.random.key(0), D)

    def size(T):
        return len(jax.make_jaxpr(partial(unroll_truncated, cell, length=4))(params, jnp.ones((2, T, D))).eqns)

    assert size(42) == size(402)


def test_truncation_takes_mixed_dtypes_and_an_empty_sequence():
    cell = GRU(H)
    params = cell.init(jax.random.key(0), D, jnp.float16)
    xs = jnp.ones((2, 9, D), jnp.float32)
    final, ys = unroll_truncated(cell, params, xs, length=2)
    assert final.h.dtype == ys.dtype == jnp.float32
    close(ys, unroll(cell, params, xs)[1], rtol=1e-5, atol=1e-6)
    assert unroll_truncated(cell, params, xs[:, :0], length=2)[1].shape == (2, 0, H)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": 0}, "length must be an int >= 1, got 0"),
        ({"reverse": True}, "unroll_truncated runs forward: flip xs"),
        ({"xs": jnp.ones(D)}, r"xs must be \(\.\.\., T, D\), got shape \(2,\)"),
    ],
)
def test_bad_calls_of_unroll_truncated(change, message):
    cell = GRU(H)
    call = {"xs": jnp.ones((5, D)), "length": 2, **change}
    with pytest.raises(ValueError, match=message):
        unroll_truncated(cell, cell.init(jax.random.key(0), D), **call)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_flax_model_takes_and_returns_states(bidirectional):
    rng = np.random.default_rng(4)
    xs = jnp.asarray(rng.normal(size=(3, 6, D)), jnp.float32)
    model = Recurrent((LSTM(5), GRU(H)), bidirectional=bidirectional, readout="all", head=None)
    variables = model.init(jax.random.key(0), xs)
    run = jax.jit(partial(model.apply, variables, return_state=True))
    whole, end = run(xs)
    assert len(end) == 2
    if bidirectional:
        (ahead, back), _ = end
        np.testing.assert_array_equal(ahead.h.shape, back.h.shape)
        again, _ = run(xs, state=jax.tree.map(jnp.zeros_like, end))
    else:
        first, state = run(xs[:, :2])
        rest, last = run(xs[:, 2:], state=state)
        again = jnp.concatenate([first, rest], axis=1)
        close(last, end, rtol=1e-5, atol=1e-6)
        fresh = run(xs, state=state, reset=np.tile(np.arange(6) == 0, (3, 1)))[0]
        close(fresh, whole, rtol=1e-5, atol=1e-6)
    close(again, whole, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="one entry a layer, 2, got 1"):
        run(xs, state=end[:1])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray])
def test_sequence_mask_of_any_integers(dtype, kind):
    lengths = [0, 100, 127, *([200, 255] if dtype != "int8" else []), *([300] if dtype[-1] != "8" else [])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of 64 bits, which JAX cuts to 32
        mask = jax.jit(lambda n: sequence_mask(n, 300))(kind(np.array(lengths, dtype)))
    assert (mask.dtype, mask.shape) == (np.bool_, (len(lengths), 300))
    np.testing.assert_array_equal(mask.sum(-1), lengths)
    np.testing.assert_array_equal(mask, np.arange(300) < np.array(lengths)[:, None])


def test_sequence_mask_of_lengths_beyond():
    lengths = np.array([-1, 5, 2**33 + 1, 2**63 - 1])
    assert sequence_mask(lengths, 4).sum(-1).tolist() == [0, 4, 4, 4]
    assert sequence_mask(np.array([2**64 - 1, 2**32], np.uint64), 2).sum(-1).tolist() == [2, 2]
    assert sequence_mask(np.array([3, 0], np.uint8), 0).shape == (2, 0)
    with pytest.raises(ValueError, match="sequence_mask: T must be an int >= 0, got -1"):
        sequence_mask([1], -1)
    with pytest.raises(TypeError, match="lengths must be integers, got bool"):
        sequence_mask(np.array([True]), 3)


def test_sequence_mask():
    np.testing.assert_array_equal(sequence_mask([2, 0, 3], 3), [[1, 1, 0], [0, 0, 0], [1, 1, 1]])
    assert sequence_mask(np.ones((2, 4), np.int32), 5).shape == (2, 4, 5)
    assert sequence_mask(3, 4).tolist() == [True, True, True, False]
    with pytest.raises(TypeError, match=r"lengths must be integers, got float32"):
        sequence_mask(jnp.ones(2), 3)
