"""The run that another was refitted from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax

from seqvision.pipelines.saved_variables import load_variables
from seqvision.reporting import RunFolder
from seqvision.storage import MANIFEST

PARENT = "parent.json"


@dataclass(frozen=True, eq=False)
class Parent:
    """A finished run whose configuration, and whose weights if it is so said, another run begins with."""

    name: str  # of its folder
    path: str
    manifest: str  # SHA-256 of its manifest.json, and so of all its files
    from_weights: bool
    variables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None  # model -> what each seed begins with

    @classmethod
    def of(cls, folder: RunFolder, variables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None) -> "Parent":
        """Return the parent that a run folder makes."""
        path = folder.path.resolve()
        manifest = hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()
        return cls(path.name, str(path), manifest, variables is not None, variables)

    def to_dict(self) -> dict[str, Any]:
        """Return who it is, without weights."""
        return {name: value for name, value in vars(self).items() if name != "variables"}


def write_parent(folder: RunFolder, parent: Parent | None) -> None:
    """Write parent.json of a run that has one."""
    if parent is not None and not folder.has(PARENT):
        folder.write_json(PARENT, parent.to_dict())


def read_parent(
    folder: RunFolder, models: Mapping[str, nn.Module], example: jax.ShapeDtypeStruct, seeds: int
) -> Parent | None:
    """Return the parent of a run that was stopped, with the weights that it begins with; None if it has none.

    Args:
      folder: of the run.
      models: by name.
      example: shape and dtype of a batch of one.
      seeds: how many begin.

    Raises:
      ValueError: if weights are needed and the parent has changed.
      FileNotFoundError: if it is gone.
    """
    if not folder.has(PARENT):
        return None
    told = folder.read_json(PARENT)
    try:
        parent = Parent(**told)
    except TypeError as error:
        raise ValueError(f"{folder.path / PARENT} says no parent ({error}): restore it from a copy") from None
    if not parent.from_weights:
        return parent
    run = RunFolder.open(parent.path)
    if Parent.of(run).manifest != parent.manifest:
        raise ValueError(f"{run.path}, from whose weights {folder.path} goes on, has changed: refit it again")
    return Parent.of(run, load_variables(models, example, seeds, run))
