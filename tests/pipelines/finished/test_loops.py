"""The loops that the room's docstring shows, run as they stand there."""

import inspect
import re
import shutil
import textwrap
from functools import partial

import numpy as np
import pandas as pd
import pytest

from seqvision import pipelines
from seqvision.data import read_series
from seqvision.pipelines import ForecastConfig
from seqvision.reporting import RunFolder

from .conftest import ROWS

BLOCKS = re.findall(r"::\n\n((?:    .*\n|\n)+)", inspect.getdoc(pipelines) + "\n")
NAMES = {name: getattr(pipelines, name) for name in ("compare_runs", "evaluate_run", "refit_run", "run_forecast")}
SMALL = partial(ForecastConfig, epochs=1, seeds=1, length=4)


def shown(word):
    """The block in which a word stands, of at most ten lines."""
    (block,) = (textwrap.dedent(block) for block in BLOCKS if word in block)
    assert len(block.strip().splitlines()) <= 10
    return block.replace("(4, 16, 64)", "(2, 3)").replace("(0.003, 0.01)", "(0.01,)").replace('"gru"', '"mlp"')


@pytest.fixture
def at_home(table, tmp_path, monkeypatch):
    """A folder with the file that the loops read."""
    table[:ROWS].to_csv(tmp_path / "prices.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return NAMES | {"ForecastConfig": SMALL, "read_series": read_series, "pd": pd}


def test_settings_are_chosen_by_validation_rows(at_home, capsys):
    exec(shown("hidden in"), at_home)
    errors, best = at_home["errors"], at_home["best"]
    told = {
        folder: RunFolder.open(folder).read_json("summary.json")["validation"]["models"]["mlp"] for folder in errors
    }
    assert errors == told
    assert len(errors) == 2
    assert errors[best] == min(told.values())
    assert str(best) in capsys.readouterr().out


def test_walking_forward_every_row_is_forecast_once(at_home, table, capsys):
    exec(shown("validation=0"), at_home)
    assert len(at_home["squares"]) == 2
    close = table["close"].to_numpy()
    naive = np.sqrt(np.mean((close[40:ROWS] - close[39 : ROWS - 1]) ** 2))
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("last value"))
    assert float(line.split()[-1]) == pytest.approx(naive, rel=1e-5)


def test_every_monday(at_home, forecasts, table, tmp_path, capsys):
    shutil.copytree(forecasts[0].folder, tmp_path / "runs" / "forecast-20261128-050823")
    table.to_csv(tmp_path / "grown.csv", index=False)
    exec(shown("grown.csv"), at_home)
    out = " ".join(capsys.readouterr().out.split())
    assert "20 new rows" in out
    assert "(trained on from forecast-20261128-050823)" in out
    assert at_home["run"].folder.parent.name == "runs"
