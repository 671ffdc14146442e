"""An experiment as a command: its settings are flags, and --record keeps what it measured."""

import inspect
import os
import runpy
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import field, make_dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from seqvision.pipelines.settings import check_finite

_Note = Annotated[str | None, tyro.conf.arg(help="what else to know of the run, for its record")]
_Folder = Annotated[Path | None, tyro.conf.arg(help="folder of results, to which what was measured is written")]


def run_experiment(
    main: Callable[[Any], Any],
    config: type,
    description: str | None = None,
    args: Sequence[str] | None = None,
) -> Any:
    """Run an experiment with the settings of the command line, and record its result where --record says.

    The folder that --record names has a file measurements.py, whose function of the experiment's name turns its result
    into a list of `seqvision.reporting.measured`.

    Args:
      main: the experiment, settings -> result.
      config: the dataclass of its settings; each is a flag.
      description: what --help says.
      args: in place of the command line's.

    Returns:
      What main returns.
    Raises:
      ValueError: before anything runs, if a setting is no finite number, or the folder of results does not say what is
        kept of this experiment.
    """
    unprefixed: Any = tyro.conf.OmitArgPrefixes
    settings = ("config", unprefixed[config], field(default_factory=config))
    extra = [(name, kind, field(default=None)) for name, kind in (("record", _Folder), ("note", _Note))]
    arguments = make_dataclass("Arguments", [settings, *extra])
    words = [*(sys.argv[1:] if args is None else args)]
    given: Any = tyro.cli(arguments, args=words, description=description)
    check_finite(given.config)
    file = Path(inspect.getfile(main)).resolve()
    measure = None if given.record is None else _measurement(given.record, file.stem)
    begin = time.perf_counter()
    result = main(given.config)
    if measure is not None:
        # Imported late: benchmarks start other frameworks from a process that has loaded none.
        from seqvision.reporting import record_result, to_plain

        path = record_result(
            given.record,
            file.stem,
            measure(result),
            command=_command(file, words),
            settings=_without_folders(to_plain(given.config)),
            seconds=time.perf_counter() - begin,
            note=given.note,
        )
        print(f"recorded in {path}")
    return result


def _measurement(folder: Path, name: str) -> Callable[[Any], list[Any]]:
    file = folder / "measurements.py"
    known = runpy.run_path(str(file)) if file.is_file() else {}
    if not callable(known.get(name)):
        raise ValueError(f"--record {folder}: {file} has no function {name}(result) that says what is kept of a run")
    return known[name]


def _command(file: Path, words: Sequence[str]) -> str:
    """Return the command line without --record and --note, and without what is true on this machine alone."""
    root = next((folder.parent for folder in file.parents if folder.name == "experiments"), file.parent)
    kept = [word for word in words if not word.startswith(("--record=", "--note="))]
    for flag in {"--record", "--note"}.intersection(kept):
        place = kept.index(flag)
        del kept[place : place + 2]
    return shlex.join(["python", file.relative_to(root).as_posix(), *_without_folders(kept)])


def _without_folders(value: Any) -> Any:
    """Keep of every absolute path its last part."""
    if isinstance(value, dict):
        return {name: _without_folders(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_folders(item) for item in value]
    return os.path.basename(value) if isinstance(value, str) and os.path.isabs(value) else value
