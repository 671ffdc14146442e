"""What a series may be read from: a file, packed or not, an open file, a table in memory."""

import bz2
import contextlib
import csv
import datetime
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from seqvision.data.series.reading.file_text import FileText

MOST_BYTES = 1 << 32  # that a packed file may unpack to
LARGE = 1 << 20  # bytes of a text that is left in its file
_PACKED = (b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
_BINARY = (b"\x80\x04", b"\x80\x05", b"\xd0\xcf\x11\xe0", b"\x93NUMPY", b"\x89HDF", b"SQLite format 3", b"%PDF")


def open_source(source: Any) -> tuple[str, bytes | str | FileText | Any, list[str]]:
    """Read a source.

    Args:
      source: a path, an open file (of bytes or text), a `pandas.DataFrame` or `pandas.Series`. Files may be packed by
        gzip, bz2, xz or zip (with one file inside), or be parquet or Excel.

    Returns:
      The name, the content (bytes, a large file of them, text, or a DataFrame), and notes.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if it is damaged, a program's own format, or unpacks to more than `MOST_BYTES`.
      TypeError: if it is none of these.
    """
    import pandas as pd

    if isinstance(source, pd.Series):
        return str(source.name or "table"), source.to_frame("value" if source.name is None else source.name), []
    if isinstance(source, pd.DataFrame):
        return "table", source, []
    if hasattr(source, "read"):
        name, data = Path(str(getattr(source, "name", "table"))).name, source.read()
    else:
        if not isinstance(source, str | Path) and not hasattr(source, "__fspath__"):
            raise TypeError(
                f"source must be a path, an open file or a pandas DataFrame or Series, got {type(source).__name__}: "
                "make an array a series by Series(values, columns)"
            )
        name, data = _read_file(source)
    if isinstance(data, str | FileText):
        return name, data, []
    return _unpack(name, bytes(data))


def _read_file(source: Any) -> tuple[str, bytes | FileText]:
    path = Path(source)
    try:
        there = path.is_file()
    except ValueError:  # a NUL in the name
        there = False
    if not there:
        folder = " (it is a folder)" if "\0" not in str(path) and path.is_dir() else ""
        raise FileNotFoundError(f"there is no file {path}" + folder)
    with path.open("rb") as file:
        begins = file.read(16)
    if path.stat().st_size < LARGE or begins.startswith((*_PACKED, *_BINARY)):
        return path.name, path.read_bytes()
    return path.name, FileText(path)


def _unpack(name: str, data: bytes) -> tuple[str, Any, list[str]]:
    if data.startswith((b"PAR1",)):
        return name, _frame(name, "parquet", data), []
    if data.startswith(b"PK\x03\x04"):
        return _unzip(name, data)
    openers: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
    for magic, opener in openers.items():
        if data.startswith(magic):
            with _damage(name), opener(io.BytesIO(data)) as file:
                unpacked = _bounded(name, file)
            inner = name.rsplit(".", 1)[0] if name.lower().endswith((".gz", ".bz2", ".xz")) else name
            return _unpack(inner, unpacked) if not unpacked.startswith(magic) else (inner, unpacked, [])
    if data.startswith(_BINARY):
        raise ValueError(f"{name} is a binary file (spreadsheet, archive or pickle), not text: save it as CSV")
    return name, data, []


@contextlib.contextmanager
def _damage(name: str):
    try:
        yield
    except Exception as error:
        if type(error) is ValueError:
            raise
        raise ValueError(f"{name} is damaged or a binary file that cannot be unpacked ({error})") from None


def _bounded(name: str, file: IO[bytes]) -> bytes:
    pieces, size = [], 0
    while piece := file.read(1 << 20):
        size += len(piece)
        if size > MOST_BYTES:
            raise ValueError(f"{name} unpacks to more than {MOST_BYTES >> 20:,} MiB: unpack it, read the file itself")
        pieces.append(piece)
    return b"".join(pieces)


def _unzip(name: str, data: bytes) -> tuple[str, Any, list[str]]:
    with _damage(name), zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        inside = [info.filename for info in members]
        if "xl/workbook.xml" in inside:
            if sum(info.file_size for info in members) > MOST_BYTES:
                raise ValueError(f"{name} unpacks to more than {MOST_BYTES >> 20:,} MiB: save it as CSV")
            return _excel(name, data)
        files = [info for info in members if "__MACOSX" not in info.filename and not _hidden(info.filename)]
        if len(files) != 1:
            listed = ", ".join(info.filename for info in files[:10])
            raise ValueError(f"{name} holds {len(files)} files ({listed}): unpack it, and name the one to read")
        with archive.open(files[0]) as file:
            return _unpack(Path(files[0].filename).name, _bounded(name, file))


def _hidden(path: str) -> bool:
    return Path(path).name.startswith(".")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [repr(error)])[0]


def _frame(name: str, kind: str, data: bytes) -> Any:
    import pandas as pd

    try:
        return pd.read_parquet(io.BytesIO(data))
    except ImportError:
        raise ValueError(
            f"{name} is {kind}: install pyarrow (pip install 'seqvision[tables]'), or save it as CSV"
        ) from None
    except Exception as error:
        raise ValueError(f"{name} is damaged {kind} ({_first_line(error)})") from None


def _excel(name: str, data: bytes) -> tuple[str, str, list[str]]:
    """Turn the first sheet into text, numbers and dates in full."""
    try:
        import openpyxl
    except ImportError:
        raise ValueError(
            f"{name} is Excel: install openpyxl (pip install 'seqvision[tables]'), or save it as CSV"
        ) from None
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        text = io.StringIO()
        csv.writer(text).writerows([[_excel_cell(cell) for cell in row] for row in sheet.iter_rows(values_only=True)])
        names = book.sheetnames
    except Exception as error:
        raise ValueError(f"{name} is damaged Excel ({_first_line(error)})") from None
    others = ", ".join(map(repr, names[1:]))
    return name, text.getvalue(), [f"the first sheet {names[0]!r} is read, not {others}"] if others else []


def _excel_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ") if value.time() != datetime.time() else value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


def frame_columns(frame: Any) -> list[tuple[str, np.ndarray]]:
    """Return the names and columns of a DataFrame: float64, datetime64 or texts; an index with a meaning comes first.

    >>> import pandas as pd
    >>> [(name, cells.dtype.kind) for name, cells in frame_columns(pd.DataFrame({"a": [1, 2], "b": ["x", None]}))]
    [('a', 'f'), ('b', 'O')]
    """
    import pandas as pd

    columns = []
    for level in range(frame.index.nlevels):
        index = frame.index.get_level_values(level)
        if frame.index.nlevels > 1 or frame.index.name is not None or not pd.api.types.is_integer_dtype(index.dtype):
            columns.append((str("index" if index.name is None else index.name), _cells(index)))
    for k, name in enumerate(frame.columns):
        text = " ".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name)
        columns.append((text, _cells(frame.iloc[:, k])))
    return columns


def _cells(column: Any) -> np.ndarray:
    """Turn a column of pandas into float64, datetime64 or texts with "" for what is missing."""
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, pd.PeriodDtype):
        column = pd.Series(column.to_timestamp() if isinstance(column, pd.PeriodIndex) else column.dt.to_timestamp())
        dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        column = pd.Series(column).astype(dtype.categories.dtype if len(dtype.categories) else object)
        dtype = column.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        column = pd.Series(column).dt.tz_convert("UTC").dt.tz_localize(None)
        dtype = column.dtype
    if pd.api.types.is_datetime64_dtype(dtype):
        return np.asarray(column)
    if pd.api.types.is_complex_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return _texts(pd.Series(column))
    if pd.api.types.is_numeric_dtype(dtype):
        return pd.Series(column).to_numpy(dtype=np.float64, na_value=np.nan).copy()
    return _texts(pd.Series(column))


def _texts(column: Any) -> np.ndarray:

    missing = column.isna().to_numpy()
    texts = np.empty(len(column), object)
    texts[:] = ["" if gone else _excel_cell(value) for value, gone in zip(column, missing, strict=True)]
    return texts
