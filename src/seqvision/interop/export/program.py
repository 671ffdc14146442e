"""What is exported: a pure function of named arrays whose rows may be any number."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.export
import jax.numpy as jnp
import numpy as np

from seqvision._checks import check_count, shown

from .plain import equations

BATCH = "batch"  # the name of the number of rows
KERNELS = ("pallas_call", "rnn_fwd", "triton_kernel_call")  # of the methods "pallas" and "cudnn", or of the user's own


class Program(NamedTuple):
    """A function of arrays in the order of their names, with rows to try it on."""

    call: Callable[..., list[Any]]  # (*inputs) -> outputs
    examples: dict[str, np.ndarray]  # name -> (N, ...)
    outlines: tuple[jax.ShapeDtypeStruct, ...]  # of the inputs, (batch, ...)
    outputs: dict[str, jax.ShapeDtypeStruct]  # name -> (batch, ...)
    expected: list[np.ndarray]  # what the model says of the examples

    def describe(self) -> dict[str, list[dict[str, Any]]]:
        """Return the names, shapes and types of what goes in and comes out, as plain values."""
        ins = dict(zip(self.examples, self.outlines, strict=True))
        return {
            side: [
                {"name": name, "shape": [_plain(size) for size in one.shape], "dtype": str(one.dtype)}
                for name, one in arrays.items()
            ]
            for side, arrays in (("inputs", ins), ("outputs", self.outputs))
        }


def make_program(
    owner: str, model: Any, variables: Any, example: Any, output: str, batch: int | None, expected: Any = None
) -> Program:
    """Return a model and its variables as a program.

    Args:
      owner: the function that the user called.
      model: a flax module, or a pure function (variables, x).
      variables: what it is applied with.
      example: rows x (N, ...), or a dict of them and further inputs, which are passed by name.
      output: name of the result, where it is one array.
      batch: the number of rows; None: any.
      expected: what the model says of the example, if that is known; None: it is computed.
    """
    apply = getattr(model, "apply", model)
    if not callable(apply) or isinstance(model, type):
        raise TypeError(
            f"{owner}: model must be a flax module or a function (variables, x), got {shown(model, 80)}: "
            "make it first, as in MLP((8,))"
        )
    examples = _rows(owner, example)
    first, *rest = examples
    variables = jax.tree.map(jnp.asarray, variables)

    def call(*arrays: Any) -> Any:
        return apply(variables, arrays[0], **dict(zip(rest, arrays[1:], strict=True)))

    size = check_count("batch", batch, owner=owner) if batch is not None else jax.export.symbolic_shape(BATCH)[0]
    outlines = tuple(jax.ShapeDtypeStruct((size, *a.shape[1:]), a.dtype) for a in examples.values())
    _refuse_kernels(owner, jax.make_jaxpr(call)(*(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in examples.values())))
    try:
        tree = jax.eval_shape(call, *outlines)
    except jax.errors.InconclusiveDimensionOperation as error:
        told = str(error).split("\n")[0]
        raise ValueError(
            f"{owner}: the model must know how many rows there are ({told}): say batch=…, such as "
            f"batch={examples[first].shape[0]}"
        ) from error
    outputs = _names(output, tree)
    if expected is None:
        expected = jax.jit(call)(*examples.values())
    return Program(
        lambda *arrays: jax.tree.leaves(call(*arrays)),
        examples,
        outlines,
        outputs,
        [np.asarray(leaf) for leaf in jax.tree.leaves(expected)],
    )


def _refuse_kernels(owner: str, jaxpr: Any) -> None:
    for equation in equations(jaxpr):
        if equation.primitive.name in KERNELS:
            raise ValueError(
                f"{owner}: the model holds a kernel for one kind of GPU ({equation.primitive.name}): make it with "
                'method="auto", the parameters stay the same'
            )


def _rows(owner: str, example: Any) -> dict[str, np.ndarray]:
    named = dict(example) if isinstance(example, Mapping) else {"x": example}
    if not named or not all(isinstance(name, str) and name.isidentifier() for name in named):
        raise ValueError(
            f"{owner}: example must be rows x (N, ...), or a dict of them by name, got {shown(example, 80)}"
        )
    arrays = {name: np.asarray(jnp.asarray(array)) for name, array in named.items()}
    sizes = {array.shape[0] if array.ndim else 0 for array in arrays.values()}
    if len(sizes) != 1 or 0 in sizes:
        shapes = {name: array.shape for name, array in arrays.items()}
        raise ValueError(f"{owner}: example must hold at least one row, and of all inputs as many, got {shapes}")
    return arrays


def _names(output: str, tree: Any) -> dict[str, jax.ShapeDtypeStruct]:
    """Name the leaves of the results by their path; one array alone has the name that is given."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    if len(leaves) == 1:
        return {output: leaves[0][1]}
    names = [jax.tree_util.keystr(path, simple=True, separator="_") for path, _ in leaves]
    return {f"{output}_{name}": leaf for name, (_, leaf) in zip(names, leaves, strict=True)}


def _plain(size: Any) -> int | str:
    return size if isinstance(size, int) else str(size)
