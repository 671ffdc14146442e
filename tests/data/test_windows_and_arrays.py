import dataclasses
import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import Arrays, Windows


def jitted_gather():
    return jax.jit(lambda data, indices: data.gather(indices))


def test_windows_equal_a_loop_of_slices():
    series = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    gather = jitted_gather()
    for length, horizon, targets in [(1, 1, None), (7, 1, (1,)), (5, 4, (2, 0)), (39, 1, None), (3, 2, (1, 2))]:
        windows = Windows(series, length, horizon, targets=targets)
        assert len(windows) == 40 - length - horizon + 1
        columns = list(range(3)) if targets is None else list(targets)
        batch = gather(windows, np.arange(len(windows)))
        assert batch.x.shape == (len(windows), length, 3)
        assert batch.y.shape == (len(windows), horizon, len(columns))
        for i in range(len(windows)):
            np.testing.assert_array_equal(batch.x[i], series[i : i + length])
            np.testing.assert_array_equal(batch.y[i], series[i + length : i + length + horizon][:, columns])


@given(st.data())
def test_on_a_count_every_target_is_origin_plus_h(data):
    length, horizon = data.draw(st.sampled_from([(1, 1), (10, 3), (50, 7)]))
    windows = Windows(np.arange(100.0), length, horizon)
    indices = np.array(data.draw(st.lists(st.integers(0, len(windows) - 1), min_size=4, max_size=4)))
    batch = windows.gather(indices)
    origins = np.asarray(batch.x[:, -1, 0])  # the last known value, which equals its row
    np.testing.assert_array_equal(origins, indices + length - 1)
    for h in range(1, horizon + 1):
        np.testing.assert_array_equal(batch.y[:, h - 1, 0], origins + h)


def test_a_long_series_takes_no_more_memory_than_itself():
    series = np.random.default_rng(0).normal(size=(1_000_000, 5))
    tracemalloc.start()
    windows = Windows(series, length=60, horizon=10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 25e6  # float32, once; the device takes the same memory over on CPU
    compiled = jitted_gather().lower(windows, jnp.arange(32)).compile()
    memory = compiled.memory_analysis()
    if memory is not None:
        assert memory.temp_size_in_bytes < 1e6
        assert memory.argument_size_in_bytes >= 20_000_000  # an argument, not a constant of the program


def test_sizes_are_static_and_arrays_traced():
    traces = []

    @jax.jit
    def gather(data, indices):
        traces.append(data.length)
        return data.gather(indices)

    for seed in range(3):
        gather(Windows(np.random.default_rng(seed).normal(size=(30, 2)), 5, 2, targets=(1,)), np.arange(4))
    assert traces == [5]
    gather(Windows(np.zeros((30, 2)), 6, 2, targets=(1,)), np.arange(4))
    assert traces == [5, 6]
    windows = Windows(np.zeros((30, 2)), 5)
    assert [leaf.shape for leaf in jax.tree.leaves(windows)] == [(30, 2)]
    assert dataclasses.is_dataclass(windows)
    assert len(jax.eval_shape(lambda w: w, windows)) == 25


def test_placeholders_and_invalid_values_pass_through_tree_operations():
    windows = Windows(np.arange(6.0), 2)
    jax.tree.map(lambda leaf: object(), windows)
    broken = jax.tree.map(lambda leaf: leaf * jnp.nan, windows)
    assert np.isnan(broken.series).all()
    treedef = jax.tree.structure(Arrays(np.zeros((2, 1)), np.zeros(2)))
    assert jax.tree.unflatten(treedef, [None, None]).x is None


def test_gather_inside_scan_and_vmap():
    windows = Windows(np.arange(20.0), 3, 2)
    indices = np.array([[0, 5], [15, 2], [7, 7]])

    @jax.jit
    def run(data, indices):
        return jax.lax.scan(lambda total, i: (total + data.gather(i).y.sum(), data.gather(i).y), 0.0, indices)

    total, ys = run(windows, indices)
    want = indices[:, :, None] + np.array([3, 4])[None, None, :]
    np.testing.assert_array_equal(ys[..., 0], want)
    assert total == want.sum()
    np.testing.assert_array_equal(jax.vmap(lambda i: windows.gather(i).y)(indices)[..., 0], want)


def test_built_inside_a_trace():
    y = jax.jit(lambda series: Windows(series, 2).gather(jnp.array([1])).y)(jnp.arange(5.0))
    assert y.tolist() == [[[3.0]]]


def test_indices_out_of_range_give_the_first_and_last_window():
    windows, rows = Windows(np.arange(10.0), 3), Arrays(np.arange(10.0))
    assert windows.gather(np.array([-1, 99])).y.ravel().tolist() == [3.0, 9.0]
    assert rows.gather(np.array([-1, 99])).x.tolist() == [0.0, 9.0]


def test_later_writes_of_the_user_do_not_reach_the_data():
    for dtype in (np.float32, np.float64):
        series = np.ones((1000, 2), dtype)
        windows, rows = Windows(series, 3), Arrays(series)
        series[:] = 7
        assert float(windows.series.max()) == 1
        assert float(rows.x.max()) == 1


def test_types():
    assert Windows([1, 2, 3], 1).series.dtype == jnp.float32
    assert Windows(np.zeros(5, bool), 1).series.dtype == jnp.float32
    assert Windows(jnp.zeros(5, jnp.bfloat16), 1).series.dtype == jnp.bfloat16
    data = Arrays(np.zeros((3, 2)), np.array([1, 2, 3], np.uint8))
    assert data.x.dtype == jnp.float32
    assert data.y.dtype == jnp.int32
    assert Arrays(np.zeros((3, 2), int)).x.dtype == jnp.int32  # ids of words
    assert float(Windows(np.array([2**24, 0]), 1).series[0, 0]) == 2**24


@pytest.mark.usefixtures("x64")
def test_types_under_x64():
    assert Windows(np.zeros(5), 1).series.dtype == jnp.float64
    assert Windows(np.zeros(5, np.float32), 1).series.dtype == jnp.float32
    assert Windows(np.array([2**24 + 1, 0]), 1).series[0, 0] == 2**24 + 1


def test_arrays_of_trees():
    data = Arrays({"image": np.arange(12.0).reshape(4, 3), "id": np.arange(4)}, (np.arange(4), np.ones((4, 2))))
    batch = jitted_gather()(data, np.array([2, 2, 0]))
    assert batch.x["image"].tolist() == [[6, 7, 8], [6, 7, 8], [0, 1, 2]]
    assert batch.x["id"].tolist() == [2, 2, 0]
    assert batch.y[0].tolist() == [2, 2, 0]
    assert batch.y[1].shape == (3, 2)
    assert Arrays(np.zeros((4, 1))).gather(np.array([1])).y is None


LONG = np.zeros((300_000, 2))
LONG[290_000, 1] = np.nan


@pytest.mark.parametrize(
    ("build", "error", "says"),
    [
        (lambda: Windows(np.zeros(5), 5), ValueError, "5 rows, .* 5 \\+ 1 = 6"),
        (lambda: Windows(np.zeros(5), 0), ValueError, "length must be an int >= 1, got 0"),
        (lambda: Windows(np.zeros(5), 1, 0), ValueError, "horizon must be an int >= 1, got 0"),
        (lambda: Windows(np.zeros(5), 1.5), ValueError, "length must be an int >= 1, got 1.5"),
        (lambda: Windows(np.zeros((5, 1, 1)), 1), ValueError, r"\(5, 1, 1\)"),
        (lambda: Windows([[1, 2], [3, np.nan]], 1), ValueError, "NaN at row 1, column 1"),
        (lambda: Windows(jnp.array([1, jnp.inf, 2]), 1), ValueError, "infinite at row 1"),
        (lambda: Windows(LONG, 1), ValueError, "NaN at row 290000, column 1"),
        (lambda: Windows(np.array([0, 2**24 + 1]), 1), ValueError, "16777217 at row 1, which float32"),
        (lambda: Windows(np.array([1.0, 1e39]), 1), ValueError, "float32, is infinite at row 1"),
        (lambda: Windows(["a", "b"], 1), TypeError, "real numbers"),
        (lambda: Windows(np.array([1, None]), 1), TypeError, "real numbers"),
        (lambda: Windows(np.zeros(5, complex), 1), TypeError, "real numbers"),
        (lambda: Windows(np.zeros((5, 2)), 1, targets=(2,)), ValueError, r"0\.\.1"),
        (lambda: Windows(np.zeros((5, 2)), 1, targets=()), ValueError, "at least one"),
        (lambda: Windows(np.zeros((5, 2)), 1, targets=(1, 1)), ValueError, "none twice"),
        (lambda: Windows(np.zeros((5, 2)), 1, targets=1), TypeError, r"\(1,\)"),
        (lambda: Arrays(np.zeros(3), np.zeros(4)), ValueError, "x 3, y 4"),
        (lambda: Arrays({"a": np.zeros(3), "b": np.zeros(2)}), ValueError, r"x\['a'\] 3, x\['b'\] 2"),
        (lambda: Arrays({}), ValueError, "no array"),
        (lambda: Arrays(1.0), ValueError, "single number"),
        (lambda: Arrays(np.zeros((3, 8, 8, 1), np.uint8)), TypeError, "uint8.* by 255"),
        (lambda: Arrays(np.zeros(2), np.array([0, 2**31])), ValueError, "2147483648 at row 1, .* int32"),
        (lambda: Arrays(np.zeros(2), np.array([0, -(2**63)])), ValueError, "int32"),
        (lambda: Arrays(np.full((2, 2, 2), np.inf)), ValueError, r"infinite at row 0, position \(0, 0\)"),
    ],
)
def test_errors_name_argument_and_value(build, error, says):
    with pytest.raises(error, match=says):
        build()


IMAGES = np.random.default_rng(0).random((4, 3, 2)).astype(np.float32)


@pytest.mark.parametrize(
    "x",
    [list(IMAGES), IMAGES.tolist(), [jnp.asarray(image) for image in IMAGES], [list(image) for image in IMAGES]],
    ids=["arrays", "numbers", "jax arrays", "lists of arrays"],
)
@pytest.mark.parametrize("y", [[3, 1, 4, 1], np.array([3, 1, 4, 1])], ids=["list", "array"])
def test_a_list_is_as_many_examples(x, y):
    data = Arrays(x, y)
    assert len(data) == 4
    np.testing.assert_array_equal(data.x, IMAGES)
    assert data.y.tolist() == [3, 1, 4, 1]
    assert data.y.dtype == jnp.int32


def test_lists_in_tuples_and_dicts_are_examples_too():
    mask = [[True, True, False], [True, False, False], [False] * 3, [True] * 3]
    for data in (Arrays((list(IMAGES), mask), IMAGES), Arrays({"x": list(IMAGES), "mask": mask}, IMAGES)):
        x, flags = data.x if isinstance(data.x, tuple) else (data.x["x"], data.x["mask"])
        np.testing.assert_array_equal(x, IMAGES)
        assert flags.dtype == bool
        assert flags.tolist() == mask


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([IMAGES[0], IMAGES[1][:2]], r"x is a list.* entry 0 is \(3, 2\) and entry 1 is \(2, 2\): pad or resize"),
        ([[1.0, 2.0], [3.0]], r"x is a list.* entry 0 is \(2,\) and entry 1 is \(1,\)"),
        ([1.0, [2.0]], r"entry 0 is \(\) and entry 1 is \(1,\)"),
        ({"a": [[1.0], [1.0, 2.0]]}, r"x\['a'\] is a list.* a tuple or a dict"),
        ([], "x is an empty list"),
        ([IMAGES, IMAGES], "x and y need the same number of rows, but have: x 2, y 4"),
    ],
)
def test_lists_that_are_no_examples_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        Arrays(x, [0, 1, 2, 3])


@pytest.mark.parametrize("label", [-(2**31), 2**31 - 1])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_the_ends_of_int32_are_labels(label, dtype):
    assert Arrays(np.zeros((1, 1)), np.array([label], dtype)).y.tolist() == [label]


@pytest.mark.parametrize("label", [-(2**31) - 1, 2**31])
def test_beyond_the_ends_of_int32_is_refused(label):
    with pytest.raises(ValueError, match=f"y is {label} at row 0, which does not fit in int32"):
        Arrays(np.zeros((1, 1)), np.array([label]))


def test_complex_numbers_are_refused():
    for make in (lambda x: Arrays(x, [0, 1]), lambda x: Windows(x, 1)):
        with pytest.raises(TypeError, match="must hold real numbers, but its dtype is complex"):
            make(np.ones(2, complex))
