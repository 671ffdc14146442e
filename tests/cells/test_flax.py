"""The cells against flax.linen's, with flax's weights copied: outputs, states, gradients."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import GRU, LSTM, Elman, ElmanParams, GRUParams, LSTMParams, unroll

N, T, D, H = 3, 5, 2, 4


def lstm_params(flax):
    return LSTMParams(
        w_x=jnp.concatenate([flax[f"i{gate}"]["kernel"] for gate in "ifgo"], axis=1),
        w_h=jnp.concatenate([flax[f"h{gate}"]["kernel"] for gate in "ifgo"], axis=1),
        b=jnp.concatenate([flax[f"h{gate}"]["bias"] for gate in "ifgo"]),
    )


def gru_params(flax):
    return GRUParams(
        w_x=jnp.concatenate([flax[f"i{gate}"]["kernel"] for gate in "rzn"], axis=1),
        w_h=jnp.concatenate([flax[f"h{gate}"]["kernel"] for gate in "rzn"], axis=1),
        b=jnp.concatenate([flax[f"i{gate}"]["bias"] for gate in "rzn"]),
        b_n=flax["hn"]["bias"],
    )


def elman_params(flax):
    return ElmanParams(w_x=flax["i"]["kernel"], w_h=flax["h"]["kernel"], b=flax["i"]["bias"])


PAIRS = {
    "lstm": (nn.OptimizedLSTMCell, LSTM(H), lstm_params),
    "gru": (nn.GRUCell, GRU(H), gru_params),
    "elman": (nn.SimpleCell, Elman(H), elman_params),
}


@pytest.mark.parametrize("method", ["scan", "fused"])
@pytest.mark.parametrize("name", PAIRS)
def test_flax(name, method):
    theirs, cell, convert = PAIRS[name]
    layer = nn.RNN(theirs(features=H), return_carry=True)
    rng = np.random.default_rng(0)
    xs = jnp.asarray(rng.normal(size=(N, T, D)), jnp.float32)
    variables = layer.init(jax.random.key(0), xs)
    variables = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), jnp.float32), variables)
    d_ys = rng.normal(size=(N, T, H)).astype(np.float32)
    lengths = jnp.asarray([5, 2, 4])
    mask = jnp.arange(T)[None] < lengths[:, None]

    @jax.jit
    def flax_way(variables, xs):
        final, ys = layer.apply(variables, xs, seq_lengths=lengths)
        return jnp.sum(jnp.where(mask[..., None], ys * d_ys, 0.0)), (final, ys)

    @jax.jit
    def our_way(params, xs):
        final, ys = unroll(cell, params, xs, mask=mask, method=method)
        return jnp.sum(ys * d_ys), (final, ys)

    with jax.default_matmul_precision("highest"):
        (_, (final, ys)), (d_variables, d_xs) = jax.value_and_grad(flax_way, (0, 1), has_aux=True)(variables, xs)
        params = convert(variables["params"]["cell"])
        (_, (our_final, our_ys)), (d_params, our_d_xs) = jax.value_and_grad(our_way, (0, 1), has_aux=True)(params, xs)

    carry = (our_final.c, our_final.h) if name == "lstm" else our_final.h  # flax carries (c, h)
    pairs = [
        (our_ys, jnp.where(mask[..., None], ys, 0.0)),
        (carry, final),
        (d_params, convert(d_variables["params"]["cell"])),
        (our_d_xs, d_xs),
    ]
    for ours, flax in pairs:
        for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(flax), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
