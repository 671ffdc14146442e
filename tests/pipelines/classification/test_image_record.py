"""A run on images is judged again on its own images alone; the parts of a folder are its parts in the pipeline."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from seqvision.cli import main
from seqvision.data import Arrays
from seqvision.pipelines import ClassifyConfig, describe_classify, evaluate_run, load_images, run_classify
from seqvision.pipelines.classification import image_record
from seqvision.pipelines.named_training import build_class_loss
from seqvision.reporting import RunFolder

COLORS = {"cat": (200, 60, 60), "dog": (60, 60, 200)}


def pictures(root, name, numbers, seed=0):
    rng = np.random.default_rng([seed, *map(ord, name)])
    (root / name).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        pixels = np.clip(COLORS[name.rsplit("/")[-1]] + rng.normal(0, 20, (6, 5, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{number}.png")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    base = tmp_path_factory.mktemp("run")
    for name in COLORS:
        pictures(base / "pets", name, range(10))
    settings = {"folder": str(base / "pets"), "models": ("linear",), "epochs": 1, "seeds": 1, "batch_size": 8}
    return base / "pets", run_classify(ClassifyConfig(out=str(base), **settings), progress=False)


def refuse(run, says, capsys):
    with pytest.raises(ValueError, match=says):
        evaluate_run(run.folder)
    assert main(["evaluate", str(run.folder)]) == 2
    assert "is not what" in capsys.readouterr().err


def test_a_run_is_refused_other_images_than_its_own(run, capsys):
    folder, run = run
    again = evaluate_run(run.folder).card.scores
    pd.testing.assert_frame_equal(again, run.card.scores, rtol=1e-5)
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}

    pictures(folder, "cat", ["new"])
    refuse(run, r"1 pictures were added \(cat/new\.png\); bring it back .* or train a new run", capsys)
    (folder / "cat" / "new.png").unlink()

    (folder / "dog" / "3.png").unlink()
    refuse(run, r"1 pictures were removed \(dog/3\.png\)", capsys)

    (folder / "dog" / "3.png").write_bytes(before[folder / "dog" / "4.png"])
    refuse(run, r"1 pictures have another content \(dog/3\.png\)", capsys)
    (folder / "dog" / "3.png").write_bytes(before[folder / "dog" / "3.png"])

    (folder / "cat").rename(folder / "zebra")
    refuse(run, r"its classes were cat, dog and are dog, zebra", capsys)
    (folder / "zebra").rename(folder / "cat")

    (folder / "cat").rename(folder / "swap")
    (folder / "dog").rename(folder / "cat")
    (folder / "swap").rename(folder / "dog")
    refuse(run, r"20 pictures have another content", capsys)
    (folder / "cat").rename(folder / "swap")
    (folder / "dog").rename(folder / "cat")
    (folder / "swap").rename(folder / "dog")

    shutil.copytree(folder / "dog", folder / "cow")
    refuse(run, r"its classes were cat, dog and are cat, cow, dog", capsys)
    shutil.rmtree(folder / "cow")

    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == before
    pd.testing.assert_frame_equal(evaluate_run(run.folder).card.scores, again)


def test_images_that_have_moved_are_found_where_one_says(run, capsys):
    folder, run = run
    moved = folder.rename(folder.with_name("moved"))
    try:
        with pytest.raises(FileNotFoundError, match=r"are not at .*pets: say with folder where they are now"):
            evaluate_run(run.folder)
        again = evaluate_run(run.folder, folder=str(moved)).card.scores
        pd.testing.assert_frame_equal(again, run.card.scores, rtol=1e-5)
        assert main(["evaluate", str(run.folder), "--folder", str(moved)]) == 0
        capsys.readouterr()
    finally:
        moved.rename(folder)


def test_no_test_row_was_trained_on(run):
    _, run = run
    record = RunFolder.open(run.folder).read_json("images.json")
    places = [place for _, place in record["files"].values()]
    assert (places.count("train"), places.count("test"), len(places)) == (16, 4, 20)


def test_rows_of_a_data_set_are_kept_too():
    config = ClassifyConfig(limit=50, validation=0.2)
    split = load_images(config)
    image_record.check_record(split.record, load_images(config).record, "digits", "run")
    other = Arrays(np.asarray(split.test.x)[::-1].copy(), np.asarray(split.test.y)[::-1].copy())
    now = image_record.record_arrays(
        split.classes, {"train": split.train, "validation": split.validation, "test": other}
    )
    with pytest.raises(ValueError, match="digits is not what run was trained on: its rows are in other parts"):
        image_record.check_record(split.record, now, "digits", "run")
    for damaged in ([], {"classes": 3}, {"classes": split.record["classes"], "parts": None}):
        with pytest.raises(ValueError, match="run"):
            image_record.check_record(damaged, split.record, "digits", "run")


@pytest.fixture
def parted(tmp_path):
    for part, numbers in {"Train": range(6), "valid": range(2), "TEST": range(3)}.items():
        for name in COLORS:
            pictures(tmp_path / "pets", f"{part}/{name}", numbers)
    return tmp_path / "pets"


def test_the_parts_of_a_folder_are_the_parts_of_the_run(parted, capsys):
    config = ClassifyConfig(folder=str(parted), models=("linear",))
    split = load_images(config)
    assert split.classes == ("cat", "dog")
    assert [part.y.tolist() for part in (split.train, split.validation, split.test)] == [
        [0] * 6 + [1] * 6,
        [0, 0, 1, 1],
        [0] * 3 + [1] * 3,
    ]
    expected = np.asarray(Image.open(parted / "TEST" / "dog" / "2.png"), np.float32) / 255
    np.testing.assert_allclose(split.test.x[-1], expected, rtol=1e-6)
    assert describe_classify(config).examples == {"train": 12, "validation": 4, "test": 6}
    assert main(["train", "classify", "--folder", str(parted), "--dry-run", "--models", "linear"]) == 0
    assert "12 images of 6 x 5 x 3 to train, 4 to validate, 6 to test" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"has a validation part: leave out validation=0\.2"):
        load_images(ClassifyConfig(folder=str(parted), validation=0.2))
    limited = load_images(ClassifyConfig(folder=str(parted), limit=5))
    assert (len(limited.train), len(limited.test)) == (5, 6)


def test_a_folder_without_a_test_part_holds_rows_out_and_says_so(parted, caplog):
    shutil.rmtree(parted / "TEST")
    with caplog.at_level("INFO", "seqvision"):
        split = load_images(ClassifyConfig(folder=str(parted), test=0.5))
    assert (len(split.train), len(split.validation), len(split.test)) == (6, 4, 6)
    assert "has no test part: test=0.5 of its training part is held out at random" in caplog.text


def test_pictures_that_are_in_two_parts_are_told(parted, caplog):
    shutil.copy(parted / "Train" / "cat" / "1.png", parted / "TEST" / "cat" / "2.png")
    load_images(ClassifyConfig(folder=str(parted)))
    assert (
        "1 of 6 test pictures are training pictures too, which flatters: TEST/cat/2.png = Train/cat/1.png"
        in caplog.text
    )


def test_another_folder_is_judged_on(tmp_path, capsys):
    for name in COLORS:
        pictures(tmp_path / "pets", name, range(10))
        pictures(tmp_path / "pets_test", name, range(3), seed=1)
    settings = {"folder": str(tmp_path / "pets"), "models": ("linear",), "epochs": 1, "seeds": 1}
    config = ClassifyConfig(out=str(tmp_path), test_folder=str(tmp_path / "pets_test"), **settings)
    split = load_images(config)
    assert (len(split.train), len(split.test)) == (20, 6)
    assert split.test_files == ("cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png", "dog/2.png")
    expected = np.asarray(Image.open(tmp_path / "pets_test" / "dog" / "2.png"), np.float32) / 255
    np.testing.assert_allclose(split.test.x[-1], expected, rtol=1e-6)
    run = run_classify(config, progress=False)
    assert f"20 images of 6 x 5 x 3 to train, 6 of {tmp_path / 'pets_test'} to test" in run.text
    assert pd.read_csv(run.folder / "predictions.csv")["file"].tolist() == list(split.test_files)
    again = evaluate_run(run.folder).card.scores
    pd.testing.assert_frame_equal(again, run.card.scores, rtol=1e-5)
    moved = (tmp_path / "pets_test").rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError, match="say with test_folder where they are now"):
        evaluate_run(run.folder)
    assert main(["evaluate", str(run.folder), "--test-folder", str(moved)]) == 0
    pictures(moved, "cat", ["new"])
    with pytest.raises(ValueError, match=r"1 pictures were added \(test folder: cat/new\.png\)"):
        evaluate_run(run.folder, test_folder=str(moved))
    capsys.readouterr()

    def refused(says, **changed):
        with pytest.raises(ValueError, match=says):
            load_images(ClassifyConfig(**(settings | {"test_folder": str(moved)} | changed)))

    refused("is the folder that is trained on", test_folder=str(tmp_path / "pets"))
    refused("give folder too", folder=None)
    shutil.copytree(moved, tmp_path / "parts" / "train")
    shutil.copytree(moved, tmp_path / "parts" / "test")
    refused("has parts itself, train, test: give the folder of one", test_folder=str(tmp_path / "parts"))
    refused("has a test part: leave out test_folder", folder=str(tmp_path / "parts"))
    (moved / "dog").rename(moved / "wolf")
    refused("must have the classes of .*: missing in it dog, only in it wolf")
    small = tmp_path / "small"
    for name in COLORS:
        (small / name).mkdir(parents=True)
        Image.new("RGB", (3, 4)).save(small / name / "1.png")
    refused("are 6 x 5 pixels, those of test_folder=.*small 4 x 3: say size=6", test_folder=str(small))
    assert len(load_images(ClassifyConfig(**settings, test_folder=str(small), size=5)).test) == 2


def test_rare_classes_weigh_as_much_as_common_ones(tmp_path):
    for name, count in {"cat": 12, "dog": 3}.items():
        pictures(tmp_path / "pets", name, range(count))
    split = load_images(config := ClassifyConfig(folder=str(tmp_path / "pets"), class_weights="balanced"))
    counts = np.bincount(split.train.y)
    loss = build_class_loss(config, np.asarray(split.train.y), 2)
    np.testing.assert_allclose(loss.weights, counts.sum() / (2 * counts))
    assert build_class_loss(ClassifyConfig(), np.asarray(split.train.y), 2).__name__ == "cross_entropy"
    with pytest.raises(ValueError, match="class_weights must be one of 'none', 'balanced'"):
        ClassifyConfig(class_weights="even")
