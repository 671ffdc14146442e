"""Examples read on the host: the batches they make, the types they get, and what is refused."""

import threading
import time

import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.data import Arrays, Stream, Windows
from seqvision.data.read_ahead import read_ahead

X = np.random.default_rng(0).normal(size=(7, 2, 3))
Y = np.arange(7)


class Rows:
    """A map-style data set, as torch and grain have them."""

    def __init__(self, x=X, y=Y):
        self.x, self.y, self.asked = x, y, []

    def __len__(self):
        return len(self.x)

    def __getitem__(self, row):
        assert type(row) is int
        self.asked.append(row)
        return self.x[row], self.y[row]


class Lazy:
    """What looks like an array and gives one row at a time, such as a data set in a file of its own kind."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, row):
        return self.array[row]


def cut(x=X, y=Y, size=3):
    return lambda: ((x[i : i + size], y[i : i + size]) for i in range(0, len(x), size))


def memory_map(folder):
    for name, array in (("x", X), ("y", Y)):
        np.save(folder / f"{name}.npy", array)
    return Stream(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in "xy"))


SOURCES = {
    "arrays": lambda folder: Stream(X, Y),
    "memory maps": memory_map,
    "lazy columns": lambda folder: Stream(Lazy(X), Lazy(Y)),
    "rows": lambda folder: Stream(Rows()),
    "a list of rows": lambda folder: Stream(list(zip(X, Y, strict=True))),
    "tensors": lambda folder: Stream(pytest.importorskip("torch").utils.data.TensorDataset(*tensors())),
}


def tensors():
    torch = pytest.importorskip("torch")
    return torch.from_numpy(X), torch.from_numpy(Y)


@pytest.mark.parametrize("source", SOURCES)
def test_rows_are_those_of_arrays_whatever_the_source(source, tmp_path):
    stream, arrays, order = SOURCES[source](tmp_path), Arrays(X, Y), np.array([5, 0, 6, 2, 1, 3, 4])
    assert len(stream) == 7
    for start, (rows, batch) in zip((0, 3, 6), stream.read(order, 3), strict=True):
        expected = arrays.gather(order[start : start + 3])
        np.testing.assert_array_equal(rows, order[start : start + 3])
        for ours, theirs in zip(batch, expected, strict=True):
            assert isinstance(ours, np.ndarray)
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
    assert [rows.tolist() for rows, _ in stream.read(None, 4)] == [[0, 1, 2, 3], [4, 5, 6]]


def test_a_function_gives_its_batches_in_their_order_each_time_anew():
    stream = Stream(cut())
    for _ in range(2):
        batches = list(stream.read(None, 3))
        assert [list(rows) for rows, _ in batches] == [[0, 1, 2], [3, 4, 5], [6]]
        np.testing.assert_array_equal(np.concatenate([batch.x for _, batch in batches]), X.astype(np.float32))
    with pytest.raises(TypeError, match="does not know its rows"):
        len(stream)

    def endless():
        while True:
            yield X[:2], Y[:2]

    assert len(list(Stream(endless, batches=4).read(None, 2))) == 4


def test_a_buffer_that_the_source_uses_again_is_copied():
    def filled_anew():
        x = np.zeros((2, 1), np.float32)
        for value in range(3):
            x[:] = value
            yield x, x[:, 0]

    held = [batch for _, batch in Stream(filled_anew).read(None, 2)]
    assert [batch.x[0, 0] for batch in held] == [0, 1, 2]


def test_shapes_and_sizes():
    stream = Stream({"image": X, "id": Y}, (Y, X[:, 0]))
    shapes = stream.shapes(5)
    assert (shapes.x["image"].shape, shapes.x["image"].dtype) == ((5, 2, 3), jnp.float32)
    assert (shapes.x["id"].shape, shapes.x["id"].dtype) == ((5,), jnp.int32)
    assert shapes.y[1].shape == (5, 3)
    assert stream.batch_sizes(3) == (3, 1)
    assert stream.batch_sizes(7) == (7,)
    assert stream.batch_sizes(9) == (7,)


def test_a_part_of_the_rows():
    part = Stream(X, Y, rows=[6, 1, 3])
    assert len(part) == 3
    (rows, batch), (last, _) = part.read(np.array([2, 0, 1]), 2)
    assert (rows.tolist(), last.tolist(), batch.y.tolist()) == ([3, 6], [1], [3, 6])
    assert [rows.tolist() for rows, _ in Stream(Rows(), rows=np.arange(2, 4)).read(None, 3)] == [[2, 3]]


@pytest.mark.usefixtures("x64")
def test_types_under_x64_are_those_of_the_thread_that_made_it():
    (_, batch), *_ = Stream(X, Y).read(None, 3)
    assert batch.x.dtype == np.float64
    assert batch.y.dtype == np.int64


def with_value(value, row=5):
    x = X.copy()
    x[row, 1, 2] = value
    return x


class Broken(Rows):
    def __getitem__(self, row):
        if row == 4:
            raise OSError("the disk is gone")
        return super().__getitem__(row)


class Lost(Lazy):
    def __init__(self):
        super().__init__(Y)

    def __getitem__(self, row):
        if row == 4:
            raise OSError("the disk is gone")
        return super().__getitem__(row)


class Uneven(Rows):
    def __getitem__(self, row):
        return (X[row, :1] if row == 4 else X[row]), Y[row]


def failing():
    yield X[:3], Y[:3]
    raise OSError("the line is cut")


def widening():
    yield X[:3], Y[:3]
    yield X[:3, :1], Y[:3]


def emptying():
    yield X[:3], Y[:3]
    yield X[:0], Y[:0]


def typed():
    yield X[:3], Y[:3]
    yield X[:3].astype(int), Y[:3]


BAD = [
    (lambda: Stream(X), ValueError, r"give the targets beside them, Stream\(x, y\)"),
    (lambda: Stream([]), ValueError, "source has no rows"),
    (lambda: Stream(X[:0], Y[:0]), ValueError, "source has no rows"),
    (lambda: Stream(X, Y[:3]), ValueError, r"same number of rows, but have: x 7, y 3"),
    (lambda: Stream(X, 3), TypeError, "y must be a list, an array or a memory map, got int"),
    (lambda: Stream(X.astype(np.uint8), Y), TypeError, "x is uint8, whose arithmetic overflows: divide images by 255"),
    (lambda: Stream(Rows(X.astype(np.uint8))), TypeError, "x is uint8"),
    (lambda: Stream(X.astype(complex), Y), TypeError, "real numbers"),
    (lambda: Stream(with_value(np.nan), Y), ValueError, r"x is NaN at row 5, position \(1, 2\)"),
    (lambda: Stream(Rows(with_value(np.inf))), ValueError, r"x is infinite at row 5, position \(1, 2\)"),
    (lambda: Stream(cut(with_value(np.nan))), ValueError, r"x is NaN at row 5, position \(1, 2\)"),
    (lambda: Stream(X, Y + 2**40), ValueError, r"y is 1\d+ at row 0, which does not fit in int32"),
    (lambda: Stream(cut()()), TypeError, "gone through only once: give the function that makes it"),
    (lambda: Stream({1, 2}), TypeError, r"must have len and rows by index.*Stream\(lambda: iter\(source\)\)"),
    (lambda: Stream(3), TypeError, "must have len and rows by index, or be a function .* got int$"),
    (lambda: Stream(Arrays(X, Y)), TypeError, "on the device already: give Arrays itself"),
    (lambda: Stream(Windows(Y, 2)), TypeError, "give Windows itself"),
    (lambda: Stream(list(X)), ValueError, r"row 0 of the source must be a pair \(x, y\), got ndarray"),
    (lambda: Stream(lambda: iter(X)), ValueError, r"batch 0 of the source must be a pair"),
    (lambda: Stream(lambda: iter(())), ValueError, "gave no batch: it must return a new iterator"),
    (lambda: Stream(cut(), batches=5), ValueError, "source gave 3 batches, but batches=5"),
    (lambda: Stream(X, Y, rows=[0, 7]), ValueError, r"rows must lie in 0\.\.6, got 0\.\.7"),
    (lambda: Stream(X, Y, rows=[]), ValueError, r"rows must be whole numbers \(N,\), at least one"),
    (lambda: Stream(cut(), rows=[0]), ValueError, "rows is for rows by index"),
    (lambda: Stream(with_value(np.nan), Y, rows=[0, 5]), ValueError, "x is NaN at row 5"),
    (lambda: Stream(X, Lost()), RuntimeError, r"rows \[3, 4, 5\] of the source raised OSError: the disk is gone"),
    (lambda: Stream(X, Y, batches=5), ValueError, "batches is for a function's batches"),
    (lambda: Stream(Broken()), RuntimeError, "row 4 of the source raised OSError: the disk is gone"),
    (lambda: Stream(Uneven()), ValueError, r"row 4 has \(\(1, 3\), \(\)\) and row 3 has \(\(2, 3\), \(\)\)"),
    (
        lambda: Stream(failing),
        RuntimeError,
        "batch 1 of the source, at row 3, raised OSError: the line is cut",
    ),
    (lambda: Stream(widening), ValueError, r"x is \(1, 3\) at row 3 of the source, but \(2, 3\) at its first"),
    (lambda: Stream(emptying), ValueError, "batch 1 of the source must have one leading axis of examples"),
    (lambda: Stream(typed), TypeError, "x is int64 at row 3 of the source, but float32 at its first"),
    (lambda: Stream(cut(y=Y[:5])), ValueError, "batch 1 of the source must have one leading axis"),
]


@pytest.mark.parametrize(("build", "error", "says"), BAD)
def test_what_is_wrong_is_said_with_its_row(build, error, says):
    with pytest.raises(error, match=says):
        list(build().read(None, 3))


def test_a_batch_of_a_function_that_is_too_large_is_refused():
    assert (Stream(X, Y).own_batch_size, Stream(cut()).own_batch_size) == (None, 3)

    def growing():
        yield X[:2], Y[:2]
        yield X[:3], Y[:3]

    with pytest.raises(ValueError, match="the batch at row 2 has 3 rows, but the first one has 2: only the last"):
        list(Stream(growing).read(None, 2))


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "seqvision reads ahead"]


def test_reading_ahead_stays_a_little_ahead_and_ends_with_its_user():
    read, closed = [], []

    def items():
        try:
            for n in range(100):
                read.append(n)
                yield n
        finally:
            closed.append(threading.current_thread())

    ahead = read_ahead(items(), depth=2)
    assert not readers()
    assert [next(ahead), next(ahead)] == [0, 1]
    assert len(readers()) == 1
    ahead.close()
    assert not readers()
    assert len(read) <= 6
    assert len(closed) == 1
    assert closed[0] is not threading.main_thread()
    assert list(read_ahead(items())) == list(range(100))
    assert not readers()


def test_an_error_while_reading_ahead_is_raised_after_what_was_read_before_it():
    def items():
        yield 1
        raise KeyError("no")

    seen = []
    with pytest.raises(KeyError, match="no"):
        seen.extend(read_ahead(items()))
    with pytest.raises(TypeError, match="not iterable"):
        list(read_ahead(3))
    assert not readers()
    ahead = read_ahead(items())
    assert next(ahead) == 1


LISTS = {
    "columns": lambda: Stream(X.tolist(), Y.tolist()),
    "a list of arrays": lambda: Stream(list(X), list(Y)),
    "pairs": lambda: Stream([(x.tolist(), int(y)) for x, y in zip(X, Y, strict=True)]),
    "pairs that are lists": lambda: Stream([[x.tolist(), int(y)] for x, y in zip(X, Y, strict=True)]),
    "batches": lambda: Stream(lambda: ((X[i : i + 3].tolist(), Y[i : i + 3].tolist()) for i in range(0, 7, 3))),
}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_are_arrays(kind):
    batches = [batch for _, batch in LISTS[kind]().read(None, 3)]
    np.testing.assert_array_equal(np.concatenate([batch.x for batch in batches]), X.astype(np.float32))
    np.testing.assert_array_equal(np.concatenate([batch.y for batch in batches]), Y)


def test_entries_of_different_shapes_are_refused_by_row():
    with pytest.raises(ValueError, match=r"x is a list.* entry 0 is \(2, 3\) and entry 1 is \(2, 2\): pad or resize"):
        Stream([X[0], X[1][:, :2]], Y[:2])
    with pytest.raises(ValueError, match=r"x is a list.* entry 0 is \(2,\) and entry 1 is \(1,\)"):
        Stream([([[1.0, 2.0], [3.0]], 0), ([[1.0, 2.0], [3.0, 4.0]], 0)])


def test_a_function_that_raises_when_called_is_named_with_its_own_error():
    def broken():
        raise OSError("no such disk")

    with pytest.raises(RuntimeError, match="the source raised OSError: no such disk when it was called"):
        Stream(broken)
    with pytest.raises(TypeError, match="source must return an iterator of batches when it is called, got int"):
        Stream(lambda: 3)


def test_who_closes_waits_for_no_slow_source():
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        yield 1
        begun.set()
        go_on.wait(60)
        yield 2

    items = read_ahead(slow())
    assert next(items) == 1
    assert begun.wait(10)
    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        items.throw(KeyboardInterrupt)
    assert time.perf_counter() - start < 20
    go_on.set()
