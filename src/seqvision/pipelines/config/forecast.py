"""What a run on a series is told."""

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal

from seqvision._checks import check_count, check_number, is_int
from seqvision.pipelines.reading import Reading

from .network import CELLS, Network
from .output import Output
from .training import Training

# A model's place numbers its stream of random numbers: new names come last.
FORECASTERS = (*CELLS[:3], "mlp", "linear", "cnn", *CELLS[3:])


@dataclass(frozen=True)
class ForecastConfig(Output, Training, Network, Reading):
    """Train forecasters on a series and judge them beside the naive forecasts on the same rows.

    How the file is read, the fields of `Reading` say. Of a file with several series below each other ``series_id`` and
    ``series`` name one; all of them are a loop::

        for name in read_all_series("long.csv", "value", series_id="id"):
            run_forecast(ForecastConfig(csv="long.csv", target="value", series_id="id", series=name))
    """

    group: ClassVar[str] = "series"

    csv: str | None = None
    """file of the series; by default the daily prices of one stock that matplotlib bundles"""
    target: str | int | None = None
    """column to predict, by name or position; may be left out if there is one column of numbers"""
    columns: tuple[str | int, ...] = ()
    """further columns that the models see (then nothing runs freely)"""
    returns: bool = False
    """forecast relative changes instead of levels"""
    unit: str = ""
    """unit of the target, for tables and plots"""
    season: int | None = None
    """rows in a season, or steps of time where there are dates, for the seasonal naive forecast and MASE"""
    length: int = 10
    """rows that a model sees"""
    horizon: int = 1
    """rows ahead that it forecasts at once"""
    train: int | float = 0.7
    """number of rows to train on, or share of the rows after the first length of them, so that the test rows of a share
    depend on length; the scaler sees these alone"""
    validation: int | float = 0.1
    """number of rows between training and test, or share of the same rows, for the loss curves and early stopping"""
    scaler: Literal["standard", "minmax", "none"] = "standard"
    """how columns are scaled"""

    _: KW_ONLY
    models: tuple[str, ...] = ("lstm", "gru", "elman", "mlp")
    """models to train: lstm, gru, elman and the other cells, cnn (dilated causal convolutions), mlp, linear"""
    dropout: float = 0.0
    """rate after each layer"""
    residual: bool | None = None
    """forecast the change from the last value; by default for levels and not for returns"""
    loss: Literal["mse", "mae", "huber"] = "mse"
    """what is minimized, on the scaled target"""
    name: str = "forecast"
    """first part of the run folder's name"""

    def __post_init__(self) -> None:
        """Refuse what cannot be, before anything is read or compiled."""
        super().__post_init__()
        for name in ("length", "horizon", "season"):
            if name != "season" or self.season is not None:
                check_count(name, getattr(self, name), below=2**31)
        self._check_network(FORECASTERS)
        self._check_training()
        self._check_output()
        for name, least in (("train", 1), ("validation", 0)):
            part = getattr(self, name)
            if is_int(part):
                check_count(name, part, least=least)
            else:
                check_number(name, part, least=0, above=0 if least else None, below=1)
        if self.monitor.endswith("accuracy"):
            raise ValueError(f"monitor is 'val_loss' or 'loss' for a forecast, got {self.monitor!r}")
        if self.returns and (self.residual or self.columns):
            raise ValueError("returns=True is for one column and without residual: leave out residual and columns")
