"""A recurrent decoder: writes a sequence of tokens from what an encoder has read, with attention or without."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_choice, check_count
from seqvision._sharding import on_auto_axes, vary_alike
from seqvision.cells import Cell, PyTree, unroll
from seqvision.cells.affine import affine
from seqvision.cells.initializers import input_kernel

from .attention import Attention, attend

Feed = Literal["none", "context", "attentional"]

NO_MEMORY = "Decoder: attention needs a memory: let the encoder return one, or drop attention"


class Encoded(NamedTuple):
    """What a decoder is given of its source."""

    summary: Array  # (..., F), of the whole source: the start of the decoder's state
    memory: Array | None = None  # (..., S, M), of each source step: what attention reads
    mask: Array | None = None  # bool (..., S), the valid source steps; all where None


class DecoderParams(NamedTuple):
    """Parameters of `Decoder`."""

    embedding: Array  # (V, E)
    cell: PyTree
    w_start: Array  # (F, G), G numbers in the state that start from the summary
    b_start: Array  # (G,)
    w_out: Array  # (H, V)
    b_out: Array  # (V,)
    attention: PyTree | None = None
    w_c: Array | None = None  # (M + H, H), the attentional layer


class DecoderState(NamedTuple):
    """State of `Decoder` between two tokens."""

    cell: PyTree
    y: Array  # (..., H), the cell's last output
    attentional: Array | None  # (..., H), where it is fed back


class Source(NamedTuple):
    """A memory made ready for many queries."""

    memory: Array  # (..., S, M), 0 where masked
    mask: Array | None
    keys: Array  # (..., S, K)


@dataclass(frozen=True)
class Decoder:
    """Tokens to scores of the next token: s_t = cell(s_{t-1}, [embedding(token_t); fed]), logits = v_t W_out + b_out.

    The cell's state starts at tanh(summary W_start + b_start), in its leaves h and c, or in all of them if it has none
    of these names. Without attention v_t = y_t, the cell's output. With it v_t = tanh([context_t; y_t] W_c), and

      feed="none":         the query is y_t and nothing is fed back: all queries of known tokens are one product
      feed="attentional":  the query is y_t and v_{t-1} is fed to the cell (Luong's input feeding)
      feed="context":      the query is y_{t-1} and its context is fed to the cell (Bahdanau; tanh in place of maxout)

    Args:
      vocabulary: V, the number of tokens.
      cell: any cell over vectors.
      embedding: E, the size of a token's vector.
      attention: `Bahdanau`, `Luong` or an object like them; None reads the summary alone.
      feed: what attention feeds back.

    Raises:
      ValueError: for sizes below 1, an unknown feed, a feed without attention.

    Source: Sutskever, Vinyals and Le 2014; Bahdanau, Cho and Bengio 2015; Luong, Pham and Manning 2015.

    >>> from seqvision.cells import GRU
    >>> from seqvision.seq2seq import Bahdanau
    >>> decoder = Decoder(12, GRU(8), embedding=4, attention=Bahdanau(8), feed="context")
    >>> params = decoder.init(jax.random.key(0), summary_features=6, memory_features=5)
    >>> encoded = Encoded(jnp.ones((2, 6)), jnp.ones((2, 7, 5)))
    >>> logits, weights = decoder.score(params, encoded, jnp.ones((2, 3), int))
    >>> logits.shape, weights.shape
    ((2, 3, 12), (2, 3, 7))
    """

    vocabulary: int
    cell: Cell
    embedding: int = 16
    attention: Attention | None = None
    feed: Feed = "none"

    def __post_init__(self):
        check_count("vocabulary", self.vocabulary, owner="Decoder")
        check_count("embedding", self.embedding, owner="Decoder")
        check_choice("feed", self.feed, get_args(Feed), owner="Decoder")
        if self.feed != "none" and self.attention is None:
            raise ValueError(f"Decoder: feed={self.feed!r} needs attention: give one, or drop feed")
        axes = getattr(self.cell, "event_axes", 1)
        if axes != 1:
            raise ValueError(f"Decoder: cell must read vectors, but an input of {self.cell!r} has {axes} axes")

    def init(
        self, key: Array, summary_features: int, memory_features: int | None = None, dtype: DTypeLike = jnp.float32
    ) -> DecoderParams:
        """Draw parameters: Glorot matrices, zero biases, embeddings of about unit length.

        Raises:
          ValueError: if there is attention but no memory.
        """
        if self.attention is not None and memory_features is None:
            raise ValueError(NO_MEMORY)
        keys = jax.random.split(key, 6)
        M, H = memory_features or 0, self._outputs()
        cell = self.cell.init(keys[1], self.embedding + {"none": 0, "context": M, "attentional": H}[self.feed])
        G = sum(leaf.shape[-1] for leaf in _started(jax.eval_shape(lambda: self.cell.initial_state(cell))))
        return DecoderParams(
            embedding=jax.random.normal(keys[0], (self.vocabulary, self.embedding), dtype) / self.embedding**0.5,
            cell=jax.tree.map(lambda leaf: leaf.astype(dtype), cell),
            w_start=input_kernel(keys[2], summary_features, G, 1, dtype),
            b_start=jnp.zeros((G,), dtype),
            w_out=input_kernel(keys[3], H, self.vocabulary, 1, dtype),
            b_out=jnp.zeros((self.vocabulary,), dtype),
            attention=None if self.attention is None else self.attention.init(keys[4], H, M, dtype),
            w_c=None if self.attention is None else input_kernel(keys[5], M + H, H, 1, dtype),
        )

    def initial_state(self, params: DecoderParams, summary: Array) -> DecoderState:
        """Return the state before the first token, from the summary (..., F)."""
        state = self.cell.initial_state(params.cell, summary.shape[:-1])
        chosen = _started(state)
        start = jnp.tanh(affine(summary, params.w_start, params.b_start))
        ends = [sum(leaf.shape[-1] for leaf in chosen[: i + 1]) for i in range(len(chosen))]
        parts = iter(jnp.split(start, ends[:-1], axis=-1))
        state = jax.tree.map(lambda leaf, pick: next(parts).astype(leaf.dtype) if pick else leaf, state, _picks(state))
        H = params.w_out.shape[0]
        y = jnp.zeros((*summary.shape[:-1], H), start.dtype)
        h = getattr(state, "h", y)
        y = h if h.shape == y.shape and not jnp.iscomplexobj(h) else y
        return DecoderState(state, y, jnp.zeros_like(y) if self.feed == "attentional" else None)

    def source(self, params: DecoderParams, encoded: Encoded) -> Source | None:
        """Return what attention reads, computed once a source."""
        if self.attention is None:
            return None
        if encoded.memory is None:
            raise ValueError(NO_MEMORY)
        memory = encoded.memory if encoded.mask is None else jnp.where(encoded.mask[..., None], encoded.memory, 0)
        return Source(memory, encoded.mask, self.attention.keys(params.attention, memory))

    def step(
        self, params: DecoderParams, source: Source | None, state: DecoderState, x: Array
    ) -> tuple[DecoderState, Array, Array | None]:
        """Advance by a token's embedding x (..., E): the new state, v_t (..., H), and weights (..., S)."""
        fed: list[Array] = []
        weights = None
        if self.feed == "context":
            context, weights = self._read(params, source, state.y[..., None, :])
            fed = [context[..., 0, :]]
        elif self.feed == "attentional":
            fed = [state.attentional]  # type: ignore[list-item]
        cell_state, y = self.cell.step(params.cell, state.cell, jnp.concatenate([x, *fed], axis=-1))
        cell_state = jax.tree.map(lambda new, old: new.astype(old.dtype), cell_state, state.cell)
        if self.feed != "context" and self.attention is not None:
            context, weights = self._read(params, source, y[..., None, :])
            fed = [context[..., 0, :]]
        v = y if self.attention is None else self._attentional(params, fed[0], y)
        new = DecoderState(cell_state, y.astype(state.y.dtype), v if self.feed == "attentional" else None)
        return new, v, None if weights is None else weights[..., 0, :]

    def logits(self, params: DecoderParams, v: Array) -> Array:
        """Return the scores of the next token, v (..., H) -> (..., V)."""
        return affine(v, params.w_out, params.b_out)

    def score(self, params: DecoderParams, encoded: Encoded, tokens: Array) -> tuple[Array, Array | None]:
        """Score each next token where all tokens before it are known (teacher forcing).

        Args:
          params: the parameters.
          encoded: the source.
          tokens: integers (..., T), the start token and then the targets but for the last.

        Returns:
          logits (..., T, V), and attention weights (..., T, S) or None.
        """
        tokens = jnp.asarray(tokens)
        return on_auto_axes(self._score, tokens, tokens.ndim - 1, params, encoded, tokens)

    def _score(self, params: DecoderParams, encoded: Encoded, tokens: Array) -> tuple[Array, Array | None]:
        state, source = self.initial_state(params, encoded.summary), self.source(params, encoded)
        known = jnp.where(tokens < 0, self.vocabulary, tokens)  # a token that is none has no numbers
        xs = jnp.asarray(params.embedding).at[known].get(mode="fill", fill_value=jnp.nan)
        if self.feed == "none":
            _, vs = unroll(self.cell, params.cell, xs, state=state.cell)
            weights = None
            if self.attention is not None:
                contexts, weights = self._read(params, source, vs)
                vs = self._attentional(params, contexts, vs)
            return self.logits(params, vs), weights

        def body(state: DecoderState, x: Array) -> tuple[DecoderState, tuple[Array, Any]]:
            state, v, shares = self.step(params, source, state, x)
            return state, (v, shares)

        xs = jnp.moveaxis(xs, -2, 0)
        _, (vs, maps) = jax.lax.scan(body, vary_alike(state, params, source, xs), xs)
        return self.logits(params, jnp.moveaxis(vs, 0, -2)), jnp.moveaxis(maps, 0, -2)

    def _read(self, params: DecoderParams, source: Any, queries: Array) -> tuple[Array, Array]:
        attention: Any = self.attention
        return attend(attention, params.attention, queries, source.memory, mask=source.mask, keys=source.keys)

    def _attentional(self, params, context, y):
        return jnp.tanh(affine(jnp.concatenate([context, y], axis=-1), params.w_c))

    def _outputs(self):
        def run(key):
            params = self.cell.init(key, 1)
            return self.cell.step(params, self.cell.initial_state(params), jnp.zeros((1,)))[1]

        return jax.eval_shape(run, jax.random.key(0)).shape[-1]


def _picks(state: PyTree) -> PyTree:
    """Say of each leaf whether it starts from the summary: h and c, or every one but counters if there are none."""
    flat, structure = jax.tree_util.tree_flatten_with_path(state)
    real = [jnp.issubdtype(leaf.dtype, jnp.inexact) for _, leaf in flat]
    named = [jax.tree_util.keystr(path).endswith((".h", ".c")) for path, _ in flat]
    picks = [r and n for r, n in zip(real, named, strict=True)] if any(named) else real
    return jax.tree.unflatten(structure, picks)


def _started(state: PyTree) -> list[Array]:
    return [leaf for leaf, pick in zip(jax.tree.leaves(state), jax.tree.leaves(_picks(state)), strict=True) if pick]
