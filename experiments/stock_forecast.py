"""Recurrent forecasters and an MLP on a daily price series, beside the naive forecasts on the same rows.

Question: given the last ten closes, does an LSTM, a GRU, an Elman network or an MLP forecast the next one better than
the last value, drift or a linear autoregression do; and what happens when each runs freely on its own forecasts?

Command: python experiments/stock_forecast.py
    (the daily prices of one stock that matplotlib bundles; --csv FILE --target COLUMN for any other series)

Expected: one step ahead nothing here beats the last value by more than chance, however perfect the picture looks.
    Free-running most models run away: the spread over seeds is as large as the error. --csv, --target: dates, thousands
    commas, 5.63K, % and the encoding of any file are found out.

Measured (from results/stock_forecast.json by results/tables.py):
    python experiments/stock_forecast.py --out stock (2026-11-28, 2 cores, AMD EPYC)
        RMSE, one step ahead (5 seeds): lstm 15.10 ± 0.29; gru 15.07 ± 0.08; elman 15.18 ± 0.13; mlp 16.20 ± 1.16; lstm
            (mean of 5 seeds) 15.02; gru (mean of 5 seeds) 14.93; elman (mean of 5 seeds) 14.96; mlp (mean of 5 seeds)
            15.05; against last value 15.02; drift 15.08; AR(10) 15.22
        RMSE, free-running (5 seeds): lstm 108.1 ± 50.7; gru 214.5 ± 264.0; elman 2222 ± 2990; mlp 1.338e+7 ± 2.992e+7;
            lstm (mean of 5 seeds) 93.31; gru (mean of 5 seeds) 151.2; elman (mean of 5 seeds) 2160; mlp (mean of 5
            seeds) 1.338e+7; against last value 192.1; drift 272.3; AR(10) 142.7
Running time: 11 s.
"""

from dataclasses import dataclass
from typing import Any

from seqvision.pipelines import ForecastConfig, run_and_print, run_experiment


@dataclass(frozen=True)
class Config(ForecastConfig):
    """Train forecasters on a series, judge them beside the naive forecasts and write a run folder."""

    name: str = "stock_forecast"
    """first part of the run folder's name"""


def main(config: Config) -> dict[str, Any]:
    """Run the forecast, print its score card and return the summary of the run."""
    from seqvision.pipelines import run_forecast  # what computes is imported when it is needed: not for --help

    return run_and_print(run_forecast, config)


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
