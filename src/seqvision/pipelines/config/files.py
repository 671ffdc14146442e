"""Settings from a file, and a configuration as the text of such a file."""

import ast
import dataclasses
import inspect
import itertools
import json
import textwrap
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .other_names import near_setting


def read_settings(path: str | Path, kind: Any) -> dict[str, Any]:
    """Read settings of a configuration from a TOML file, a JSON file or the config.json of a run folder.

    They are the fields by name, with ``_`` or ``-`` between words; None in JSON is the default. What is not said keeps
    its default: ``ForecastConfig(**read_settings("file.toml", ForecastConfig))``.

    Args:
      path: of the file, or of a run folder.
      kind: the configuration, whose fields may be set.

    Raises:
      FileNotFoundError: if there is none.
      ValueError: naming the file, if it is no such file or has a key that is no setting.

    >>> import tempfile
    >>> from seqvision.pipelines import ForecastConfig
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "my.toml").write_text('models = ["gru"]\\nlearning-rate = 0.1')
    ...     read_settings(f"{folder}/my.toml", ForecastConfig)
    {'models': ['gru'], 'learning_rate': 0.1}
    """
    path = Path(path)
    path = path / "config.json" if path.is_dir() else path
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise FileNotFoundError(f"config: there is no file {path}") from None
    except OSError as error:
        raise type(error)(f"config: {path} cannot be read: {error}") from error
    except ValueError as error:
        form = "JSON" if path.suffix == ".json" else "TOML"
        raise ValueError(f"config: {path} is not {form} ({error})") from error
    if not isinstance(values, Mapping):
        raise ValueError(f"config: {path} must be a mapping of settings, got {type(values).__name__}")
    known = [field.name for field in dataclasses.fields(kind)]
    settings: dict[str, Any] = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in known:
            near = near_setting(name, known)
            remedy = f"; did you mean {near}?" if near else f": there are {', '.join(known)}"
            raise ValueError(f"config: {path} says {key!r}, which is no setting{remedy}")
        if isinstance(value, Mapping):
            raise ValueError(f"config: {path} has a table [{key}]: write settings without tables")
        if name in settings:
            raise ValueError(f"config: {path} says {name} twice, as {name} and {name.replace('_', '-')}")
        if value is not None:
            settings[name] = value
    return settings


def settings_text(config: Any) -> str:
    """Return a configuration as the text of a TOML file that `read_settings` reads, with what each setting means.

    >>> from seqvision.pipelines import ClassifyConfig
    >>> "\\nlimit = 100  # use only" in settings_text(ClassifyConfig(limit=100))
    True
    """
    sections: dict[str, list[str]] = {}
    kind: Any = type(config)
    docs = field_docs(kind)
    for name, group in field_groups(kind).items():
        value = getattr(config, name)
        line = f"# {name} =" if value is None else f"{name} = {_toml(value)}"
        sections.setdefault(group, []).append(f"{line}  # {docs.get(name, '')}".rstrip(" #"))
    return "\n\n".join("\n".join([f"# {group}", *lines]) for group, lines in sections.items()) + "\n"


@cache
def field_groups(kind: Any) -> dict[str, str]:
    """Return the group of each field of a dataclass, the class that it comes from, those of the class itself first.

    >>> from seqvision.pipelines import ForecastConfig
    >>> field_groups(ForecastConfig)["csv"], field_groups(ForecastConfig)["epochs"]
    ('series', 'training')
    """
    owners: list[Any] = [cls for cls in kind.__mro__ if dataclasses.is_dataclass(cls)]
    first = {
        field.name: next(cls for cls in reversed(owners) if field.name in cls.__annotations__)
        for field in dataclasses.fields(kind)
    }
    titles = {cls: getattr(cls, "group", cls.__name__.casefold()) for cls in owners}
    order = {cls: place for place, cls in enumerate([kind, *reversed(owners[1:])])}
    last = len(order)
    ranked = sorted(first.items(), key=lambda item: last if titles[item[1]] == "reading" else order[item[1]])
    return {name: titles[owner] for name, owner in ranked}


@cache
def field_docs(kind: Any) -> dict[str, str]:
    """Return the text below each field of a dataclass, in one line.

    >>> from seqvision.pipelines import ForecastConfig
    >>> field_docs(ForecastConfig)["horizon"]
    'rows ahead that it forecasts at once'
    """
    docs: dict[str, str] = {}
    owners: list[Any] = [cls for cls in kind.__mro__ if dataclasses.is_dataclass(cls)]
    for cls in reversed(owners):
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        body = node.body if isinstance(node, ast.ClassDef) else []
        for field, below in itertools.pairwise(body):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                docs[field.target.id] = " ".join(str(below.value.value).split())
    return docs


def _toml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):  # TOML's basic strings are JSON's, but that they escape the sign 127 too
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
