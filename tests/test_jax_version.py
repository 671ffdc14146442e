"""The jax that is installed computes right: jaxlib 0.10.2 silently does not, on CPU (jax#39103)."""

import tomllib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from packaging.requirements import Requirement

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


# The smallest sizes that go wrong in jaxlib 0.10.2; there the last row comes out 0.8 % too small.
@pytest.mark.parametrize(("dtype", "rows", "rtol"), [(np.float32, 32_769, 1e-6), (np.float64, 16_385, 1e-12)])
def test_vmapped_product_followed_by_a_reduction(dtype, rows, rtol):
    i = np.arange(rows, dtype=dtype)
    x = np.stack([i, np.zeros_like(i), np.zeros_like(i)], axis=1)
    with jax.enable_x64(dtype == np.float64), jax.default_matmul_precision("highest"):
        identity = jnp.eye(3, dtype=dtype)
        squares = jax.jit(lambda x: jax.vmap(lambda row: jnp.sum((identity @ row) ** 2))(x))(x)
    assert squares.dtype == dtype
    np.testing.assert_allclose(squares, i**2, rtol=rtol)  # row i is (i, 0, 0): its squares add up to i^2


def requirements():
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for lines in lists for line in lines]


@pytest.mark.parametrize("name", ["jax", "jaxlib"])
def test_every_requirement_excludes_the_wrong_version(name):
    ours = [requirement for requirement in requirements() if requirement.name == name]
    assert ours, f"pyproject.toml must require {name} itself, since either may be upgraded without the other"
    for requirement in ours:
        assert not requirement.specifier.contains("0.10.2"), f"{requirement} allows {name} 0.10.2"
        assert requirement.specifier.contains("0.10.1")
        assert requirement.specifier.contains("0.11.2")
