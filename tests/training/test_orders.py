"""Orders of epochs that NumPy draws are those that JAX draws."""

import jax
import numpy as np
import pytest

from seqvision.training.orders import EpochOrders, epoch_order


@pytest.mark.parametrize("examples", [1, 2, 3, 10, 1625, 1626, 5000])  # from 1626 on JAX sorts twice
def test_orders_of_the_host_are_those_of_a_program(examples):
    key, batch_size = jax.random.key(7), min(examples, 4)
    steps = -(-examples // batch_size)
    orders = EpochOrders(key, 2 * steps, 3, examples, batch_size)
    for epoch in (0, 2, 1):
        expected = jax.random.permutation(
            jax.random.fold_in(jax.random.fold_in(key, 0x5EED), 2 + epoch), examples, independent=False
        )
        np.testing.assert_array_equal(orders[epoch], expected)
        np.testing.assert_array_equal(epoch_order(key, (2 + epoch) * steps, examples, batch_size), expected)


def test_keys_of_other_kinds_are_drawn_by_jax():
    for key in (jax.random.key(3, impl="rbg"), jax.random.PRNGKey(3)):
        orders = EpochOrders(key, 0, 2, 9, 4)
        for epoch in range(2):
            np.testing.assert_array_equal(orders[epoch], epoch_order(key, 3 * epoch, 9, 4))


def test_without_shuffling_the_rows_stay_in_order():
    assert EpochOrders(jax.random.key(0), 0, 1, 5, 2, shuffle=False)[0].tolist() == [0, 1, 2, 3, 4]
