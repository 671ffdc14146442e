import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.training.populations import run_population


def test_members_together_are_those_one_after_another():
    def member(key, scale):
        x = jax.random.normal(key, (4,))
        return {"x": x, "y": scale * jnp.cumsum(x)}

    keys, scale = jax.random.split(jax.random.key(0), 3), jnp.float32(2)
    together, alone = (run_population(member, keys, scale, together=choice) for choice in (True, False))
    for n, key in enumerate(keys):
        expected = member(key, scale)
        for name in ("x", "y"):
            assert isinstance(together[name], np.ndarray)
            np.testing.assert_allclose(together[name][n], expected[name], rtol=1e-6)
            np.testing.assert_allclose(alone[name][n], expected[name], rtol=1e-6)


def test_no_keys_are_refused():
    with pytest.raises(ValueError, match=r"S >= 1, got shape \(\)"):
        run_population(lambda key: key, jax.random.key(0))
