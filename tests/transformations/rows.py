"""Whether rows of the matrix hold: on this device, and in a process that has eight."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest

from tests.transformations.checks import CHECKS
from tests.transformations.matrix import EXCEPTIONS


def check_on_one_device(cases, transformation):
    """Each case passes the check of a transformation, and each exception fails it."""
    for case in cases:
        if (case.function, transformation) in EXCEPTIONS:
            with pytest.raises((ValueError, TypeError, FloatingPointError)):
                CHECKS[transformation](case)
            continue
        try:
            CHECKS[transformation](case)
        except Exception as error:
            error.add_note(f"{case.function} under {transformation}")
            raise


def check_on_eight_devices(functions):
    """What breaks there is what the exceptions say."""
    broken = {(function, how): why for function, how, why in on_eight_devices("on_devices", functions)}
    assert set(broken) == {row for row in EXCEPTIONS if row[0] in functions and row[1] not in CHECKS}, broken


def on_eight_devices(program: str, names: Iterable[str]) -> Any:
    """Run a program of this folder in a process of its own, which alone can have eight devices; return its JSON."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    command = [sys.executable, "-m", f"tests.transformations.{program}", *sorted(names)]
    done = subprocess.run(command, env=os.environ | {"XLA_FLAGS": flags}, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-3000:]
    return json.loads(done.stdout)
