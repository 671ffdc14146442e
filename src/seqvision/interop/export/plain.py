"""A function as a program of JAX's own primitives alone, which tools that read programs know.

What a trained model runs by holds more: kernels for CPUs, choices by platform, backward passes written by hand,
functions compiled by themselves. For inference each of them stands for plain operations.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
from jax import lax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from seqvision._primitives import PLAIN

_CALLS = ("jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat2")


def in_plain_primitives(function: Callable, *examples: Any) -> Callable[..., list]:
    """Return a function of the same arrays that binds JAX's own primitives alone, and gives a flat list of results.

    Args:
      function: of arrays; its results are a tree of them.
      examples: what it is traced with: `jax.ShapeDtypeStruct`, whose sizes may be symbols.

    >>> import jax.numpy as jnp
    >>> from seqvision.conv import conv
    >>> image = jax.ShapeDtypeStruct((1, 5, 5, 2), jnp.float32)
    >>> plain = in_plain_primitives(lambda x, k: conv(x, k), image, jax.ShapeDtypeStruct((3, 3, 2, 4), jnp.float32))
    >>> [str(eqn.primitive) for eqn in equations(jax.make_jaxpr(plain)(jnp.ones((1, 5, 5, 2)), jnp.ones((3, 3, 2, 4))))]
    ['conv_general_dilated']
    """
    closed = jax.make_jaxpr(function)(*examples)
    return functools.partial(_evaluate, closed.jaxpr, closed.consts)


def equations(jaxpr: Any) -> Iterator[Any]:
    """Return every equation of a program and of the programs in it.

    >>> [str(eqn.primitive) for eqn in equations(jax.make_jaxpr(jax.jit(lambda x: x + 1))(2))]
    ['jit', 'add']
    """
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        yield equation
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda leaf: hasattr(leaf, "eqns")):
            if hasattr(inner, "eqns"):
                yield from equations(inner)


def _evaluate(jaxpr: Jaxpr, consts: Sequence[Any], *arrays: Any) -> list:
    known = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *arrays], strict=True))

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, Literal) else known[atom]

    for equation in jaxpr.eqns:
        results = _bind(equation.primitive, equation.params, [read(atom) for atom in equation.invars])
        known.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _call(inner: ClosedJaxpr | Jaxpr, *arrays: Any) -> list:
    return (
        _evaluate(inner.jaxpr, inner.consts, *arrays)
        if isinstance(inner, ClosedJaxpr)
        else _evaluate(inner, (), *arrays)
    )


def _bind(primitive: Any, params: dict[str, Any], arrays: list) -> list:
    if primitive in PLAIN:
        outlines = [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays]
        return in_plain_primitives(functools.partial(PLAIN[primitive], **params), *outlines)(*arrays)
    if primitive.name in _CALLS:
        return _call(params["jaxpr"] if "jaxpr" in params else params["call_jaxpr"], *arrays)
    if primitive.name == "pad":  # converters know it for fixed sizes alone, and not between elements
        return [_pad(arrays[0], arrays[1], params["padding_config"])]
    if primitive.name == "platform_index":
        return [None]  # the choice below needs no index
    if primitive.name == "cond":
        return _choose(params, arrays)
    if primitive.name == "scan":
        return _scan(params, arrays)
    if primitive.name == "while":
        return _while(params, arrays)
    results = primitive.bind(*arrays, **params)
    return list(results) if primitive.multiple_results else [results]


def _pad(x: Any, value: Any, config: Sequence[tuple[int, int, int]]) -> Any:
    """Pad by joining arrays of the value to x, also between its elements; a negative edge cuts off."""

    def fill(axis: int, count: int) -> Any:
        return lax.broadcast_in_dim(value, (*x.shape[:axis], count, *x.shape[axis + 1 :]), ())

    for axis, (low, high, step) in enumerate(config):
        if step and x.shape[axis]:
            size, rest = x.shape[axis], x.shape[axis + 1 :]
            x = lax.expand_dims(x, [axis + 1])
            x = lax.concatenate([x, fill(axis + 1, step)], axis + 1)
            x = x.reshape(*x.shape[:axis], size * (step + 1), *rest)
            x = lax.slice_in_dim(x, 0, size * (step + 1) - step, axis=axis)
        parts = [*([fill(axis, low)] if low > 0 else []), x, *([fill(axis, high)] if high > 0 else [])]
        x = lax.concatenate(parts, axis) if len(parts) > 1 else x
        if low < 0 or high < 0:
            x = lax.slice_in_dim(x, max(-low, 0), x.shape[axis] - max(-high, 0), axis=axis)
    return x


def _choose(params: dict[str, Any], arrays: list) -> list:
    platforms = params.get("branches_platforms")
    if platforms is not None:
        return _call(params["branches"][platforms.index(None) if None in platforms else -1], *arrays[1:])
    branches = [functools.partial(_call, branch) for branch in params["branches"]]
    return lax.switch(arrays[0], branches, *arrays[1:])


def _scan(params: dict[str, Any], arrays: list) -> list:
    held, carried = params["num_consts"], params["num_carry"]
    consts, state, xs = arrays[:held], arrays[held : held + carried], arrays[held + carried :]

    def body(state: Any, x: Any) -> Any:
        results = _call(params["jaxpr"], *consts, *state, *x)
        return results[:carried], results[carried:]

    options = {name: params[name] for name in ("length", "reverse", "unroll")}
    state, ys = lax.scan(body, state, xs, **options)
    return [*state, *ys]


def _while(params: dict[str, Any], arrays: list) -> list:
    first, second = params["cond_nconsts"], params["body_nconsts"]
    of_condition, of_body, state = arrays[:first], arrays[first : first + second], arrays[first + second :]
    return lax.while_loop(
        lambda state: _call(params["cond_jaxpr"], *of_condition, *state)[0],
        lambda state: _call(params["body_jaxpr"], *of_body, *state),
        state,
    )
