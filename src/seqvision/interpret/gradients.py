"""Where gradients vanish and explode: by lag in time, by depth, and in the course of training; units that are dead."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from seqvision.cells import Cell, unroll


def gradient_by_lag(
    cell: Cell,
    params: Any,
    xs: Array,
    *,
    state: Any = None,
    loss: Callable[[Array], Array] | None = None,
) -> Array:
    """Return how much a loss at the last step depends on the input k steps before it.

    Of an Elman cell the gradient at lag k is a product of k matrices diag(f') W_h: it vanishes or explodes with their
    size (Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013).

    Args:
      cell: any cell.
      params: its parameters.
      xs: (..., T, D) inputs.
      state: the state before the first step, as in `unroll`.
      loss: from the last output (..., H) to one number a sequence (...); the sum over units / sqrt(H) where None.

    Returns:
      (..., T): at [..., k] the norm of the gradient with respect to xs[..., T-1-k, :].

    Raises:
      ValueError: if loss does not give one number a sequence.

    >>> from seqvision.cells import Elman, ElmanParams
    >>> halving = ElmanParams(w_x=jnp.eye(2), w_h=0.5 * jnp.eye(2), b=jnp.zeros(2))
    >>> gradient_by_lag(Elman(2, "linear"), halving, jnp.ones((4, 2))).round(4).tolist()
    [1.0, 0.5, 0.25, 0.125]
    """
    loss = _mean_direction if loss is None else loss

    def total(xs: Array) -> Array:
        last = unroll(cell, params, xs, state=state)[1][..., -1, :]
        values = loss(last)
        if values.shape != last.shape[:-1]:
            raise ValueError(f"loss must give one number a sequence, {last.shape[:-1]}, got shape {values.shape}")
        return values.sum()

    return jnp.flip(jnp.linalg.norm(jax.grad(total)(xs), axis=-1), axis=-1)


class DepthProfile(NamedTuple):
    """How a deep network looks layer by layer, from the input upwards."""

    gradient: Array  # (L,), root mean square over examples of |dloss/da_l|, a_l the pre-activations
    output: Array  # (L,), root mean square of the outputs h_l
    dead: Array  # (L,), share of units whose slope f'(a_l) is zero for every example


def depth_profile(
    kernels: Array,
    x: Array,
    activation: Callable[[Array], Array],
    *,
    loss: Callable[[Array], Array] | None = None,
) -> DepthProfile:
    """Return gradients, outputs and dead units of a network h_l = f(h_{l-1} W_l) at every depth.

    The gradient passes through W and f' at every layer on its way down: the slope of the sigmoid is at most 1/4, so
    that with weights of size 1 it loses three quarters or more a layer. A unit whose slope is zero for all examples
    does not learn: of ReLU units those are called dead.

    Args:
      kernels: (L, n, n), W_l of L layers of equal width; no biases.
      x: (B, n) inputs.
      activation: f, elementwise.
      loss: from h_L (B, n) to one number an example (B,); the sum over units / sqrt(n) where None.

    Raises:
      ValueError: if kernels and x do not fit together, or loss does not give one number an example.

    >>> profile = depth_profile(jnp.ones((3, 1, 1)), jnp.zeros((5, 1)), jax.nn.sigmoid)
    >>> bool((profile.gradient[:-1] / profile.gradient[1:] <= 0.25).all())
    True
    """
    if kernels.ndim != 3 or x.ndim != 2 or kernels.shape[1:] != (x.shape[1],) * 2:
        raise ValueError(f"depth_profile needs kernels (L, n, n) and x (B, n), got {kernels.shape} and {x.shape}")
    loss = _mean_direction if loss is None else loss

    def layer(h: Array, weights: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        kernel, shift = weights
        a = h @ kernel + shift  # the gradient of a shift of 0 is that of the pre-activation
        h, slope = jax.jvp(activation, (a,), (jnp.ones_like(a),))
        return h, (h, slope)

    def total(shifts: Array) -> tuple[Array, tuple[Array, Array]]:
        h, layers = jax.lax.scan(layer, x, (kernels, shifts))
        values = loss(h)
        if values.shape != x.shape[:1]:
            raise ValueError(f"loss must give one number an example, {x.shape[:1]}, got shape {values.shape}")
        return values.sum(), layers

    gradient, (outputs, slopes) = jax.grad(total, has_aux=True)(jnp.zeros((len(kernels), *x.shape), x.dtype))
    return DepthProfile(
        gradient=_rms(jnp.linalg.norm(gradient, axis=2), axis=1),
        output=_rms(outputs, axis=(1, 2)),
        dead=jnp.mean(jnp.all(slopes == 0, axis=1), axis=1),
    )


class GradientTrace(NamedTuple):
    """What a training went through."""

    params: Any  # after the last step
    losses: Array  # (S,), before each step
    norms: Array  # (S,), of the whole gradient before each step


def gradient_trace(
    loss: Callable[[Any, Any], Array], params: Any, optimizer: optax.GradientTransformation, batches: Any
) -> GradientTrace:
    """Train, and note the loss and the size of its gradient before each step: where does it explode, what helps?

    The norm is taken before the optimizer sees the gradient: pass ``optax.chain(optax.clip_by_global_norm(1.0), …)``
    and ``optax.sgd`` alone in turn to compare training with and without clipping.

    Args:
      loss: (params, batch) -> ().
      params: a pytree of arrays.
      optimizer: an optax transformation.
      batches: a pytree of arrays (S, ...), one batch a step.

    >>> def parabola(w, _):
    ...     return w**2 / 2
    >>> trace = gradient_trace(parabola, jnp.float32(1), optax.sgd(0.5), jnp.zeros(3))
    >>> trace.losses.tolist(), trace.norms.tolist()
    ([0.5, 0.125, 0.03125], [1.0, 0.5, 0.25])
    """

    def step(carry: tuple[Any, Any], batch: Any) -> tuple[tuple[Any, Any], tuple[Array, Array]]:
        params, state = carry
        value, gradient = jax.value_and_grad(loss)(params, batch)
        updates, state = optimizer.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), (value, optax.tree.norm(gradient))

    (params, _), (losses, norms) = jax.lax.scan(step, (params, optimizer.init(params)), batches)
    return GradientTrace(params, losses, norms)


def _mean_direction(h: Array) -> Array:
    return h.sum(axis=-1) / h.shape[-1] ** 0.5


def _rms(values: Array, axis: Any) -> Array:
    return jnp.sqrt(jnp.mean(values**2, axis=axis))
