"""How recurrent weights are drawn: one QR at a time, since on few cores two of a batch can wait for each other."""

import jax
import numpy as np
import pytest

from seqvision.cells.initializers import recurrent_kernel
from tests.cells.unrolling.test_fused_structure import inner_programs

KEYS = jax.random.split(jax.random.key(0), 5)


def operands(program):
    """The ranks of what is factorised, in all inner programs too."""
    for equation in program.eqns:
        if equation.primitive.name in ("geqrf", "qr", "householder_product"):
            yield equation.invars[0].aval.ndim
        for inner in inner_programs(equation):
            yield from operands(inner)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("populations", [0, 1, 2])
def test_a_qr_is_never_one_of_a_batch(layers, populations):
    def draw(key):
        return [recurrent_kernel(k, 4, gates=3) for k in jax.random.split(key, layers)]

    keys = KEYS[0]
    for _ in range(populations):
        draw, keys = jax.vmap(draw), jax.numpy.broadcast_to(keys, (2, *keys.shape))
    ranks = list(operands(jax.make_jaxpr(draw)(keys).jaxpr))
    assert ranks
    assert set(ranks) == {2}


def test_a_population_is_drawn_as_its_members_are():
    together = jax.jit(jax.vmap(lambda key: recurrent_kernel(key, 4, gates=3)))(KEYS)
    for one, key in zip(together, KEYS, strict=True):
        np.testing.assert_array_equal(one, recurrent_kernel(key, 4, gates=3))
