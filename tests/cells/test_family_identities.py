"""What the relatives of the LSTM and GRU become at their edges: other cells, closed forms, limits."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import (
    GRU,
    LRU,
    LSTM,
    MGU,
    SLSTM,
    ConvLSTM,
    Elman,
    IndRNN,
    LearnedStart,
    LSTMParams,
    LSTMState,
    LSTMVariant,
    MinGRU,
    MinLSTM,
    unroll,
)
from seqvision.testing import reference
from tests.cells.family import D, H, random_params

KEY = jax.random.key(0)
XS = np.random.default_rng(0).normal(size=(3, 6, D)).astype(np.float32)
XS[..., 0] = 1.0  # a constant feature
LSTM_PARAMS = random_params(LSTM(H), np.random.default_rng(1), np.float32)


def run(cell, params, xs=XS, **options):
    return _run(cell, jax.tree.map(jnp.asarray, params), xs, options)


@partial(jax.jit, static_argnums=0)
def _run(cell, params, xs, options):
    return unroll(cell, params, xs, method="scan", **options)


LSTM_RESULT = run(LSTM(H), LSTM_PARAMS)


def same(got, wanted, tolerance=1e-5):
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def variant(**options):
    """A variant with the weights of the LSTM wherever it has the same."""
    cell = LSTMVariant(H, **options)
    return cell, cell.init(KEY, D)._replace(**LSTM_PARAMS._asdict())


def test_without_options_it_is_the_lstm_to_the_last_bit():
    same(LSTMVariant(H).init(KEY, D)[:3], LSTM(H).init(KEY, D), 0)
    same(run(*variant()), LSTM_RESULT, 0)


def test_neutral_options_leave_the_lstm():
    same(run(*variant(peephole=True)), LSTM_RESULT)  # peepholes start at zero
    same(run(*variant(cell_clip=1e6)), LSTM_RESULT, 1e-6)
    cell, params = variant(proj=H)
    same(run(cell, params._replace(w_p=jnp.eye(H))), LSTM_RESULT)
    cell, params = variant(multiplicative=True)
    ones = jnp.zeros((D, H)).at[0].set(1.0)  # the constant feature makes x W_mx = 1
    same(run(cell, params._replace(w_mx=ones, w_mh=jnp.eye(H))), LSTM_RESULT)


def test_a_coupled_gate_is_an_input_gate_with_the_opposite_weights():
    _, f, g, o = (slice(n * H, (n + 1) * H) for n in range(4))

    def couple(leaf):
        return np.concatenate([-leaf[..., f], leaf[..., f], leaf[..., g], leaf[..., o]], axis=-1)

    coupled = LSTMVariant(H, coupled=True)
    params = coupled.init(KEY, D)._replace(**{name: leaf[..., H:] for name, leaf in LSTM_PARAMS._asdict().items()})
    same(run(coupled, params), run(LSTM(H), jax.tree.map(couple, LSTM_PARAMS)))


@pytest.mark.parametrize(("gate", "n"), [("input_gate", 0), ("forget_gate", 1), ("output_gate", 3)])
def test_a_missing_gate_is_one_that_is_always_open(gate, n):
    def open_gate(leaf, value):
        return jnp.asarray(leaf).at[..., n * H : (n + 1) * H].set(value)

    w_x, w_h, b = LSTM_PARAMS
    expected = run(LSTM(H), LSTMParams(open_gate(w_x, 0.0), open_gate(w_h, 0.0), open_gate(b, 40.0)))
    cell = LSTMVariant(H, **{gate: False})
    rest = {k: np.delete(v, range(n * H, (n + 1) * H), axis=-1) for k, v in LSTM_PARAMS._asdict().items()}
    same(run(cell, cell.init(KEY, D)._replace(**rest)), expected)


def test_layer_norm_does_not_see_the_scale_of_its_weights():
    cell, params = variant(layer_norm=True)
    state = LSTMState(jnp.ones((3, H)), jnp.ones((3, H)))
    large, larger = (params._replace(w_x=s * 1e3 * params.w_x, w_h=1e3 / s * params.w_h) for s in (1.0, 16.0))
    same(run(cell, large, state=state), run(cell, larger, state=state))


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")  # torch runs it by another kernel
def test_projection_as_in_torch():
    torch = pytest.importorskip("torch", reason="compares with torch.nn.LSTM(proj_size)")
    layer = torch.nn.LSTM(D, H, proj_size=3, batch_first=True)
    w = {name: leaf.detach().numpy() for name, leaf in layer.named_parameters()}
    cell = LSTMVariant(H, proj=3)
    params = cell.init(KEY, D)._replace(
        w_x=w["weight_ih_l0"].T, w_h=w["weight_hh_l0"].T, b=w["bias_ih_l0"] + w["bias_hh_l0"], w_p=w["weight_hr_l0"].T
    )
    ys, (h, c) = layer(torch.tensor(XS))
    wanted = (LSTMState(h[0].detach().numpy(), c[0].detach().numpy()), ys.detach().numpy())
    same(run(cell, jax.tree.map(jnp.asarray, params)), wanted)


def test_mgu_is_the_first_gru_with_one_gate():
    w_x, w_h, b = random_params(MGU(H), np.random.default_rng(2), np.float32)
    reset, update, new = ((leaf[..., :H], -leaf[..., :H], leaf[..., H:]) for leaf in (w_x, w_h, b))
    first = GRU(H, reset_after=False)
    like = first.init(KEY, D)
    wide = [jnp.concatenate(parts, axis=-1) for parts in (reset, update, new)]
    same(
        run(MGU(H), MGU(H).init(KEY, D)._replace(w_x=w_x, w_h=w_h, b=b)),
        run(first, like._replace(w_x=wide[0], w_h=wide[1], b=wide[2])),
    )


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_ind_rnn_is_an_elman_cell_with_a_diagonal(activation):
    cell, full = IndRNN(H, activation), Elman(H, activation)
    params = random_params(cell, np.random.default_rng(3), np.float32)
    wanted = run(full, full.init(KEY, D)._replace(w_x=params.w_x, w_h=jnp.diag(params.u), b=params.b))
    same(run(cell, params), wanted)


def test_min_gru_with_a_constant_gate_is_exponential_smoothing():
    params = random_params(MinGRU(H), np.random.default_rng(4), np.float32)
    params = params._replace(w_x=jnp.asarray(params.w_x).at[:, :H].set(0.0))
    z = reference.sigmoid(params.b[:H])
    n = XS @ np.asarray(params.w_x[:, H:]) + params.b[H:]
    weights = z * (1 - z) ** np.arange(6)[::-1, None]  # of the candidates of six steps in the last state
    same(run(MinGRU(H), params)[1][:, -1], (weights * n).sum(axis=1))


def test_min_lstm_with_opposite_gates_is_min_gru():
    w_x, b = random_params(MinGRU(H), np.random.default_rng(5), np.float32)

    def three(leaf):
        return jnp.concatenate([-leaf[..., :H], leaf], axis=-1)  # f = 1 - i

    params = MinLSTM(H).init(KEY, D)._replace(w_x=three(w_x), b=three(b))
    same(run(MinLSTM(H), params), run(MinGRU(H), MinGRU(H).init(KEY, D)._replace(w_x=w_x, b=b)))


def test_min_lstm_with_both_gates_shut_averages():
    cell = MinLSTM(H)
    params = cell.init(KEY, D)
    params = params._replace(b=params.b.at[: 2 * H].set(-1e4))  # both sigmoids are 0: f / (f + i) is not 0 / 0
    value, slope = jax.value_and_grad(lambda p: unroll(cell, p, XS, method="scan")[1].sum())(params)
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slope))


def test_lru_impulse_response_is_a_sum_of_powers():
    cell = LRU(H, features=2)
    with jax.enable_x64(True):
        params = jax.tree.map(jnp.asarray, random_params(cell, np.random.default_rng(6)))
        xs = jnp.zeros((7, D)).at[0].set(jnp.array([1.0, -2.0]))
        ys = unroll(cell, params, xs, method="scan")[1]
    p = {name: np.asarray(leaf) for name, leaf in params._asdict().items()}
    eigenvalues = np.exp(-np.exp(p["nu_log"]) + 1j * np.exp(p["theta_log"]))
    entry = np.exp(p["gamma_log"]) * (np.array([1.0, -2.0]) @ (p["b_re"] + 1j * p["b_im"]))
    wanted = [((eigenvalues**t * entry) @ (p["c_re"] + 1j * p["c_im"])).real for t in range(7)]
    wanted[0] = wanted[0] + np.array([1.0, -2.0]) @ p["d"]
    np.testing.assert_allclose(ys, wanted, rtol=1e-10, atol=1e-10)


def test_lru_starts_on_its_ring_with_states_of_variance_one():
    cell = LRU(200, r_min=0.8, r_max=0.95, max_phase=1.0)
    params = cell.init(KEY, 16)
    radius, angle = np.exp(-np.exp(params.nu_log)), np.exp(params.theta_log)
    assert 0.8 <= radius.min() < 0.81
    assert 0.94 < radius.max() <= 0.95
    assert 0 < angle.min() < angle.max() <= 1
    np.testing.assert_allclose(np.exp(params.gamma_log) ** 2, 1 - radius**2, rtol=1e-4)
    noise = jax.random.normal(jax.random.key(1), (8, 200, 16))
    final, _ = run(cell, params, noise)
    np.testing.assert_allclose(np.mean(np.abs(final.h) ** 2), 1.0, rtol=0.15)
    wild = params._replace(nu_log=jnp.linspace(-20.0, 5.0, 200))
    assert np.isfinite(run(cell, wild, noise)[1]).all()  # no parameter makes an eigenvalue leave the circle


@pytest.mark.parametrize("forget", ["sigmoid", "exp"])
def test_slstm_gates_overflow_without_harm(forget):
    cell = SLSTM(H, forget=forget)
    params = random_params(cell, np.random.default_rng(7), np.float32)

    @jax.jit
    @jax.value_and_grad
    def loss(p):
        return jnp.sum(unroll(cell, p, XS, method="scan")[1] ** 2)

    for scale in (200.0, -200.0):  # exp(a_i) is infinite, or 0 everywhere
        huge = params._replace(b=params.b + scale)
        value, slope = loss(huge)
        assert np.isfinite(value)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slope))
    state, _ = run(cell, huge)
    assert (np.asarray(state.n) >= 1).all()
    assert (np.abs(state.h) <= 1).all()


def test_slstm_stabiliser_may_start_anywhere():
    cell = SLSTM(H)
    params = random_params(cell, np.random.default_rng(8), np.float32)
    state = run(cell, params)[0]
    shifted = state._replace(c=state.c * np.exp(3.0), n=state.n * np.exp(3.0), m=state.m - 3.0)
    same(run(cell, params, state=shifted)[1], run(cell, params, state=state)[1])


def test_conv_lstm_of_one_pixel_is_the_lstm():
    cell = ConvLSTM(H, kernel_size=(3, 3), size=(1, 1))
    params = cell.init(KEY, D)
    center = params._replace(
        w_x=params.w_x.at[1, 1].set(LSTM_PARAMS.w_x), w_h=params.w_h.at[1, 1].set(LSTM_PARAMS.w_h), b=LSTM_PARAMS.b
    )
    final, ys = run(cell, center, XS[:, :, None, None, :])
    same((jax.tree.map(lambda leaf: leaf[:, 0, 0], final), ys[:, :, 0, 0]), LSTM_RESULT)


def test_conv_lstm_moves_with_its_images():
    cell = ConvLSTM(2, kernel_size=(3,), size=(9,))
    params = random_params(cell, np.random.default_rng(9), np.float32)
    params = params._replace(b=np.zeros_like(params.b))  # an empty image leaves the state empty
    xs = np.zeros((3, 9, D), np.float32)
    xs[:, 4] = XS[0, :3]
    ys = run(cell, params, xs)[1]
    same(run(cell, params, np.roll(xs, 1, axis=1))[1][:, 1:], ys[:, :-1])


def test_a_learned_start_is_a_state_that_is_given():
    cell = LearnedStart(LSTM(H))
    params = cell.init(KEY, D)
    same(run(cell, params), run(LSTM(H), params.inner), 0)  # it starts where the cell would
    start = LSTMState(jnp.arange(4.0), -jnp.arange(4.0))
    given = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (3, H)), start)
    same(run(cell, params._replace(start=start)), run(LSTM(H), params.inner, state=given), 0)
    reset = jnp.zeros((3, 6), bool).at[:, 4].set(True)  # a reset returns to the learned state
    _, ys = run(cell, params._replace(start=start), reset=reset)
    same(ys[:, 4:], run(LSTM(H), params.inner, XS[:, 4:], state=given)[1])


def test_a_learned_start_runs_as_fast_as_its_cell():
    cell = LearnedStart(LSTM(H))
    params = cell.init(KEY, D)
    half = jax.tree.map(lambda leaf: leaf.astype(jnp.float16), params)  # a type that no compiled kernel takes
    xs = XS.astype(jnp.float16)
    programs = [str(jax.make_jaxpr(lambda p, m=m: unroll(cell, p, xs, method=m))(half)) for m in ("auto", "fused")]
    assert programs[0] == programs[1]

    def slopes(method):
        return jax.jit(jax.grad(lambda p: jnp.sum(unroll(cell, p, XS, method=method)[1] ** 2)))(params)

    same(slopes("fused"), slopes("scan"))
    assert np.abs(slopes("fused").start.h).min() > 0


BAD = [
    (lambda: LSTMVariant(0), "hidden must be an int >= 1, got 0"),
    (lambda: LSTMVariant(4, proj=5), "proj must be at most hidden=4, got 5"),
    (lambda: LSTMVariant(4, proj=0), "proj must be an int >= 1, got 0"),
    (lambda: LSTMVariant(4, cell_clip=0.0), r"cell_clip must be a number > 0, got 0\.0"),
    (lambda: LSTMVariant(4, coupled=True, forget_gate=False), "coupled=True means .* drop forget_gate=False"),
    (lambda: LSTMVariant(4, coupled=True, input_gate=False), "coupled=True means .* drop input_gate=False"),
    (
        lambda: run(LSTMVariant(4, peephole=True), LSTMVariant(4).init(KEY, D)),
        r"peephole=True.* needs .*w_c \(3, 4\)\), got .*b \(16,\)\): init them with the same cell",
    ),
    (
        lambda: run(LSTMVariant(4), LSTMVariant(4, layer_norm=True).init(KEY, D)),
        r"needs .*b \(16,\)\), got .*scale_x \(16,\).*: init them with the same cell",
    ),
    (lambda: run(LSTMVariant(4), LSTMVariant(4).init(KEY, 3)), "x has 2 features .* made for 3.*in_features=2"),
    (lambda: MGU(-1), "MGU: hidden must be an int >= 1, got -1"),
    (lambda: MinGRU(0), "MinGRU: hidden"),
    (lambda: MinLSTM(4).init(KEY, 0), r"MinLSTM\.init: in_features must be an int >= 1, got 0"),
    (lambda: IndRNN(4, "gelu"), "activation must be one of 'tanh', 'relu', 'sigmoid', 'linear', got 'gelu'"),
    (lambda: SLSTM(4, forget="tanh"), "forget must be one of 'sigmoid', 'exp', got 'tanh'"),
    (lambda: LRU(4, features=0), "features must be an int >= 1, got 0"),
    (lambda: LRU(4, r_min=0.9, r_max=0.5), r"0 <= r_min < r_max <= 1, got 0\.9 and 0\.5"),
    (lambda: LRU(4, max_phase=0.0), r"max_phase must be in \(0, 2 pi\], got 0\.0"),
    (lambda: ConvLSTM(4, kernel_size=3, size=(8,)), "kernel_size must be a tuple of one to three ints, got 3"),
    (
        lambda: ConvLSTM(4, kernel_size=(3, 3), size=(8,)),
        "kernel_size and size must have one entry for each spatial axis, got",
    ),
    (lambda: ConvLSTM(4, kernel_size=(3,), size=(0,)), "every size in size must be an int >= 1, got 0"),
    (
        lambda: run(ConvLSTM(4, (3,), (8,)), ConvLSTM(4, (3,), (8,)).init(KEY, 2), jnp.ones((5, 7, 2))),
        r"x must be \(\.\.\., \*size, D\) with size \(8,\) and D = 2, got shape \(7, 2\)",
    ),
    (
        lambda: run(ConvLSTM(4, (3,), (8,)), ConvLSTM(4, (3,), (8,)).init(KEY, 2), jnp.ones((5, 8, 3))),
        r"D = 2, got shape \(8, 3\)",
    ),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=range(len(BAD)))
def test_bad_arguments_are_named_with_a_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "cell",
    [
        LSTMVariant(H, peephole=True),
        MGU(H),
        IndRNN(H),
        SLSTM(H),
        LRU(H),
        ConvLSTM(2, (3,), (5,)),
        LearnedStart(LSTM(H)),
    ],
)
def test_cells_are_static_values(cell):
    assert cell == replace(cell)
    assert hash(cell) == hash(replace(cell))
