"""Read the folder of a model, or one of the models of a run."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import flax.linen as nn

from seqvision._checks import did_you_mean, shown
from seqvision.storage import (
    MANIFEST,
    check_files,
    check_schema,
    flatten_leaves,
    load_weights,
    read_json,
    read_manifest,
)

if TYPE_CHECKING:
    from seqvision.saving.saved_model import SavedModel

logger = logging.getLogger(__name__)

DESCRIPTION, WEIGHTS = "description.json", "weights.safetensors"
MODELS = "models"  # the folder of a run in which its models are


def load_model(
    path: str | os.PathLike[str], name: str | None = None, *, model: nn.Module | None = None
) -> "SavedModel":
    """Return a model that `save_model` or a run kept, whose files are what was written.

    Its weights go to jax's default device, whatever device they were trained on.

    Args:
      path: the folder of a model, or of a run.
      name: which model of a run that has several.
      model: the module, where it has parts of your own that could not be described.

    Raises:
      FileNotFoundError: if there is no model.
      ValueError: naming the file that is missing, truncated, changed or written by a newer version; or each leaf that
        does not fit the model.
    """
    from seqvision.saving.restoring import SCHEMA, restore  # late, for who wants the names of files alone

    path = Path(path)
    if not path.exists() and replaced(path).is_dir():
        path = replaced(path)
    if not (path / DESCRIPTION).is_file() and (path / MODELS).is_dir():
        path = _of_run(path, name)
    elif name is not None:
        raise ValueError(f"name={name!r} is for the models of a run, but {path} is one model: leave it out")
    if not (path / DESCRIPTION).is_file() and not (path / MANIFEST).is_file():
        raise FileNotFoundError(f"{path} is no folder of a model: it has no {DESCRIPTION}{_nearby(path)}")
    check_files(path, needed=(DESCRIPTION, WEIGHTS))
    told = read_json(path / DESCRIPTION)
    where = str(path / DESCRIPTION)
    if not isinstance(told, dict):
        raise ValueError(f"{where} does not describe a model: it holds no object")
    check_schema(where, told.get("schema"), SCHEMA)
    if model is None and told.get("module") is None:
        raise ValueError(
            f"{path} has weights alone, since {shown(told.get('own'))}: give the module, "
            f"load_model({str(path)!r}, model=…)"
        )
    return restore(told, flatten_leaves(load_weights(path / WEIGHTS)), where=where, model=model)


def replaced(path: Path) -> Path:
    """Return where a model is while another takes its place, and stays if the process that does it is killed."""
    return path.with_name(f"{path.name}.old.partial")


def model_names(run: str | os.PathLike[str]) -> dict[str, Path]:
    """Return the models of a run: the folder of each by its name, as the manifest of the run lists them.

    Raises:
      ValueError: if the run has no manifest, or a damaged one.
    """
    run = Path(run)
    folders = [name.split("/") for name in read_manifest(run)]
    return {parts[1]: run / MODELS / parts[1] for parts in folders if len(parts) == 3 and parts[0] == MODELS}


def model_folder_name(name: str) -> str:
    """Return what the folder of a model is called in a run: its name, without signs that no file has.

    >>> model_folder_name("gru"), model_folder_name("with maps")
    ('gru', 'with-maps')
    """
    return "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in name).lstrip(".") or "model"


def _nearby(path: Path) -> str:
    """Return where there are models, for who gave a folder above or a file in one."""
    if path.is_file():
        return f"; give the folder, {path.parent}"
    below = sorted({str(found.parent) for found in (*path.glob(f"*/{DESCRIPTION}"), *path.glob(f"*/{MODELS}/"))})
    return f"; models are in {', '.join(below[-3:])}" if below else ""


def _of_run(run: Path, name: str | None) -> Path:
    check_files(run)
    models = model_names(run)
    status = run / "STATUS"
    if status.is_file() and (said := status.read_text(encoding="utf-8", errors="replace").strip()) != "done":
        logger.warning(f"{run} is no finished run, its STATUS says {said!r}: its models are those of then")
    if name is None:
        if len(models) != 1:
            raise ValueError(f"{run} has {len(models)} models: say which, one of {', '.join(map(repr, models))}")
        return next(iter(models.values()))
    folder = model_folder_name(name)
    if folder not in models:
        raise ValueError(f"{run} has no model {name!r}{did_you_mean(name, models)}")
    return models[folder]
