"""Numbers of public series that anyone can recompute: they pin rows, scaling and modes to the printed digits."""

import os
from pathlib import Path

import numpy as np
import pytest

from seqvision import metrics, scorecards
from seqvision.data import read_series


def data_file(name):
    path = Path(os.environ.get("SEQVISION_DATA_DIR", "")) / name
    if not path.is_file():
        pytest.skip(f"needs {name} in $SEQVISION_DATA_DIR")
    return path


@pytest.fixture(scope="module")
def sbux():
    return read_series(data_file("stocks/sbux.csv"), target="close").column("close")


def test_sbux_last_value(sbux):
    card = scorecards.score_forecasts(sbux, len(sbux) - 625, forecasts={}, unit="USD")
    row = card.one_step.loc["last value"]
    assert (round(row["rmse"], 4), round(row["mae"], 4)) == (0.7313, 0.5129)
    assert round(100 * card.moves.up / 625, 1) == 48.5
    rows = slice(len(sbux) - 625, None)
    held = scorecards.last_value(sbux, [len(sbux) - 625], 625)[0]
    assert (round(metrics.rmse(sbux[rows], forecast=held), 3), round(metrics.mae(sbux[rows], forecast=held), 3)) == (
        2.607,
        2.135,
    )


def test_sbux_returns(sbux):
    returns = np.diff(sbux) / sbux[:-1]
    train = returns[: len(returns) // 2]
    card = scorecards.score_forecasts(returns, len(returns) - 624, forecasts={}, train_rows=len(train), returns=True)
    scaled = (card.one_step["rmse"] / train.std()) ** 2
    assert round(scaled["zero return"], 3) == 1.127
    assert round(scaled["training mean"], 3) == 1.137


def test_etth1_seasonal_naive():
    values = read_series(data_file("ett/ETTh1.csv")).values
    train, start, stop, steps = values[:8640], 8640 + 2880, 8640 + 2 * 2880, 96
    scaled = (values[:stop] - train.mean(axis=0)) / train.std(axis=0)
    origins = np.arange(start, stop - steps + 1)
    assert len(origins) == 2785
    for season, expected in {1: (1.294, 0.713), 24: (0.512, 0.433)}.items():
        errors = []
        for column in scaled.T:
            forecast = scorecards.seasonal_naive(column, origins, steps, season=season)
            truth = column[origins[:, None] + np.arange(steps)[None, :]]
            errors.append((np.mean((truth - forecast) ** 2), metrics.mae(truth, forecast=forecast)))
        assert tuple(np.round(np.mean(errors, axis=0), 3)) == expected
