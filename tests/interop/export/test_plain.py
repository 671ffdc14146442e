"""A program in plain primitives computes the same, and holds nothing else."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from seqvision._primitives import PLAIN
from seqvision.cells import GRU, LSTM, MinGRU, unroll
from seqvision.conv import avg_pool, batch_norm, conv, max_pool
from seqvision.interop.export.plain import equations, in_plain_primitives

X = np.random.default_rng(0).normal(size=(2, 6, 6, 2)).astype(np.float32)
K = np.random.default_rng(1).normal(size=(3, 3, 2, 4)).astype(np.float32)
XS = np.random.default_rng(2).normal(size=(3, 5, 2)).astype(np.float32)
MASK = np.arange(5)[None] < np.array([5, 3, 0])[:, None]


def run(cell, **options):
    params = cell.init(jax.random.key(0), 2)
    return lambda xs: unroll(cell, params, xs, **options)


UNROLLED = run(GRU(3))


def loops(x):
    """A loop with a condition, a choice by value, and a function with derivatives of its own."""
    doubled = lax.while_loop(lambda c: (c < 100).all(), lambda c: 2 * c + 1, jnp.abs(x))
    return lax.cond(x.sum() > 0, jnp.sin, lambda a: jax.nn.relu(a) + jax.nn.softplus(a), x), doubled


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (lambda x: conv(x, K, stride=2, padding="same"), X),
        (lambda x: conv(x, K[:, :, :1], groups=2, padding="reflect"), X),
        (lambda x: (max_pool(x, (2, 2), stride=1, padding="same"), avg_pool(x, (3, 3), padding=1)), X),
        (lambda x: batch_norm(x, jnp.ones(2), jnp.zeros(2)), X),
        (jax.vmap(lambda x: conv(x, K)), X[None]),
        (run(LSTM(3)), XS),
        (run(GRU(3), mask=MASK, reverse=True), XS),
        (run(LSTM(3), method="fused", remat="sqrt"), XS),
        (run(MinGRU(3), method="associative"), XS),
        (jax.vmap(run(LSTM(3), method="auto")), XS[None]),
        (jax.checkpoint(loops), XS),
        (jax.grad(lambda x: UNROLLED(x)[1].sum()), XS),
    ],
)
def test_the_same_values_by_plain_primitives(function, x):
    outline = jax.ShapeDtypeStruct(x.shape, x.dtype)
    plain = in_plain_primitives(function, outline)
    held = {eqn.primitive for eqn in equations(jax.make_jaxpr(plain)(outline))}
    assert not held & PLAIN.keys()
    assert not {p.name for p in held} & {"jit", "pjit", "custom_jvp_call", "custom_vjp_call", "platform_index", "pad"}
    for got, expected in zip(plain(x), jax.tree.leaves(jax.jit(function)(x)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_padding_is_that_of_lax():
    x, edges = np.arange(1.0, 7.0, dtype=np.float32).reshape(2, 3), (-1, 0, 2)
    for low, high, step in itertools.product(edges, edges, (0, 1, 2)):
        config = ((0, 1, 0), (low, high, step))
        outline = jax.ShapeDtypeStruct(x.shape, x.dtype)
        (got,) = in_plain_primitives(lambda x, config=config: lax.pad(x, 9.0, config), outline)(x)
        np.testing.assert_array_equal(got, lax.pad(x, 9.0, config))
