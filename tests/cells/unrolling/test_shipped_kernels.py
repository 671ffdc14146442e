"""The compiled kernels that the package brings along: used where they fit, refused where they are not right."""

import logging
import os
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest

from seqvision.cells import GRU, LSTM, Elman
from seqvision.cells.unrolling.numba import kernel_calls, machine_code, processor, shipped, targets
from seqvision.cells.unrolling.numba.kernels.signatures import HANDLERS
from tests.cells.unrolling.test_numba import gradients, problem

if jax.default_backend() != "cpu":
    pytest.skip("the kernels are for CPUs", allow_module_level=True)

PROGRAM = """
import sys, jax, jax.numpy as jnp
from seqvision.cells import GRU, LSTM, unroll
for cell in (LSTM(5), GRU(24)):
    params = cell.init(jax.random.key(0), 1)
    loss = lambda params: jnp.sum(unroll(cell, params, jnp.ones((16, 3, 1)), method="numba")[1])
    jax.jit(jax.grad(loss))(params).b.block_until_ready()
print(sorted({"numba", "llvmlite"} & set(sys.modules)))
"""


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A package of one's own, that nothing was read of."""
    for name in ("objects", "kernels"):
        shutil.copytree(shipped.ROOM / name, tmp_path / name)
    monkeypatch.setattr(shipped, "ROOM", tmp_path)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "objects")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget():
    for function in (shipped.digest, shipped.library, shipped.content, shipped._manifest, targets.are_there):
        function.cache_clear()


@pytest.fixture
def library():
    if shipped.library() is None:
        pytest.skip("no library is made for this machine")
    return shipped.library()


def test_what_is_shipped_was_made_of_these_sources():
    rebuild = "run python -m seqvision.cells.unrolling.numba.build"
    assert shipped._manifest()["sources"] == shipped.digest(), rebuild
    assert all(shipped.content(name) for name in (*shipped.LIBRARIES, shipped.BITCODE)), rebuild
    assert sum(path.stat().st_size for path in shipped.FOLDER.iterdir()) < 2_000_000


def test_a_library_has_every_handler(library):
    assert all(hasattr(library, handler.name) for handler in HANDLERS)


def test_a_fresh_process_compiles_no_kernel(library, tmp_path):
    environment = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert not list(tmp_path.rglob("kernels/*"))


def test_an_edited_kernel_takes_nothing_of_what_was_made_before(fresh):
    assert shipped.content(shipped.BITCODE)
    with (fresh / "kernels" / "gates.py").open("a", encoding="utf-8") as file:
        file.write("\n# edited\n")
    forget()
    assert shipped.library() is None
    assert not shipped.has_bitcode()


@pytest.mark.parametrize("name", [*shipped.LIBRARIES, shipped.BITCODE])
def test_a_flipped_bit_is_refused(fresh, name, caplog):
    path = fresh / "objects" / name
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    with caplog.at_level(logging.WARNING, logger="seqvision"):
        assert shipped.content(name) is None
    assert f"{name} is not the file that seqvision came with: install it again" in caplog.text
    assert {shipped.content(other) is None for other in shipped.LIBRARIES if other != name} == {False}


@pytest.mark.parametrize("content", [None, b"", b"no json"])
def test_without_a_manifest_nothing_is_used(fresh, content):
    path = fresh / "objects" / shipped.MANIFEST
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert shipped.library() is None


def test_a_processor_gets_what_it_can_run(fresh, monkeypatch):
    monkeypatch.delenv(processor.ENVIRONMENT, raising=False)
    loaded = []
    monkeypatch.setattr(shipped.ctypes, "CDLL", loaded.append)
    monkeypatch.setattr(shipped.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(shipped.sys, "platform", "linux")
    for has in (processor.AVX512, processor.AVX512 - {"avx512vl"}, processor.AVX2, processor.AVX2 - {"fma"}):
        for module in (processor, shipped):
            monkeypatch.setattr(module, "features", lambda has=has: has)
        forget()
        shipped.library()
    monkeypatch.setattr(shipped.platform, "machine", lambda: "aarch64")
    forget()
    assert shipped.library() is None
    assert [name.rpartition("/")[2] for name in loaded] == ["x86-64-v4.so", "x86-64-v3.so", "x86-64-v3.so"]


def test_without_compilers_a_machine_of_another_kind_has_no_kernels(fresh, monkeypatch):
    monkeypatch.setattr(shipped, "library", lambda: None)
    for there, lanes, expected in (("numba", 16, True), ("llvmlite", 8, True), ("llvmlite", 16, False), ("", 8, False)):
        targets.are_there.cache_clear()
        monkeypatch.setattr(targets, "find_spec", lambda name, there=there: name if name == there else None)
        monkeypatch.setattr(shipped, "lanes", lambda lanes=lanes: lanes)
        assert targets.are_there() == expected


CASES = {  # cell, batch, and what is compiled for outputs and gradients
    "narrow": (LSTM(5), (33,), ["lstm_forward_narrow", "lstm_backward_narrow", "linear_weight_gradients"]),
    "wide": (LSTM(40), (7,), ["lstm_forward", "lstm_backward", "linear_weight_gradients"]),
    "few": (GRU(5), (2,), ["gru_forward", "gru_backward", "gru_weight_gradients"]),
    "elman": (Elman(16), (33,), ["tanh_forward_narrow", "tanh_backward_narrow", "linear_weight_gradients"]),
}


def compiled_here(cell, batch, monkeypatch):
    """Outputs and gradients by handlers that are compiled now, and their names."""
    names = []

    def registered(handler):
        if handler not in names:
            function = targets.compiled_here(handler)
            jax.ffi.register_ffi_target(f"{handler.name}_{len(KEPT)}", jax.ffi.pycapsule(function), platform="cpu")
            names.append(handler)
            KEPT.append(function)
        return f"{handler.name}_{len(KEPT) - 1}"

    monkeypatch.setattr(kernel_calls, "registered", registered)
    got = jax.block_until_ready(gradients(cell, "numba")(*problem(cell, batch, 6, 3)))
    monkeypatch.undo()
    return got, [handler.name.removeprefix("seqvision_") for handler in names]


KEPT = []


@pytest.mark.parametrize(("cell", "batch", "expected"), CASES.values(), ids=CASES)
def test_bits_are_those_of_kernels_compiled_for_this_processor(library, cell, batch, expected, monkeypatch, tmp_path):
    """From bitcode, for the same lanes, here as on a machine that has no library; and nothing else is compiled."""
    pytest.importorskip("llvmlite")
    if not shipped.has_bitcode():
        pytest.skip("made for eight lanes")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    got, names = compiled_here(cell, batch, monkeypatch)
    assert names == expected
    equal_bits(got, gradients(cell, "numba")(*problem(cell, batch, 6, 3)))


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "batch", "expected"), CASES.values(), ids=CASES)
def test_bits_are_those_of_edited_kernels(library, cell, batch, expected, fresh, monkeypatch):
    """By numba, for this processor and its lanes."""
    pytest.importorskip("numba")
    usual = gradients(cell, "numba")(*problem(cell, batch, 6, 3))
    monkeypatch.setattr(shipped, "digest", lambda: "of other sources")
    got, names = compiled_here(cell, batch, monkeypatch)
    assert names == expected
    equal_bits(got, usual)


def equal_bits(got, expected):
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(np.asarray(a).view(np.int32), np.asarray(b).view(np.int32))


@pytest.mark.parametrize("triple", ["arm64-apple-darwin", "aarch64-unknown-linux-gnu", "x86_64-apple-darwin"])
def test_bitcode_compiles_for_other_machines(triple):
    pytest.importorskip("llvmlite")
    bitcode = shipped.zipfile.ZipFile(shipped.FOLDER / shipped.BITCODE).read("seqvision_lstm_forward_narrow")
    code = machine_code.object_code(bitcode, triple, "")
    assert b"seqvision_lstm_forward_narrow" in code
    assert code.startswith(b"\x7fELF" if "linux" in triple else b"\xcf\xfa\xed\xfe")


def test_the_wheel_contains_them(tmp_path):
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(shipped.ROOM.parents[4]))
    inside = [file.distribution_path for file in builder.recurse_included_files()]
    for name in (*shipped.LIBRARIES, shipped.BITCODE, shipped.MANIFEST):
        assert f"seqvision/cells/unrolling/numba/objects/{name}" in inside
