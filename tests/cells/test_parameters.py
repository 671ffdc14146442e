"""Parameters belong to a cell: those of another are refused, those of the same in other clothes are taken."""

import chex
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
    LSTMVariant,
    MinGRU,
    MinLSTM,
    VariationalDropout,
    Zoneout,
    newton_unroll,
    unroll,
    unroll_bidirectional,
    unroll_stack,
    unroll_truncated,
)
from seqvision.cells.parameters import with_names

KEY, D, H = jax.random.key(0), 3, 4
CELLS = {
    "Elman": Elman(H),
    "IndRNN": IndRNN(H),
    "LSTM": LSTM(H),
    "GRU": GRU(H),
    "GRU, reset before": GRU(H, reset_after=False),
    "MGU": MGU(H),
    "MinGRU": MinGRU(H),
    "MinLSTM": MinLSTM(H),
    "LRU": LRU(H),
    "LSTMVariant": LSTMVariant(H),
    "LSTMVariant, coupled": LSTMVariant(H, coupled=True),
    "LSTMVariant, peepholes": LSTMVariant(H, peephole=True),
    "LSTMVariant, projection": LSTMVariant(H, proj=2),
    "LearnedStart": LearnedStart(GRU(H)),
    "Elman, wider": Elman(4 * H),
    "LSTM, wider": LSTM(2 * H),
}
XS = jnp.ones((2, 5, D))


@pytest.mark.parametrize("ours", CELLS)
def test_parameters_of_another_cell_are_refused_wherever_it_starts(ours):
    cell = CELLS[ours]
    for theirs, other in CELLS.items():
        if theirs == ours:
            continue
        params = jax.tree.map(lambda leaf: np.zeros(leaf.shape), jax.eval_shape(lambda c=other: c.init(KEY, D)))
        message = rf"^{type(cell).__name__}\(.* needs .*, got {type(params).__name__}\("
        for start in (lambda p=params: unroll(cell, p, XS), lambda p=params: cell.initial_state(p, (2,))):
            with pytest.raises(ValueError, match=message) as error:
                start()
            assert len(str(error.value)) < 600  # shapes, and no numbers


@pytest.mark.parametrize("ours", CELLS)
@pytest.mark.parametrize("features", [1, 2, D])
def test_parameters_of_the_cell_itself_are_taken_for_any_features(ours, features):
    cell = CELLS[ours]
    assert jax.eval_shape(lambda p: cell.initial_state(p, (2,)), cell.init(KEY, features)) is not None


@pytest.mark.parametrize("name", [name for name in CELLS if name != "LearnedStart"])
def test_a_step_by_itself_refuses_them_too(name):
    cell, other = CELLS[name], LSTM(3 * H)
    state = jax.eval_shape(lambda: cell.initial_state(cell.init(KEY, D), (2,)))
    state = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), state)
    with pytest.raises(ValueError, match=r"needs .*, got LSTMParams\("):
        cell.step(other.init(KEY, D), state, XS[:, 0])


def test_arguments_in_another_place_are_named():
    cell, params = LSTM(H), LSTM(H).init(KEY, D)
    with pytest.raises(TypeError, match=r"xs must be an array, got LSTMParams.*: params come before xs"):
        unroll(cell, XS, params)
    with pytest.raises(TypeError, match=r"cells must be a tuple, got LSTM\(.*: write \(cell,\)"):
        unroll_stack(cell, params, XS)
    with pytest.raises(TypeError, match="params must be a pair, of the forward cell and of the backward one"):
        unroll_bidirectional(cell, cell, params, XS)
    with pytest.raises(TypeError, match="xs must hold real numbers, got complex64"):
        unroll(cell, params, XS.astype(complex))


def test_what_is_wrong_is_said_by_shape():
    wanted = r"LSTMParams\(w_x \(D, 16\), w_h \(4, 16\), b \(16,\)\)"
    got = r"ElmanParams\(w_x \(3, 4\), w_h \(4, 4\), b \(4,\)\): init them with the same cell"
    with pytest.raises(ValueError, match=rf"{wanted}, got {got}"):
        unroll(LSTM(H), Elman(H).init(KEY, D), XS)
    with pytest.raises(ValueError, match=r"needs GRUParams\(.*\), got dict\(.*\): give GRUParams\(\*\*params\)"):
        GRU(H).initial_state(GRU(H).init(KEY, D)._asdict())
    kernel = ConvLSTM(H, (3, 3), (8, 8)).init(KEY, D)
    with pytest.raises(ValueError, match=r"ConvLSTM\(.* needs .*w_x \(5, 5, D, 16\).*, got .*w_x \(3, 3, 3, 16\)"):
        ConvLSTM(H, (5, 5), (8, 8)).initial_state(kernel)


@pytest.mark.parametrize("cell", [Zoneout(LSTM(H), h=0.1), VariationalDropout(LSTM(H), h=0.1)])
def test_wrappers_pass_the_check_on(cell):
    with pytest.raises(ValueError, match=r"^LSTM\(.* got ElmanParams"):
        unroll(cell, Elman(H).init(KEY, D), XS)


@pytest.mark.parametrize("name", CELLS)
def test_a_dict_of_the_fields_is_the_parameters(name):
    cell = CELLS[name]
    params = cell.init(KEY, D)

    def fields(part):
        return {k: fields(v) for k, v in part._asdict().items() if v is not None} if hasattr(part, "_asdict") else part

    for given in (params._asdict(), fields(params)):
        chex.assert_trees_all_equal(with_names(cell, given), params)
        jax.eval_shape(lambda given=given: unroll(cell, given, XS))


def test_a_dict_of_the_fields_computes_the_same():
    params = LSTM(H).init(KEY, D)
    np.testing.assert_array_equal(unroll(LSTM(H), params._asdict(), XS)[1], unroll(LSTM(H), params, XS)[1])


def test_dicts_with_other_fields_are_refused():
    for change in (lambda p: {**p, "bias": p["b"]}, lambda p: {k: v for k, v in p.items() if k != "b"}):
        with pytest.raises(ValueError, match=r"LSTM\(.* needs params with the fields b, w_h, w_x, got w_x"):
            unroll(LSTM(H), change(LSTM(H).init(KEY, D)._asdict()), XS)


@pytest.mark.parametrize(
    "run",
    [
        unroll,
        newton_unroll,
        lambda *args: unroll_truncated(*args, length=2),
        lambda cell, params, xs: unroll_stack((cell,), (params,), xs),
        lambda cell, params, xs: unroll_bidirectional(cell, cell, (params, params), xs),
    ],
)
def test_a_cell_in_another_place_or_a_class_is_named(run):
    params = LSTM(H).init(KEY, D)
    with pytest.raises(TypeError, match="cell comes first, then its parameters") as error:
        run(params, LSTM(H), XS)
    assert "an array (3, 16) of float32" in str(error.value)
    assert len(str(error.value)) < 300
    with pytest.raises(TypeError, match=r"one cell, got the class LSTM: write LSTM\(hidden\)"):
        run(LSTM, params, XS)
    with pytest.raises(ValueError, match="needs LSTMParams"):
        run(LSTM(H), Elman(H).init(KEY, D), XS)


@pytest.mark.parametrize("name", ["mask", "reset"])
@pytest.mark.parametrize("run", [unroll, lambda *args, **flags: unroll_truncated(*args, length=2, **flags)])
def test_flags_may_be_lists(name, run):
    cell = GRU(H)
    flags = [[True, True, False, True, False], [True, False, True, True, True]]
    expected = run(cell, cell.init(KEY, D), XS, **{name: jnp.array(flags)})[1]
    np.testing.assert_array_equal(run(cell, cell.init(KEY, D), XS, **{name: flags})[1], expected)
    with pytest.raises(TypeError, match=f"{name} must be bool, got int32"):
        run(cell, cell.init(KEY, D), XS, **{name: [[1, 1, 0, 1, 0]] * 2})


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("reverse", lambda: unroll(GRU(H), GRU(H).init(KEY, D), XS, reverse="no")),
        ("reverse", lambda: unroll_truncated(GRU(H), GRU(H).init(KEY, D), XS, length=2, reverse="no")),
        ("reset_after", lambda: GRU(H, reset_after="no")),
        ("peephole", lambda: LSTMVariant(H, peephole="no")),
        ("forget_gate", lambda: LSTMVariant(H, forget_gate=0)),
        ("train", lambda: Zoneout(LSTM(H), train="no")),
        ("train", lambda: VariationalDropout(LSTM(H), train=1)),
    ],
)
def test_what_is_true_or_false_is_nothing_else(name, make):
    with pytest.raises(TypeError, match=f"{name} must be True or False, got"):
        make()


@pytest.mark.parametrize("kind", [Elman, LSTM, GRU])
def test_float_types_are_names_or_types(kind):
    for given in (jnp.bfloat16, jnp.dtype("bfloat16"), np.dtype("bfloat16"), "bfloat16"):
        assert kind(H, compute_dtype=given) == kind(H, compute_dtype="bfloat16")
    for wrong in ("bf16", jnp.int32, 3):
        with pytest.raises(ValueError, match=f"{kind.__name__}: compute_dtype must be one of"):
            kind(H, compute_dtype=wrong)


@pytest.mark.parametrize("kind", [Elman, LSTM, GRU, MGU, IndRNN, MinGRU, MinLSTM, LRU, SLSTM, LSTMVariant])
def test_sizes_may_be_numbers_of_numpy(kind):
    assert kind(np.int64(H)) == kind(H)
    assert hash(kind(np.int64(H))) == hash(kind(H))
    params = kind(np.int64(H)).init(KEY, np.int64(D))
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, kind(H).init(KEY, D))
