"""What users of the cells rely on beside the numbers: initial weights, dtypes, errors, compilations, own cells."""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import (
    GRU,
    LSTM,
    Cell,
    Elman,
    ElmanParams,
    ElmanState,
    GRUParams,
    GRUState,
    LearnedStart,
    LSTMParams,
    LSTMState,
    LSTMVariant,
    VariationalDropout,
    Zoneout,
    unroll,
    unroll_bidirectional,
    unroll_stack,
)
from seqvision.testing import reference
from tests.cells.cases import CELLS, D, H, methods, random_params

KEY = jax.random.key(0)
TYPES = {"elman": (ElmanParams, ElmanState, 1), "gru": (GRUParams, GRUState, 3), "lstm": (LSTMParams, LSTMState, 4)}


@pytest.mark.parametrize("name", CELLS)
def test_parameters_and_states_are_as_the_contract_says(name):
    cell, (Params, State, gates) = CELLS[name][0], TYPES[name.split("-")[0]]
    assert isinstance(cell, Cell)
    params = cell.init(KEY, 7)
    assert isinstance(params, Params)
    assert (params.w_x.shape, params.w_h.shape, params.b.shape) == ((7, gates * H), (H, gates * H), (gates * H,))
    if name.startswith("gru"):
        assert (params.b_n is None) == (name == "gru-reset-before")
    for batch in ((), (3,), (2, 3)):
        state = cell.initial_state(params, batch)
        assert isinstance(state, State)
        assert all(leaf.shape == (*batch, H) and not leaf.any() for leaf in state)
    assert cell == replace(cell)
    assert hash(cell) == hash(replace(cell))
    assert type(replace(cell, hidden=np.int64(H)).hidden) is int
    assert not any(isinstance(value, jax.Array | np.ndarray) for value in vars(cell).values())


@pytest.mark.parametrize("name", ["elman-tanh", "gru", "gru-reset-before", "lstm"])
def test_initial_weights(name):
    hidden, in_features, gates = 32, 8, TYPES[name.split("-")[0]][2]
    params = replace(CELLS[name][0], hidden=hidden).init(KEY, in_features)
    for block in np.split(np.asarray(params.w_h), gates, axis=1):
        np.testing.assert_allclose(block.T @ block, np.eye(hidden), atol=1e-5)
    blocks = np.split(np.asarray(params.w_h), gates, axis=1) + np.split(np.asarray(params.w_x), gates, axis=1)
    assert len({block.tobytes() for block in blocks}) == 2 * gates  # every gate has its own draw
    limit = np.sqrt(6 / (in_features + hidden))
    assert limit * 0.98 < np.abs(params.w_x).max() <= limit
    np.testing.assert_allclose(np.std(params.w_x), limit / np.sqrt(3), rtol=0.1)
    other = replace(CELLS[name][0], hidden=hidden).init(jax.random.key(1), in_features)
    assert not np.allclose(params.w_x, other.w_x)
    assert not np.allclose(params.w_h, other.w_h)


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.float32])
@pytest.mark.parametrize(
    ("wrapped", "inner"),
    [
        (Zoneout(LSTM(H)), LSTM(H)),
        (VariationalDropout(GRU(H)), GRU(H)),
        (VariationalDropout(Zoneout(Elman(H))), Elman(H)),
        (LearnedStart(LSTMVariant(H, peephole=True, proj=2)), LSTMVariant(H, peephole=True, proj=2)),
    ],
    ids=repr,
)
def test_wrappers_draw_what_the_cell_in_them_draws_in_any_dtype(wrapped, inner, dtype):
    drawn = wrapped.init(KEY, 3, dtype)
    weights = getattr(drawn, "inner", drawn)
    assert {leaf.dtype for leaf in jax.tree.leaves(drawn)} == {jnp.dtype(dtype)}
    for a, b in zip(jax.tree.leaves(weights), jax.tree.leaves(inner.init(KEY, 3, dtype)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("forget_bias", [1.0, 0.0, -2.5])
def test_the_forget_bias_is_a_parameter(forget_bias):
    b = LSTM(3, forget_bias=forget_bias).init(KEY, 2).b
    np.testing.assert_array_equal(b, [0] * 3 + [forget_bias] * 3 + [0] * 6)
    assert not any(leaf.any() for leaf in (GRU(3).init(KEY, 2).b, GRU(3).init(KEY, 2).b_n, Elman(3).init(KEY, 2).b))


MIXTURES = [
    (jnp.float16, jnp.float32, jnp.float32),
    (jnp.float32, jnp.float16, jnp.float32),
    (jnp.float32, jnp.int32, jnp.float32),
    (jnp.bfloat16, jnp.bfloat16, jnp.bfloat16),
    (jnp.bfloat16, jnp.float32, jnp.float32),
    (jnp.float16, jnp.bfloat16, jnp.float32),
    (jnp.float16, jnp.uint8, jnp.float16),
]


@pytest.mark.parametrize(
    ("name", "of_params", "of_inputs", "result"),
    [("lstm", *mixture) for mixture in MIXTURES]
    + [(name, *mixture) for name in ("elman-tanh", "gru", "gru-reset-before") for mixture in MIXTURES[:1]],
)
def test_mixed_dtypes(name, of_params, of_inputs, result):
    cell, forward, _ = CELLS[name]
    rng = np.random.default_rng(0)
    params = jax.tree.map(lambda leaf: leaf.astype(of_params), random_params(cell, rng, dtype=np.float32))
    xs = jnp.asarray(3 * rng.random((2, 4, D)), of_inputs)
    mask, reset = rng.random((2, 4)) < 0.7, rng.random((2, 4)) < 0.3
    _, expected = forward(params, xs, mask=mask, reset=reset)
    tolerance = 0.05 if jnp.dtype(result).itemsize == 2 else 1e-4
    for method in methods(name)[:2]:
        run = jax.jit(partial(unroll, cell, method=method))
        final, ys = run(params, xs, mask=mask, reset=reset)
        assert {leaf.dtype for leaf in jax.tree.leaves((final, ys))} == {jnp.dtype(result)}
        with jax.default_matmul_precision("highest"):
            np.testing.assert_allclose(ys.astype(np.float32), expected, atol=tolerance)


def test_a_wider_initial_state_is_kept_wide():
    cell = LSTM(H)
    params = cell.init(KEY, D, jnp.float16)
    state = LSTMState(jnp.zeros((3, H), jnp.float32), jnp.zeros((3, H), jnp.float32))
    for method in ("scan", "fused"):
        final, ys = unroll(cell, params, jnp.ones((3, 4, D), jnp.float16), state=state, method=method)
        assert final.h.dtype == final.c.dtype == ys.dtype == jnp.float32


GOOD = {"cell": LSTM(H), "params": LSTM(H).init(KEY, D), "xs": jnp.ones((3, 5, D))}
BAD_CALLS = [
    ({"cell": "lstm"}, TypeError, "cell must have init, initial_state and step, got 'lstm'"),
    ({"xs": jnp.ones((D,))}, ValueError, r"xs must be \(\.\.\., T, D\), got shape \(2,\)"),
    ({"xs": jnp.ones((3, 5, D + 1))}, ValueError, r"x has 3 features .* made for 2.*in_features=3"),
    ({"mask": jnp.ones((3, 5))}, TypeError, r"mask must be bool, got float32.*astype\(bool\)"),
    ({"reset": np.ones((3, 5), np.int64)}, TypeError, "reset must be bool, got int"),
    ({"mask": jnp.ones((5, 3), bool)}, ValueError, r"mask must have the shape .*\(3, 5\).*got \(5, 3\)"),
    ({"reset": jnp.ones((5,), bool)}, ValueError, r"reset must have the shape .*\(3, 5\).*got \(5,\)"),
    ({"method": "fast"}, ValueError, "method must be one of 'auto', .*'fused', .*'scan', .*, got 'fast'"),
    ({"remat": "all"}, ValueError, "remat must be one of 'none', 'gates', 'sqrt', got 'all'"),
    ({"method": "newton", "remat": "sqrt"}, ValueError, "remat='sqrt'"),
    ({"method": "associative"}, ValueError, r'method="associative" does not know LSTM'),
    ({"method": "pallas"}, ValueError, r'method="pallas" does not know LSTM\(hidden=4'),
    (
        {"method": "cudnn", "cell": GRU(H), "params": GRU(H).init(KEY, D)},
        ValueError,
        '"cudnn" does not know GRU',
    ),
    (
        {"method": "fused", "cell": LSTMVariant(H), "params": LSTMVariant(H).init(KEY, D)},
        ValueError,
        "does not know LSTMVariant",
    ),
    ({"state": LSTM(H).initial_state(GOOD["params"])}, ValueError, r"state\.h must .*\(3, 4\).* got .*\(4,\)"),
    (
        {"state": LSTM(H + 1).initial_state(LSTM(H + 1).init(KEY, D), (3,))},
        ValueError,
        r"state\.h .*\(3, 4\).*\(3, 5\)",
    ),
    ({"state": (jnp.zeros((3, H)), jnp.zeros((3, H)))}, ValueError, r"state must be .*LSTMState"),
]


@pytest.mark.parametrize(("change", "kind", "message"), BAD_CALLS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("compiled", [False, True])
def test_bad_calls_name_the_argument_the_value_and_the_remedy(change, kind, message, compiled):
    call = {**GOOD, **change}
    run = partial(unroll, call.pop("cell"))
    static = {name: call.pop(name) for name in ("method", "remat") if name in call}
    run = partial(run, **static)
    with pytest.raises(kind, match=message):
        (jax.jit(run) if compiled else run)(**call)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LSTM(0), "hidden must be an int >= 1, got 0"),
        (lambda: GRU(2.0), "hidden must be an int >= 1, got 2.0"),
        (lambda: Elman(True), "hidden must be an int >= 1, got True"),
        (lambda: Elman(3, "gelu"), "activation must be one of 'tanh', 'relu', 'sigmoid', 'linear', got 'gelu'"),
        (lambda: LSTM(3).init(KEY, 0), "in_features must be an int >= 1, got 0"),
        (lambda: unroll_stack((GRU(2),), (), jnp.ones((4, 1))), "1 cells, 0 params"),
        (lambda: unroll_bidirectional(GRU(2), GRU(2), (None, None), jnp.ones((4, 1)), reverse=True), "drop reverse"),
    ],
)
def test_bad_sizes_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", ["elman-tanh", "gru", "lstm"])
def test_equal_cells_share_one_compilation(name):
    traces = []

    @jax.jit(static_argnums=0)
    def run(cell, params, xs):
        traces.append(cell)
        return unroll(cell, params, xs)[1]

    cell = CELLS[name][0]
    for seed in range(3):
        run(replace(cell), random_params(cell, np.random.default_rng(seed), dtype=np.float32), jnp.ones((2, 3, D)))
    assert len(traces) == 1
    run(replace(cell, hidden=H + 1), replace(cell, hidden=H + 1).init(KEY, D), jnp.ones((2, 3, D)))
    assert len(traces) == 2


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_a_population_of_parameters_by_vmap(name):
    cell = CELLS[name][0]
    members = [random_params(cell, np.random.default_rng(seed), dtype=np.float32) for seed in range(3)]
    xs, mask = np.random.default_rng(9).normal(size=(2, 4, D)).astype(np.float32), np.arange(4) < [[4], [2]]
    gradient = jax.grad(lambda params: jnp.sum(unroll(cell, params, xs, mask=mask)[1] ** 2))
    together = jax.jit(jax.vmap(gradient))(jax.tree.map(lambda *leaves: jnp.stack(leaves), *members))
    for n, params in enumerate(members):
        for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(gradient(params)), strict=True):
            np.testing.assert_allclose(a[n], b, rtol=1e-4, atol=1e-5)


def test_stacked_and_bidirectional():
    rng = np.random.default_rng(0)
    cells = (LSTM(5), GRU(H))
    params = (random_params(cells[0], rng, D, np.float32), random_params(cells[1], rng, 5, np.float32))
    xs, mask = rng.normal(size=(3, 6, D)).astype(np.float32), np.arange(6) < [[6], [3], [0]]
    finals, ys = unroll_stack(cells, params, xs, mask=mask)
    below, hidden = reference.lstm(params[0], xs, mask=mask)
    top, expected = reference.gru(params[1], hidden, mask=mask)
    for got, wanted in zip((ys, *finals[0], *finals[1]), (expected, *below, *top), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)

    ways = (params[0], random_params(LSTM(2), rng, D, np.float32))
    finals, ys = unroll_bidirectional(LSTM(5), LSTM(2), ways, xs, mask=mask)
    ahead, ys_ahead = reference.lstm(ways[0], xs, mask=mask)
    back, ys_back = reference.lstm(ways[1], xs, mask=mask, reverse=True)
    np.testing.assert_allclose(ys, np.concatenate([ys_ahead, ys_back], axis=-1), rtol=1e-4, atol=1e-5)
    for got, wanted in zip(jax.tree.leaves(finals), (*ahead, *back), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


class CounterState(NamedTuple):
    total: jax.Array  # (..., D)
    steps: jax.Array  # (...), integer: states need not be floats, nor outputs of the state's size


@dataclass(frozen=True)
class RunningMean:
    """A cell of a user's own: the mean of what it has seen, from a start that is not zero."""

    prior: float = 1.0

    def init(self, key, in_features):
        return {"scale": jax.random.normal(key, (in_features,))}

    def initial_state(self, params, batch_shape=()):
        total = jnp.full((*batch_shape, params["scale"].shape[0]), self.prior, params["scale"].dtype)
        return CounterState(total, jnp.ones(batch_shape, jnp.int32))

    def step(self, params, state, x):
        new = CounterState(state.total + x, state.steps + 1)
        mean = new.total / new.steps[..., None].astype(x.dtype)
        return new, jnp.sum(mean * params["scale"].reshape((1,) * (mean.ndim - 1) + (-1,)), axis=-1, keepdims=True)


def test_a_users_cell_unrolls_with_masks_and_resets():
    cell, rng = RunningMean(), np.random.default_rng(0)
    params, xs = {"scale": jnp.asarray([1.0, 2.0])}, rng.normal(size=(5, 2)).astype(np.float32)
    mask, reset = np.array([1, 0, 1, 1, 1], bool), np.array([0, 0, 0, 1, 0], bool)
    means = [(1 + xs[0]) / 2, None, (1 + xs[0] + xs[2]) / 3, (1 + xs[3]) / 2, (1 + xs[3] + xs[4]) / 3]
    expected = [[0.0] if mean is None else [mean @ [1.0, 2.0]] for mean in means]
    final, ys = unroll(cell, params, xs, mask=mask, reset=reset)
    np.testing.assert_allclose(ys, expected, rtol=1e-5)
    assert final.steps == 3
    batched, ys = unroll(cell, params, np.stack([xs, xs]), mask=np.stack([mask, mask]), reset=np.stack([reset, reset]))
    np.testing.assert_allclose(ys[1], expected, rtol=1e-5)
    assert batched.steps.shape == (2,)
    with pytest.raises(ValueError, match="does not know RunningMean"):
        unroll(cell, params, xs, method="fused")
    drawn = LearnedStart(cell).init(KEY, 2)  # an init without a dtype is wrapped as any other
    assert drawn.start.steps.dtype == jnp.int32


@dataclass(frozen=True)
class Halved(LSTM):
    """A user's variant of a cell of ours: only its step is written anew."""

    def step(self, params, state, x):
        state, y = super().step(params, state, x)
        return state._replace(h=0.5 * state.h), 0.5 * y


@dataclass(frozen=True)
class Sine(Elman):
    """Another variant: one part of the step is written anew, its transpose is not."""

    def pointwise(self, a_x, a_h, state):
        h = jnp.sin(a_x + a_h)
        return ElmanState(h), (h,)


@pytest.mark.parametrize("cell", [Halved(H), Sine(H)])
def test_a_variant_of_a_cell_of_ours_runs_as_it_is_written(cell):
    params, xs = cell.init(KEY, D), jnp.ones((3, 4, D))

    def loss(params, method):
        return jnp.sum(unroll(cell, params, xs, method=method)[1] ** 2)

    for a, b in zip(jax.grad(loss)(params, "auto"), jax.grad(loss)(params, "scan"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loss(params, "auto"), loss(params, "scan"), rtol=1e-6)
