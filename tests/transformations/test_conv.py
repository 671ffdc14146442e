"""Convolution and pooling under the transformations of JAX: values and derivatives against NumPy."""

import pytest

from seqvision import conv
from tests.transformations.checks import CHECKS
from tests.transformations.conv_cases import CONV_CASES, FEW, lower_bounds
from tests.transformations.matrix import ONE_DEVICE, ROWS
from tests.transformations.rows import check_on_eight_devices, check_on_one_device


@pytest.fixture(autouse=True)
def _large_is_small(monkeypatch):
    lower_bounds(monkeypatch.setattr)


def test_all_functions_and_checks_are_rows():
    functions = {name for name in conv.__all__ if callable(getattr(conv, name)) and name[0].islower()} - {"activation"}
    assert {case.function.split(",")[0] for case in CONV_CASES} == functions
    assert {row.transformation for row in ROWS} >= set(CHECKS)
    assert set(CHECKS) == set(ONE_DEVICE)


ALL = {case.function for case in CONV_CASES}
FUNCTIONS = pytest.mark.parametrize(
    "functions",
    [
        pytest.param(FEW, id="few"),
        pytest.param({c.function for c in CONV_CASES} - FEW, id="rest", marks=pytest.mark.slow),
    ],
)


@FUNCTIONS
@pytest.mark.parametrize("transformation", CHECKS)
def test_one_device(transformation, functions):
    """Each row of the matrix holds."""
    check_on_one_device([case for case in CONV_CASES if case.function in functions], transformation)


@FUNCTIONS
def test_eight_devices(functions):
    """Values as on one device, and no device computes, or is sent, the images of another."""
    check_on_eight_devices(functions)
