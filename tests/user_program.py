"""What a type checker tells a user: read by mypy in test_types.py, never run.

A comment "reveals: T" says what `reveal_type` of the line prints, "refused: code" which error the line gets.
"""
# ruff: noqa

import jax
import jax.numpy as jnp
import numpy as np
import optax

import seqvision.cells
import seqvision.pipelines
from seqvision.cells import GRU, LSTM, Elman, unroll, unroll_stack
from seqvision.conv import conv, max_pool
from seqvision.data import Arrays, Scaler, Windows, fit_scaler
from seqvision.metrics import rmse
from seqvision.models import ConvNet, Recurrent
from seqvision.pipelines import ForecastConfig, run_forecast
from seqvision.training import create_state, fit, make_run, make_train_step

key = jax.random.key(0)
xs = jnp.ones((2, 5, 3))

# Cells: parameters and states have the fields of their equations.
cell = LSTM(8)
params = cell.init(key, 3)
reveal_type(params)  # reveals: LSTMParams
reveal_type(params.w_x)  # reveals: Array"
final, ys = unroll(cell, params, xs)
reveal_type(final)  # reveals: LSTMState
reveal_type(final.c)  # reveals: Array"
reveal_type(ys)  # reveals: Array"
gru, weights = GRU(4), GRU(4).init(key, 3)
reveal_type(gru.step(weights, gru.initial_state(weights), xs[0, 0]))  # reveals: GRUState
final.nope  # refused: attr-defined
unroll(cell, params, xs, method="nope")  # refused: arg-type
unroll(cell, params, xs, remat="some")  # refused: arg-type
unroll(cell, weights, xs)  # refused: misc
unroll(cell, params, xs, state=gru.initial_state(weights))  # refused: misc
unroll(cell, params)  # refused: call-arg
unroll(3, params, xs)  # refused: arg-type
Elman(4, activation="softmax")  # refused: arg-type
LSTM(hidden="8")  # refused: arg-type
seqvision.cells.lstm_cell  # refused: attr-defined

# Convolution.
reveal_type(conv(jnp.ones((2, 8, 8, 3)), jnp.ones((3, 3, 3, 4))))  # reveals: Array"
conv(jnp.ones((2, 8, 8, 3)), jnp.ones((3, 3, 3, 4)), padding="some")  # refused: arg-type
max_pool(jnp.ones((2, 8, 8, 3)), (2, 2), padding="full")  # refused: arg-type

# Data and training: one step, one run.
windows = Windows(np.zeros((100, 1)), length=10)
reveal_type(windows.gather(np.arange(3)).x)  # reveals: Any
reveal_type(fit_scaler(np.zeros((100, 1)), "standard"))  # reveals: Scaler
fit_scaler(np.zeros((100, 1)), "zero one")  # refused: arg-type
model = Recurrent((GRU(4),))
result = fit(model, windows, loss="mse", optimizer=optax.adam(1e-3), epochs=1, batch_size=10, key=key)
reveal_type(result.history)  # reveals: dict[str, numpy.ndarray
reveal_type(result.state)  # reveals: TrainState
state, history, seconds = result
reveal_type(seconds)  # reveals: dict[str, float]
fit(model, windows, loss="mse", optimizer=optax.adam(1e-3), epochs=1, batch_size=10)  # refused: call-arg
fit(model, windows, loss="mean", optimizer=optax.adam(1e-3), epochs=1, batch_size=10, key=key)  # refused: arg-type
fit(model, windows, loss="mse", optimizer=optax.adam(1e-3), epochs="1", batch_size=10, key=key)  # refused: arg-type
reveal_type(rmse(np.zeros(3), forecast=np.zeros(3)))  # reveals: float

# Pipelines are loaded late, and known all the same.
card = run_forecast(ForecastConfig())
reveal_type(card.text)  # reveals: str
run_forecast("file.csv")  # refused: arg-type
ForecastConfig(scaler="transformer")  # refused: arg-type
seqvision.pipelines.nope  # refused: attr-defined
