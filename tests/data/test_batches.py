import jax
import numpy as np

from seqvision.data import Windows

gather = jax.jit(lambda data, indices: data.gather(indices))


def test_gather_equals_a_loop_of_slices():
    rng = np.random.default_rng(0)
    series = rng.normal(size=(40, 3)).astype(np.float32)
    for length, horizon, targets in [(1, 1, None), (7, 1, (1,)), (5, 4, (2, 0)), (39, 1, None), (3, 2, (1, 2))]:
        windows = Windows(series, length, horizon, targets=targets)
        assert len(windows) == 40 - length - horizon + 1
        columns = list(range(3)) if targets is None else list(targets)
        batch = gather(windows, np.arange(len(windows)))
        for i in range(len(windows)):
            np.testing.assert_array_equal(batch.x[i], series[i : i + length])
            np.testing.assert_array_equal(batch.y[i], series[i + length : i + length + horizon][:, columns])
