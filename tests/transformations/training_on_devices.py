"""Training over eight devices: a program that prints what differs from one device."""

import json
import re
import sys

import flax.linen as nn
import jax
import numpy as np
import optax
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from seqvision.cells import GRU
from seqvision.data import Arrays, Windows
from seqvision.models import ClassificationHead, ConvNet, Recurrent, RegressionHead
from seqvision.training import create_state, fit, make_run, make_train_step, predict

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 64)
IMAGES = Arrays(RNG.normal(size=(64, 6, 6, 1)).astype(np.float32), LABELS)
NUMBERS = Arrays(RNG.normal(size=(64, 5)).astype(np.float32), LABELS)
SERIES = Windows(np.cumsum(RNG.normal(size=(64, 2)), 0).astype(np.float32), 6)
CONVNET = ConvNet((4, 8), batch_norm=True, dense=(16,), padding="same", dropout=0.0, head=ClassificationHead(3))
RECURRENT = Recurrent((GRU(4),), head=RegressionHead(1, 2))
DENSE = nn.Sequential([nn.Dense(16), nn.relu, nn.Dense(3)])
OPTIMIZER = optax.adam(1e-2)


def mesh_of(axis_type):
    return jax.make_mesh((8,), ("data",), axis_types=(axis_type,))


def over(mesh, data, spec):
    return jax.tree.map(lambda a: jax.device_put(a, NamedSharding(mesh, spec)), data)


def same(got, want, tolerance=2e-3):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance), got, want)


def fitted(model, data, loss, axis_type, spec):
    options = {"loss": loss, "optimizer": OPTIMIZER, "epochs": 2, "batch_size": 24, "compilation_cache": False}
    options["key"] = jax.random.key(1)
    want = fit(model, data, validation=data, **options)
    mesh = mesh_of(axis_type)
    lying = over(mesh, data, spec)
    got = fit(model, lying, validation=lying, **options)
    same(got.state.params, want.state.params)
    same(got.history, want.history)
    same(predict(want.state, lying, batch_size=24), predict(want.state, data, batch_size=24))
    with jax.set_mesh(mesh):
        same(predict(got.state, lying, batch_size=24), predict(want.state, data, batch_size=24), 2e-2)


def cut_batches():
    """Each device multiplies its 4 rows of a batch of 32, and what is summed over devices are gradients."""
    mesh = mesh_of(AxisType.Auto)
    rows = NamedSharding(mesh, P("data"))
    state = over(mesh, create_state(DENSE, OPTIMIZER, jax.random.key(0), NUMBERS.x[:1]), P())
    run = make_run(make_train_step("cross_entropy"), epochs=1, batch_size=32, batch_sharding=rows)
    text = jax.jit(run).lower(state, over(mesh, NUMBERS, P("data"))).compile().as_text()
    products = re.findall(r"= f32\[([\d,]+)\]\S* dot\(", text)
    assert "4,16" in products, products
    assert not [shape for shape in products if shape.startswith(("32,", "64,"))], products
    assert "all-reduce" in text


def cut_members():
    """Sixteen seeds over eight devices train as each by itself, two on a device, and send nothing to one another."""
    mesh = mesh_of(AxisType.Auto)
    keys = jax.random.split(jax.random.key(2), 16)

    def member(key, data):
        state = create_state(CONVNET, OPTIMIZER, key, data.x[:1])
        state, history = make_run(make_train_step("cross_entropy"), epochs=1, batch_size=32)(state, data)
        return history["loss"], state.params

    members = jax.vmap(member, (0, None))
    arguments = jax.device_put(keys, NamedSharding(mesh, P("data"))), over(mesh, IMAGES, P())
    program = jax.jit(members).lower(*arguments).compile()
    sent = re.findall(r"= (?:f32|bf16)\S* (?:all-gather|all-to-all|collective-permute|all-reduce)\(", program.as_text())
    assert not sent, sent
    losses, params = program(*arguments)
    loss, alone = jax.jit(member)(keys[5], IMAGES)
    same(losses[5], loss)
    same(jax.tree.map(lambda a: a[5], params), alone, 1e-2)


CHECKS = {
    "fit, rows on Auto axes": lambda: fitted(CONVNET, IMAGES, "cross_entropy", AxisType.Auto, P("data")),
    "fit, rows on Explicit axes": lambda: fitted(CONVNET, IMAGES, "cross_entropy", AxisType.Explicit, P("data")),
    "fit, whole on Explicit axes": lambda: fitted(RECURRENT, SERIES, "mse", AxisType.Explicit, P()),
    "fit, steps on Explicit axes": lambda: fitted(RECURRENT, SERIES, "mse", AxisType.Explicit, P("data")),
    "make_run, each batch cut": cut_batches,
    "make_run under vmap, members cut": cut_members,
}


def main(names):
    broken = {}
    for name in names:
        try:
            CHECKS[name]()
        except Exception as error:
            broken[name] = f"{type(error).__name__}: {str(error)[:500]}"
    json.dump(broken, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
