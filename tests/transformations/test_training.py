"""Training over eight devices, with cells of one's own, and exported."""

import jax
import numpy as np
import optax
import pytest
from jax import export

from seqvision.cells import GRU, LSTM
from seqvision.data import Arrays
from seqvision.models import ClassificationHead, ConvNet, Recurrent, RegressionHead
from seqvision.training import fit
from tests.cells.own_cells import SRU, Drawn, LiquidTimeConstant
from tests.transformations.rows import on_eight_devices
from tests.transformations.training_on_devices import CHECKS

QUICK = {"fit, rows on Explicit axes", "make_run, each batch cut"}


@pytest.mark.parametrize(
    "names",
    [pytest.param(QUICK, id="few"), pytest.param(set(CHECKS) - QUICK, id="rest", marks=pytest.mark.slow)],
)
def test_eight_devices(names):
    assert on_eight_devices("training_on_devices", names) == {}


@pytest.mark.parametrize("cell", [SRU(4), LiquidTimeConstant(4), Drawn(4)], ids=lambda cell: type(cell).__name__)
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
