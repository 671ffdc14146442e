"""How JAX primitives are made: operations with gradients, or a rule for vmap, that JAX would not find by itself."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir


def make_primitive(
    name: str,
    compute: Callable,
    *,
    batch: Callable,
    options: Sequence[str] = (),
    on_cpu: Callable | None = None,
    outlines: Callable | None = None,
    multiple_results: bool = False,
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
    """
    primitive = Primitive(name)
    primitive.multiple_results = multiple_results

    def abstract(*arrays: Any, **options: Any) -> Any:
        results = jax.eval_shape(functools.partial(compute, **options), *arrays)
        return jax.tree.map(lambda result: jax.core.ShapedArray(result.shape, result.dtype), results)

    primitive.def_impl(jax.jit(primitive.bind, static_argnames=options))
    primitive.def_abstract_eval(outlines or abstract)
    batching.primitive_batchers[primitive] = batch
    mlir.register_lowering(primitive, mlir.lower_fun(compute, multiple_results=multiple_results))
    if on_cpu is not None:
        mlir.register_lowering(primitive, mlir.lower_fun(on_cpu, multiple_results=multiple_results), platform="cpu")
    return primitive
