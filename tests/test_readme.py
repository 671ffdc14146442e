"""What the README shows runs, and what it names is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
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


def test_the_command_lines_are_understood():
    lines = [line for language, text in BLOCKS if language == "bash" for line in text.splitlines()]
    ours = [shlex.split(line)[1:] for line in lines if line.startswith("seqvision ")]
    assert len(ours) >= 4
    for words in ours:
        flags = {word for word in words if word.startswith("--")}
        verb = words[:2] if words[0] == "train" else words[:1]
        helped = subprocess.run(
            [sys.executable, "-m", "seqvision.cli", *verb, "--help"], capture_output=True, text=True, check=True
        )
        assert all(flag in helped.stdout for flag in flags), words


def test_files_and_links_are_there():
    named = re.findall(r"\]\((?!http)([^)#]+)\)", README) + re.findall(
        r"`((?:experiments|tests|notebooks)/[\w./]+)`", README
    )
    assert named
    for name in named:
        assert (ROOT / name).exists(), name
    for name in re.findall(r"`(\w+\.py)`", section("Experiments")):
        assert (ROOT / "experiments" / name).exists(), name


def test_nothing_is_left_to_fill_in():
    assert not re.search(r"\b(TODO|[A-Z]+_(TABLE|LINE|CARD|SECONDS|ROW))\b", README)
