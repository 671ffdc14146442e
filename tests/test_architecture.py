"""The house stays as it was drawn: who imports whom, what is public, what lies at the top of the repository."""

import ast
import importlib
import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SOURCE = REPOSITORY / "src" / "seqvision"
EXPERIMENTS = sorted((REPOSITORY / "experiments").glob("*.py"))

# Data flows from top to bottom: a room imports only from rooms above it.
HOUSE = [
    "conv",
    "cells",
    "seq2seq",
    "models",
    "data",
    "storage",
    "training",
    "saving",
    "metrics",
    "scorecards",
    "interpret",
    "reporting",
    "pipelines",
    "interop",
    "testing",
    "cli",
]
SHARED = {
    "_arrays",
    "_checks",
    "_compilation",
    "_derivatives",
    "_exported",
    "_late",
    "_phases",
    "_primitives",
    "_sharding",
    "activations",
}  # what every room may use, which itself uses none
ALLOWED = {room: set(HOUSE[:place]) for place, room in enumerate(HOUSE)}
ALLOWED["data"] = set()  # files and arrays know nothing of layers
ALLOWED["storage"] = set()  # arrays by name, whatever they are of
ALLOWED["metrics"] = set()  # numbers from arrays, whatever made them
ROOMS = [room for room in HOUSE if (SOURCE / room).is_dir()]


def files_of(room):
    single = SOURCE / f"{room}.py"
    return [single] if single.exists() else sorted((SOURCE / room).rglob("*.py"))


def imports(path, source=None):
    """Every (module, name) that a file imports, at its top or inside a function; a module alone has no name."""
    package = ("seqvision", *path.relative_to(SOURCE).parent.parts)
    for node in ast.walk(ast.parse(source if source is not None else path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((module, alias.name) for alias in node.names)


def imported_modules(path, source=None):
    for module, name in imports(path, source):
        yield from (module,) if name is None else (module, f"{module}.{name}")


def imported_rooms(path, source=None):
    parts = (name.split(".") for name in imported_modules(path, source))
    return {name[1] for name in parts if name[0] == "seqvision" and len(name) > 1 and name[1] in HOUSE}


def test_every_folder_is_a_room_of_the_house():
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    modules = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"}
    assert folders | modules <= set(HOUSE) | SHARED


def test_the_map_of_the_package_lists_the_rooms_in_order():
    lines = inspect.getdoc(importlib.import_module("seqvision")).splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == HOUSE


@pytest.mark.parametrize("name", sorted(SHARED))
def test_what_every_room_may_use_uses_none(name):
    assert not imported_rooms(SOURCE / f"{name}.py")


@pytest.mark.parametrize("room", HOUSE)
def test_a_room_imports_only_from_rooms_above_it(room):
    for path in files_of(room):
        wrong = imported_rooms(path) - ALLOWED[room] - {room}
        assert not wrong, (
            f"{path.relative_to(REPOSITORY)} imports {sorted(wrong)}; {room} may use {sorted(ALLOWED[room])}"
        )


@pytest.mark.parametrize(
    ("line", "rooms"),
    [
        ("import seqvision.training.losses", {"training"}),
        ("from seqvision import data", {"data"}),
        ("from seqvision.models import MLP", {"models"}),
        ("from ..metrics import mae", {"metrics"}),
        ("from .. import training", {"training"}),
        ("def f():\n    from ..reporting.plots import loss_curves", {"reporting"}),
        ("from .unroll import unroll\nimport numpy", set()),
    ],
)
def test_the_test_sees_every_way_of_importing(line, rooms):
    assert imported_rooms(SOURCE / "cells" / "base.py", line) - {"cells"} == rooms


# What a room uses of others beside their public names, and why that is no concern of users.
OPEN_DOORS = {
    "seq2seq": {"affine", "input_kernel"},  # attention and decoders are built as cells are
    "models": {"Layer", "run_both_ways", "run_stack"},  # flax's layers are stacked as cells are
}


@pytest.mark.parametrize("room", HOUSE)
def test_a_room_uses_of_another_only_what_is_public(room):
    for path in files_of(room):
        for module, name in imports(path):
            other = module.split(".")[1] if module.startswith("seqvision.") else room
            if other == room or other in SHARED or name in OPEN_DOORS.get(room, ()):
                continue
            where = f"{path.relative_to(REPOSITORY)} imports {name} from {module}"
            assert module == f"seqvision.{other}", f"{where}: import it from seqvision.{other}"
            names = importlib.import_module(module).__all__
            assert name in names, f"{where}, which is not in its __all__: make it public, or move what needs it"


SHOWN = [*(REPOSITORY / "experiments").rglob("*.py"), *(REPOSITORY / "notebooks").glob("*.ipynb")]


def shown_code(path):
    """What a user may copy: a file, the cells of a notebook, the blocks of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = (cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
        return ["".join(line for line in cell["source"] if not line.startswith(("%", "!"))) for cell in cells]
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) if path.suffix == ".md" else [text]


@pytest.mark.parametrize("path", [REPOSITORY / "README.md", *sorted(SHOWN)], ids=lambda path: path.stem)
def test_what_is_shown_uses_only_what_is_public(path):
    for module, name in (found for code in shown_code(path) for found in imports(SOURCE / "shown.py", code)):
        parts = module.split(".")
        if parts[0] != "seqvision" or (len(parts) == 1 and (name is None or name in HOUSE)):
            continue
        where = f"{path.relative_to(REPOSITORY)} imports {name} from {module}"
        assert len(parts) == 2, f"{where}: import it from {'.'.join(parts[:2])}"
        assert name is None or name in importlib.import_module(module).__all__, f"{where}, which is not in its __all__"


def module_name(path):
    parts = ("seqvision", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def circles(uses):
    """Take away what uses nothing that is left, until nothing changes: the rest lies on a circle or leads to one."""
    left = dict(uses)
    while free := [name for name, used in left.items() if not used & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def test_no_files_import_each_other_in_a_circle():
    files = {module_name(path): path for path in SOURCE.rglob("*.py")}
    uses = {}
    for file, path in files.items():
        names = {f"{module}.{name}" if f"{module}.{name}" in files else module for module, name in imports(path)}
        uses[file] = names & files.keys() - {file}
    assert uses["seqvision.metrics.forecast_errors"] >= {"seqvision.metrics.checks"}
    assert not circles(uses)
    assert circles({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()}) == ["a", "b", "c"]


def test_the_core_uses_nothing_of_the_ecosystem_but_jax_and_a_compiler():
    for room in ("conv", "cells"):
        for path in files_of(room):
            roots = {name.split(".")[0] for name in imported_modules(path)}
            kernels = {"numba", "llvmlite"} if "numba" in path.parts else set()
            foreign = roots - set(sys.stdlib_module_names) - {"jax", "numpy", "seqvision"} - kernels
            assert not foreign, f"{path.relative_to(REPOSITORY)} imports {sorted(foreign)}"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("seqvision", ["jax", "numpy"]),
        ("seqvision.cells", ["flax", "optax", "orbax", "pandas", "matplotlib", "sklearn", "numba"]),
        ("seqvision.conv", ["flax", "optax", "orbax", "pandas", "matplotlib", "sklearn"]),
    ],
)
def test_import_loads_nothing_heavy(module, absent):
    program = f"import sys, {module}; print([name for name in {absent} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def public(room):
    module = importlib.import_module(f"seqvision.{room}")
    return {name: getattr(module, name) for name in module.__all__}


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_exists_and_is_documented(room):
    module = importlib.import_module(f"seqvision.{room}")
    assert inspect.getdoc(module), f"seqvision.{room} has no docstring"
    assert len(set(module.__all__)) == len(module.__all__)
    for name, thing in public(room).items():
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), f"seqvision.{room}.{name} has no docstring"
            methods = vars(thing).items() if inspect.isclass(thing) else ()
            for method, value in methods:
                if inspect.isfunction(value) and not method.startswith("_"):
                    assert value.__doc__, f"seqvision.{room}.{name}.{method} has no docstring"


def test_a_public_name_has_one_meaning_in_all_rooms():
    meanings = {}
    for room in ROOMS:
        for name, thing in public(room).items():
            other, known = meanings.setdefault(name, (room, thing))
            assert known is thing, f"{name} is one thing in seqvision.{other} and another in seqvision.{room}"


def functions_of(room):
    """Name -> each public function and public method of a room, also behind properties and class methods."""
    for name, thing in public(room).items():
        if inspect.isfunction(thing):
            yield name, thing
        for method, value in vars(thing).items() if inspect.isclass(thing) else ():
            value = getattr(value, "fget", None) or getattr(value, "__func__", value)
            if inspect.isfunction(value) and not method.startswith("_") and value.__module__.startswith("seqvision"):
                yield f"{name}.{method}", value


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_argument_and_result_has_a_type(room):
    for name, function in functions_of(room):
        signature = inspect.signature(function)
        bare = [
            p.name for p in signature.parameters.values() if p.annotation is p.empty and p.name not in ("self", "cls")
        ]
        assert not bare, f"seqvision.{room}.{name}: {bare} have no type"
        assert signature.return_annotation is not signature.empty, (
            f"seqvision.{room}.{name}: what it returns has no type"
        )


def test_the_package_tells_its_types():
    assert (SOURCE / "py.typed").exists()


# Where two of these are positional arguments of one public function, they come in this order.
ARGUMENT_ORDERS = [
    ("cell", "params", "state", "x"),
    ("cell", "params", "xs"),
    ("model", "data"),
    ("state", "batch"),
    ("x", "kernel", "bias"),
    ("x", "window"),
    ("outputs", "targets"),
    ("truth", "forecast"),
    ("truth", "forecasts"),
    ("labels", "predicted"),
    ("series", "origins", "steps"),
]


@pytest.mark.parametrize("room", ROOMS)
def test_arguments_come_in_one_order(room):
    functions = {name: thing for name, thing in public(room).items() if inspect.isfunction(thing)}
    for cls in (thing for thing in public(room).values() if inspect.isclass(thing)):
        functions |= {f"{cls.__name__}.{name}": f for name, f in vars(cls).items() if inspect.isfunction(f)}
    for name, function in functions.items():
        kinds = inspect.signature(function).parameters.values()
        positional = [p.name for p in kinds if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        for order in ARGUMENT_ORDERS:
            ours = [argument for argument in positional if argument in order]
            assert ours == [argument for argument in order if argument in ours], (
                f"seqvision.{room}.{name}{ours}: {order}"
            )


# Beside what is true, what is judged against it is given by name: no call can swap the two in silence.
JUDGED = {
    "truth": {"forecast", "forecasts", "written", "naive", "last_observed"},
    "labels": {"predicted", "scores", "logits", "probabilities", "confidence", "training_labels"},
    "correct": {"confidence", "scores"},
    "truth_boxes": {"boxes", "labels", "scores"},
    "series": {"forecasts", "free_runs"},
    "error": {"baseline_error"},
    "losses": {"other_losses"},
    "sources": {"targets"},
}


@pytest.mark.parametrize("room", ["metrics", "scorecards", "reporting"])
def test_what_is_true_comes_first_and_what_is_judged_by_name(room):
    seen = 0
    for name, function in public(room).items():
        parameters = inspect.signature(function).parameters if inspect.isfunction(function) else {}
        judged = set().union(*(JUDGED[truth] & parameters.keys() for truth in parameters if truth in JUDGED))
        by_place = {argument for argument in judged if parameters[argument].kind is not inspect.Parameter.KEYWORD_ONLY}
        assert not by_place, f"seqvision.{room}.{name} takes {sorted(by_place)} by place"
        seen += bool(judged)
    assert seen


def test_files_stay_small():
    for path in sorted(SOURCE.rglob("*.py")):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 350, f"{path.relative_to(REPOSITORY)} has {lines} lines: one file, one subject, a few screens"


def test_top_level_holds_only_the_fixed_entries():
    if not (REPOSITORY / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no git checkout: cannot tell what belongs to the repository")
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    fixed = {"pyproject.toml", "README.md", "LICENSE", "src", "experiments", "tests", "notebooks"}
    assert {entry for entry in top if not entry.startswith(".")} <= fixed


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_experiment_has_a_header_and_a_main(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    header = (ast.get_docstring(tree) or "").lower()
    for word in ("question", "command", "expected", "time"):
        assert word in header, f"{path.name}: the header must give the question, command, expected result, running time"
    assert f"experiments/{path.name}" in header, f"{path.name}: the header must give the command that runs it"
    mains = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    assert len(mains) == 1, f"{path.name} must define main(config)"
    assert [argument.arg for argument in mains[0].args.args] == ["config"], f"{path.name}: main takes config alone"


def test_readme_of_the_experiments_lists_them_all():
    if not EXPERIMENTS:
        pytest.skip("no experiments yet")
    table = (REPOSITORY / "experiments" / "README.md").read_text(encoding="utf-8")
    missing = [path.name for path in EXPERIMENTS if path.stem not in table]
    assert not missing, f"experiments/README.md does not mention {missing}"
