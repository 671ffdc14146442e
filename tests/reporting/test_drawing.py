import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from seqvision.reporting import plot_confusion, plot_forecast, plot_images, plot_losses, plot_residuals, save_figure
from seqvision.reporting.drawing import drawn_twice, png_of
from seqvision.reporting.style import label_axes, new_figure

Y = 100 + np.cumsum(np.random.default_rng(0).normal(size=80))
DAYS = np.datetime64("2020-01-01") + np.arange(80)


def losses():
    return plot_losses({"gru": {"loss": np.exp(-np.arange(9.0)) * np.ones((3, 1))}}, title="a title")


def forecast():
    return plot_forecast(Y, forecasts={"gru": Y + np.ones((3, 1))}, naive=Y - 1, dates=DAYS, title="a title")


def residuals():
    return plot_residuals(Y, forecasts={"gru": Y + 1}, naive=Y - 1, dates=DAYS, title="a title")


def confusion():
    return plot_confusion([[3, 1], [0, 4]], ["a long name", "dog"])


def images():
    return plot_images(np.arange(192.0).reshape(3, 8, 8), ["a", "b", "c"], title="a title")


FIGURES = (losses, forecast, residuals, confusion, images)


def pixels(drawn):
    return np.asarray(Image.open(io.BytesIO(drawn)).convert("L"), np.float64)


@pytest.fixture
def draws(monkeypatch):
    counted, draw = [], Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda self, renderer: (counted.append(self), draw(self, renderer))[1])
    return counted


@pytest.mark.parametrize("make", [make for make in FIGURES if make is not confusion])  # its labels leave the figure
def test_a_figure_is_drawn_once(make, draws, tmp_path):
    save_figure(make(), tmp_path / "a.png")
    assert len(draws) == 1


@pytest.mark.parametrize("make", FIGURES)
def test_the_picture_is_that_of_two_draws(make):
    once, twice = pixels(png_of(make())), pixels(drawn_twice(make(), "png"))
    assert np.abs(np.subtract(once.shape, twice.shape)).max() <= 5  # of text without ink
    h, w = np.minimum(once.shape, twice.shape) // 8 * 8

    def coarse(picture):
        return picture[:h, :w].reshape(h // 8, 8, w // 8, 8).mean(axis=(1, 3))

    assert np.abs(coarse(once) - coarse(twice)).mean() < 4.0


def test_what_leaves_the_figure_gets_more_room(draws, tmp_path):
    figure = new_figure(3, 2)
    label_axes(figure.subplots(), "a title that is longer than the figure is wide, and not just a little")
    with Image.open(save_figure(figure, tmp_path / "a.png")) as picture:
        width = picture.size[0]
    assert len(draws) == 3
    assert width > 3 * 110 + 22


def test_a_cut_leaves_white_around_and_keeps_panels_of_white_images():
    drawn = pixels(png_of(images()))
    assert (drawn[:5] == 255).all()
    assert (drawn[:, :5] == 255).all()
    assert (drawn[11] < 255).any()  # a tenth of an inch
    white = pixels(png_of(plot_images(np.zeros((2, 8, 8)))))
    assert white.shape[1] > 2 * 100


def test_dates_at_ticks_stay_what_they_were():
    figure = forecast()
    figure.canvas.draw()
    before = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    offset = figure.axes[0].xaxis.get_offset_text().get_text()
    again = forecast()
    png_of(again)
    assert [text.get_text() for text in again.axes[0].get_xticklabels()] == before
    assert again.axes[0].xaxis.get_offset_text().get_text() == offset == "2020-Mar"


def test_the_same_figure_gives_the_same_bytes_again():
    assert png_of(losses()) == png_of(losses())
