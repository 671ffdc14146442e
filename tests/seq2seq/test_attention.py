"""Attention against one query and one source step at a time in float64, and what masks do to it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.test_util import check_grads

from seqvision.seq2seq import Bahdanau, Luong, attend
from seqvision.testing import reference

Q, M = 3, 4
CASES = {
    "bahdanau": (Bahdanau(5), M, reference.bahdanau),
    "dot": (Luong("dot"), Q, lambda *a, **k: reference.luong(*a, **k, score="dot")),
    "general": (Luong("general"), M, lambda *a, **k: reference.luong(*a, **k, score="general")),
    "concat": (Luong("concat", 5), M, lambda *a, **k: reference.luong(*a, **k, score="concat")),
}


def draw(name, rng, batch=(), T=2, S=4):
    attention, features, _ = CASES[name]
    params = attention.init(jax.random.key(0), Q, features)
    params = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), params)
    return attention, params, rng.normal(size=(*batch, T, Q)), rng.normal(size=(*batch, S, features))


@pytest.mark.parametrize("name", CASES)
@given(seed=st.integers(0, 999), batch=st.sampled_from([(), (2,), (2, 1)]))
def test_equals_the_reference(name, seed, batch):
    rng = np.random.default_rng(seed)
    with jax.enable_x64(True):
        attention, params, queries, memory = draw(name, rng, batch)
        mask = rng.random((*batch, 4)) < 0.6
        for valid in (None, mask):
            got = attend(attention, params, queries, memory, mask=valid)
            for ours, wanted in zip(got, CASES[name][2](params, queries, memory, mask=valid), strict=True):
                assert ours.dtype == np.float64
                np.testing.assert_allclose(ours, wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_what_is_masked_changes_nothing_and_gets_no_gradient(name):
    rng = np.random.default_rng(0)
    attention, *arrays = draw(name, rng, (3,))
    params, queries, memory = jax.tree.map(jnp.float32, arrays)
    mask = np.arange(4) < [[4], [2], [0]]

    @jax.jit
    def value_and_grads(memory):
        def loss(params, queries, memory):
            return jnp.sum(jnp.sin(attend(attention, params, queries, memory, mask=mask)[0]))

        return jax.value_and_grad(loss, (0, 1, 2))(params, queries, memory)

    value, grads = value_and_grads(memory)
    dirty = jnp.where(mask[..., None], memory, jnp.nan)
    value_dirty, grads_dirty = value_and_grads(dirty)
    assert value == value_dirty
    for a, b in zip(jax.tree.leaves(grads), jax.tree.leaves(grads_dirty), strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.isfinite(a).all()
    assert not np.asarray(grads_dirty[2])[~mask].any()
    contexts, weights = attend(attention, params, queries, dirty, mask=mask)
    assert not contexts[2].any()
    assert not weights[2].any()
    np.testing.assert_allclose(weights[:2].sum(-1), 1, rtol=1e-6)
    alone = attend(attention, params, queries[1], memory[1, :2])
    np.testing.assert_allclose(contexts[1], alone[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_gradients(name, x64):
    attention, params, queries, memory = draw(name, np.random.default_rng(1))
    mask = np.array([True, False, True, True])

    def contexts(params, queries, memory):
        return attend(attention, params, queries, memory, mask=mask)[0]

    check_grads(contexts, (params, queries, memory), order=1, modes=("rev",))


@pytest.mark.parametrize("name", CASES)
def test_queries_together_equal_queries_one_by_one(name):
    attention, params, queries, memory = draw(name, np.random.default_rng(2), (2,), T=3)
    contexts, weights = attend(attention, params, queries, memory)
    keys = attention.keys(params, jnp.asarray(memory))
    for t in range(3):
        one = attend(attention, params, queries[:, t : t + 1], memory, keys=keys)
        np.testing.assert_allclose(contexts[:, t : t + 1], one[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(weights[:, t : t + 1], one[1], rtol=1e-5, atol=1e-6)


def test_huge_scores_and_half_precision():
    memory = jnp.array([[300.0, 0.0], [0.0, 300.0]], jnp.float16)
    contexts, weights = attend(Luong("dot"), Luong("dot").init(jax.random.key(0), 2, 2), 100 * memory[:1] / 300, memory)
    assert contexts.dtype == weights.dtype == jnp.float16
    np.testing.assert_array_equal(weights, [[1.0, 0.0]])


GOOD = {"queries": jnp.ones((2, 3, Q)), "memory": jnp.ones((2, 4, M))}


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"queries": jnp.ones((2, Q))}, ValueError, r"queries must be \(\.\.\., T, Q\).*query\[\.\.\., None, :\]"),
        ({"memory": jnp.ones((3, 4, M))}, ValueError, "the same batch axes"),
        ({"mask": jnp.ones((2, 4))}, TypeError, r"mask must be bool, got float32"),
        ({"mask": jnp.ones((4, 2), bool)}, ValueError, r"mask must have .*\(2, 4\), got \(4, 2\)"),
        ({"queries": jnp.ones((2, 3, Q + 1))}, ValueError, "4 features .* made for 3"),
    ],
)
def test_bad_calls(change, kind, message):
    attention = Bahdanau(5)
    with pytest.raises(kind, match=message):
        attend(attention, attention.init(jax.random.key(0), Q, M), **(GOOD | change))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bahdanau(0), "units must be an int >= 1, got 0"),
        (lambda: Luong("cosine"), "Luong: score must be one of 'dot', 'general', 'concat', got 'cosine'"),
        (lambda: Luong("concat"), "units must be an int >= 1, got None"),
        (lambda: Luong("dot", 4), 'units=4 goes with score="concat"'),
        (lambda: Luong("dot").init(jax.random.key(0), 3, 4), 'one size, got 3 and 4: use "general"'),
    ],
)
def test_bad_sizes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
