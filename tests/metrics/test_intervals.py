import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seqvision import metrics


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_scipy(rows):
    right, n = rows
    share = metrics.wilson_interval(right, n)
    theirs = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert share.value == right / n
    assert (share.low, share.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert 0.0 <= share.low <= share.value <= share.high <= 1.0


def test_wilson_of_no_rows_and_of_nonsense():
    assert np.isnan(metrics.wilson_interval(0, 0)[:3]).all()
    for right, n in [(3, 2), (-1, 2), (0, -1)]:
        with pytest.raises(ValueError, match="0 <= successes <= count"):
            metrics.wilson_interval(right, n)
