import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seqvision.data import (
    Arrays,
    ImageData,
    PixelScaler,
    array_to_image,
    fit_pixel_scaler,
    image_arrays,
    image_to_array,
    label_names,
    label_numbers,
    load_image_folder,
    stratified_split,
)

RNG = np.random.default_rng(0)


def picture(path, height=6, width=5, mode="RGB", value=None):
    pixels = RNG.integers(0, 256, (height, width, len(mode)), np.uint8) if value is None else value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.squeeze(pixels)).save(path)
    return pixels


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 3]), st.integers(0, 9))
def test_a_picture_of_8_bits_comes_back(height, width, channels, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    array = image_to_array(array_to_image(pixels))
    assert array.dtype == np.float32
    np.testing.assert_allclose(array, pixels / 255, atol=1e-7)
    np.testing.assert_array_equal(
        np.asarray(array_to_image(array)), np.squeeze(pixels, -1) if channels == 1 else pixels
    )


def test_every_kind_of_picture_becomes_gray_or_color(tmp_path):
    for name, image in {
        "palette.png": Image.new("RGB", (4, 4), (255, 0, 0)).convert("P"),
        "alpha.png": Image.new("RGBA", (4, 4), (255, 0, 0, 128)),
        "color.jpg": Image.new("RGB", (4, 4), (255, 0, 0)),
    }.items():
        image.save(tmp_path / name)
        array = image_to_array(tmp_path / name)
        assert array.shape == (4, 4, 3)
        np.testing.assert_allclose(array[0, 0], [1, 0, 0], atol=0.01)
        assert image_to_array(tmp_path / name, channels=1, size=(2, 3)).shape == (2, 3, 1)
    Image.fromarray(np.full((4, 4), 32896, np.uint16)).save(tmp_path / "deep.png")
    np.testing.assert_allclose(image_to_array(tmp_path / "deep.png"), np.full((4, 4, 1), 128 / 255), atol=0.005)


def test_a_turned_photograph_is_put_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.new("RGB", (6, 4)).save(tmp_path / "turned.jpg", exif=exif)
    assert image_to_array(tmp_path / "turned.jpg").shape == (6, 4, 3)


def test_pictures_that_are_none_are_named(tmp_path):
    picture(tmp_path / "cut.png", 40, 40)
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:200])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    for name in ("cut.png", "text.png", "empty.jpg"):
        with pytest.raises(ValueError, match=rf"{name} is no picture or a damaged one"):
            image_to_array(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        image_to_array(tmp_path / "nowhere.png")
    for array, says in [
        (np.zeros((2, 3, 4)), "must be"),
        (np.full((2, 2), 2.0), "undo its scaling"),
        ([[np.nan]], "reaches"),
    ]:
        with pytest.raises(ValueError, match=says):
            array_to_image(array)


def test_a_folder_of_images_comes_in_natural_order(tmp_path):
    for name in ("b/img10.png", "b/img2.png", "B2/1.jpg", "a/deep/3.png", "a/2.PNG"):
        picture(tmp_path / name)
    (tmp_path / "a" / "notes.txt").write_text("not an image")
    picture(tmp_path / "a" / ".hidden.png")
    (tmp_path / ".git").mkdir()
    images = load_image_folder(tmp_path)
    assert images.classes == ("a", "b", "B2")
    assert [str(path.relative_to(tmp_path)) for path in images.paths] == [
        "a/2.PNG",
        "a/deep/3.png",
        "b/img2.png",
        "b/img10.png",
        "B2/1.jpg",
    ]
    assert images.data.y.tolist() == [0, 0, 1, 1, 2]
    assert images.data.x.shape == (5, 6, 5, 3)
    assert load_image_folder(tmp_path, size=(3, 4), channels=1).data.x.shape == (5, 3, 4, 1)
    streamed = load_image_folder(tmp_path, stream=True)
    assert (streamed.classes, streamed.paths, streamed.parts) == (images.classes, images.paths, images.parts)
    assert streamed.sizes is None
    assert images.sizes.tolist() == [[6, 5]] * 5
    (rows, batch), _ = streamed.data.read(np.array([4, 0, 2, 1, 3]), 3)
    expected = images.data.gather(rows)
    np.testing.assert_array_equal(batch.x, expected.x)
    np.testing.assert_array_equal(batch.y, expected.y)
    assert streamed.data.source.labels.tolist() == [0, 0, 1, 1, 2]
    train, test = stratified_split(images.data.y[:4], 0.5)
    assert (len(train), len(test)) == (2, 2)


def test_folders_that_cannot_be_learned_from_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        load_image_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"at least two classes, but has none"):
        load_image_folder(tmp_path)
    picture(tmp_path / "cat" / "1.png")
    with pytest.raises(ValueError, match=r"at least two classes, but has only 'cat'"):
        load_image_folder(tmp_path)
    (tmp_path / "dog").mkdir()
    with pytest.raises(ValueError, match=r"class 'dog': .* has no image"):
        load_image_folder(tmp_path)
    picture(tmp_path / "dog" / "1.png", 7, 5)
    with pytest.raises(ValueError, match=r"dog/1.png is 7 x 5 pixels, .*cat/1.png is 6 x 5: say size"):
        load_image_folder(tmp_path)
    with pytest.raises(RuntimeError, match=r"row 1 of the source raised ValueError: .*dog/1.png is 7 x 5 pixels"):
        list(load_image_folder(tmp_path, stream=True).data.read(None, 2))
    (tmp_path / "dog" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(ValueError, match=r"dog/1.png is no picture or a damaged one"):
        load_image_folder(tmp_path, size=(4, 4))


def test_names_and_numbers_of_labels():
    classes = ("cat", "dog", "bird")
    assert label_numbers(label_names([2, 0, 1], classes), classes).tolist() == [2, 0, 1]
    with pytest.raises(ValueError, match=r"row 1 has 3 \(1 such labels\)"):
        label_names([0, 3], classes)
    with pytest.raises(ValueError, match="row 0 is 'cow'"):
        label_numbers(["cow"], classes)


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (np.zeros((4, 3, 8, 8)), [0, 1, 0, 1], r"channels in front.*np.moveaxis\(images, 1, -1\)"),
        (np.zeros((4, 1, 8, 8)), [0, 1, 0, 1], "channels in front"),
        (np.full((4, 8, 8, 1), 255.0), [0, 1, 0, 1], "float64 that reach to 255: divide them by 255"),
        (np.zeros((4, 8, 8, 1), np.int32), [0, 1, 0, 1], "int32 that reach to 0"),
        (np.zeros((4, 8, 8, 1)), [0, 1, 2, 3], r"0..2 for 3 classes, but row 3 has 3"),
        (np.zeros((4, 8, 8, 1)), [1, 2, 3, -1], r"row 2 has 3 \(2 such labels\)"),
        (np.zeros((4, 8, 8, 1)), [1, 1, 1, 1], "all the same"),
        (np.zeros((4, 8)), [0, 1, 0, 1], "their shape is"),
        (np.zeros((4, 8, 8, 1)), [0.0, 1.0, 0.0, 1.0], "labels must be whole numbers"),
    ],
    ids=["color first", "gray first", "255", "integers", "label 3", "label -1", "one class", "rows", "float labels"],
)
def test_images_that_would_train_wrongly_are_refused(images, labels, says):
    with pytest.raises(ValueError, match=says):
        image_arrays(images, labels, 3)


def test_bytes_are_scaled_and_floats_kept():
    data = image_arrays(np.full((2, 6, 6), 51, np.uint8), [0, 1], ("a", "b"))
    np.testing.assert_allclose(data.x, np.full((2, 6, 6, 1), 0.2), rtol=1e-6)
    kept = image_arrays(np.full((2, 6, 6, 3), -1.5), [0, 1], 2)
    assert (float(kept.x.min()), kept.y.dtype) == (-1.5, np.int32)


@given(st.integers(0, 99), st.sampled_from(["mean", "standard"]))
def test_pixels_are_scaled_by_channel_and_come_back(seed, kind):
    images = np.random.default_rng(seed).normal(3, [1, 2, 5], (7, 4, 5, 3)).astype(np.float32)
    scaler = fit_pixel_scaler(images, kind)
    scaled = scaler.transform(images)
    assert scaled.dtype == np.float32
    flat = scaled.reshape(-1, 3)
    np.testing.assert_allclose(flat.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(flat.std(0), 1 if kind == "standard" else images.reshape(-1, 3).std(0), rtol=1e-4)
    np.testing.assert_allclose(scaler.inverse(scaled), images, atol=1e-4)
    np.testing.assert_allclose(jax.jit(scaler.transform)(images), scaled, rtol=1e-5, atol=1e-6)


def test_a_scaler_sees_the_training_images_alone():
    train, test = np.zeros((3, 2, 2, 1)), np.ones((3, 2, 2, 1))
    train[0] = 3
    labels = np.array([0, 1, 0])
    scaler = fit_pixel_scaler(train, "mean")
    assert scaler == PixelScaler("mean", (1.0,), (1.0,))
    data = scaler.apply(ImageData(Arrays(train, labels), Arrays(test, labels), ("a", "b")))
    assert (float(data.train.x.max()), float(data.test.x.max())) == (2.0, 0.0)
    assert fit_pixel_scaler(np.full((2, 3, 3, 2), 7, np.uint8)).scale == (1.0, 1.0)  # a constant is only shifted
    assert fit_pixel_scaler(np.zeros((1, 2, 2, 1), np.uint8), "unit").transform(np.full((1, 2, 2, 1), 255)).max() == 1
    with pytest.raises(ValueError, match="kind must be one of 'unit', 'mean', 'standard'"):
        fit_pixel_scaler(train, "minmax")
    for value in (np.nan, np.inf, 1e300):
        with pytest.raises(ValueError, match="training_images reach from"):
            fit_pixel_scaler(np.full((1, 2, 2, 1), value))
    with pytest.raises(TypeError, match="training_images must hold numbers, but are complex128"):
        fit_pixel_scaler(np.full((1, 2, 2, 1), 1j))
    with pytest.raises(ValueError, match=r"channels last"):
        scaler.transform(np.zeros((1, 3, 8, 8)))
