"""Recipes of the experiments: what their sources publish, and what their measured results were made with."""

import importlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.data import Arrays, Augment, Flip, Shift, Warp
from seqvision.pipelines import ClassifyConfig, ForecastConfig, ImageRecipe
from seqvision.pipelines.config import Training
from seqvision.pipelines.named_models import build_classifier
from seqvision.pipelines.named_training import build_optimizer
from seqvision.training import as_it_is, mirrored
from tests.models.built import calls


def experiment(name):
    return importlib.import_module(f"experiments.{name}")


GRADIENTS = [1.0, 0.5, -0.25, 0.0, 2.0]


def moves(rule, gradients=GRADIENTS, start=0.0, name="kernel"):
    """How far each update moves one weight."""
    params = {name: jnp.full((1, 1), start)}
    state, found = rule.init(params), []
    for gradient in gradients:
        change, state = rule.update({name: jnp.full((1, 1), gradient)}, state, params)
        found.append(float(change[name][0, 0]))
    return found


def adam(rate, b1=0.9, b2=0.999, epsilon=1e-8):
    """Kingma and Ba 2015, algorithm 1, whose settings are the defaults here."""
    m = v = 0.0
    for t, gradient in enumerate(GRADIENTS, start=1):
        m, v = b1 * m + (1 - b1) * gradient, b2 * v + (1 - b2) * gradient**2
        yield -rate * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + epsilon)


def momentum(rate, share=0.9, ahead=False):
    """Sutskever et al. 2013, in the form of torch.optim.SGD."""
    velocity = 0.0
    for gradient in GRADIENTS:
        velocity = share * velocity + gradient
        yield -rate * (gradient + share * velocity if ahead else velocity)


def adagrad(rate):
    """Duchi et al. 2011: squares are summed from nothing."""
    total = 0.0
    for gradient in GRADIENTS:
        total += gradient**2
        yield -rate * gradient / np.sqrt(total)


def rmsprop(rate, share=0.9):
    """Hinton's lecture 6e: a running mean of squares that keeps .9."""
    mean = 0.0
    for gradient in GRADIENTS:
        mean = share * mean + (1 - share) * gradient**2
        yield -rate * gradient / np.sqrt(mean)


RULES = {
    "gradient descent": lambda rate: -rate * np.array(GRADIENTS),
    "SGD": lambda rate: -rate * np.array(GRADIENTS),
    "momentum": momentum,
    "Nesterov": lambda rate: momentum(rate, ahead=True),
    "AdaGrad": adagrad,
    "RMSProp": rmsprop,
    "Adam": adam,
}


@pytest.mark.parametrize("name", RULES)
def test_update_rules_have_the_constants_of_their_papers(name):
    rules = experiment("optimizers").RULES
    assert list(rules) == list(RULES)
    np.testing.assert_allclose(moves(rules[name][0](0.01)), list(RULES[name](0.01)), rtol=1e-4)


def test_step_sizes_fall_as_the_header_of_the_experiment_measured_them():
    falling = {name: fall(0.5) for name, fall in experiment("optimizers").schedules(60).items()}
    at = [0, 6, 19, 20, 40, 60]
    t = np.array(at)
    expected = {
        "steps": 0.5 * 0.3 ** (t // 20),
        "exponential": 0.5 * 0.01 ** (t / 60),
        "1 / t": 0.5 / (1 + t / 3),
        "cosine": 0.25 * (1 + np.cos(np.pi * t / 60)),
        # Goyal et al. 2017 (arXiv:1706.02677), section 2.2: a linear rise, here over a tenth.
        "warm-up, cosine": np.where(t < 6, 0.5 * (t + 1) / 6, 0.25 * (1 + np.cos(np.pi * (t - 6) / 54))),
    }
    assert falling.pop("constant") == 0.5
    assert falling.keys() == expected.keys()
    for name, schedule in falling.items():
        np.testing.assert_allclose([schedule(k) for k in at], expected[name], rtol=1e-5, atol=1e-7, err_msg=name)


def test_plain_image_recipes_are_those_of_keras():
    # keras.optimizers.Adam: learning_rate=0.001, beta_1=0.9, beta_2=0.999; Model.fit: batch_size=32. The example
    # https://keras.io/examples/vision/mnist_convnet: batch_size = 128, epochs = 15.
    np.testing.assert_allclose(moves(ImageRecipe().optimizer(320)), list(adam(0.001)), rtol=1e-4)
    assert (ImageRecipe().batch_size, ImageRecipe().smoothing, ImageRecipe().augment) == (32, 0.0, None)
    _, recipe = experiment("mnist_cnn").rows(experiment("mnist_cnn").Config())["Keras"]
    assert recipe == ImageRecipe(epochs=15, batch_size=128)


def test_decay_is_a_share_of_the_weights_times_the_step_size_and_spares_biases():
    # Loshchilov and Hutter 2019 (arXiv:1711.05101), algorithm 2.
    recipe = ImageRecipe(weight_decay=0.02, learning_rate=0.1)
    rule = recipe.optimizer(320)
    np.testing.assert_allclose(moves(rule, [0.0], start=5.0), [-0.1 * 0.02 * 5], rtol=1e-5)
    params = {"bias": jnp.full((1,), 5.0)}
    change, _ = rule.update({"bias": jnp.zeros((1,))}, rule.init(params), params)
    assert not change["bias"].any()
    nesterov = ImageRecipe(weight_decay=0.02, learning_rate=0.1, rule="nesterov").optimizer(320)
    np.testing.assert_allclose(moves(nesterov, [0.0], start=5.0), [-0.1 * 1.9 * 0.02 * 5], rtol=1e-5)
    np.testing.assert_allclose(moves(nesterov), list(momentum(0.1, ahead=True)), rtol=1e-5)


def fashion_row(monkeypatch):
    """The row that the compact network is trained by."""
    module, seen = experiment("fashion_cnn"), []

    class Split:
        train = test = classes = ()

    monkeypatch.setattr(module, "load_images", lambda config: Split)
    monkeypatch.setattr(module, "run_and_print", lambda run, rows, *rest, **settings: seen.append(rows))
    module.main(module.Config(network="compact"))
    return seen[0]["compact"]


def test_measured_rows_keep_the_settings_that_they_were_measured_with(monkeypatch):
    """No paper gives them: what the headers' results were made with."""
    mnist = experiment("mnist_cnn").rows(experiment("mnist_cnn").Config())["compact"]
    cifar = experiment("cifar_cnn").rows(experiment("cifar_cnn").Config(), 10)["six, augmented, cosine"]
    fashion = fashion_row(monkeypatch)
    views = (as_it_is, mirrored)
    shake = (Shift(0.08, 0.08, "zero"), Warp(rotation=12, zoom=0.1, shear=8, fill="zero"))
    assert mnist[1] == ImageRecipe(15, 128, 0.003, "cosine", weight_decay=0.01, average=0.998, augment=Augment(shake))
    shifts = (Flip(probability=0.5), Shift(0.08, 0.08))
    assert fashion[1] == ImageRecipe(
        15, 32, 0.004, "cosine", weight_decay=0.02, average=0.999, augment=Augment(shifts), views=views
    )
    shifts = (Shift(0.1, 0.1), Flip(probability=0.5))
    assert cifar[1] == ImageRecipe(
        15, 32, 0.001, "cosine", weight_decay=0.02, average=0.999, augment=Augment(shifts), views=views
    )
    rates = [[call.module.rate for call in calls(net, (28, 28, 1), nn.Dropout)] for net, _ in (mnist, fashion)]
    assert rates == [[0.2], [0.1]]


# Dropout of the networks that the command line and the experiments choose by name: (rate, numbers of an example).
DROPOUT = {
    "mlp": (ClassifyConfig(), 28, [(0.2, 128)]),  # mnist_dense.py: "128 ReLU units with dropout .2"
    "convnet": (ClassifyConfig(), 28, [(0.2, 512), (0.2, 512)]),  # fashion_cnn.py: "dropout .2, 512, dropout .2"
    "convnet of few pixels": (ClassifyConfig(), 8, [(0.2, 256), (0.2, 128)]),
    "convnet of classify_digits.py": (ClassifyConfig(dropout=0.5), 8, [(0.5, 256), (0.5, 128)]),
    "lstm": (ClassifyConfig(), 28, [(0.2, 28 * 128)]),
    "chosen": (ClassifyConfig(dropout=0.4), 28, [(0.4, 128)]),
}


@pytest.mark.parametrize("name", DROPOUT)
def test_networks_by_name_drop_out_as_the_experiments_say(name):
    config, side, expected = DROPOUT[name]
    model = build_classifier({"chosen": "mlp"}.get(name, name.split()[0]), config, side, 10)
    found = calls(model, (side, side, 1), nn.Dropout)
    assert [(call.module.rate, np.prod(call.inputs[1:])) for call in found] == expected


def test_update_rules_by_name_have_the_constants_of_their_papers():
    for name, expected in (("adam", adam), ("rmsprop", rmsprop)):
        np.testing.assert_allclose(
            moves(build_optimizer(Training(optimizer=name, learning_rate=0.01), 32)), list(expected(0.01)), rtol=1e-4
        )
    np.testing.assert_allclose(
        moves(build_optimizer(Training(optimizer="sgd", learning_rate=0.01), 32)),
        -0.01 * np.array(GRADIENTS),
        rtol=1e-6,
    )
    assert (ClassifyConfig().learning_rate, ForecastConfig().learning_rate) == (0.001, 0.01)


def test_the_digit_gan_trains_as_dcgan(monkeypatch):
    # Radford et al. 2015, section 4: Adam, "reducing the momentum term beta_1 to 0.5"; Salimans et al. 2016
    # (arXiv:1606.03498), section 3.4: real examples count as .9. The step size is the experiment's own.
    module, seen = experiment("gan_digits"), {}

    class EnoughError(Exception):
        pass

    def state(generator, discriminator, optimizer, *rest, **settings):
        seen.update(optimizer=optimizer, **settings)

    def step(latent, *, smoothing):
        seen.update(smoothing=smoothing)
        raise EnoughError

    monkeypatch.setattr(module, "create_adversarial_state", state)
    monkeypatch.setattr(module, "make_adversarial_step", step)
    with pytest.raises(EnoughError):
        module.train_pair(module.Config(), jax.random.key(0), Arrays(np.zeros((2, 28, 28, 1)), np.zeros(2)), None)
    np.testing.assert_allclose(moves(seen["optimizer"]), list(adam(0.0004, b1=0.5)), rtol=1e-4)
    assert (seen["smoothing"], seen["latent"]) == (0.1, 64)


def test_digits_come_to_lenet_with_the_values_of_section_2b():
    # LeCun et al. 1998, section II-B: background -0.1, foreground 1.175, which makes the mean about 0.
    module = experiment("lenet_digits")
    train, test, _ = module.load(module.Config(data="digits", limit=50))
    for part in (train, test):
        assert float(part.x.min()) == pytest.approx(-0.1)
        assert float(part.x.max()) == pytest.approx(1.175)
