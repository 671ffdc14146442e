"""What numba compiled is read from disk only as it was written, and from no folder that others can write."""

import logging

import pytest

pytest.importorskip("numba")
import numba
from numba.core.caching import FunctionCache

from seqvision.cells.unrolling.numba.kernels import kept_on_disk

SIGNATURE = numba.types.intp(numba.types.intp)


def thirty(n):
    """Stand in for the kernels, which take long to compile."""
    return n + 30


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    kept_on_disk.compiled_once(SIGNATURE, thirty)
    (inside,) = tmp_path.iterdir()
    return inside


def hits():
    function = kept_on_disk.compiled_once(SIGNATURE, thirty)
    assert function.ctypes(12) == 42
    return function.cache_hits


def test_a_second_process_reads_what_was_compiled(folder):
    assert hits() == 1


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", [b"", b"\x80no pickle", None])
def test_a_damaged_file_is_compiled_anew(folder, kind, damage):
    (path,) = folder.glob(f"*.{kind}")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert hits() == 0
    assert hits() == 1


def test_a_single_bit_counts(folder):
    (path,) = folder.glob("*.nbc")
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    assert hits() == 0


def test_files_without_a_seal_are_not_trusted(folder):
    next(folder.glob("*.sha256")).unlink()
    assert hits() == 0


def test_a_damaged_file_with_its_seal_is_compiled_anew(folder):
    (path,), (seal,) = folder.glob("*.nbi"), folder.glob("*.sha256")
    path.write_bytes(b"\x80no pickle")
    seal.write_text(kept_on_disk._digest(folder, seal.stem), encoding="utf-8")
    assert hits() == 0


def test_a_folder_that_others_can_write_is_not_read(folder, caplog):
    folder.chmod(0o777)
    with caplog.at_level(logging.WARNING, logger="seqvision"):
        function = kept_on_disk.compiled_once(SIGNATURE, thirty)
    assert function.ctypes(12) == 42
    assert function.cache_hits == 0
    assert "chmod go-w" in caplog.text


def test_without_a_folder_it_compiles(monkeypatch):
    def refuse(self, function):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(FunctionCache, "__init__", refuse)
    assert kept_on_disk.compiled_once(SIGNATURE, thirty).ctypes(12) == 42
