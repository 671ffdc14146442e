"""What the kernels know of XLA's C structures, against the header that jaxlib ships."""

import re
from pathlib import Path

import jax
import pytest

pytest.importorskip("numba")

from seqvision.cells.unrolling.numba.kernels import xla_ffi

SIZES = {"int64_t": 8, "size_t": 8, "int": 4, "int32_t": 4, "uint32_t": 4, "XLA_FFI_Handler_Traits": 4}


@pytest.fixture(scope="module")
def header():
    return (Path(jax.ffi.include_dir()) / "xla" / "ffi" / "api" / "c_api.h").read_text(encoding="utf-8")


def structures(header):
    """(type, name) of each structure's members in their order, and the names of enumerations."""
    plain = re.sub(r"//[^\n]*", "", header)
    plain = re.sub(r"_XLA_FFI_API_STRUCT_FIELD\((\w+)\);", r"\1* \1;", plain)
    bodies = re.findall(r"struct (XLA_FFI_\w+) \{(.*?)\n\}", plain, re.DOTALL)
    members = {
        name: [
            ("pointer", re.sub(r"\W", "", line.split("(*")[1].split(")")[0]))
            if "(*" in line
            else ("pointer" if "*" in line else line.split()[-2], line.split()[-1].lstrip("*"))
            for line in body.split(";")
            if line.strip()
        ]
        for name, body in bodies
    }
    return members, set(re.findall(r"typedef enum \{.*?\} (XLA_FFI_\w+);", plain, re.DOTALL))


def size_and_offsets(name, members, enumerations):
    """The bytes of a structure up to its last member, its alignment, and where each member begins, as C lays it out."""
    end, alignment, offsets = 0, 1, {}
    for kind, member in members[name]:
        if kind in members:
            size, own, _ = size_and_offsets(kind, members, enumerations)
            size = -(-size // own) * own
        else:
            size = own = 8 if kind == "pointer" else 4 if kind in enumerations else SIZES[kind]
        offsets[member] = -(-end // own) * own
        end, alignment = offsets[member] + size, max(alignment, own)
    return end, alignment, offsets


@pytest.mark.parametrize("name", xla_ffi.LAYOUT)
def test_members_stand_where_the_header_has_them(header, name):
    _, _, offsets = size_and_offsets(name, *structures(header))
    for member, word in xla_ffi.LAYOUT[name]._asdict().items():
        assert offsets[member] == 8 * word, f"{name}.{member} has moved: see seqvision's xla_ffi.py"


@pytest.mark.parametrize("request_of", ["Error_Destroy", "ThreadPool_Schedule", "ThreadPool_NumThreads"])
def test_requests_are_as_long_as_the_header_has_them(header, request_of):
    name = f"XLA_FFI_{request_of}_Args"
    size, _, offsets = size_and_offsets(name, *structures(header))
    assert tuple(offsets) == xla_ffi.LAYOUT[name]._fields
    assert size == 8 * len(xla_ffi.LAYOUT[name])


def test_the_version_is_one_that_xla_takes(header):
    """A minor version adds to the end, a major one may move what stood before."""
    version = {part: int(re.search(rf"#define XLA_FFI_API_{part} (\d+)", header)[1]) for part in ("MAJOR", "MINOR")}
    assert version["MAJOR"] == xla_ffi.MAJOR
    assert version["MINOR"] >= xla_ffi.MINOR
    assert f"XLA_FFI_DataType_F32 = {xla_ffi.FLOAT32}," in header


def test_a_member_that_moves_is_noticed(header):
    moved = header.replace("const XLA_FFI_Api* api;", "int64_t added;\n  const XLA_FFI_Api* api;")
    with pytest.raises(AssertionError, match="has moved"):
        test_members_stand_where_the_header_has_them(moved, "XLA_FFI_CallFrame")
