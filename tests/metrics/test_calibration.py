import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from seqvision import metrics

ROWS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0]), st.booleans()), min_size=1)


@pytest.mark.parametrize(("binning", "strategy"), [("width", "uniform"), ("count", "quantile")])
@given(rows=ROWS, bins=st.integers(1, 12))
def test_bins_equal_scikit_learn(binning, strategy, rows, bins):
    confidence, right = (np.array(column) for column in zip(*rows, strict=True))
    ours = metrics.reliability(right, confidence=confidence, bins=bins, binning=binning)
    share, mean = calibration_curve(right, confidence, n_bins=bins, strategy=strategy, pos_label=True)
    filled = ours.rows > 0
    np.testing.assert_allclose(ours.share[filled], share)
    np.testing.assert_allclose(ours.confidence[filled], mean)
    assert np.isnan(ours.share[~filled]).all()
    assert ours.rows.sum() == len(rows)
    assert ours.error == pytest.approx(np.sum(ours.rows[filled] * np.abs(share - mean)) / len(rows))
    assert ours.largest_error == np.max(np.abs(share - mean))


def test_bins_of_equal_count_hold_equally_many():
    confidence = np.random.default_rng(0).beta(8, 1, 1000)
    assert (
        metrics.reliability(np.ones(1000), confidence=confidence, bins=10, binning="count").rows.tolist() == [100] * 10
    )


def test_a_calibrated_guesser_has_no_gap_and_a_boaster_has():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(size=50_000)
    right = rng.uniform(size=50_000) < confidence
    assert metrics.reliability(right, confidence=confidence).error < 0.01
    assert metrics.reliability(right, confidence=np.sqrt(confidence)).error == pytest.approx(2 / 3 - 1 / 2, abs=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: metrics.reliability([0, 1], confidence=[0.5, 1.5]),
            r"confidence must lie in \[0, 1\], got 0.5 to 1.5",
        ),
        (lambda: metrics.reliability([2], confidence=[0.5]), "correct must hold 0 or 1"),
        (lambda: metrics.reliability([[0, 1]], confidence=[[0.5, 0.5]]), "largest probability of each row"),
        (lambda: metrics.reliability([0, 1], confidence=[0.5]), "nothing is broadcast"),
        (lambda: metrics.reliability([1], confidence=[0.5], bins=0), "bins must be an int >= 1"),
        (lambda: metrics.reliability([1], confidence=[0.5], binning="rows"), "got 'rows'"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
