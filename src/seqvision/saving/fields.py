"""What description.json says beside the module: inputs, scaler, columns, classes; every value looked at."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from seqvision._checks import shown
from seqvision.data import PixelScaler, Scaler
from seqvision.saving.examples import build_example

_SCALERS: dict[str, type[Scaler] | type[PixelScaler]] = {"columns": Scaler, "channels": PixelScaler}


def read_fields(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `SavedModel` but for module and states, and the number of seeds.

    Args:
      told: what description.json holds.

    Raises:
      KeyError, TypeError, ValueError, OverflowError: for anything that is not as it must be.
    """
    classes, columns, pixels = (told[name] for name in ("classes", "columns", "pixels"))
    fields = {
        "example": build_example(told["example"]),
        "seeds": _whole("seeds", told["seeds"]),
        "scaler": _scaler(told["scaler"]),
        "pixels": None if pixels is None else _finite("pixels", pixels),
        "columns": None if columns is None else _texts("columns", columns),
        "targets": tuple(_whole("targets", target, least=0) for target in told["targets"]),
        "classes": None if classes is None else _texts("classes", classes),
        "data": dict(told["data"]),
        "name": _texts("name", [told["name"]])[0],
        "versions": dict(told["versions"]),
    }
    scaler = fields["scaler"]
    if fields["pixels"] is not None and fields["pixels"] <= 0:
        raise ValueError(f"pixels must be above 0, got {pixels}")
    if fields["targets"] and (not isinstance(scaler, Scaler) or max(fields["targets"]) >= len(scaler.shift)):
        raise ValueError(f"targets {shown(told['targets'])} are no columns of the scaler")
    if isinstance(scaler, Scaler) and columns is not None and len(columns) != len(scaler.shift):
        raise ValueError(f"there are {len(columns)} columns, but the scaler has {len(scaler.shift)}")
    if classes is not None and not classes:
        raise ValueError("classes names none")
    return fields


def _scaler(told: Any) -> Scaler | PixelScaler | None:
    if told is None:
        return None
    shift, scale = (tuple(_finite(name, number) for number in told[name]) for name in ("shift", "scale"))
    if told["of"] not in _SCALERS or not isinstance(told["kind"], str) or len(shift) != len(scale) or not shift:
        raise ValueError(f"scaler {shown(told)} is none")
    if min(scale) <= 0:
        raise ValueError(f"the scale of scaler must be above 0, got {min(scale)}")
    return _SCALERS[told["of"]](told["kind"], shift, scale)  # type: ignore[arg-type]


def describe_scaler(scaler: Scaler | PixelScaler | None) -> dict[str, Any] | None:
    """Return a scaler as JSON holds it.

    >>> describe_scaler(Scaler("standard", (2.0,), (1.0,)))
    {'of': 'columns', 'kind': 'standard', 'shift': (2.0,), 'scale': (1.0,)}
    """
    if scaler is None:
        return None
    for name, kind in _SCALERS.items():
        if type(scaler) is kind:
            return {"of": name, "kind": scaler.kind, "shift": scaler.shift, "scale": scaler.scale}
    raise TypeError(
        f"scaler must be what seqvision.data.fit_scaler or fit_pixel_scaler returns, got {shown(scaler)}: scale the "
        "inputs yourself, before predict"
    )


def _whole(name: str, value: Any, least: int = 1) -> int:
    if type(value) is not int or not least <= value < 2**31:
        raise ValueError(f"{name} must be an int >= {least}, got {shown(value, 40)}")
    return value


def _finite(name: str, value: Any) -> float:
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not np.isfinite(number):
        raise ValueError(f"{name} must be a finite number, got {shown(value, 40)}")
    return number


def _texts(name: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} must be texts, got {shown(values, 80)}")
    return tuple(values)
