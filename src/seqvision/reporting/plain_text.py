"""Names of classes and columns on plots: as they stand, no formulas, in a font that has their signs."""

import logging
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

logger = logging.getLogger(__name__)

_MOST = 24  # signs of a name
_MISSING = "\N{REPLACEMENT CHARACTER}"


class PlainFigure(Figure):
    """A figure that draws every text as it stands: dollar signs start no formula, and each sign has a font.

    Labels of ticks, such as powers of ten, stay as matplotlib makes them; those that are names `name_ticks` writes.
    """

    def draw(self, renderer: Any) -> None:
        """Draw, after making texts plain."""
        for text in _texts(self):
            content = text.get_text()
            if "$" in content or _rare(content):
                text.set_parse_math(False)
                text.set_fontfamily(_families_for(content))
                text.set_text(_with_glyphs(content))
        super().draw(renderer)


def _texts(artist: Artist) -> Iterator[Text]:
    """Return the texts of an artist and all within it, but those of ticks, which asking for would make."""
    if isinstance(artist, Text):
        yield artist
    within = [artist.label] if isinstance(artist, Axis) else artist.get_children()
    for child in within:
        yield from _texts(child)


def short_name(name: str, most: int = _MOST) -> str:
    """Return a name in one line of at most so many signs, by default 24.

    >>> short_name("a\\nname"), short_name("x" * 30)
    ('a name', 'xxxxxxxxxxxxxxxxxxxxxxx…')
    """
    return _cut(" ".join(str(name).split()), most)


def short_lines(text: str) -> str:
    """Return at most four lines of a text, each at most 24 signs long.

    >>> short_lines("cat\\ntaken for dog")
    'cat\\ntaken for dog'
    """
    return "\n".join(_cut(line) for line in str(text).split("\n")[:4])


def legend_name(name: str) -> str:
    """Return a short name that a legend shows even if it begins with an underscore.

    >>> legend_name("_close").strip("\\u200b")
    '_close'
    """
    return f"\u200b{short_name(name)}" if name.startswith("_") else short_name(name)


def class_labels(names: Sequence[str]) -> list[str]:
    """Return what to call each class on a plot: its name, short; its number if no font here has the name's signs.

    >>> class_labels(["cat", "a long name of a class", ""])
    ['cat', 'a long name of a class', 'class 2']
    """
    labels = [short_name(name) for name in names]
    for k, label in enumerate(labels):
        lacking = _lacking(label)
        if lacking or not label:
            labels[k] = f"class {k}"
            reason = f"no font here has {_said(lacking)}: install one that has" if lacking else "its name is blank"
            _tell(f"class {k}, {names[k]!r}, is shown by its number: {reason}")
        elif labels.count(label) > 1:
            labels[k] = f"{label.rstrip('…')[: _MOST - 8]}… ({k})"
    return labels


def name_ticks(axis: Axis, names: Sequence[str], **style: Any) -> None:
    """Put names at the ticks 0, 1, 2 … of an axis."""
    labels = [_cut(_with_glyphs(name)) for name in names]
    axis.set_ticks(range(len(names)), labels, parse_math=False, fontfamily=_families_for("".join(labels)), **style)


def _families_for(content: str) -> list[str]:
    return [*font_manager.FontProperties().get_family(), *_families_with(_rare(content))]


def _cut(line: str, most: int = _MOST) -> str:
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _with_glyphs(content: str) -> str:
    """Return a text with a mark for each sign that no font has, and without those that nobody sees."""
    lacking = _lacking(content)
    if lacking:
        _tell(f"no font here has {_said(lacking)}: {_MISSING} stands for it; install one that has")
    unseen = {ord(sign): "" if _invisible(sign) else _MISSING for sign in _rare(content) if not _has_glyph(sign)}
    return content.translate(unseen)


def _rare(content: str) -> frozenset[str]:
    """Return the signs that a font may lack."""
    if content.isascii() and content.replace("\n", "").isprintable():
        return frozenset()
    return frozenset(sign for sign in content if not " " <= sign <= "~" and sign != "\n")


def _lacking(content: str) -> list[str]:
    """Return the signs that no font has, in order, without those that nobody sees."""
    rare = _rare(content)
    return [s for s in dict.fromkeys(content) if s in rare and not _invisible(s) and not _has_glyph(s)]


def _invisible(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cf") or "VARIATION SELECTOR" in unicodedata.name(sign, "")


def _has_glyph(sign: str) -> bool:
    return " " <= sign <= "~" or sign in _signs_of(_default_font()) or bool(_families_with(frozenset(sign)))


@cache
def _families_with(signs: frozenset[str]) -> tuple[str, ...]:
    """Return installed fonts that together have as many of these signs as can be had beside the default font."""
    left, families = signs - _signs_of(_default_font()), []
    known = sorted(font_manager.fontManager.ttflist, key=lambda font: (font.style != "normal", font.weight != 400))
    for font in known:
        if left and not font.name.startswith("Last Resort") and left & _signs_of(font.fname):
            left -= _signs_of(font.fname)
            families.append(font.name)
    return tuple(families)


def _default_font() -> str:
    return str(font_manager.findfont(font_manager.FontProperties()))


@cache
def _signs_of(path: str) -> frozenset[str]:
    try:
        font = FT2Font(path)
        # Pictures of emoji have fixed sizes, which matplotlib does not draw.
        return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()
    except (OSError, RuntimeError, ValueError):
        return frozenset()


def _said(signs: Sequence[str]) -> str:
    return ", ".join(f"{sign!r} (U+{ord(sign):04X})" for sign in signs[:3]) + (" …" if len(signs) > 3 else "")


@cache
def _tell(line: str) -> None:
    logger.warning(line)
