"""What was compiled is read from disk only as it was written, and from no folder that others can write."""

import logging

import pytest

from seqvision.cells.unrolling.numba import kept_on_disk


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return kept_on_disk.folder()


def makes(key="of these sources", content=b"code\nof\0 a kernel"):
    """How often a kernel is compiled to get it."""
    made = []

    def make():
        made.append(key)
        return content

    assert kept_on_disk.kept("kernel", key, make) == content
    return len(made)


def test_a_second_process_reads_what_was_compiled(place):
    assert makes() == 1
    assert makes() == 0
    assert len(list(place.iterdir())) == 1
    assert place.stat().st_mode & 0o077 == 0


def test_another_key_is_another_kernel(place):
    assert makes("one") == makes("two", b"other code") == 1
    assert makes("one") == makes("two", b"other code") == 0
    first, second = sorted(place.iterdir())
    second.write_bytes(first.read_bytes())
    first.write_bytes(second.read_bytes())
    assert makes("one") + makes("two", b"other code") == 1  # a file in the place of another one has not its seal


@pytest.mark.parametrize("damage", ["nothing", "half", "a bit", "no seal"])
def test_a_damaged_file_is_made_anew(place, damage):
    makes()
    (path,) = place.iterdir()
    whole = bytearray(path.read_bytes())
    if damage == "a bit":
        whole[-5] ^= 1
    path.write_bytes({"nothing": b"", "half": whole[: len(whole) // 2], "no seal": whole[65:]}.get(damage, whole))
    assert makes() == 1
    assert makes() == 0


def test_a_folder_that_others_can_write_is_not_read(place, caplog):
    makes()
    place.chmod(0o777)
    with caplog.at_level(logging.WARNING, logger="seqvision"):
        assert makes() == 1
    assert "chmod go-w" in caplog.text


def test_without_a_folder_it_compiles(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert makes() == makes() == 1
