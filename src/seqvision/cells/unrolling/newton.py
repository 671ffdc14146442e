"""method="newton": a nonlinear recurrence solved for all time steps at once.

The states s_1 … s_T of a cell are the root of r_t = f(s_{t-1}, x_t) - s_t. Newton's method linearizes every step
around a guess and solves the linear recurrence d_t = J_t d_{t-1} + r_t, J_t = df/ds, by an associative scan over affine
maps: O(log T) deep instead of T, for T n^3 products of the n numbers of a state. It is meant for long sequences, small
states and wide machines. After k iterations the first k states are exact; states that forget need only a few.

The gradient does not pass through the iterations: at the solution it is the transposed linear recurrence.

Source: Lim et al., "Parallelizing non-linear sequential models over the sequence length", 2024 (DEER); the diagonal and
damped forms: Gonzalez et al., "Towards scalable and stable parallelization of nonlinear RNNs", 2024.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from seqvision._derivatives import with_backward
from seqvision._sharding import vary_alike

from ..base import PyTree
from .arguments import promote
from .problem import Problem, keep
from .scan import unroll_by_scan


class NewtonSettings(NamedTuple):
    """How the equations are solved; see `newton_unroll`."""

    max_iterations: int = 50
    tolerance: float | None = None
    form: str = "full"
    damping: float = 0.0
    fallback: bool = True  # to the states of the scan where the iteration does not converge


class Outcome(NamedTuple):
    """How the iteration ended, in floats, whose tangents are known to be 0 wherever they lie."""

    residual: Array  # (), the largest |r_t|
    iterations: Array  # ()
    converged: Array  # (), 1 or 0


def is_supported(cell, problem: Problem) -> bool:
    """Whether the cell's state is real vectors, which together are one vector a sequence."""
    batch = problem.xs.shape[1 : problem.xs.ndim - getattr(cell, "event_axes", 1)]
    leaves = jax.tree.leaves(problem.state)
    return all(leaf.shape[:-1] == batch and jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in leaves)


def unroll_by_newton(cell, problem: Problem, remat: str = "none") -> tuple[PyTree, Array]:
    """Unroll all steps at once.

    Where the iteration does not converge (a chaotic cell, NaN in the input) the states are those of the scan.
    """
    if not len(problem.xs):
        return unroll_by_scan(cell, problem)
    problem = promote(cell, problem)
    states, _ = solve_wide(cell, NewtonSettings(), problem)
    # Every step once more, from the state before it: this gives the outputs, and the gradient its way into the states.
    final, ys = advance(cell, problem, before(problem.state, states))
    return jax.tree.map(lambda leaf: leaf[-1], final), ys


def _sizes(flat):
    """Return how large each feature of the states gets, (1, ..., n): one may be huge, and all of them small."""
    largest = jnp.max(jnp.abs(flat), axis=tuple(range(flat.ndim - 1)), keepdims=True, initial=0)
    return jnp.maximum(largest, jnp.finfo(flat.dtype).tiny)


def _forward(cell, settings, problem):
    states, outcome = solve(cell, settings, problem)
    return (states, outcome), (problem, states, outcome.converged)


def _backward(cell, settings, residuals, cotangents):
    """Solve c_t = g_t + J_{t+1}^T c_{t+1}, then transpose all steps at once, the states before them held."""
    problem, states, converged = residuals
    jacobian = _jacobian(cell, problem, states, "full")
    later = jnp.concatenate([jacobian[1:], jnp.zeros_like(jacobian[:1])]).swapaxes(-1, -2)
    g, unflatten = _flatten(cotangents[0])
    c = _recurrence(converged, later, g, reverse=True)
    _, transpose = jax.vjp(partial(_all_steps, cell, problem, states), *_without_flags(problem))
    d_params, d_xs, d_state, d_fresh = transpose(unflatten(c))
    return Problem(d_params, d_xs, d_state, d_fresh)


def _tangents(cell, settings, problem, residuals, dots):
    """Solve d_t = b_t + J_t d_{t-1}, where b_t are the tangents of all steps at once, the states before them held."""
    _, states, converged = residuals
    _, b = jax.jvp(partial(_all_steps, cell, problem, states), _without_flags(problem), _without_flags(dots))
    flat, unflatten = _flatten(b)
    d = _recurrence(converged, _jacobian(cell, problem, states, "full"), flat)
    zero = vary_alike(jnp.zeros((), jnp.float32), flat)
    return unflatten(d), Outcome(zero.astype(flat.dtype), zero, zero)


def _all_steps(cell, problem, states, params, xs, state, fresh):
    return advance(cell, problem._replace(params=params, xs=xs, fresh=fresh), before(state, states))[0]


def _without_flags(problem):
    return problem.params, problem.xs, problem.state, problem.fresh


def _recurrence(converged, a, b, *, reverse=False):
    # Where states run away their Jacobians do too, and products of many would overflow.
    ways = (partial(linear_recurrence, reverse=reverse), partial(_sequential_recurrence, reverse=reverse))
    return jax.lax.cond(converged > 0, *ways, a, b)


@with_backward(_forward, _backward, _tangents)
def solve(cell, settings: NewtonSettings, problem: Problem) -> tuple[PyTree, Outcome]:
    """Return the states after every step, leaves (T, ..., n), and how the iteration ended."""
    start, unflatten = _flatten(jax.tree.map(lambda leaf: _repeat(leaf, len(problem.xs)), problem.state))
    tolerance = 1e3 * float(jnp.finfo(start.dtype).eps) if settings.tolerance is None else settings.tolerance

    def residual_of(flat):
        return _flatten(advance(cell, problem, before(problem.state, unflatten(flat)))[0])[0] - flat

    def iterate(carry):
        flat, residual, _, k = carry
        jacobian = _jacobian(cell, problem, unflatten(flat), settings.form)
        change = linear_recurrence((1 - settings.damping) * jacobian, residual)
        flat = flat + change
        relative = jnp.max(jnp.abs(change) / _sizes(flat), initial=0)
        return flat, residual_of(flat), relative, k + 1

    def unfinished(carry):
        _, _, change, k = carry
        going_on = (change > tolerance) & (change < jnp.inf) & (k < settings.max_iterations)  # NaN does not go away
        return going_on | (k == 0)

    begin = (start, residual_of(start), jnp.full((), jnp.inf, start.dtype), jnp.int32(0))
    flat, residual, change, iterations = jax.lax.while_loop(unfinished, iterate, vary_alike(begin, problem))
    converged = change <= tolerance
    counts = (iterations.astype(jnp.float32), converged.astype(jnp.float32))
    outcome = Outcome(jnp.max(jnp.abs(residual), initial=0), *counts)
    states = unflatten(flat)
    if settings.fallback:
        states = jax.lax.cond(converged, lambda: states, lambda: _sequential_states(cell, problem))
    return states, outcome


def solve_wide(cell, settings: NewtonSettings, problem: Problem) -> tuple[PyTree, Outcome]:
    """Solve in float32 at least: half precision rounds so much that no guess can be told from a solution."""

    def widened(leaf):
        half = jnp.issubdtype(leaf.dtype, jnp.floating) and jnp.finfo(leaf.dtype).bits < 32
        return leaf.astype(jnp.float32) if half else leaf

    params, xs, state, fresh = jax.tree.map(widened, problem[:4])
    states, outcome = solve(cell, settings, problem._replace(params=params, xs=xs, state=state, fresh=fresh))
    return jax.tree.map(lambda leaf, like: leaf.astype(like.dtype), states, problem.state), outcome


def advance(cell, problem: Problem, start: PyTree) -> tuple[PyTree, Array]:
    """Take every step by itself, each from the state before it, start (T, ..., n): the new states, and ys."""
    _, xs, _, fresh, mask, reset = problem
    if reset is not None:
        start = keep(reset, jax.tree.map(lambda leaf: _repeat(leaf, len(xs)), fresh), start)
    new, ys = cell.step(problem.params, start, xs)
    new = jax.tree.map(lambda leaf, old: leaf.astype(old.dtype), new, start)
    if mask is None:
        return new, ys
    return keep(mask, new, start), keep(mask, ys, jnp.zeros_like(ys))


def before(state: PyTree, states: PyTree) -> PyTree:
    """Return the state before every step, from the first one and those after every step."""
    return jax.tree.map(lambda first, all_: jnp.concatenate([first[None], all_])[:-1], state, states)


def linear_recurrence(a: Array, b: Array, *, reverse: bool = False) -> Array:
    """Solve y_t = A_t y_{t-1} + b_t from y_0 = 0 by an associative scan over affine maps.

    Args:
      a: (T, ..., n, n), or (T, ..., n) for diagonal matrices.
      b: (T, ..., n).
      reverse: y_t = A_t y_{t+1} + b_t from y_{T+1} = 0 instead.

    >>> linear_recurrence(jnp.array([[9.0], [2.0], [2.0]]), jnp.array([[1.0], [1.0], [0.0]])).ravel().tolist()
    [1.0, 3.0, 6.0]
    """
    diagonal = a.ndim == b.ndim

    def compose(first, second):
        (a1, b1), (a2, b2) = first, second
        if diagonal:
            return a2 * a1, a2 * b1 + b2
        return a2 @ a1, _apply(a2, b1) + b2

    return jax.lax.associative_scan(compose, (a, b), reverse=reverse)[1]


def _jacobian(cell, problem, states, form):
    """Return df/ds at every step: (T, ..., n, n), or its diagonal, (T, ..., n)."""
    flat, unflatten = _flatten(before(problem.state, states))
    _, derivative = jax.linearize(lambda s: _flatten(advance(cell, problem, unflatten(s))[0])[0], flat)
    units = vary_alike(jnp.eye(flat.shape[-1], dtype=flat.dtype), flat)
    if form == "full":
        return jax.vmap(lambda unit: derivative(jnp.broadcast_to(unit, flat.shape)), out_axes=-1)(units)

    def entry(k):
        return derivative(jnp.broadcast_to(units[k], flat.shape))[..., k]

    # One after another: the diagonal form is for states whose full Jacobians would not fit.
    return jnp.moveaxis(jax.lax.map(entry, jnp.arange(flat.shape[-1])), 0, -1)


def _sequential_states(cell, problem):
    def body(state, row):
        xs, mask, reset = row
        one = problem._replace(xs=xs, mask=mask, reset=reset)
        new, _ = advance(cell, one, jax.tree.map(lambda leaf: leaf[None], state))
        new = jax.tree.map(lambda leaf: leaf[0], new)
        return new, new

    rows = jax.tree.map(lambda a: a[:, None], (problem.xs, problem.mask, problem.reset))
    return jax.lax.scan(body, problem.state, rows)[1]


def _sequential_recurrence(a, b, *, reverse):
    def body(y, inputs):
        y = _apply(inputs[0], y) + inputs[1]
        return y, y

    return jax.lax.scan(body, vary_alike(jnp.zeros_like(b[0]), a, b), (a, b), reverse=reverse)[1]


def _apply(a, y):
    return jnp.squeeze(a @ y[..., None], -1)


def _repeat(leaf, T):
    return jnp.broadcast_to(leaf[None], (T, *leaf.shape))


def _flatten(tree):
    """Return a tree of leaves (..., n_i) as one array (..., n), and the way back."""
    leaves, structure = jax.tree.flatten(tree)
    ends = [0]
    for leaf in leaves:
        ends.append(ends[-1] + leaf.shape[-1])

    def unflatten(flat):
        parts = [flat[..., a:b].astype(leaf.dtype) for leaf, a, b in zip(leaves, ends[:-1], ends[1:], strict=True)]
        return jax.tree.unflatten(structure, parts)

    return jnp.concatenate(leaves, axis=-1), unflatten
