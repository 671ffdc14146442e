"""Zoneout and variational dropout against Python loops over the masks that they drew."""

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
    LearnedStart,
    LSTMVariant,
    MinGRU,
    VariationalDropout,
    Zoneout,
    unroll,
)
from seqvision.models import Recurrent, RecurrentLayer
from tests.cells.family import D, H, random_params

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
XS = RNG.normal(size=(3, 5, D)).astype(np.float32)


run = jax.jit(unroll, static_argnums=0, static_argnames="reverse")


class OwnGRU(GRU):
    """A user's GRU, whose step may carry over anything."""


def close(got, wanted):
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def by_hand(cell, params, xs, change):
    """Run a cell by a Python loop, with ``change(t, old, new)`` after every step."""
    state, ys, step = cell.initial_state(params, xs.shape[:1]), [], jax.jit(cell.step)
    for t in range(xs.shape[1]):
        new, _ = step(params, state, xs[:, t])
        state = change(t, state, new)
        ys.append(state.h)
    return state, jnp.stack(ys, axis=1)


@pytest.mark.parametrize("inner", [LSTM(H), LSTMVariant(H, proj=3)], ids=repr)
def test_zoneout_keeps_what_its_masks_say(inner):
    cell = Zoneout(inner, h=0.3, c=0.6, train=True)
    params = inner.init(KEY, D)
    noisy = cell.with_masks(params, XS, jax.random.key(1))
    P = inner.initial_state(params).h.shape[-1]
    assert noisy.shape == (3, 5, D + P + H)
    np.testing.assert_array_equal(noisy[..., :D], XS)
    assert set(np.unique(noisy[..., D:])) == {0.0, 1.0}
    kept_h, kept_c = np.split(np.asarray(noisy[..., D:], bool), [P], axis=-1)

    def change(t, old, new):
        h, c = jnp.where(kept_h[:, t], old.h, new.h), jnp.where(kept_c[:, t], old.c, new.c)
        return new._replace(h=h, c=c)

    close(run(cell, params, noisy), by_hand(inner, params, XS, change))


def test_zoneout_at_inference_takes_the_expected_part():
    inner = GRU(H)
    cell = Zoneout(inner, h=0.3)
    params = cell.init(KEY, D)

    def change(t, old, new):
        return new._replace(h=0.3 * old.h + 0.7 * new.h)

    close(run(cell, params, XS), by_hand(inner, params, XS, change))


def test_zoneout_keeps_as_often_as_asked():
    cell = Zoneout(LSTM(H), h=0.2, c=0.7, train=True)
    masks = cell.with_masks(cell.init(KEY, D), jnp.zeros((100, 250, D)), KEY)[..., D:]
    np.testing.assert_allclose(masks[..., :H].mean(), 0.2, atol=0.01)
    np.testing.assert_allclose(masks[..., H:].mean(), 0.7, atol=0.01)
    assert not np.array_equal(masks[0, 0], masks[0, 1])


def drop(params, mask):
    """Weights whose recurrent products see h * mask."""
    return params._replace(w_h=mask[:, None] * params.w_h)


@pytest.mark.parametrize("inner", [LSTM(H), SLSTM(H), GRU(H)], ids=repr)
def test_a_dropped_unit_is_one_whose_recurrent_weights_are_zero(inner):
    cell = VariationalDropout(inner, h=0.5, train=True)
    params = inner.init(KEY, D)
    noisy = np.asarray(cell.with_masks(params, XS, jax.random.key(2)))
    np.testing.assert_array_equal(noisy[..., :D], XS)
    masks = noisy[:, 0, D:]
    np.testing.assert_array_equal(noisy[..., D:], np.repeat(masks[:, None], 5, axis=1))  # the same in every step
    assert set(np.unique(masks)) == {0.0, 2.0}
    assert len(np.unique(masks, axis=0)) > 1  # not in every sequence
    _, ys = run(cell, params, noisy)
    for n in range(3):  # a GRU's z h is not dropped: its weights alone are
        close(ys[n], run(inner, drop(params, jnp.asarray(masks[n])), XS[n])[1])


def test_the_first_gru_and_no_dropout():
    for inner in (GRU(H), GRU(H, reset_after=False)):
        params = jax.tree.map(jnp.asarray, random_params(inner, np.random.default_rng(1), np.float32))
        cell = VariationalDropout(inner, train=True)
        close(run(cell, params, cell.with_masks(params, XS, KEY)), run(inner, params, XS))
    quiet, state = replace(cell, h=0.9, train=False), inner.initial_state(params, (3,))
    close(quiet.step(params, state, XS[:, 0]), inner.step(params, state, XS[:, 0]))


def test_inputs_are_dropped_for_whole_sequences():
    cell = VariationalDropout(LSTM(H), x=0.5, train=True)
    xs = np.ones((50, 4, 6), np.float32)
    noisy = np.asarray(cell.with_masks(cell.init(KEY, 6), xs, KEY))[..., :6]
    assert set(np.unique(noisy)) == {0.0, 2.0}
    np.testing.assert_array_equal(noisy, np.repeat(noisy[:, :1], 4, axis=1))
    np.testing.assert_allclose(noisy.mean(), 1.0, atol=0.2)


def test_masked_and_reversed_sequences():
    cell = Zoneout(LSTM(H), h=0.3, c=0.3, train=True)
    params, mask = cell.init(KEY, D), RNG.random((3, 5)) < 0.6
    noisy = cell.with_masks(params, jnp.where(mask[..., None], XS, jnp.nan), KEY)
    clean = cell.with_masks(params, XS, KEY)
    close(run(cell, params, noisy, mask=mask), run(cell, params, clean, mask=mask))
    flipped = run(cell, params, clean[:, ::-1])[1][:, ::-1]
    close(run(cell, params, clean, reverse=True)[1], flipped)


@pytest.mark.parametrize("wrapper", [Zoneout, VariationalDropout])
def test_images(wrapper):
    cell = wrapper(ConvLSTM(2, kernel_size=(3,), size=(5,)), h=0.4, train=True)
    params, xs = cell.init(KEY, D), jnp.ones((3, 4, 5, D))
    noisy = cell.with_masks(params, xs, KEY)
    assert noisy.shape == (3, 4, 5, D + 2)
    assert jax.eval_shape(partial(unroll, cell), params, noisy)[1].shape == (3, 4, 5, 2)


BAD = [
    (lambda: Zoneout(LSTM(H), h=1.0), r"Zoneout: h must be a number >= 0 and < 1, got 1\.0"),
    (
        lambda: VariationalDropout(LSTM(H), x=-0.1),
        r"VariationalDropout: x must be a number >= 0 and < 1, got -0\.1",
    ),
    (lambda: VariationalDropout(MGU(H), h=0.1), "MGU.*carries h over beside its products: use Zoneout"),
    (lambda: VariationalDropout(MinGRU(H), h=0.1), "MinGRU.*carries h over"),
    (lambda: VariationalDropout(OwnGRU(H), h=0.1), "OwnGRU.*carries h over"),
    (lambda: _start(Zoneout(GRU(H), h=0.1, c=0.1)), "with c=0.1 the state of GRU.*must be a NamedTuple of h and c"),
    (lambda: _start(Zoneout(SLSTM(H), h=0.1)), r"the state of SLSTM.*got \('h', 'c', 'n', 'm'\)"),
    (lambda: _start(Zoneout(LRU(H), h=0.1)), r"the output of LRU.*must be its state h: wrap another cell"),
    (
        lambda: _start(Zoneout(LSTM(H), h=0.1, train=True)),
        "features and 4 masks, got 2 values: pass xs through with_masks",
    ),
]


def _start(cell):
    return run(cell, cell.init(KEY, D), XS)


@pytest.mark.parametrize(("call", "message"), BAD, ids=range(len(BAD)))
def test_bad_arguments_are_named_with_a_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_flax_layers_are_noisy_in_training_only():
    model = Recurrent((Zoneout(LSTM(H), h=0.3), VariationalDropout(GRU(H), h=0.3)), head=None)
    plain = Recurrent((Zoneout(LSTM(H), h=0.3), GRU(H)), head=None)
    variables = jax.jit(model.init)(KEY, XS)

    @jax.jit
    def noisy(seed):
        return model.apply(variables, XS, train=True, rngs={"dropout": jax.random.key(seed)})

    quiet = jax.jit(model.apply)(variables, XS)
    assert variables["params"]["layer_0"]["cell"].keys() == {"w_x", "w_h", "b"}
    close(quiet, jax.jit(plain.apply)(variables, XS))
    np.testing.assert_array_equal(noisy(1), noisy(1))
    assert not np.allclose(noisy(1), noisy(2))
    assert not np.allclose(noisy(1), quiet)


def test_flax_layers_take_every_cell():
    layer = RecurrentLayer(LearnedStart(LSTMVariant(H, peephole=True)))
    variables = jax.eval_shape(layer.init, KEY, XS)
    cell = variables["params"]["cell"]
    assert cell["inner"].keys() == {"w_x", "w_h", "b", "w_c"}
    assert cell["start"].keys() == {"h", "c"}
    assert jax.eval_shape(layer.apply, variables, XS)[1].shape == (3, 5, H)


@pytest.mark.parametrize("readout", ["last", pytest.param("mean", marks=pytest.mark.slow)])
def test_flax_models_of_images(readout):
    model = Recurrent((ConvLSTM(2, kernel_size=(3, 3), size=(4, 5)),), readout=readout, head=None, bidirectional=True)
    xs = RNG.normal(size=(2, 3, 4, 5, 1)).astype(np.float32)
    mask = jnp.array([[True, True, False], [True, True, True]])
    variables, apply = jax.jit(model.init)(KEY, xs), jax.jit(model.apply)
    masked, alone = apply(variables, xs, mask=mask), apply(variables, xs[:1, :2])
    assert masked.shape == (2, 4, 5, 4)
    np.testing.assert_allclose(masked[:1], alone, rtol=1e-5, atol=1e-6)
