"""What an unrolling keeps, read off the compiled program."""

import jax
import jax.numpy as jnp
import pytest

from seqvision.cells import GRU, LSTM, Elman, LSTMVariant, unroll

pytestmark = pytest.mark.optimized

N, D, H = 2, 1, 48  # the inputs, copied time first, are little beside the states
STATES = N * H * 4  # bytes of one state's h


def temporaries(function, cell, T):
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), D))
    xs = jax.ShapeDtypeStruct((N, T, D), jnp.float32)
    return jax.jit(function).lower(params, xs).compile().memory_analysis().temp_size_in_bytes


def gradient(cell, **options):
    def loss(params, xs):
        return jnp.sum(unroll(cell, params, xs, **options)[0].h ** 2)

    return jax.grad(loss)


@pytest.mark.parametrize("cell", [Elman(H), GRU(H), LSTM(H), LSTMVariant(H)], ids=lambda cell: type(cell).__name__)
def test_sqrt_grows_as_the_square_root(cell):
    short, long = (temporaries(gradient(cell, remat="sqrt"), cell, T) for T in (1024, 4096))
    assert long < 2.4 * short
    assert temporaries(gradient(cell), cell, 4096) > 10 * long


def test_gates_keeps_less_than_everything():
    everything, lean = (
        temporaries(gradient(LSTM(H), method="fused", remat=remat), LSTM(H), 512) for remat in ("none", "gates")
    )
    assert lean < everything - 3 * 512 * STATES


@pytest.mark.parametrize("method", ["scan", "fused"])
def test_the_last_state_alone_stacks_nothing(method):
    def last(params, xs):
        return unroll(LSTM(H), params, xs, method=method)[1][..., -1, :]

    def final(params, xs):
        return unroll(LSTM(H), params, xs, method=method)[0].h

    def everything(params, xs):
        return unroll(LSTM(H), params, xs, method=method)[1]

    T = 2048
    assert temporaries(final, LSTM(H), T) < T * STATES / 4
    assert temporaries(everything, LSTM(H), T) > T * STATES / 4
