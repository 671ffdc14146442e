"""A trained model as a folder: `save_model` and `load_model`, and modules as JSON of registered names.

A folder of a model holds description.json, weights.safetensors and manifest.json: no code, no pickles, no device. A run
folder has one for each of its models, in models/NAME.
"""

from typing import TYPE_CHECKING

from seqvision._late import late_imports

if TYPE_CHECKING:
    from seqvision.saving.building import build_module
    from seqvision.saving.description import UndescribableError, describe_module
    from seqvision.saving.keeping import save_model
    from seqvision.saving.loading import MODELS, WEIGHTS, load_model, model_folder_name, model_names
    from seqvision.saving.saved_model import SavedModel

__all__ = [
    "MODELS",
    "WEIGHTS",
    "SavedModel",
    "UndescribableError",
    "build_module",
    "describe_module",
    "load_model",
    "model_folder_name",
    "model_names",
    "save_model",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)
