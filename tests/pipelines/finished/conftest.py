"""Runs that the tests of this folder share: small, trained once, and never changed (copy one to damage it)."""

import contextlib
import dataclasses
import shutil

import numpy as np
import pandas as pd
import pytest

from seqvision.pipelines import ClassifyConfig, ForecastConfig, run_classify, run_forecast

ROWS = 80  # of the runs; the file that has grown has 20 more


@contextlib.contextmanager
def without_pictures():
    """Leave out the pictures of runs, which take more time than these small trainings, and are tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqvision.reporting.drawers.Drawers.save", lambda *_, **__: None)
        patch.setattr("seqvision.pipelines.classification.pictures.save_figure", lambda figure, path: path)
        yield


@pytest.fixture(scope="module", autouse=True)
def no_pictures():
    """Leave them out of what the modules of this folder train, and draw them again for those of others."""
    with without_pictures():
        yield


@pytest.fixture(scope="session")
def table():
    """100 business days of prices and a volume, of which the runs know the first 80."""
    rng = np.random.default_rng(3)
    close = np.exp(rng.normal(0, 0.02, 100).cumsum()) * 40
    dates = pd.bdate_range("2021-01-04", periods=100)
    return pd.DataFrame({"date": dates, "close": close.round(3), "volume": rng.integers(1000, 9000, 100)})


@pytest.fixture(scope="session")
def base(table, tmp_path_factory):
    """A folder with the file that the runs know."""
    folder = tmp_path_factory.mktemp("monday")
    table[:ROWS].to_csv(folder / "prices.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def forecasts(base):
    """Two runs on the same rows, from the same seeds, that differ in the step size and in one of the models."""
    config = ForecastConfig(
        csv=str(base / "prices.csv"),
        target="close",
        models=("mlp", "linear"),
        hidden=2,
        length=4,
        horizon=2,
        epochs=1,
        seeds=3,
        out=str(base / "runs"),
        name="one",
    )
    other = dataclasses.replace(config, models=("mlp", "gru"), learning_rate=0.05, name="two")
    with without_pictures():
        return run_forecast(config, progress=False), run_forecast(other, progress=False)


@pytest.fixture(scope="session")
def classified(base):
    """Two runs on the same images, from the same seeds."""
    config = ClassifyConfig(
        models=("linear",), limit=150, validation=0.2, epochs=1, seeds=3, out=str(base / "runs"), name="images"
    )
    longer = dataclasses.replace(config, epochs=3)
    with without_pictures():
        return run_classify(config, progress=False), run_classify(longer, progress=False)


@pytest.fixture
def copy(forecasts, tmp_path):
    """A copy of the first run, to be changed."""
    shutil.copytree(forecasts[0].folder, tmp_path / "runs" / "copy")
    return tmp_path / "runs" / "copy"
