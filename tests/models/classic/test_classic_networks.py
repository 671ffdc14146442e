"""The classic networks: their parameters to the last one, and a forward and a backward pass of each."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.models import (
    VGG,
    AlexNet,
    CompactNet,
    ConvBlock,
    DCGANDiscriminator,
    DCGANGenerator,
    GoogLeNet,
    GridDetector,
    LeNet5,
    SixConvNet,
    WhitenedConvNet,
    YOLOv1,
    cifar_convnet,
    cifar_resnet18,
    cifar_resnet20,
    digit_gan,
    fashion_convnet,
    mnist_convnet,
    resnet18,
    resnet34,
    resnet50,
    vgg16,
    vgg19,
)
from seqvision.training.state import call_model

FAST = {"xla_backend_optimization_level": 0}  # compiles in half the time
IMAGENET, CIFAR, MNIST = (224, 224, 3), (32, 32, 3), (28, 28, 1)

# name: network, its usual input, parameters, running statistics
KNOWN = {
    "LeNet-5": (LeNet5("original"), MNIST, 60_000, 0),
    "LeNet-5 of 32 x 32": (LeNet5("original"), (32, 32, 1), 60_000, 0),
    "LeNet-5 partial": (LeNet5("partial"), MNIST, 60_806, 0),
    "LeNet-5 dense": (LeNet5("dense"), MNIST, 61_706, 0),
    "AlexNet": (AlexNet(), IMAGENET, 61_100_840, 0),
    "VGG-16": (vgg16(), IMAGENET, 138_357_544, 0),
    "VGG-19": (vgg19(), IMAGENET, 143_667_240, 0),
    "GoogLeNet": (GoogLeNet(), IMAGENET, 6_998_552, 0),
    "GoogLeNet BN": (GoogLeNet(batch_norm=True), IMAGENET, 6_624_904, 14_560),
    "ResNet-18": (resnet18(), IMAGENET, 11_689_512, 9_600),
    "ResNet-34": (resnet34(), IMAGENET, 21_797_672, 17_024),
    "ResNet-50": (resnet50(), IMAGENET, 25_557_032, 53_120),
    "CIFAR ResNet-18": (cifar_resnet18(), CIFAR, 11_173_962, 9_600),
    "CIFAR ResNet-20": (cifar_resnet20(), CIFAR, 269_722, 1_376),
    "YOLOv1": (YOLOv1(), (448, 448, 3), 271_703_550, 0),
    "DCGAN generator": (DCGANGenerator(), (100,), 3_576_704, 1_920),
    "DCGAN discriminator": (DCGANDiscriminator(), (64, 64, 3), 2_765_568, 1_792),
    "MNIST convnet": (mnist_convnet(), MNIST, 34_826, 0),
    "Fashion convnet": (fashion_convnet(), MNIST, 360_458, 0),
    "CIFAR convnet": (cifar_convnet(), CIFAR, 1_284_170, 0),
    "six convolutions": (SixConvNet(), CIFAR, 2_396_330, 896),
    "compact": (CompactNet(), MNIST, 98_666, 448),
    "whitened": (WhitenedConvNet(), CIFAR, 1_972_792, 2_304),
    "small detector": (GridDetector(), (64, 64, 1), 61_700, 352),
}


def sizes(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize("name", KNOWN)
def test_every_parameter_is_there(name):
    model, shape, trained, running = KNOWN[name]
    variables = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *shape)))
    assert sizes(variables["params"]) == trained
    means_and_variances = [leaf for leaf in jax.tree.leaves(variables.get("batch_stats", {})) if leaf.ndim]
    assert sizes(means_and_variances) == running
    assert set(variables) <= {"params", "batch_stats"}


# Networks at a small input and with few classes; the widest are thinned by their own fields where they have them.
SMALL = {
    "LeNet-5": (LeNet5("original"), MNIST, (10,)),
    "LeNet-5 partial": (LeNet5("partial", num_classes=3), MNIST, (3,)),
    "AlexNet": (AlexNet(3, dense=(64, 32)), (63, 63, 3), (3,)),
    "VGG-16": (VGG(dense=(64, 32), num_classes=3), CIFAR, (3,)),
    "GoogLeNet": (GoogLeNet(3), CIFAR, (3,)),
    "GoogLeNet BN": (GoogLeNet(3, batch_norm=True), CIFAR, (3,)),
    "ResNet-18": (resnet18(3), CIFAR, (3,)),
    "ResNet-50": (resnet50(3), CIFAR, (3,)),
    "CIFAR ResNet-20": (cifar_resnet20(3), (8, 8, 3), (3,)),
    "YOLOv1": (YOLOv1(3, dense=64), (64, 64, 3), (1, 1, 13)),
    "small detector": (GridDetector(num_classes=3), (16, 16, 1), (2, 2, 13)),
    "DCGAN generator": (DCGANGenerator(outputs=2, channels=(16, 8, 8, 4)), (5,), (64, 64, 2)),
    "DCGAN discriminator": (DCGANDiscriminator((4, 8, 8, 16)), (64, 64, 3), ()),
    "digit generator": (digit_gan((8, 4))[0], (5,), MNIST),
    "digit discriminator": (digit_gan((8, 4))[1], MNIST, ()),
    "MNIST convnet": (mnist_convnet(3), MNIST, (3,)),
    "six convolutions": (SixConvNet(num_classes=3), (16, 16, 3), (3,)),
}


def draw(path, leaf):
    """Random kernels of the size that keeps signals alive, drawn here since the networks' own draws compile slowly."""
    name = path[-1].key
    if name in ("scale", "var", "coefficient"):
        return jnp.full(leaf.shape, 0.25 if name == "coefficient" else 1.0)
    if len(leaf.shape) == 1:
        return jnp.zeros(leaf.shape)
    limit = (2 / np.prod(leaf.shape[:-1])) ** 0.5
    return jnp.asarray(np.random.default_rng(leaf.size).normal(0, limit, leaf.shape), jnp.float32)


LONG = (
    "GoogLeNet",
    "GoogLeNet BN",
    "ResNet-50",
    "ResNet-18",
    "YOLOv1",
)  # compile for long, and are made of what the others are made of
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in SMALL]


@pytest.mark.parametrize("name", NAMES)
def test_forward_and_backward_reach_every_parameter(name):
    model, shape, outputs = SMALL[name]
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, *shape)), jnp.float32)
    shapes = jax.eval_shape(model.init, jax.random.key(0), x)
    variables = jax.tree_util.tree_map_with_path(draw, shapes)
    weights = jnp.asarray(np.random.default_rng(1).normal(size=(2, *outputs)), jnp.float32)

    def objective(params):
        y, _ = call_model(
            model.apply,
            {**variables, "params": params},
            x,
            train=True,
            rngs={"dropout": jax.random.key(1)},
            mutable=["batch_stats"],
        )
        return jnp.sum(y * weights), y

    (_, y), grads = jax.jit(jax.value_and_grad(objective, has_aux=True), compiler_options=FAST)(variables["params"])
    assert y.shape == (2, *outputs)
    for path, leaf in jax.tree_util.tree_leaves_with_path(grads):
        assert np.all(np.isfinite(leaf)), jax.tree_util.keystr(path)
        assert np.any(leaf), jax.tree_util.keystr(path)


REFUSED = {
    "images must be at least 63 x 63": (AlexNet(), CIFAR),
    "5 max pools need images of at least 32 x 32": (vgg16(), (31, 32, 3)),
    r"images must be \(B, 28, 28, C\) or \(B, 32, 32, C\)": (LeNet5(), (27, 27, 1)),
    "form must be one of 'original', 'partial', 'dense', got 'orignal'": (LeNet5("orignal"), MNIST),
    'knows pictures of 10 digits, not 26 classes: use "partial"': (LeNet5(num_classes=26), MNIST),
    "must be multiples of 64 pixels": (YOLOv1(), (448, 440, 3)),
    "must be multiples of 8": (GridDetector(), (16, 12, 1)),
    "norm_last says where to normalize, but batch_norm is False": (ConvBlock(4, norm_last=True), CIFAR),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_fit_is_refused(message):
    model, shape = REFUSED[message]
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *shape)))
