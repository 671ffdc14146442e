"""The table of verbs: what is typed, the class that does it, and the line that ``seqvision --help`` shows."""

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .command import Command


class Verb(NamedTuple):
    """A verb of the command line."""

    words: str  # what is typed after seqvision
    place: str  # file of this folder and class in it, imported when the verb is wanted
    arguments: str  # what follows the words, for the usage text
    purpose: str  # a line for the usage text

    @property
    def kind(self) -> "type[Command]":
        """The class whose fields are the verb's options."""
        module, name = self.place.split(":")
        return getattr(import_module(f"{__package__}.{module}"), name)


# Heading -> its verbs, in the order in which they are used.
GROUPS: dict[str, tuple[Verb, ...]] = {
    "Train": (
        Verb(
            "train forecast",
            "train:TrainForecast",
            "",
            "train forecasters on a series, beside naive forecasts (a bundled series by default)",
        ),
        Verb("train classify", "train:TrainClassify", "", "train classifiers on images, beside the commonest class"),
        Verb("resume", "resume:Resume", "RUN", "go on with a run that was stopped or killed, or has failed"),
    ),
    "Use a run": (
        Verb(
            "predict",
            "predict:Predict",
            "RUN [FILE …]",
            "forecast what follows a file, or name the classes of pictures",
        ),
        Verb("export", "export:ExportRun", "RUN", "write a model of a run for programs without this library"),
    ),
    "Judge runs": (
        Verb("evaluate", "evaluate:Evaluate", "RUN", "judge a finished run again, or on the rows that have come since"),
        Verb("refit", "refit:Refit", "RUN", "train again on data that have grown, anew or on from the weights"),
        Verb("runs", "runs:Runs", "[FOLDER]", "list runs with their scores"),
        Verb("compare", "compare:Compare", "RUN RUN …", "say in what runs differ, and whether chance explains it"),
        Verb("report", "report:Report", "RUN", "write report.html of a run anew"),
    ),
    "This machine": (
        Verb("doctor", "doctor:Doctor", "", "look whether it computes right and can keep what it computes"),
    ),
}
VERBS: dict[str, Verb] = {verb.words: verb for verbs in GROUPS.values() for verb in verbs}


def find_verb(words: list[str]) -> Verb | None:
    """Return the verb that a command line begins with, or None.

    >>> find_verb(["train", "forecast", "--epochs", "3"]).words
    'train forecast'
    """
    return next((verb for verb in VERBS.values() if words[: len(verb.words.split())] == verb.words.split()), None)


def usage(first: str = "") -> str:
    """Return the usage text, of all verbs or of those with a first word.

    >>> print(usage("train"))  # doctest: +ELLIPSIS
    usage: seqvision COMMAND [options]
    <BLANKLINE>
    Train
      train forecast    train forecasters on a series, ...
      train classify    train classifiers on images, beside the commonest class
    <BLANKLINE>
      --help after a command shows its options; --version shows the version
    """
    shown = [verb for verb in VERBS.values() if verb.words.split()[0] == first or not first]
    width = max(len(f"{verb.words} {verb.arguments}".strip()) for verb in shown) + 4
    lines = ["usage: seqvision COMMAND [options]", ""]
    for heading, verbs in GROUPS.items():
        rows = [f"  {f'{v.words} {v.arguments}'.strip():<{width}}{v.purpose}" for v in verbs if v in shown]
        lines += [heading, *rows, ""] if rows else []
    last = "  --help after a command shows its options; --version shows the version"
    more = "  --print-completion bash|zsh|fish prints a script with which that shell completes commands and options"
    return "\n".join([*lines, last] if first else [*lines, last, more])
