"""A model's weights alone, by their paths, for whoever builds the model himself."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from seqvision._checks import check_choice

from .files import Export, check_folder, write_export
from .torch_layout import to_torch_layout, torch_layers

Layout = Literal["seqvision", "torch"]

NOTES: dict[str, str] = {
    "seqvision": (
        "x @ kernel + bias, kernel (in, out); images (rows, columns, channels), kernels (*window, in, out); cells: "
        "x @ w_x + h @ w_h + b, gates side by side along the last axis, LSTM i|f|g|o, GRU r|z|n with "
        "h' = (1 - z) n + z h"
    ),
    "torch": (
        "as torch's state_dict: weight (out, in, *window); recurrent layers weight_ih_l0 …, bias_hh zero but for the "
        "GRU's n. Images are (channels, rows, columns) there: what is flattened must be permuted to (rows, columns, "
        "channels) first. Strides, padding, activations and pools are not in here"
    ),
}

SNIPPET = '''\
"""Read weights.safetensors: needs safetensors and numpy alone."""

from pathlib import Path

from safetensors import safe_open
from safetensors.numpy import load_file

path = Path(__file__).parent / "weights.safetensors"
print(safe_open(path, "numpy").metadata()["description"])
for name, array in load_file(path).items():
    print(name, array.shape, array.dtype)
'''

TORCH = '''\
"""Load weights.safetensors into layers of torch: needs torch and safetensors."""

from pathlib import Path

import torch
from safetensors.torch import load_file

weights = load_file(Path(__file__).parent / "weights.safetensors")
layers = {{
{layers}
}}
for place, layer in layers.items():
    names = {{name.rpartition(".")[2]: name for name in weights if name.rpartition(".")[0] == place}}
    layer.load_state_dict({{leaf: weights[name] for leaf, name in names.items()}})
    print(place, layer)
'''


def export_safetensors(
    folder: str | os.PathLike[str],
    model: Any,
    variables: Any,
    *,
    layout: Layout = "seqvision",
    about: Mapping[str, Any] | None = None,
) -> Export:
    """Write weights under their paths as weights.safetensors, which needs neither jax nor this library to be read.

    Args:
      folder: where to write; made if it is not there.
      model: the flax module that they are of; for ``layout="torch"`` its cells say how weights lie.
      variables: what it is applied with, or several of them, one a seed.
      layout: "seqvision", as they are; "torch", under the names and in the layout of torch's state_dict, for models
        of cells that torch has, dense layers, convolutions and batch norms.
      about: what else the description in the file shall say.

    Raises:
      ValueError: for a folder of other files, or a model that has no layout of torch.

    >>> import tempfile, flax.linen as nn, jax
    >>> layer = nn.Dense(2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = export_safetensors(folder, layer, layer.init(jax.random.key(0), np.ones((1, 3))))
    ...     done.signature["tensors"]
    {'params.bias': [[2], 'float32'], 'params.kernel': [[3, 2], 'float32']}
    """
    from safetensors.numpy import save

    check_choice("layout", layout, get_args(Layout), owner="export_safetensors")
    path = check_folder("export_safetensors", folder)
    seeds = [variables] if isinstance(variables, Mapping) else list(variables)
    arrays: dict[str, np.ndarray] = {}
    layers: dict[str, str] = {}
    for number, tree in enumerate(seeds):
        prefix = f"seed_{number}." if len(seeds) > 1 else ""
        named = to_torch_layout(model, tree) if layout == "torch" else dict(_named(tree))
        arrays |= {prefix + name: np.ascontiguousarray(array) for name, array in named.items()}
        if layout == "torch":
            layers |= {prefix + name: text for name, text in torch_layers(model, named).items()}
    plain = {key: value for key, value in (about or {}).items() if key not in ("inputs", "outputs")}
    described = {**plain, "layout": layout, "how": NOTES[layout]}
    content = save(arrays, metadata={"format": "np", "description": json.dumps(described, ensure_ascii=False)})
    lines = "\n".join(f'    "{name}": torch.nn.{text},' for name, text in layers.items())
    return write_export(
        path,
        kind="safetensors",
        name="weights.safetensors",
        content=content,
        program=None,
        agreement=None,
        snippet=TORCH.format(layers=lines) if layout == "torch" else SNIPPET,
        about=described,
        details={"tensors": {name: [list(a.shape), str(a.dtype)] for name, a in sorted(arrays.items())}},
    )


def _named(tree: Any, path: Sequence[str] = ()) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(tree, Mapping):
        for name, inner in tree.items():
            yield from _named(inner, (*path, str(name)))
    elif tree is not None:
        yield ".".join(path), np.asarray(tree)
