"""Damaged picture files and folders: shades in 0..1, or a refusal that names the file; no foreign exception."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image, features

from seqvision.data import image_to_array, load_image_folder
from tests.data.pictures.test_picture_modes import BYTES, DEEP, RGB16, UNIT, png, saved, tiff
from tests.mutations import fuzz, mutated

COLOR, GRAY = Image.fromarray(BYTES[..., :3]), Image.fromarray(BYTES[..., 0])
EXIF = Image.Exif()
EXIF[0x0112] = 6
WRITTEN = (
    "BMP",
    "DDS",
    "DIB",
    "GIF",
    "ICO",
    "JPEG",
    "JPEG2000",
    "PCX",
    "PNG",
    "PPM",
    "QOI",
    "SGI",
    "TGA",
    "TIFF",
    "WEBP",
)
FILES = [
    *(saved(COLOR, kind) for kind in (*WRITTEN, *(["AVIF"] if features.check("avif") else []))),
    *(saved(GRAY, kind) for kind in ("GIF", "JPEG", "PNG", "TIFF", "PPM")),
    *(saved(COLOR, kind, exif=EXIF) for kind in ("JPEG", "PNG", "WEBP")),
    *(saved(COLOR, "TIFF", compression=kind) for kind in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits")),
    saved(COLOR.convert("P"), "PNG", transparency=bytes(range(200))),
    saved(COLOR, "GIF", save_all=True, append_images=[COLOR.rotate(90)]),
    saved(COLOR.convert("CMYK"), "JPEG"),
    saved(COLOR, "JPEG", progressive=True, icc_profile=b"profile"),
    saved(Image.fromarray(UNIT), "TIFF"),
    *(png(DEEP[..., :channels], color) for channels, color in ((1, 0), (3, 2), (2, 4), (4, 6))),
    RGB16,
    tiff(DEEP[..., 0].astype("<u2").tobytes(), 7, 5, bits=16),
    b"P5 2 1 65535\n\x80\x01\xff\xff",
    b"8BPS\0\1" + bytes(6) + b"\0\3\0\0\0\2\0\0\0\2\0\x08\0\3" + bytes(12) + b"\0\0" + bytes(range(12)),
]


def damaged(rng):
    content = rng.choice(FILES)
    options = {"size": rng.choice((None, None, 3, (2, 5))), "channels": rng.choice((None, 1, 3))}
    return (mutated(rng, content, FILES) if rng.random() < 0.95 else content), options


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1 << 20)
    path = tmp_path / "damaged.bin"

    def read_it(made):
        content, options = made
        path.write_bytes(content)
        array = image_to_array(path, **options)
        if not (array.dtype == np.float32 and array.ndim == 3 and 0 <= array.min() <= array.max() <= 1):
            raise AssertionError(f"{array.dtype} {array.shape} from {array.min()} to {array.max()}")

    return read_it


def name(made):
    return "damaged.bin"


def test_damaged_pictures(read):
    counts = fuzz(damaged, read, 600, named=name)
    assert min(counts["read"], counts["refused"]) > 100
    for content in FILES:
        read((content, {}))


@pytest.mark.slow
def test_a_hundred_thousand_damaged_pictures(read):
    fuzz(damaged, read, 100_000, seed=1, named=name)


FOLDERS = (
    "train",
    "Test",
    "val",
    "valid",
    "training_set",
    "cat",
    "dog",
    "犬",
    "$x^$",
    "a b",
    ".git",
    "__MACOSX",
    "1",
    "01",
)
NAMES = (
    "1.png",
    "2.PNG",
    "10.jpg",
    "._1.png",
    ".DS_Store",
    "notes.txt",
    "a.pdf",
    "w.h5",
    "x.avif",
    "no suffix",
    "e.eps",
)

REFUSALS = (ValueError, TypeError, RuntimeError)  # of a row of a stream, which says what it was


def tree(rng):
    """Return path -> content of a folder with a few files."""
    depth = rng.choice((1, 1, 2, 2, 3))
    inner = rng.sample(("cat", "dog", "犬", "01") if rng.random() < 0.7 else FOLDERS, k=rng.choice((1, 2, 2, 3)))
    outer = rng.choice((["train", "Test"], rng.sample(FOLDERS[:5], k=rng.choice((1, 2, 3))))) if depth > 1 else [""]
    files = {}
    for part in outer:
        for kind in inner if rng.random() < 0.9 else rng.sample(FOLDERS, k=2):
            for file in sorted({rng.choice(NAMES[:3]), *rng.sample(NAMES, k=rng.choice((0, 1, 2)))}):
                content = saved(COLOR if rng.random() < 0.95 else GRAY.resize((9, 9)), "PNG")
                content = mutated(rng, content) if rng.random() < 0.03 else content
                files["/".join([part, kind, *(["deep"] if depth == 3 else []), file]).strip("/")] = content
    if rng.random() < 0.2:
        files[rng.choice(NAMES)] = b"loose"
    return files, {"size": rng.choice((None, 4)), "stream": rng.random() < 0.5}


@pytest.fixture
def load(tmp_path):
    root = tmp_path / "pets"

    def load_it(made):
        files, options = made
        shutil.rmtree(root, ignore_errors=True)
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        images = load_image_folder(root, **options)
        labels = images.data.source.labels if options["stream"] else np.asarray(images.data.y)
        rows = np.sort(np.concatenate([*images.parts.values()])) if images.parts else np.arange(len(labels))
        if not (rows.tolist() == list(range(len(labels))) == list(range(len(images.paths)))):
            raise AssertionError(f"rows {rows} of {len(labels)}")
        for label, file in zip(labels, images.paths, strict=True):
            parts = file.relative_to(root).parts
            if images.classes[label] != parts[1 if images.parts else 0] or any(part.startswith(".") for part in parts):
                raise AssertionError(f"{file} has label {images.classes[label]}")

    return load_it


def test_folders_of_anything(load):
    counts = fuzz(tree, load, 150, kinds=REFUSALS)
    assert min(counts["read"], counts["refused"]) > 20


@pytest.mark.slow
def test_a_hundred_thousand_folders(load):
    fuzz(tree, load, 100_000, seed=1, kinds=REFUSALS)


def test_open_files_are_read_from_their_start():
    for content in (saved(COLOR, "PNG"), RGB16):
        file = io.BytesIO(content)
        file.seek(4)
        whole = image_to_array(io.BytesIO(content))
        np.testing.assert_array_equal(image_to_array(file), whole)

        class Pipe:
            def __init__(self, content):
                self.read = io.BytesIO(content).read

        np.testing.assert_array_equal(image_to_array(Pipe(content)), whole)
