"""Encoder-decoders: the five shapes of input and output, padding, training by the one step, writing."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.cells import GRU, LSTM, unroll_bidirectional
from seqvision.data import Stream, decoder_arrays
from seqvision.models import MLP, ClassificationHead, EncoderDecoder, ImageEncoder, Recurrent, SequenceEncoder
from seqvision.models.parameter_dicts import from_dict, to_dict
from seqvision.seq2seq import Bahdanau, Decoder, Encoded, Luong, generate
from seqvision.seq2seq.decoder import DecoderParams
from seqvision.training import create_state, fit, predict

KEY = jax.random.key(0)
V = 7
TOKENS = np.array([[3, 4, 5, 6], [5, 3, 0, 0]], np.int32)
ENCODER = SequenceEncoder((GRU(3),), V, 4, bidirectional=True)
TRANSLATOR = EncoderDecoder(ENCODER, Decoder(V, LSTM(4), 3, Bahdanau(5), feed="context"))
SPELLER = EncoderDecoder(ImageEncoder((4,), features=5, dropout=0.5), Decoder(V, GRU(4), 3, Luong("general")))

FIVE = {
    "one-to-one": (MLP((4,), head=ClassificationHead(3)), jnp.ones((2, 5)), (2, 3)),
    "one-to-many": (SPELLER, (jnp.ones((2, 8, 8, 1)), TOKENS[:, :3]), (2, 3, V)),
    "many-to-one": (Recurrent((LSTM(4),), readout="last"), jnp.ones((2, 6, 5)), (2, 1, 1)),
    "many-to-many, equal": (
        Recurrent((LSTM(4),), readout="all", head=ClassificationHead(3)),
        jnp.ones((2, 6, 5)),
        (2, 6, 3),
    ),
    "many-to-many, unequal": (TRANSLATOR, (TOKENS, TOKENS[:, :3]), (2, 3, V)),
}


@pytest.mark.parametrize("shape", FIVE)
def test_the_five_shapes(shape):
    model, x, outputs = FIVE[shape]
    assert jax.eval_shape(model.init_with_output, KEY, x)[0].shape == outputs


def test_it_is_the_pure_pieces_with_parameters_as_dicts():
    variables = jax.jit(TRANSLATOR.init)(KEY, (TOKENS, TOKENS[:, :3]))
    params = variables["params"]
    assert set(params["encoder"]) == {"embed", "layer_0", "layer_0_reverse"}
    fields = params["weights"]["decoder"]
    assert set(fields) == {"attention", "b_out", "b_start", "cell", "embedding", "w_c", "w_out", "w_start"}
    assert all(isinstance(fields[name], dict) for name in ("attention", "cell"))
    shapes = jax.eval_shape(lambda: TRANSLATOR.decoder.init(KEY, 6, 6))
    decoder_params = from_dict(shapes, fields)
    assert isinstance(decoder_params, DecoderParams)
    assert to_dict(decoder_params) == fields

    mask = TOKENS > 0

    @jax.jit
    def by_the_pieces():
        ways = tuple(
            from_dict(GRU(3).init(KEY, 4), params["encoder"][name]["cell"]) for name in ("layer_0", "layer_0_reverse")
        )
        xs = params["encoder"]["embed"]["embedding"][TOKENS]
        (ahead, back), memory = unroll_bidirectional(GRU(3), GRU(3), ways, xs, mask=mask)
        encoded = Encoded(jnp.concatenate([ahead.h, back.h], axis=-1), memory, mask)
        scored = TRANSLATOR.decoder.score(decoder_params, encoded, TOKENS[:, :3])
        return scored, generate(TRANSLATOR.decoder, decoder_params, encoded, max_length=5)

    @jax.jit
    def by_the_module():
        x = (TOKENS, TOKENS[:, :3])
        logits, maps = TRANSLATOR.apply(variables, x), TRANSLATOR.apply(variables, x, method="attention")
        return (logits, maps), TRANSLATOR.apply(variables, TOKENS, max_length=5, method="generate")

    for ours, wanted in zip(jax.tree.leaves(by_the_module()), jax.tree.leaves(by_the_pieces()), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-6)


def test_a_padded_source_is_read_as_if_alone():
    variables = jax.jit(TRANSLATOR.init)(KEY, (TOKENS, TOKENS[:, :3]))
    run = jax.jit(partial(TRANSLATOR.apply, variables))
    together, alone = run((TOKENS, TOKENS[:, :3])), run((TOKENS[1:, :2], TOKENS[1:, :3]))
    np.testing.assert_allclose(together[1:], alone, rtol=1e-5, atol=1e-6)


def test_sampling_takes_a_key_and_a_temperature():
    variables = jax.jit(TRANSLATOR.init)(KEY, (TOKENS, TOKENS[:, :3]))
    many = np.tile(TOKENS[:1], (50, 1))
    write = jax.jit(
        lambda key, warmth: (
            TRANSLATOR.apply(variables, many, max_length=4, key=key, temperature=warmth, method="generate").tokens
        )
    )
    assert len(np.unique(write(KEY, 2.0), axis=0)) > 10
    assert len(np.unique(write(KEY, 1e-3), axis=0)) == 1


@pytest.fixture(scope="module")
def copier():
    """A model that has learned to repeat one or two symbols."""
    sources = np.array([[a, b] for a in range(3, V) for b in (0, *range(3, V))], np.int32)
    targets = np.concatenate([sources, np.zeros((len(sources), 1), np.int32)], axis=1)
    targets[np.arange(len(sources)), (sources > 0).sum(1)] = 2
    data = decoder_arrays(sources, targets)
    model = EncoderDecoder(SequenceEncoder((GRU(8),), V, 8), Decoder(V, GRU(16), 8, Luong("general")))
    settings = {"loss": "sequence_cross_entropy", "optimizer": optax.adam(0.02), "metrics": {"exact_match"}}
    done = fit(model, data, **settings, epochs=60, batch_size=10, key=KEY, compilation_cache=False)
    return model, data, done, settings


def test_it_learns_by_fit_and_writes_what_it_learned(copier):
    model, data, done, _ = copier
    assert done.history["exact_match"][-1] == 1
    written = model.apply({"params": done.state.params}, data.x[0], max_length=3, method="generate")
    np.testing.assert_array_equal(written.tokens, data.y)
    np.testing.assert_array_equal(written.lengths, (np.asarray(data.y) > 0).sum(1))
    assert predict(done.state, data).shape == (20, 3, V)


def test_a_stream_gives_what_the_compiled_run_gives(copier):
    model, data, done, settings = copier
    few = {**settings, "epochs": 2, "batch_size": 10, "key": KEY, "compilation_cache": False}
    steps = fit(model, Stream(*jax.tree.map(np.asarray, (data.x, data.y))), **few)
    np.testing.assert_allclose(steps.history["loss"], done.history["loss"][:2], rtol=1e-6)


def test_a_users_encoder_may_return_a_summary_alone():
    class Mean(nn.Module):
        @nn.compact
        def __call__(self, source, *, train=False):
            return Encoded(nn.Dense(4)(source.mean(axis=1)))

    model = EncoderDecoder(Mean(), Decoder(V, GRU(4), 3))
    logits, variables = model.init_with_output(KEY, (jnp.ones((2, 5, 3)), TOKENS[:, :3]))
    assert logits.shape == (2, 3, V)
    written = model.apply(variables, jnp.ones((2, 5, 3)), max_length=3, method="generate")
    assert written.attention is None
    lacking = EncoderDecoder(Mean(), Decoder(V, GRU(4), 3, Luong("general")))
    with pytest.raises(ValueError, match="attention needs a memory: let the encoder return one"):
        lacking.init(KEY, (jnp.ones((2, 5, 3)), TOKENS[:, :3]))


def test_dropout_and_batch_norm_of_the_encoder_train():
    images = jnp.asarray(np.random.default_rng(0).random((2, 8, 8, 1)), jnp.float32)
    x = (images, TOKENS[:, :3])
    model = EncoderDecoder(ImageEncoder((4,), features=5, dropout=0.5, batch_norm=True), SPELLER.decoder)
    state = create_state(model, optax.sgd(0.1), KEY, x)
    assert "norm" in state.batch_stats["encoder"]["ConvBlock_0"]
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    run = partial(model.apply, variables, x, train=True, mutable=["batch_stats"])
    (one, _), (other, _) = run(rngs={"dropout": KEY}), run(rngs={"dropout": jax.random.key(1)})
    assert (one != other).any()


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: SequenceEncoder(GRU(3)).init(KEY, jnp.ones((2, 3, 1))), ValueError, "cells must be a tuple"),
        (lambda: ENCODER.init(KEY, jnp.ones((2, 3))), TypeError, "tokens must be integers, got float32"),
    ],
)
def test_bad_calls(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
