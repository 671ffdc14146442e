"""``seqvision export``."""

from dataclasses import dataclass
from typing import Literal

import tyro

from seqvision import pipelines

from .command import Command


@dataclass(frozen=True, kw_only=True)
class ExportRun(Command):
    """Write a model of a run for programs without this library: jax alone, ONNX Runtime, or whoever reads weights."""

    run_folder: tyro.conf.Positional[str]
    """folder of the run"""
    to: Literal["stablehlo", "onnx", "safetensors"]
    """stablehlo: jax runs it, on CPU, CUDA and TPU; onnx: ONNX Runtime; safetensors: the weights alone"""
    model: str | None = None
    """model of the run; by default the only one, or the one with the least error on the validation rows"""
    output: str | None = None
    """folder to write; by default exports/MODEL-FORMAT in the run folder"""
    layout: Literal["seqvision", "torch"] = "seqvision"
    """of weights: as they are, or as torch's state_dict"""
    csv: str | None = None
    """where the data file of the run is now, if that has moved"""
    folder: str | None = None
    """where its folder of images is now, if that has moved"""

    def run(self) -> "pipelines.Result":
        """Export."""
        from seqvision.interop import export_run

        return export_run(
            self.run_folder,
            self.to,
            model=self.model,
            output=self.output,
            layout=self.layout,
            csv=self.csv,
            folder=self.folder,
        )
