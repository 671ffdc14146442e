"""New pictures with a trained run: the form of training, names of files, what is said of each."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from seqvision.cli import main
from seqvision.data import PictureForm, load_image_folder
from seqvision.pipelines import ClassifyConfig, load_images, predict_images, predict_run, run_classify
from seqvision.reporting import RunFolder

COLORS = {"cat": (200, 60, 60), "dog": (60, 60, 200)}


def picture(path, color, size=(6, 5), seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng([seed, *map(ord, path.name)]).normal(0, 20, (size[0], size[1], 3))
    Image.fromarray(np.clip(color + noise, 0, 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    base = tmp_path_factory.mktemp("run")
    for name, color in COLORS.items():
        for number in range(20):
            picture(base / "pets" / name / f"{number}.png", color, size=(6, 5 + number % 2))
    config = ClassifyConfig(
        folder=str(base / "pets"),
        size=6,
        models=("linear", "mlp"),
        hidden=2,
        epochs=8,
        learning_rate=0.02,
        seeds=2,
        batch_size=8,
        out=str(base),
    )
    return run_classify(config, progress=False)


def test_a_test_picture_is_seen_as_the_test_saw_it(run):
    config = ClassifyConfig(folder=str(run.folder.parent / "pets"), size=6, seed=0)
    split = load_images(config)
    root = run.folder.parent / "pets"
    for pixels, name in zip(split.test.x, split.test_files, strict=True):
        read = split.form.read(root / name)
        np.testing.assert_array_equal(read.pixels, pixels)
        assert read.notes == ()
    found = predict_images(run.folder, [root / name for name in split.test_files]).table
    assert set(found["part"]) == {"test"}
    for model in ("linear", "mlp"):
        mine = found[found["model"] == f"{model} (mean of 2 seeds)"]
        z = np.exp(run.logits[model] - run.logits[model].max(axis=-1, keepdims=True))
        expected = (z / z.sum(axis=-1, keepdims=True)).mean(axis=0)
        np.testing.assert_allclose(mine[["probability of cat", "probability of dog"]], expected, rtol=1e-5)
        assert mine["class"].tolist() == [("cat", "dog")[k] for k in expected.argmax(axis=1)]
        np.testing.assert_allclose(mine["probability"], expected.max(axis=1), rtol=1e-5)
        assert (
            np.mean(mine["class"] == [name.split("/")[0] for name in mine["file"].str[len(str(root)) + 1 :]])
            == (run.card.scores.loc[f"{model} (mean of 2 seeds)", "accuracy"])
        )


def test_pictures_and_folders_become_a_table(run, tmp_path, capsys, caplog):
    new = picture(tmp_path / "new.png", COLORS["dog"])
    picture(tmp_path / "more" / "deep" / "10.png", COLORS["cat"])
    picture(tmp_path / "more" / "deep" / "2.png", COLORS["cat"])
    shutil.copy(run.folder.parent / "pets" / "cat" / "3.png", tmp_path / "more" / "copy.png")
    (tmp_path / "more" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "more" / "list.txt").write_text("no picture either")
    output = tmp_path / "not there yet" / "classes.csv"
    words = [str(run.folder), str(new), str(tmp_path / "more"), str(new), "--output", str(output), "--top", "2"]
    assert main(["predict", *words]) == 0
    out, _ = capsys.readouterr()
    table = pd.read_csv(output, keep_default_na=False)
    assert list(table.columns) == [
        "file",
        "model",
        "class",
        "probability",
        "probability of cat",
        "probability of dog",
        "right in test",
        "test rows",
        "verdict",
        "part",
        "note",
    ]
    assert len(table) == 2 * 5
    first = table[table["model"] == "linear (mean of 2 seeds)"].set_index("file")
    assert [name.rsplit("/")[-1] for name in first.index] == ["new.png", "broken.png", "copy.png", "2.png", "10.png"]
    assert first.loc[str(new), "class"] == "dog"
    told = {verdict.model: verdict.outcome for verdict in run.card.verdicts}
    assert set(first["verdict"]) == {told["linear (mean of 2 seeds)"]}
    place = RunFolder.open(run.folder).read_json("images.json")["files"]["cat/3.png"][1]
    assert first.loc[str(tmp_path / "more" / "copy.png"), "part"] == place
    broken = first.loc[str(tmp_path / "more" / "broken.png")]
    assert broken["class"] == broken["probability"] == ""
    assert broken["note"].startswith("not read: ")
    assert "is no picture or a damaged one" in broken["note"]
    passed_over, not_read = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert "1 of 5 pictures cannot be read" in not_read
    assert "1 file passed over, no pictures by name" in passed_over
    assert "5 pictures by linear (mean of 2 seeds)" in out
    assert "always saying cat" in out
    assert ", cat " in out  # the second of the dogs
    drawn = tmp_path / "classes.png"
    assert main(["predict", *words, "--json", "--plot", str(drawn)]) == 0
    with Image.open(drawn) as image:
        assert image.size[0] > 300
    document = json.loads(capsys.readouterr().out)
    assert main(["predict", *words[:-3], str(output.with_suffix(".json"))]) == 0
    assert json.loads(output.with_suffix(".json").read_text("utf-8")) == document
    assert document["predictions"][0]["file"] == str(new)
    assert document["predictions"][2]["probability"] is None


def test_when_so_sure_is_counted_on_the_test_rows(run):
    config = ClassifyConfig(folder=str(run.folder.parent / "pets"), size=6)
    root, files = run.folder.parent / "pets", load_images(config).test_files
    table = predict_images(run.folder, [root / name for name in files]).table
    table = table[table["model"] == "mlp (mean of 2 seeds)"]
    right = table["class"] == [name.split("/")[0] for name in files]
    band = np.ceil(table["probability"] * 10)
    for _, row in table.iterrows():
        same = band == np.ceil(row["probability"] * 10)
        assert (row["test rows"], row["right in test"]) == (same.sum(), pytest.approx(right[same].mean()))


def test_what_cannot_be_asked_is_refused(run, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"GIF89a")
    for words, says in [
        ([], "give at least one picture"),
        ([str(tmp_path / "none.png")], "there is no file or folder"),
        ([str(tmp_path / "empty")], "has no picture"),
        ([str(bad)], "bad.png is no picture or a damaged one"),
        ([str(tmp_path)], "none of 1 picture can be read"),
        ([str(bad), "--csv", "a.csv"], "is a run on images: it has no csv"),
        ([str(bad), "--steps", "3"], "is a run on images: it has no steps"),
        ([str(bad), "--top", "0"], "top must be"),
    ]:
        assert main(["predict", str(run.folder), *words]) == 2, words
        assert says in capsys.readouterr().err
    with pytest.raises(ValueError, match="give at least one picture"):
        predict_run(run.folder)


def test_a_picture_is_brought_to_the_form_and_what_was_done_is_said(tmp_path):
    rng = np.random.default_rng(0)
    colored = rng.random((3, 4, 4, 3)).astype(np.float32)
    gray = np.full((3, 4, 4, 3), 0.5, np.float32)
    path = tmp_path / "p.png"

    def notes(form, image):
        image.save(path)
        return " / ".join(form.read(path).notes)

    noise = Image.fromarray((255 * rng.random((4, 4, 3))).astype(np.uint8))
    shades = noise.convert("L")
    assert notes(PictureForm.of(colored), noise) == ""
    assert "is gray, and every training picture has colors" in notes(PictureForm.of(colored), shades)
    np.testing.assert_array_equal(
        PictureForm.of(colored).read(path).pixels, np.asarray(shades, np.float32)[..., None].repeat(3, -1) / 255
    )
    assert "has colors, and no training picture has" in notes(PictureForm.of(gray), noise)
    expected = np.asarray(shades, np.float32)[..., None] / 255
    np.testing.assert_array_equal(PictureForm.of(gray).read(path).pixels, expected.repeat(3, -1))
    np.testing.assert_array_equal(PictureForm.of(gray[..., :1]).read(path).pixels, expected)
    mixed = PictureForm.of(np.concatenate([colored, gray]))
    assert notes(mixed, noise) == notes(mixed, shades) == ""
    wide = noise.resize((8, 4))
    assert "resized from 4 x 8 pixels to 4 x 4; width / height 2.00 where training" in notes(mixed, wide)
    assert "all training pictures had that size" in notes(mixed, noise.resize((9, 9)))
    resized = PictureForm.of(np.concatenate([colored, gray]), [[4, 4]] * 3 + [[4, 8]] * 3)
    assert notes(resized, wide) == notes(resized, noise.resize((9, 9))) == ""
    assert "it looks distorted" in notes(resized, noise.resize((9, 4)))
    dark = PictureForm.of(gray[..., :1] * 0.4)
    assert "mean brightness 0.80 where training pictures had 0.20; its negative" in notes(
        dark, Image.fromarray(np.uint8([[194, 214] * 2] * 4))
    )
    assert notes(dark, Image.new("L", (4, 4), 51)) == "all of it is one shade"
    turned = Image.fromarray(np.arange(8, dtype=np.uint8).reshape(2, 4) * 30)
    exif = turned.getexif()
    exif[0x0112] = 6  # a quarter turn
    turned.save(path, exif=exif)
    upright = PictureForm(4, 2, 1, False, 0.0, (0.5, 0.5), (0.0, 1.0)).read(path)
    assert upright.notes == ()
    np.testing.assert_array_equal(upright.pixels[..., 0] * 255, np.rot90(np.asarray(turned, np.float32), -1))
    assert PictureForm.from_dict(json.loads(json.dumps(resized.to_dict()))) == resized


def test_whatever_is_trained_on_is_read_again_to_the_bit(tmp_path):
    """Files of every kind: deep, transparent, with palettes, turned by a camera, CMYK; and of another size."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    color, shades = Image.fromarray(pixels), Image.fromarray(rng.integers(0, 65536, (9, 7), dtype=np.uint16))
    files = {
        "deep.png": shades,
        "deep.tif": shades,
        "palette.png": color.quantize(16),
        "cmyk.jpg": color.convert("CMYK"),
    }
    files |= {"clear.png": color.convert("RGBA"), "plain.bmp": color, "gray.jpg": color.convert("L")}
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for file, image in files.items():
            image.save(tmp_path / "pets" / name / file)
        exif = color.getexif()
        exif[0x0112] = 6
        color.save(tmp_path / "pets" / name / "turned.jpg", exif=exif)
    for root, size in ((tmp_path / "pets", 6), (tmp_path / "pets", 20)):
        images = load_image_folder(root, size=size)
        form = PictureForm.of(images.data.x, images.sizes)
        assert (form.resized, form.aspects) == (True, (7 / 9, 9 / 7))
        for path, x in zip(images.paths, images.data.x, strict=True):
            np.testing.assert_array_equal(form.read(path).pixels, x, err_msg=str(path))


def test_a_colored_picture_beside_gray_ones_is_judged_as_it_is_predicted(tmp_path, caplog):
    for part, color in (("train", None), ("test", COLORS["cat"])):
        for name, level in (("dark", 60), ("light", 190)):
            for number in range(3):
                picture(tmp_path / "pets" / part / name / f"{number}.png", color or (level, level, level))
                if color is None:
                    path = tmp_path / "pets" / part / name / f"{number}.png"
                    Image.open(path).convert("L").save(path)
    split = load_images(ClassifyConfig(folder=str(tmp_path / "pets")))
    assert "6 pictures of the test part have colors, and no training picture has" in caplog.text
    for name, x in zip(split.test_files, split.test.x, strict=True):
        read = split.form.read(tmp_path / "pets" / name)
        assert read.notes[0].startswith("has colors, and no training picture has")
        np.testing.assert_array_equal(read.pixels, x)


def test_hostile_names_and_pictures(run, tmp_path, monkeypatch, capsys, caplog):
    folder = tmp_path / "odd"
    names = [
        "a\nb.png",
        "=1+1.png",
        "ng\u00e0y \U0001f600.png",
        b"\xff.png".decode("utf-8", "surrogateescape"),
        "x" * 200 + ".png",
    ]
    for name in names:
        picture(folder / "n.png", COLORS["dog"]).rename(folder / name)
    (folder / "loop").symlink_to(folder)
    (folder / ".hidden.png").write_bytes(b"")
    Image.new("1", (5000, 5000)).save(folder / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    output = tmp_path / "odd.csv"
    assert main(["predict", str(run.folder), str(folder), "--output", str(output)]) == 0
    out = capsys.readouterr().out
    assert "a\ufffdb.png" in out
    assert "passed over" not in caplog.text
    table = pd.read_csv(output, keep_default_na=False)
    table = table[table["model"] == "linear (mean of 2 seeds)"]
    assert len(table) == len(names) + 1
    assert set(table["file"].str.removeprefix(f"{folder}/")) == {
        "bomb.png",
        "\\xff.png",
        *(n for n in names if "\udcff" not in n),
    }
    bomb = table[table["file"].str.endswith("bomb.png")].iloc[0]
    assert bomb["class"] == ""
    assert "bomb.png has too many pixels" in bomb["note"]
    assert main(["predict", str(run.folder), str(folder / "bomb.png")]) == 2
