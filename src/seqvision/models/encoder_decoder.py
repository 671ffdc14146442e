"""Sequences (or images) to sequences of another length: an encoder, a decoder, attention between them if wanted.

The five shapes of input and output, and how each is spelled:

  one-to-one             a vector or an image to classes        `MLP`, `ConvNet`
  one-to-many            an image to a word                     `EncoderDecoder(ImageEncoder(…), Decoder(…))`
  many-to-one            a sequence to a class or a forecast    `Recurrent(cells, readout="last" | "max" | "mean")`
  many-to-many, equal    one output for every step              `Recurrent(cells, readout="all")`
  many-to-many, unequal  a sequence to a sequence               `EncoderDecoder(SequenceEncoder(…), Decoder(…))`
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from seqvision._checks import shown
from seqvision.cells import Cell
from seqvision.seq2seq import Decoder, DecoderParams, Encoded, Generated, generate

from .blocks.convolution import ConvBlock
from .initializers import GLOROT
from .input_checks import check_fields, check_pictures
from .parameter_dicts import from_dict, to_dict
from .recurrent import event_axes, run_layers


class SequenceEncoder(nn.Module):
    """Read a sequence: tokens (padding is token 0), or vectors.

    Args:
      cells: the cells from the input upwards.
      vocabulary: number of tokens; None reads vectors (B, S, D).
      embedding: size of a token's vector.
      bidirectional: run each layer in both directions, outputs side by side.

    Raises:
      ValueError: for no cells.

    >>> from seqvision.cells import GRU
    >>> encoder = SequenceEncoder((GRU(4),), vocabulary=12, bidirectional=True)
    >>> encoded, _ = encoder.init_with_output(jax.random.key(0), jnp.array([[3, 4, 5], [6, 0, 0]]))
    >>> encoded.memory.shape, encoded.summary.shape, encoded.mask[1].tolist()
    ((2, 3, 8), (2, 8), [True, False, False])
    """

    cells: tuple[Cell, ...]
    vocabulary: int | None = None
    embedding: int = 16
    bidirectional: bool = False

    @property
    def least_axes(self) -> int:
        """How many axes a batch of sequences has at least."""
        return 2 if self.vocabulary is not None else 2 + event_axes(self.cells)

    @nn.compact
    def __call__(self, source: Array, *, train: bool = False) -> Encoded:
        """Map tokens (..., S) or vectors (..., S, D) to a summary, a memory of each step, and the mask of tokens."""
        check_fields(self)
        x, mask = source, None
        if self.vocabulary is not None:
            if not jnp.issubdtype(source.dtype, jnp.integer):
                raise TypeError(f"SequenceEncoder: tokens must be integers, got {source.dtype}: drop vocabulary")
            x, mask = nn.Embed(self.vocabulary, self.embedding, name="embed")(source), source != 0
        finals, memory = run_layers(self, x, mask=mask, train=train)
        return Encoded(_summary(finals), memory, mask)


class ImageEncoder(nn.Module):
    """Read an image by convolutions: the last feature map is the memory, a dense layer over it the summary.

    Args:
      channels: output channels of each 3x3 convolution.
      pool: 2x2 max pool after each of the first ``pool`` convolutions.
      features: F, size of the summary.
      batch_norm: normalize in each block.
      momentum: of the running statistics, see `BatchNorm`.
      dropout: rate on the memory and on the summary.

    Source of the memory: Xu et al., "Show, attend and tell", 2015.

    >>> encoder = ImageEncoder((8, 16), pool=1, features=32)
    >>> encoded, _ = encoder.init_with_output(jax.random.key(0), jnp.ones((2, 8, 8, 1)))
    >>> encoded.memory.shape, encoded.summary.shape
    ((2, 16, 16), (2, 32))
    """

    channels: tuple[int, ...] = (16, 32)
    pool: int = 1
    features: int = 64
    batch_norm: bool = False
    momentum: float = 0.99
    dropout: float = 0.0

    @nn.compact
    def __call__(self, source: Array, *, train: bool = False) -> Encoded:
        """Map images (B, H, W, C) to a summary (B, F) and a memory (B, H' W', C')."""
        check_pictures(self, source)
        x = source
        for depth, channels in enumerate(self.channels):
            pool = (2, 2) if depth < self.pool else None
            x = ConvBlock(channels, batch_norm=self.batch_norm, momentum=self.momentum, pool=pool)(x, train=train)
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        summary = nn.relu(nn.Dense(self.features, kernel_init=GLOROT, name="dense")(x.reshape(x.shape[0], -1)))
        summary = nn.Dropout(self.dropout, deterministic=not train)(summary)
        return Encoded(summary, x.reshape(x.shape[0], -1, x.shape[-1]))


class EncoderDecoder(nn.Module):
    """An encoder, and a decoder that writes tokens from what it read.

    Trained by `seqvision.training.fit` with x = (source, tokens in) and y = tokens out, the targets shifted by one:
    "sequence_cross_entropy" leaves padding out.

    Args:
      encoder: a module from a source to `Encoded`: `SequenceEncoder`, `ImageEncoder`, or one of the user's.
      decoder: the `Decoder`, without parameters.
      start: token that begins what is written.
      end: token that ends it.

    >>> from seqvision.cells import GRU, LSTM
    >>> from seqvision.seq2seq import Bahdanau
    >>> encoder = SequenceEncoder((GRU(4),), vocabulary=12, bidirectional=True)
    >>> model = EncoderDecoder(encoder, Decoder(12, LSTM(6), attention=Bahdanau(5), feed="context"))
    >>> source, tokens_in = jnp.array([[3, 4, 5], [6, 0, 0]]), jnp.array([[1, 3], [1, 6]])
    >>> logits, variables = model.init_with_output(jax.random.key(0), (source, tokens_in))
    >>> logits.shape
    (2, 2, 12)
    >>> written = model.apply(variables, source, max_length=4, method="generate")
    >>> written.tokens.shape, written.attention.shape
    ((2, 4), (2, 4, 3))
    """

    encoder: nn.Module
    decoder: Decoder
    start: int = 1
    end: int = 2

    def setup(self) -> None:
        """Name the decoder's parameters, whose sizes the encoder's outputs decide."""
        self.weights = _Weights(self.decoder)

    def __call__(self, x: tuple[Any, Array], *, train: bool = False) -> Array:
        """Score each next token where those before it are known: (source, tokens in (B, T)) -> logits (B, T, V)."""
        source, tokens = self._pair(x)
        encoded = self.encoder(source, train=train)
        return self.decoder.score(self.weights(encoded), encoded, tokens)[0]

    def _pair(self, x: Any) -> tuple[Any, Array]:
        """Take apart a source and the tokens before each that is scored; two sources are no such pair."""
        if not isinstance(x, tuple | list) or len(x) != 2:
            raise TypeError(f"EncoderDecoder: x must be a pair (source, tokens), got {shown(x)}")
        tokens = jnp.asarray(x[1])
        if not jnp.issubdtype(tokens.dtype, jnp.integer) or not tokens.ndim:
            raise TypeError(f"EncoderDecoder: tokens must be integers (B, T), got {shown(tokens)}")
        return x[0], tokens

    def generate(
        self, source: Any, *, max_length: int, key: Array | None = None, temperature: float | Array = 1.0
    ) -> Generated:
        """Write tokens (B, max_length) from a source: the likeliest ones, or with a key drawn; see `generate`."""
        encoded = self.encoder(source, train=False)
        return generate(
            self.decoder,
            self.weights(encoded),
            encoded,
            max_length=max_length,
            key=key,
            temperature=temperature,
            start=self.start,
            end=self.end,
        )

    def attention(self, x: tuple[Any, Array]) -> Array | None:
        """Return the attention weights (B, T, S) while known tokens (B, T) are read; None without attention."""
        source, tokens = self._pair(x)
        encoded = self.encoder(source, train=False)
        return self.decoder.score(self.weights(encoded), encoded, tokens)[1]


class _Weights(nn.Module):
    """The decoder's parameters as plain dicts."""

    decoder: Decoder

    @nn.compact
    def __call__(self, encoded: Encoded) -> DecoderParams:
        memory = None if encoded.memory is None else encoded.memory.shape[-1]

        def init(key: Array) -> DecoderParams:
            return self.decoder.init(key, encoded.summary.shape[-1], memory)

        fields = self.param("decoder", lambda key: to_dict(init(key)))
        return from_dict(jax.eval_shape(init, jax.random.key(0)), fields)


def _summary(finals: Any) -> Array:
    """Lay the numbers of all final states side by side, (..., F); counters are left out."""
    leaves = [leaf for leaf in jax.tree.leaves(finals) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    parts = [part for leaf in leaves for part in ((leaf.real, leaf.imag) if jnp.iscomplexobj(leaf) else (leaf,))]
    return jnp.concatenate(parts, axis=-1)
