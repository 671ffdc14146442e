"""Run folders that somebody else made: whatever their files hold, they are read or refused in words of our own."""

import json
import random

import flax.linen as nn
import numpy as np
import pytest

from seqvision.data import Series
from seqvision.pipelines import ClassifyConfig, ForecastConfig, SequenceConfig, predict_forecast, split_series
from seqvision.pipelines.config import config_from_dict
from seqvision.pipelines.forecasting.baselines import describe_baselines, naive_forecasts
from seqvision.pipelines.forecasting.data import describe_data, read_saved
from seqvision.pipelines.forecasting.judged import Judged
from seqvision.reporting import RunFolder, json_text
from seqvision.saving import load_model
from seqvision.scorecards import score_forecasts
from seqvision.storage import record_files
from tests.mutations import fuzz, mutated

VALUES = [None, True, -1, 0, 3, 10**30, 10**400, 1e308, float("nan"), float("-inf"), "", "x", "\0", "../x", "ä" * 9]
VALUES += [[], {}, [[]], {"a": 1}, ["lstm", "lstm"], [1, "2"], "lstm", "%Y", ["Date", "Time"], [float("inf")], "1e999"]
JSON = ("config.json", "data.json", "summary.json")
MODEL = ("models/lstm/description.json", "models/lstm/weights.safetensors", "models/lstm/manifest.json")
CONFIG = ForecastConfig(models=("lstm", "mlp"), seeds=1)
SERIES = Series(np.arange(50.0), ("x",), dates=np.arange("2020-01-01", "2020-02-20", dtype="datetime64[D]"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run folder as a run leaves it."""
    dates = np.arange("2020-01-01", "2020-02-20", dtype="datetime64[D]")
    reading = {"date": "day", "dayfirst": True, "separator": ";", "missing": ["ND"], "header": True, "skip_rows": 2}
    series = Series(np.arange(50.0), ("x",), dates=dates, target="x", reading=reading)
    config = ForecastConfig("x.csv", "x", date=("day", "hour"), season=7, models=("lstm", "mlp"), seeds=1)
    split = split_series(config, series)
    baselines = naive_forecasts(config, split)
    start = split.test_rows.start
    forecasts = {name: np.arange(start, 50.0) + 1 for name in config.models}
    card = score_forecasts(series.values[:, 0], start, forecasts=forecasts, baselines=baselines, season=7)
    with RunFolder.create(tmp_path_factory.mktemp("runs")) as made:
        made.write_json("config.json", config)
        made.write_json("data.json", describe_data(split))
        made.write_json("summary.json", {"scores": card.to_dict(), "baselines": describe_baselines(baselines)})
        made.log_metrics([{"model": "lstm", "seed": 0, "epoch": e, "loss": 0.5} for e in range(3)])
        weights = {"params": {"kernel": np.ones((2, 3), np.float32), "bias": np.zeros(3, np.float32)}}
        made.save_model("lstm", nn.Dense(3), weights, example=np.ones((1, 2), np.float32))
    return made


def scrambled(rng, value):
    """Put other values, of other types, at a few places of a JSON value."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        changed = dict(value)
        for key in rng.sample(sorted(changed), rng.randint(1, min(3, len(changed)))):
            changed[key] = scrambled(rng, changed[key])
        if rng.random() < 0.1:
            changed.pop(rng.choice(sorted(changed)))
        return changed
    if isinstance(value, list) and value and rng.random() < 0.5:
        at = rng.randrange(len(value))
        return [*value[:at], scrambled(rng, value[at]), *value[at + 1 :]]
    return rng.choice(VALUES)


def hostile(folder, count):
    """Read so many copies of a folder, of which one file is damaged or says something else."""
    names = [*JSON, *JSON, *JSON, "metrics.jsonl", *MODEL, "manifest.json"]
    whole = {name: (folder.path / name).read_bytes() for name in {*names}}

    def make(rng):
        name = rng.choice(names)
        if name in JSON and rng.random() < 0.7:
            return name, json.dumps(scrambled(rng, json.loads(whole[name]))).encode()
        return name, mutated(rng, whole[name], list(whole.values()))

    def read(made):
        name, content = made
        path = folder.path / name
        path.write_bytes(content)
        try:
            if name in MODEL[:2]:
                record_files(path.parent, [path.name])
            if name != "manifest.json":
                record_files(folder.path, [MODEL[2] if name in MODEL else name])
            opened = RunFolder.open(folder.path)
            if name == "data.json":
                read_saved(opened)
            elif name == "config.json":
                values = opened.read_json(name)
                kind = random.Random(len(content)).choice(
                    (ForecastConfig, ForecastConfig, ClassifyConfig, SequenceConfig)
                )
                config = config_from_dict(kind, values)
                assert config_from_dict(kind, json.loads(json_text(config))) == config
            elif name == "summary.json":
                judged = Judged.read(opened, CONFIG, SERIES, False, 1)
                for row in CONFIG.models:
                    assert judged.errors(row).shape == (1,)
                    assert len(judged.outcomes(row)) == 1
                    assert isinstance(judged.verdicts[row], str)
                assert judged.baseline(SERIES.values[:, 0], np.array([50]), 1).shape == (1, 1)
            elif name == "metrics.jsonl":
                assert all(isinstance(record, dict) for record in opened.read_metrics())
            elif name in MODEL:
                assert load_model(folder.path, "lstm").predict(np.ones((4, 2), np.float32)).shape[0] == 4
        finally:
            path.write_bytes(whole[name])
            for manifest in ("manifest.json", MODEL[2]):
                (folder.path / manifest).write_bytes(whole[manifest])

    def named(made):
        return "" if made[0] == "config.json" else "models/lstm" if made[0] in MODEL else made[0]

    return fuzz(make, read, count, named=named, kinds=(ValueError,))


def test_a_few_hostile_runs(folder):
    counts = hostile(folder, 300)
    assert counts["refused"] > 100


@pytest.mark.slow
def test_many_hostile_runs(folder):
    hostile(folder, 100_000)


def test_a_setting_that_would_fill_the_memory_is_refused():
    for name in ("seeds", "layers", "hidden", "length", "horizon", "epochs", "batch_size", "season"):
        with pytest.raises(ValueError, match=f"{name} must be an int >= 1 and <"):
            ForecastConfig(**{name: 10**30})


def test_predict_names_a_run_on_images(tmp_path):
    with RunFolder.create(tmp_path) as made:
        made.write_json("config.json", ClassifyConfig())
    with pytest.raises(ValueError, match="is a run on images: only runs on a series"):
        predict_forecast(made.path)
