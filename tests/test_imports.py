"""What a program imports is what it uses: rooms name what they have and fetch it when it is asked for."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import seqvision
from seqvision._late import late_names

SOURCE = Path(seqvision.__file__).parent
ROOMS = [
    path.parent.name for path in sorted(SOURCE.glob("*/__init__.py")) if "late_imports(" in path.read_text("utf-8")
]


def loaded_after(program, *names):
    program += f"\nimport sys; print([name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stdout.splitlines()[-1])


EXPERIMENT = Path(__file__).parents[1] / "experiments" / "stock_forecast.py"
HELP_OF_EXPERIMENT = f"""
import runpy, sys
sys.argv = ["stock_forecast.py", "--help"]
try:
    runpy.run_path({str(EXPERIMENT)!r}, run_name="__main__")
except SystemExit as error:
    assert not error.code
"""
PICTURES = ("matplotlib", "PIL", "jinja2", "scipy", "sklearn")
HEAVY = (*PICTURES, "pandas", "numba", "orbax", "pooch", "tyro")


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        (
            "import seqvision.training",
            (*HEAVY, "seqvision.models", "seqvision.reporting", "seqvision.data.series.series"),
        ),
        ("import seqvision.cells", (*HEAVY, "flax", "optax")),
        ("import seqvision.data", (*HEAVY, "jax", "seqvision.data.series.series")),
        ("import seqvision.reporting", (*HEAVY, "jax", "flax")),
        ("import seqvision.pipelines.results", PICTURES),
        ("import seqvision.pipelines.forecasting.run", PICTURES),
        ("import seqvision.pipelines.classification.run", PICTURES),
        ("import seqvision.pipelines.finished.comparison", PICTURES),
        ("from seqvision.cli import main; main(['--help'])", (*HEAVY, "jax", "numpy")),
        (HELP_OF_EXPERIMENT, ("jax", "numpy", "pandas", "flax", *PICTURES)),
        ("from seqvision.cli import main; main(['predict', '--help'])", ("jax", "numpy", "pandas", "flax", *PICTURES)),
    ],
)
def test_what_is_not_used_is_not_imported(program, absent):
    assert loaded_after(program, *absent) == []


def test_rooms_fetch_late_by_one_mechanism():
    assert {"data", "models", "training", "metrics", "scorecards", "reporting", "pipelines"} <= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_fetched_late_is_what_type_checkers_see(room):
    module = importlib.import_module(f"seqvision.{room}")
    blocks = [node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.If)]
    assert [ast.unparse(block.test) for block in blocks] == ["TYPE_CHECKING", "not TYPE_CHECKING"]
    late = late_names(module.__name__)
    assert late.keys() == {alias.name for line in blocks[0].body for alias in line.names}
    assert late.keys() <= set(module.__all__)
    for name, place in late.items():
        assert getattr(module, name) is getattr(importlib.import_module(place, module.__name__), name)


@pytest.mark.parametrize("room", ROOMS)
def test_no_name_that_is_fetched_late_is_that_of_a_file(room):
    files = {path.stem for path in (SOURCE / room).iterdir()}
    assert not late_names(f"seqvision.{room}").keys() & files  # the module would stand in the place of the function


@pytest.mark.parametrize("room", ROOMS)
def test_names_are_listed_and_others_refused(room):
    module = importlib.import_module(f"seqvision.{room}")
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match=f"module 'seqvision.{room}' has no attribute 'no_such_thing'"):
        _ = module.no_such_thing
