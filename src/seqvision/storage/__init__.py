"""Files that are kept: written whole, arrays by name in safetensors, a manifest by which a changed one is refused.

Of any pytree `CheckpointFolder` keeps checkpoints::

    here = CheckpointFolder("here")
    here.save(states, {"epoch": 5})
    if (number := here.newest()) is not None:
        states, epoch = here.load(number, like=states), here.about(number)["epoch"]
"""

from typing import TYPE_CHECKING

from seqvision._late import late_imports
from seqvision.storage.json_text import json_text, read_json, to_plain

if TYPE_CHECKING:
    from seqvision.storage.checkpoints import CheckpointFolder
    from seqvision.storage.locks import lock_folder
    from seqvision.storage.manifest import (
        MANIFEST,
        NewerSchemaError,
        check_files,
        check_schema,
        read_manifest,
        record_files,
    )
    from seqvision.storage.weights import (
        describe_leaves,
        flatten_leaves,
        leaf_differences,
        load_weights,
        save_weights,
        unflatten_leaves,
    )
    from seqvision.storage.whole_files import write_file

__all__ = [
    "MANIFEST",
    "CheckpointFolder",
    "NewerSchemaError",
    "check_files",
    "check_schema",
    "describe_leaves",
    "flatten_leaves",
    "json_text",
    "leaf_differences",
    "load_weights",
    "lock_folder",
    "read_json",
    "read_manifest",
    "record_files",
    "save_weights",
    "to_plain",
    "unflatten_leaves",
    "write_file",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)
