"""Attention over a memory of source steps: the scores of Bahdanau et al. and Luong et al. (2015) as pure functions."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, get_args, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_choice, check_count
from seqvision._sharding import on_auto_axes
from seqvision.cells import PyTree
from seqvision.cells.affine import affine
from seqvision.cells.initializers import input_kernel

Score = Literal["dot", "general", "concat"]


@runtime_checkable
class Attention(Protocol):
    """How well a query fits each step of a memory; static, like a cell."""

    def init(self, key: Array, query_features: int, memory_features: int, dtype: DTypeLike = jnp.float32) -> PyTree:
        """Draw parameters for queries of Q and a memory of M values a step."""
        ...

    def keys(self, params: PyTree, memory: Array) -> Array:
        """Return what of the score depends on the memory (..., S, M) alone, (..., S, K): once a source, not a step."""
        ...

    def scores(self, params: PyTree, queries: Array, keys: Array) -> Array:
        """Score queries (..., T, Q) against keys (..., S, K), as (..., T, S)."""
        ...


class BahdanauParams(NamedTuple):
    """Parameters of `Bahdanau`."""

    w_q: Array  # (Q, A)
    w_k: Array  # (M, A)
    b: Array  # (A,)
    v: Array  # (A,)


@dataclass(frozen=True)
class Bahdanau:
    """Additive attention: score(q, m) = v . tanh(q W_q + m W_k + b).

    Args:
      units: A, the width of the hidden layer, >= 1.

    Raises:
      ValueError: for units below 1.

    Source: Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning to align and translate", 2015
    (appendix A.1.2, where the query is the decoder's previous state).

    >>> attention = Bahdanau(8)
    >>> params = attention.init(jax.random.key(0), query_features=4, memory_features=6)
    >>> contexts, weights = attend(attention, params, jnp.ones((2, 3, 4)), jnp.ones((2, 5, 6)))
    >>> contexts.shape, weights.shape
    ((2, 3, 6), (2, 3, 5))
    """

    units: int

    def __post_init__(self):
        check_count("units", self.units, owner="Bahdanau")

    def init(
        self, key: Array, query_features: int, memory_features: int, dtype: DTypeLike = jnp.float32
    ) -> BahdanauParams:
        """Draw parameters: Glorot matrices, zero bias."""
        key_q, key_k, key_v = jax.random.split(key, 3)
        return BahdanauParams(
            w_q=input_kernel(key_q, query_features, self.units, 1, dtype),
            w_k=input_kernel(key_k, memory_features, self.units, 1, dtype),
            b=jnp.zeros((self.units,), dtype),
            v=input_kernel(key_v, self.units, 1, 1, dtype)[:, 0],
        )

    def keys(self, params: BahdanauParams, memory: Array) -> Array:
        """Return m W_k + b, (..., S, A)."""
        return affine(memory, params.w_k, params.b)

    def scores(self, params: BahdanauParams, queries: Array, keys: Array) -> Array:
        """Score queries (..., T, Q) against keys (..., S, A), as (..., T, S)."""
        return _additive(affine(queries, params.w_q), keys, params.v)


class LuongParams(NamedTuple):
    """Parameters of `Luong`; "dot" has none."""

    w: Array | None = None  # "general": (Q, M); "concat": (Q + M, A)
    v: Array | None = None  # "concat": (A,)


@dataclass(frozen=True)
class Luong:
    """The three scores of Luong et al.

      dot:      score(q, m) = q . m                     (Q = M)
      general:  score(q, m) = q W m
      concat:   score(q, m) = v . tanh([q; m] W)

    Args:
      score: which of the three.
      units: A, the width of the hidden layer of "concat", >= 1; None for the others.

    Raises:
      ValueError: for an unknown score, or units that do not go with it.

    Source: Luong, Pham and Manning, "Effective approaches to attention-based neural machine translation", 2015, eq. 8
    (the query is the decoder's new state).

    >>> attention = Luong("general")
    >>> params = attention.init(jax.random.key(0), query_features=4, memory_features=6)
    >>> contexts, weights = attend(attention, params, jnp.ones((3, 4)), jnp.ones((5, 6)))
    >>> contexts.shape, weights.shape
    ((3, 6), (3, 5))
    """

    score: Score = "general"
    units: int | None = None

    def __post_init__(self):
        check_choice("score", self.score, get_args(Score), owner="Luong")
        if self.score == "concat":
            check_count("units", self.units, owner="Luong")
        elif self.units is not None:
            raise ValueError(f'Luong: units={self.units!r} goes with score="concat" only, not {self.score!r}: drop it')

    def init(
        self, key: Array, query_features: int, memory_features: int, dtype: DTypeLike = jnp.float32
    ) -> LuongParams:
        """Draw parameters: Glorot matrices.

        Raises:
          ValueError: for "dot" where queries and memory differ in size.
        """
        if self.score == "general":
            return LuongParams(w=input_kernel(key, query_features, memory_features, 1, dtype))
        if self.score == "concat":
            key_w, key_v = jax.random.split(key)
            return LuongParams(
                w=input_kernel(key_w, query_features + memory_features, self.units, 1, dtype),  # type: ignore[arg-type]
                v=input_kernel(key_v, self.units, 1, 1, dtype)[:, 0],  # type: ignore[arg-type]
            )
        if query_features != memory_features:
            raise ValueError(
                f'Luong: score="dot" needs queries and memory of one size, got {query_features} and {memory_features}: '
                'use "general"'
            )
        return LuongParams()

    def keys(self, params: LuongParams, memory: Array) -> Array:
        """Return the memory's share of the score: W m for "general", m W_m for "concat", m itself for "dot"."""
        if params.w is None:
            return memory
        if self.score == "general":
            return affine(memory, params.w.T)
        return affine(memory, params.w[-memory.shape[-1] :])

    def scores(self, params: LuongParams, queries: Array, keys: Array) -> Array:
        """Score queries (..., T, Q) against keys (..., S, K), as (..., T, S)."""
        if params.w is None or params.v is None:
            return queries @ jnp.swapaxes(keys, -1, -2)
        return _additive(affine(queries, params.w[: queries.shape[-1]]), keys, params.v)


def attend(
    attention: Attention,
    params: Any,
    queries: Array,
    memory: Array,
    *,
    mask: Array | None = None,
    keys: Array | None = None,
) -> tuple[Array, Array]:
    """Read the memory with each query: weights = softmax of the scores over the source, context = weighted mean.

    Args:
      attention: `Bahdanau`, `Luong`, or any object with their methods.
      params: its parameters.
      queries: (..., T, Q), for instance all states of a decoder at once.
      memory: (..., S, M), the outputs of an encoder.
      mask: bool (..., S), the valid source steps; what stands elsewhere has weight 0, NaN included, and gets no
        gradient. Where no step is valid the context is 0.
      keys: ``attention.keys(params, memory)`` of a memory without NaN, to compute it only once.

    Returns:
      contexts (..., T, M), and weights (..., T, S) that sum to 1 over the source.

    Raises:
      ValueError: for shapes that do not fit together.
      TypeError: for a mask that is not bool.

    >>> memory = jnp.array([[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]])
    >>> attention = Luong("dot")
    >>> query, valid = jnp.array([[100.0, 0.0]]), jnp.array([True, True, False])
    >>> contexts, weights = attend(attention, LuongParams(), query, memory, mask=valid)
    >>> weights.tolist(), contexts.tolist()
    ([[1.0, 0.0, 0.0]], [[1.0, 0.0]])
    """
    _check(queries, memory, mask)

    def read(params, queries, memory, mask, keys):
        if mask is not None:
            memory = jnp.where(mask[..., None], memory, 0)
        keys = attention.keys(params, memory) if keys is None else keys
        weights = masked_softmax(attention.scores(params, queries, keys), mask)
        return weights @ memory, weights

    return on_auto_axes(read, queries, queries.ndim - 2, params, queries, memory, mask, keys)


def masked_softmax(scores: Array, mask: Array | None = None) -> Array:
    """Return the softmax of scores (..., T, S) over the valid source steps, mask (..., S); 0 where none is valid.

    >>> masked_softmax(jnp.array([[0.0, 0.0, 9.0]]), jnp.array([True, True, False])).tolist()
    [[0.5, 0.5, 0.0]]
    """
    wide = scores.astype(jnp.float32) if scores.dtype.itemsize < 4 else scores  # half precision sums badly
    if mask is None:
        return jax.nn.softmax(wide, axis=-1).astype(scores.dtype)
    valid = jnp.broadcast_to(mask[..., None, :], wide.shape)
    some = valid | ~valid.any(axis=-1, keepdims=True)  # the softmax over no step at all would be 0 / 0
    return jnp.where(valid, jax.nn.softmax(wide, axis=-1, where=some), 0).astype(scores.dtype)


def _additive(queries: Array, keys: Array, v: Array) -> Array:
    """Return v . tanh(q + k) of each pair: queries (..., T, A), keys (..., S, A) -> (..., T, S)."""
    return jnp.tanh(queries[..., :, None, :] + keys[..., None, :, :]) @ v


def _check(queries: Array, memory: Array, mask: Array | None) -> None:
    if queries.ndim < 2 or memory.ndim < 2 or queries.shape[:-2] != memory.shape[:-2]:
        raise ValueError(
            f"attend: queries must be (..., T, Q) and memory (..., S, M) with the same batch axes, got {queries.shape} "
            f"and {memory.shape}: give a single query a time axis, query[..., None, :]"
        )
    if mask is None:
        return
    if jnp.result_type(mask) != jnp.bool_:
        raise TypeError(f"attend: mask must be bool, got {jnp.result_type(mask)}: pass mask.astype(bool)")
    if jnp.shape(mask) != memory.shape[:-1]:
        raise ValueError(
            f"attend: mask must have the shape of memory without its last axis, {memory.shape[:-1]}, got "
            f"{jnp.shape(mask)}"
        )
