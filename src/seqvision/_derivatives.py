"""Backward passes written by hand that leave every other transformation of JAX possible.

`jax.custom_vjp` knows no forward mode. Here the tangents of a function are one linear primitive whose transpose is the
backward pass that was written: reverse mode runs that, forward mode the tangents of the plain function, and
`jax.hessian`, `jax.linearize` and the like mixtures of the two.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from ._primitives import PLAIN, outline_like

PyTree = Any


def with_backward(forward: Callable, backward: Callable, tangents: Callable | None = None) -> Callable:
    """Make a decorator that gives a function f(*static, tree) -> out its backward pass.

    Args:
      forward: (*static, tree) -> out, residuals: the same values, and what the backward pass needs.
      backward: (*static, residuals, cotangents like out) -> the cotangents of tree, like tree.
      tangents: (*static, tree, residuals, tangents like tree) -> tangents like out; None: as JAX finds them.

    What are no floats in tree and out have None as tangents and cotangents.

    >>> sine = with_backward(lambda x: (jnp.sin(x), x), lambda x, d: d * jnp.cos(x))(lambda x: jnp.sin(x))
    >>> float(jax.grad(sine)(0.0)), float(jax.jvp(sine, (0.0,), (2.0,))[1])
    (1.0, 2.0)
    """

    def decorate(function: Callable) -> Callable:
        statics = len(inspect.signature(function).parameters) - 1
        call = jax.custom_jvp(function, nondiff_argnums=tuple(range(statics)))

        @call.defjvp
        def derive(*arguments: Any) -> Any:
            *static, (tree,), (dots,) = arguments
            out, residuals = forward(*static, tree)

            def push(constants: PyTree, dots: PyTree) -> PyTree:
                tree, residuals = constants
                if tangents is not None:
                    return _floats(out, tangents(*static, tree, residuals, dots))

                def of_floats(floats: PyTree) -> PyTree:
                    out = function(*static, _merge(floats, tree))
                    return _floats(out, out)

                return jax.jvp(of_floats, (_floats(tree, tree),), (dots,))[1]

            def pull(constants: PyTree, d_out: PyTree) -> PyTree:
                return _floats(tree, backward(*static, constants[1], d_out))

            given = _floats(tree, dots)
            got = linear_call(push, pull, (tree, residuals), given, _floats(out, out))
            return out, _merge(got, jax.tree.map(_no_tangent, out))

        return functools.wraps(function)(call)

    return decorate


def linear_call(push: Callable, pull: Callable, constants: PyTree, given: PyTree, out: PyTree) -> PyTree:
    """Call push(constants, given), linear in ``given``, whose transpose is pull(constants, cotangents like out).

    Args:
      push, pull: pure functions of two trees; each returns the tree that the other takes.
      constants: what both need beside.
      given: where push is linear.
      out: arrays of the shapes and types of the result.
    """
    held, held_tree = jax.tree.flatten(constants)
    moving, moving_tree = jax.tree.flatten(given)
    outs, out_tree = jax.tree.flatten(out)
    split = len(held)

    def flat_push(*leaves: Any) -> list:
        return jax.tree.leaves(push(*_trees(leaves, split, held_tree, moving_tree)))

    def flat_pull(*leaves: Any) -> list:
        return jax.tree.leaves(pull(*_trees(leaves, split, held_tree, out_tree)))

    outlines = tuple(map(jax.typeof, outs))
    results = _linear.bind(*held, *moving, push=flat_push, pull=flat_pull, split=split, outlines=outlines)
    return jax.tree.unflatten(out_tree, results)


def _trees(leaves: Any, split: int, first: Any, second: Any) -> tuple[PyTree, PyTree]:
    return jax.tree.unflatten(first, leaves[:split]), jax.tree.unflatten(second, leaves[split:])


def _floats(like: PyTree, tree: PyTree) -> PyTree:
    """Return a tree with None in place of what is no float in another one of its structure."""
    return jax.tree.map(lambda leaf, a: a if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact) else None, like, tree)


def _merge(floats: PyTree, tree: PyTree) -> PyTree:
    """Return a tree with its floats taken from what `_floats` gives."""
    return jax.tree.map(lambda f, a: a if f is None else f, floats, tree, is_leaf=lambda leaf: leaf is None)


def _no_tangent(leaf: Any) -> Any:
    return None if jnp.issubdtype(leaf.dtype, jnp.inexact) else np.zeros(leaf.shape, jax.dtypes.float0)


def _run(*leaves: Any, push: Callable, **_: Any) -> list:
    return push(*leaves)


def _jvp(primals: Any, tangents: Any, *, push: Callable, **_: Any) -> Any:
    still = [type(t) is ad.Zero for t in tangents]

    def of_moving(*given: Any) -> list:
        rest = iter(given)
        return push(*(p if is_still else next(rest) for p, is_still in zip(primals, still, strict=True)))

    moving = [(p, t) for p, t, is_still in zip(primals, tangents, still, strict=True) if not is_still]
    along = tuple(zip(*moving, strict=True))
    return jax.jvp(of_moving, along[0], along[1])


def _transpose(cotangents: Any, *leaves: Any, pull: Callable, split: int, **_: Any) -> list:
    d_out = [ad.instantiate_zeros(ct) for ct in cotangents]
    d_given = pull(*leaves[:split], *d_out)
    unknown = map(ad.is_undefined_primal, leaves[split:])
    return [None] * split + [d if wanted else None for d, wanted in zip(d_given, unknown, strict=True)]


def _batch(leaves: Any, axes: Any, *, push: Callable, pull: Callable, split: int, outlines: Any) -> Any:
    size = next(leaf.shape[axis] for leaf, axis in zip(leaves, axes, strict=True) if axis is not None)
    held = axes[:split]
    moving = [
        jnp.broadcast_to(leaf, (size, *leaf.shape)) if axis is None else jnp.moveaxis(leaf, axis, 0)
        for leaf, axis in zip(leaves[split:], axes[split:], strict=True)
    ]
    results = _linear.bind(
        *leaves[:split],
        *moving,
        push=jax.vmap(push, in_axes=(*held, *[0] * len(moving))),
        pull=jax.vmap(pull, in_axes=(*held, *[0] * len(outlines)), axis_size=size),
        split=split,
        outlines=tuple(outline_like(o, (size, *o.shape), o.dtype) for o in outlines),
    )
    return results, [0] * len(results)


_linear = Primitive("linear_call_of_trees")
_linear.multiple_results = True
_linear.def_impl(_run)
_linear.def_abstract_eval(lambda *leaves, outlines, **_: list(outlines))
ad.primitive_jvps[_linear] = _jvp
ad.primitive_transposes[_linear] = _transpose
batching.primitive_batchers[_linear] = _batch
mlir.register_lowering(_linear, mlir.lower_fun(_run, multiple_results=True))
PLAIN[_linear] = _run
