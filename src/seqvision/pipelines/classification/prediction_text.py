"""The classes of pictures as lines for a terminal."""

import textwrap
from collections.abc import Mapping, Sequence

import pandas as pd

from seqvision._checks import counted
from seqvision.pipelines.classification.judged import Judged
from seqvision.scorecards import wrapped

_SKILL = {
    "skill": "",
    "unclear": " (no clear skill over the commonest class)",
    "no skill": " (no skill over the commonest class)",
}
_NAME = 40  # signs of a file's name, its end where it is longer


def prediction_text(
    table: pd.DataFrame, classes: Sequence[str], judged: Mapping[str, Judged], notes: Sequence[str], top: int
) -> str:
    """Return a block of lines a model, and what its test says.

    Args:
      table: of `ImagePrediction`.
      classes: their names.
      judged: row of the card -> what the card says.
      notes: of all pictures.
      top: how many classes to name.
    """
    lines: list[str] = []
    for row in judged:
        lines += [*_block(table[table["model"] == row], row + _SKILL.get(judged[row].outcome, ""), classes, top), ""]
    lines.append("What the test says of such predictions")
    lines += [line for one in judged.values() for line in wrapped(one.verdict)]
    lines += wrapped('"right in test": how often it was right on the test rows that it was as sure of')
    return "\n".join([*lines, *(line for note in notes for line in textwrap.wrap(f"note: {note}", 110))])


def _block(table: pd.DataFrame, name: str, classes: Sequence[str], top: int) -> list[str]:
    cells = [("file", "class", "probability", "right in test", "")]
    for _, one in table.iterrows():
        if not isinstance(one["class"], str):
            cells.append((_shown(one["file"]), "–", "", "", ""))
            continue
        chances = {name: float(one[f"probability of {name}"]) for name in classes}
        others = sorted((name for name in classes if name != one["class"]), key=lambda name: -chances[name])
        also = "".join(f", {_plain(name)} {_percent(chances[name])}" for name in others[: top - 1])
        share = f"{_percent(one['right in test'])} of {one['test rows']}" if one["test rows"] else "never as sure"
        trained = "trained on this file" if one["part"] == "train" else ""
        cells.append((_shown(one["file"]), _plain(one["class"]), _percent(one["probability"]) + also, share, trained))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    shown = ["  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    lines = [f"{counted(len(table), 'picture')} by {name}", shown[0].rstrip()]
    for line, note in zip(shown[1:], table["note"], strict=True):
        lines.append(line.rstrip())
        if note:
            lines += textwrap.wrap(_plain(note), 110, initial_indent="      ", subsequent_indent="      ")
    return lines


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _shown(name: str) -> str:
    name = _plain(name)
    return name if len(name) <= _NAME else f"…{name[1 - _NAME :]}"


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else "�" for sign in text)
