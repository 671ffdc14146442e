import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import bar_chart_images, gramian_angular_field

PRICES = st.integers(1, 40).map(float)
WINDOWS = st.lists(st.lists(PRICES, min_size=4, max_size=4), min_size=2, max_size=6).map(np.transpose)


@pytest.mark.parametrize("kind", ["summation", "difference"])
@given(window=st.lists(st.floats(-1e3, 1e3, allow_subnormal=False).map(lambda x: round(x, 3)), min_size=2, max_size=7))
def test_fields_are_those_of_the_angles(kind, window):
    least, largest = min(window), max(window)
    if least == largest:
        angles = [np.pi / 2] * len(window)
    else:
        angles = [np.arccos(np.clip(2 * (v - least) / (largest - least) - 1, -1, 1)) for v in window]
    field = gramian_angular_field(window, kind)
    assert field.shape == (len(window), len(window), 1)
    for s, a in enumerate(angles):
        for t, b in enumerate(angles):
            expected = np.cos(a + b) if kind == "summation" else np.sin(a - b)
            assert field[s, t, 0] == pytest.approx(expected, abs=1e-5)


def slow_chart(o, h, low, c, height, volume=None):
    """One window, pixel by pixel."""
    below = 0 if volume is None else height // 5 + 1
    rows = height - below
    top, bottom = max(*o, *h, *low, *c), min(*o, *h, *low, *c)
    image = np.zeros((height, 3 * len(o)))

    def row(price):
        place = 0.5 if top == bottom else (top - price) / (top - bottom)
        return int(place * (rows - 1) + 0.5)

    for t in range(len(o)):
        image[row(o[t]), 3 * t] = 1
        for r in range(row(h[t]), row(low[t]) + 1):
            image[r, 3 * t + 1] = 1
        image[row(c[t]), 3 * t + 2] = 1
        if volume is not None and max(volume) > 0:
            filled = int((below - 1) * volume[t] / max(volume) + 0.5)
            for r in range(filled):
                image[height - 1 - r, 3 * t + 1] = 1
    return image


@given(window=WINDOWS, height=st.integers(5, 40), with_volume=st.booleans())
def test_charts_are_drawn_pixel_by_pixel(window, height, with_volume):
    o, c = window[:2]
    low, high = window.min(axis=0), window.max(axis=0)
    volume = np.abs(window[2] - 20) if with_volume else None
    image = bar_chart_images(o, high, low, c, height=height, volume=volume)
    np.testing.assert_array_equal(image[..., 0], slow_chart(o, high, low, c, height, volume))


def test_windows_are_drawn_one_by_one():
    rng = np.random.default_rng(0)
    o, c = rng.normal(size=(2, 3, 5, 4))
    high, low = np.maximum(o, c) + 0.1, np.minimum(o, c) - 0.1
    volume = rng.random((3, 5, 4))
    images, fields = bar_chart_images(o, high, low, c, volume=volume), gramian_angular_field(c)
    assert images.shape == (3, 5, 60, 12, 1)
    assert fields.shape == (3, 5, 4, 4, 1)
    assert images.dtype == fields.dtype == np.float32
    part = (2, 1)
    alone = bar_chart_images(o[part], high[part], low[part], c[part], volume=volume[part])
    np.testing.assert_array_equal(images[part], alone)
    np.testing.assert_array_equal(fields[part], gramian_angular_field(c[part]))


def test_scale_and_unit_of_prices_do_not_matter():
    rng = np.random.default_rng(1)
    o, c = rng.integers(1, 50, size=(2, 10)).astype(float)
    high, low = np.maximum(o, c), np.minimum(o, c)
    plain = bar_chart_images(o, high, low, c)
    np.testing.assert_array_equal(plain, bar_chart_images(*(2 * p + 8 for p in (o, high, low, c))))
    np.testing.assert_allclose(gramian_angular_field(c), gramian_angular_field(4 * c - 7), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gramian_angular_field([1.0, np.nan]), r"windows is nan at \(1,\)"),
        (lambda: gramian_angular_field([1.0]), r"T >= 2 steps, got shape \(1,\)"),
        (lambda: gramian_angular_field([1.0, 2.0], "product"), "got 'product'"),
        (lambda: bar_chart_images([1, 2], [1, 2], [3, 1], [1, 2]), r"high is below low at \(0,\): 1.0 < 3.0"),
        (lambda: bar_chart_images([1, 2, 3], [1, 2], [1, 1], [1, 2]), "differ in shape"),
        (lambda: bar_chart_images([1, 2], [1, 2], [1, 1], [1, 2], height=4), "height must be an int >= 5, got 4"),
        (lambda: bar_chart_images([1, 2], [1, 2], [1, 1], [1, 2], volume=[1, -1]), "volume must be >= 0"),
        (lambda: bar_chart_images([1, 2], [1, 2], [1, 1], [1, 2], volume=[1, 2, 3]), r"of shape \(2,\), got"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
