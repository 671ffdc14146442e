"""Cells inside networks of other frameworks: the files that show how run, and train."""

import re
import runpy
from pathlib import Path

import jax
import pytest

FOLDER = Path(__file__).parents[2] / "experiments" / "other_projects"


@pytest.mark.parametrize(
    ("file", "needs"), [("flax_nnx", "flax"), ("keras_on_jax", "keras"), ("inside_torch", "torch")]
)
@pytest.mark.filterwarnings("ignore")
def test_a_cell_trains_inside_another_framework(file, needs, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    framework = pytest.importorskip(needs)
    if needs == "keras" and framework.backend.backend() != "jax":
        pytest.skip("Keras runs on another backend")
    with jax.numpy_rank_promotion("allow"):  # Keras and nnx add biases so
        runpy.run_path(str(FOLDER / f"{file}.py"))
    before, after = map(float, re.search(r"loss ([\d.]+) -> ([\d.]+)", capsys.readouterr().out).groups())
    assert after < 0.9 * before


def test_every_file_is_tried():
    assert {path.stem for path in FOLDER.glob("*.py")} == {"flax_nnx", "keras_on_jax", "inside_torch"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_the_layer_is_a_few_lines(path):
    layer = re.search(r"^class (?:OfJax|Unrolled)\(.*?(?=^\S|\Z)", path.read_text(encoding="utf-8"), re.M | re.S)[0]
    assert len([line for line in layer.splitlines() if line.strip()]) <= 10
