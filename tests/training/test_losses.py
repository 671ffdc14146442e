"""Losses against the float64 references, and what they refuse."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.data import Batch
from seqvision.testing import reference
from seqvision.training import (
    SmoothedCrossEntropy,
    WeightPenalty,
    create_state,
    losses,
    make_eval_step,
    make_train_step,
)

RNG = np.random.default_rng(0)
CLOSE = {"rtol": 1e-5, "atol": 1e-6}  # float32 beside logits of about 10


@pytest.mark.parametrize("name", ["mse", "mae", "huber"])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 3, 2)])
def test_regression_losses_equal_the_reference(name, shape):
    outputs, targets = RNG.normal(size=(2, *shape)) * 2
    np.testing.assert_allclose(
        losses.LOSSES[name](jnp.float32(outputs), jnp.float32(targets)),
        getattr(reference, name)(outputs, targets),
        **CLOSE,
    )


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
@pytest.mark.parametrize("dtype", [int, bool, float])
def test_binary_cross_entropy_equals_the_reference(shape, dtype):
    logits, targets = RNG.normal(size=shape) * 3, RNG.integers(0, 2, shape)
    np.testing.assert_allclose(
        losses.binary_cross_entropy(jnp.float32(logits), jnp.asarray(targets.astype(dtype))),
        reference.binary_cross_entropy(logits, targets),
        **CLOSE,
    )


@pytest.mark.parametrize("lead", [(5,), (5, 3)])
def test_cross_entropies_equal_the_reference(lead):
    logits, labels = RNG.normal(size=(*lead, 4)) * 3, RNG.integers(0, 4, lead)
    expected = reference.cross_entropy(logits, labels)
    np.testing.assert_allclose(losses.cross_entropy(jnp.float32(logits), jnp.asarray(labels)), expected, **CLOSE)
    one_hot = jax.nn.one_hot(labels, 4)
    np.testing.assert_allclose(losses.categorical_cross_entropy(jnp.float32(logits), one_hot), expected, **CLOSE)


def test_large_logits_stay_finite():
    logits = jnp.array([[1e4, -1e4]])
    assert losses.cross_entropy(logits, jnp.array([1])).tolist() == [2e4]
    assert losses.binary_cross_entropy(jnp.array([-1e4]), jnp.array([1.0])).tolist() == [1e4]


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_outside_the_classes_gives_nan_for_that_row_only(label):
    loss = losses.cross_entropy(jnp.zeros((2, 3)), jnp.array([label, 0]))
    assert np.isnan(loss[0])
    assert np.isfinite(loss[1])


def test_accuracy_of_classes_one_hot_and_binary():
    logits = jnp.array([[0.1, 2.0], [1.0, 0.0], [0.0, 1.0]])
    assert losses.is_correct(logits, jnp.array([1, 1, 1])).tolist() == [1, 0, 1]
    assert losses.is_correct(logits, jax.nn.one_hot(jnp.array([1, 1, 1]), 2)).tolist() == [1, 0, 1]
    assert losses.is_correct(jnp.array([[0.3], [-2.0]]), jnp.array([[1], [1]])).tolist() == [1, 0]
    assert losses.is_correct(jnp.array([0.3, -2.0]), jnp.array([1, 0])).tolist() == [1, 1]


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "binary_cross_entropy", "accuracy"])
@pytest.mark.parametrize(
    ("shape", "other"), [((4, 1), (4,)), ((4,), (4, 1)), ((4, 1), (4, 1, 1)), ((4, 3), (4, 3, 1)), ((4, 1, 3), (4, 3))]
)
def test_axes_of_length_one_make_no_difference(name, shape, other):
    outputs, targets = RNG.normal(size=shape), RNG.integers(0, 2, shape)
    expected = losses.METRICS[name](jnp.float32(outputs), jnp.float32(targets))
    np.testing.assert_array_equal(
        losses.METRICS[name](jnp.float32(outputs), jnp.float32(targets.reshape(other))), expected
    )
    if name == "mse":
        error = (outputs - targets).reshape(4, -1)
        np.testing.assert_allclose(expected, (error**2).mean(axis=1), **CLOSE)


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "binary_cross_entropy", "accuracy"])
@pytest.mark.parametrize(("shape", "other"), [((4, 1), (1, 4)), ((4, 3), (4, 2)), ((4, 2, 3), (4, 3, 2)), ((4,), (1,))])
def test_every_other_difference_is_refused(name, shape, other):
    with pytest.raises(ValueError, match=rf"{name}: outputs .* and targets .* must have the same shape"):
        losses.METRICS[name](jnp.zeros(shape), jnp.zeros(other))


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 1, 1)])
def test_labels_are_whole_numbers_of_any_type_and_as_many_axes_as_wanted(dtype, shape):
    logits, labels = RNG.normal(size=(5, 3)), RNG.integers(0, 3, 5)
    given = jnp.asarray(labels.reshape(shape).astype(dtype))
    expected = reference.cross_entropy(logits, labels)
    np.testing.assert_allclose(losses.cross_entropy(jnp.float32(logits), given), expected, **CLOSE)
    np.testing.assert_allclose(SmoothedCrossEntropy(0.0)(jnp.float32(logits), given), expected, **CLOSE)
    right = (logits.argmax(axis=1) == labels).astype(np.float32)
    np.testing.assert_array_equal(losses.is_correct(jnp.float32(logits), given), right)


def test_labels_true_and_false_are_one_and_zero_and_halves_are_none():
    logits = jnp.array([[0.0, 1.0], [0.0, 1.0]])
    of_bools = losses.cross_entropy(logits, jnp.array([True, False]))
    np.testing.assert_array_equal(of_bools, losses.cross_entropy(logits, jnp.array([1, 0])))
    assert np.isnan(losses.cross_entropy(logits, jnp.array([0.5, 0.0]))).tolist() == [True, False]


def test_cross_entropy_refuses_one_hot_wrong_shapes_and_one_class():
    for one_hot in (jnp.zeros((4, 3)), jnp.zeros((4, 3), int)):
        with pytest.raises(TypeError, match="categorical_cross_entropy for one-hot"):
            losses.cross_entropy(jnp.zeros((4, 3)), one_hot)
    with pytest.raises(ValueError, match=r"got \(4, 3\) and \(4, 2\)"):
        losses.cross_entropy(jnp.zeros((4, 3)), jnp.zeros((4, 2), int))
    with pytest.raises(ValueError, match='for labels as numbers use "cross_entropy"'):
        losses.categorical_cross_entropy(jnp.zeros((4, 3)), jnp.zeros((4, 1)))
    for name in ("cross_entropy", "categorical_cross_entropy"):
        with pytest.raises(ValueError, match=r'two classes or more, got .4, 1.: .* use "binary_cross_entropy"'):
            losses.LOSSES[name](jnp.zeros((4, 1)), jnp.zeros((4, 1), int))


def test_accuracy_beside_a_binary_loss_is_that_of_each_output():
    logits, targets = jnp.array([[3.0, 2.0], [1.0, -1.0]]), jnp.array([[1, 1], [0, 0]])
    ((_, accuracy),) = losses.resolve_metrics({"accuracy"}, losses.binary_cross_entropy)
    assert accuracy(logits, targets).tolist() == [1.0, 0.5]
    sequence = losses.is_correct(jnp.array([[[1.0], [-1.0]]]), jnp.array([[1, 1]]))
    assert sequence.tolist() == [0.5]  # not an arg max over one class


@pytest.mark.parametrize("loss", ["mse", lambda outputs, targets: jnp.square(outputs - targets).mean(axis=-1)])
@pytest.mark.parametrize("x", [np.ones((6, 3)), np.ones((6, 4, 1))], ids=["rows", "windows"])
def test_a_column_of_outputs_fits_a_vector_of_targets(loss, x):
    """The loss of one's own would broadcast (6, 1) and (6,) to (6, 6), and be finite."""

    class Column(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(1)(x.reshape(x.shape[0], -1))

    x, y = x * np.arange(6.0).reshape(6, *[1] * (x.ndim - 1)), np.arange(6.0) ** 2
    state = create_state(Column(), optax.sgd(0.1), jax.random.key(0), jnp.float32(x[:1]))
    outputs = np.asarray(state.apply_fn({"params": state.params}, jnp.float32(x)))[:, 0]
    for targets in (y, y[:, None], y[:, None, None]):
        batch = Batch(jnp.float32(x), jnp.float32(targets))
        _, metrics = make_train_step(loss, {"own": loss})(state, batch)
        for value in (*metrics.values(), *make_eval_step(loss)(state, batch).values()):
            np.testing.assert_allclose(value, ((outputs - y) ** 2).mean(), rtol=1e-5)


def test_a_loss_must_give_one_value_an_example():
    class State:
        batch_stats = None
        params: dict = {}  # noqa: RUF012
        opt_state = ()

        @staticmethod
        def apply_fn(variables, x):
            return x

    with pytest.raises(ValueError, match=r"loss must give one value an example, \(4,\), got shape \(\)"):
        make_eval_step(lambda outputs, targets: jnp.mean(outputs))(State(), Batch(jnp.zeros((4, 1)), jnp.zeros((4, 1))))


def test_metrics_refuse_one_string_and_the_name_of_the_loss():
    with pytest.raises(TypeError, match=r"pass \{'mae'\}"):
        losses.resolve_metrics("mae")
    with pytest.raises(ValueError, match="taken by the loss"):
        losses.resolve_metrics({"loss": "mae"})


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "bool"])
def test_labels_of_few_bits_name_any_of_many_classes(dtype):
    logits = np.random.default_rng(0).normal(size=(3, 300)).astype(np.float32)
    wide = np.array([1, 0, 1] if dtype == "bool" else [3, 120, 100])
    small = jnp.asarray(wide.astype(dtype))
    right = np.eye(300, dtype=np.float32)[wide]
    for loss in (losses.cross_entropy, SmoothedCrossEntropy(0.1)):
        np.testing.assert_allclose(loss(jnp.asarray(logits), small), loss(jnp.asarray(logits), jnp.asarray(wide)))
    for metric in (losses.sequence_cross_entropy, losses.token_accuracy, losses.exact_match):
        found, expected = (metric(jnp.asarray(right)[None], labels[None]) for labels in (small, jnp.asarray(wide)))
        np.testing.assert_array_equal(found, expected)
    assert losses.is_correct(jnp.asarray(right), small).tolist() == [1, 1, 1]


def test_slopes_at_kinks_are_those_of_torch():
    torch = pytest.importorskip("torch")
    outputs = np.array([[-1.0], [0.0], [1.0], [2.0]], np.float32)
    functions = {"mae": torch.nn.functional.l1_loss, "huber": torch.nn.functional.huber_loss}
    for name, function in functions.items():
        theirs = torch.tensor(outputs, requires_grad=True)
        function(theirs, torch.zeros_like(theirs), reduction="sum").backward()
        ours = jax.grad(lambda x, name=name: losses.LOSSES[name](x, jnp.zeros_like(x)).sum())(jnp.asarray(outputs))
        np.testing.assert_array_equal(ours, theirs.grad.numpy())
    weights = {"kernel": jnp.array([[-1.0, 0.0, 2.0]])}
    np.testing.assert_array_equal(jax.grad(WeightPenalty(l1=1.0))(weights)["kernel"], [[-1, 0, 1]])


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("metrics", [{"accuracy"}, {"right": "accuracy"}, [losses.is_correct]])
def test_accuracy_of_outputs_that_are_no_logits_is_refused(loss, metrics):
    with pytest.raises(ValueError, match=rf'by "{loss}" are none: write loss="binary_cross_entropy"'):
        make_train_step(loss, metrics)
    with pytest.raises(ValueError, match=r"function of your own, metrics="):
        make_eval_step(loss, metrics)
    make_train_step(loss, {"accuracy": lambda outputs, targets: ((outputs > 0.5) == (targets > 0.5)).mean(axis=1)})
