"""A model of a finished run, exported with its scaler and the mean over its seeds."""

import os
from pathlib import Path
from typing import Any, Literal, get_args

from seqvision._checks import check_choice

from .files import Export
from .onnx import export_onnx
from .safetensors import Layout, export_safetensors
from .stablehlo import export_stablehlo

Format = Literal["stablehlo", "onnx", "safetensors"]


def export_run(
    path: str | os.PathLike[str],
    to: Format,
    *,
    model: str | None = None,
    output: str | os.PathLike[str] | None = None,
    layout: Layout = "seqvision",
    csv: str | None = None,
    folder: str | None = None,
) -> Export:
    """Write a model of a run for programs that do not have this library.

    As StableHLO or ONNX it maps rows in original units to what `seqvision.pipelines.predict_run` says of them: windows
    (B, length, columns) to forecasts (B, horizon) in the target's unit, pixels (B, H, W, C) in 0..1 to probabilities
    (B, classes). The scaler and the mean over seeds are within. It is compared with the run on its test rows, and not
    written if it differs. As safetensors there are the weights of every seed alone.

    Args:
      path: the run folder.
      to: "stablehlo" (needs jax to run), "onnx" (ONNX Runtime) or "safetensors" (weights).
      model: which; None: the only one, or the one with the least error on the validation rows.
      output: folder to write; None: ``exports/MODEL-FORMAT`` in the run folder.
      layout: of weights, see `export_safetensors`.
      csv: where the data file of a forecast is now, if that has moved.
      folder: where the folder of images of a classification is now, if that has moved.

    Raises:
      ImportError: for ONNX without the extra "onnx".
      ValueError: for what is no run, an unknown model, an output folder of other files, or a model without that form.
      ArithmeticError: if what is exported differs from the run.
    """
    from seqvision.pipelines import delivered_model

    check_choice("to", to, get_args(Format), owner="export_run")
    if to != "safetensors" and layout != "seqvision":
        raise ValueError(f'layout={layout!r} is for to="safetensors": leave it out')
    path = Path(path)
    found = delivered_model(path, model, csv=csv, folder=folder)
    place = path / "exports" / f"{found.name}-{to}" if output is None else Path(output)
    if to == "safetensors":
        about = {key: value for key, value in found.about.items() if key not in ("inputs", "outputs")}
        return export_safetensors(place, found.module, found.variables, layout=layout, about=about)
    write: Any = export_onnx if to == "onnx" else export_stablehlo
    (name,) = found.about["inputs"]
    return write(
        place,
        found.function,
        found.variables,
        {name: found.rows},
        output=found.output,
        expected=found.expected,
        about=found.about,
    )
