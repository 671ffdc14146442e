"""Configurations: what cannot be is refused by name, before anything is read."""

import dataclasses
import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from seqvision.data import Series, read_all_series, read_series
from seqvision.pipelines import (
    ClassifyConfig,
    ForecastConfig,
    ImageRecipe,
    Reading,
    SequenceConfig,
    describe_forecast,
    split_series,
)
from seqvision.pipelines.config import config_from_dict, with_batch_size
from seqvision.pipelines.forecasting.data import fingerprint
from seqvision.reporting import to_plain

NAN, INF = float("nan"), float("inf")
COUNTS = {"hidden", "layers", "length", "horizon", "epochs", "batch_size", "seeds", "season", "limit", "size"}
SHARES = {"dropout", "train", "validation", "test", "learning_rate"}


@pytest.mark.parametrize("kind", [ForecastConfig, ClassifyConfig, SequenceConfig])
def test_every_number_refuses_what_is_none(kind):
    seen = set()
    for field in dataclasses.fields(kind):
        wrong = {"seed": (-1, 2**32, 1.5), "skip_rows": (-1, 1.5), "skip_footer": (-1,)}.get(field.name, ())
        wrong = (0, -1, 2.5) if field.name in COUNTS else (-0.1, -1) if field.name in SHARES else wrong
        for value in (*wrong, NAN, INF, -INF, True, "x", [], {}) if wrong else ():
            with pytest.raises(ValueError, match=f"^{field.name} must be "):
                kind(**{field.name: value})
        seen |= {field.name} if wrong else set()
    assert seen >= {"seed", "epochs", "learning_rate", "batch_size"}


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (ForecastConfig, {"scaler": "foo"}, "scaler must be one of 'standard', 'minmax', 'none', got 'foo'"),
        (ForecastConfig, {"returns": 1}, "returns must be True or False, got 1"),
        (ForecastConfig, {"csv": 3}, "csv must be a text or None, got 3"),
        (ForecastConfig, {"csv": "a\0b"}, "csv must be a text"),
        (ForecastConfig, {"dayfirst": "yes"}, "dayfirst must be True or False or None"),
        (ForecastConfig, {"missing": (NAN,)}, "missing must be several"),
        (ForecastConfig, {"date": ()}, "date names no column"),
        (ForecastConfig, {"train": 0}, "train must be an int >= 1"),
        (ForecastConfig, {"train": 1.0}, "train must be a number .* below|< 1"),
        (ForecastConfig, {"dropout": None}, "dropout must be a finite number"),
        (ForecastConfig, {"models": "lstm gru"}, "'lstm gru' is unknown; did you mean lstm"),
        (ForecastConfig, {"models": 3}, "models must be several: a text"),
        (ClassifyConfig, {"data": "cifar"}, "data must be one of"),
        (ClassifyConfig, {"folder": b"x"}, "folder must be a text or None"),
        (SequenceConfig, {"out": None}, "out must be a text"),
        (ImageRecipe, {"learning_rate": INF}, "learning_rate must be"),
        (ImageRecipe, {"smoothing": 1.0}, "smoothing must be"),
        (ImageRecipe, {"schedule": "linear"}, "schedule must be one of"),
    ],
)
def test_what_cannot_be_is_named(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(**settings)


def test_what_can_be_meant_one_way_only_works():
    config = ForecastConfig(
        Path("a") / "b.csv", models="lstm", columns="volume", date=["Day", "Hour"], hidden=np.int64(8)
    )
    assert (config.csv, config.models, config.columns, config.date) == (
        "a/b.csv",
        ("lstm",),
        ("volume",),
        ("Day", "Hour"),
    )
    assert ForecastConfig(models=["lstm", "gru"]).models == ("lstm", "gru")
    assert ClassifyConfig(models="mlp", folder=Path("pets")).folder == "pets"
    assert ForecastConfig(date=("Date",)).date == "Date"
    assert [ForecastConfig(date=date).date for date in (False, "False", ("false",), "True", None)] == [
        False,
        False,
        False,
        True,
        None,
    ]
    assert ForecastConfig(separator=r"\t").separator == "\t"


def test_every_argument_of_the_reader_is_a_setting_of_its_name():
    arguments = inspect.signature(read_series).parameters
    settings = {field.name for field in dataclasses.fields(Reading)}
    assert settings == set(arguments) - {"source", "target", "columns"}
    for name in settings:
        assert arguments[name].kind is inspect.Parameter.KEYWORD_ONLY
    assert {"csv", "target", "columns"} | settings <= {field.name for field in dataclasses.fields(ForecastConfig)}
    assert Reading().given() == {}


def test_configurations_come_back_from_their_json():
    configs = (
        ForecastConfig("x.csv", date=("Date", "Time"), missing=("ND", -200), dayfirst=False, train=100),
        ClassifyConfig(models=("mlp", "lstm"), limit=5),
        SequenceConfig(),
    )
    for config in configs:
        assert config_from_dict(type(config), json.loads(json.dumps(to_plain(config)))) == config
    for wrong in ([], "text", None, 3, [["epochs", 3]]):
        with pytest.raises(ValueError, match="must be a mapping of settings"):
            config_from_dict(ForecastConfig, wrong)


def test_only_a_batch_size_that_is_given_is_refused():
    for kind, default in ((ForecastConfig, 32), (ClassifyConfig, 32), (SequenceConfig, 128)):
        assert with_batch_size(kind(), 1000, default).batch_size == default
        assert with_batch_size(kind(), 14, default).batch_size == 14
        assert with_batch_size(kind(batch_size=14), 14, default).batch_size == 14
        with pytest.raises(
            ValueError, match="batch_size 15 is larger than the 14 examples to train on: use 14 or less"
        ):
            with_batch_size(kind(batch_size=15), 14, default)


def test_all_series_of_a_file_are_a_loop(tmp_path):
    file = tmp_path / "long.csv"
    rows = [f"{name},{year},{year % 7 + k}" for k, name in enumerate(("Chad", "Peru")) for year in range(1960, 2000)]
    file.write_text("country,year,value\n" + "\n".join(rows))
    with pytest.raises(ValueError, match=r"Chad.*Peru"):
        describe_forecast(ForecastConfig(file, "value", series_id="country"))
    texts = [
        describe_forecast(
            ForecastConfig(file, "value", series_id="country", series=name, models="linear", length=3)
        ).text
        for name in read_all_series(file, "value", series_id="country")
    ]
    assert [text.split(":")[0] for text in texts] == ["Chad value", "Peru value"]


def test_the_fingerprint_of_a_series_knows_its_dates():
    days = np.arange("2020-01-01", "2020-01-04", dtype="datetime64[D]")
    series = [
        Series(np.ones(3), ("a",), dates=dates) for dates in (None, days, days + 1, days.astype("datetime64[ns]"))
    ]
    signs = [fingerprint(one) for one in series]
    assert len(set(signs)) == 3
    assert signs[1] == signs[3]


def test_test_rows_of_a_share_depend_on_length_and_those_of_numbers_do_not():
    series = Series(np.arange(110.0)[:, None], ("ramp",))
    shares = [split_series(ForecastConfig(length=length, train=0.7), series).test_rows.start for length in (10, 60)]
    assert shares == [10 + 80, 60 + 40]
    given = {"train": 80, "validation": 10}
    assert {split_series(ForecastConfig(length=n, **given), series).test_rows.start for n in (10, 60)} == {90}


def test_a_run_of_a_class_with_other_defaults_is_read_again():
    """Its dropout acts on no linear model, and was never asked for."""
    assert config_from_dict(ClassifyConfig, {"models": ["linear"], "dropout": 0.5}).dropout is None
    assert config_from_dict(ClassifyConfig, {"models": ["linear", "mlp"], "dropout": 0.5}).dropout == 0.5
    with pytest.raises(ValueError, match="acts on none"):
        ClassifyConfig(models=("linear",), dropout=0.5)
