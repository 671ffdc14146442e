"""A threshold is chosen on validation rows alone, kept, judged on test rows, and used on new pictures."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import metrics as sk

from seqvision.cli import main
from seqvision.metrics import softmax
from seqvision.pipelines import (
    ClassifyConfig,
    describe_classify,
    evaluate_run,
    load_images,
    predict_images,
    run_classify,
)
from seqvision.pipelines.classification.run import restore_classifiers
from seqvision.reporting import RunFolder
from seqvision.training import predict

ROW = "linear (mean of 2 seeds, threshold)"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    base, rng = tmp_path_factory.mktemp("run"), np.random.default_rng(0)
    for name, count, level in (("usual", 80, 120), ("rare", 24, 128)):
        (base / "pets" / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.clip(level + rng.normal(0, 8) + rng.normal(0, 20, (4, 4)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(base / "pets" / name / f"{number}.png")
    return run_classify(ClassifyConfig(out=str(base), **settings(base)), progress=False)


def settings(base):
    return {
        "folder": str(base / "pets"),
        "models": ("linear",),
        "epochs": 4,
        "seeds": 2,
        "learning_rate": 0.02,
        "validation": 0.3,
        "test": 0.3,
        "threshold_for": "f1",
        "positive": "rare",
        "class_weights": "balanced",
    }


def test_it_is_chosen_on_validation_rows_and_judged_on_test_rows(run):
    base = run.folder.parent
    config = ClassifyConfig(**settings(base))
    split = load_images(config)
    assert split.classes == ("rare", "usual")
    states = restore_classifiers(RunFolder.open(run.folder), config, split.form, 2)["linear"]

    def of_rare(data):
        return np.mean([softmax(predict(state, data))[:, 0] for state in states], axis=0)

    threshold = run.card.thresholds[ROW]
    truth, p = np.asarray(split.validation.y) == 0, of_rare(split.validation)
    scores = [sk.f1_score(truth, p >= cut) for cut in p]
    assert sk.f1_score(truth, p >= threshold.value) == pytest.approx(max(scores))
    assert (threshold.reached, threshold.rows) == (pytest.approx(max(scores)), len(truth))
    said = np.where(of_rare(split.test) >= threshold.value, 0, 1)
    labels, row = np.asarray(split.test.y), run.card.scores.loc[ROW]
    assert (row["kind"], row["seeds"]) == ("threshold", 2)
    assert row["accuracy"] == np.mean(said == labels)
    assert row["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(labels, said))
    assert row["f1"] == pytest.approx(sk.f1_score(labels, said, average="macro"))
    plain = run.card.scores.loc["linear (mean of 2 seeds)"]
    assert (row["log_loss"], row["roc_area"]) == (plain["log_loss"], plain["roc_area"])
    np.testing.assert_array_equal(run.card.confusion[ROW], sk.confusion_matrix(labels, said))
    assert list(run.card.delivered()) == [ROW]
    text = " ".join(run.text.split())
    assert f"{ROW}: says rare from a probability of {threshold.value:.4g} on, chosen on {len(truth)} validation" in text
    assert "mean of 2 seeds, by a threshold chosen on validation rows: what is used in the end" in text
    assert text.count("what is used in the end") == 1
    table = pd.read_csv(run.folder / "predictions.csv")
    np.testing.assert_array_equal(table[ROW], said)


def test_what_was_judged_is_what_predicts_and_is_evaluated(run, capsys):
    base = run.folder.parent
    again = evaluate_run(run.folder)
    assert again.card.thresholds[ROW] == run.card.thresholds[ROW]
    pd.testing.assert_frame_equal(again.card.scores, run.card.scores, rtol=1e-5)
    table = pd.read_csv(run.folder / "predictions.csv")
    found = predict_images(run.folder, [base / "pets" / name for name in table["file"]])
    assert set(found.table["model"]) == {ROW}
    assert found.table["class"].tolist() == [("rare", "usual")[k] for k in table[ROW]]
    named = [found.table[f"probability of {one}"][k] for k, one in enumerate(found.table["class"])]
    np.testing.assert_allclose(found.table["probability"], named)
    assert found.notes[0].startswith(f"{ROW} says rare from a probability of ")
    mistakes = pd.read_csv(run.folder / "mistakes.csv")
    assert set(mistakes["file"]) == set(table["file"][table[ROW] != table["truth"]])
    assert main(["predict", str(run.folder), str(base / "pets" / "rare" / "0.png")]) == 0
    assert f"1 picture by {ROW}" in capsys.readouterr().out


def test_what_cannot_be_chosen_is_refused_before_training(run):
    base = run.folder.parent
    for changed, says in [
        ({"validation": 0.0}, r"needs validation rows .*: say validation=0\.1 \(--validation 0\.1\)"),
        ({"positive": "cat"}, "positive='cat' is none of the classes rare, usual"),
        ({"threshold_for": None}, "positive is for a threshold"),
        ({"threshold_for": "accuracy"}, "threshold_for: a threshold is for f1"),
        ({"folder": None}, "is for two classes, and there are 10"),
        ({"validation": 0.02, "limit": 60}, "needs validation rows of both classes, and of rare there is none"),
    ]:
        with pytest.raises(ValueError, match=says):
            run_classify(ClassifyConfig(out=str(base / "none"), **(settings(base) | changed)), progress=False)
    assert not (base / "none").exists()
    with pytest.raises(ValueError, match="needs validation rows"):
        describe_classify(ClassifyConfig(**(settings(base) | {"validation": 0.0})))
