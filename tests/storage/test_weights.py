import json
import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from seqvision.storage import flatten_leaves, load_weights, save_weights, unflatten_leaves
from seqvision.storage.weights import CODES

TREE = {
    "GRU": {"seed_0": {"params": {"cell": {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(3)}}}},
    "steps": np.int32(7),
}


def test_round_trip_is_bit_exact(tmp_path):
    save_weights(tmp_path / "w.safetensors", TREE)
    back = load_weights(tmp_path / "w.safetensors", TREE)
    assert jax.tree.structure(back) == jax.tree.structure(TREE)
    for ours, theirs in zip(jax.tree.leaves(TREE), jax.tree.leaves(back), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert list(tmp_path.iterdir()) == [tmp_path / "w.safetensors"]
    assert unflatten_leaves(flatten_leaves(TREE)).keys() == TREE.keys()


def test_takes_jax_arrays_and_shapes(tmp_path):
    save_weights(tmp_path / "w.safetensors", {"w": jnp.ones((2,))})
    expected = jax.eval_shape(lambda: {"w": jnp.ones((2,))})
    assert load_weights(tmp_path / "w.safetensors", expected)["w"].shape == (2,)


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"w": np.ones((3, 2), np.float32)}, r"w is float32\(2, 3\), expected float32\(3, 2\)"),
        ({"w": np.ones((2, 3))}, r"w is float32\(2, 3\), expected float64\(2, 3\)"),
        ({"w": np.ones((2, 3), np.float32), "b": np.ones(3)}, "b is missing"),
        ({}, "w is not a leaf of the model"),
        ({"x": {str(i): np.ones(1) for i in range(9)}}, "and 5 more"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, expected, message):
    save_weights(tmp_path / "w.safetensors", {"w": np.ones((2, 3), np.float32)})
    with pytest.raises(ValueError, match=message):
        load_weights(tmp_path / "w.safetensors", expected)


def test_every_flipped_byte_of_an_array_is_found(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, {"w": np.arange(64, dtype=np.float32)})
    data = path.read_bytes()
    start = data.index(np.arange(64, dtype=np.float32).tobytes())
    for at in range(start, start + 256, 37):
        broken = bytearray(data)
        broken[at] ^= 1
        path.write_bytes(bytes(broken))
        with pytest.raises(ValueError, match="damaged"):
            load_weights(path)
    for cut in (0, 1, 100, len(data) - 1):
        path.write_bytes(data[:cut])
        with pytest.raises(ValueError, match="damaged"):
            load_weights(path)


def test_pickles_are_never_loaded(tmp_path):
    with (tmp_path / "w.safetensors").open("wb") as file:
        np.savez(file, w=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="damaged"):
        load_weights(tmp_path / "w.safetensors")
    with pytest.raises(FileNotFoundError, match="did the run finish"):
        load_weights(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("tree", "error", "message"),
    [
        ({"a/b": np.ones(1)}, ValueError, "without '/'"),
        ({1: np.ones(1)}, ValueError, "use a text"),
        ({"a": np.array([None])}, TypeError, "lacks: cast it"),
        ({"a": np.ones(1, np.complex128)}, TypeError, "a has dtype complex128, which .safetensors lacks"),
        ({"a": jax.random.key(0)}, TypeError, "lacks: cast it"),
        ({"__metadata__": np.ones(1)}, ValueError, "without '/'"),
    ],
)
def test_trees_that_would_not_come_back_are_refused(tmp_path, tree, error, message):
    with pytest.raises(error, match=message):
        save_weights(tmp_path / "w.safetensors", tree)
    assert not list(tmp_path.iterdir())


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def leaf(shape, stop=16, dtype="F32", start=0):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        (1 << 60).to_bytes(8, "little") + b"{}",
        file_of(b"[" * 200_000),
        file_of(b"{" + b'"a":{' * 100_000),
        file_of({"w": leaf([10**12])}, bytes(16)),
        file_of({"w": leaf([2**62, 4])}, bytes(16)),
        file_of({"w": leaf([-2, -2])}, bytes(16)),
        file_of({"w": leaf([3])}, bytes(16)),
        file_of({"w": leaf([4])}, bytes(15)),
        file_of({"w": leaf([4])}, bytes(17)),
        file_of({"w": leaf([4], dtype="O")}, bytes(16)),
        file_of({"w": leaf([4], dtype="F8_E8M0", stop=4)}, bytes(4)),
        file_of({"w": leaf([4]), "v": leaf([4])}, bytes(16)),
        file_of({"w": leaf([4]), "w/b": leaf([4], 32, start=16)}, bytes(32)),
        file_of({"w/b": leaf([4]), "w": leaf([4], 32, start=16)}, bytes(32)),
        file_of({"__metadata__": {"sha256": "0"}, "w": leaf([4])}, bytes(16)),
        file_of({"__metadata__": 3, "w": leaf([4])}, bytes(16)),
        file_of({"w": 3}),
        file_of([]),
    ],
    ids=range(20),
)
def test_a_header_claims_no_more_than_the_file_holds(tmp_path, content):
    (tmp_path / "w.safetensors").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"w\.safetensors is damaged"):
        load_weights(tmp_path / "w.safetensors")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_every_dtype_and_layout_comes_back_and_other_readers_read_it(tmp_path):
    path = tmp_path / "w.safetensors"
    columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    tree = {"w": columns, "empty": np.zeros((0, 3)), "one": np.float32(2), "big": np.arange(3, dtype=">i4")}
    tree |= {code: np.ones((2, 2), jnp.dtype(name)) for code, name in CODES.items()}
    save_weights(path, tree)
    back = load_weights(path)
    for name, array in tree.items():
        assert back[name].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(back[name], array)
    assert back["one"].shape == ()
    back["w"][0, 0] = 5.0
    with safe_open(path, framework="np") as file:
        np.testing.assert_array_equal(file.get_tensor("w"), columns)
    save_weights(path, tree)
    first = path.read_bytes()
    save_weights(path, dict(reversed(tree.items())))
    assert path.read_bytes() == first


def test_a_file_of_another_library_is_read(tmp_path):
    save_file({"dense.kernel": np.ones((2, 3), np.float16)}, tmp_path / "w.safetensors")
    assert load_weights(tmp_path / "w.safetensors")["dense.kernel"].dtype == np.float16
