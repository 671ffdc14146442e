"""The options of a verb, and the form with groups of them that is shown and filled in."""

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import tyro

from seqvision.pipelines import field_docs, field_groups

_POSITIONAL = tyro.conf.Positional[str].__metadata__  # type: ignore[attr-defined]
_WORDS = {int: "INT", float: "FLOAT", str: "STR"}
FLAGS = {"config_file": "--config"}  # where a flag is not called as its field


@dataclass(frozen=True)
class Option:
    """One option of a verb."""

    name: str  # of the field
    holder: str | None  # the verb's field that holds the settings it is one of, None for the verb's own
    kind: Any  # its type
    default: Any
    help: str
    group: str | None  # title above it
    positional: bool = False

    @property
    def flag(self) -> str:
        """How it is typed."""
        return FLAGS.get(self.name, f"--{self.name.replace('_', '-')}")

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types that a value may have."""
        return self.kind_parts(self.kind)

    @classmethod
    def kind_parts(cls, kind: Any) -> tuple[Any, ...]:
        """Return the types of a union, or the one."""
        if get_origin(kind) in (Union, types.UnionType):
            return tuple(part for each in get_args(kind) for part in cls.kind_parts(each))
        return (kind,)

    @property
    def is_switch(self) -> bool:
        """Whether it is True or False and nothing else."""
        return self.kind is bool

    @property
    def may_be_switch(self) -> bool:
        """Whether it may be True or False."""
        return bool in self.kinds

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return any(get_origin(kind) is tuple for kind in self.kinds)

    @property
    def metavar(self) -> str | None:
        """What is shown in the place of a value that may be left out; None leaves it to the parser."""
        kinds = [kind for kind in self.kinds if kind is not type(None)]
        if self.positional or self.is_list or self.is_switch or len(kinds) == len(self.kinds):
            return None
        return (
            "{" + ",".join(self.choices) + "}" if self.choices else "|".join(_WORDS.get(k, "True|False") for k in kinds)
        )

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that it takes, if they are few."""
        kinds = [get_args(kind)[0] if get_origin(kind) is tuple else kind for kind in self.kinds]
        lists = [get_args(kind) for kind in kinds if get_origin(kind) is Literal]
        others = [kind for kind in kinds if get_origin(kind) is not Literal and kind is not type(None)]
        return tuple(word for words in lists for word in words) if not others else ()


@cache
def options_of(verb: Any) -> Mapping[str, Option]:
    """Return the options of a verb by the names of their fields.

    >>> from seqvision.cli.train import TrainForecast
    >>> options_of(TrainForecast)["learning_rate"].flag
    '--learning-rate'
    """
    options: dict[str, Option] = {}
    hints, docs = get_type_hints(verb, include_extras=True), field_docs(verb)
    for field in dataclasses.fields(verb):
        kind, *marks = (
            get_args(hints[field.name]) if get_origin(hints[field.name]) is Annotated else (hints[field.name],)
        )
        if dataclasses.is_dataclass(kind):
            options |= _settings(field.name, kind)
            continue
        positional = _POSITIONAL[0] in marks
        options[field.name] = Option(
            field.name, None, kind, _default(field), docs.get(field.name, ""), None, positional
        )
    return options


def _settings(holder: str, kind: Any) -> dict[str, Option]:
    hints, docs, fields = get_type_hints(kind), field_docs(kind), {f.name: f for f in dataclasses.fields(kind)}
    return {
        name: Option(name, holder, hints[name], _default(fields[name]), docs.get(name, ""), group)
        for name, group in field_groups(kind).items()
    }


def _default(field: dataclasses.Field) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


@cache
def form_of(verb: Any) -> type:
    """Return a dataclass with the options of a verb, grouped, which the parser shows and fills in."""
    annotated: Any = Annotated
    unprefixed: Any = tyro.conf.OmitArgPrefixes
    own: list[Any] = []
    groups: dict[str, list[Any]] = {}
    for option in options_of(verb).values():
        name = FLAGS.get(option.name)
        said = None if option.default not in (None, ()) else ""  # where there is no default to be shown
        shown = tyro.conf.arg(
            help=option.help, name=name[2:] if name else None, metavar=option.metavar, help_behavior_hint=said
        )
        kind = annotated[(option.kind, shown, *(_POSITIONAL if option.positional else ()))]
        entry = (option.name, kind) if option.default is dataclasses.MISSING else (option.name, kind, option.default)
        (own if option.group is None else groups.setdefault(option.group, [])).append(entry)
    for title, entries in groups.items():
        group = dataclasses.make_dataclass(title, entries, kw_only=True, frozen=True)
        group.__doc__ = ""
        kind = unprefixed[group]
        own.append((title, kind, dataclasses.field(default_factory=group)))
    form = dataclasses.make_dataclass(verb.__name__, own, kw_only=True, frozen=True)
    form.__doc__ = verb.__doc__
    return form


def values_of(form: Any) -> dict[str, Any]:
    """Return the values of a filled form by the names of the options."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(form):
        value = getattr(form, field.name)
        values |= values_of(value) if dataclasses.is_dataclass(value) else {field.name: value}
    return values
