"""What a page is made of: sections, and in them tables, facts, pictures, texts and charts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from seqvision.reporting.html.charts import Chart


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text and, where that is rounded, the number behind it."""

    text: str
    value: float | None = None
    share: float | None = None  # in [0, 1]: how far the cell is filled with color
    mark: str = ""  # "skill", "unclear", "no skill", or "best"


@dataclass(frozen=True)
class Row:
    """A row of a table under its name."""

    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Table:
    """A table: groups of rows below one head."""

    caption: str
    head: Sequence[str]  # of the cells; the names of the rows have none
    groups: Sequence[tuple[str, Sequence[Row]]]  # heading, or "", and its rows
    corner: str = ""  # above the names of the rows
    note: str = ""
    matrix: bool = False  # small cells, for a confusion matrix
    block = "table"


@dataclass(frozen=True)
class Facts:
    """Terms and what is said of each."""

    items: Sequence[tuple[str, str]]
    block = "facts"


@dataclass(frozen=True)
class Text:
    """Paragraphs; of code one, as it is typed."""

    lines: Sequence[str]
    code: bool = False
    block = "text"


@dataclass(frozen=True)
class Told:
    """An outcome in a word and the sentence that says why."""

    outcome: str
    sentence: str


@dataclass(frozen=True)
class Verdicts:
    """What the run shows, in sentences."""

    items: Sequence[Told]
    block = "verdicts"


@dataclass(frozen=True)
class Picture:
    """A picture within the page."""

    source: str  # a data: address
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side."""

    pictures: Sequence[Picture]
    title: str = ""
    size: Literal["", "small", "tiny", "map"] = ""  # all but the first are enlarged without smoothing
    note: str = ""
    block = "gallery"


@dataclass(frozen=True)
class Folded:
    """What is shown when the reader asks for it."""

    title: str
    blocks: Sequence[Any]
    block = "folded"


Block = Table | Facts | Text | Verdicts | Gallery | Folded | Chart


@dataclass(frozen=True)
class Section:
    """A part of a page."""

    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)

    @property
    def anchor(self) -> str:
        """The name by which links reach it.

        >>> Section("Score card").anchor
        'score-card'
        """
        return "-".join(self.title.lower().split())
