"""What method="fused" promises of its program: little inside the loops, the rest in products over all steps at once."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import unroll
from tests.cells.cases import CELLS, random_params

pytestmark = pytest.mark.optimized


def inner_programs(equation):
    """The programs that an equation runs: the body of a scan, the inside of a jit."""
    for value in equation.params.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            part = getattr(part, "jaxpr", part)
            if hasattr(part, "eqns"):
                yield part


def scans(program):
    for equation in program.eqns:
        if equation.primitive.name == "scan":
            yield equation
        else:
            for inner in inner_programs(equation):
                yield from scans(inner)


def products(program):
    here = sum(equation.primitive.name in ("dot_general", "conv_general_dilated") for equation in program.eqns)
    return here + sum(products(inner) for equation in program.eqns for inner in inner_programs(equation))


def forward_and_backward(name, method, in_features, hidden=None):
    """The forward and the backward scan of a gradient: (products in the body, shapes carried from step to step)."""
    cell, rng = CELLS[name][0], np.random.default_rng(0)
    cell = cell if hidden is None else replace(cell, hidden=hidden)
    params = random_params(cell, rng, in_features, np.float32)
    mask, reset = jnp.ones((3, 5), bool), jnp.zeros((3, 5), bool)

    def loss(params, xs):
        return jnp.sum(unroll(cell, params, xs, mask=mask, reset=reset, method=method)[1])

    program = jax.make_jaxpr(jax.grad(loss, argnums=(0, 1)))(params, jnp.ones((3, 5, in_features))).jaxpr
    loops = []
    for scan in scans(program):
        (body,) = inner_programs(scan)
        results = zip(
            scan.outvars, body.outvars, strict=True
        )  # a carry leaves the loop as it leaves the body, unstacked
        loops.append((products(body), [v.aval.shape for v, one in results if v.aval.shape == one.aval.shape]))
    assert len(loops) == 2
    return *loops, [leaf.shape for leaf in jax.tree.leaves(params)]


@pytest.mark.parametrize(
    ("in_features", "hidden"),
    [(1, None), (2, None), (9, None), (9, 128)],
    ids=["input by itself", "beside h in one product", "before the loop", "gates kept apart"],
)
@pytest.mark.parametrize("name", ["elman-tanh", "gru", "gru-reset-before", "lstm"])
def test_the_loops_hold_only_what_must_be_in_them(name, in_features, hidden):
    (ahead, _), (back, carried), sizes = forward_and_backward(name, "fused", in_features, hidden)
    expected = 2 if name == "gru-reset-before" else 1
    assert ahead == expected  # [x, h] W, or h W_h alone
    assert back == expected  # the gates' gradient times W_h^T
    assert not set(carried) & set(sizes), "a gradient of the size of a parameter is carried through the loop"


def test_the_test_sees_what_autodiff_carries():
    _, (back, carried), sizes = forward_and_backward("lstm", "scan", 2)
    assert back > 1
    assert set(sizes) <= set(carried)
