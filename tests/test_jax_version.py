"""The jax that is installed computes right: jaxlib 0.10.2 silently does not, on CPU (jax#39103)."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from seqvision.pipelines.doctor.known_bugs import largest_error_of_squares

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


@pytest.mark.parametrize(("dtype", "most"), [("float32", 1e-6), ("float64", 1e-12)])
def test_vmapped_product_followed_by_a_reduction(dtype, most):
    assert largest_error_of_squares(dtype) <= most


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
