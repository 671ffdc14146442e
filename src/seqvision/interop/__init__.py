"""Weights to and from torch, Keras, flax, haiku and equinox, and our cells inside flax and equinox.

``from_X(cell, weights)`` gives a cell's parameters, for `unroll` and its relatives, from what X keeps for its layer;
``to_X(cell, params)`` gives back what X keeps. The function that the weights compute stays the same. None of the
peers is imported but flax, which this library uses anyway. `from_torchvision` and `to_torchvision` do the same for
whole networks. `export_stablehlo`, `export_onnx` and `export_safetensors` write a model for programs without this
library, `export_run` one of a finished run.

The models of `seqvision.models` keep a cell's parameters as the dict ``params._asdict()``, which
``to_X`` takes as well.

>>> import jax, numpy as np
>>> from seqvision.cells import LSTM
>>> cell = LSTM(4)
>>> params = cell.init(jax.random.key(0), in_features=3)
>>> again = from_torch(cell, to_torch(cell, params))
>>> bool(np.array_equal(params.w_x, again.w_x))
True
"""

from typing import TYPE_CHECKING

from seqvision._late import late_imports

if TYPE_CHECKING:
    from .equinox import from_equinox, to_equinox
    from .equinox_cell import EquinoxCell
    from .export.files import Export
    from .export.onnx import export_onnx
    from .export.run import export_run
    from .export.safetensors import export_safetensors
    from .export.stablehlo import export_stablehlo
    from .flax import from_flax, from_nnx, to_flax, to_nnx
    from .flax_cell import FlaxCell
    from .haiku import from_haiku, to_haiku
    from .keras import from_keras, to_keras
    from .torch import from_torch, to_torch
    from .torchvision import from_torchvision, to_torchvision

__all__ = [
    "EquinoxCell",
    "Export",
    "FlaxCell",
    "export_onnx",
    "export_run",
    "export_safetensors",
    "export_stablehlo",
    "from_equinox",
    "from_flax",
    "from_haiku",
    "from_keras",
    "from_nnx",
    "from_torch",
    "from_torchvision",
    "to_equinox",
    "to_flax",
    "to_haiku",
    "to_keras",
    "to_nnx",
    "to_torch",
    "to_torchvision",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)
