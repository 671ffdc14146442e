"""A model as ONNX, for ONNX Runtime in Python, C++, Java, C# or a browser."""

import contextlib
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from .agreement import measure_agreement
from .files import Export, check_folder, write_export
from .plain import equations, in_plain_primitives
from .program import Program, make_program

SNIPPET = '''\
"""Run model.onnx on the rows of example.npz: needs onnxruntime and numpy alone."""

from pathlib import Path

import numpy as np
import onnxruntime

here = Path(__file__).parent
model = onnxruntime.InferenceSession(here / "model.onnx")
rows = np.load(here / "example.npz")
outputs = model.run({outputs}, {inputs})
for name, output in zip({outputs}, outputs):
    print(name, output[0].tolist(), "largest difference", abs(output - rows[name]).max())
'''


def export_onnx(
    folder: str | os.PathLike[str],
    model: Any,
    variables: Any,
    example: Any,
    *,
    output: str = "y",
    batch: int | None = None,
    expected: Any = None,
    about: Mapping[str, Any] | None = None,
) -> Export:
    """Write a model, its weights within, as ONNX, and compare what ONNX Runtime computes with the model.

    Whatever method a model computes by, what is written are plain operations: convolutions, products, and a loop over
    the steps of a recurrent layer.

    Args:
      folder: where to write; made if it is not there.
      model: a flax module, applied as ``model.apply(variables, x)``, or a pure function (variables, x).
      variables: what it is applied with.
      example: rows x (N, ...) to try it on, or a dict of them and further inputs, which are passed by name.
      output: name of the result.
      batch: the number of rows; None: any.
      expected: what the model says of the example; None: it is computed.
      about: what else the signature shall say.

    Raises:
      ImportError: without jax2onnx and onnxruntime, which the extra "onnx" installs.
      ValueError: for a folder of other files, a model that must know the number of rows, or one that has no ONNX form.
      ArithmeticError: if ONNX Runtime differs by more than 1e-5 of the largest output.
    """
    path = check_folder("export_onnx", folder)
    try:
        with _quiet():
            import jax2onnx  # noqa: F401
            import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"export_onnx needs jax2onnx and onnxruntime ({error}): pip install 'seqvision[onnx]'"
        ) from error
    program = make_program("export_onnx", model, variables, example, output, batch, expected)
    content = _convert(program)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    got = session.run(list(program.outputs), program.examples)
    agreement = measure_agreement("export_onnx", program.expected, got, f"onnxruntime {onnxruntime.__version__}")
    snippet = SNIPPET.format(
        inputs="{" + ", ".join(f'"{name}": rows["{name}"]' for name in program.examples) + "}",
        outputs=repr(list(program.outputs)).replace("'", '"'),
    )
    return write_export(
        path,
        kind="onnx",
        name="model.onnx",
        content=content,
        program=program,
        agreement=agreement,
        snippet=snippet,
        about=about,
    )


def _convert(program: Program) -> bytes:
    from jax2onnx import to_onnx

    plain = in_plain_primitives(program.call, *program.outlines)
    _refuse_complex(plain, program)
    try:
        with _quiet():
            proto: Any = to_onnx(
                plain,
                list(program.outlines),
                model_name="seqvision",
                enable_double_precision=bool(jax.config.jax_enable_x64),  # type: ignore[attr-defined]
                input_names=list(program.examples),
                output_names=list(program.outputs),
            )
    except NotImplementedError as error:
        missing = re.search(r"primitive '(\w+)'", str(error))
        told = f"{missing[1]!r} is no operation of ONNX" if missing else str(error)
        raise ValueError(
            f'export_onnx: the model has no ONNX form: {told}. A recurrent layer with method="scan" or "auto" has '
            "one; export_stablehlo writes every model"
        ) from error
    _drop_unused(proto.graph)
    return proto.SerializeToString()


def _refuse_complex(plain: Any, program: Program) -> None:
    for equation in equations(jax.make_jaxpr(plain)(*program.outlines)):
        if any(np.issubdtype(variable.aval.dtype, np.complexfloating) for variable in equation.outvars):
            raise ValueError(
                "export_onnx: the model has no ONNX form: it computes with complex numbers, as LRU does, which ONNX "
                "Runtime does not: train with another cell, such as MinGRU, or use export_stablehlo"
            )


def _drop_unused(graph: Any) -> set[str]:
    """Take away constants that no node reads, of which ONNX Runtime warns; return the names that a graph reads."""
    used = {value.name for value in graph.output}
    for node in graph.node:
        used |= set(node.input)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                used |= _drop_unused(attribute.g)
    kept = [constant for constant in graph.initializer if constant.name in used]
    if len(kept) < len(graph.initializer):
        del graph.initializer[:]
        graph.initializer.extend(kept)
    return used


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out the converter's warnings, of what it leaves out itself and of names in JAX that will change.

    Where warnings are errors, it would go on without the operations whose files warn when they are imported.
    """
    logger = logging.getLogger("onnx_ir")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
