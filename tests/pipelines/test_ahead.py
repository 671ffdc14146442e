import threading

import flax.linen as nn
import jax
import jax.monitoring
import numpy as np
import optax
import pytest

from seqvision.cells import LSTM
from seqvision.data import Arrays, Windows
from seqvision.models import Recurrent, RegressionHead
from seqvision.pipelines.ahead import ahead_of_time
from seqvision.training import EarlyStopping, fit, prepare_fit


@pytest.fixture
def compiled():
    """Names of the programs that are compiled from now on."""
    names = []

    def listen(event, seconds, **about):
        if event.endswith("backend_compile_duration"):
            names.append(about.get("fun_name"))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield names
    jax.monitoring.unregister_event_duration_listener(listen)


SERIES = np.sin(np.arange(300.0) / 7)
CASES = {
    "windows": (Recurrent((LSTM(6),), head=RegressionHead(1, 1)), Windows(SERIES, 9), Windows(SERIES[:90], 9), None),
    "stopping": (nn.Dense(1), Arrays(SERIES[:, None], SERIES[:, None]), Arrays(SERIES[:9, None], SERIES[:9, None]),
                 EarlyStopping("val_loss", patience=2)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_another_thread_prepares_is_what_fit_runs(case, compiled):
    model, data, validation, stopping = CASES[case]
    options = {"loss": "mse", "optimizer": optax.adam(0.01), "epochs": 40, "batch_size": 32, "stopping": stopping}
    options |= {"validation": validation, "metrics": {"mae"}, "key": jax.random.key(1)}
    thread = threading.Thread(target=lambda: prepare_fit(model, data, **options))
    thread.start()
    thread.join()
    large = [name for name in compiled if "several" in name or "init" in name or "lambda" in name]
    assert any("several" in name for name in large)
    compiled.clear()
    done = fit(model, data, **options)
    assert not [name for name in compiled if "several" in name or "init" in name or "lambda" in name]
    other = fit(model, data, **{**options, "optimizer": optax.adam(0.01)}, compilation_cache=False)
    np.testing.assert_array_equal(done.history["loss"], other.history["loss"])


def test_an_error_of_what_is_ahead_ends_nothing():
    with ahead_of_time() as compile_ahead:
        compile_ahead(prepare_fit, nn.Dense(1), "no data")


def test_settings_of_this_thread_alone_leave_it_out():
    called = []

    def compile_both():
        with ahead_of_time() as compile_ahead:
            compile_ahead(called.append, 1)
            finished = threading.Event()
            compile_ahead(finished.set)
            finished.wait(0.5)

    compile_both()
    assert called == [1]
    with jax.default_matmul_precision("bfloat16"):
        compile_both()
    assert called == [1]
