import numpy as np
import pandas as pd
import pytest
from PIL import Image

from seqvision.pipelines import ClassifyConfig, ForecastConfig, run_classify, run_forecast
from seqvision.reporting import write_comparison

HOSTILE = '</script><img src=x onerror="document.title=1">&amp;\'"'  # a name that would do something, unescaped


@pytest.fixture(scope="session")
def forecast_run(tmp_path_factory):
    """A run on a series whose column has a hostile name."""
    folder = tmp_path_factory.mktemp("series")
    values = 100 + np.random.default_rng(0).normal(size=90).cumsum()
    dates = pd.date_range("2021-01-04", periods=90, freq="B")
    pd.DataFrame({"day": dates, HOSTILE: values}).to_csv(folder / "walk.csv", index=False)
    config = ForecastConfig(
        csv=str(folder / "walk.csv"), models=("mlp",), hidden=2, length=4, horizon=2, epochs=3, seeds=2, out=str(folder)
    )
    return run_forecast(config)


@pytest.fixture(scope="session")
def image_run(tmp_path_factory):
    """A run of a convolutional network on a folder of pictures with hostile names."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for label, name in enumerate(("bright <b>", "dark & grim")):
        (folder / "all" / name).mkdir(parents=True)
        for n in range(12):
            pixels = random.integers(60 * (1 - label), 255, (8, 8), np.uint8)
            Image.fromarray(pixels).save(folder / "all" / name / f"<i>{n}.png")
    data = str(folder / "all")
    config = ClassifyConfig(folder=data, models=("convnet",), hidden=2, epochs=1, seeds=1, test=0.5, out=str(folder))
    return run_classify(config)


@pytest.fixture(scope="session")
def comparison(forecast_run, tmp_path_factory):
    """A page of a run and a copy of it."""
    file = tmp_path_factory.mktemp("compared") / "page.html"
    return write_comparison(file, [forecast_run.folder, forecast_run.folder], sentences=["They are the same."])
