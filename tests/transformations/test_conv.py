"""Convolution and pooling under the transformations of JAX: values and derivatives against NumPy."""

import json
import os
import subprocess
import sys

import pytest

from seqvision import conv
from tests.transformations.checks import CHECKS
from tests.transformations.conv_cases import CONV_CASES, FEW, lower_bounds
from tests.transformations.matrix import EXCEPTIONS, ONE_DEVICE, ROWS


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
    for case in CONV_CASES:
        try:
            if case.function in functions:
                CHECKS[transformation](case)
        except Exception as error:
            error.add_note(f"{case.function} under {transformation}")
            raise


@FUNCTIONS
def test_eight_devices(functions):
    """Values as on one device, and no device computes, or is sent, the images of another."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    command = [sys.executable, "-m", "tests.transformations.on_devices", *sorted(functions)]
    done = subprocess.run(command, env=os.environ | {"XLA_FLAGS": flags}, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-3000:]
    broken = {(function, how): why for function, how, why in json.loads(done.stdout)}
    assert set(broken) == {row for row in EXCEPTIONS if row[0] in functions}, broken
