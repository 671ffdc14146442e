import gzip
import hashlib
import http.server
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import (
    DIGIT_CLASSES,
    FASHION_CLASSES,
    downloads,
    fetch_file,
    find_file,
    load_digits,
    load_fashion_mnist,
    load_mnist,
    read_idx,
    stratified_split,
)


def idx(array):
    sizes = b"".join(size.to_bytes(4) for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.booleans())
def test_idx_files_come_back(tmp_path_factory, shape, zipped):
    array = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    np.testing.assert_array_equal(read_idx(path), array)
    np.testing.assert_array_equal(read_idx(path, len(shape)), array)


GOOD = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
ZIPPED = gzip.compress(GOOD, mtime=0)


@given(st.data(), st.booleans())
def test_a_damaged_idx_file_is_refused_or_has_its_declared_size(tmp_path_factory, data, zipped):
    content = bytearray(gzip.compress(GOOD) if zipped else GOOD)
    for _ in range(data.draw(st.integers(0, 2))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(content)
    try:
        array = read_idx(path)
    except ValueError as error:
        named = str(path) in str(error)
    else:
        named = array.size == 24
    assert named


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no idx file"),
        (b"<html>", "begins with 3c 68 74 6d"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0]), "no idx file of bytes"),
        (GOOD[:10], "within its header"),
        (GOOD[:-1], "declares 24 .* only 23"),
        (GOOD + b"\0", "holds more"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "more than its file can hold"),
        (gzip.compress(bytes([0, 0, 8, 3]) + b"\xff" * 12, mtime=0), "more than its file can hold"),
        (ZIPPED[:-9], "not downloaded to its end"),
        (ZIPPED[:-8] + bytes(8), "damaged"),
        (gzip.compress(GOOD[:-4], mtime=0), "only 20"),
    ],
    ids=range(11),
)
def test_damage_is_named(tmp_path, content, says):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        read_idx(path)


def test_a_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(GOOD + bytes(50_000_000)))
    with pytest.raises(ValueError, match="holds more"):
        read_idx(path)
    path.write_bytes(GOOD)
    with pytest.raises(ValueError, match="3 dimensions where 1 are expected"):
        read_idx(path, dimensions=1)


def test_files_are_found_in_the_users_folder_then_in_the_cache(tmp_path, monkeypatch):
    given, cache = tmp_path / "given", tmp_path / "cache"
    monkeypatch.setenv("SEQVISION_DATA_DIR", str(given))
    monkeypatch.setattr("pooch.os_cache", lambda project: cache)
    with pytest.raises(FileNotFoundError, match=rf"put it at {given}/prices/a\.csv"):
        find_file("prices", "a.csv")
    for folder in (cache, given):
        (folder / "prices").mkdir(parents=True)
        (folder / "prices" / "a.csv").write_text("1")
        assert find_file("prices", "a.csv") == folder / "prices" / "a.csv"
    monkeypatch.delenv("SEQVISION_DATA_DIR")
    assert find_file("prices", "a.csv").parent == cache / "prices"
    for data_set, filename in [("..", "a"), ("prices", "../a"), ("/etc", "passwd"), ("", "a"), ("a\\b", "c")]:
        with pytest.raises(ValueError, match="not a plain name"):
            find_file(data_set, filename)
    with pytest.raises(ValueError, match="no known address"):
        fetch_file("prices", "a.csv")


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve some bytes as a file of MNIST from this machine, and count the requests."""
    state = {"content": [b""], "requests": 0}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = state["content"][min(state["requests"], len(state["content"]) - 1)]
            state["requests"] += 1
            self.send_response(200 if content else 503)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    listening = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{listening.server_address[1]}/"
    state["cache"] = tmp_path / "mnist"
    monkeypatch.delenv("SEQVISION_DATA_DIR", raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloads, "KNOWN", {"mnist": (address, {"file.gz": hashlib.sha256(b"right").hexdigest()})})
    yield state
    listening.shutdown()
    listening.server_close()


def test_a_download_is_kept_and_used_again(server):
    server["content"] = [b"right"]
    path = fetch_file("mnist", "file.gz")
    assert path == server["cache"] / "file.gz"
    assert path.read_bytes() == b"right"
    assert fetch_file("mnist", "file.gz") == path
    assert server["requests"] == 1
    path.write_bytes(b"rotten")  # the cache is checked, and mended
    assert fetch_file("mnist", "file.gz").read_bytes() == b"right"
    assert server["requests"] == 2


def test_a_download_is_tried_again(server):
    server["content"] = [b"", b"wrong", b"right"]
    assert fetch_file("mnist", "file.gz").read_bytes() == b"right"
    assert server["requests"] == 3


@pytest.mark.parametrize("content", [b"wrong", b""])
def test_a_failed_download_leaves_nothing_and_says_what_to_do(server, content):
    server["content"] = [content]
    with pytest.raises(
        OSError, match=rf"file\.gz could not be had .* put it at {server['cache']}/file\.gz, or set SEQ"
    ):
        fetch_file("mnist", "file.gz")
    assert server["requests"] == 3
    assert list(server["cache"].iterdir()) == []


def test_bundled_digits():
    digits = load_digits()
    assert digits.x.shape == (1797, 8, 8, 1)
    assert (digits.x.dtype, digits.y.dtype) == (np.float32, np.int32)
    assert float(digits.x.min()) == 0.0
    assert float(digits.x.max()) == 1.0
    assert np.bincount(digits.y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    train, test = stratified_split(digits.y, 0.2)
    assert (len(train), len(test)) == (1438, 359)


@pytest.mark.parametrize(("load", "name"), [(load_mnist, "mnist"), (load_fashion_mnist, "fashion_mnist")])
def test_real_images(load, name):
    for filename, sha256 in downloads.KNOWN[name][1].items():
        try:
            path = find_file(name, filename)
        except FileNotFoundError as error:
            pytest.skip(str(error))
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    data = load()
    assert data.classes == (DIGIT_CLASSES if name == "mnist" else FASHION_CLASSES)
    for part, rows in ((data.train, 60000), (data.test, 10000)):
        assert part.x.shape == (rows, 28, 28, 1)
        assert (part.x.dtype, part.y.dtype) == (np.float32, np.int32)
        assert (float(part.x.min()), float(part.x.max())) == (0.0, 1.0)
        assert len(np.unique(part.y)) == 10
    first = {"mnist": [5, 0, 4, 1, 9], "fashion_mnist": [9, 0, 0, 3, 0]}[name]
    assert data.train.y[:5].tolist() == first


def test_parts_that_do_not_fit_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQVISION_DATA_DIR", str(tmp_path))
    (tmp_path / "mnist").mkdir()

    def put(part, images, labels):
        (tmp_path / "mnist" / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (tmp_path / "mnist" / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(labels))

    images = np.full((3, 28, 28), 255, np.uint8)
    put("t10k", images, np.array([0, 1, 9], np.uint8))
    put("train", images, np.array([0, 1], np.uint8))
    with pytest.raises(ValueError, match="train images do not fit 2 labels"):
        load_mnist()
    put("train", images, np.array([0, 1, 10], np.uint8))
    with pytest.raises(ValueError, match="train label is 10, but there are 10 classes"):
        load_mnist()
    put("train", images, np.array([0, 1, 2], np.uint8))
    data = load_mnist()
    assert float(data.train.x.min()) == 1.0
    assert data.test.y.tolist() == [0, 1, 9]


@pytest.mark.parametrize(
    "spelling",
    ["{}.gz", "{}", "{dotted}", "{dotted}.gz", "{}/{}"],
    ids=["zipped", "plain", "dot", "dot zipped", "folder"],
)
def test_idx_files_are_found_as_they_are_unpacked(tmp_path, monkeypatch, spelling):
    monkeypatch.setenv("SEQVISION_DATA_DIR", str(tmp_path / "given"))
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache")
    # In the cache a file under the name of the download must have its hash.
    place = "given" if spelling == "{}.gz" else "cache"
    for part, rows in (("train", 3), ("t10k", 2)):
        arrays = {
            "images-idx3": np.full((rows, 28, 28), 255, np.uint8),
            "labels-idx1": np.arange(rows).astype(np.uint8),
        }
        for name, array in arrays.items():
            plain = f"{part}-{name}-ubyte"
            path = tmp_path / place / "mnist" / spelling.format(plain, plain, dotted=plain.replace("-idx", ".idx"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(idx(array)) if path.suffix == ".gz" else idx(array))
    data = load_mnist()
    assert (len(data.train), len(data.test), data.train.y.tolist()) == (3, 2, [0, 1, 2])
    if place == "cache":
        (tmp_path / "cache").rename(tmp_path / "given")
        assert load_mnist().train.y.tolist() == [0, 1, 2]


def test_a_part_without_images_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQVISION_DATA_DIR", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((0, 28, 28), np.uint8)))
    (tmp_path / "mnist" / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(0, np.uint8)))
    with pytest.raises(ValueError, match=r"\(0, 28, 28\) train images do not fit 0 labels"):
        load_mnist()
