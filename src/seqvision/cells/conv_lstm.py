"""The convolutional LSTM of Shi et al. 2015: an LSTM over images, or over lines and volumes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_count
from seqvision.conv import conv

from .lstm import LSTMState
from .parameters import check_params


class ConvLSTMParams(NamedTuple):
    """Parameters of `ConvLSTM`; gates i | f | g | o along the last axis."""

    w_x: Array  # (*kernel_size, D, 4H)
    w_h: Array  # (*kernel_size, H, 4H)
    b: Array  # (4H,)


@dataclass(frozen=True)
class ConvLSTM:
    """Convolutional LSTM: c' = f c + i g, h' = o tanh(c'), where every product is a convolution.

    i, f, o = sigmoid and g = tanh of conv(x, W_x) + conv(h, W_h) + b, with "same" padding. One event is an image: x is
    (..., *size, D), states and outputs are (..., *size, H), and `unroll` takes xs (..., T, *size, D).

    Args:
      hidden: channels H of the state, >= 1.
      kernel_size: the kernel's size along each of one to three spatial axes, such as (3, 3).
      size: the spatial size of an event, such as (28, 28); the states need it.
      forget_bias: start of the forget gate's bias.

    Raises:
      ValueError: for sizes below 1, a number of spatial axes not 1 to 3, or kernel_size and size of different lengths.

    Source: Shi et al., "Convolutional LSTM network", 2015, arXiv:1506.04214, without its peepholes, as in Keras.

    >>> cell = ConvLSTM(4, kernel_size=(3, 3), size=(8, 6))
    >>> params = cell.init(jax.random.key(0), in_features=1)
    >>> state, y = cell.step(params, cell.initial_state(params, (2,)), jnp.ones((2, 8, 6, 1)))
    >>> y.shape
    (2, 8, 6, 4)
    """

    hidden: int
    kernel_size: tuple[int, ...]
    size: tuple[int, ...]
    forget_bias: float = 1.0

    def __post_init__(self):
        object.__setattr__(self, "hidden", check_count("hidden", self.hidden, owner="ConvLSTM"))
        for name in ("kernel_size", "size"):
            sizes = getattr(self, name)
            if not isinstance(sizes, tuple) or not 1 <= len(sizes) <= 3:
                raise ValueError(f"ConvLSTM: {name} must be a tuple of one to three ints, got {sizes!r}")
            sizes = tuple(check_count(f"every size in {name}", value, owner="ConvLSTM") for value in sizes)
            object.__setattr__(self, name, sizes)
        if len(self.kernel_size) != len(self.size):
            raise ValueError(
                f"ConvLSTM: kernel_size and size must have one entry for each spatial axis, got {self.kernel_size} and "
                f"{self.size}"
            )

    @property
    def event_axes(self) -> int:
        """The number of axes of one event: the spatial ones and the channels."""
        return len(self.size) + 1

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> ConvLSTMParams:
        """Draw parameters for D = in_features channels: Glorot kernels by gate, bias zero but for the forget gate."""
        check_count("in_features", in_features, owner="ConvLSTM.init")
        H = self.hidden
        glorot = jax.nn.initializers.glorot_uniform(in_axis=-3, out_axis=-1, batch_axis=-2)

        def kernel(key, channels):
            gates = glorot(key, (*self.kernel_size, channels, 4, H), dtype)
            return gates.reshape(*self.kernel_size, channels, 4 * H)

        key_x, key_h = jax.random.split(key)
        b = jnp.zeros((4, H), dtype).at[1].set(self.forget_bias)
        return ConvLSTMParams(w_x=kernel(key_x, in_features), w_h=kernel(key_h, H), b=b.reshape(-1))

    def initial_state(self, params: ConvLSTMParams, batch_shape: Sequence[int] = ()) -> LSTMState:
        """Return h = c = 0, each (*batch_shape, *size, H)."""
        check_params(self, params)
        zeros = jnp.zeros((*batch_shape, *self.size, self.hidden), params.w_h.dtype)
        return LSTMState(h=zeros, c=zeros)

    def step(self, params: ConvLSTMParams, state: LSTMState, x: Array) -> tuple[LSTMState, Array]:
        """Advance one step: x (..., *size, D) -> state, h (..., *size, H)."""
        check_params(self, params)
        if x.shape[-self.event_axes : -1] != self.size or x.shape[-1] != params.w_x.shape[-2]:
            raise ValueError(
                f"ConvLSTM: x must be (..., *size, D) with size {self.size} and D = {params.w_x.shape[-2]}, "
                f"got shape {x.shape}: make the cell with the events' size and init it with their channels"
            )
        a = conv(x, params.w_x, params.b) + conv(state.h, params.w_h)
        a_i, a_f, a_g, a_o = jnp.split(a, 4, axis=-1)
        c = jax.nn.sigmoid(a_f) * state.c + jax.nn.sigmoid(a_i) * jnp.tanh(a_g)
        h = jax.nn.sigmoid(a_o) * jnp.tanh(c)
        return LSTMState(h=h, c=c), h
