"""A trained model that is asked in the units of its users, and answers in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import flax.linen as nn
import numpy as np
from jax import ShapeDtypeStruct

from seqvision._arrays import as_array, as_numbers
from seqvision._checks import counted, shown
from seqvision.data import PixelScaler, Scaler, Series
from seqvision.training import TrainState, predict


@dataclass(frozen=True, eq=False)
class SavedModel:
    """What `load_model` returns; several seeds answer with their mean.

    Args:
      model: the flax module.
      states: one a seed, as `seqvision.training.predict` takes them, for inputs that are scaled already.
      example: shapes and dtypes of a batch of one input.
      scaler: what inputs are scaled by, and forecasts brought back to original units.
      pixels: what images of whole numbers are divided by, None where they are refused.
      columns: names of the features of a series, in their order.
      targets: positions of the columns that are forecast, () where outputs are in units of their own.
      classes: names of the classes whose logits the model gives.
      data: what else was kept: how the data were read, notes, their calendar.
      name: what the model is called.
      versions: of this library and of those below it that wrote the model.
    """

    model: nn.Module
    states: tuple[TrainState, ...]
    example: Any
    scaler: Scaler | PixelScaler | None = None
    pixels: float | None = None
    columns: tuple[str, ...] | None = None
    targets: tuple[int, ...] = ()
    classes: tuple[str, ...] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    name: str = "model"
    versions: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Say what it is in a line, without its numbers."""
        what = "outputs"
        if self.classes is not None:
            what = f"probabilities of {counted(len(self.classes), 'class', 'classes')}"
        elif self.targets:
            what = f"forecasts of {', '.join(str(self.columns[k] if self.columns else k) for k in self.targets)}"
        form = self._form if isinstance(self.example, ShapeDtypeStruct) else "several inputs"
        seeds = counted(len(self.states), "seed")
        return f"SavedModel({self.name!r}: {type(self.model).__name__}, {seeds}, {form} -> {what})"

    @property
    def variables(self) -> tuple[dict[str, Any], ...]:
        """What ``model.apply`` takes, one tree a seed."""
        return tuple(
            {"params": state.params} | ({"batch_stats": state.batch_stats} if state.batch_stats else {})
            for state in self.states
        )

    def predict(self, x: Any, *, batch_size: int = 1024) -> np.ndarray:
        """Answer raw inputs: forecasts in original units, probabilities of classes, or what else the model gives.

        Args:
          x: inputs (B, ...) as they are before scaling. Of a model for series windows (B, T, D); or the last rows of a
            series, (N, D) or a `seqvision.data.Series`, N >= T, for what follows on them. Of a model for images one,
            or (B, H, W, C): floats as in training, or whole numbers where ``pixels`` says what they are divided by.
            With a mask a pair (x, mask) with a bool mask.
          batch_size: inputs at once.

        Returns:
          (B, ...), without the batch axis for one input: forecasts (B, horizon, K), probabilities (B, C).

        Raises:
          ValueError: for inputs of another form than the model's, values that are not finite, a series without the
            columns that the model was trained on.
        """
        each = self.predict_seeds(x, batch_size=batch_size)
        return each[0] if len(each) == 1 else each.mean(axis=0)

    def predict_seeds(self, x: Any, *, batch_size: int = 1024) -> np.ndarray:
        """Return the answers of each seed, (S, B, ...); see `predict`."""
        inputs, one = self._inputs(x)
        each = np.stack([self._answer(predict(state, inputs, batch_size=batch_size)) for state in self.states])
        return each[:, 0] if one else each

    def classify(self, x: Any, *, batch_size: int = 1024) -> np.ndarray:
        """Return the name of the most probable class of each input, (B,) texts; see `predict`.

        Raises:
          ValueError: for a model without names of classes.
        """
        if self.classes is None:
            raise ValueError(f"{self.name} has no names of classes: use predict, or save_model(…, classes=…)")
        return np.array(self.classes)[self.predict(x, batch_size=batch_size).argmax(axis=-1)]

    def _inputs(self, x: Any) -> tuple[Any, bool]:
        """Return inputs as in training, and whether they were one without its batch axis."""
        if hasattr(x, "gather") or hasattr(x, "read"):
            raise TypeError(
                f"{self.name}: x must hold raw inputs, got a {type(x).__name__}: a data set that is scaled already "
                "goes to seqvision.training.predict(saved.states[0], data)"
            )
        if not isinstance(self.example, ShapeDtypeStruct):
            return x, False
        if isinstance(x, Mapping) and "x" in x:
            return {**x, "x": self._as_in_training(x["x"])}, False
        if isinstance(x, tuple) and len(x) == 2 and getattr(x[1], "dtype", None) == np.bool_:
            return (self._as_in_training(x[0]), x[1]), False
        if isinstance(x, Series):
            x = self._columns_of(x)
        array = as_array(f"{self.name}: x", x)
        axes, one = len(self.example.shape), False
        if self._of_series and axes == 3 and array.ndim == 1 and self.example.shape[-1] == 1:
            array = array[:, None]
        if array.ndim == axes - 1:
            array, one = (self._last_rows(array) if self._of_series else array)[None], True
        return self._as_in_training(array), one

    @property
    def _of_series(self) -> bool:
        return isinstance(self.scaler, Scaler) or self.columns is not None

    def _as_in_training(self, x: Any) -> np.ndarray:
        array = as_array(f"{self.name}: x", x)
        if isinstance(self.scaler, Scaler):
            wanted = len(self.scaler.shift)
            if array.ndim < 2 or array.shape[-1] != wanted:
                names = f" ({', '.join(self.columns)})" if self.columns else ""
                raise ValueError(
                    f"{self.name}: x must be {self._form} with the {wanted} columns{names} last, got {array.shape}"
                )
            return self.scaler.transform(as_numbers(f"{self.name}: x", array)).astype(np.float32)
        if array.dtype.kind in "iu" and self.pixels is not None:
            array = array.astype(np.float32) / np.float32(self.pixels)
        if isinstance(self.scaler, PixelScaler):
            array = self.scaler.transform(array.astype(np.float32))
        return array

    @property
    def _form(self) -> str:
        return f"(B, {', '.join(map(str, self.example.shape[1:]))})"

    def _last_rows(self, rows: np.ndarray) -> np.ndarray:
        length = self.example.shape[1] if len(self.example.shape) == 3 else 1
        if len(rows) < length:
            raise ValueError(f"{self.name}: x has {len(rows)} rows, but the model looks at {length}")
        return rows[-length:] if len(self.example.shape) == 3 else rows

    def _columns_of(self, series: Series) -> np.ndarray:
        if self.data.get("returns"):
            raise ValueError(
                f"{self.name} was trained on relative changes from row to row: give windows of them as an array"
            )
        if self.columns is None:
            return series.values
        return np.stack([series.column(name) for name in self.columns], axis=1)

    def _answer(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs as probabilities, or in original units."""
        if self.classes is not None:
            return _probabilities(outputs.astype(np.float64), len(self.classes))
        if isinstance(self.scaler, Scaler) and self.targets:
            if len(self.targets) == 1 and outputs.shape[-1] != 1:  # steps (B, horizon) of one column
                return self.scaler.inverse(outputs[..., None], self.targets)[..., 0]
            return self.scaler.inverse(outputs, self.targets)
        return outputs


def _probabilities(logits: np.ndarray, classes: int) -> np.ndarray:
    """Return the probabilities of classes; one logit of two classes is that of the second."""
    if classes == 2 and logits.shape[-1:] != (2,):
        logits = logits if logits.shape[-1:] == (1,) else logits[..., None]
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def check_outputs(saved: SavedModel, outputs: Any) -> None:
    """Refuse names of classes, or target columns, that do not fit the outputs of a model.

    Args:
      saved: with them.
      outputs: shape of the model's outputs for a batch of one.
    """
    shape = getattr(outputs, "shape", None)
    if saved.classes is not None:
        known = shape is not None and (shape[-1:] == (len(saved.classes),) or len(saved.classes) == 2)
        if not known:
            raise ValueError(f"classes names {len(saved.classes)} classes, but the model gives outputs {shown(shape)}")
    elif saved.targets and (shape is None or (len(saved.targets) > 1 and shape[-1:] != (len(saved.targets),))):
        raise ValueError(f"targets names {len(saved.targets)} columns, but the model gives outputs {shown(shape)}")
