import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import chronological_split, fit_scaler, stratified_split

VALUES = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(st.integers(2, 500), st.floats(0.05, 0.9), st.floats(0.0, 0.5))
def test_parts_are_consecutive_and_whole(n, train, validation):
    try:
        parts = chronological_split(n, train, validation)
    except ValueError:
        assert n * train < 1 or int(n * train + 1e-6) + int(n * validation + 1e-6) >= n
        return
    rows = np.concatenate([np.arange(n)[part] for part in parts])
    np.testing.assert_array_equal(rows, np.arange(n))
    assert parts.train.stop == np.floor(train * n + 1e-9)
    assert parts.test.stop > parts.test.start


def test_shares_and_numbers():
    assert chronological_split(100, 0.29).train.stop == 29
    assert chronological_split(1259, 634).test == slice(634, 1259)
    for train, validation, error in [
        (1.0, 0.0, ValueError),
        (0, 0, ValueError),
        (10, 0, ValueError),
        (5, 5, ValueError),
    ]:
        with pytest.raises(error):
            chronological_split(10, train, validation)
    with pytest.raises(TypeError, match="train must be a share"):
        chronological_split(10, "half")
    with pytest.raises(ValueError, match="validation must not be negative"):
        chronological_split(10, 5, -1)


@given(st.lists(st.integers(0, 4), min_size=10, max_size=200), st.sampled_from([0.1, 0.2, 0.5]), st.integers(0, 9))
def test_stratified_split_keeps_the_shares(labels, test, seed):
    labels = np.array(labels)
    train_rows, test_rows = stratified_split(labels, test, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([train_rows, test_rows])), np.arange(len(labels)))
    assert len(test_rows) == round(test * len(labels))
    for label in np.unique(labels):
        assert abs((labels[test_rows] == label).sum() - test * (labels == label).sum()) < 1
    again = stratified_split(labels, test, seed)
    np.testing.assert_array_equal(test_rows, again[1])


def test_stratified_split_draws_by_seed():
    labels = np.repeat(np.arange(10), 100)
    assert not np.array_equal(stratified_split(labels, seed=0)[1], stratified_split(labels, seed=1)[1])
    for seed in (-1, 2**32):
        with pytest.raises(ValueError, match="seed must be an int"):
            stratified_split(labels, seed=seed)
    with pytest.raises(ValueError, match="empty"):
        stratified_split(np.zeros(3, int), test=0.1)
    with pytest.raises(ValueError, match="whole numbers"):
        stratified_split(np.full(3, 0.5))


@given(
    st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=20),
    st.sampled_from(["standard", "minmax", "none"]),
)
def test_inverse_undoes_transform(rows, kind):
    rows = np.array(rows)
    scaler = fit_scaler(rows, kind)
    back = scaler.inverse(scaler.transform(rows))
    np.testing.assert_allclose(back, rows, rtol=1e-12, atol=1e-12 * np.abs(rows).max())
    assert (np.array(scaler.scale) > 0).all()


def test_scalers_do_what_they_are_called():
    rows = np.random.default_rng(0).normal(5, 3, (50, 2))
    standard = fit_scaler(rows).transform(rows)
    np.testing.assert_allclose(standard.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(standard.std(axis=0), 1)
    minmax = fit_scaler(rows, "minmax").transform(rows)
    np.testing.assert_allclose(minmax.min(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(minmax.max(axis=0), 1)
    np.testing.assert_array_equal(fit_scaler(rows, "none").transform(rows), rows)
    assert fit_scaler(rows) == fit_scaler(rows.copy())
    assert hash(fit_scaler(rows)) == hash(fit_scaler(rows.copy()))


def test_constant_columns_are_only_shifted():
    for value in (0.1, 0.0, 1e9):
        for kind in ("standard", "minmax"):
            scaler = fit_scaler(np.full((1000, 1), value), kind)
            assert scaler.scale == (1.0,)
            assert np.abs(scaler.transform([[value + 2.0]]) - 2.0).max() < 1e-6


def test_one_column_is_inverted_alone_in_any_shape():
    scaler = fit_scaler(np.array([[0.0, 10.0, 5.0], [2.0, 30.0, 7.0]]))
    assert scaler.inverse(np.zeros((4, 3, 1)), columns=(1,)).tolist() == np.full((4, 3, 1), 20.0).tolist()
    np.testing.assert_array_equal(scaler.inverse(np.ones((5, 2)), (2, 0))[0], [7.0, 2.0])
    with pytest.raises(ValueError, match="must have 3 columns"):
        scaler.inverse(np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"0\.\.2"):
        scaler.inverse(np.zeros((4, 1)), columns=(3,))
    with pytest.raises(ValueError, match="kind must be one of 'standard', 'minmax', 'none'"):
        fit_scaler(np.zeros((2, 1)), "robust")
    with pytest.raises(ValueError, match="nan at row 1, column 0"):
        fit_scaler(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="at least one row"):
        fit_scaler(np.zeros((0, 2)))


def test_labels_that_are_whole_numbers_are_labels_whatever_their_type():
    labels = np.array([0, 1] * 10)
    for like in (labels.astype(float), labels.astype(bool), labels.tolist()):
        for ours, theirs in zip(stratified_split(like), stratified_split(labels), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="labels must be whole numbers"):
        stratified_split(labels + 0.5)


def test_complex_numbers_and_rows_that_are_no_count_are_refused():
    """NumPy would drop the imaginary parts with no more than a warning."""
    for call in (lambda x: fit_scaler(x), lambda x: fit_scaler(np.arange(3.0)).transform(x)):
        with pytest.raises(TypeError, match="must hold real numbers, but the dtype is complex128"):
            call(np.ones((3, 1), complex))
    with pytest.raises(ValueError, match=r"n must be an int >= 1, got 10\.0"):
        chronological_split(10.0)
