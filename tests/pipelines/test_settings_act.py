"""Every setting of networks and training acts: on the module, the update rule or the step that is built from it."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.data import Batch
from seqvision.models import parameter_count
from seqvision.pipelines import ClassifyConfig, ForecastConfig
from seqvision.pipelines.config import AUGMENTATIONS, CELLS, CLASSIFIERS, FORECASTERS, Network, Training
from seqvision.pipelines.config.network import ACTS_ON
from seqvision.pipelines.named_models import build_classifier, build_forecaster
from seqvision.pipelines.named_training import (
    build_augment,
    build_class_loss,
    build_optimizer,
    build_penalty,
    build_stopping,
    fit_options,
    learning_rates,
)
from seqvision.training import EarlyStopping, WeightPenalty, averaged, create_state

WINDOW = jax.ShapeDtypeStruct((1, 6, 2), jnp.float32)
OTHER = {  # a value of each setting of networks that is not its default
    "layers": 2,
    "bidirectional": True,
    "readout": "mean",
    "method": "scan",
    "learned_start": True,
    "dropout": 0.1,
    "activation": "sigmoid",
    "zoneout": 0.1,
    "variational_dropout": 0.1,
    "kernel_size": 2,
}


def forecaster(name, **settings):
    return build_forecaster(name, ForecastConfig(models=name, hidden=2, residual=False, **settings), (0,))


def test_every_setting_of_networks_acts_on_the_models_it_says_and_on_no_others():
    names = {field.name for field in dataclasses.fields(Network)} - {"models", "hidden"}
    assert names == ACTS_ON.keys() == OTHER.keys()
    for name, value in OTHER.items():
        for model in FORECASTERS:
            if model not in ACTS_ON[name]:
                with pytest.raises(ValueError, match=f"^{name}.* acts on none of the models {model}"):
                    forecaster(model, **{name: value})
                continue
            plain, changed = forecaster(model), forecaster(model, **{name: value})
            assert plain != changed, (name, model)
            shapes = jax.eval_shape(
                lambda model=changed: model.init_with_output(
                    {"params": jax.random.key(0), "dropout": jax.random.key(1)}, jnp.ones(WINDOW.shape), train=True
                )[0]
            )
            assert shapes.shape == (1, 1, 1), (name, model)


def test_every_model_reads_windows_and_images():
    for name in FORECASTERS:
        assert parameter_count(forecaster(name), WINDOW) > 0
    image = jax.ShapeDtypeStruct((1, 8, 8, 1), jnp.float32)
    for name in CLASSIFIERS:
        config = ClassifyConfig(models=name, hidden=4, **({} if name in ("convnet", "linear") else {"layers": 2}))
        assert jax.eval_shape(
            lambda n=name, c=config: build_classifier(n, c, 8, 3).init_with_output(
                jax.random.key(0), jnp.ones(image.shape)
            )[0]
        ).shape == (1, 3)
    one, two = (parameter_count(forecaster("gru", layers=n, bidirectional=True), WINDOW) for n in (1, 2))
    assert two > one > parameter_count(forecaster("gru"), WINDOW)
    assert {"elman", "gru", "lstm"} < set(CELLS)


def test_a_causal_network_sees_no_step_ahead_and_as_far_back_as_it_says():
    model = forecaster("cnn", layers=2, activation="tanh").clone(
        head=None
    )  # the last of T steps sees 1 + 2 * 2 * 3 = 13
    x = jax.random.normal(jax.random.key(0), (1, 20, 2))
    variables = model.init(jax.random.key(1), x)
    slope = np.abs(jax.jacobian(lambda x: model.apply(variables, x))(x)).sum(axis=(0, 1, 2, 4))
    assert not slope[:7].any()
    assert slope[7:].all()


FACTORS = (2.0, 1.0, -1.0)  # of three gradients


def moves(config, gradients=(0.5, -2.0), examples=32):
    """What three updates make of weights of 1."""
    rule, weights = build_optimizer(config, examples), {"kernel": jnp.ones((1, len(gradients)))}
    state = rule.init(weights)
    for factor in FACTORS:
        steps, state = rule.update({"kernel": factor * jnp.array([gradients])}, state, weights)
        weights = optax.apply_updates(weights, steps)
    return np.asarray(weights["kernel"][0])


def test_every_setting_of_the_update_rule_acts():
    acting = {
        "momentum": [("sgd", 0.9), ("rmsprop", 0.9)],
        "beta1": [("adam", 0.5), ("lion", 0.99)],
        "beta2": [("adam", 0.5), ("rmsprop", 0.5), ("adadelta", 0.5), ("adabelief", 0.5)],
        "epsilon": [("adam", 0.1), ("rmsprop", 0.1), ("adagrad", 0.1), ("lamb", 0.1)],
        "weight_decay": [("sgd", 0.1), ("adamw", 0.1), ("nadamw", 0.1), ("lion", 0.1), ("lamb", 0.5)],
        "clip_norm": [("sgd", 0.1)],
        "clip_value": [("sgd", 0.1)],
        "learning_rate": [("adam", 0.1)],
    }
    for name, cases in acting.items():
        for optimizer, value in cases:
            plain, changed = Training(optimizer=optimizer), Training(optimizer=optimizer, **{name: value})
            assert np.abs(moves(plain) - moves(changed)).max() > 1e-6, (name, optimizer)
    ahead = [moves(Training(optimizer="sgd", momentum=0.9, nesterov=nesterov)) for nesterov in (False, True)]
    assert np.abs(ahead[0] - ahead[1]).max() > 1e-3
    assert np.abs(moves(Training()) - moves(Training(nesterov=True))).max() > 1e-6


def test_clipping_decay_and_momentum_by_hand():
    lr = {"optimizer": "sgd", "learning_rate": 0.1}
    g = np.array([0.5, -2.0])
    np.testing.assert_allclose(moves(Training(**lr)), 1 - 0.1 * 2 * g, rtol=1e-6)
    clipped = sum(np.clip(f * g, -0.75, 0.75) for f in FACTORS)
    np.testing.assert_allclose(moves(Training(**lr, clip_value=0.75)), 1 - 0.1 * clipped, rtol=1e-6)
    np.testing.assert_allclose(moves(Training(**lr, clip_norm=1.0)), 1 - 0.1 * g / np.linalg.norm(g), rtol=1e-6)
    w, v = np.ones(2), np.zeros(2)
    for factor in FACTORS:
        v = 0.9 * v + factor * g + 0.5 * w
        w = w - 0.1 * v
    np.testing.assert_allclose(moves(Training(**lr, momentum=0.9, weight_decay=0.5)), w, rtol=1e-5)


def test_schedules_by_hand():
    def at(updates, **settings):
        rates = learning_rates(Training(learning_rate=0.1, epochs=10, **settings), updates=4)
        return [float(rates(n)) if callable(rates) else rates for n in updates]

    assert at([0, 39]) == [0.1, 0.1]
    np.testing.assert_allclose(at([0, 20, 40], schedule="linear", min_learning_rate=0.02), [0.1, 0.06, 0.02], rtol=1e-5)
    np.testing.assert_allclose(at([0, 20, 40], schedule="cosine"), [0.1, 0.05, 0], atol=1e-7)
    np.testing.assert_allclose(at([4, 8], schedule="exponential", decay_rate=0.5), [0.05, 0.025], rtol=1e-5)
    np.testing.assert_allclose(at([7, 8], schedule="step", decay_rate=0.1, decay_epochs=2), [0.1, 0.01], rtol=1e-5)
    np.testing.assert_allclose(at([4, 400], schedule="inverse_time", decay_rate=1.0), [0.05, 0.1 / 101], rtol=1e-5)
    assert at([4000], schedule="inverse_time", decay_rate=1.0, min_learning_rate=0.02) == [pytest.approx(0.02)]
    np.testing.assert_allclose(at([0, 1, 3, 4, 22, 40], schedule="cosine", warmup=1.0)[:4], [0.025, 0.05, 0.1, 0.1])
    np.testing.assert_allclose(at([22, 40], schedule="cosine", warmup=1.0), [0.05, 0], atol=1e-7)


def test_stopping_penalties_and_what_else_fit_takes():
    config = ForecastConfig(patience=3, min_delta=0.1, l1=0.1, l2=0.2, micro_batch=4, compute_dtype="bfloat16")
    assert build_stopping(config) == EarlyStopping("val_loss", patience=3, min_delta=0.1)
    assert build_penalty(config) == WeightPenalty(0.1, 0.2)
    assert config.stops_on_validation
    assert not dataclasses.replace(config, monitor="loss").stops_on_validation
    options = fit_options(config, 100)
    assert (options["micro_batch"], options["compute_dtype"], options["shuffle"]) == (4, "bfloat16", True)
    assert not fit_options(ForecastConfig(shuffle=False), 100)["shuffle"]
    state = create_state(nn.Dense(1), build_optimizer(Training(average=0.9), 32), jax.random.key(0), jnp.ones((1, 3)))
    assert averaged(state).params.keys() == state.params.keys()


def test_augmentations_change_images_and_labels():
    batch = Batch(jax.random.uniform(jax.random.key(0), (16, 8, 8, 1)), jnp.arange(16) % 3)
    for name in AUGMENTATIONS:
        config = ClassifyConfig(augment=name)
        changed = build_augment(config, 8, 3)(jax.random.key(1), batch)
        assert changed.x.shape == batch.x.shape
        assert float(jnp.abs(changed.x - batch.x).max()) > 0.01, name
        losses = build_class_loss(config, np.arange(3), 3)(jnp.zeros((16, 3)), changed.y)
        np.testing.assert_allclose(losses, np.log(3), rtol=1e-5)
    assert build_augment(ClassifyConfig(), 8, 3) is None
    for name, amount in (("shift", 0.3), ("crop", 3), ("cutout", 5), ("rotate", 90)):
        assert (
            build_augment(ClassifyConfig(augment=f"{name}={amount}"), 8, 3).steps
            != build_augment(ClassifyConfig(augment=name), 8, 3).steps
        )


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (ForecastConfig, {"models": "rnn"}, "'rnn' is unknown; did you mean elman?"),
        (ForecastConfig, {"models": "LSTM"}, "'LSTM' is unknown; did you mean lstm?"),
        (ForecastConfig, {"models": "tcn"}, "'tcn' is unknown; did you mean cnn?"),
        (ClassifyConfig, {"models": "cnn"}, "'cnn' is unknown; did you mean convnet?"),
        (ForecastConfig, {"models": "mlp", "bidirectional": True}, "bidirectional=True acts on none of the models mlp"),
        (ForecastConfig, {"models": ("lstm", "lru"), "zoneout": 0.1}, "zoneout is not for lru: leave out zoneout"),
        (ForecastConfig, {"models": "elman", "activation": "gelu"}, "activation must be one of tanh, relu, sigmoid"),
        (ForecastConfig, {"zoneout": 0.1, "variational_dropout": 0.1}, "two ways to one end"),
        (ForecastConfig, {"momentum": 0.9}, "momentum is for optimizer sgd, rmsprop, but optimizer is 'adam'"),
        (ForecastConfig, {"weight_decay": 0.1}, "choose one of these, or give l2"),
        (ForecastConfig, {"optimizer": "sgd", "nesterov": True}, "give momentum too"),
        (ForecastConfig, {"decay_rate": 0.5}, "decay_rate is for schedule exponential, step, inverse_time"),
        (ForecastConfig, {"decay_rate": 1.5, "schedule": "step"}, "decay_rate must be below 1"),
        (ForecastConfig, {"decay_epochs": 5}, "decay_epochs is for schedule step"),
        (ForecastConfig, {"min_learning_rate": 0.001}, "min_learning_rate is where a schedule ends"),
        (ForecastConfig, {"warmup": 50}, "warmup must be below epochs 50"),
        (ForecastConfig, {"monitor": "loss"}, "monitor is for early stopping: give patience too"),
        (ForecastConfig, {"patience": 5, "validation": 0}, "needs validation rows: give validation=0.1"),
        (ClassifyConfig, {"patience": 5}, "needs validation rows: give validation=0.1"),
        (ForecastConfig, {"patience": 5, "monitor": "val_accuracy"}, "monitor is 'val_loss' or 'loss' for a forecast"),
        (ClassifyConfig, {"augment": "flop"}, "augment: 'flop' is unknown; did you mean flip?"),
        (ClassifyConfig, {"augment": "hflip"}, "did you mean flip?"),
        (ClassifyConfig, {"augment": ("flip", "flip")}, "augment names 'flip' twice"),
        (ClassifyConfig, {"augment": "flip=2"}, "flip takes no amount"),
        (ClassifyConfig, {"augment": "shift=much"}, "shift takes a number, such as shift=0.2"),
        (ClassifyConfig, {"augment": ("mixup", "cutmix")}, "give one of them"),
        (ClassifyConfig, {"models": "linear", "dropout": 0.2}, "dropout=0.2 acts on none of the models linear"),
        (ClassifyConfig, {"models": "convnet", "layers": 2}, "layers=2 acts on none of the models convnet"),
    ],
)
def test_what_would_not_act_is_refused(kind, settings, message):
    with pytest.raises(ValueError, match="^.*" + message.replace("?", r"\?")):
        kind(**settings)
