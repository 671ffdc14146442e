"""Completion of verbs, flags and values in a shell, made by shtab from the table of verbs."""

import argparse
from typing import Any

from .options import Option, options_of
from .verbs import VERBS

SHELLS = ("bash", "zsh", "fish")
_FILES, _FOLDERS = (
    ("csv", "config_file", "output", "files"),
    ("out", "folder", "run_folder", "run_folders", "test_folder"),
)


def completion_script(shell: str) -> str:
    """Return a script for a shell that completes the words of ``seqvision``.

    Args:
      shell: "bash", "zsh" or "fish".

    Raises:
      ModuleNotFoundError: if shtab is not installed.

    >>> "--learning-rate" in completion_script("bash")
    True
    """
    try:
        import shtab
    except ModuleNotFoundError:
        raise ModuleNotFoundError('completion needs shtab: pip install "seqvision[completion]"') from None
    script: str = shtab.complete(_parser(shtab), shell)
    return script


def _parser(shtab: Any) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("seqvision", description="forecast series and classify images")
    parser.add_argument("--version", action="store_true", help="show the version")
    parser.add_argument("--print-completion", choices=SHELLS, help="print a script that completes these words")
    firsts: dict[str, Any] = {"": parser.add_subparsers()}
    for words, verb in VERBS.items():
        *before, last = words.split()
        for first in before:
            if first not in firsts:
                firsts[first] = firsts[""].add_parser(first, help=f"{first} …").add_subparsers()
        one = firsts[before[-1] if before else ""].add_parser(last, help=verb.purpose)
        kind: Any = verb.kind
        for option in options_of(kind).values():
            _add(one, option, shtab)
    return parser


def _add(parser: argparse.ArgumentParser, option: Option, shtab: Any) -> None:
    names = [option.name] if option.positional else [option.flag]
    text = option.help.replace("%", "%%")
    if option.is_switch:
        turned = option.flag if not option.default else option.flag.replace("--", "--no-", 1)
        parser.add_argument(turned, action="store_true", help=text)
        return
    several = {"nargs": "*"} if option.is_list else {}
    added: Any = parser.add_argument(*names, choices=option.choices or None, help=text, **several)  # type: ignore[arg-type]
    if option.name in _FILES:
        added.complete = shtab.FILE
    elif option.name in _FOLDERS:
        added.complete = shtab.DIRECTORY
