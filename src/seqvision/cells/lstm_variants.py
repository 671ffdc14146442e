"""The LSTM's relatives as options of one cell: peepholes, coupled or missing gates, projection, and so on."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_count, check_flags, check_number

from .affine import affine, rows
from .initializers import input_kernel, recurrent_kernel
from .lstm import LSTMState
from .parameters import check_params


class LSTMVariantParams(NamedTuple):
    """Parameters of `LSTMVariant`: K gates, those of i | f | g | o that the variant has; P = proj or H."""

    w_x: Array  # (D, K H)
    w_h: Array  # (P, K H)
    b: Array  # (K H,)
    w_c: Array | None = None  # (G, H), the peepholes of the gates that the variant has, in the order i, f, o
    scale_x: Array | None = None  # (K H,), layer norm of x W_x
    scale_h: Array | None = None  # (K H,), layer norm of h W_h
    scale_c: Array | None = None  # (H,), layer norm of c'
    b_c: Array | None = None  # (H,), likewise
    w_p: Array | None = None  # (H, P), projection
    w_mx: Array | None = None  # (D, P), multiplicative
    w_mh: Array | None = None  # (P, P), multiplicative


@dataclass(frozen=True)
class LSTMVariant:
    """Long short-term memory with options; with none of them it is `LSTM`, number for number.

      i, f, o = sigmoid and g = tanh of x W_x + h W_h + b,   c' = f c + i g,   h' = o tanh(c')

    Args:
      hidden: units H, >= 1.
      forget_bias: start of the forget gate's bias.
      peephole: i and f see c, o sees c': their pre-activations gain w_c * c (Gers and Schmidhuber 2000).
      coupled: i = 1 - f, which saves a gate (Cho et al. 2014; Greff et al. 2015).
      input_gate: False fixes i = 1; so do forget_gate and output_gate: the ablations of Greff et al. 2015.
      forget_gate: see input_gate; without it the cell is that of 1997.
      output_gate: see input_gate.
      layer_norm: normalize x W_x and h W_h over all gates, and c' inside h' = o tanh(norm(c')) (Ba et al. 2016, 20-22).
      proj: P <= H, the size of h' = (o tanh(c')) W_p, as torch's proj_size (Sak et al. 2014).
      cell_clip: c' is clipped to [-cell_clip, cell_clip] (Sak et al. 2014).
      multiplicative: the gates read m = (x W_mx) * (h W_mh) in place of h (multiplicative LSTM, Krause et al. 2016).

    Raises:
      ValueError: for sizes below 1, proj above hidden, cell_clip not above 0, or coupled with a gate missing.

    Sources: Greff et al., "LSTM: a search space odyssey", 2015; Gers and Schmidhuber, "Recurrent nets that time and
    count", 2000; Sak et al., arXiv:1402.1128; Ba et al., arXiv:1607.06450; Krause et al., arXiv:1609.07959.

    >>> cell = LSTMVariant(4, peephole=True, proj=2)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (5,)), jnp.ones((5, 3)))
    >>> y.shape, state.c.shape, params.w_c.shape
    ((5, 2), (5, 4), (3, 4))
    >>> LSTMVariant(4, coupled=True).init(jax.random.key(0), in_features=3).w_x.shape  # no columns for i
    (3, 12)
    """

    hidden: int
    forget_bias: float = 1.0
    _: KW_ONLY
    peephole: bool = False
    coupled: bool = False
    input_gate: bool = True
    forget_gate: bool = True
    output_gate: bool = True
    layer_norm: bool = False
    proj: int | None = None
    cell_clip: float | None = None
    multiplicative: bool = False

    def __post_init__(self):
        check_flags(self)
        object.__setattr__(self, "hidden", check_count("hidden", self.hidden, owner="LSTMVariant"))
        if self.proj is not None:
            object.__setattr__(self, "proj", check_count("proj", self.proj, owner="LSTMVariant"))
            if self.proj > self.hidden:
                raise ValueError(
                    f"LSTMVariant: proj must be at most hidden={self.hidden}, got {self.proj}: "
                    "a projection makes h smaller than c"
                )
        if self.cell_clip is not None:
            check_number("cell_clip", self.cell_clip, owner="LSTMVariant", above=0)
        for name in ("input_gate", "forget_gate"):
            if self.coupled and not getattr(self, name):
                raise ValueError(f"LSTMVariant: coupled=True means i = 1 - f and needs both: drop {name}=False")

    @property
    def gates(self) -> str:
        """The gates that have weights, in their order, such as "ifgo"."""
        has = {"i": self.input_gate and not self.coupled, "f": self.forget_gate, "g": True, "o": self.output_gate}
        return "".join(gate for gate in "ifgo" if has[gate])

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> LSTMVariantParams:
        """Draw parameters as `LSTM` does; peepholes start at zero, norms at scale 1."""
        check_count("in_features", in_features, owner="LSTMVariant.init")
        key_x, key_h = jax.random.split(key)
        key_p, key_mx, key_mh = (jax.random.fold_in(key, n) for n in (2, 3, 4))
        H, P, K = self.hidden, self.proj or self.hidden, len(self.gates)
        b = jnp.zeros((K, H), dtype)
        if self.forget_gate:
            b = b.at[self.gates.index("f")].set(self.forget_bias)
        peepholes = len(self.gates) - 1  # every gate but g
        return LSTMVariantParams(
            w_x=input_kernel(key_x, in_features, H, K, dtype),
            w_h=recurrent_kernel(key_h, H, K, dtype)[:P],
            b=b.reshape(-1),
            w_c=jnp.zeros((peepholes, H), dtype) if self.peephole else None,
            scale_x=jnp.ones((K * H,), dtype) if self.layer_norm else None,
            scale_h=jnp.ones((K * H,), dtype) if self.layer_norm else None,
            scale_c=jnp.ones((H,), dtype) if self.layer_norm else None,
            b_c=jnp.zeros((H,), dtype) if self.layer_norm else None,
            w_p=input_kernel(key_p, H, P, 1, dtype) if self.proj else None,
            w_mx=input_kernel(key_mx, in_features, P, 1, dtype) if self.multiplicative else None,
            w_mh=recurrent_kernel(key_mh, P, 1, dtype) if self.multiplicative else None,
        )

    def initial_state(self, params: LSTMVariantParams, batch_shape: Sequence[int] = ()) -> LSTMState:
        """Return h = 0 (*batch_shape, P) and c = 0 (*batch_shape, H)."""
        check_params(self, params)
        sizes = (self.proj or self.hidden, self.hidden)
        return LSTMState(*(jnp.zeros((*batch_shape, size), params.w_h.dtype) for size in sizes))

    def step(self, params: LSTMVariantParams, state: LSTMState, x: Array) -> tuple[LSTMState, Array]:
        """Advance one step: x (..., D) -> state, h (..., P)."""
        check_params(self, params)
        h = state.h
        if params.w_mx is not None and params.w_mh is not None:
            h = affine(x, params.w_mx) * affine(h, params.w_mh)
        a_x, a_h = affine(x, params.w_x), affine(h, params.w_h)
        if params.scale_x is not None and params.scale_h is not None:
            a_x, a_h = layer_norm(a_x, params.scale_x), layer_norm(a_h, params.scale_h)
        columns = jnp.split(a_x + rows(params.b, a_x.ndim) + a_h, len(self.gates), axis=-1)
        a = dict(zip(self.gates, columns, strict=True))
        w_c = {} if params.w_c is None else dict(zip(self.gates.replace("g", ""), params.w_c, strict=True))

        def gate(name: str, c: Array) -> Array | float:
            if name not in a:  # a gate that the variant lacks is open
                return 1.0
            return jax.nn.sigmoid(a[name] + rows(w_c[name], c.ndim) * c if w_c else a[name])

        f = gate("f", state.c)
        i = 1 - f if self.coupled else gate("i", state.c)
        c = f * state.c + i * jnp.tanh(a["g"])
        if self.cell_clip is not None:
            c = jnp.clip(c, -self.cell_clip, self.cell_clip)
        o = gate("o", c)
        h = o * jnp.tanh(c if params.scale_c is None else layer_norm(c, params.scale_c, params.b_c))
        if params.w_p is not None:
            h = affine(h, params.w_p)
        return LSTMState(h=h, c=c), h


def layer_norm(a: Array, scale: Array, b: Array | None = None) -> Array:
    """Return scale (a - mean) / sqrt(var + 1e-5) + b, over the last axis of a (..., K).

    The variance is that of what is centered: `jax.nn.standardize` takes E a^2 - (E a)^2, which loses digits.
    """
    centered = a - a.mean(axis=-1, keepdims=True)
    unit = centered * jax.lax.rsqrt((centered * centered).mean(axis=-1, keepdims=True) + 1e-5)
    unit = unit * rows(scale, a.ndim)
    return unit if b is None else unit + rows(b, a.ndim)
