"""The table of methods keeps its word: every method, cell, form of remat and transformation, beside the scan."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from seqvision.cells import (
    GRU,
    LRU,
    LSTM,
    MGU,
    SLSTM,
    ConvLSTM,
    Elman,
    IndRNN,
    LearnedStart,
    LSTMVariant,
    MinGRU,
    MinLSTM,
    Zoneout,
    unroll,
)
from seqvision.cells.unrolling.arguments import started, time_first
from seqvision.cells.unrolling.methods import EVERY_TRANSFORMATION, METHODS, OVER_DEVICES, Method, Remat, table
from tests.cells.cases import same

README = Path(__file__).parents[3] / "README.md"
# From jax 0.12 on Pallas's Triton backend is deprecated; its successor cannot take blocks as small as these.
pytestmark = pytest.mark.filterwarnings("ignore:The Pallas Triton backend is deprecated:DeprecationWarning")
D, N, T = 3, 2, 5
JAX_SAYS = ("forward-mode", "no compatibility guarantees", "not support reverse-mode autodiff")


@dataclass(frozen=True)
class Halved(LSTM):
    """A user's variant of a cell of ours, which no rule knows."""

    def step(self, params, state, x):
        state, y = super().step(params, state, x)
        return state._replace(h=0.5 * state.h), 0.5 * y


CORE = {
    "elman": Elman(16),
    "gru": GRU(16),
    "gru-reset-before": GRU(16, reset_after=False),
    "lstm": LSTM(16),
    "min-gru": MinGRU(4),
}
CELLS = CORE | {
    "elman-relu": Elman(4, "relu"),
    "lstm-bfloat16": LSTM(16, compute_dtype="bfloat16"),
    "lstm-of-a-user": Halved(4),
    "min-lstm": MinLSTM(4),
    "lru": LRU(4),
    "lstm-variant": LSTMVariant(4, peephole=True, layer_norm=True),
    "mgu": MGU(4),
    "ind-rnn": IndRNN(4),
    "slstm": SLSTM(4),
    "conv-lstm": ConvLSTM(2, kernel_size=(3,), size=(4,)),
    "learned-start": LearnedStart(GRU(16)),
    "zoneout": Zoneout(LSTM(4), h=0.1, c=0.2),
}


@functools.cache
def problem(name):
    """Parameters, inputs, and the flags, where every method but cuDNN's takes them."""
    cell, rng = CELLS[name], np.random.default_rng(0)
    params = cell.init(jax.random.key(0), D)
    params = jax.tree.map(lambda w: w + jnp.asarray(0.1 * rng.normal(size=w.shape), w.dtype), params)
    xs = jnp.asarray(rng.normal(size=(N, T, *getattr(cell, "size", ()), D)), jnp.float32)
    return params, xs, rng.random((N, T)) < 0.8, rng.random((N, T)) < 0.2


@functools.cache
def methods_of(name):
    """What the table says: the methods that run a cell."""
    cell, found = CELLS[name], set()

    def look():
        xs = jnp.zeros((N, T, *getattr(cell, "size", ()), D))
        _, arranged = time_first("test", cell, cell.init(jax.random.key(0), D), xs, None, None, None)
        found.update(method for method, how in METHODS.items() if how.is_supported(*started(cell, arranged)))

    jax.eval_shape(look)  # without a computation, since tests are collected by it
    return found


def loss_of(name, method, remat="none"):
    """A number to which every output and final state matters."""
    cell, (_, _, mask, reset) = CELLS[name], problem(name)
    flags = {"mask": mask, "reset": reset} if METHODS[method].flags else {}

    def loss(params, xs):
        final, ys = unroll(cell, params, xs, **flags, method=method, remat=remat)
        weights = jnp.cos(jnp.arange(ys.size, dtype=ys.dtype)).reshape(ys.shape)
        return jnp.sum(weights * ys) + sum(jnp.sum(jnp.sin(jnp.abs(leaf))) for leaf in jax.tree.leaves(final))

    return loss


def transformed(loss, what):
    """The loss under a transformation, as a function of params and xs."""
    both = jax.grad(loss, argnums=(0, 1))

    def population(params, xs):
        members = jax.tree.map(lambda w: jnp.stack([w, 0.5 * w]), params)
        return jax.vmap(both, in_axes=(0, None))(members, xs)

    def curvature(params, xs):
        return jax.grad(lambda x: sum(jnp.sum(g**2) for g in jax.tree.leaves(both(params, x))))(xs)

    return {
        "grad": jax.value_and_grad(loss, argnums=(0, 1)),
        "jvp": lambda params, xs: jax.jvp(lambda xs: loss(params, xs), (xs,), (jnp.cos(xs),)),
        "vmap": population,
        "second derivatives": curvature,
        "jax.export": loss,
    }[what]


@functools.cache
def by_scan(name, what, flags):
    loss = loss_of(name, "scan") if flags else loss_of(name, "cudnn")
    return jax.jit(transformed(loss, what))(*problem(name)[:2])


def skip_unless_available(method):
    if not METHODS[method].is_available():
        pytest.skip(f"needs {METHODS[method].where}")


PAIRS = [(method, name) for method in METHODS for name in CELLS]
RUN = [(method, name) for method, name in PAIRS if method in methods_of(name)]
REMAT = [(method, name, remat) for method, name in RUN for remat in METHODS[method].remat]


def quick(cases):
    """Cases (method, name, …) as parameters; cells beside the most used ones run with -m slow."""
    return [pytest.param(*case, marks=() if case[1] in CORE else pytest.mark.slow) for case in cases]


def test_newton_sees_small_states_beside_huge_ones():
    got = jax.jit(transformed(loss_of("slstm", "newton"), "grad"))(*problem("slstm")[:2])
    same(got, by_scan("slstm", "grad", True), 2e-4)


@pytest.mark.parametrize(("method", "name", "remat"), quick(c for c in REMAT if c[0] != "scan" or c[2] != "none"))
def test_values_and_gradients_are_those_of_the_scan(method, name, remat):
    skip_unless_available(method)
    tolerance = 0.02 if "bfloat16" in name else 2e-4
    got = jax.jit(transformed(loss_of(name, method, remat), "grad"))(*problem(name)[:2])
    same(got, by_scan(name, "grad", METHODS[method].flags), tolerance)


@pytest.mark.parametrize("what", [what for what in EVERY_TRANSFORMATION[1:] if what not in OVER_DEVICES])
@pytest.mark.parametrize(("method", "name"), quick(RUN))
def test_transformations(method, name, what):
    skip_unless_available(method)
    run, arguments = transformed(loss_of(name, method), what), problem(name)[:2]
    if what not in METHODS[method].transformations:
        with pytest.raises((TypeError, ValueError), match="|".join(JAX_SAYS)):
            export.export(jax.jit(run))(*arguments)
    elif what == "jax.export":
        assert "func.func" in export.export(jax.jit(run))(*arguments).mlir_module()
    elif method != "scan":
        tolerance = 0.02 if "bfloat16" in name else 1e-3  # products of eight binary digits
        same(jax.jit(run)(*arguments), by_scan(name, what, METHODS[method].flags), tolerance)
    else:
        jax.eval_shape(run, *arguments)


@pytest.mark.parametrize(("method", "name"), PAIRS)
def test_what_a_method_does_not_run_is_refused_with_what_does(method, name):
    skip_unless_available(method)
    how, arguments = METHODS[method], problem(name)[:2]
    known = method in methods_of(name)
    for remat in [remat for remat in get_args(Remat) if not known or remat not in how.remat]:
        about = f"remat='{remat}', only" if known else f"{type(CELLS[name]).__name__}.*it runs"
        if isinstance(CELLS[name], LearnedStart):
            about = about.replace("LearnedStart", "GRU")
        with pytest.raises(ValueError, match=f'^unroll: method="{method}" does not know {about}') as caught:
            jax.eval_shape(loss_of(name, method, remat), *arguments)
        remedy = re.search(r'use method="(\w+)" or "auto"$', str(caught.value))[1]
        jax.eval_shape(loss_of(name, remedy, remat), *arguments)


def test_the_names_for_type_checkers_are_those_of_the_table():
    assert get_args(Method) == ("auto", *METHODS)
    for how in METHODS.values():
        assert set(how.remat) <= set(get_args(Remat))
        assert set(how.transformations) <= set(EVERY_TRANSFORMATION)


def test_the_readme_shows_the_table():
    shown = re.search(r"<!-- methods -->\n(.*?)\n<!-- /methods -->", README.read_text(encoding="utf-8"), re.S)[1]
    assert shown == table(), "write seqvision.cells.unrolling.methods.table() between the marks"
