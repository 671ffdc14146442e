"""What the README shows runs, and what it names is there."""

import importlib
import json
import pydoc
import re
import runpy
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from seqvision import cli
from seqvision.cli.verbs import VERBS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "experiments" / "README.md"]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.M | re.S)


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.M | re.S)[1]


@pytest.mark.parametrize("code", [text for language, text in BLOCKS if language == "python"])
def test_python_runs(code):
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("title", ["Run it", "Test it"])
def test_one_command_line(title):
    commands = re.search(r"^```bash\n(.*?)^```", section(title), re.M | re.S)[1].strip()
    assert "\n" not in commands
    assert commands.startswith("python3 -m venv .venv && .venv/bin/pip install -e ")


def test_run_it_prints_the_card_that_is_shown(tmp_path):
    command = re.search(r"\.venv/bin/python (experiments/\S+\.py)", section("Run it"))[1]
    small = ["--epochs", "1", "--seeds", "1", "--models", "mlp", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, command, *small], cwd=ROOT, capture_output=True, text=True, check=True)
    shown = next(text for language, text in BLOCKS if language == "text")
    for line in shown.splitlines():
        if line.startswith(("One step", "Free-running", "  last value", "  drift", "  AR(10)", "Of the rows")):
            assert line.split() in [printed.split() for printed in done.stdout.splitlines()]
    assert list(tmp_path.glob("*/forecast.png"))


def test_the_command_lines_run(tmp_path, monkeypatch, capsys):
    """In a folder with a file of prices and pictures, for one epoch."""
    monkeypatch.chdir(tmp_path)
    Path("prices.csv").write_text("close\n" + "\n".join(f"{100 + day % 7 + day / 9:.2f}" for day in range(90)))
    for kind, level in (("dark", 40), ("light", 200)):
        Path("pictures", kind).mkdir(parents=True)
        for n in range(24):
            Image.new("RGB", (64, 64), (level + n, level, level)).save(Path("pictures", kind, f"{n}.png"))
    Path("grown.csv").write_text(
        Path("prices.csv").read_text() + "".join(f"\n{110 + day % 7 + day / 9:.2f}" for day in range(40))
    )
    lines = [line for language, text in BLOCKS if language == "bash" for line in text.splitlines()]
    ours = [shlex.split(line)[1:] for line in lines if line.startswith("seqvision ")]
    assert {words[0] for words in ours} == {verb.split()[0] for verb in VERBS} - {"report"}
    for words in ours:
        if words[0] == "doctor":  # what it finds is this machine's
            continue
        if words[0] == "train":
            flags = words[: words.index("--epochs")] if "--epochs" in words else words
            words = [*flags, "--epochs", "1", "--seeds", "1", *(["--models", "linear"] if "classify" in words else [])]
        else:
            made = {kind: sorted(map(str, Path("runs").glob(f"{kind}-*"))) for kind in ("forecast", "classify")}
            names = {"RUN": made["forecast"][0], "OTHER": made["forecast"][-1], "PICTURES": made["classify"][-1]}
            words = [names.get(word.removeprefix("runs/"), word) for word in words]
        assert cli.main(words) == 0, capsys.readouterr().err
        assert capsys.readouterr().out


def test_the_card_shows_what_is_recorded():
    record = json.loads((ROOT / "experiments" / "results" / "stock_forecast.json").read_text(encoding="utf-8"))
    result = record["runs"][0]["results"][0]
    card = next(text for language, text in BLOCKS if language == "text")
    assert (result["metric"], result["of"]) == ("RMSE", "one step ahead")
    for name, row in result["rows"].items():
        shown = f"{row['value']:.2f}" + ("" if row["spread"] is None else f" ± {row['spread']:.2f}")
        assert re.search(rf"^  {name.split(' (mean')[0]} .* {shown} ", card, re.M), name
    for name, value in result["baselines"].items():
        assert re.search(rf"^  {re.escape(name)} .* {value:.2f} ", card, re.M), name


def test_files_and_links_are_there():
    named = re.findall(r"`((?:experiments|tests|notebooks)/[\w./]+)`", README)
    assert named
    for name in named:
        assert (ROOT / name).exists(), name
    for name in re.findall(r"`(\w+\.py)`", section("Experiments")):
        assert (ROOT / "experiments" / name).exists(), name


def test_names_are_there():
    """Dotted names of the package, and the classes and functions of the sections on cells and on data."""
    for name in set(re.findall(r"`(seqvision(?:\.\w+)+)", README)):
        pydoc.locate(name) or pytest.fail(f"no {name}")
    rooms = ("cells", "conv", "seq2seq", "models", "data", "training", "testing")
    known = {name for room in rooms for name in importlib.import_module(f"seqvision.{room}").__all__}
    for title in ("Cells in your own JAX code", "Ways of execution", "Experiments on your data"):
        prose = re.sub(r"^```.*?^```", "", section(title), flags=re.M | re.S)
        named = set(re.findall(r"`([A-Za-z]\w*)`", prose))
        assert named <= known | {"init", "initial_state", "step", "linear", "readout"}, title


def test_nothing_is_left_to_fill_in():
    assert not re.search(r"\b(TODO|[A-Z]+_(TABLE|LINE|CARD|SECONDS|ROW))\b", README)


def test_figures_are_those_of_the_results(capsys):
    """Headers and tables are what experiments/results/tables.py makes of the records."""
    tables = runpy.run_path(str(ROOT / "experiments" / "results" / "tables.py"))
    assert tables["main"](check=True) == 0, capsys.readouterr().out


def test_every_experiment_has_a_record():
    folder = ROOT / "experiments"
    recorded = {path.stem for path in (folder / "results").glob("*.json")}
    benchmarks = {
        path.stem
        for path in (folder / "benchmarks").glob("*.py")
        if "run_experiment(main, Config, __doc__)" in path.read_text()
    }
    assert recorded == {path.stem for path in folder.glob("*.py")} | benchmarks


@pytest.mark.parametrize("path", sorted((ROOT / "experiments" / "results").glob("*.json")), ids=lambda path: path.stem)
def test_a_record_says_how_it_was_measured(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["experiment"] == path.stem
    commands = [(run["command"], run["machine"]["processor"]) for run in record["runs"]]
    assert len(set(commands)) == len(commands)
    for run in record["runs"]:
        assert re.fullmatch(rf"python experiments/(benchmarks/)?{path.stem}\.py( .*)?", run["command"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", run["date"])
        assert {"settings", "seconds", "note", "source", "versions", "results"} <= set(run)
        assert set(run["machine"]) == {"processor", "cores", "device"}
        assert (run["source"] is None) == (run["versions"] is not None)  # what the run wrote itself has its versions
        for result in run["results"]:
            assert result["metric"]
            assert result["rows"] or result["baselines"] or result["ratios"]
            for row in result["rows"].values():
                assert {"value", "spread", "seeds"} <= set(row)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_nothing_is_said_twice(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    headings = [line for line in without_code(lines) if line.startswith("#")]
    assert repeated(headings) == []
    assert repeated([line for line in lines if len(line) >= 60 and not re.fullmatch(r"[|\s:-]+", line)]) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_links_lead_somewhere(path):
    for file, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", path.read_text(encoding="utf-8")):
        target = (path.parent / file) if file else path
        assert target.exists(), f"{path.name}: no {file}"
        if anchor:
            lines = without_code(target.read_text(encoding="utf-8").splitlines())
            assert anchor in {anchor_of(line) for line in lines if line.startswith("#")}, f"{path.name}: no #{anchor}"


def test_the_marks_of_the_methods_are_there():
    assert README.count("<!-- methods -->") == README.count("<!-- /methods -->") == 1


def without_code(lines):
    """Return the lines outside of fenced blocks."""
    inside, kept = False, []
    for line in lines:
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            kept.append(line)
    return kept


def repeated(lines):
    return [line for line, times in Counter(lines).items() if times > 1]


def anchor_of(heading):
    """Return the anchor that a heading has where Markdown is shown."""
    return re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower()).replace(" ", "-")
