"""Names that would be formulas, have no font, or are too long: every plot draws them, and says what it did."""

import io
import logging

import jax
import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.text import Text

from seqvision import reporting
from seqvision.data import Flip
from seqvision.metrics import precision_recall_curve, reliability, roc_curve
from seqvision.reporting import class_labels, plain_text, plot_confusion, save_figure, short_name
from seqvision.reporting.style import label_axes, new_figure

NAMES = ["$x^$", "$1", "犬", "\U0001f98a", "כלב", "one\nname", "a very long name " * 20, "\\frac{", "_^{}", "a\x00b"]
Y = np.arange(100.0)
CURVES = (roc_curve([0, 1], scores=[0.1, 0.9]), precision_recall_curve([0, 1], scores=[0.1, 0.9]))
IMAGES = np.random.default_rng(0).random((10, 6, 6))


@pytest.fixture(autouse=True)
def forget():
    plain_text._tell.cache_clear()
    plain_text._families_with.cache_clear()


def drawn(figure):
    """Return the signs that are drawn, after drawing them; matplotlib's warnings are errors here."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", bbox_inches="tight", dpi=40)
    assert max(np.frombuffer(stream.getvalue()[16:24], ">u4")) < 6000
    return [text.get_text() for text in figure.findobj(Text)]


def every_plot(a, b):
    """Each plot with two names wherever it shows names, and short ones where it shows a caller's own sentence."""
    title, own = short_name(a), short_name(b)
    yield plot_confusion(np.eye(2, dtype=int), [a, b], title=title)
    yield reporting.plot_misclassified(
        IMAGES[:2], [0, 1], predicted=[1, 0], confidence=[0.9, 0.8], class_names=[a, b], title=own
    )
    yield reporting.plot_boxes(
        IMAGES[:1], [[[0, 0, 1, 1]]], [[1]], scores=[[0.5]], class_names=[a, b], truth=[[[0, 0, 1, 1]]], title=title
    )
    yield reporting.plot_images(IMAGES[:2], [a, b], title=title)
    yield reporting.plot_image_rows({a: IMAGES[:2], b: IMAGES[2:4]}, [a, b], title=own)
    yield reporting.plot_filters({a: np.ones((2, 3, 3, 1)), b: np.ones((2, 3, 3, 4))}, title=own)
    yield reporting.plot_feature_maps(IMAGES[0], {a: np.ones((3, 3, 2)), b: np.ones((3, 3, 2))}, title=own)
    yield reporting.plot_heat_maps(IMAGES[:2], {a: IMAGES[:2], b: IMAGES[:2]}, [a, b], title=own)
    yield reporting.plot_augmentations(np.eye(4)[..., None], {a: Flip(), b: Flip()}, jax.random.key(0), draws=2)
    yield reporting.plot_reliability({name: reliability([1, 0], confidence=[0.9, 0.6]) for name in (a, b)}, title=own)
    yield reporting.plot_threshold_curves({a: CURVES, b: CURVES}, title=title)
    yield reporting.plot_losses({a: {"loss": [100.0, 0.5], b: [1.0, 2.0]}, b: {"loss": [1.0]}}, loss=own, title=title)
    yield reporting.plot_epoch_curves(
        {a: {a: [1.0, 0.1], b: [1.0, 0.01]}}, ylabel=title, xlabel=own, log=True, title=title
    )
    yield reporting.plot_gradient_flow(
        by_lag={a: [1.0], b: [2.0]}, by_depth={a: [1.0]}, dead={a: [0.1]}, traces={b: [1.0]}, title=title
    )
    yield reporting.plot_attention([np.eye(2)], sources=[[a, b]], targets=[[b, a]], title=title)
    yield reporting.plot_image_attention(IMAGES[:1], np.ones((1, 2, 3, 3)), [[a, b]], title=own)
    yield reporting.plot_forecast(
        Y, forecasts={a: Y, b: Y + 1}, naive=Y - 1, naive_name=b, free_runs={a: Y}, title=title, name=a, unit=b
    )
    yield reporting.plot_residuals(Y, forecasts={a: Y + 1, b: Y - 1}, naive=Y - 1, naive_name=a, unit=b, title=title)
    table = pd.DataFrame(np.ones((2, 3)), index=[a, b], columns=[1, 2, 3])
    yield reporting.plot_step_errors({own: table}, unit=b, naive=b, title=title)
    ends = {80: (Y - 1, Y + 1), 95: (Y - 2, Y + 2)}
    yield reporting.plot_intervals(
        Y, forecasts={a: Y, b: Y + 3}, ends={a: ends, b: ends}, naive=b, headings={a: own}, name=a, unit=b, title=title
    )
    ahead = pd.DataFrame({"model": [a, b], "row": [100, 100], "forecast": [100.0, 99.0]})
    ahead = ahead.assign(**{f"{end}_{level}": ahead["forecast"] for end in ("lower", "upper") for level in (80, 95)})
    yield reporting.plot_prediction(ahead, Y, naive=b, name=a, unit=b, title=title)


@pytest.mark.parametrize(
    "names",
    [
        ("$x^$ 犬", "a very long name\n" * 9 + "$1\x00"),
        *(pytest.param(pair, marks=pytest.mark.slow) for pair in zip(NAMES[::2], NAMES[1::2], strict=True)),
    ],
    ids=["all at once", "dollar", "pictures", "rtl", "long", "control"],
)
def test_every_plot_draws_every_name(names):
    count = 0
    for figure in every_plot(*names):
        figure.draw_without_rendering()
        assert not any("\x00" in text.get_text() for text in figure.findobj(Text))
        count += 1
    assert count == 21
    shown = {name for name in dir(reporting) if name.startswith("plot_")}
    assert len(shown) == 21, "a new plot: draw it here too"


def test_a_dollar_is_a_dollar_and_powers_of_ten_stay_formulas():
    figure = new_figure(3, 2)
    axes = figure.subplots()
    axes.plot([1, 1000], [1, 1000])
    axes.set_yscale("log")
    label_axes(axes, "$1 to $2", "US$ ($)")
    assert "$1 to $2" in drawn(figure)
    heading = next(text for text in figure.findobj(Text) if text.get_text() == "$1 to $2")
    assert not heading.get_parse_math()
    ticks = [label for label in axes.get_yticklabels() if label.get_text()]
    assert ticks
    assert all("mathdefault" in label.get_text() and label.get_parse_math() for label in ticks)


def test_classes_whose_signs_no_font_has_are_shown_by_their_numbers(caplog):
    names = ["cat", "犬", "a" * 40, "a" * 40, " ", "ein\nName"]
    long = "a" * 23 + "…"
    assert class_labels(names) == ["cat", "class 1", f"{long[:16]}… (2)", long, "class 4", "ein Name"]
    assert "class 1, '犬', is shown by its number: no font here has '犬' (U+72AC): install one that has" in caplog.text
    assert "class 4, ' ', is shown by its number: its name is blank" in caplog.text
    figure = plot_confusion(np.eye(6, dtype=int), names, title="犬")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == class_labels(names)
    with caplog.at_level(logging.WARNING, "seqvision"):
        assert "\N{REPLACEMENT CHARACTER}" in drawn(figure)
    assert "no font here has '犬' (U+72AC): \N{REPLACEMENT CHARACTER} stands for it" in caplog.text


def test_a_font_that_has_the_signs_is_used(tmp_path, caplog):
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(point)
    pen.closePath()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "dog"])
    font.setupCharacterMap({ord("犬"): "dog"})
    font.setupGlyf({".notdef": pen.glyph(), "dog": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (800, 0), "dog": (800, 0)})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Test Signs", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(tmp_path / "signs.ttf")
    before = list(font_manager.fontManager.ttflist)
    try:
        font_manager.fontManager.addfont(tmp_path / "signs.ttf")
        assert class_labels(["cat", "犬"]) == ["cat", "犬"]
        figure = plot_confusion(np.eye(2, dtype=int), ["cat", "犬"], title="犬 and cat")
        assert {"犬 and cat", "犬"} <= set(drawn(figure))
        assert not caplog.text
        save_figure(figure, tmp_path / "dog.png")
    finally:
        font_manager.fontManager.ttflist[:] = before
        font_manager._findfont_cached.cache_clear() if hasattr(font_manager, "_findfont_cached") else None
