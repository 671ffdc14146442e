import numpy as np
import pytest

from seqvision.reporting import (
    plot_feature_maps,
    plot_filters,
    plot_heat_maps,
    plot_image_rows,
    plot_images,
    save_figure,
)

RNG = np.random.default_rng(0)


def drawn(axes):
    return [np.ma.filled(image.get_array(), np.nan) for image in axes.images]


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_images_share_one_scale(tmp_path, channels):
    images = RNG.normal(size=(5, 4, 6, *channels))
    figure = plot_images(images, columns=3, title="five")
    pictures = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(pictures) == 5
    for picture, image in zip(pictures, images, strict=True):
        expected = (image - images.min()) / (images.max() - images.min())
        np.testing.assert_allclose(picture.get_array(), expected.reshape(np.shape(picture.get_array())))
        assert picture.get_clim() == (0.0, 1.0)
    save_figure(figure, tmp_path / "images.png")


def test_filters_lie_side_by_side(tmp_path):
    first, second = RNG.normal(size=(3, 2, 2, 1)), RNG.normal(size=(40, 3, 3, 6))
    figure = plot_filters({"first": first, "second": second})
    strip = drawn(figure.axes[0])[0]
    assert strip.shape == (2, 3 * 3 - 1)
    np.testing.assert_allclose(strip[:, 3:5], first[1, ..., 0] / np.abs(first).max())
    assert np.isnan(strip[:, 2]).all()
    strip = drawn(figure.axes[1])[0]
    assert strip.shape == (4 * 4 - 1, 32 * 4 - 1)
    np.testing.assert_allclose(strip[4:7, 8:11], second[2, ..., 1] / np.abs(second[:32]).max())
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[0] == "first: 3 filters of 2 x 2 x 1"
    assert titles[1] == "second: 40 filters of 3 x 3 x 6, the first 32, the first 4 of 6 input channels by row"
    save_figure(figure, tmp_path / "filters.png")


def test_filters_of_colors_are_colors():
    rgb = RNG.normal(size=(4, 5, 5, 3))
    strip = drawn(plot_filters({"first": rgb}).axes[0])[0]
    np.testing.assert_allclose(strip[:, 6:11], 0.5 + rgb[1] / np.abs(rgb).max() / 2)


def test_feature_maps_show_the_first_channels_each_on_its_own_scale(tmp_path):
    maps = {"a": RNG.normal(size=(40, 40, 3)), "b": RNG.normal(size=(2, 2, 20))}
    figure = plot_feature_maps(RNG.normal(size=(8, 8, 1)), maps)
    first, second = drawn(figure.axes[3])[0], drawn(figure.axes[5])[0]
    assert first.shape == (40, 16 * 45 - 5)
    channel = maps["a"][..., 1]
    np.testing.assert_allclose(first[:, 45:85], (channel - channel.min()) / (channel.max() - channel.min()))
    assert (first[:, 3 * 45 :] == 0).all()  # there are three channels
    assert second.shape == (32, 16 * 36 - 4)
    assert second[:, 15 * 36 :].max() == 1.0
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["image", "a\n40 x 40 x 3", "b\n2 x 2 x 20"]
    save_figure(figure, tmp_path / "maps.png")


def test_heat_is_opaque_where_it_is_large():
    heat = np.zeros((2, 4, 4))
    heat[0, 1, 2], heat[0, 3, 3] = -2.0, 1.0
    figure = plot_heat_maps(RNG.normal(size=(2, 4, 4)), {"map": heat}, ["one", "two"])
    layer = figure.axes[4].images[1]
    np.testing.assert_allclose(layer.get_alpha(), 0.85 * np.abs(heat[0]) / 2)
    np.testing.assert_array_equal(layer.get_array(), np.sign(heat[0]))
    assert [axes.get_title() for axes in figure.axes[1:3]] == ["one", "two"]


def test_rows_have_scales_of_their_own():
    rows = {"small": RNG.random((3, 2, 2)), "large": 5 * RNG.random((3, 4, 4, 1)) - 9}
    figure = plot_image_rows(rows, "abc")
    for n, images in enumerate(rows.values()):
        shown = np.array([drawn(axes)[0] for axes in figure.axes[4 * n + 1 : 4 * n + 4]])
        assert (shown.min(), shown.max()) == (0.0, 1.0)
        assert np.corrcoef(shown.ravel(), images.ravel())[0, 1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_image_rows({"a": np.zeros((2, 4, 4)), "b": np.zeros((3, 4, 4))}), "{'a': 2, 'b': 3}"),
        (lambda: plot_image_rows({"a": np.zeros((2, 4, 4))}, ["one"]), "1 entries for 2 images"),
        (lambda: plot_images(np.zeros((2, 4, 4, 2))), r"\(B, H, W, 3\), got shape \(2, 4, 4, 2\)"),
        (lambda: plot_images(np.zeros((2, 4, 4)), ["one"]), "1 entries for 2 images"),
        (lambda: plot_filters({}), "at least one convolution"),
        (lambda: plot_filters({"a": np.zeros((3, 3))}), r"\(C_out, h, w, C_in\), got shape"),
        (lambda: plot_feature_maps(np.zeros((4, 4)), {"a": np.zeros((1, 4, 4, 2))}), "take one image's entry"),
        (lambda: plot_heat_maps(np.zeros((2, 4, 4)), {"a": np.zeros((2, 2, 2))}), r"expected \(2, 4, 4\)"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
