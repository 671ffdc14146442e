"""From words to a verb's options; what is wrong with them is one sentence."""

import contextlib
import dataclasses
import io
import re
from typing import Any, TypeVar

import tyro

from seqvision._checks import did_you_mean

from .complaints import complain

Arguments = TypeVar("Arguments")

_ALIASES = {"--cell": "--models"}
_TRUTHS = ("--dayfirst", "--yearfirst", "--residual", "--date", "--header")  # True and False may be said without a word


def parse(kind: type[Arguments], words: list[str], program: str) -> Arguments | int:
    """Return the parsed command, or the exit code if there is none; errors are one line on stderr."""
    caught = io.StringIO()
    for short, option in _ALIASES.items():
        words = [re.sub(rf"^{short}(?==|$)", option, word) for word in words]
    words = _truths_spelled_out(words)
    try:
        with contextlib.redirect_stderr(caught):
            command, unknown = tyro.cli(
                kind, args=words, prog=program, return_unknown_args=True, config=(tyro.conf.FlagCreatePairsOff,)
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            return 0
        return complain(f"{program}: {_unboxed(caught.getvalue())}")
    if unknown:
        option = unknown[0].split("=")[0]
        if not option.startswith("-"):
            return complain(f"{program}: {option!r} is one word too many; --help shows the options")
        return complain(f"{program}: no option {option}{did_you_mean(option, _options(kind))}")
    return command


def _truths_spelled_out(words: list[str]) -> list[str]:
    """Write --no-dayfirst as --dayfirst False, and --dayfirst that no value follows as --dayfirst True.

    >>> _truths_spelled_out(["--no-date", "--dayfirst", "--header", "2"])
    ['--date', 'False', '--dayfirst', 'True', '--header', '2']
    """
    spelled = []
    for word, following in zip(words, [*words[1:], "--"], strict=False):
        said = following in ("True", "False", "None") or (
            word in ("--date", "--header") and not following.startswith("--")
        )
        if word.replace("--no-", "--", 1) in _TRUTHS and word.startswith("--no-"):
            spelled += [word.replace("--no-", "--", 1), "False"]
        else:
            spelled += [word, "True"] if word in _TRUTHS and not said else [word]
    return spelled


def _options(kind: Any) -> list[str]:
    fields = {f.name: f for f in dataclasses.fields(kind)}
    inner: list[Any] = [fields[name].default_factory for name in ("config", "reading") if name in fields]
    names = [*fields, *(f.name for factory in inner for f in dataclasses.fields(factory))]
    return [f"--{name.replace('_', '-')}" for name in names if name not in ("config", "reading", "run_folder")]


def _unboxed(text: str) -> str:
    """Return the sentence inside the box that the parser draws, without its title and its help."""
    lines = [re.sub(r"[─-╿]+|-{9,}", "", line).strip() for line in text.splitlines()[1:]]
    sentence = " ".join(lines).split("Argument helptext:")[0].split("For full helptext")[0]
    sentence = re.sub(r"\s+", " ", sentence).replace("Error parsing config: ", "").strip()
    kinds = r"Error parsing (\S+): no type matching (?:\{None\}\|)?(.+?) could be instantiated from \['(.*?)'\]\..*"
    return re.sub(kinds, r"\1 takes \2, but is '\3'", sentence).replace("{None,", "{")
