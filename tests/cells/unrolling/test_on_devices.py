"""On eight devices every method gives the numbers of one, and leaves a batch that is split as it lies."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from seqvision.cells.unrolling.methods import METHODS
from tests.cells.unrolling.on_devices import CASES, QUICK

if jax.default_backend() != "cpu":
    pytest.skip("the devices are made of a CPU", allow_module_level=True)


@functools.cache
def outcomes(which):
    """Run cases in one process, which alone can have eight devices."""
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])}
    command = [sys.executable, "-m", "tests.cells.unrolling.on_devices", which]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=root)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(lines) == len(CASES if which == "all" else QUICK), done.stderr[-2000:]
    return {tuple(case): error for *case, error in lines}


@pytest.mark.parametrize(("name", "method", "way"), QUICK)
def test_values_and_gradients_on_eight_devices(name, method, way):
    error = outcomes("quick")[name, method, way]
    assert error is None, error


@pytest.mark.slow
@pytest.mark.parametrize(("name", "method", "way"), [case for case in CASES if case not in QUICK])
def test_every_method_on_eight_devices(name, method, way):
    error = outcomes("all")[name, method, way]
    what = {"shard_map": "shard_map", "Auto": "split batches", "Explicit": "split batches"}.get(way)
    if method in METHODS and what is not None and what not in METHODS[method].transformations:
        assert error is not None, f"the table of methods can say that {method} knows {what}"
    else:
        assert error is None, error
