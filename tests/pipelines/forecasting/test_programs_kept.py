"""What a run compiled is on disk for the next one, and for its predictions, which import and compile nothing else."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

COUNTED = """
import json, sys, jax, jax.monitoring
counts = {"compile_requests_use_cache": 0, "cache_hits": 0}
def count(name, **about):
    name = name.rsplit("/", 1)[1]
    if name in counts:
        counts[name] += 1
jax.monitoring.register_event_listener(count)
"""
RUN = """
from seqvision.pipelines import ForecastConfig, run_forecast
settings = dict(models=("mlp", "linear"), hidden=3, length=4, horizon=2, epochs=1, seeds=2, plots=False)
run = run_forecast(ForecastConfig(csv=sys.argv[1], target="close", out=sys.argv[2], **settings), progress=False)
print(json.dumps({"folder": str(run.folder), **counts}))
"""
PREDICT = """
from seqvision.pipelines import predict_run
predict_run(sys.argv[1], steps=int(sys.argv[2]))
unwanted = ("optax", "matplotlib.figure", "sklearn", "scipy.stats", "seqvision.training", "seqvision.interpret")
print(json.dumps({"imported": [name for name in unwanted if name in sys.modules], **counts}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a process says after a script, all with one cache of their own."""
    folder = tmp_path_factory.mktemp("kept")
    close = np.exp(np.random.default_rng(5).normal(0, 0.02, 120).cumsum()) * 40
    dates = pd.date_range("2021-01-04", periods=120).astype(str)
    pd.DataFrame({"date": dates, "close": close}).to_csv(folder / "prices.csv", index=False)

    def run(script, *arguments, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
        words = [sys.executable, "-c", COUNTED + script, *arguments]
        done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=folder)
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_a_second_run_and_a_prediction_compile_nothing(told, monkeypatch, tmp_path):
    first = told(RUN, "prices.csv", str(tmp_path), monkeypatch=monkeypatch)
    # Of each of two models: its first state, its training, its forecasts. Of all together: keys, and what is placed.
    assert first["compile_requests_use_cache"] <= 14
    second = told(RUN, "prices.csv", str(tmp_path), monkeypatch=monkeypatch)
    assert second["cache_hits"] == second["compile_requests_use_cache"] == first["compile_requests_use_cache"]
    prediction = told(PREDICT, first["folder"], "3", monkeypatch=monkeypatch)  # beyond the horizon: fed back
    assert prediction["cache_hits"] == prediction["compile_requests_use_cache"] <= 4
    assert prediction["imported"] == []
