"""Two processes, each with half of the rows and of the devices, train as one does."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = """
import json, sys
import jax, numpy as np, optax
from jax.sharding import NamedSharding, PartitionSpec as P
number, count, port = map(int, sys.argv[1:])
if count > 1:
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"localhost:{port}", count, number)
from seqvision.cells import LSTM
from seqvision.data import Arrays
from seqvision.models import Recurrent, RegressionHead
from seqvision.training import fit, predict

rng = np.random.default_rng(0)
x = rng.normal(size=(34, 5, 3)).astype(np.float32)
y = x.mean((1, 2))[:, None, None]
rows = NamedSharding(jax.make_mesh((count,), ("data",)), P("data"))
spread = lambda a: jax.make_array_from_callback(a.shape, rows, lambda place: a[place])
data = Arrays(spread(x), spread(y))
done = fit(Recurrent((LSTM(4),), head=RegressionHead(1, 1)), data, loss="mse", optimizer=optax.adam(0.01), epochs=3,
           batch_size=8, key=0, validation=data, compilation_cache=False)
found = {"loss": done.history["val_loss"].tolist(),
         "outputs": predict(done.state, data.x, compilation_cache=False).ravel().tolist()}
bad = np.where(np.arange(34)[:, None, None] == 30, np.nan, y)
try:
    Arrays(spread(x), spread(bad))
except ValueError as error:
    found["refused"] = str(error)
print(json.dumps(found))
"""


def run(count):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(number), str(count), str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for number in range(count)
    ]
    told = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0] * count, told[0][1][-2000:]
    return [json.loads(out.splitlines()[-1]) for out, _ in told]


@pytest.mark.slow
def test_two_processes_train_as_one():
    (alone,), both = run(1), run(2)
    for each in both:
        np.testing.assert_allclose(each["loss"], alone["loss"], rtol=1e-5)
        np.testing.assert_allclose(each["outputs"], alone["outputs"], rtol=1e-4, atol=1e-6)
    assert "NaN at row 30" in alone["refused"]
    assert both[1]["refused"] == alone["refused"]
    assert "refused" not in both[0]  # which has no such row
