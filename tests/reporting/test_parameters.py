import tracemalloc
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.reporting import flatten_leaves, load_parameters, save_parameters, unflatten_leaves

TREE = {
    "GRU": {"seed_0": {"params": {"cell": {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(3)}}}},
    "steps": np.int32(7),
}


def test_round_trip_is_bit_exact(tmp_path):
    save_parameters(tmp_path / "p.npz", TREE)
    back = load_parameters(tmp_path / "p.npz", TREE)
    assert jax.tree.structure(back) == jax.tree.structure(TREE)
    for ours, theirs in zip(jax.tree.leaves(TREE), jax.tree.leaves(back), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert list(tmp_path.iterdir()) == [tmp_path / "p.npz"]
    assert unflatten_leaves(flatten_leaves(TREE)).keys() == TREE.keys()


def test_takes_jax_arrays_and_shapes(tmp_path):
    save_parameters(tmp_path / "p.npz", {"w": jnp.ones((2,))})
    expected = jax.eval_shape(lambda: {"w": jnp.ones((2,))})
    assert load_parameters(tmp_path / "p.npz", expected)["w"].shape == (2,)


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
    save_parameters(tmp_path / "p.npz", {"w": np.ones((2, 3), np.float32)})
    with pytest.raises(ValueError, match=message):
        load_parameters(tmp_path / "p.npz", expected)


def test_every_flipped_byte_of_an_array_is_found(tmp_path):
    path = tmp_path / "p.npz"
    save_parameters(path, {"w": np.arange(64, dtype=np.float32)})
    data = path.read_bytes()
    start = data.index(np.arange(64, dtype=np.float32).tobytes())
    for at in range(start, start + 256, 37):
        broken = bytearray(data)
        broken[at] ^= 1
        path.write_bytes(bytes(broken))
        with pytest.raises(ValueError, match="damaged"):
            load_parameters(path)
    for cut in (0, 1, 100, len(data) - 1):
        path.write_bytes(data[:cut])
        with pytest.raises(ValueError, match="damaged"):
            load_parameters(path)


def test_pickles_are_never_loaded(tmp_path):
    np.savez(tmp_path / "p.npz", w=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="damaged"):
        load_parameters(tmp_path / "p.npz")
    with pytest.raises(FileNotFoundError, match="did the run finish"):
        load_parameters(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("tree", "error", "message"),
    [
        ({"a/b": np.ones(1)}, ValueError, "without '/'"),
        ({1: np.ones(1)}, ValueError, "use a text"),
        ({"a": np.array([None])}, TypeError, "cannot hold"),
        ({"a": jnp.ones(1, jnp.bfloat16)}, TypeError, "cast it to float32"),
    ],
)
def test_trees_that_would_not_come_back_are_refused(tmp_path, tree, error, message):
    with pytest.raises(error, match=message):
        save_parameters(tmp_path / "p.npz", tree)
    assert not list(tmp_path.iterdir())


def npz(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)


def npy(shape, kind="<f4", data=b"", order=False):
    header = f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


@pytest.mark.parametrize(
    "members",
    [
        [("w.npy", npy("(1000000000000,)"))],
        [("w.npy", npy("(-2, -2)", data=bytes(16)))],
        [("w.npy", npy("(3,)", data=bytes(16)))],
        [("w.npy", npy("(4,)", "|O", bytes(32)))],
        [("w.npy", npy("(4,)", "<U4", bytes(64)))],
        [("w", npy("(4,)", data=bytes(16)))],
        [("w.npy", npy("(4,)", data=bytes(16))), ("w/b.npy", npy("(4,)", data=bytes(16)))],
        [("w/b.npy", npy("(4,)", data=bytes(16))), ("w.npy", npy("(4,)", data=bytes(16)))],
        [("w.npy", b"")],
        [("w.npy", b"\x93NUMPY\x07\x00" + bytes(100))],
        [("w.npy", npy("[" * 5000))],
    ],
)
def test_a_header_claims_no_more_than_the_file_holds(tmp_path, members):
    npz(tmp_path / "p.npz", members)
    with pytest.raises(ValueError, match=r"p\.npz is damaged"):
        load_parameters(tmp_path / "p.npz")


def test_what_unpacks_to_more_than_the_file_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "p.npz"
    npz(path, [("w.npy", npy("(25000000,)", data=bytes(100_000_000)))], zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 200_000
    tracemalloc.start()
    with pytest.raises(ValueError, match="claim more than the file holds"):
        load_parameters(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    save_parameters(path, {"w": columns, "empty": np.zeros((0, 3)), "one": np.float32(2)})
    back = load_parameters(path)
    np.testing.assert_array_equal(back["w"], columns)
    assert back["empty"].shape == (0, 3)
    assert back["one"] == 2
    back["w"][0, 0] = 5.0
