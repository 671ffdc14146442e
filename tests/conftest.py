import os
import signal
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault("MPLBACKEND", "Agg")
# Most tests look at values of programs that run once: XLA's expensive passes would be half of all the time, and its
# newer code generator for CPUs, which `fit` does without too, half of what is left.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")
if "PYTEST_XDIST_WORKER" not in os.environ:  # which have the environment of the first process
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_use_fusion_emitters=false".strip()
    known = [sys.executable, "-c", "import jax; jax.devices()"]  # an XLA that does not know a flag ends the process
    if not subprocess.run(known, env=os.environ | {"XLA_FLAGS": flags}, capture_output=True).returncode:
        os.environ["XLA_FLAGS"] = flags

import jax
import pytest
from hypothesis import settings

jax.config.update("jax_numpy_rank_promotion", "raise")
# Tests compare float32 with float64: accelerators would multiply in TF32 or bfloat16 unless told not to.
jax.config.update("jax_default_matmul_precision", "highest")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background of a shell: the tests send it
    signal.signal(signal.SIGINT, signal.default_int_handler)

cheap = os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] == "true"
collect_ignore = ["user_program.py"]  # mypy reads it, in test_types.py

settings.register_profile("seqvision", deadline=None, max_examples=25, derandomize=bool(os.environ.get("CI")))
settings.load_profile("seqvision")


@pytest.fixture
def x64():
    """Run a test in double precision."""
    with jax.enable_x64(True):
        yield


def pytest_runtest_setup(item):
    """Let XLA optimize what tests marked ``optimized`` compile: they look at programs, or run them for a while."""
    global cheap
    wanted = os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] == "true" and item.get_closest_marker("optimized") is None
    if wanted != cheap:
        jax.config.update("jax_disable_most_optimizations", wanted)
        jax.clear_caches()
        cheap = wanted


@pytest.fixture(autouse=True, scope="module")
def few_programs():
    """Drop compiled programs between two files where a process holds many: Linux ends it at 65,530 pieces of memory."""
    yield
    pieces = Path("/proc/self/maps")
    if pieces.exists() and pieces.read_bytes().count(b"\n") > 20_000:
        jax.clear_caches()
