import hashlib
import json
import random
import re

import pytest

from seqvision.storage import check_files, read_manifest, record_files, write_file


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inner").mkdir()
    for name in ("a.json", "inner/weights.bin", "inner/notes.txt"):
        write_file(tmp_path / name, f"content of {name} " * 9)
    record_files(tmp_path / "inner")
    record_files(tmp_path, ["a.json", "inner/manifest.json"])
    return tmp_path


def test_a_flipped_bit_anywhere_is_refused_by_the_name_of_its_file(folder):
    check_files(folder)
    rng = random.Random(0)
    files = [path for path in folder.rglob("*") if path.is_file()]
    for _ in range(300):
        path = rng.choice(files)
        whole = path.read_bytes()
        broken = bytearray(whole)
        broken[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=re.escape(str(path))):
            check_files(folder)
        path.write_bytes(whole)
    check_files(folder)


def test_what_is_missing_truncated_or_has_grown_is_named(folder):
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        for content in (b"", whole[:-1], whole + b"\n", whole + whole):
            path.write_bytes(content)
            with pytest.raises(ValueError, match=re.escape(str(path))):
                check_files(folder)
        path.unlink()
        with pytest.raises(ValueError, match=rf"{re.escape(str(path))} is missing|has no manifest\.json"):
            check_files(folder)
        path.write_bytes(whole)
    (folder / "a.json").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"a\.json is not what was written \(is truncated: 1 of 162 bytes\)"):
        check_files(folder)


def test_files_that_are_not_listed_are_free_unless_something_is_computed_with_them(folder):
    (folder / "notes.txt").write_text("best so far")
    check_files(folder, needed=["a.json", "summary.json"])
    with pytest.raises(ValueError, match=r"notes\.txt is not in manifest\.json"):
        check_files(folder, needed=["notes.txt"])
    record_files(folder)
    assert [*read_manifest(folder)] == ["a.json", "inner/manifest.json", "notes.txt"]
    (folder / "notes.txt").unlink()
    record_files(folder)
    assert "notes.txt" not in read_manifest(folder)
    with pytest.raises(FileNotFoundError):
        record_files(folder, ["none.json"])


def signed(files, schema=1):
    """Return a manifest whose own hash is right, as somebody may write it who knows how."""
    own = hashlib.sha256(f"1 {json.dumps(files, sort_keys=True)}".encode()).hexdigest()
    return json.dumps({"schema": schema, "files": files, "sha256": own}, indent=2) + "\n"


def entry(**changed):
    return {"bytes": 1, "sha256": "0"} | changed


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "null",
        "[" * 9999,
        '{"schema": 1' + "0" * 5000 + "}",
        '{"schema": 1, "files": {}}',
        json.dumps(json.loads(signed({}))),
        signed({}, schema=0),
        signed({}, schema=True),
        signed({}, schema="2"),
        signed({"../a.json": entry()}),
        signed({"/etc/passwd": entry()}),
        signed({"inner/../../a": entry()}),
        signed({"C:\\a": entry()}),
        signed({"": entry()}),
        signed({"a\0": entry()}),
        signed({"a.json": entry(bytes="1")}),
        signed({"a.json": entry(sha256=1)}),
        signed({"a.json": {}}),
        signed({"a.json": "0"}),
        signed([]),
    ],
    ids=range(22),
)
def test_a_hostile_manifest_is_refused_by_name(folder, content):
    (folder / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match=r"manifest\.json is damaged"):
        check_files(folder)


def test_names_that_no_disk_has_are_missing_and_a_newer_schema_says_what_to_do(folder):
    for name in ("a" * 5000, "\ud800"):
        (folder / "manifest.json").write_text(signed({name: entry()}))
        with pytest.raises(ValueError, match="is missing, which"):
            check_files(folder)
    for content in (signed({}, schema=2), '{"schema": 99, "anything": []}'):
        (folder / "manifest.json").write_text(content)
        with pytest.raises(
            ValueError, match=r"manifest\.json was written by a newer seqvision .* pip install --upgrade"
        ):
            check_files(folder)
