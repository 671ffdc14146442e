"""Augmentation, penalties, accumulation, mixed precision, averages, schedules and views: each against what it means."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import export

from seqvision.data import Arrays, Augment, Batch, Brightness, CutMix, Flip, Mixup, PadCrop, Shift, Stream, Warp
from seqvision.models import MLP, ClassificationHead, ConvNet
from seqvision.training import (
    SmoothedCrossEntropy,
    WeightPenalty,
    as_it_is,
    average_weights,
    averaged,
    create_state,
    decay_mask,
    fit,
    inverse_time_decay,
    make_train_step,
    mirrored,
    predict,
    updates_in,
    warm_up,
)

KEY = jax.random.key(3)
OPTIMIZER = optax.adam(1e-2)
FIT = {"optimizer": OPTIMIZER, "progress": False, "compilation_cache": False, "key": KEY}
SMALL_NET = ConvNet((4,), batch_norm=True, dropout=0.3, dense=(8,), head=ClassificationHead(3))


def images(n=22, classes=3, one_hot=False, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    return Arrays(
        rng.random((n, 8, 8, 1), np.float32), np.eye(classes, dtype=np.float32)[labels] if one_hot else labels
    )


def assert_close(tree, other):
    """Leaf by leaf within 1e-6 of its size: what rounding alone leaves after an epoch."""
    for a, b in zip(*(map(np.asarray, jax.tree.leaves(t)) for t in (tree, other)), strict=True):
        assert np.linalg.norm(a - b) <= 1e-6 * np.linalg.norm(a)


class Linear(nn.Module):
    """A dense layer on pixels."""

    units: int = 3

    @nn.compact
    def __call__(self, x):
        return nn.Dense(self.units)(x.reshape(x.shape[0], -1))


CASES = {
    "all changes": {
        "data": images(),
        "loss": SmoothedCrossEntropy(0.1),
        "augment": Augment((Flip(), Shift(0.2), Warp(10, 0.1, 5), PadCrop(1), Brightness(0.1))),
    },
    "mixup": {"data": images(one_hot=True), "loss": "categorical_cross_entropy", "augment": Augment((), Mixup())},
    "cutmix": {
        "data": images(one_hot=True),
        "loss": "categorical_cross_entropy",
        "augment": Augment((Flip(),), CutMix()),
    },
    "penalty and parts": {
        "data": images(),
        "loss": "cross_entropy",
        "penalty": WeightPenalty(1e-3, 1e-2),
        "micro_batch": 3,
    },
    "half precision": {"data": images(), "loss": "cross_entropy", "compute_dtype": "bfloat16"},
}


@pytest.mark.optimized  # the agreement is promised of programs as users run them
@pytest.mark.parametrize(
    "case",
    [  # cutmix draws and blends as mixup does
        pytest.param(case, marks=() if case == "all changes" else pytest.mark.slow) for case in CASES if case != "mixup"
    ],
)
def test_a_stream_takes_the_steps_of_the_compiled_run(case):
    settings = dict(CASES[case])
    data, loss = settings.pop("data"), settings.pop("loss")
    optimizer = average_weights(OPTIMIZER, 0.9)
    args = {"loss": loss, "metrics": {"accuracy"}, "epochs": 1, "batch_size": 8, **FIT, "optimizer": optimizer}
    run = fit(SMALL_NET, data, validation=data, **args, **settings)
    stream = Stream(np.asarray(data.x), np.asarray(data.y))
    steps = fit(SMALL_NET, stream, validation=stream, **args, **settings)
    for name in ("params", "opt_state", "batch_stats"):
        assert_close(getattr(run.state, name), getattr(steps.state, name))
    assert_close(run.history, steps.history)
    assert np.isfinite(run.history["loss"]).all()


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
@pytest.mark.parametrize("case", CASES)
def test_every_recipe_lowers_for_accelerators(case, platform):
    settings = dict(CASES[case])
    batch = settings.pop("data").gather(jnp.arange(8))
    step = jax.jit(make_train_step(settings.pop("loss"), **settings))
    state = create_state(SMALL_NET, OPTIMIZER, KEY, batch.x)
    assert export.export(step, platforms=[platform])(state, batch).platforms == (platform,)


def test_the_step_sees_augmented_images_drawn_anew_at_each_step():
    seen = []

    def spy(key, batch):
        jax.debug.callback(lambda k: seen.append(tuple(np.asarray(k).tolist())), jax.random.key_data(key), ordered=True)
        return Batch(2 * batch.x, batch.y)

    data = images(8)
    state = create_state(Linear(), optax.sgd(0.1), KEY, data.x)
    batch = data.gather(jnp.arange(8))
    step = jax.jit(make_train_step("cross_entropy", augment=spy))
    after, metrics = step(state, batch)
    plain, expected = jax.jit(make_train_step("cross_entropy"))(state, Batch(2 * batch.x, batch.y))
    np.testing.assert_allclose(metrics["loss"], expected["loss"], rtol=1e-6)
    chex.assert_trees_all_close(after.params, plain.params, rtol=1e-5, atol=1e-7)
    step(state, batch)
    step(after, batch)
    jax.effects_barrier()
    first, again, later = seen
    assert first == again != later
    # A stream of its own: not the key that dropout draws from.
    assert first != tuple(np.asarray(jax.random.key_data(jax.random.fold_in(state.key, 0))).tolist())


def test_a_penalty_moves_the_weights_and_not_the_reported_loss():
    data = images(8)
    batch = data.gather(jnp.arange(8))
    state = create_state(Linear(), optax.sgd(1.0), KEY, data.x)
    plain, expected = make_train_step("cross_entropy")(state, batch)
    held, metrics = make_train_step("cross_entropy", penalty=WeightPenalty(0.01, 0.1))(state, batch)
    np.testing.assert_allclose(metrics["loss"], expected["loss"], rtol=1e-6)
    w = np.asarray(state.params["Dense_0"]["kernel"])
    moved = np.asarray(plain.params["Dense_0"]["kernel"] - held.params["Dense_0"]["kernel"])
    np.testing.assert_allclose(moved, 0.01 * np.sign(w) + 2 * 0.1 * w, atol=1e-5)
    np.testing.assert_allclose(plain.params["Dense_0"]["bias"], held.params["Dense_0"]["bias"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("micro_batch", [1, 3, 4, 7, 8, 20])
def test_accumulated_gradients_are_those_of_the_whole_batch(micro_batch):
    data = images(15)
    args = {"loss": "cross_entropy", "metrics": {"accuracy"}, "epochs": 2, "batch_size": 8}  # then 7 are left
    penalty = WeightPenalty(l2=0.1)
    whole = fit(MLP((4,), head=ClassificationHead(3)), data, penalty=penalty, **args, **FIT)
    parts = fit(MLP((4,), head=ClassificationHead(3)), data, penalty=penalty, micro_batch=micro_batch, **args, **FIT)
    chex.assert_trees_all_close(whole.state.params, parts.state.params, rtol=1e-4, atol=1e-5)
    chex.assert_trees_all_close(whole.history, parts.history, rtol=1e-4)


def test_accumulation_moves_batch_statistics_once_a_step_by_the_mean_over_all_examples():
    class Norm(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            return nn.BatchNorm(use_running_average=not train, momentum=0.75)(x)

    x = np.arange(7, dtype=np.float32)[:, None] ** 2
    state = create_state(Norm(), optax.sgd(0.1), KEY, x[:1])
    state, _ = jax.jit(make_train_step("mse", micro_batch=3))(state, Batch(x, jnp.zeros((7, 1))))
    stats = state.batch_stats["BatchNorm_0"]
    np.testing.assert_allclose(stats["mean"], [0.25 * x.mean()], rtol=1e-6)
    within = (3 * x[:3].var() + 3 * x[3:6].var() + 1 * 0) / 7  # parts of 3, 3 and 1
    np.testing.assert_allclose(stats["var"], [0.75 + 0.25 * within], rtol=1e-5)


def test_parts_draw_their_own_dropout():
    model = nn.Sequential([nn.Dropout(0.5, deterministic=False)])
    state = create_state(model, optax.sgd(0.0), KEY, jnp.ones((2, 50)))
    batch = Batch(jnp.ones((4, 50)), jnp.zeros((4, 50)))
    kept = []

    def squares(outputs, targets):
        jax.debug.callback(lambda o: kept.append(np.asarray(o)), outputs, ordered=True)
        return jnp.square(outputs - targets).mean(axis=1)

    make_train_step(squares, micro_batch=2)(state, batch)
    jax.effects_barrier()
    masks = {row.tobytes() for part in kept for row in part}
    assert len(masks) == 4


def test_mixed_precision_computes_in_bfloat16_and_keeps_float32():
    seen = []

    class Spy(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            seen.append(x.dtype)
            x = nn.BatchNorm(use_running_average=not train)(nn.Dense(16)(x))
            seen.append(x.dtype)
            return nn.Dense(2)(x)

    rng = np.random.default_rng(0)
    data = Arrays(rng.normal(size=(64, 5)), rng.integers(0, 2, 64))
    args = {"loss": "cross_entropy", "epochs": 3, "batch_size": 16, **FIT}
    full = fit(Spy(), data, **args)
    assert set(seen) == {jnp.dtype("float32")}
    seen.clear()
    half = fit(Spy(), data, compute_dtype="bfloat16", **args)
    assert jnp.dtype("bfloat16") in seen
    leaves = jax.tree.leaves((half.state.params, half.state.batch_stats, half.state.opt_state))
    assert {leaf.dtype.name for leaf in leaves} <= {"float32", "int32"}
    assert half.history["loss"].dtype == np.float32
    np.testing.assert_allclose(half.history["loss"], full.history["loss"], rtol=0.05)


def test_weights_are_averaged_beside_an_unchanged_training():
    rule = optax.sgd(0.1, momentum=0.9, nesterov=True)
    params = {"w": jnp.array([1.0, -2.0])}
    kept, plain = average_weights(rule, 0.8), rule
    state, alone, theirs = kept.init(params), plain.init(params), params
    average = np.array([1.0, -2.0])
    for t in range(30):
        updates, state = kept.update(jax.tree.map(lambda w: 2 * w, params), state, params)
        params = optax.apply_updates(params, updates)
        expected, alone = plain.update(jax.tree.map(lambda w: 2 * w, theirs), alone, theirs)
        theirs = optax.apply_updates(theirs, expected)
        decay = min(0.8, (1 + t) / (10 + t))
        average = decay * average + (1 - decay) * np.asarray(params["w"])
    chex.assert_trees_all_equal(params, theirs)
    np.testing.assert_allclose(state.average["w"], average, rtol=1e-5, atol=1e-7)


def test_the_average_takes_the_place_of_the_weights():
    data = images(8)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), average_weights(optax.adamw(1e-2, mask=decay_mask), 0.9))
    state = fit(Linear(), data, loss="cross_entropy", epochs=2, batch_size=4, **{**FIT, "optimizer": optimizer}).state
    mean = averaged(state)
    assert not np.array_equal(mean.params["Dense_0"]["kernel"], state.params["Dense_0"]["kernel"])
    assert predict(mean, data).shape == (8, 3)
    with pytest.raises(ValueError, match="train with average_weights"):
        averaged(create_state(Linear(), OPTIMIZER, KEY, data.x))
    with pytest.raises(ValueError, match="needs the parameters"):
        average_weights(OPTIMIZER).update({}, average_weights(OPTIMIZER).init({}))


def test_decay_touches_weights_and_leaves_biases_and_norms():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Conv(4, (3, 3))(x)
            return nn.Dense(2)(nn.LayerNorm()(x.reshape(x.shape[0], -1)))

    params = create_state(Net(), OPTIMIZER, KEY, jnp.ones((1, 4, 4, 1))).params
    params = jax.tree.map(jnp.ones_like, params)
    rule = optax.adamw(0.1, weight_decay=0.5, mask=decay_mask)
    updates, _ = rule.update(jax.tree.map(jnp.zeros_like, params), rule.init(params), params)
    for path, update in jax.tree_util.tree_leaves_with_path(updates):
        expected = -0.05 if "kernel" in jax.tree_util.keystr(path) else 0.0
        np.testing.assert_allclose(update, expected, rtol=1e-6)


def test_smoothed_labels_are_those_written_out():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(5, 4)).astype(np.float32), np.array([0, 3, 1, 2, 2])
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    targets = 0.9 * np.eye(4)[labels] + 0.1 / 4
    loss = SmoothedCrossEntropy(0.1)
    np.testing.assert_allclose(loss(logits, jnp.asarray(labels)), -(targets * logs).sum(axis=1), rtol=1e-5)
    soft = jnp.eye(4)[labels]
    np.testing.assert_allclose(loss(jnp.asarray(logits), soft), -(targets * logs).sum(axis=1), rtol=1e-5)
    assert jnp.isnan(loss(jnp.asarray(logits), jnp.asarray(labels + 1))).tolist() == [False, True, False, False, False]
    data = Arrays(np.zeros((4, 8, 8, 1)), np.array([0, 1, 3, 2]))
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.2 .* row 2 has 3"):
        fit(Linear(), data, loss=loss, epochs=1, batch_size=2, **FIT)


def test_defaults_are_those_of_the_papers():
    # Szegedy et al. 2015 (arXiv:1512.00567), section 7: labels smoothed by .1, here over four classes.
    logs = np.array([0.0, 0, 0, 2]) - np.log(3 + np.exp(2))
    found = SmoothedCrossEntropy()(jnp.array([[0.0, 0, 0, 2]]), jnp.array([3]))
    np.testing.assert_allclose(found, [-(0.9 * logs[3] + 0.1 * logs.mean())], rtol=1e-5)
    # An average that keeps .999 of itself once 10,000 updates are behind it (tf.train.ExponentialMovingAverage).
    rule = average_weights(optax.sgd(1.0))
    state = rule.init(jnp.zeros(1))._replace(updates=jnp.int32(100_000))
    _, state = rule.update(jnp.array([-1.0]), state, jnp.zeros(1))
    np.testing.assert_allclose(state.average, [0.001], rtol=1e-3)


def own_shares(mix):
    """What is left of an example's own class in each of 2000 mixed ones, of 32 x 32 pixels."""
    x, y = jnp.zeros((2000, 32, 32, 1)), jnp.tile(jnp.eye(2), (1000, 1))
    return np.asarray((jax.jit(mix)(jax.random.split(KEY, 2000), x, y)[1] * y).sum(axis=1))


def test_mixup_draws_its_shares_as_the_paper():
    # Zhang et al. 2017 (arXiv:1710.09412), section 3.1: alpha in [0.1, 0.4]. Beta(a, a) has the variance 1 / (8 a + 4).
    own = own_shares(Mixup())
    assert own.mean() == pytest.approx(0.5, abs=0.03)
    assert own.var() == pytest.approx(1 / (8 * 0.2 + 4), abs=0.01)


def test_cutmix_draws_its_boxes_as_the_paper():
    # Yun et al. 2019 (arXiv:1905.04899), algorithm A1 and section 4.1: alpha = 1; a box may hang over the edge.
    rng = np.random.default_rng(0)
    half, centers = np.sqrt(1 - rng.beta(1, 1, (20_000, 1))) / 2, rng.random((20_000, 2))
    sides = np.minimum(centers + half, 1) - np.maximum(centers - half, 0)
    expected, own = 1 - sides.prod(axis=1), own_shares(CutMix())
    assert own.mean() == pytest.approx(expected.mean(), abs=0.02)
    assert own.var() == pytest.approx(expected.var(), abs=0.006)


def test_schedules_are_their_formulas():
    t = np.arange(30)
    np.testing.assert_allclose([inverse_time_decay(0.3, 0.2)(n) for n in t], 0.3 / (0.2 * t + 1), rtol=1e-6)
    after = optax.cosine_decay_schedule(0.4, 20)
    warm = warm_up(5, after)
    np.testing.assert_allclose([warm(n) for n in range(5)], 0.4 * np.arange(1, 6) / 5, rtol=1e-6)
    np.testing.assert_allclose([warm(n) for n in range(5, 30)], [after(n) for n in range(25)], rtol=1e-6)
    assert jax.jit(warm)(jnp.int32(2)).shape == ()
    assert updates_in(2, 64, 32) == 4
    with pytest.raises(ValueError, match="updates must be an int >= 1"):
        warm_up(0, 0.1)


def test_views_are_averaged():
    data = images(10)
    state = create_state(SMALL_NET, OPTIMIZER, KEY, data.x)
    both = predict(state, data, batch_size=4, views=(as_it_is, mirrored))
    expected = (predict(state, data) + predict(state, np.asarray(data.x)[:, :, ::-1])) / 2
    np.testing.assert_allclose(both, expected, rtol=1e-5, atol=1e-6)


def test_bytes_are_not_taken_for_scaled_images():
    state = create_state(Linear(), OPTIMIZER, KEY, jnp.ones((1, 8, 8, 1)))
    with pytest.raises(TypeError, match="predict: data is uint8: scale images"):
        predict(state, np.zeros((2, 8, 8, 1), np.uint8))


BAD = {
    "micro_batch must be an int >= 1, got 0": {"micro_batch": 0},
    "compute_dtype must be .bfloat16., .float32. or None, got 'float16'": {"compute_dtype": "float16"},
    "Mixup mixes targets: they must be floats": {"augment": Augment((), Mixup())},
    "amount must be a number >= 0 and < 1, got 1.0": {"loss": lambda: SmoothedCrossEntropy(1.0)},
    "l1 must be a number >= 0": {"penalty": lambda: WeightPenalty(-1.0)},
    "decay must be a number >= 0 and < 1, got 1": {"optimizer": lambda: average_weights(OPTIMIZER, 1.0)},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_recipes_are_refused_before_tracing(message):
    def train():
        chosen = {
            name: value() if type(value).__name__ == "function" else value for name, value in BAD[message].items()
        }
        fit(Linear(), images(), **{"loss": "cross_entropy", "epochs": 1, "batch_size": 8, **FIT, **chosen})

    with pytest.raises(ValueError, match=message):
        train()
