"""Which files of a folder are pictures of which class and part, and what is said of the others."""

import numpy as np
import pytest
from PIL import Image

from seqvision.data import Stream, load_image_folder

RNG = np.random.default_rng(0)


def picture(path, height=6, width=5):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (height, width, 3), np.uint8)).save(path)


def tree(root, *names):
    for name in names:
        if "." in name.rsplit("/", 1)[-1][1:]:
            picture(root / name)
        else:
            (root / name).mkdir(parents=True)


@pytest.mark.parametrize(
    "names",
    [
        ("train", "test", "val"),
        ("Train", "TEST", "Valid"),
        ("training_set", "test_set", "validation"),
        ("training", "testing", "val-set"),
    ],
)
def test_the_parts_of_a_folder_are_used(tmp_path, names, caplog):
    train, test, validation = names
    for part, files in {train: ("1", "2", "deep/3"), test: ("1",), validation: ("7", "8")}.items():
        tree(tmp_path, *(f"{part}/{kind}/{name}.png" for kind in ("cat", "Dog") for name in files))
    with caplog.at_level("INFO", "seqvision"):
        images = load_image_folder(tmp_path)
    assert f"{train} as train" in caplog.text
    assert images.classes == ("cat", "Dog")
    assert {part: len(rows) for part, rows in images.parts.items()} == {"train": 6, "validation": 4, "test": 2}
    for part, folder in zip(("train", "test", "validation"), names, strict=True):
        for row in images.parts[part]:
            assert images.paths[row].relative_to(tmp_path).parts[0] == folder
            assert images.classes[images.data.y[row]] == images.paths[row].relative_to(tmp_path).parts[1]
    streamed = load_image_folder(tmp_path, stream=True)
    assert streamed.data.source.labels.tolist() == images.data.y.tolist()
    assert len(Stream(streamed.data.source, rows=streamed.parts["test"])) == 2


def test_a_class_may_be_called_as_a_part(tmp_path):
    tree(tmp_path, "train/1.png", "plane/1.png", "car/new/1.png")
    images = load_image_folder(tmp_path)
    assert (images.classes, images.parts) == (("car", "plane", "train"), {})


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("train/1.png", "test/1.png"), "is the train part by its name, but has no subfolders|is the test part"),
        (("train/a/1.png", "train/b/1.png", "test/a/1.png"), "at least two classes, but has only 'a'"),
        (
            ("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/c/1.png"),
            "different classes: test has 'c' beside those of train and lacks 'b'",
        ),
        (("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b"), "class 'b': .*test/b has no image"),
        (
            ("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png", "c/1.png"),
            "beside them 'c' with pictures",
        ),
        (("a/1.png", "b/1.png", "test/a/1.png", "test/b/1.png"), "classes such as 'a' beside 'test', which has them"),
        (("val/a/1.png", "val/b/1.png", "test/a/1.png", "test/b/1.png"), "has 'test', 'validation' but no part train"),
        (
            ("train/a/1.png", "train/b/1.png", "val/a/1.png", "val/b/1.png", "valid/a/1.png", "valid/b/1.png"),
            "'val' and 'valid' are both the validation part",
        ),
        (("a/1.png", "b/1.heic"), r"class 'b': .* has no image \(but files ending in '\.heic'\)"),
    ],
    ids=range(9),
)
def test_folders_of_which_nobody_can_tell_are_refused(tmp_path, names, says):
    tree(tmp_path, *(name for name in names if not name.endswith("heic")))
    for name in names:
        if name.endswith("heic"):
            (tmp_path / name).parent.mkdir()
            (tmp_path / name).write_bytes(b"ftyp")
    with pytest.raises(ValueError, match=says):
        load_image_folder(tmp_path)


def test_what_is_no_picture_is_passed_over_and_said(tmp_path, caplog):
    tree(tmp_path, "train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png", "notes", "loose.png")
    for name in ("train/a/paper.pdf", "train/a/weights.h5", "train/b/list.txt", "notes/read.me", "train/a/fig.eps"):
        (tmp_path / name).write_bytes(b"%PDF")
    for name in (".DS_Store", "train/a/.DS_Store", "train/a/._1.png", "__MACOSX/train/a/._1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\0\5\x16\7")
    with caplog.at_level("INFO", "seqvision"):
        images = load_image_folder(tmp_path)
    assert len(images.data) == 4
    assert (
        "6 files are no pictures of a class and are passed over: 'loose.png', 'notes/read.me', 'train/a/fig.eps' and"
        in caplog.text
    )
    assert "4 hidden files are passed over" in caplog.text


def test_arguments_of_a_folder(tmp_path):
    tree(tmp_path, "a/1.png", "b/1.png")
    assert load_image_folder(tmp_path, size=4).data.x.shape == (2, 4, 4, 3)
    for options, says in [({"channels": 4}, "channels must be 1 .* got 4"), ({"size": (4, 4, 3)}, "size must be")]:
        with pytest.raises(ValueError, match=says):
            load_image_folder(tmp_path, **options)
