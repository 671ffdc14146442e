"""The linear recurrent unit of Orvieto et al. 2023: a complex diagonal recurrence that cannot explode."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_count

from .affine import affine, rows
from .parameters import check_params


class LRUParams(NamedTuple):
    """Parameters of `LRU`, all real; P = features or H."""

    nu_log: Array  # (H,), |lambda| = exp(-exp(nu_log))
    theta_log: Array  # (H,), arg lambda = exp(theta_log)
    gamma_log: Array  # (H,), exp(gamma_log) scales the input of each unit
    b_re: Array  # (D, H)
    b_im: Array  # (D, H)
    c_re: Array  # (H, P)
    c_im: Array  # (H, P)
    d: Array  # (D, P)


class LRUState(NamedTuple):
    """State of `LRU`."""

    h: Array  # (..., H), complex


@dataclass(frozen=True)
class LRU:
    """Linear recurrent unit: h' = lambda * h + gamma * (x B), y = Re(h' C) + x D.

    lambda = exp(-exp(nu_log) + i exp(theta_log)) lies inside the unit circle whatever the parameters are, and
    gamma = exp(gamma_log) starts at sqrt(1 - |lambda|^2), where white noise gives states of variance one. The state is
    linear in its past, so that unroll's method="associative" runs the steps in parallel; the paper puts a nonlinear
    block on top of every layer, which is the user's. The state is complex64 (complex128 for float64); outputs are real.

    Args:
      hidden: complex units H, >= 1.
      features: outputs P, >= 1; H where None.
      r_min: the eigenvalues start uniform on the ring of radii r_min <= |lambda| <= r_max; long memories need
        r_min near 1.
      r_max: see r_min.
      max_phase: eigenvalues start at angles between 0 and max_phase, in radians.

    Raises:
      ValueError: for sizes below 1, radii that are not 0 <= r_min < r_max <= 1, or max_phase not in (0, 2 pi].

    Source: Orvieto et al., "Resurrecting recurrent neural networks for long sequences", 2023, arXiv:2303.06349.

    >>> cell = LRU(4, features=2)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (5,)), jnp.ones((5, 3)))
    >>> y.shape, y.dtype.name, state.h.dtype.name
    ((5, 2), 'float32', 'complex64')
    """

    hidden: int
    features: int | None = None
    r_min: float = 0.0
    r_max: float = 1.0
    max_phase: float = 2 * math.pi

    def __post_init__(self):
        object.__setattr__(self, "hidden", check_count("hidden", self.hidden, owner="LRU"))
        if self.features is not None:
            object.__setattr__(self, "features", check_count("features", self.features, owner="LRU"))
        if not 0 <= self.r_min < self.r_max <= 1:
            raise ValueError(f"LRU: radii must be 0 <= r_min < r_max <= 1, got {self.r_min!r} and {self.r_max!r}")
        if not 0 < self.max_phase <= 2 * math.pi:
            raise ValueError(f"LRU: max_phase must be in (0, 2 pi], got {self.max_phase!r}")

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> LRUParams:
        """Draw parameters: eigenvalues uniform on the ring, normal B, C and D of one over the root of their fan-in."""
        check_count("in_features", in_features, owner="LRU.init")
        H, P, D = self.hidden, self.features or self.hidden, in_features
        keys = jax.random.split(key, 7)
        tiny = 1e-6  # keeps |lambda| and its angle off 0 and 1, where their logarithms are infinite
        u, v = (jax.random.uniform(k, (H,), minval=tiny, maxval=1 - tiny) for k in keys[:2])
        nu = -0.5 * jnp.log(u * (self.r_max**2 - self.r_min**2) + self.r_min**2)

        def normal(key, rows, columns, parts):
            return (jax.random.normal(key, (rows, columns)) / math.sqrt(parts * rows)).astype(dtype)

        return LRUParams(
            nu_log=jnp.log(nu).astype(dtype),
            theta_log=jnp.log(self.max_phase * v).astype(dtype),
            gamma_log=(0.5 * jnp.log(-jnp.expm1(-2 * nu))).astype(dtype),
            b_re=normal(keys[2], D, H, 2),
            b_im=normal(keys[3], D, H, 2),
            c_re=normal(keys[4], H, P, 1),
            c_im=normal(keys[5], H, P, 1),
            d=normal(keys[6], D, P, 1),
        )

    def initial_state(self, params: LRUParams, batch_shape: Sequence[int] = ()) -> LRUState:
        """Return h = 0, (*batch_shape, H), complex."""
        check_params(self, params)
        return LRUState(h=jnp.zeros((*batch_shape, self.hidden), _complex(params.nu_log.dtype)))

    def step(self, params: LRUParams, state: LRUState, x: Array) -> tuple[LRUState, Array]:
        """Advance one step: x (..., D) -> state, y (..., P)."""
        check_params(self, params)
        a, b = self.linear(params, x)
        state = LRUState(a * state.h + b)
        return state, self.readout(params, state, x)

    def linear(self, params: LRUParams, x: Array) -> tuple[Array, Array]:
        """Return a = lambda (1, ..., H) and b = gamma * (x B) (..., H), complex, of the step h' = a h + b."""
        dtype = _complex(jnp.result_type(x, params.nu_log))
        real = dtype.type(0).real.dtype
        nu_log, theta_log = (p.astype(real) for p in (params.nu_log, params.theta_log))
        a = jnp.exp(jax.lax.complex(-jnp.exp(nu_log), jnp.exp(theta_log)))
        gamma = rows(jnp.exp(params.gamma_log), x.ndim)
        b_re, b_im = ((gamma * affine(x, b)).astype(real) for b in (params.b_re, params.b_im))
        return rows(a, x.ndim), jax.lax.complex(b_re, b_im)

    def readout(self, params: LRUParams, state: LRUState, x: Array) -> Array:
        """Return the output of a step whose new state is given: Re(h C) + x D, (..., P)."""
        h_re, h_im = (part.astype(jnp.result_type(x, params.d)) for part in (state.h.real, state.h.imag))
        return affine(h_re, params.c_re) - affine(h_im, params.c_im) + affine(x, params.d)


def _complex(dtype: DTypeLike):
    """Return the complex dtype to compute in: complex128 for float64, complex64 for all narrower."""
    return jnp.dtype(jnp.complex128 if jnp.finfo(dtype).bits == 64 else jnp.complex64)
