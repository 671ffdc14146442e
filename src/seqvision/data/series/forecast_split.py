"""From a series to scaled training, validation and test windows that do not leak."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from seqvision._checks import check_choice, check_count
from seqvision.data.scalers import Scaler, ScalerKind, fit_scaler
from seqvision.data.series.series import Series, find_column
from seqvision.data.splits import chronological_split, count_rows
from seqvision.data.windows import Windows

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True, eq=False)
class ForecastSplit:
    """Scaled windows of the parts of a series, and the way back to original units.

    Every target row of a part lies in that part; the inputs of the first validation and test windows reach back into
    the part before, as they do when a forecaster is used. The scaler knows training rows only.
    """

    series: Series  # original units
    length: int
    horizon: int
    targets: tuple[int, ...]  # K columns to predict
    train_rows: slice  # rows of the series that a training target may be taken from; inputs begin at row 0
    validation_rows: slice  # rows of validation targets, between training and test, possibly none
    calibration_rows: slice  # rows there that neither trained nor chose anything: intervals are made from them
    test_rows: slice  # rows of test targets
    scaler: Scaler
    train: Windows
    validation: Windows | None
    test: Windows

    def target_rows(self, part: Part = "test") -> np.ndarray:
        """Return the rows of the series that each window of "train", "validation" or "test" predicts, (B, horizon)."""
        rows = {"train": self.train_rows, "validation": self.validation_rows, "test": self.test_rows}
        check_choice("part", part, get_args(Part))
        first = np.arange(rows[part].start, rows[part].stop - self.horizon + 1)
        return first[:, None] + np.arange(self.horizon)[None, :]

    def truth(self, part: Part = "test") -> np.ndarray:
        """Return the targets of each window in original units, (B, horizon, K) float64."""
        return self.series.values[self.target_rows(part)][:, :, list(self.targets)]

    def inverse(self, predictions: ArrayLike) -> np.ndarray:
        """Bring scaled predictions (..., K) of the target columns to original units."""
        return self.scaler.inverse(predictions, self.targets)


def forecast_split(
    series: Series,
    length: int,
    horizon: int = 1,
    *,
    train: float | int = 0.8,
    validation: float | int = 0.0,
    stopping: bool = False,
    scaler: ScalerKind | Scaler = "standard",
    targets: Sequence[str | int] | None = None,
) -> ForecastSplit:
    """Cut a series by time, scale it by its training rows, and make windows of each part.

    Args:
      series: as read, in original units.
      length: rows in a window's input.
      horizon: rows in a window's target.
      train: share of the rows that can be a target (all but the first `length`) that are used for training, or the
        number of training rows, inputs included, if it is an int: forecasting begins at that row.
      validation: share of the same rows, or number of rows, between training and test.
      stopping: whether the validation windows choose something, such as when training ends: then they are those of the
        first half of the rows between training and test, and the second half calibrates; else all rows do both.
      scaler: "standard", "minmax" or "none", fitted to the training rows; or one that was fitted before.
      targets: columns to predict, by name or position; None predicts the series' target, else all columns.

    Returns:
      A `ForecastSplit`.

    Raises:
      ValueError: if a part is too short for one window, or as `Windows`, `fit_scaler` and `find_column`.

    >>> series = Series(np.arange(30.0), ("price",))
    >>> split = forecast_split(series, length=10, train=0.5)
    >>> len(split.train), len(split.test), split.truth()[0].tolist()
    (10, 10, [[20.0]])
    """
    length, horizon = check_count("length", length), check_count("horizon", horizon)
    rows = len(series)
    if rows < length + 2 * horizon:
        raise ValueError(
            f"series has {rows} rows, but length {length} and one target of {horizon} for training and one for testing "
            f"need {length + 2 * horizon}: shorten the window"
        )
    first = train if isinstance(train, (int, np.integer)) else length + count_rows("train", train, rows - length)
    between = (
        validation if isinstance(validation, (int, np.integer)) else count_rows("validation", validation, rows - length)
    )
    parts = chronological_split(rows, first, between)
    train_rows = slice(length, parts.train.stop)
    for name, part in (("training", train_rows), ("validation", parts.validation), ("test", parts.test)):
        size = part.stop - part.start
        if size < horizon and (size != 0 or name != "validation"):
            raise ValueError(
                f"{rows} rows with length {length}, train={train} and validation={validation} leave {max(size, 0)} "
                f"rows for {name} targets, but one target needs horizon = {horizon}"
            )
    held = parts.validation
    watched = slice(held.start, held.start + (held.stop - held.start + 1) // 2) if stopping else held
    if stopping and 0 < watched.stop - watched.start < horizon:
        raise ValueError(
            f"validation={validation} leaves {watched.stop - watched.start} rows to stop by and as many for intervals, "
            f"but one target needs horizon = {horizon}: use a larger validation"
        )
    if targets is None:
        targets = series.columns if series.target is None else (series.target,)
    at = tuple(find_column(series.columns, column, series.name) for column in targets)
    fitted = scaler if isinstance(scaler, Scaler) else fit_scaler(series.values[parts.train], scaler)
    scaled = fitted.transform(series.values)

    def windows(part: slice) -> Windows:
        return Windows(scaled[part.start - length : part.stop], length, horizon, targets=at)

    return ForecastSplit(
        series=series,
        length=length,
        horizon=horizon,
        targets=at,
        train_rows=train_rows,
        validation_rows=watched,
        calibration_rows=slice(watched.stop if stopping else held.start, held.stop),
        test_rows=parts.test,
        scaler=fitted,
        train=windows(train_rows),
        validation=windows(watched) if watched.stop > watched.start else None,
        test=windows(parts.test),
    )
