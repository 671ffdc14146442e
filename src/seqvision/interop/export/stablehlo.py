"""A model as StableHLO: one file for CPU, CUDA and TPU, which jax alone runs."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.export

from .agreement import measure_agreement
from .files import Export, check_folder, write_export
from .program import make_program

PLATFORMS = ("cpu", "cuda", "tpu")

SNIPPET = '''\
"""Run model.stablehlo on the rows of example.npz: needs jax and flatbuffers alone."""

from pathlib import Path

import jax
import numpy as np
from jax import export

here = Path(__file__).parent
model = jax.jit(export.deserialize(bytearray((here / "model.stablehlo").read_bytes())).call)
rows = np.load(here / "example.npz")
outputs = model({inputs})
for name, output in zip({outputs}, outputs):
    print(name, np.asarray(output)[0].tolist(), "largest difference", abs(output - rows[name]).max())
'''


def export_stablehlo(
    folder: str | os.PathLike[str],
    model: Any,
    variables: Any,
    example: Any,
    *,
    output: str = "y",
    platforms: Sequence[str] = PLATFORMS,
    batch: int | None = None,
    expected: Any = None,
    about: Mapping[str, Any] | None = None,
) -> Export:
    """Write a model, its weights within, as StableHLO that ``jax.export.deserialize`` reads on every platform.

    Whoever runs it needs jax (and flatbuffers, which its export uses), and nothing of this library: inputs and outputs
    are plain arrays. It reads its inputs in the order of the signature, and returns a list of its outputs.

    Args:
      folder: where to write; made if it is not there.
      model: a flax module, applied as ``model.apply(variables, x)``, or a pure function (variables, x).
      variables: what it is applied with.
      example: rows x (N, ...) to try it on, or a dict of them and further inputs, which are passed by name.
      output: name of the result.
      platforms: where it shall run.
      batch: the number of rows; None: any.
      expected: what the model says of the example; None: it is computed.
      about: what else the signature shall say.

    Raises:
      ValueError: for a folder of other files, or a model that must know the number of rows.
      ArithmeticError: if the exported model differs by more than 1e-5 of the largest output.

    >>> import tempfile
    >>> import flax.linen as nn, numpy as np
    >>> layer, x = nn.Dense(2), np.ones((4, 3), np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = export_stablehlo(folder, layer, layer.init(jax.random.key(0), x), x)
    ...     read = jax.export.deserialize(bytearray(done.file.read_bytes()))
    >>> read.platforms, read.call(np.ones((7, 3), np.float32))[0].shape
    (('cpu', 'cuda', 'tpu'), (7, 2))
    """
    path = check_folder("export_stablehlo", folder)
    program = make_program("export_stablehlo", model, variables, example, output, batch, expected)
    exported = jax.export.export(jax.jit(program.call), platforms=tuple(platforms))(*program.outlines)
    content = bytes(exported.serialize())
    read = jax.export.deserialize(bytearray(content))
    agreement = measure_agreement(
        "export_stablehlo", program.expected, jax.jit(read.call)(*program.examples.values()), f"jax {jax.__version__}"
    )
    snippet = SNIPPET.format(
        inputs=", ".join(f'rows["{name}"]' for name in program.examples),
        outputs=repr(list(program.outputs)).replace("'", '"'),
    )
    return write_export(
        path,
        kind="stablehlo",
        name="model.stablehlo",
        content=content,
        program=program,
        agreement=agreement,
        snippet=snippet,
        about=about,
        details={
            "platforms": list(platforms),
            "jax": jax.__version__,
            "calling_convention": read.calling_convention_version,
        },
    )
