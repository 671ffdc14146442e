"""Attention maps: what is drawn, and what is refused."""

import numpy as np
import pytest

from seqvision.reporting import plot_attention, plot_image_attention, save_figure


def test_a_panel_an_example_with_its_symbols(tmp_path):
    maps = np.random.default_rng(0).random((2, 6, 7))
    figure = plot_attention(
        maps, sources=["127+85", "4+4"], targets=[["2", "1", "2", "end"], ["8", "end"]], title="adding"
    )
    first, second, *_ = figure.axes
    assert [label.get_text() for label in first.get_xticklabels()] == list("127+85")
    assert [label.get_text() for label in second.get_yticklabels()] == ["8", "end"]
    np.testing.assert_array_equal(first.images[0].get_array(), maps[0, :4, :6])
    np.testing.assert_array_equal(second.images[0].get_array(), maps[1, :2, :3])
    assert figure.get_suptitle() == "adding"
    assert save_figure(figure, tmp_path / "maps.png").stat().st_size > 1000


def test_a_panel_a_letter_over_its_image():
    images, maps = np.random.default_rng(0).random((2, 8, 8, 1)), np.random.default_rng(1).random((2, 5, 4, 4))
    figure = plot_image_attention(images, maps, ["one", "three"], title="looks")
    panels = np.reshape(figure.axes, (2, 6))
    assert [axes.get_title() for axes in panels[0]] == ["", "o", "n", "e", "", ""]
    assert [axes.get_title() for axes in panels[1]] == ["", *"three"]
    np.testing.assert_array_equal(panels[0, 0].images[0].get_array(), images[0, ..., 0])
    np.testing.assert_array_equal(panels[1, 3].images[1].get_array(), maps[1, 2])
    assert panels[1, 3].images[1].get_extent() == [-0.5, 7.5, 7.5, -0.5]
    assert not panels[0, 4].images


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: plot_attention([], sources=[], targets=[]), "0 maps"),
        (lambda: plot_attention([np.eye(2)], sources=["ab", "c"], targets=["xy"]), "1 maps, 2 sources, 1 targets"),
        (
            lambda: plot_attention([np.eye(2)], sources=["abc"], targets=["xy"]),
            r"shape \(2, 2\) is too small for 2 x 3",
        ),
        (lambda: plot_image_attention(np.zeros((1, 8, 8)), np.zeros((1, 2, 4, 4)), ["one"]), "up to 3 symbols"),
        (lambda: plot_image_attention(np.zeros((2, 8, 8)), np.zeros((1, 3, 4, 4)), ["one"]), "2 images"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
