"""Cells, decoders and training under the transformations of JAX, and `fit` under its settings."""

import numpy as np
import optax
import pytest

from seqvision.data import Arrays
from seqvision.training import fit, predict
from tests.transformations.checks import CHECKS
from tests.transformations.program_cases import DENSE, FEW_PROGRAMS, PROGRAM_CASES
from tests.transformations.rows import check_on_eight_devices, check_on_one_device
from tests.transformations.settings import SETTINGS

# From jax 0.12 on Pallas's Triton backend is deprecated; its successor cannot take blocks as small as these.
pytestmark = pytest.mark.filterwarnings("ignore:The Pallas Triton backend is deprecated:DeprecationWarning")
REST = {case.function for case in PROGRAM_CASES} - FEW_PROGRAMS
FUNCTIONS = pytest.mark.parametrize(
    "functions", [pytest.param(FEW_PROGRAMS, id="few"), pytest.param(REST, id="rest", marks=pytest.mark.slow)]
)


@FUNCTIONS
@pytest.mark.parametrize("transformation", CHECKS)
def test_one_device(transformation, functions):
    """Each row of the matrix holds, and each exception is one."""
    check_on_one_device([case for case in PROGRAM_CASES if case.function in functions], transformation)


@pytest.mark.slow
@FUNCTIONS
def test_eight_devices(functions):
    """Values as on one device, and no device computes, or is sent, the rows of another."""
    check_on_eight_devices(functions)


def trained():
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    options = {"loss": "mse", "optimizer": optax.sgd(0.1), "batch_size": 8, "key": 0, "compilation_cache": False}
    result = fit(DENSE, Arrays(x, x[:, :1]), epochs=3, **options)
    return result.history["loss"], predict(result.state, x, compilation_cache=False)


@pytest.mark.parametrize("setting", SETTINGS)
def test_fit_and_predict(setting):
    with SETTINGS[setting]():
        losses, outputs = trained()
    expected_losses, expected = trained()
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-4)
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-5)
