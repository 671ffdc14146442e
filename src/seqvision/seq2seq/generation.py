"""Let a decoder write: the likeliest token at each step, or one drawn at random, until the end token."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_count
from seqvision._sharding import on_auto_axes, vary_alike

from .decoder import Decoder, DecoderParams, Encoded


class Generated(NamedTuple):
    """What a decoder wrote."""

    tokens: Array  # int (..., T), the end token included, padding after it
    lengths: Array  # int (...), tokens up to the end token, which counts
    attention: Array | None  # (..., T, S), 0 after the end; None without attention


def generate(
    decoder: Decoder,
    params: DecoderParams,
    encoded: Encoded,
    *,
    max_length: int,
    key: Array | None = None,
    temperature: float | Array = 1.0,
    pad: int = 0,
    start: int = 1,
    end: int = 2,
) -> Generated:
    """Write one token after the other, each of them read back as the next input.

    The loop ends when every sequence has, at the latest after max_length tokens. The tokens pad and start are never
    written.

    Args:
      decoder: a `Decoder`.
      params: its parameters.
      encoded: what an encoder has read, of any batch axes.
      max_length: T, >= 1, static.
      key: draw each token from softmax(logits / temperature); None takes the likeliest (greedy).
      temperature: > 0; towards 0 the draw becomes greedy, above 1 bolder.
      pad: fills up what follows the end.
      start: the first input.
      end: ends a sequence.

    Returns:
      tokens, lengths and attention weights.

    Raises:
      ValueError: for a max_length below 1, a temperature that is not above 0, tokens outside the vocabulary.

    >>> from seqvision.cells import GRU
    >>> decoder = Decoder(12, GRU(8))
    >>> params = decoder.init(jax.random.key(0), summary_features=6)
    >>> written = generate(decoder, params, Encoded(jnp.ones((2, 6))), max_length=5)
    >>> written.tokens.shape, written.lengths.shape
    ((2, 5), (2,))
    """
    check_count("max_length", max_length, owner="generate")
    if isinstance(temperature, int | float) and not temperature > 0:
        raise ValueError(f"generate: temperature must be > 0, got {temperature!r}: drop key for the likeliest token")
    for name, token in (("pad", pad), ("start", start), ("end", end)):
        if not 0 <= token < decoder.vocabulary:
            raise ValueError(f"generate: {name} must be a token, 0 to {decoder.vocabulary - 1}, got {token}")

    def run(params: DecoderParams, encoded: Encoded, key: Array | None, temperature: float | Array) -> Generated:
        batch, source = encoded.summary.shape[:-1], decoder.source(params, encoded)
        params = jax.tree.map(jnp.asarray, params)  # a NumPy embedding cannot be indexed by a traced token

        def write(carry):
            t, state, token, done, written, maps = carry
            state, v, weights = decoder.step(params, source, state, params.embedding[token])
            logits = decoder.logits(params, v).at[..., jnp.array([pad, start])].set(-jnp.inf)
            if key is None:
                token = jnp.argmax(logits, axis=-1)
            else:
                token = jax.random.categorical(jax.random.fold_in(key, t), logits / temperature)
            token = jnp.where(done, pad, token)
            if weights is not None:
                maps = maps.at[t].set(jnp.where(done[..., None], 0, weights))
            return t + 1, state, token, done | (token == end), written.at[t].set(token), maps

        first = jnp.full(batch, start)
        maps = None
        if source is not None:
            maps = jnp.zeros((max_length, *batch, source.memory.shape[-2]), source.memory.dtype)
        written = jnp.full((max_length, *batch), pad)
        begin = (decoder.initial_state(params, encoded.summary), first, first == end, written, maps)
        carry = (jnp.zeros((), int), *vary_alike(begin, params, source, key))
        carry = jax.lax.while_loop(lambda c: (c[0] < max_length) & ~c[3].all(), write, carry)
        written, maps = carry[-2:]
        tokens = jnp.moveaxis(written, 0, -1)
        return Generated(tokens, jnp.sum(tokens != pad, axis=-1), None if maps is None else jnp.moveaxis(maps, 0, -2))

    return on_auto_axes(run, encoded.summary, encoded.summary.ndim - 1, params, encoded, key, temperature)
