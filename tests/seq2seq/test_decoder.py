"""The decoder against one step at a time in float64 NumPy, and generation against scoring ever longer prefixes."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import GRU, LSTM
from seqvision.cells.unrolling.methods import METHODS
from seqvision.seq2seq import Bahdanau, Decoder, Encoded, Luong, generate
from seqvision.testing import reference
from tests.cells.unrolling.test_fused_structure import inner_programs, products, scans

V, E, H, F, M, S = 7, 3, 4, 5, 4, 6
KEY = jax.random.key(0)
DECODERS = {
    "plain": Decoder(V, LSTM(H), E),
    "luong": Decoder(V, LSTM(H), E, Luong("general")),
    "luong-feeding": Decoder(V, GRU(H), E, Luong("dot"), "attentional"),
    "bahdanau": Decoder(V, GRU(H), E, Bahdanau(5), "context"),
    "bahdanau-lstm": Decoder(V, LSTM(H), E, Bahdanau(5), "context"),
}


def draw(name, rows=3, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    decoder = DECODERS[name]
    params = jax.tree.map(lambda p: rng.normal(size=p.shape).astype(dtype), decoder.init(KEY, F, M))
    memory = rng.normal(size=(rows, S, M)).astype(dtype)
    mask = np.arange(S) < [[S], [2], [4]][:rows]
    return decoder, params, Encoded(rng.normal(size=(rows, F)).astype(dtype), memory, mask)


def by_hand(decoder, params, encoded, tokens):
    """The equations of the class, one token of one row after the other."""
    run = reference.lstm if isinstance(decoder.cell, LSTM) else reference.gru
    logits = np.zeros((*tokens.shape, V))
    maps = np.zeros((*tokens.shape, S))

    def read(query, row):
        if isinstance(decoder.attention, Bahdanau):
            found = reference.bahdanau(params.attention, query[None], encoded.memory[row], encoded.mask[row])
        else:
            score = decoder.attention.score
            found = reference.luong(params.attention, query[None], encoded.memory[row], encoded.mask[row], score)
        return found[0][0], found[1][0]

    for row, t in np.ndindex(*tokens.shape):
        if t == 0:
            start = np.tanh(encoded.summary[row] @ params.w_start + params.b_start)
            state = tuple(np.split(start, len(start) // H))  # h, and c of the LSTM
            y, v = start[:H], np.zeros(H)
        x = params.embedding[tokens[row, t]]
        if decoder.feed == "context":
            context, maps[row, t] = read(y, row)
            x = np.concatenate([x, context])
        if decoder.feed == "attentional":
            x = np.concatenate([x, v])
        state, ys = run(params.cell, x[None], state=state)
        y = v = ys[0]
        if decoder.attention is not None:
            if decoder.feed != "context":
                context, maps[row, t] = read(y, row)
            v = np.tanh(np.concatenate([context, y]) @ params.w_c)
        logits[row, t] = v @ params.w_out + params.b_out
    return logits, maps


def test_weights_start_as_the_docstrings_say():
    decoder = Decoder(1000, GRU(64), 32, Bahdanau(48), "context")
    params = decoder.init(KEY, summary_features=40, memory_features=56)
    lengths = np.linalg.norm(params.embedding, axis=-1)
    assert lengths.mean() == pytest.approx(1, abs=0.02)
    attention = params.attention
    for kernel in (params.w_start, params.w_out, params.w_c, attention.w_q, attention.w_k, attention.v[:, None]):
        limit = np.sqrt(6 / sum(kernel.shape))  # Glorot and Bengio 2010, equation 16
        assert 0.85 * limit < np.abs(kernel).max() <= limit
    assert not any(bias.any() for bias in (params.b_start, params.b_out, attention.b))
    half = decoder.init(KEY, summary_features=40, memory_features=56, dtype=jnp.bfloat16)
    assert {leaf.dtype.name for leaf in jax.tree.leaves(half)} == {"bfloat16"}


@pytest.mark.parametrize("name", DECODERS)
def test_score_equals_the_equations(name, x64):
    decoder, params, encoded = draw(name, dtype=np.float64)
    tokens = np.random.default_rng(1).integers(0, V, (3, 4))
    logits, weights = decoder.score(params, encoded, tokens)
    expected, maps = by_hand(decoder, params, encoded, tokens)
    np.testing.assert_allclose(logits, expected, rtol=1e-11, atol=1e-12)
    if decoder.attention is None:
        assert weights is None
    else:
        np.testing.assert_allclose(weights, maps, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", DECODERS)
def test_greedy_writes_the_likeliest_next_token_of_every_prefix(name):
    decoder, params, encoded = draw(name, seed=3)
    params = params._replace(b_out=np.float32([5, 5, -1, 0, 0, 0, 0]))  # pad and start would win if they were let
    written = jax.jit(partial(generate, decoder, max_length=6))(params, encoded)
    score = jax.jit(decoder.score)
    tokens = np.ones((3, 7), int)
    maps = np.zeros((3, 6, S))
    for t in range(6):
        logits, weights = score(params, encoded, tokens[:, :6])  # what follows t does not matter to step t
        tokens[:, t + 1] = 2 + np.argmax(logits[:, t, 2:], axis=-1)
        tokens[:, t + 1] = np.where(
            ((tokens[:, 1 : t + 1] == 2) | (tokens[:, 1 : t + 1] == 0)).any(1), 0, tokens[:, t + 1]
        )
        maps[:, t] = 0 if weights is None else np.where(tokens[:, t + 1, None] > 0, weights[:, t], 0)
    np.testing.assert_array_equal(written.tokens, tokens[:, 1:])
    np.testing.assert_array_equal(written.lengths, (tokens[:, 1:] > 0).sum(1))
    if decoder.attention is not None:
        np.testing.assert_allclose(written.attention, maps, rtol=1e-4, atol=1e-5)


def test_some_sequences_end_before_others():
    decoder, params, encoded = draw("bahdanau")
    many = Encoded(*(np.repeat(leaf, 20, axis=0) for leaf in encoded))
    written = generate(decoder, params, many, max_length=8, key=KEY)
    assert len(np.unique(written.lengths)) > 2
    for tokens, length in zip(np.asarray(written.tokens), np.asarray(written.lengths), strict=True):
        assert length == (8 if 2 not in tokens else tokens.tolist().index(2) + 1)
        assert not tokens[length:].any()
        assert (tokens[:length] > 1).all()


def test_draws_follow_the_softmax_at_their_temperature():
    decoder, params, _ = draw("plain")
    logits = np.float32([9, 9, -9, 0, 0.5, 1, -1])
    params = params._replace(w_out=0 * params.w_out, b_out=logits)
    encoded = Encoded(jnp.ones((4000, F)))
    write = jax.jit(lambda warmth: generate(decoder, params, encoded, max_length=2, key=KEY, temperature=warmth))
    for temperature in (1.0, 0.5):
        written = write(temperature)
        shares = np.exp(logits[3:] / temperature)
        for tokens in np.asarray(written.tokens).T:
            found = np.bincount(tokens, minlength=V)[3:] / len(tokens)
            np.testing.assert_allclose(found, shares / shares.sum(), atol=0.03)
    assert (written.tokens[:, 0] != written.tokens[:, 1]).any()  # each step has a draw of its own


def test_a_cold_draw_is_greedy_and_a_key_decides_a_warm_one():
    decoder, params, encoded = draw("luong")
    write = jax.jit(
        lambda key, temperature: generate(decoder, params, encoded, max_length=5, key=key, temperature=temperature)
    )
    greedy = generate(decoder, params, encoded, max_length=5)
    np.testing.assert_array_equal(write(KEY, 1e-4).tokens, greedy.tokens)
    np.testing.assert_array_equal(write(KEY, 3.0).tokens, write(KEY, 3.0).tokens)
    assert (write(KEY, 3.0).tokens != write(jax.random.key(1), 3.0).tokens).any()


@pytest.mark.parametrize("name", ["luong", "bahdanau"])
def test_padding_of_the_source_changes_nothing(name):
    decoder, params, encoded = draw(name)
    tokens = np.random.default_rng(1).integers(0, V, (3, 4))

    @jax.jit
    def value_and_grads(memory):
        def loss(params, summary, memory):
            return jnp.sum(jnp.sin(decoder.score(params, Encoded(summary, memory, encoded.mask), tokens)[0]))

        return jax.value_and_grad(loss, (0, 1, 2))(params, encoded.summary, memory)

    clean = value_and_grads(encoded.memory)
    dirty = value_and_grads(np.where(encoded.mask[..., None], encoded.memory, np.nan))
    for a, b in zip(jax.tree.leaves(clean), jax.tree.leaves(dirty), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.asarray(dirty[1][2])[~encoded.mask].any()
    alone = decoder.score(params, Encoded(encoded.summary[1:2], encoded.memory[1:2, :2]), tokens[1:2])
    together = decoder.score(params, encoded, tokens)
    np.testing.assert_allclose(together[0][1:2], alone[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(together[1][1:2, :, :2], alone[1], rtol=1e-4, atol=1e-5)


def test_batch_axes_are_arbitrary_and_vmap_works():
    decoder, params, encoded = draw("bahdanau")
    tokens = np.random.default_rng(1).integers(0, V, (3, 4))
    logits, _ = decoder.score(params, encoded, tokens)
    one, _ = decoder.score(params, Encoded(*(leaf[1] for leaf in encoded)), tokens[1])
    np.testing.assert_allclose(one, logits[1], rtol=1e-4, atol=1e-5)
    nested = Encoded(*(leaf[:, None] for leaf in encoded))
    np.testing.assert_allclose(decoder.score(params, nested, tokens[:, None])[0][:, 0], logits, rtol=1e-4, atol=1e-5)
    write = partial(generate, decoder, params, max_length=5)
    written = write(encoded)
    np.testing.assert_array_equal(jax.vmap(write)(encoded).tokens, written.tokens)


class Sum:
    """A cell of a user's own: a dict of parameters, a bare array for a state."""

    def init(self, key, in_features):
        return {"w": jax.random.normal(key, (in_features, H))}

    def initial_state(self, params, batch_shape=()):
        return jnp.zeros((*batch_shape, H))

    def step(self, params, state, x):
        state = state + jnp.tanh(x @ params["w"])
        return state, state


def test_a_users_cell_decodes():
    decoder = Decoder(V, Sum(), E, Luong("dot"), "attentional")
    params = decoder.init(KEY, F, M)
    encoded = draw("plain")[2]
    other = encoded._replace(summary=-encoded.summary)
    logits = [decoder.score(params, source, np.ones((3, 2), int))[0] for source in (encoded, other)]
    assert (np.abs(logits[0] - logits[1]) > 1e-4).all()  # the state starts from the summary
    assert generate(decoder, params, encoded, max_length=3).tokens.shape == (3, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(DECODERS["plain"], vocabulary=0), "vocabulary must be an int >= 1, got 0"),
        (lambda: replace(DECODERS["plain"], embedding=0), "embedding must be an int >= 1, got 0"),
        (
            lambda: replace(DECODERS["luong"], feed="all"),
            "Decoder: feed must be one of 'none', 'context', 'attentional', got 'all'",
        ),
        (lambda: replace(DECODERS["plain"], feed="context"), "feed='context' needs attention"),
        (lambda: DECODERS["luong"].init(KEY, F), "attention needs a memory"),
        (lambda: generate(*draw("plain"), max_length=0), "max_length must be an int >= 1, got 0"),
        (lambda: generate(*draw("plain"), max_length=2, temperature=0.0), "temperature must be > 0, got 0.0"),
        (lambda: generate(*draw("plain"), max_length=2, end=V), "end must be a token, 0 to 6, got 7"),
    ],
)
def test_bad_calls(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(("name", "inside"), [("plain", 1), ("luong", 1), ("luong-feeding", 5), ("bahdanau", 6)])
def test_the_loop_holds_no_product_that_can_wait(name, inside, monkeypatch):
    without = METHODS["numba"]._replace(is_available=lambda: False)
    monkeypatch.setitem(METHODS, "numba", without)  # loops, not compiled kernels
    decoder, params, encoded = draw(name)
    program = jax.make_jaxpr(decoder.score)(params, encoded, np.ones((3, 4), int)).jaxpr
    (scan,) = scans(program)
    (body,) = inner_programs(scan)
    # Recurrent cell 1 or 2, then scores, weighted mean, attentional layer; the query's share of Bahdanau's score.
    assert products(body) == inside
