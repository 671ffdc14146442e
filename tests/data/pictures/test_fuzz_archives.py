"""Damaged idx files and CIFAR archives, and arrays of anything: images, or a refusal that names the file."""

import gzip

import numpy as np
import pytest

from seqvision.data import (
    array_to_image,
    fit_pixel_scaler,
    image_arrays,
    image_to_array,
    label_names,
    label_numbers,
    load_cifar10,
    read_cifar,
    read_idx,
)
from tests.data.pictures.test_cifar import archive_of, records
from tests.data.pictures.test_images import idx
from tests.mutations import fuzz, mutated, numbers, value

IDX = [idx(np.arange(size, dtype=np.uint8).reshape(shape)) for size, shape in ((24, (2, 3, 4)), (5, (5,)), (6, (6, 1)))]
MEMBERS = [
    ("c/data_batch_1.bin", records([1])[1], {}),
    ("c/readme", b"text", {}),
    ("c/test_batch.bin", records([2])[1], {}),
]
TARS = [archive_of(*MEMBERS, mode="w", format=kind) for kind in (0, 1, 2)]
BINS = [records([k])[1] for k in range(3)]


def damaged_idx(rng):
    content = mutated(rng, rng.choice(IDX), IDX)
    content = gzip.compress(content, 1, mtime=0) if rng.random() < 0.5 else content
    return mutated(rng, content, IDX, most=2) if rng.random() < 0.3 else content


def damaged_archive(rng):
    """Return what file of CIFAR it is, and its content."""
    if rng.random() < 0.3:
        content = mutated(rng, rng.choice(BINS), BINS)
        return "data.bin", gzip.compress(content, 1, mtime=0) if rng.random() < 0.5 else content
    content = rng.choice(TARS)
    if rng.random() < 0.7:  # in a header more often than in pixels
        start = rng.choice((0, 512, 4096, 4608, 5120, 8704))
        content = content[:start] + mutated(rng, content[start : start + 512], TARS) + content[start + 512 :]
    else:
        content = mutated(rng, content, TARS)
    content = gzip.compress(content, 1, mtime=0)
    return "cifar-10-binary.tar.gz", mutated(rng, content, most=2) if rng.random() < 0.3 else content


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQVISION_DATA_DIR", str(tmp_path))
    (tmp_path / "cifar10").mkdir()

    def read_it(made):
        if isinstance(made, bytes):
            (tmp_path / "file.idx").write_bytes(made)
            return read_idx(tmp_path / "file.idx")
        name, content = made
        path = tmp_path / ("" if name == "data.bin" else "cifar10") / name
        path.write_bytes(content)
        return read_cifar(path) if name == "data.bin" else load_cifar10()

    return read_it


def name(made):
    return "file.idx" if isinstance(made, bytes) else made[0]


@pytest.mark.parametrize("make", [damaged_idx, damaged_archive])
def test_damaged_files(read, make):
    counts = fuzz(make, read, 300, named=name)
    assert min(counts["read"], counts["refused"]) > 20


@pytest.mark.slow
@pytest.mark.parametrize("make", [damaged_idx, damaged_archive])
def test_a_hundred_thousand_damaged_files(read, make):
    fuzz(make, read, 100_000, seed=1, named=name)


def calls(rng):
    """Return a function of pictures in memory with arguments."""
    rows, side = rng.choice((1, 2, 4)), rng.choice((2, 6))
    shape = (rows, side, side, rng.choice((1, 3))) if rng.random() < 0.7 else (rows, 3, side, side)
    images = rng.choice((numbers(rng, shape), numbers(rng, shape), numbers(rng, shape[:3]), value(rng)))
    labels = rng.choice(([rng.randrange(3) for _ in range(rows)], value(rng)))
    classes = rng.choice((3, ("a", "b", "c"), value(rng)))
    return rng.choice(
        [
            *[(image_arrays, (images, labels, classes), {})] * 4,
            (array_to_image, (rng.choice((numbers(rng, shape[1:]), value(rng))),), {}),
            (image_to_array, (value(rng),), {"size": value(rng), "channels": value(rng)}),
            (fit_pixel_scaler, (images, rng.choice(("unit", "mean", "standard", "max"))), {}),
            (label_names, (labels, classes), {}),
            (label_numbers, (rng.choice((["a", "c"], value(rng))), classes), {}),
        ]
    )


def test_pictures_in_memory_of_anything():
    counts = fuzz(calls, lambda call: call[0](*call[1], **call[2]), 400, kinds=(ValueError, TypeError, OSError))
    assert min(counts["read"], counts["refused"]) > 30


@pytest.mark.slow
def test_a_hundred_thousand_pictures_in_memory():
    fuzz(calls, lambda call: call[0](*call[1], **call[2]), 100_000, seed=1, kinds=(ValueError, TypeError, OSError))
