"""Files that are kept: written whole, arrays by name in safetensors, a manifest by which a changed one is refused."""

from seqvision.storage.manifest import MANIFEST, check_files, read_manifest, record_files
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
    "check_files",
    "describe_leaves",
    "flatten_leaves",
    "leaf_differences",
    "load_weights",
    "read_manifest",
    "record_files",
    "save_weights",
    "unflatten_leaves",
    "write_file",
]
