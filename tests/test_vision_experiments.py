"""The experiments with LeNet-5, a detector and a generator, in a small setting; their claims at full size are slow."""

from pathlib import Path

import numpy as np
import pytest

from tests.test_experiments import file_or_skip, run


@pytest.mark.slow
def test_lenet_digits(capsys):
    result = run("lenet_digits", data="digits", limit=800, epochs=4, seeds=2, forms=("original",))
    assert result["parameters"] == {"original": 60_000}
    scores = result["scores"]["scores"]
    assert list(scores) == ["original", "original (mean of 2 seeds)", "commonest class"]
    assert 0.5 < scores["original"]["accuracy"] <= 1
    assert scores["original"]["seeds"] == 2
    assert 0.8 < result["logistic_regression"] < 1
    assert "commonest class" in capsys.readouterr().out


def test_detect_shapes(tmp_path, capsys):
    small = {"scenes": 64, "test": 20, "channels": (4, 8, 8), "epochs": 2, "seeds": 2}
    result = run("detect_shapes", data="digits", **small, out=str(tmp_path))
    naive = ["connected pixels, nearest digit", "mean box, commonest digit"]
    assert list(result["scores"]) == ["detector", *naive]
    assert all(0 <= row["map"] <= 1 and 0 <= row["recall"] <= 1 for row in result["scores"].values())
    assert result["scores"]["detector"]["seeds"] == 2
    assert result["scores"][naive[0]]["map"] > 0.3 > result["scores"][naive[1]]["map"]
    assert (Path(result["folder"]) / "scenes.png").stat().st_size > 1000
    assert "mAP at .5" in capsys.readouterr().out


@pytest.mark.slow
def test_gan_digits(tmp_path):
    file_or_skip("mnist", "train-images-idx3-ubyte.gz")
    small = {"channels": (4, 4), "limit": 320, "epochs": 2, "samples": 64, "judge_epochs": 1}
    result = run("gan_digits", **small, out=str(tmp_path))
    assert list(result["scores"]) == [
        "made, seed 0",
        "real training images",
        "independent pixels",
        "white noise",
    ]
    for row in [*result["scores"].values(), *result["epochs"][0]]:
        assert 0.1 < row["confidence"] <= 1
        assert 1 <= row["inception_score"] <= 10
        assert 0 <= row["class_distance"] <= 1
        assert row["frechet_distance"] >= 0
    real, noise = (result["scores"][name]["frechet_distance"] for name in ("real training images", "white noise"))
    assert real < noise
    assert (Path(result["folder"]) / "samples.png").stat().st_size > 1000


@pytest.mark.optimized
@pytest.mark.slow
def test_cifar_record(tmp_path):
    file_or_skip("cifar10", "test.bin.gz")
    small = {"channels": (4, 4, 4), "limit": 640, "epochs": 2, "batch_size": 64, "seeds": 2}
    result = run("cifar_record", **small, out=str(tmp_path))
    assert list(result["scores"]["scores"]) == ["whitened", "whitened (mean of 2 seeds)", "commonest class"]
    assert result["scores"]["scores"]["whitened"]["seeds"] == len(result["seconds"]) == 2
    assert np.shape(result["loss"]) == (2, 2)
    assert np.isfinite(result["loss"]).all()


@pytest.mark.slow
def test_every_form_of_lenet_reads_mnist():
    file_or_skip("mnist", "train-images-idx3-ubyte.gz")
    result = run("lenet_digits", seeds=1)
    for form in ("original", "partial", "dense"):
        assert result["scores"]["scores"][form]["accuracy"] > max(0.97, result["logistic_regression"])


@pytest.mark.slow
def test_the_detector_beats_connected_pixels(tmp_path):
    file_or_skip("mnist", "train-images-idx3-ubyte.gz")
    scores = run("detect_shapes", seeds=1, out=str(tmp_path))["scores"]
    assert scores["detector"]["map"] > 0.85
    assert scores["detector"]["map"] > scores["mean box, commonest digit"]["map"]


@pytest.mark.slow
def test_made_digits_are_nearer_to_real_ones_than_noise(tmp_path):
    file_or_skip("mnist", "train-images-idx3-ubyte.gz")
    scores = run("gan_digits", out=str(tmp_path))["scores"]
    distances = {name: row["frechet_distance"] for name, row in scores.items()}
    assert distances["real training images"] < distances["made, seed 0"] < distances["independent pixels"] / 2
