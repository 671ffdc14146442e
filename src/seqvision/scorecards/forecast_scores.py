"""The scores of one forecaster: a row of the score card's tables."""

from typing import NamedTuple

from seqvision.scorecards.verdict import RowKind


class ForecastScores(NamedTuple):
    """The scores of one forecaster.

    A "model" has the mean over seeds of each score, and its spread over seeds (``_std``, NaN for one seed); a "mean of
    seeds" has the scores of one forecaster, whose forecast is the mean of the seeds' forecasts.
    """

    kind: RowKind
    seeds: int
    mae: float  # units of the series
    mae_std: float
    rmse: float  # units of the series
    rmse_std: float
    mase: float  # units of the naive forecast's error on the training rows; NaN if that makes none
    mase_std: float
    smape: float  # percent
    smape_std: float
    mape: float  # percent, NaN if a truth is 0
    mape_std: float
    r2: float
    r2_std: float
    direction: float  # share of moves foreseen; NaN if the forecast never moves
    direction_low: float  # 95 % Wilson interval of one seed's rows; NaN where rows are not independent
    direction_high: float
    direction_rows: int
    skill: float  # 1 - RMSE / RMSE of the table's reference; NaN if that makes no error
