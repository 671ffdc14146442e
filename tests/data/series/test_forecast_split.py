import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import Series, chirp, find_file, forecast_split, load_goog, read_series, sine


def random_series(rows=60, seed=0):
    values = np.random.default_rng(seed).normal(100, 20, (rows, 3))
    return Series(values, ("open", "close", "volume"), target="close")


@given(st.integers(0, 100), st.sampled_from([(4, 1), (6, 3)]), st.sampled_from(["standard", "minmax"]), st.booleans())
def test_nothing_after_the_cutoff_changes_a_training_bit(seed, sizes, scaler, hold_out):
    series = random_series(seed=seed)
    options = {"train": 0.6, "validation": 0.2 if hold_out else 0.0, "scaler": scaler}
    split = forecast_split(series, *sizes, **options)
    cutoff = split.train_rows.stop
    values = series.values.copy()
    values[cutoff:] = np.random.default_rng(seed + 1).normal(0, 1e6, values[cutoff:].shape)
    other = forecast_split(Series(values, series.columns, target="close"), *sizes, **options)
    assert other.scaler == split.scaler
    rows = np.arange(len(split.train))
    for ours, theirs in zip(split.train.gather(rows), other.train.gather(rows), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(split.truth(), other.truth())


@given(
    st.sampled_from([20, 37]),
    st.sampled_from([(3, 1), (5, 4)]),
    st.sampled_from([0.4, 0.6]),
    st.sampled_from([0.0, 0.2]),
)
def test_windows_and_truth_agree(rows, sizes, train, validation):
    series = random_series(rows)
    try:
        split = forecast_split(series, *sizes, train=train, validation=validation, targets=("volume", 0))
    except ValueError:
        return  # too short for these parts: see below
    length, horizon = sizes
    seen = []
    for part in ("train", "validation", "test"):
        windows = getattr(split, part)
        if windows is None:
            continue
        target_rows = split.target_rows(part)
        assert target_rows.shape == (len(windows), horizon)
        x, y = windows.gather(np.arange(len(windows)))
        np.testing.assert_allclose(split.inverse(y), split.truth(part), rtol=1e-5, atol=1e-4)
        inputs = target_rows[:, :1] - np.arange(length, 0, -1)[None, :]
        np.testing.assert_allclose(split.scaler.inverse(x), series.values[inputs], rtol=1e-5, atol=1e-4)
        seen.append(target_rows)
    for before, after in itertools.pairwise(seen):
        assert before.max() < after.min()  # no row is a target of two parts
    assert seen[0].min() == length
    assert seen[-1].max() == rows - 1


def test_halves_of_the_targets():
    assert [(len(s.train), len(s.test)) for s in (forecast_split(chirp(400), 10, train=0.5),)] == [(195, 195)]
    assert [(len(s.train), len(s.test)) for s in (forecast_split(sine(200), 10, train=0.5),)] == [(95, 95)]
    split = forecast_split(random_series(), 10, train=40, validation=10)
    assert split.train_rows == slice(10, 40)
    assert split.test_rows == slice(50, 60)


def test_scaler_is_that_of_the_training_rows():
    split = forecast_split(random_series(), 4, train=0.5)
    training = split.series.values[: split.train_rows.stop]
    np.testing.assert_allclose(split.scaler.shift, training.mean(axis=0))
    assert split.targets == (1,)
    assert split.test.targets == (1,)
    assert forecast_split(Series(np.arange(9.0), ("x",)), 2).targets == (0,)


def test_last_value_on_starbucks():
    try:
        path = find_file("stocks", "sbux.csv")
    except FileNotFoundError as error:
        pytest.skip(str(error))
    split = forecast_split(read_series(path, "close"), length=10, train=0.5)
    assert (len(split.train), len(split.test)) == (624, 625)
    last = split.series.column("close")[split.target_rows() - 1]
    errors = split.truth()[:, :, 0] - last
    assert round(np.sqrt((errors**2).mean()), 4) == 0.7313
    assert round(np.abs(errors).mean(), 4) == 0.5129
    held = split.truth() - split.series.column("close")[split.test_rows.start - 1]  # one origin for all
    assert round(np.sqrt((held**2).mean()), 3) == 2.607
    assert round(np.abs(held).mean(), 3) == 2.135


def test_bundled_series():
    goog = load_goog()
    assert goog.values.shape == (1047, 6)
    assert goog.dates[-1] == np.datetime64("2008-10-14")
    assert goog.column("volume")[0] == 22351900
    assert forecast_split(goog, 20).test.series.shape[1] == 6


def test_generators():
    np.testing.assert_allclose(chirp(5).values[:, 0], np.sin((0.1 * np.arange(5)) ** 2))
    noise = sine(2000, noise=0.1, seed=1).values[:, 0] - np.sin(0.1 * np.arange(2000))
    assert 0.09 < noise.std() < 0.11
    np.testing.assert_array_equal(sine(seed=3).values, sine(seed=3).values)
    with pytest.raises(ValueError, match="n must be an int >= 1"):
        sine(0)
    with pytest.raises(ValueError, match="seed must be an int"):
        sine(seed=-1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"length": 59}, "60 rows, but length 59"),
        ({"length": 0}, "length must be an int >= 1"),
        ({"length": 4, "horizon": 0}, "horizon must be an int >= 1"),
        ({"length": 4, "train": 0.01}, "for training targets"),
        ({"length": 4, "train": 3}, "leave 0 rows for training targets"),
        ({"length": 4, "horizon": 5, "train": 0.95}, "3 rows for test targets, .* horizon = 5"),
        ({"length": 4, "horizon": 5, "validation": 2}, "2 rows for validation targets"),
        ({"length": 4, "train": 60}, "0 test rows"),
        ({"length": 4, "targets": ("clse",)}, "did you mean 'close'"),
        ({"length": 4, "scaler": "robust"}, "kind must be"),
    ],
)
def test_errors_say_the_numbers(options, says):
    with pytest.raises(ValueError, match=says):
        forecast_split(random_series(), **options)


def test_rows_that_stop_training_do_not_calibrate():
    series = Series(np.arange(100.0), ("a",))
    both = forecast_split(series, 5, 2, train=60, validation=21)
    assert both.calibration_rows == both.validation_rows == slice(60, 81)
    apart = forecast_split(series, 5, 2, train=60, validation=21, stopping=True)
    assert (apart.validation_rows, apart.calibration_rows) == (slice(60, 71), slice(71, 81))
    assert apart.test_rows == both.test_rows == slice(81, 100)
    assert len(apart.validation) == 11 - 2 + 1
    np.testing.assert_array_equal(apart.truth("validation")[-1], [[69.0], [70.0]])
    with pytest.raises(ValueError, match="leaves 1 rows to stop by and as many for intervals"):
        forecast_split(series, 5, 2, train=60, validation=2, stopping=True)
    none = forecast_split(series, 5, 2, train=60, stopping=True)
    assert none.validation is None
    assert none.calibration_rows == slice(60, 60)
