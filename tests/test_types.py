"""The types that the package tells a user's checker, on a small program of a user's."""

import re
from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api")
PROGRAM = Path(__file__).parent / "user_program.py"


@pytest.fixture(scope="module")
def told():
    """Line number -> what mypy says of it: (revealed types, codes of errors)."""
    root = PROGRAM.parents[1]  # with the settings and the cache of the check of src, which takes most of the time
    options = ["--config-file", str(root / "pyproject.toml"), "--cache-dir", str(root / ".mypy_cache")]
    out, errors, _ = api.run([*options, "--hide-error-context", str(PROGRAM)])
    assert not errors
    lines = {}
    for line, kind, text in re.findall(r"user_program\.py:(\d+): (note|error): (.*)", out):
        revealed, codes = lines.setdefault(int(line), ([], []))
        if kind == "error":
            codes += re.findall(r"\[([\w-]+)\]$", text)
        elif text.startswith("Revealed type is"):
            revealed.append(text)
    return lines


LINES = dict(enumerate(PROGRAM.read_text(encoding="utf-8").splitlines(), start=1))


@pytest.mark.parametrize("number", [number for number, line in LINES.items() if "# reveals: " in line])
def test_a_checker_reveals(told, number):
    assert LINES[number].split("# reveals: ")[1] in told[number][0][0], LINES[number]


def test_a_checker_refuses_what_is_wrong_and_nothing_else(told):
    expected = {
        number: found[1] for number, line in LINES.items() if (found := re.search(r"# refused: ([\w-]+)", line))
    }
    assert {number: ",".join(codes) for number, (_, codes) in told.items() if codes} == expected
