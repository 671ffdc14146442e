"""Keep a trained model in a folder: description.json, weights.safetensors and the manifest of both."""

import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import flax.linen as nn
import numpy as np

import seqvision
from seqvision._checks import check_flag, check_number, shown
from seqvision.data import PixelScaler, Scaler, find_column
from seqvision.saving.description import UndescribableError, describe_module
from seqvision.saving.examples import describe_example
from seqvision.saving.fields import describe_scaler
from seqvision.saving.loading import DESCRIPTION, WEIGHTS, replaced
from seqvision.saving.restoring import SCHEMA, restore
from seqvision.saving.saved_model import SavedModel
from seqvision.saving.trees import leaves_by_path
from seqvision.storage import json_text, record_files, save_weights, unflatten_leaves, write_file
from seqvision.training import Fit, TrainState

logger = logging.getLogger(__name__)

Trained = Fit | TrainState | Mapping[str, Any]


def save_model(
    path: str | os.PathLike[str],
    model: nn.Module,
    trained: Trained | Sequence[Trained],
    *,
    example: Any = None,
    scaler: Scaler | PixelScaler | None = None,
    pixels: float | None = None,
    columns: Sequence[str] | None = None,
    targets: Sequence[str | int] | None = None,
    classes: Sequence[str] | None = None,
    data: Mapping[str, Any] | None = None,
    name: str | None = None,
    overwrite: bool = False,
) -> SavedModel:
    """Keep a trained model in a folder that `load_model` reads, in another process and on other devices.

    The folder has no code and no pickles: description.json names classes and functions of a table, weights.safetensors
    has every number, manifest.json the SHA-256 of both. Of a module with parts of your own the weights are kept, and
    `load_model` asks for the module.

    Args:
      path: the folder; it appears whole or not at all.
      model: what was trained.
      trained: what `seqvision.training.fit` returned, a state, or variables {"params": …, "batch_stats": …}; or a list
        of them, one a seed, whose mean the model then answers.
      example: an input with its batch axis; what was trained by `fit` knows it.
      scaler: what the inputs of training were scaled by: `SavedModel.predict` takes them in original units.
      pixels: what images of whole numbers are divided by, 255 for images that were trained on as 0 to 1.
      columns: names of the features of a series, in their order.
      targets: the columns that are forecast, by name or position; () if the targets of training were not scaled. The
        default is the one column that there is.
      classes: names of the classes, in the order of the model's logits.
      data: anything else that JSON holds, to be found again as ``SavedModel.data``.
      name: what the model is called; by default as the folder.
      overwrite: replace a model that is there.

    Returns:
      The model as `load_model` gives it.

    Raises:
      FileExistsError: if the folder exists and is not empty.
      ValueError: if weights do not fit the model, naming the leaf; or scaler, targets or classes do not fit outputs.

    >>> import tempfile, numpy as np
    >>> from seqvision.saving import load_model
    >>> from seqvision.training import fit
    >>> x, y, model = np.ones((8, 3), np.float32), np.zeros((8, 1), np.float32), nn.Dense(1)
    >>> done = fit(model, (x, y), loss="mse", optimizer="sgd", epochs=1, batch_size=4, key=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saved = save_model(f"{folder}/mine", model, done)
    ...     loaded = load_model(f"{folder}/mine")
    >>> loaded.model == model, bool((loaded.predict(x) == saved.predict(x)).all())
    (True, True)
    """
    path = Path(path)
    _check_place(path, overwrite)
    each = list(trained) if isinstance(trained, list | tuple) and not isinstance(trained, Fit) else [trained]
    if not each:
        raise ValueError("trained is empty: give what fit returned, or a list of that, one a seed")
    trees = {f"seed_{number}": _variables(one) for number, one in enumerate(each)}
    weights = {
        path: leaf if hasattr(leaf, "dtype") else np.asarray(leaf) for path, leaf in leaves_by_path(trees).items()
    }
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "versions": {"seqvision": seqvision.__version__} | {name: version(name) for name in ("jax", "flax", "numpy")},
        "name": path.name if name is None else name,
        **_module(path, model),
        "example": describe_example(_example(each[0]) if example is None else example),
        "seeds": len(each),
        "scaler": describe_scaler(scaler),
        "pixels": None if pixels is None else check_number("pixels", pixels, above=0),
        "columns": None if columns is None else [str(column) for column in columns],
        "targets": _targets(scaler, columns, targets, classes),
        "classes": None if classes is None else [str(name) for name in classes],
        "data": dict(data or {}),
    }
    text = json_text(told) + "\n"
    saved = restore(json.loads(text), weights, where=f"save_model to {path}", model=model)
    partial = path.with_name(f"{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_file(partial / DESCRIPTION, text)
    save_weights(partial / WEIGHTS, unflatten_leaves(weights))
    record_files(partial)
    _put(partial, path)
    return saved


def _put(partial: Path, path: Path) -> None:
    """Give a folder its name; what had it before goes when the new one is there."""
    old = replaced(path)
    if path.exists():
        shutil.rmtree(old, ignore_errors=True)
        path.replace(old)
    partial.replace(path)
    shutil.rmtree(old, ignore_errors=True)


def _check_place(path: Path, overwrite: bool) -> None:
    check_flag("overwrite", overwrite, owner="save_model")
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        if not overwrite:
            raise FileExistsError(f"{path} exists: choose another path, or overwrite=True")
        if not (path / DESCRIPTION).is_file():
            raise FileExistsError(f"{path} exists and is no folder of a model: choose another path")


def _variables(trained: Any) -> dict[str, Any]:
    """Return params and batch_stats of what was trained."""
    state = trained.state if isinstance(trained, Fit) else trained
    if isinstance(state, TrainState):
        state = {"params": state.params, "batch_stats": state.batch_stats}
    if not isinstance(state, Mapping) or "params" not in state:
        raise TypeError(
            f"trained must be what fit returned, a state, or variables {{'params': …}}, got {shown(trained, 80)}"
        )
    if unknown := sorted(state.keys() - {"params", "batch_stats"}):
        raise ValueError(f"trained has the collections {unknown}: params and batch_stats are kept, leave out others")
    return {name: tree for name, tree in state.items() if name == "params" or tree}


def _example(trained: Any) -> Any:
    state = trained.state if isinstance(trained, Fit) else trained
    if not isinstance(state, TrainState) or state.input_axes is None:
        raise ValueError("example: variables alone do not say what inputs are like: give an input with its batch axis")
    return state.input_axes.example


def _module(path: Path, model: nn.Module) -> dict[str, Any]:
    try:
        return {"module": describe_module(model)}
    except UndescribableError as error:
        logger.warning(f"{path} gets the weights alone, since {error.reason}: load_model will ask for the module")
        return {"module": None, "own": error.reason}


def _targets(scaler: Any, columns: Any, targets: Any, classes: Any) -> list[int]:
    """Return the positions of the columns that outputs are forecasts of."""
    if not isinstance(scaler, Scaler) or classes is not None:
        if targets:
            raise ValueError(
                "targets are columns of a scaler, for models without classes: give scaler=…, or no targets"
            )
        return []
    names = tuple(columns) if columns is not None else tuple(map(str, range(len(scaler.shift))))
    if len(names) != len(scaler.shift):
        raise ValueError(f"columns has {len(names)} names, but the scaler was fitted on {len(scaler.shift)} columns")
    if targets is None:
        if len(names) > 1:
            raise ValueError(
                f"targets: which of the columns {', '.join(names)} does the model forecast? Say their names or "
                "positions, or () if its targets were not scaled"
            )
        return [0]
    return [find_column(names, target, "columns") for target in ([targets] if isinstance(targets, str) else targets)]
