import gzip
import hashlib
import io
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import CIFAR10_CLASSES, downloads, load_cifar10, read_cifar
from seqvision.data.downloads import folders

RECORD = 3073


def records(labels, seed=0):
    """Return images (N, 32, 32, 3) and the bytes that hold them, written pixel by pixel."""
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), 32, 32, 3)).astype(np.uint8)
    content = bytearray()
    for image, label in zip(images, labels, strict=True):
        content.append(label)
        for channel in range(3):
            content += bytes(int(image[row, column, channel]) for row in range(32) for column in range(32))
    return images, bytes(content)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQVISION_DATA_DIR", str(tmp_path / "given"))
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache")
    (tmp_path / "given" / "cifar10").mkdir(parents=True)
    return tmp_path / "given" / "cifar10"


@given(st.lists(st.integers(0, 9), min_size=1, max_size=3), st.booleans())
def test_records_come_back(tmp_path_factory, labels, zipped):
    images, content = records(labels)
    path = tmp_path_factory.mktemp("cifar") / "some.bin"
    path.write_bytes(gzip.compress(content) if zipped else content)
    read = read_cifar(path)
    np.testing.assert_array_equal(read[0], images)
    assert read[1].tolist() == labels


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has 0 bytes"),
        (bytes(RECORD - 1), "has 3072 bytes, no whole number of records of 3073"),
        (bytes(RECORD) + bytes([10]) + bytes(RECORD - 1), "record 1 has label 10"),
        (gzip.compress(bytes(RECORD), mtime=0)[:-9], "not downloaded to its end"),
    ],
    ids=["empty", "short", "label", "cut"],
)
def test_damage_is_named(tmp_path, content, says):
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says) as error:
        read_cifar(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("names", [("train_1_of_5.bin.gz", "train_3_of_5.bin.gz", "test.bin.gz")], ids=["ours"])
def test_files_in_a_folder_are_parts_by_their_names(folder, names):
    parts = [records([k, 9], seed=k) for k in range(3)]
    for name, (_, content) in zip(names, parts, strict=True):
        (folder / name).write_bytes(gzip.compress(content))
    (folder / "batches.meta.txt").write_text("airplane")
    data = load_cifar10()
    assert data.train.y.tolist() == [0, 9, 1, 9]
    assert data.test.y.tolist() == [2, 9]
    assert data.train.x.dtype == np.float32
    np.testing.assert_allclose(data.train.x[2:], parts[1][0] / 255, rtol=1e-6)
    assert data.classes == CIFAR10_CLASSES


def test_chosen_classes_are_numbered_anew(folder):
    images, content = records([2, 5, 0, 3, 8, 5])
    (folder / "data_batch_1.bin").write_bytes(content)
    (folder / "test_batch.bin").write_bytes(content)
    data = load_cifar10(("dog", "cat", "ship", "bird"))
    assert data.classes == ("dog", "cat", "ship", "bird")
    assert data.train.y.tolist() == [3, 0, 1, 2, 0]
    np.testing.assert_allclose(data.test.x, images[[0, 1, 3, 4, 5]] / 255, rtol=1e-6)
    for classes, says in [
        (("dog", "boat"), "'boat', which is none of"),
        (("dog",), "at least two"),
        (("cat",) * 2, "twice"),
    ]:
        with pytest.raises(ValueError, match=says):
            load_cifar10(classes)


def test_a_missing_part_is_named(folder):
    (folder / "data_batch_1.bin").write_bytes(bytes(RECORD))
    with pytest.raises(ValueError, match=r"no file such as test_batch\.bin"):
        load_cifar10()
    (folder / "data_batch_1.bin").rename(folder / "test_batch.bin")
    with pytest.raises(ValueError, match=r"no file such as data_batch_1\.bin"):
        load_cifar10()


def test_the_official_archive_is_read(folder, monkeypatch):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for number, name in enumerate(["data_batch_1.bin", "data_batch_2.bin", "readme.html", "test_batch.bin"]):
            content = records([number], seed=number)[1] if name.endswith("bin") else b"<html>"
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (folder / "cifar-10-binary.tar.gz").write_bytes(stream.getvalue())
    data = load_cifar10()
    assert data.train.y.tolist() == [0, 1]
    assert data.test.y.tolist() == [3]
    assert len(downloads.KNOWN["cifar10"][1]["cifar-10-binary.tar.gz"]) == len(hashlib.sha256().hexdigest())


def member(archive, name, content=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(content))


def archive_of(*members, mode="w:gz", **options):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, **options) as archive:
        for name, content, attributes in members:
            member(archive, name, content, **attributes)
    return stream.getvalue()


def header_of(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


GOOD = [("c/data_batch_1.bin", records([1])[1], {}), ("c/test_batch.bin", records([2], 1)[1], {})]
LINK = {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (archive_of(*GOOD)[:-30], "ended before|damaged"),
        (b"<html>not found</html>", "Not a gzipped file"),
        (gzip.compress(b"<html>not found</html>" * 99), "damaged or not the archive"),
        (archive_of(("c/readme.html", b"<html>", {})), r"has no file such as data_batch_1\.bin"),
        (archive_of(GOOD[0]), r"has no file such as test_batch\.bin"),
        (archive_of(*GOOD, ("c/data_batch_2.bin", b"", LINK)), "'c/data_batch_2.bin' is neither file nor folder"),
        (archive_of(*GOOD, ("c/data_batch_2.bin", b"", {**LINK, "type": tarfile.LNKTYPE})), "is neither file nor"),
        (archive_of(("../data_batch_1.bin", b"1", {})), r"'\.\./data_batch_1\.bin' would lie outside"),
        (archive_of(("/data_batch_1.bin", b"1", {})), "would lie outside"),
        (archive_of(*GOOD, ("c/data_batch_2.bin", b"123", {})), "data_batch_2.bin has 3 bytes"),
        (gzip.compress(header_of("c/data_batch_1.bin", 10 << 30)), "would be 10,737,418,240 bytes"),
    ],
    ids=[
        "cut",
        "html",
        "zipped html",
        "no bin",
        "no test",
        "link",
        "hard link",
        "outside",
        "absolute",
        "short",
        "size",
    ],
)
def test_damaged_archives_are_named(folder, content, says):
    (folder / "cifar-10-binary.tar.gz").write_bytes(content)
    with pytest.raises(ValueError, match=says) as error:
        load_cifar10()
    assert "cifar-10-binary.tar.gz" in str(error.value)


@pytest.mark.parametrize("kind", ["member", "header"])
def test_what_an_archive_unpacks_to_is_bounded(folder, kind, monkeypatch):
    import tracemalloc

    monkeypatch.setattr("seqvision.data.pictures.cifar._LARGEST", 4 << 20)
    big = bytes(60 << 20)
    if kind == "member":
        content = archive_of(("c/data_batch_1.bin", big, {}))
    else:
        content = archive_of(("c/x", b"", {"pax_headers": {"comment": "0" * (60 << 20)}}), format=tarfile.PAX_FORMAT)
    (folder / "cifar-10-binary.tar.gz").write_bytes(content)
    del big
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"binary\.tar\.gz.*(would be 62,914,560 bytes|more than 4,194,304|damaged)"):
        load_cifar10()
    assert tracemalloc.get_traced_memory()[1] < 24 << 20
    tracemalloc.stop()
    (folder / "data_batch_1.bin.gz").write_bytes(gzip.compress(bytes(60 << 20)))
    with pytest.raises(ValueError, match=r"data_batch_1\.bin\.gz holds more than 4,194,304 bytes"):
        load_cifar10()


@pytest.mark.parametrize("inner", ["", "cifar-10-batches-bin"])
def test_unpacked_files_are_found_and_hidden_ones_passed_over(folder, inner):
    place = folder / inner
    place.mkdir(exist_ok=True)
    for number, name in enumerate(("data_batch_1.bin", "data_batch_2.bin", "Test_batch.bin")):
        (place / name).write_bytes(records([number], seed=number)[1])
        (place / f"._{name}").write_bytes(b"\0\5\x16\7" + bytes(4000))
    data = load_cifar10()
    assert (data.train.y.tolist(), data.test.y.tolist()) == ([0, 1], [2])
    (place / "data_batch_1.bin.gz").write_bytes(gzip.compress((place / "data_batch_1.bin").read_bytes()))
    with pytest.raises(ValueError, match=r"data_batch_1\.bin and data_batch_1\.bin\.gz hold the same images"):
        load_cifar10()


@pytest.mark.slow
def test_real_images():
    if not any(place.glob("*.bin*") for place in folders("cifar10") if place.is_dir()):
        pytest.skip(f"no CIFAR-10 files in {folders('cifar10')[0]}")
    data = load_cifar10(("dog", "cat", "ship", "bird"))
    assert len(data.train) % 4 in range(4)
    assert len(data.test) == 4000
    assert data.train.x.shape[1:] == (32, 32, 3)
    assert (float(data.test.x.min()), float(data.test.x.max())) == (0.0, 1.0)
    # Skies and seas are bluer than fur: planes in the right order and the right plane.
    blue = [
        float((data.test.x[data.test.y == k][..., 2] - data.test.x[data.test.y == k][..., 0]).mean()) for k in (0, 2)
    ]
    assert blue[1] > blue[0] + 0.02
