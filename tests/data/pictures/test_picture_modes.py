"""Every kind of picture: its shades as float64 arithmetic has them, or a refusal that names file and mode."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seqvision.data import image_to_array, load_image_folder

RNG = np.random.default_rng(0)
LUMA = np.array([0.299, 0.587, 0.114])


def png(pixels, color):
    """Write 16 bits a channel as PNG, which Pillow cannot."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def tiff(content, width, height, *, bits, photometric=1, kind=1, samples=1, order="<", orientation=1):
    """Write one strip of pixels as TIFF: kind 1 unsigned, 2 signed, 3 float."""
    entries = [
        *[(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, photometric), (273, 4, 8)],
        *[(274, 3, orientation), (277, 3, samples), (278, 4, height), (279, 4, len(content)), (339, 3, kind)],
    ]
    extra, places = b"", []
    start = 8 + len(content)
    for tag, size, value in entries:
        count = samples if tag in (258, 339) else 1
        letter = {3: "H", 4: "I"}[size]
        packed = struct.pack(f"{order}{count}{letter}", *[value] * count)
        if len(packed) > 4:
            places.append(struct.pack(f"{order}HHII", tag, size, count, start + len(extra)))
            extra += packed
        else:
            places.append(struct.pack(f"{order}HHI", tag, size, count) + packed.ljust(4, b"\0"))
    magic = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", start + len(extra))
    return magic + content + extra + struct.pack(f"{order}H", len(entries)) + b"".join(places) + bytes(4)


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


DEEP = RNG.integers(0, 65536, (5, 7, 4))
BYTES = RNG.integers(0, 256, (5, 7, 4)).astype(np.uint8)
UNIT = RNG.uniform(0, 1, (5, 7)).astype(np.float32)
RGB16 = tiff(DEEP[..., :3].astype("<u2").tobytes(), 7, 5, bits=16, photometric=2, samples=3)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(DEEP[..., :1], 0), DEEP[..., :1] / 65535),
        (png(DEEP[..., :3], 2), DEEP[..., :3] / 65535),
        (png(DEEP[..., :2], 4), DEEP[..., :1] / 65535),
        (png(DEEP, 6), DEEP[..., :3] / 65535),
        (saved(Image.fromarray(DEEP[..., 0].astype(np.uint16)), "PNG"), DEEP[..., :1] / 65535),
        (saved(Image.fromarray(DEEP[..., 0].astype(np.uint16)), "TIFF"), DEEP[..., :1] / 65535),
        (tiff(DEEP[..., 0].astype(">u2").tobytes(), 7, 5, bits=16, order=">"), DEEP[..., :1] / 65535),
        (tiff(DEEP[..., 0].astype("<u2").tobytes(), 7, 5, bits=16, photometric=0), 1 - DEEP[..., :1] / 65535),
        (tiff(b"\x34\x12\xab" * 10, 2, 10, bits=12), np.tile([[[0x341 / 4095], [0x2AB / 4095]]], (10, 1, 1))),
        (RGB16, DEEP[..., :3] / 65535),
        (saved(Image.open(io.BytesIO(RGB16)), "TIFF"), (DEEP[..., :3] >> 8) / 255),
        (
            tiff(DEEP[..., :3].astype(">u2").tobytes(), 7, 5, bits=16, photometric=2, samples=3, order=">"),
            DEEP[..., :3] / 65535,
        ),
        (
            tiff(DEEP[..., :3].astype("<u2").tobytes(), 7, 5, bits=16, photometric=2, samples=3, orientation=3),
            DEEP[::-1, ::-1, :3] / 65535,
        ),
        (b"P5 2 1 65535\n\x80\x01\xff\xff", [[[0x8001 / 65535], [1]]]),
        (b"P2 2 1 1000\n500 1000\n", [[[0.5], [1]]]),
        (b"P5 2 1 15\n\x08\x0f", [[[8 / 15], [1]]]),
        (saved(Image.fromarray(UNIT), "TIFF"), UNIT[..., None]),
        (tiff(UNIT.astype(">f4").tobytes(), 7, 5, bits=32, kind=3, order=">"), UNIT[..., None]),
        (tiff(UNIT.tobytes(), 7, 5, bits=32, kind=3, photometric=0), 1 - UNIT[..., None]),
        (saved(Image.fromarray(np.array([[0, 1]], np.int32)), "TIFF"), [[[0], [1]]]),
        (b"Pf 1 1 -1.0\n" + struct.pack("<f", 0.25), [[[0.25]]]),
        (saved(Image.fromarray(BYTES[..., 0] > 99), "PNG"), BYTES[..., :1] > 99),
        (saved(Image.fromarray(BYTES[..., :2]), "PNG"), BYTES[..., :1] / 255),
        (saved(Image.fromarray(BYTES), "PNG"), BYTES[..., :3] / 255),
        (saved(Image.fromarray(BYTES), "TIFF"), BYTES[..., :3] / 255),
    ],
    ids=[
        *["png gray", "png color", "png gray alpha", "png alpha", "pillow png", "pillow tiff", "big endian"],
        *["white is 0", "12 bits", "tiff color", "8 bits again", "color big endian", "color turned"],
        *["pgm", "plain pgm", "pgm of 15", "float", "float big endian", "float white is 0", "integers 0 and 1", "pfm"],
        *["1 bit", "gray alpha", "alpha", "alpha tiff"],
    ],
)
def test_shades_are_kept(tmp_path, content, expected):
    expected = np.asarray(expected, np.float64)
    (tmp_path / "picture").write_bytes(content)
    for source in (tmp_path / "picture", io.BytesIO(content)):
        array = image_to_array(source)
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, expected, atol=1e-5)
    gray, color = (image_to_array(tmp_path / "picture", channels=channels) for channels in (1, 3))
    assert (gray.shape[-1], color.shape[-1]) == (1, 3)
    weights = LUMA if expected.shape[-1] == 3 else np.ones(1)
    np.testing.assert_allclose(gray[..., 0], expected @ weights, atol=0.006)
    np.testing.assert_allclose(color, np.broadcast_to(expected, color.shape), atol=0.0042)
    small = image_to_array(tmp_path / "picture", size=(2, 1))
    assert small.shape == (2, 1, expected.shape[-1])
    assert 0 <= small.min() <= small.max() <= 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (saved(Image.fromarray(np.full((2, 2), 1200, np.float32)), "TIFF"), "mode F, floats that reach from 1200 to 1"),
        (saved(Image.fromarray(np.full((2, 2), np.nan, np.float32)), "TIFF"), "mode F, floats that reach from nan"),
        (saved(Image.fromarray(np.full((2, 2), -0.5, np.float32)), "TIFF"), r"mode F, floats that reach from -0\.5"),
        (saved(Image.fromarray(np.full((2, 2), 128, np.int32)), "TIFF"), "mode I, 32-bit integers .* from 128 to 128"),
        (tiff(struct.pack("<2h", -3, 9), 2, 1, bits=16, kind=2), "mode I, 32-bit integers .* from -3 to 9"),
        (saved(Image.new("LAB", (2, 2)), "TIFF"), "mode LAB, which is not read: convert it to RGB"),
    ],
    ids=["float 1200", "nan", "negative", "int32", "int16", "LAB"],
)
def test_numbers_that_are_no_shades_are_refused_with_file_and_mode(tmp_path, content, says):
    for name in ("cat/1.tif", "dog/1.tif"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"1\.tif is a picture of {says}"):
        image_to_array(tmp_path / "cat" / "1.tif")
    with pytest.raises(ValueError, match=rf"cat/1\.tif is a picture of {says}"):
        load_image_folder(tmp_path)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "La", "RGBa"]
)
def test_every_mode_of_8_bits_has_shades(mode):
    image = Image.new("RGB", (3, 2), (255, 255, 255))
    image = image.convert({"La": "LA", "RGBa": "RGBA", "PA": "P"}.get(mode, mode)).convert(mode)
    array = image_to_array(image)
    assert array.shape == (2, 3, 1 if mode in ("1", "L", "LA", "La") else 3)
    np.testing.assert_allclose(array, np.ones_like(array))


def test_arguments_are_said_in_our_words():
    gray = Image.new("L", (4, 6), 51)
    assert image_to_array(gray, size=64).shape == image_to_array(gray, size=np.int64(64)).shape == (64, 64, 1)
    for options, says in [
        ({"channels": 4}, r"channels must be 1 \(gray\), 3 \(color\) or None, got 4"),
        ({"size": (3,)}, r"size must be \(height, width\), or one int for both, got \(3,\)"),
        ({"size": (0, 3)}, "size must be an int >= 1, got 0"),
        ({"size": 2.5}, r"got 2\.5"),
        ({"size": "64"}, "got '64'"),
        ({"size": 10**6}, "size is 1000000 x 1000000 pixels, more than 89,478,485"),
    ]:
        with pytest.raises(ValueError, match=says):
            image_to_array(gray, **options)
    for image in (b"\x89PNG", np.zeros((2, 2)), None, 7):
        with pytest.raises(TypeError, match=r"must be a path, an open file or a Pillow image, got"):
            image_to_array(image)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "WEBP", "BMP"])
def test_pixels_are_bounded_before_they_are_read(tmp_path, kind, monkeypatch):
    path = tmp_path / f"large.{kind.lower()}"
    Image.new("1" if kind != "WEBP" else "RGB", (900, 700)).save(path, kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 629_999)
    with pytest.raises(ValueError, match=rf"large\.{kind.lower()} (has too many pixels|is 700 x 900 pixels)"):
        image_to_array(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 630_000)
    assert image_to_array(path, size=8).shape[:2] == (8, 8)
    with Image.open(path) as opened:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 629_999)
        with pytest.raises(ValueError, match="the picture is 700 x 900 pixels, more than 629,999"):
            image_to_array(opened)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_small_file_of_many_pixels_is_not_unpacked(tmp_path):
    import tracemalloc

    rows = zlib.compress(bytes(1626 * 13000), 9)
    header = struct.pack(">IIBBBBB", 13000, 13000, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    content = b"".join(
        struct.pack(">I", len(c)) + kind + c + struct.pack(">I", zlib.crc32(kind + c)) for kind, c in chunks
    )
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    assert (tmp_path / "bomb.png").stat().st_size < 160 << 10
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"bomb\.png is 13000 x 13000 pixels, more than 89,478,485"):
        image_to_array(tmp_path / "bomb.png")
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_whatever_a_reader_raises_names_the_file(tmp_path, monkeypatch):
    for kind in ("AVIF", "DDS", "TIFF", "GIF", "QOI"):
        path = tmp_path / f"cut.{kind.lower()}"
        path.write_bytes(saved(Image.fromarray(BYTES), kind)[:100])
        with pytest.raises(ValueError, match=rf"cut\.{kind.lower()} is no picture or a damaged one"):
            image_to_array(path)
    for error in (KeyError("key"), RecursionError(), struct.error("short"), NotImplementedError("DXT"), MemoryError()):

        def raises(*args, error=error, **options):
            raise error

        monkeypatch.setattr(Image, "open", raises)
        with pytest.raises(ValueError, match=r"cut\.avif is no picture or a damaged one \(.+\): replace or remove"):
            image_to_array(tmp_path / "cut.avif")
    with pytest.raises(IsADirectoryError):
        image_to_array(Path(tmp_path))
