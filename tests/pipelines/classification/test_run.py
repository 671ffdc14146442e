import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from seqvision.data import find_file
from seqvision.pipelines import (
    ClassifyConfig,
    describe_classify,
    evaluate_classify,
    evaluate_run,
    predict_forecast,
    report_run,
    run_classify,
)
from seqvision.reporting import RunFolder

SMALL = {
    "models": ("convnet", "linear"),
    "hidden": 16,
    "epochs": 4,
    "seeds": 2,
    "limit": 400,
    "validation": 0.2,
    "learning_rate": 0.01,
}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return run_classify(ClassifyConfig(out=str(tmp_path_factory.mktemp("runs")), **SMALL), progress=False)


def test_the_folder_holds_everything(result):
    folder = RunFolder.open(result.folder)
    names = {path.name for path in folder.path.iterdir()}
    assert {"config.json", "environment.json", "metrics.jsonl", "models", "predictions.csv"} < names
    for model in ("convnet", "linear"):
        assert {f"confusion-{model}.png", f"confusion-{model}.csv", f"misclassified-{model}.png"} < names
    insight = {f"{kind}-convnet.png" for kind in ("filters", "features", "attention", "wanted")}
    assert insight | {"losses.png", "reliability.png"} < names
    assert "filters-linear.png" not in names  # it has no convolution
    assert folder.status == "done"
    assert set(folder.read_metrics()[0]) == {"model", "seed", "epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
    json.dumps(folder.read_json("summary.json"), allow_nan=False)


def test_pictures_are_drawn_again_from_the_folder_alone(result, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(result.folder, copy)
    drawn = {path.name: path.read_bytes() for path in copy.glob("*.png")}
    for name in drawn:
        (copy / name).unlink()
    report_run(copy, plots=True)
    again = {path.name: path.read_bytes() for path in copy.glob("*.png")}
    assert again.keys() == drawn.keys()
    assert {name for name in drawn if again[name] != drawn[name]} <= {"wanted-convnet.png"}


def test_the_card_counts_what_was_predicted(result):
    table = pd.read_csv(result.folder / "predictions.csv")
    card = result.card
    assert card.rows == len(table) == 359
    shares = [np.mean(table[f"linear, seed {s}"] == table["truth"]) for s in range(2)]
    assert card.scores.loc["linear", "accuracy"] == pytest.approx(np.mean(shares))
    assert card.scores.loc["linear", "accuracy"] > 0.5
    # What is used in the end is the mean of the probabilities: tables and pictures are about that row of the card.
    name = "linear (mean of 2 seeds)"
    assert list(table.columns)[2:4] == ["convnet (mean of 2 seeds)", name]
    assert card.scores.loc[name, "accuracy"] == np.mean(table[name] == table["truth"])
    counts = pd.read_csv(result.folder / "confusion-linear.csv", index_col=0)
    np.testing.assert_array_equal(counts, card.confusion[name])
    assert np.trace(counts) == np.sum(table[name] == table["truth"])
    mistakes = pd.read_csv(result.folder / "mistakes.csv", dtype={"true class": str})
    wrong = mistakes[mistakes["model"] == name]
    assert set(wrong["row"]) == set(np.flatnonzero(table[name] != table["truth"]))
    assert wrong["true class"].tolist() == table["truth"][wrong["row"]].astype(str).tolist()
    assert (wrong["probability"].diff().dropna() <= 0).all()
    assert "file" not in mistakes
    for text in (
        f"{name}: hardest class",
        f"{name}: makes ",
        "its seeds alone: skill",
        "mean of 2 seeds: what is used",
    ):
        assert text in " ".join(result.text.split())


def test_evaluate_gives_the_same_card(result):
    again = evaluate_classify(result.folder)
    pd.testing.assert_frame_equal(again.card.scores, result.card.scores, rtol=1e-5)
    assert evaluate_run(result.folder).text == again.text
    with pytest.raises(ValueError, match="it has no csv"):
        evaluate_run(result.folder, "prices.csv")


def test_a_folder_of_images_is_learned_and_read_again(tmp_path):
    rng = np.random.default_rng(0)
    for name, color in {"red": (255, 0, 0), "blue": (0, 0, 255), "green": (0, 255, 0)}.items():
        (tmp_path / "images" / name).mkdir(parents=True)
        for n in range(20):
            pixels = np.clip(np.array(color) * 0.6 + rng.normal(40, 30, (10, 12, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{n}.png")
    config = ClassifyConfig(
        folder=str(tmp_path / "images"), size=9, models=("linear",), epochs=20, seeds=1, out=str(tmp_path), test=0.25
    )
    result = run_classify(config, progress=False)
    assert result.card.class_names == ("blue", "green", "red")
    assert "images: 45 images of 9 x 9 x 3 to train, 15 to test" in result.text
    assert result.card.scores.loc["linear", "accuracy"] > 0.9
    assert list(pd.read_csv(result.folder / "predictions.csv").columns) == ["row", "file", "truth", "linear"]
    assert "seeds" not in result.text
    again = evaluate_run(result.folder).card.scores
    pd.testing.assert_frame_equal(again, result.card.scores, rtol=1e-5)


@pytest.mark.slow
def test_cifar10_is_a_data_set():
    try:
        find_file("cifar10", "test.bin.gz")
    except FileNotFoundError as error:
        pytest.skip(str(error))
    described = describe_classify(ClassifyConfig(data="cifar10", limit=200))
    assert described.models["convnet"].input == (32, 32, 3)
    assert described.examples == {"train": 200, "test": 10_000}


def test_predict_is_for_forecasts(result):
    with pytest.raises(ValueError, match="is a run on images"):
        predict_forecast(result.folder)


def test_a_description_computes_nothing(tmp_path):
    described = describe_classify(ClassifyConfig(models=("mlp", "gru"), hidden=8, out=str(tmp_path / "none")))
    assert described.models["mlp"].parameters == 64 * 8 + 8 + 8 * 10 + 10
    assert described.models["gru"].input == (8, 8, 1)
    assert described.examples == {"train": 1438, "test": 359}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"models": ("resnet",)}, "'resnet' is unknown"),
        ({"test": 1.0}, "test must be a number >= 0 and < 1"),
        ({"limit": 0}, "limit must be"),
        ({"size": 32}, "size is for the images of a folder"),
        ({"folder": "images", "size": 0}, "size must be"),
        ({"seed": 2**32}, "seed must be"),
    ],
)
def test_configurations_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ClassifyConfig(**settings)


@pytest.mark.slow
@pytest.mark.optimized
def test_digits_reach_what_the_default_promises(tmp_path):
    card = run_classify(ClassifyConfig(out=str(tmp_path))).card
    assert card.scores.loc["convnet", "accuracy"] >= 0.98
