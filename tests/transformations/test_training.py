"""Training over eight devices, with cells of one's own, and exported."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import Array, export

from seqvision.cells import GRU, LSTM
from seqvision.data import Arrays
from seqvision.models import ClassificationHead, ConvNet, Recurrent, RegressionHead
from seqvision.training import fit
from tests.transformations.training_on_devices import CHECKS

QUICK = {"fit, rows on Explicit axes", "make_run, each batch cut"}


@pytest.mark.parametrize(
    "names",
    [pytest.param(QUICK, id="few"), pytest.param(set(CHECKS) - QUICK, id="rest", marks=pytest.mark.slow)],
)
def test_eight_devices(names):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    command = [sys.executable, "-m", "tests.transformations.training_on_devices", *sorted(names)]
    done = subprocess.run(command, env=os.environ | {"XLA_FLAGS": flags}, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-3000:]
    assert json.loads(done.stdout) == {}


class SRUParams(NamedTuple):
    w: Array  # (D, 3 H)
    b: Array  # (2 H,)


class OneState(NamedTuple):
    c: Array  # (..., H)


@dataclass(frozen=True)
class SRU:
    """Simple recurrent unit, Lei et al. 2018 (https://arxiv.org/abs/1709.02755), without its highway."""

    hidden: int

    def init(self, key, in_features, dtype=jnp.float32):
        w = jax.random.normal(key, (in_features, 3 * self.hidden), dtype) / 2
        return SRUParams(w, jnp.zeros(2 * self.hidden, dtype))

    def initial_state(self, params, batch_shape=()):
        return OneState(jnp.zeros((*batch_shape, self.hidden), params.w.dtype))

    def step(self, params, state, x):
        candidate, gates = jnp.split(x @ params.w, [self.hidden], -1)
        forget, reset = jnp.split(jax.nn.sigmoid(gates + jnp.broadcast_to(params.b, gates.shape)), 2, -1)
        c = forget * state.c + (1 - forget) * candidate
        return OneState(c), reset * jnp.tanh(c)


class LiquidParams(NamedTuple):
    w_x: Array  # (D, H)
    w_h: Array  # (H, H)
    tau: Array  # (H,)


@dataclass(frozen=True)
class Liquid:
    """Liquid time constant cell, one fused step, Hasani et al. 2020 (https://arxiv.org/abs/2006.04439)."""

    hidden: int

    def init(self, key, in_features, dtype=jnp.float32):
        one, two = jax.random.split(key)
        w_x = jax.random.normal(one, (in_features, self.hidden), dtype) / 2
        return LiquidParams(w_x, jax.random.normal(two, (self.hidden,) * 2, dtype) / 4, jnp.ones(self.hidden, dtype))

    def initial_state(self, params, batch_shape=()):
        return OneState(jnp.zeros((*batch_shape, self.hidden), params.w_x.dtype))

    def step(self, params, state, x):
        f = jax.nn.sigmoid(x @ params.w_x + state.c @ params.w_h)
        c = (state.c + 0.5 * f) / (1 + 0.5 * (jnp.broadcast_to(params.tau, f.shape) + f))
        return OneState(c), c


class NoisyState(NamedTuple):
    c: Array  # (..., H)
    key: Array  # (...,) keys


@dataclass(frozen=True)
class Noisy:
    """A leaky sum with noise of its own: a typed key in its state."""

    hidden: int

    def init(self, key, in_features, dtype=jnp.float32):
        return SRUParams(jax.random.normal(key, (in_features, self.hidden), dtype) / 2, jnp.zeros(self.hidden, dtype))

    def initial_state(self, params, batch_shape=()):
        keys = jax.random.split(jax.random.key(0), batch_shape)
        return NoisyState(jnp.zeros((*batch_shape, self.hidden), params.w.dtype), keys)

    def step(self, params, state, x):
        noise = jnp.vectorize(lambda key: jax.random.normal(key, (self.hidden,)), signature="()->(n)")(state.key)
        keys = jnp.vectorize(lambda key: jax.random.fold_in(key, 1))(state.key)
        c = 0.5 * state.c + x @ params.w + jnp.broadcast_to(params.b, noise.shape) + 0.01 * noise
        return NoisyState(c, keys), c


@pytest.mark.parametrize("cell", [SRU(4), Liquid(4), Noisy(4)], ids=lambda cell: type(cell).__name__)
def test_cells_of_ones_own_train(cell):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 7, 2)).astype(np.float32)
    y = x.mean((1, 2))
    history = fit(
        Recurrent((cell,), head=RegressionHead(1, 1)),
        Arrays(x, y[:, None, None]),
        loss="mse",
        optimizer=optax.adam(0.03),
        epochs=15,
        batch_size=16,
        key=jax.random.key(0),
        compilation_cache=False,
    ).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (Recurrent((LSTM(4), GRU(3)), head=RegressionHead(2, 1)), (5, 2)),
        (ConvNet((4,), dense=(8,), head=ClassificationHead(3)), (6, 6, 1)),
    ],
    ids=["Recurrent", "ConvNet"],
)
def test_models_are_exported(model, shape):
    """With their parameters, which are dicts, for any batch and for other platforms."""
    pytest.importorskip("flatbuffers", reason="jax.export serializes with it")
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    variables = model.init(jax.random.key(0), x)
    outline = jax.ShapeDtypeStruct((*export.symbolic_shape("b"), *shape), x.dtype)
    shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), variables)
    exported = export.export(jax.jit(model.apply), platforms=("cpu", "cuda", "tpu"))(shapes, outline)
    call = export.deserialize(exported.serialize(vjp_order=1)).call
    np.testing.assert_allclose(call(variables, x), model.apply(variables, x), rtol=1e-5, atol=1e-5)
    got, want = (jax.grad(lambda v, f=f: (f(v, x) ** 2).sum())(variables) for f in (call, model.apply))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), got, want)
