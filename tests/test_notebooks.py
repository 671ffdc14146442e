"""Every notebook runs from its first cell to its last, imports and never defines."""

import ast
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def _code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def _python(source):
    return ast.parse("\n".join(line for line in source.splitlines() if not line.startswith("%")))


def test_there_is_a_notebook():
    assert [path.name for path in NOTEBOOKS] == ["first_forecast.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_imports_and_never_defines(path):
    assert path.stat().st_size < 400_000
    for source in _code(nbformat.read(path, as_version=4)):
        for node in ast.walk(_python(source)):
            assert not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda), source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    done = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = "".join(output.get("text", "") for output in outputs)
    assert "Verdict" in printed
    assert "Free-running" in printed
    assert "last value" in printed
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
