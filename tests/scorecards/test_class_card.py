import json

import numpy as np
import pytest
from sklearn import metrics as sk

from seqvision import metrics
from seqvision.scorecards import ClassifierScores, ClassThreshold, score_classes

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 200)
LOGITS = RNG.normal(size=(200, 4)) + 1.5 * np.eye(4)[LABELS]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: score_classes(LABELS, logits={}, training_labels=LABELS), ValueError, "at least one model"),
        (lambda: score_classes(LABELS, logits={"m": LOGITS[:, 0]}, training_labels=LABELS), ValueError, "C >= 2"),
        (
            lambda: score_classes(LABELS, logits={"commonest class": LOGITS}, training_labels=LABELS),
            ValueError,
            "taken by rows of the card",
        ),
        (
            lambda: score_classes(LABELS, logits={"m": LOGITS}, training_labels=LABELS, class_names="ab"),
            ValueError,
            "2 names for 4",
        ),
    ],
)
def test_errors_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_card_equals_scikit_learn():
    card = score_classes(LABELS, logits={"net": LOGITS}, training_labels=[1, 1, 0, 2, 3], class_names="abcd")
    predicted = LOGITS.argmax(axis=1)
    precision, recall, f1, support = sk.precision_recall_fscore_support(LABELS, predicted)
    table = card.per_class["net"]
    for name, values in {"precision": precision, "recall": recall, "f1": f1, "rows": support}.items():
        np.testing.assert_allclose(table[name], values)
    assert list(table.index) == list("abcd")
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    assert tuple(card.scores.columns) == ClassifierScores._fields
    row = card.scores.loc["net"]
    assert row["f1"] == pytest.approx(sk.f1_score(LABELS, predicted, average="macro"))
    assert row["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(LABELS, predicted))
    assert row["roc_area"] == pytest.approx(sk.roc_auc_score(LABELS, p, multi_class="ovr"))
    assert row["calibration_error"] == metrics.reliability(predicted == LABELS, confidence=p.max(axis=1)).error
    member = np.eye(4)[LABELS]
    np.testing.assert_allclose(table["average_precision"], sk.average_precision_score(member, p, average=None))
    naive = card.scores.loc["commonest class"]
    assert naive["accuracy"] == np.mean(LABELS == 1)
    assert naive["roc_area"] == 0.5
    assert naive["balanced_accuracy"] == 0.25
    assert naive["calibration_error"] == pytest.approx(abs(0.4 - np.mean(LABELS == 1)))
    frequencies = np.tile([0.2, 0.4, 0.2, 0.2], (200, 1))
    assert naive["log_loss"] == pytest.approx(sk.log_loss(LABELS, frequencies))
    assert "fewer errors than always saying b" in card.text()
    assert max(len(line) for line in card.text().splitlines()) <= 110
    json.dumps(card.to_dict(), allow_nan=False)


def test_a_test_set_of_one_class_is_scored_without_areas():
    card = score_classes([1, 1], logits={"net": [[0.0, 1.0], [1.0, 0.0]]}, training_labels=[0, 1])
    assert card.scores.loc["net", "accuracy"] == 0.5
    assert np.isnan(card.scores["roc_area"]).all()
    json.dumps(card.to_dict(), allow_nan=False)


def test_seeds_widen_the_table_and_not_the_evidence():
    seeds = np.stack([LOGITS, RNG.normal(size=LOGITS.shape)])
    card = score_classes(LABELS, logits={"net": seeds}, training_labels=LABELS)
    shares = [np.mean(seed.argmax(axis=1) == LABELS) for seed in seeds]
    row = card.scores.loc["net"]
    assert row["accuracy"] == pytest.approx(np.mean(shares))
    assert row["accuracy_std"] == pytest.approx(np.std(shares, ddof=1))
    one = metrics.wilson_interval(np.mean(shares) * 200, 200)
    assert (row["accuracy_low"], row["accuracy_high"]) == pytest.approx((one.low, one.high))
    assert card.confusion["net"].sum() == 400
    # What is used in the end, the mean of the probabilities, is a row of its own.
    name = "net (mean of 2 seeds)"
    assert list(card.scores.index) == ["net", name, "commonest class"]
    p = np.mean(np.exp(seeds) / np.exp(seeds).sum(axis=-1, keepdims=True), axis=0)
    row = card.scores.loc[name]
    assert (row["kind"], row["seeds"]) == ("mean of seeds", 2)
    assert row["accuracy"] == np.mean(p.argmax(axis=1) == LABELS)
    assert row["log_loss"] == pytest.approx(sk.log_loss(LABELS, p))
    assert row["roc_area"] == pytest.approx(sk.roc_auc_score(LABELS, p, multi_class="ovr"))
    assert np.isnan(row["accuracy_std"])
    np.testing.assert_array_equal(card.confusion[name], sk.confusion_matrix(LABELS, p.argmax(axis=1)))
    assert card.per_class[name]["rows"].sum() == 200
    assert list(card.delivered()) == [name]
    text = card.text()
    assert f"{name}: makes " in text
    assert "its seeds alone: skill" in " ".join(text.split())
    assert text.index("mean of 2 seeds: what is used") < text.index("single seeds: mean ± spread over 2 seeds")


def test_a_seed_that_is_surely_wrong_does_not_make_the_mean_infinite():
    sure = np.array([[[2000.0, 0.0]], [[0.0, 0.0]]])
    card = score_classes([1], logits={"net": sure}, training_labels=[0, 1])
    assert card.scores.loc["net (mean of 2 seeds)", "log_loss"] == pytest.approx(np.log(4))


def test_a_class_without_test_rows_is_told_and_not_the_hardest():
    card = score_classes([0, 0, 1], logits={"net": np.eye(3)[[0, 1, 1]]}, training_labels=[0, 1, 2])
    assert "1 class has no test row" in card.text()
    assert "net: hardest class 0, 50.0 % of its 2 rows found" in card.text()
    assert card.text().startswith("3 test rows, 3 classes")
    one = score_classes([1], logits={"net": [[0.0, 1.0]]}, training_labels=[0, 1]).text()
    assert one.startswith("1 test row, 2 classes")
    assert "of its 1 row found" in one
    assert "nan" not in one


def test_no_skill_is_said():
    always = np.tile([0.0, 1.0, 0.0, 0.0], (200, 1))
    guess = np.random.default_rng(1).normal(size=LOGITS.shape)
    card = score_classes(LABELS, logits={"lazy": always, "net": LOGITS, "coin": guess}, training_labels=[1])
    assert "lazy: no skill over always saying 1" in card.verdicts[0].text
    assert "fewer errors" in card.verdicts[1].text
    assert "skill" in card.verdicts[2].text
    assert [verdict.outcome for verdict in card.verdicts[:2]] == ["no skill", "skill"]
    assert {(verdict.mode, verdict.reference) for verdict in card.verdicts} == {("classes", "commonest class")}
    assert [verdict["model"] for verdict in card.to_dict()["verdicts"]] == ["lazy", "net", "coin"]
    assert card.confusion["lazy"][:, 1].sum() == 200
    assert (card.per_class["lazy"]["precision"][["0", "2", "3"]] == 0).all()


def test_rare_classes_are_judged_by_the_balanced_accuracy_too():
    rare = np.arange(200) % 10 == 0
    always, finds = np.tile([1.0, 0.0], (200, 1)), np.eye(2)[(rare | (np.arange(200) % 4 == 1)).astype(int)]
    card = score_classes(rare.astype(int), logits={"lazy": always, "finds": finds}, training_labels=rare.astype(int))
    predicted = finds.argmax(axis=1)
    expected = sk.balanced_accuracy_score(rare, predicted)
    assert card.scores.loc["finds", "balanced_accuracy"] == expected
    assert card.scores.loc["commonest class", "balanced_accuracy"] == 0.5
    lazy, finds = card.verdicts
    assert (lazy.outcome, finds.outcome) == ("no skill", "no skill")
    assert lazy.text.endswith("(90.00 % against 90.00 %); balanced accuracy 50.00 % against 50.00 %")
    tells = f"yet it tells the classes apart: balanced accuracy {100 * expected:.2f} % against 50.00 %"
    assert finds.text.endswith(tells)
    assert f" {100 * expected:.2f} " in card.text()


def test_thresholds_are_rows_of_models_of_two_classes():
    labels, z = np.array([0, 0, 1, 1]), np.array([[2.0, 0.0], [1.0, 0.0], [0.5, 0.0], [0.0, 2.0]])
    card = score_classes(
        labels, logits={"net": z}, training_labels=labels, thresholds={"net": ClassThreshold(1, 0.3, "f1", 0.9, 50)}
    )
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    row = card.scores.loc["net (threshold)"]
    assert row["accuracy"] == np.mean((p[:, 1] >= 0.3) == labels) == 1.0
    assert card.scores.loc["net", "accuracy"] == 0.75
    assert card.used() == {"net": "net (threshold)"}
    assert card.to_dict()["thresholds"]["net (threshold)"]["value"] == 0.3
    json.dumps(card.to_dict(), allow_nan=False)
    short = ClassThreshold(0, 0.9, "precision=0.95", 0.8, 50).text(("a", "b"))
    assert short.endswith("for precision=0.95 of a (only 0.8 there)")
    for logits, thresholds, says in [
        ({"net": LOGITS}, {"net": ClassThreshold(1, 0.3, "f1", 0.9, 50)}, "are for two classes, 'net' has 4"),
        ({"net": z}, {"other": ClassThreshold(1, 0.3, "f1", 0.9, 50)}, "names 'other', of which there are no logits"),
    ]:
        with pytest.raises(ValueError, match=says):
            score_classes(
                LABELS[: len(logits["net"])] % 2, logits=logits, training_labels=labels, thresholds=thresholds
            )
