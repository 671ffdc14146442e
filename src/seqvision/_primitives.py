"""How JAX primitives are made: operations with gradients, or a rule for vmap, that JAX would not find by itself."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jax.typing import DTypeLike

PLAIN: dict[Primitive, Callable] = {}  # primitive -> the function of JAX that says what it computes


def make_primitive(
    name: str,
    compute: Callable,
    *,
    batch: Callable,
    options: Sequence[str] = (),
    on_cpu: Callable | None = None,
    outlines: Callable | None = None,
    multiple_results: bool = False,
    over_devices: bool = False,
) -> Primitive:
    """Make a primitive that computes what a function of JAX computes; who makes it adds how it is differentiated.

    Args:
      name: as it stands in a jaxpr.
      compute: (*arrays, **options) -> the result, or a list of them.
      batch: (arrays, axes, **options) -> results, axes: the rule for vmap, as in ``batching.primitive_batchers``.
      options: names of the keyword arguments, which are static.
      on_cpu: computes the same on CPUs; None: ``compute``.
      outlines: (*arrays, **options) -> `jax.core.ShapedArray` of the result, or a list; None: as ``compute`` has it.
      multiple_results: whether there is a list of results.
      over_devices: ``compute`` takes ``devices``, over how many of them its arrays may lie, where there are several.
    """
    primitive = Primitive(name)
    primitive.multiple_results = multiple_results
    PLAIN[primitive] = compute

    def abstract(*arrays: Any, **options: Any) -> Any:
        results = jax.make_jaxpr(functools.partial(compute, **options))(*arrays).out_avals
        return results if multiple_results else results[0]

    jitted = jax.jit(primitive.bind, static_argnames=options)

    def run(*arrays: Any, **options: Any) -> Any:
        with jax.disable_jit(False):  # without jit a primitive would call itself for ever
            return jitted(*arrays, **options)

    primitive.def_impl(run)
    primitive.def_abstract_eval(outlines or abstract)
    batching.primitive_batchers[primitive] = batch

    def lower(ctx: Any, *operands: Any, **options: Any) -> Any:
        devices = _devices(ctx.module_context.axis_context) if over_devices else 1
        rule = compute if devices == 1 else functools.partial(compute, devices=devices)
        return mlir.lower_fun(rule, multiple_results=multiple_results)(ctx, *operands, **options)

    mlir.register_lowering(primitive, lower)
    if on_cpu is not None:
        mlir.register_lowering(primitive, mlir.lower_fun(on_cpu, multiple_results=multiple_results), platform="cpu")
    return primitive


def _devices(axes: Any) -> int:
    """Return over how many devices XLA may spread an array of a program, those of `shard_map` left out."""
    mesh = getattr(axes, "mesh", None)
    if mesh is None:
        return getattr(axes, "num_devices", 1)
    return math.prod(size for name, size in mesh.shape.items() if name not in axes.manual_axes)


def outline_like(outline: Any, shape: Sequence[Any], dtype: DTypeLike) -> Any:
    """Return the outline of an array that varies over the axes of a mesh as the one of another outline does."""
    spec = jax.sharding.PartitionSpec(*[None] * len(shape))
    return outline.update(shape=tuple(shape), dtype=np.dtype(dtype), sharding=outline.sharding.update(spec=spec))
