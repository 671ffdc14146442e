"""Bytes to text: what encoding a file is in."""

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EASTERN = ("gb18030", "shift_jis", "euc_kr", "big5")
_EASTERN_DATE = re.compile(r"\d[年년]|日期|时间|日付|날짜|收盘|終値|종가|[年月日]")
_PIECE = 1 << 20


def decode(name: str, data: bytes, encoding: str | None) -> tuple[bytes, str, list[str]]:
    """Turn the bytes of a file into those of UTF-8.

    Args:
      name: of the file, for errors.
      data: its bytes.
      encoding: None finds UTF-8, UTF-16 and UTF-32 by byte order mark or content, East Asian encodings by the words for
        year, month and day, else takes Windows-1252.

    Returns:
      The text in UTF-8 without a byte order mark, the encoding, and notes.

    Raises:
      ValueError: if the encoding is not known, or the bytes are not in it.

    >>> decode("file", "é".encode("utf-16"), None)[:2]
    (b'\\xc3\\xa9', 'utf-16')
    """
    notes: list[str] = []
    if encoding is None:
        encoding = next((known for bom, known in _BOMS if data.startswith(bom)), None) or _wide_encoding(data)
    if encoding is None:
        encoding = "utf-8" if _is_utf8(data) else _guess(data)
        if encoding != "utf-8":
            known = "Windows-1252" if encoding == "cp1252" else encoding
            notes = [f"{name} is not UTF-8: read as {known} (say encoding=… if it is not)"]
        elif b"\0" not in data:
            return data, encoding, notes
    try:
        text = data.decode(encoding)
    except LookupError:
        raise ValueError(f"encoding {encoding!r} is not known: try 'utf-8', 'utf-16' or 'cp1252'") from None
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = data.count(b"\n", 0, start) + 1
        column = start - data.rfind(b"\n", 0, start)
        raise ValueError(
            f"{name}, line {line}, byte {column}: not {encoding} text ({getattr(error, 'reason', error)}): "
            "leave encoding out to have it found, or name the right one"
        ) from None
    if not isinstance(text, str):
        raise ValueError(f"encoding {encoding!r} is not one of text: try 'utf-8', 'utf-16' or 'cp1252'")
    return encode(name, text), encoding, notes


def encode(name: str, text: str) -> bytes:
    """Return a text in UTF-8, without a byte order mark; refuse what is not text."""
    if "\0" in text:
        raise ValueError(f"{name} is not text (it holds NUL bytes): save it as CSV")
    try:
        return text.removeprefix("\ufeff").encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} is not text: sign {error.start} is half of a surrogate pair") from None


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _PIECE):
            decoder.decode(data[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _wide_encoding(data: bytes) -> str | None:
    """Recognize UTF-16 without a byte order mark: every second byte of its western characters is zero."""
    sample = data[:1000]
    half = max(1, len(sample) // 2)
    if sample[1::2].count(0) > 0.4 * half:
        return "utf-16-le"
    return "utf-16-be" if sample[0::2].count(0) > 0.4 * half else None


def _guess(data: bytes) -> str:
    for encoding in _EASTERN:
        try:
            text = data[: data.rfind(b"\n", 0, 1 << 16) + 1 or len(data)].decode(encoding)
        except UnicodeDecodeError:
            continue
        if _EASTERN_DATE.search(text):
            return encoding
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"
