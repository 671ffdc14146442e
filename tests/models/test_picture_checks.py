"""Image models say what is wrong with images that they would misread."""

import jax
import jax.numpy as jnp
import pytest

from seqvision.models import (
    VGG,
    AlexNet,
    CompactNet,
    ConvNet,
    GoogLeNet,
    GridDetector,
    LeNet5,
    SixConvNet,
    WhitenedConvNet,
    YOLOv1,
    resnet18,
)

MODELS = {
    "VGG": VGG(),
    "AlexNet": AlexNet(),
    "CompactNet": CompactNet(),
    "ConvNet": ConvNet(),
    "GoogLeNet": GoogLeNet(),
    "GridDetector": GridDetector(),
    "LeNet5": LeNet5(),
    "SixConvNet": SixConvNet(),
    "WhitenedConvNet": WhitenedConvNet(),
    "YOLOv1": YOLOv1(),
    "ResNet": resnet18(),
}


@pytest.mark.parametrize("name", MODELS)
def test_channels_in_front_are_refused(name):
    for shape in ((2, 3, 64, 64), (2, 1, 28, 28)):
        with pytest.raises(ValueError, match=rf"{name}: x .* has its channels in front; .* jnp\.moveaxis\(x, 1, -1\)"):
            jax.eval_shape(MODELS[name].init, jax.random.key(0), jnp.zeros(shape))


@pytest.mark.parametrize("name", MODELS)
def test_integers_are_refused(name):
    with pytest.raises(TypeError, match=rf"{name}: x is uint8: scale images first, uint8 by x / 255"):
        jax.eval_shape(MODELS[name].init, jax.random.key(0), jnp.zeros((2, 64, 64, 3), jnp.uint8))
