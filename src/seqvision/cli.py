"""The command line: thin, every verb calls one function of ``seqvision.pipelines``.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 2 bad input or configuration, 1 failure at run
time, 130 and 143 stopped by a signal. Nothing heavy is imported before a command is understood.
"""

import contextlib
import dataclasses
import errno
import io
import os
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import tyro

from seqvision import __version__, pipelines
from seqvision._checks import did_you_mean
from seqvision.pipelines import ClassifyConfig, ForecastConfig, Reading

__all__ = ["main"]

Arguments = TypeVar("Arguments")

_USAGE = """\
usage: seqvision COMMAND [options]

  train forecast       train forecasters on a series, beside naive forecasts (a bundled series by default)
  train classify       train classifiers on images, beside the commonest class
  evaluate RUN         recompute the scores of a finished run from its saved parameters
  predict RUN          forecast the rows after the end of a file with a finished run

  --help after a command shows its options; --version shows the version
"""


@dataclass(frozen=True, kw_only=True)
class _Common:
    json: bool = False
    """print the result as JSON"""
    debug: bool = False
    """show the traceback of an error"""


@dataclass(frozen=True)
class _Training(_Common):
    dry_run: bool = False
    """show shapes and parameter counts, train nothing"""
    quiet: bool = False
    """no progress on stderr"""

    def shown(self) -> contextlib.AbstractContextManager[None]:
        """Show progress within a block, if it is wanted."""
        return contextlib.nullcontext() if self.quiet else pipelines.show_progress()


@dataclass(frozen=True)
class TrainForecast(_Training):
    """Train forecasters on a series and judge them beside the naive forecasts on the same rows."""

    config: tyro.conf.OmitArgPrefixes[ForecastConfig] = field(default_factory=ForecastConfig)

    def run(self) -> "pipelines.Result":
        """Train, or describe."""
        if self.dry_run:
            return pipelines.describe_forecast(self.config)
        with self.shown():
            return pipelines.run_forecast(self.config, progress=False if self.quiet else None)


@dataclass(frozen=True)
class TrainClassify(_Training):
    """Train classifiers on images and judge them beside the commonest class on the same rows."""

    config: tyro.conf.OmitArgPrefixes[ClassifyConfig] = field(default_factory=ClassifyConfig)

    def run(self) -> "pipelines.Result":
        """Train, or describe."""
        if self.dry_run:
            return pipelines.describe_classify(self.config)
        with self.shown():
            return pipelines.run_classify(self.config, progress=False if self.quiet else None)


@dataclass(frozen=True)
class Evaluate(_Common):
    """Recompute the scores of a finished run from its saved parameters and configuration."""

    run_folder: tyro.conf.Positional[str]
    """folder of the run"""
    csv: str | None = None
    """where its data file is now, if that has moved"""
    folder: str | None = None
    """where its folder of images is now, if that has moved"""
    reading: tyro.conf.OmitArgPrefixes[Reading] = field(default_factory=Reading)

    def run(self) -> "pipelines.Result":
        """Evaluate."""
        return pipelines.evaluate_run(self.run_folder, self.csv, folder=self.folder, reading=self.reading)


@dataclass(frozen=True)
class Predict(_Common):
    """Forecast the rows after the end of a file with a finished run, in original units."""

    run_folder: tyro.conf.Positional[str]
    """folder of the run"""
    csv: str | None = None
    """file whose next rows are wanted; by default the run's own"""
    steps: int | None = None
    """rows to forecast; by default the run's horizon"""
    output: str | None = None
    """file to write the forecast to, as CSV"""
    reading: tyro.conf.OmitArgPrefixes[Reading] = field(default_factory=Reading)

    def run(self) -> "pipelines.Result":
        """Predict."""
        return pipelines.predict_forecast(
            self.run_folder, self.csv, steps=self.steps, output=self.output, reading=self.reading
        )


_WRONG_INPUT = (ValueError, TypeError, FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError)
_ALIASES = {"--cell": "--models"}
_TRUTHS = ("--dayfirst", "--yearfirst", "--residual", "--date", "--header")  # True and False may be said without a word
_VERBS: dict[tuple[str, ...], Any] = {
    ("train", "forecast"): TrainForecast,
    ("train", "classify"): TrainClassify,
    ("evaluate",): Evaluate,
    ("predict",): Predict,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    >>> main(["--version"])
    seqvision ...
    0
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] == "--version":
        print(f"seqvision {__version__}")
        return 0
    if not words or words[0] in ("-h", "--help") or words == ["train", "--help"]:
        print(_USAGE, end="")
        return 0 if words else 2
    verb = next((verb for verb in _VERBS if tuple(words[: len(verb)]) == verb), None)
    if verb is None:
        given = " ".join(words[: 2 if words[0] == "train" else 1])
        return _complain(f"no command {given!r}{did_you_mean(given, [' '.join(known) for known in _VERBS])}")
    # Programs from the compilation cache make XLA log lines about CPU features at this level; failures still raise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.suppress(ValueError):  # outside the main thread signals stay as they are
        signal.signal(signal.SIGTERM, _terminate)
    try:
        command = _parse(_VERBS[verb], words[len(verb) :], f"seqvision {' '.join(verb)}")
        return command if isinstance(command, int) else _run(command)
    except ValueError as error:  # the configuration refused a value
        return _complain(f"seqvision {' '.join(verb)}: {error}")
    except KeyboardInterrupt:
        return _complain("stopped", 130)
    finally:
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)


def _run(command: Any) -> int:
    try:
        result = command.run()
        print(_json(result) if command.json else result.text, flush=True)
        if isinstance(command, _Training) and not command.dry_run:
            print(f"run folder: {result.folder}", file=sys.stderr)
        return 0
    except BrokenPipeError:  # the reader of stdout went away, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if command.debug:
            raise
        return _complain(_one_line(error), 2 if _is_wrong_input(error) else 1)


def _parse(kind: type[Arguments], words: list[str], program: str) -> Arguments | int:
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
        return _complain(f"{program}: {_unboxed(caught.getvalue())}")
    if unknown:
        option = unknown[0].split("=")[0]
        if not option.startswith("-"):
            return _complain(f"{program}: {option!r} is one word too many; --help shows the options")
        return _complain(f"{program}: no option {option}{did_you_mean(option, _options(kind))}")
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


def _is_wrong_input(error: Exception) -> bool:
    """Whether other words on the command line would help: not where a disk is full or memory is out."""
    numbers = {getattr(one, "errno", None) for one in (error, error.__cause__)}
    return isinstance(error, _WRONG_INPUT) or bool(numbers & {errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP})


def _json(result: Any) -> str:
    from seqvision.reporting import json_text

    return json_text(result.to_dict())


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "RESOURCE_EXHAUSTED" in text:
        return "out of memory: try a smaller batch_size, or fewer hidden units"
    return (
        text
        if isinstance(error, ValueError | TypeError | OSError | ArithmeticError)
        else f"{type(error).__name__}: {text}"
    )


def _complain(text: str, code: int = 2) -> int:
    print(text if text.startswith("seqvision") else f"seqvision: {text}", file=sys.stderr)
    return code


def _terminate(number: int, frame: Any) -> None:
    """End the run so that its folder says it was stopped; a second signal ends the process at once."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "SIGALRM"):
        # Within a callback of the garbage collector an exception is swallowed: raise it again until it is heard.
        signal.signal(signal.SIGALRM, lambda *_: _terminate(number, frame))
        signal.setitimer(signal.ITIMER_REAL, 1.0)
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
