"""The types that the package tells a user's checker, on a small program of a user's."""

import re
from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api")
PROGRAM = Path(__file__).parent / "user_program.py"


@pytest.fixture(scope="module")
def told():
    """Line number -> what mypy says of it: (revealed types, codes of errors)."""
    options = ["--config-file=", "--cache-dir", str(PROGRAM.parents[1] / ".mypy_cache"), "--hide-error-context"]
    out, errors, _ = api.run([*options, "--ignore-missing-imports", str(PROGRAM)])
    assert not errors
    lines = {}
    for line, kind, text in re.findall(r"user_program\.py:(\d+): (note|error): (.*)", out):
        revealed, codes = lines.setdefault(int(line), ([], []))
        if kind == "error":
            codes += re.findall(r"\[([\w-]+)\]$", text)
        elif text.startswith("Revealed type is"):
            revealed.append(text)
    return lines


@pytest.mark.parametrize("number", range(1, len(PROGRAM.read_text(encoding="utf-8").splitlines()) + 1))
def test_a_checker_reveals_and_refuses_what_the_program_says(told, number):
    line = PROGRAM.read_text(encoding="utf-8").splitlines()[number - 1]
    revealed, codes = told.get(number, ([], []))
    expected = re.search(r"# refused: ([\w-]+)", line)
    assert set(codes) == ({expected[1]} if expected else set()), line
    if wanted := re.search(r"# reveals: (.*)", line):
        assert revealed, line
        assert wanted[1] in revealed[0], f"{line}\n{revealed[0]}"
