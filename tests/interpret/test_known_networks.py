"""Looking into networks whose answer is known by construction."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision import interpret
from seqvision.interpret import maximize_activation, occlusion_map
from seqvision.models import ConvNet
from seqvision.training import create_state

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(3, 6, 6, 2)).astype(np.float32)


def state_of(model, shape=(1, 6, 6, 2), params=None):
    state = create_state(model, optax.sgd(0.1), jax.random.key(0), jnp.ones(shape))
    return state if params is None else state.replace(params=jax.tree.map(jnp.asarray, params))


class TwoDetectors(nn.Module):
    """Two 1 x 1 filters, one for each input channel, and two classes that add and subtract them."""

    @nn.compact
    def __call__(self, x, *, train=False):
        maps = nn.Conv(2, (1, 1), name="detectors")(x)
        return nn.Dense(2, name="classes")(maps.mean(axis=(1, 2)))


KERNEL = np.array([[3.0, 0.0], [0.0, 5.0]], np.float32)  # input channel to detector
CLASSES = np.array([[1.0, -1.0], [-2.0, 2.0]], np.float32)  # detector to class
DETECTORS = {
    "detectors": {"kernel": KERNEL[None, None], "bias": np.zeros(2, np.float32)},
    "classes": {"kernel": CLASSES, "bias": np.zeros(2, np.float32)},
}


class Linear(nn.Module):
    """Scores that are sums over pixels."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(2, use_bias=False)(x.reshape(x.shape[0], -1))


WEIGHTS = RNG.normal(size=(6, 6, 2, 2)).astype(np.float32)  # pixel, channel, class


def linear_state():
    return state_of(Linear(), params={"Dense_0": {"kernel": WEIGHTS.reshape(-1, 2)}})


def test_filters_are_the_kernels():
    filters = interpret.learned_filters(state_of(ConvNet((4, 8), dense=(5,)), (1, 20, 20, 3)).params)
    assert {name: images.shape for name, images in filters.items()} == {
        "ConvBlock_0/kernel": (4, 3, 3, 3),
        "ConvBlock_1/kernel": (8, 3, 3, 4),
    }
    assert interpret.learned_filters(linear_state().params) == {}
    kernel = DETECTORS["detectors"]["kernel"]
    np.testing.assert_array_equal(interpret.learned_filters(DETECTORS)["detectors/kernel"][1, 0, 0], kernel[0, 0, :, 1])


def test_feature_maps_are_what_the_layers_compute():
    maps = interpret.feature_maps(state_of(TwoDetectors(), params=DETECTORS), IMAGES)
    assert list(maps) == ["detectors"]
    np.testing.assert_allclose(maps["detectors"], IMAGES * [3.0, 5.0], rtol=1e-6)


def test_outputs_of_layers_come_in_order_and_equal_those_that_flax_keeps():
    state = state_of(ConvNet((4, 8), stride=1, batch_norm=True, dense=(5,)))
    outputs = interpret.layer_outputs(state, IMAGES)
    blocks = ["ConvBlock_0/norm", "ConvBlock_0", "ConvBlock_1/norm", "ConvBlock_1", "Dense_0"]
    assert list(outputs)[:5] == blocks  # and no dropout, which hands on its input
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    _, kept = state.apply_fn(variables, IMAGES, capture_intermediates=True, mutable=["intermediates"])
    np.testing.assert_allclose(outputs["ConvBlock_1"], kept["intermediates"]["ConvBlock_1"]["__call__"][0], rtol=1e-5)


def test_layers_called_twice_and_layers_behind_transforms():
    class Twice(nn.Module):
        @nn.compact
        def __call__(self, x):
            same = nn.Conv(2, (3, 3), name="same")
            return nn.remat(nn.Conv)(3, (1, 1), name="last")(same(same(x))).mean(axis=(1, 2))

    state = state_of(Twice())
    outputs = interpret.layer_outputs(state, IMAGES)
    assert list(outputs) == ["same", "same (2)", "last"]
    assert not np.allclose(outputs["same"], outputs["same (2)"])
    assert interpret.grad_cam(state, IMAGES).shape == (3, 6, 6)  # of the last: it is called once
    with pytest.raises(ValueError, match=r"layer 'same' is none that is called once .* there are \['last'\]"):
        interpret.grad_cam(state, IMAGES, layer="same")


def test_modules_inside_a_lifted_scan_are_passed_over():
    class Step(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return nn.Conv(2, (1, 1), name="inner")(x), None

    class Repeated(nn.Module):
        @nn.compact
        def __call__(self, x):
            steps = nn.scan(Step, variable_broadcast="params", split_rngs={"params": False}, length=3)
            x, _ = steps(name="steps")(x, None)
            return nn.Conv(2, (1, 1), name="last")(x).mean(axis=(1, 2))

    assert list(interpret.feature_maps(state_of(Repeated()), IMAGES)) == ["last"]


@pytest.mark.parametrize("classes", [0, [1, 0, 1], None])
def test_grad_cam_of_two_detectors(classes):
    state = state_of(TwoDetectors(), params=DETECTORS)
    channels = IMAGES * np.float32([3.0, 5.0])
    scores = channels.mean(axis=(1, 2)) @ CLASSES
    chosen = scores.argmax(axis=1) if classes is None else np.broadcast_to(classes, 3)
    weights = CLASSES[:, chosen].T / 36  # the mean over positions hands 1/36 of the gradient to each
    expected = np.maximum((channels * weights[:, None, None, :]).sum(axis=-1), 0.0)
    np.testing.assert_allclose(interpret.grad_cam(state, IMAGES, classes=classes), expected, atol=1e-6)


def test_grad_cam_finds_the_object_at_half_the_resolution():
    model = nn.Sequential([nn.Conv(1, (2, 2), strides=2), lambda x: x.mean(axis=(1, 2)) * jnp.array([[1.0, -1.0]])])
    state = state_of(model, (1, 8, 8, 1), {"layers_0": {"kernel": np.ones((2, 2, 1, 1)), "bias": np.zeros(1)}})
    image = np.zeros((1, 8, 8, 1), np.float32)
    image[0, 4:6, 0:2] = 1.0
    seen = interpret.grad_cam(state, image, classes=0)[0]
    assert np.unravel_index(seen.argmax(), seen.shape)[0] in (4, 5)
    assert seen[:3].max() == 0.0
    assert interpret.grad_cam(state, image, classes=1).max() == 0.0  # speaks against class 1: nothing is shown


@pytest.mark.parametrize(("window", "stride", "batch_size"), [((2, 3), 1, 7), ((4, 4), 3, 256), ((6, 6), 1, 2)])
def test_occlusion_of_a_linear_network_is_the_sum_of_what_is_covered(window, stride, batch_size):
    found = occlusion_map(
        linear_state(), IMAGES, window, stride=stride, fill=0.5, classes=[0, 1, 1], batch_size=batch_size
    )
    h, w = window
    for b, k in enumerate([0, 1, 1]):
        total, times = np.zeros((6, 6)), np.zeros((6, 6))
        for top in sorted({*range(0, 7 - h, stride), 6 - h}):
            for left in sorted({*range(0, 7 - w, stride), 6 - w}):
                part = (slice(top, top + h), slice(left, left + w))
                total[part] += np.sum((IMAGES[b][part] - 0.5) * WEIGHTS[part][..., k])
                times[part] += 1
        np.testing.assert_allclose(found[b], total / times, rtol=1e-4, atol=1e-4)


def test_covering_with_a_color():
    fill = jnp.asarray(IMAGES[0, 0, 0])  # an image of this color alone loses nothing
    image = np.broadcast_to(IMAGES[:1, :1, :1], (1, 6, 6, 2))
    np.testing.assert_allclose(occlusion_map(linear_state(), image, (2, 2), fill=fill), 0.0, atol=1e-5)


def test_activation_of_a_linear_network_is_largest_where_weights_are_positive():
    found = maximize_activation(linear_state(), (6, 6, 2), [1, 0], l2=0.0, smoothness=0.0, steps=60)
    for image, k in zip(found.images, [1, 0], strict=True):
        np.testing.assert_array_equal(image, WEIGHTS[..., k] > 0)
    expected = np.maximum(WEIGHTS, 0).sum(axis=(0, 1, 2))[[1, 0]]
    np.testing.assert_allclose(found.activations, expected, rtol=1e-5)
    assert (found.start < found.activations).all()


def test_activation_with_a_penalty_has_a_closed_form():
    options = {"bounds": None, "smoothness": 0.0, "steps": 400}
    found = maximize_activation(linear_state(), (6, 6, 2), 0, l2=2.0, **options)
    np.testing.assert_allclose(found.images[0], WEIGHTS[..., 0] / 4, atol=5e-3)  # x = w / 2 l2


def test_activation_of_channels_and_smoothness():
    state = state_of(TwoDetectors(), params=DETECTORS)
    found = maximize_activation(state, (6, 6, 2), [0, 1], layer="detectors", steps=100, l2=0.1, smoothness=0.0)
    means = found.images.mean(axis=(1, 2))  # each detector sees one channel: the other is dark
    assert means[0, 0] > 5 * means[0, 1]
    assert means[1, 1] > 5 * means[1, 0]
    rough, smooth = (
        maximize_activation(linear_state(), (6, 6, 2), 0, smoothness=s, bounds=None, l2=1.0).images for s in (0, 2)
    )
    assert np.abs(np.diff(smooth, axis=1)).mean() < 0.5 * np.abs(np.diff(rough, axis=1)).mean()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interpret.feature_maps(linear_state(), IMAGES), "no layer of the model gives images"),
        (lambda: interpret.feature_maps(linear_state(), IMAGES[0]), r"images must be \(B, H, W, C\)"),
        (lambda: interpret.grad_cam(linear_state(), IMAGES), "the model has no layer that is called once"),
        (lambda: interpret.grad_cam(state_of(nn.Conv(2, (1, 1))), IMAGES), "the model has no layer"),
        (lambda: occlusion_map(state_of(nn.Conv(2, (1, 1))), IMAGES, (2, 2)), r"scores \(B, C\), got shape"),
        (lambda: occlusion_map(linear_state(), IMAGES, (7, 2)), "images of 6 x 6, got"),
        (lambda: occlusion_map(linear_state(), IMAGES, (2, 2), stride=3), "would leave pixels uncovered"),
        (lambda: occlusion_map(linear_state(), IMAGES, (2, 2), classes=2), r"classes must lie in \[0, 2\)"),
        (lambda: occlusion_map(linear_state(), IMAGES, (2, 2), classes=[0, 1]), "one for each of 3 images"),
        (
            lambda: maximize_activation(linear_state(), (6, 6, 2), [2]),
            r"units must lie in \[0, 2\), got \[2\]",
        ),
        (lambda: maximize_activation(linear_state(), (6, 6, 2), []), "one integer or more"),
        (lambda: maximize_activation(linear_state(), (6, 6, 2), 0, layer="conv"), "layer 'conv' is none"),
        (lambda: maximize_activation(state_of(nn.Conv(2, (1, 1))), (6, 6, 2), 0), "name a layer"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
