"""From words to a verb's options; what is wrong with them is one sentence."""

import contextlib
import dataclasses
import io
import re
from typing import Any

import tyro

from seqvision.pipelines import read_settings, setting_named

from .complaints import complain
from .options import form_of, options_of, values_of
from .verbs import VERBS
from .words import WordError, group_words


def parse(kind: Any, words: list[str], program: str) -> Any:
    """Return the parsed command, or the exit code if there is none; errors are one line on stderr.

    Settings that are not typed are those of the file that --config names, if there is one, else their defaults.

    Raises:
      ValueError: for settings that cannot be.
    """
    if any(word in ("-h", "--help") for word in words):
        _fill(kind, ["--help"], program)
        return 0
    options = options_of(kind)
    try:
        free, given = group_words(words, options)
    except WordError as error:
        return complain(f"{program}: {_with_home(error)}")
    places = [option for option in options.values() if option.positional]
    needed = [option for option in places if option.default is dataclasses.MISSING]
    if len(free) < len(needed):
        return complain(f"{program} needs one word more: {needed[len(free)].help}")
    free_words = len(places)
    several = any(option.positional and option.is_list for option in options.values())
    if len(free) > free_words and not several:
        return complain(f"{program}: {free[free_words]!r} is one word too many; --help shows the options")
    form = _fill(kind, [*free, *_as_typed(given, options)], program)
    if isinstance(form, int):
        return form
    return _made(kind, values_of(form), given)


def _with_home(error: WordError) -> str:
    """Return what is wrong and, of an option that another way of training has, which."""
    for verb in VERBS.values():
        kind: Any = verb.kind
        if error.unknown and verb.words.startswith("train ") and setting_named(error.unknown, options_of(kind)):
            return f"{str(error).split(';')[0]}; seqvision {verb.words} has it"
    return str(error)


def _as_typed(given: dict[str, list[str]], options: Any) -> list[str]:
    typed: list[str] = []
    for name, values in given.items():
        option = options[name]
        if not option.is_switch:
            empty = values == ["None"] and option.default == ()
            typed += [option.flag] if empty else [option.flag, *values]
        elif (values[-1] == "True") != option.default:
            typed.append(option.flag if values[-1] == "True" else option.flag.replace("--", "--no-", 1))
    return typed


def _fill(kind: Any, words: list[str], program: str) -> Any:
    """Return the filled form, or the exit code if there is none."""
    caught = io.StringIO()
    try:
        with contextlib.redirect_stderr(caught):
            return tyro.cli(form_of(kind), args=words, prog=program, config=(tyro.conf.FlagCreatePairsOff,))
    except SystemExit as stop:
        if stop.code in (0, None):
            return 0
        return complain(f"{program}: {_unboxed(caught.getvalue())}")


def _made(kind: Any, values: dict[str, Any], given: dict[str, list[str]]) -> Any:
    """Return the verb with its values, those of its settings from the command line, from a file, or their defaults."""
    options = options_of(kind)
    own = {name: value for name, value in values.items() if options[name].holder is None}
    for field in dataclasses.fields(kind):
        if field.name in own or field.default_factory is dataclasses.MISSING:
            continue
        settings: Any = field.default_factory
        file = own.get("config_file") if field.name == "config" else None
        told = {} if file is None else read_settings(file, settings)
        told |= {name: values[name] for name in given if options[name].holder == field.name}
        own[field.name] = settings(**told)
    return kind(**own)


def _unboxed(text: str) -> str:
    """Return the sentence inside the box that the parser draws, without its title and its help."""
    lines = [re.sub(r"[─-╿]+|-{9,}", "", line).strip() for line in text.splitlines()[1:]]
    sentence = " ".join(lines).split("Argument helptext:")[0].split("For full helptext")[0]
    sentence = re.sub(r"\s+", " ", sentence).replace("Error parsing config: ", "").strip()
    kinds = r"Error parsing (\S+): no type matching (?:\{None\}\|)?(.+?) could be instantiated from \['(.*?)'\]\..*"
    sentence = re.sub(kinds, r"\1 takes \2, but is '\3'", sentence).replace("{None,", "{")
    for word, said in (
        ("INT", r"invalid literal for int\(\) with base 10"),
        ("FLOAT", "could not convert string to float"),
    ):
        sentence = re.sub(rf"Error parsing (\S+): {said}: (.*)", rf"\1 takes {word}, but is \2", sentence)
    return sentence
