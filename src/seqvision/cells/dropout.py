"""Noise inside the recurrence: zoneout, and dropout with one mask for a whole sequence.

Both wrap a cell, and both are pure: all masks are drawn at once, outside the loop, and travel beside the inputs.

  cell = Zoneout(LSTM(8), h=0.1, c=0.5)
  params = cell.init(key, in_features)                                   # those of LSTM(8)
  final, ys = unroll(cell, params, xs)                                   # at inference: no noise
  noisy = replace(cell, train=True)                                      # dataclasses.replace
  final, ys = unroll(noisy, params, noisy.with_masks(params, xs, key))   # in training
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_flags, check_number

from .base import Cell, PyTree, init_params
from .gru import GRU, GRUState
from .mgu import MGU
from .unrolling.rules.table import rule_of


@dataclass(frozen=True)
class _Wrapper:
    """A cell around another that has its parameters and its states."""

    cell: Cell

    @property
    def event_axes(self) -> int:
        """How many axes one event has: the cell's."""
        return getattr(self.cell, "event_axes", 1)

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> PyTree:
        """Draw the cell's parameters; in_features does not count the masks."""
        return init_params(self.cell, key, in_features, dtype)

    def initial_state(self, params: PyTree, batch_shape: Sequence[int] = ()) -> PyTree:
        """Return the cell's initial state."""
        return self.cell.initial_state(params, batch_shape)


@dataclass(frozen=True)
class Zoneout(_Wrapper):
    """Zoneout: in training a unit keeps its old value at random, step by step; at inference the expected part of it.

      training:   h' = old h with probability p, else the cell's
      inference:  h' = p * (old h) + (1 - p) * (the cell's h')

    and the same for c with a probability of its own.

    Args:
      cell: a cell whose state is (h,) or (h, c) and whose output is h: `LSTM`, `GRU`, `Elman`, `MGU`, `LSTMVariant`, ….
      h: the probability of keeping h, 0 <= h < 1.
      c: the probability of keeping c.
      train: True expects inputs that went through `with_masks`.

    Raises:
      ValueError: for a probability outside [0, 1); in use, for a state or an output of another form.

    Source: Krueger et al., "Zoneout: regularizing RNNs by randomly preserving hidden activations", 2017,
    arXiv:1606.01305 (for LSTMs, c = 0.5 and h = 0.05).

    >>> from dataclasses import replace
    >>> from seqvision.cells import LSTM, unroll
    >>> cell, xs = Zoneout(LSTM(4), h=0.05, c=0.5), jnp.ones((2, 5, 3))
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> noisy = replace(cell, train=True)
    >>> noisy.with_masks(params, xs, jax.random.key(1)).shape  # 3 features, 4 masks for h, 4 for c
    (2, 5, 11)
    >>> unroll(noisy, params, noisy.with_masks(params, xs, jax.random.key(1)))[1].shape
    (2, 5, 4)
    """

    h: float = 0.0
    c: float = 0.0
    train: bool = False

    def __post_init__(self):
        check_flags(self)
        _check_rates("Zoneout", h=self.h, c=self.c)

    def with_masks(self, params: PyTree, xs: Array, key: Array) -> Array:
        """Append the masks of all steps to xs (..., T, *event): a 1 where a unit keeps its old value."""
        rates = self._rates(self.cell.initial_state(params))
        keys = jax.random.split(key, 2)
        masks = []
        for n, (name, rate) in enumerate(rates.items()):
            shape = (*xs.shape[:-1], getattr(self.cell.initial_state(params), name).shape[-1])
            masks.append(jax.random.bernoulli(keys[n], rate, shape).astype(xs.dtype))
        return jnp.concatenate([xs, *masks], axis=-1)

    def step(self, params: PyTree, state: PyTree, x: Array) -> tuple[PyTree, Array]:
        """Advance one step: x (..., D), or with the masks beside them in training, -> state, h."""
        rates = self._rates(state)
        sizes = [getattr(state, name).shape[-1] for name in rates]
        masks: list[Array] = []
        if self.train:
            x, *masks = _split(self, x, sizes)
        new, y = self.cell.step(params, state, x)
        if y.shape != new.h.shape or y.dtype != new.h.dtype:
            raise ValueError(f"Zoneout: the output of {self.cell!r} must be its state h: wrap another cell")
        for n, (name, rate) in enumerate(rates.items()):
            old, fresh = getattr(state, name), getattr(new, name)
            kept = jnp.where(masks[n] > 0.5, old, fresh) if self.train else rate * old + (1 - rate) * fresh
            new = new._replace(**{name: kept})
        return new, new.h

    def _rates(self, state: PyTree) -> dict[str, float]:
        """Return the probabilities that are not 0, by the state's field."""
        fields = getattr(state, "_fields", ())
        if fields not in (("h",), ("h", "c")) or (self.c and "c" not in fields):
            raise ValueError(
                f"Zoneout: with c={self.c} the state of {self.cell!r} must be a NamedTuple of "
                f"{'h and c' if self.c else 'h'}, got {fields or type(state).__name__}: drop c, or wrap another cell"
            )
        return {name: rate for name, rate in (("h", self.h), ("c", self.c)) if rate}


@dataclass(frozen=True)
class VariationalDropout(_Wrapper):
    """Dropout with one mask for all steps of a sequence, on the h that recurs and on the inputs.

    The recurrent products see h * mask / (1 - rate) in place of h, with the same mask (..., H) in every step; the
    inputs likewise. What else a cell does with h (a GRU carries z h over) is left alone, or the units kept would grow
    by 1 / (1 - rate) in every step.

    Args:
      cell: `GRU`, or a cell whose state has an h that only products read: `Elman`, `LSTM`, `LSTMVariant`, `SLSTM`,
        `ConvLSTM`, your own.
      h: the rate on h, 0 <= h < 1.
      x: the rate on the inputs.
      train: True expects inputs that went through `with_masks`.

    Raises:
      ValueError: for a rate outside [0, 1), or a cell that carries h over (`MGU`, `MinGRU`, …).

    Source: Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", 2016.

    >>> from dataclasses import replace
    >>> from seqvision.cells import LSTM, unroll
    >>> cell, xs = VariationalDropout(LSTM(4), h=0.25, x=0.1), jnp.ones((2, 5, 3))
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> noisy = replace(cell, train=True)
    >>> noisy.with_masks(params, xs, jax.random.key(1)).shape  # 3 features, 4 masks for h
    (2, 5, 7)
    >>> unroll(noisy, params, noisy.with_masks(params, xs, jax.random.key(1)))[1].shape
    (2, 5, 4)
    """

    h: float = 0.0
    x: float = 0.0
    train: bool = False

    def __post_init__(self):
        check_flags(self)
        _check_rates("VariationalDropout", h=self.h, x=self.x)
        subclass = isinstance(self.cell, GRU) and type(self.cell) is not GRU  # which may have any step
        if subclass or isinstance(self.cell, MGU) or hasattr(self.cell, "linear"):
            raise ValueError(f"VariationalDropout: cell {self.cell!r} carries h over beside its products: use Zoneout")

    def with_masks(self, params: PyTree, xs: Array, key: Array) -> Array:
        """Drop features of xs (..., T, *event), and append the masks for h, the same in every step."""
        time = xs.ndim - self.event_axes - 1
        once = (*xs.shape[:time], 1, *xs.shape[time + 1 : -1])
        key_x, key_h = jax.random.split(key)
        H = self.cell.initial_state(params).h.shape[-1]
        mask = jnp.broadcast_to(_scales(key_h, self.h, (*once, H), xs.dtype), (*xs.shape[:-1], H))
        return jnp.concatenate([xs * _scales(key_x, self.x, (*once, xs.shape[-1]), xs.dtype), mask], axis=-1)

    def step(self, params: PyTree, state: PyTree, x: Array) -> tuple[PyTree, Array]:
        """Advance one step: x (..., D), or with the masks beside them in training, -> state, y."""
        if not self.train:
            return self.cell.step(params, state, x)
        x, mask = _split(self, x, [state.h.shape[-1]])
        seen = state.h * mask
        if type(self.cell) is GRU:
            share, advance = rule_of(self.cell).forward(params)
            new, (_, z, *_) = advance(share(x), GRUState(seen))
            h = new.h + z * (state.h - seen)  # z carries h itself over, not what the products see of it
            return GRUState(h), h
        return self.cell.step(params, state._replace(h=seen), x)


def _scales(key: Array, rate: float, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Draw 0 with probability ``rate`` and 1 / (1 - rate) otherwise."""
    return jax.random.bernoulli(key, 1 - rate, shape).astype(dtype) / (1 - rate)


def _split(cell: Zoneout | VariationalDropout, x: Array, sizes: list[int]) -> list[Array]:
    """Cut x into the features and masks of the given sizes."""
    if x.shape[-1] <= sum(sizes):
        raise ValueError(
            f"{type(cell).__name__}: with train=True x must hold features and {sum(sizes)} masks, got {x.shape[-1]} "
            f"values: pass xs through with_masks, or set train=False"
        )
    cuts, at = [], x.shape[-1] - sum(sizes)
    for size in sizes:
        cuts.append(at)
        at += size
    return jnp.split(x, cuts, axis=-1)


def _check_rates(owner: str, **rates: float) -> None:
    for name, rate in rates.items():
        check_number(name, rate, owner=owner, least=0, below=1)
