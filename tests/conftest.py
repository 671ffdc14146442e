import os
from pathlib import Path

os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault("MPLBACKEND", "Agg")
# Most tests look at values of programs that run once: XLA's expensive passes would be half of all the time.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")

import jax
import pytest
from hypothesis import settings

jax.config.update("jax_numpy_rank_promotion", "raise")
settings.register_profile("seqvision", deadline=None, max_examples=25, derandomize=bool(os.environ.get("CI")))
settings.load_profile("seqvision")


@pytest.fixture
def x64():
    """Run a test in double precision."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(autouse=True, scope="module")
def optimized_programs(request):
    """Let XLA optimize what the files marked ``optimized`` compile: they look at programs, or train for a while."""
    if request.node.get_closest_marker("optimized") is None or not jax.config.jax_disable_most_optimizations:
        yield
        return
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture(autouse=True, scope="module")
def few_programs():
    """Drop compiled programs between two files where a process holds many: Linux ends it at 65,530 pieces of memory."""
    yield
    pieces = Path("/proc/self/maps")
    if pieces.exists() and pieces.read_bytes().count(b"\n") > 20_000:
        jax.clear_caches()
