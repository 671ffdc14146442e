"""Networks beside their sources: what a paper or a reference implementation gives is what was built."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.activations import activation
from seqvision.models import (
    AlexNet,
    BatchNorm,
    CompactNet,
    ConvBlock,
    ConvTransposeBlock,
    DCGANDiscriminator,
    DCGANGenerator,
    GoogLeNet,
    GridDetector,
    ResNet,
    SixConvNet,
    WhitenedConvNet,
    YOLOv1,
    cifar_convnet,
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
from seqvision.models.classic import googlenet
from tests.models.built import calls

IMAGENET, CIFAR, MNIST = (224, 224, 3), (32, 32, 3), (28, 28, 1)
CONVOLUTIONS = (ConvBlock, ConvTransposeBlock)

# Multiply-adds of an image of 224 x 224, in billions: torchvision's published "GFLOPS" of each set of weights. They
# move with every width, kernel size, stride and padding.
BILLIONS = {
    "AlexNet": (AlexNet(), 0.714),
    "VGG-16": (vgg16(), 15.470),
    "VGG-19": (vgg19(), 19.632),
    "GoogLeNet BN": (GoogLeNet(batch_norm=True), 1.498),
    "ResNet-18": (resnet18(), 1.814),
    "ResNet-34": (resnet34(), 3.664),
    "ResNet-50": (resnet50(), 4.089),
}


def multiply_adds(call):
    if isinstance(call.module, nn.Dense):
        return np.prod(call.inputs[1:]) * call.module.features
    block = call.module
    pixels = np.prod(call.outputs[1:-1]) * np.prod(block.pool or 1)
    return pixels * np.prod(block.kernel_size) * call.inputs[-1] // block.groups * block.features


@pytest.mark.parametrize("name", BILLIONS)
def test_a_network_multiplies_as_often_as_torchvisions(name):
    model, billions = BILLIONS[name]
    found = sum(multiply_adds(call) for call in calls(model, IMAGENET, ConvBlock, nn.Dense))
    assert found / 1e9 == pytest.approx(billions, abs=6e-4)


# Sizes and channels of pictures, (side, channels), as the papers' tables and figures give them.
PICTURES = {
    # He et al. 2015, section 4.2: 1 + 2n layers on 32 x 32, 2n on 16 x 16 and 2n on 8 x 8, here with n = 3.
    "CIFAR ResNet-20": (cifar_resnet20(), CIFAR, [(32, 16)] * 7 + [(16, 32)] * 6 + [(8, 64)] * 6),
    # Redmon et al. 2015, figure 3, from left to right.
    "YOLOv1": (
        YOLOv1(),
        (448, 448, 3),
        [
            *[(224, 64), (112, 192), (56, 128), (56, 256), (56, 256), (56, 512)],
            *[(28, 256), (28, 512)] * 4,
            *[(28, 512), (28, 1024)],
            *[(14, 512), (14, 1024)] * 2,
            *[(14, 1024), (7, 1024), (7, 1024), (7, 1024)],
        ],
    ),
    # Radford et al. 2015, figure 1 with half of its channels, and its mirror image.
    "DCGAN generator": (DCGANGenerator(), (100,), [(4, 512), (8, 256), (16, 128), (32, 64), (64, 3)]),
    "DCGAN discriminator": (DCGANDiscriminator(), (64, 64, 3), [(32, 64), (16, 128), (8, 256), (4, 512), (1, 1)]),
    # Jordan 2024, listing: 24 whitening filters on 31 x 31, then groups of 64, 256 and 256 channels, each halved.
    "whitened": (WhitenedConvNet(), CIFAR, [(31, 24), (15, 64), (15, 64), *[(7, 256)] * 2, *[(3, 256)] * 2]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_shrink_and_grow_as_published(name):
    model, shape, expected = PICTURES[name]
    assert [call.outputs[2:] for call in calls(model, shape, *CONVOLUTIONS)] == expected


def test_inception_blocks_are_those_of_table_1():
    # Szegedy et al. 2014, table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool proj.
    rows = """
    3a 64 96 128 16 32 32;    3b 128 128 192 32 96 64;  4a 192 96 208 16 48 64;    4b 160 112 224 24 64 64
    4c 128 128 256 24 64 64;  4d 112 144 288 32 64 64;  4e 256 160 320 32 128 128; 5a 256 160 320 32 128 128
    5b 384 192 384 48 128 128
    """
    order = ("one", "three_in", "three", "wide_in", "wide", "pooled")
    kernels = dict(zip(order, (1, 1, 3, 1, 5, 1), strict=True))
    built = {call.path: call.module for call in calls(GoogLeNet(), IMAGENET, ConvBlock)}
    for row in rows.replace("\n", ";").split(";"):
        if row.strip():
            name, *channels = row.split()
            assert [built[f"{name}/{branch}"].features for branch in order] == [int(c) for c in channels]
            for branch, size in kernels.items():
                assert built[f"{name}/{branch}"].kernel_size == (size, size)
    assert len(built) == 3 + 9 * 6  # the stem, nine blocks


def test_responses_are_normalized_after_the_first_pool_and_before_the_second(monkeypatch):
    # Szegedy et al. 2014, figure 3: MaxPool, LocalRespNorm, Conv, Conv, LocalRespNorm, MaxPool.
    seen = []
    monkeypatch.setattr(googlenet, "local_response_norm", lambda x: seen.append(x.shape[2:]) or x)
    calls(GoogLeNet(), IMAGENET, ConvBlock)
    assert seen == [(56, 64), (56, 192)] * 2  # once to initialize, once to run
    seen.clear()
    calls(GoogLeNet(batch_norm=True), IMAGENET, ConvBlock)
    assert not seen


# Rates of dropout, and what it acts on: (rate, numbers of an example), in order.
DROPOUT = {
    # Krizhevsky et al. 2012, section 4.2: one half, in the first two fully connected layers.
    "AlexNet": (AlexNet(), IMAGENET, [(0.5, 9216), (0.5, 4096)]),
    # Simonyan and Zisserman 2014, section 3.1: .5 for the first two fully connected layers.
    "VGG-16": (vgg16(), IMAGENET, [(0.5, 4096), (0.5, 4096)]),
    # Szegedy et al. 2014, table 1: 40 % after average pooling.
    "GoogLeNet": (GoogLeNet(), IMAGENET, [(0.4, 1024)]),
    # He et al. 2015, section 3.4: "we do not use dropout".
    "ResNet-18": (resnet18(), IMAGENET, []),
    # Redmon et al. 2015, section 2.2: .5 after the first connected layer.
    "YOLOv1": (YOLOv1(), (448, 448, 3), [(0.5, 4096)]),
    "DCGAN generator": (DCGANGenerator(), (100,), []),
    "DCGAN discriminator": (DCGANDiscriminator(), (64, 64, 3), []),
    # https://keras.io/examples/vision/mnist_convnet: Flatten, Dropout(0.5), Dense.
    "MNIST convnet": (mnist_convnet(), MNIST, [(0.5, 5 * 5 * 64)]),
    "Fashion convnet": (fashion_convnet(), MNIST, [(0.2, 2 * 2 * 128), (0.2, 512)]),
    "CIFAR convnet": (cifar_convnet(), CIFAR, [(0.5, 3 * 3 * 128), (0.2, 1024)]),
    "six convolutions": (SixConvNet(), CIFAR, [(0.2, 4 * 4 * 128), (0.2, 1024)]),
    "compact": (CompactNet(), MNIST, [(0.2, 3 * 3 * 64)]),
    "whitened": (WhitenedConvNet(), CIFAR, []),
}


@pytest.mark.parametrize("name", DROPOUT)
def test_dropout_has_the_published_rates_in_the_published_places(name):
    model, shape, expected = DROPOUT[name]
    found = calls(model, shape, nn.Dropout)
    acting = [call for call in found if call.module.rate]
    assert [(call.module.rate, np.prod(call.inputs[1:])) for call in acting] == expected
    assert not any(call.module.deterministic for call in acting)


# Batch norms: how many, the share of the running statistics that an update keeps, what is added to the variance.
NORMS = {
    # torch.nn.BatchNorm2d: momentum=0.1 (of the new), eps=1e-05; torchvision's ResNets and PyTorch's DCGAN use it.
    "ResNet-18": (resnet18(), IMAGENET, 20, 0.9, 1e-5),
    "ResNet-50": (resnet50(), IMAGENET, 53, 0.9, 1e-5),
    "CIFAR ResNet-20": (cifar_resnet20(), CIFAR, 19, 0.9, 1e-5),
    "DCGAN generator": (DCGANGenerator(), (100,), 4, 0.9, 1e-5),  # section 3: none at the output
    "DCGAN discriminator": (DCGANDiscriminator(), (64, 64, 3), 3, 0.9, 1e-5),  # and none at the input
    # torchvision.models.googlenet.BasicConv2d: eps=0.001.
    "GoogLeNet BN": (GoogLeNet(batch_norm=True), IMAGENET, 57, 0.9, 1e-3),
    # keras.layers.BatchNormalization: momentum=0.99 (of the old), epsilon=0.001.
    "six convolutions": (SixConvNet(), CIFAR, 6, 0.99, 1e-3),
    # Jordan 2024, listing: batchnorm_momentum 0.6, of the old.
    "whitened": (WhitenedConvNet(), CIFAR, 6, 0.6, 1e-5),
    "compact": (CompactNet(), MNIST, 4, 0.9, 1e-5),
    "small detector": (GridDetector(), (64, 64, 1), 4, 0.9, 1e-5),
}


@pytest.mark.parametrize("name", NORMS)
def test_batch_norms_keep_the_published_share(name):
    model, shape, count, momentum, epsilon = NORMS[name]
    found = [(call.module.momentum, call.module.epsilon) for call in calls(model, shape, BatchNorm)]
    assert found == [(momentum, epsilon)] * count


def update_of_statistics(model, shape):
    """What one batch makes of the running mean, over the mean that the norms see, for each norm."""
    x = np.random.default_rng(0).normal(1, 1, (8, *shape)).astype(np.float32)
    variables = jax.jit(model.init)(jax.random.key(0), x)
    variables["batch_stats"] = jax.tree.map(
        lambda a: a if a.ndim else a + 1e6, variables["batch_stats"]
    )  # long trained

    @jax.jit
    def train(variables):
        with nn.intercept_methods(spy):
            return model.apply(variables, x, train=True, mutable=["batch_stats"])[1], list(seen)

    seen = []

    def spy(call, args, kwargs, context):
        if isinstance(context.module, BatchNorm) and context.method_name == "__call__":
            seen.append(args[0].mean(axis=(0, 1, 2)))
        return call(*args, **kwargs)

    updated, means = train(variables)
    new = [s["mean"] for s in jax.tree.leaves(updated, is_leaf=lambda node: isinstance(node, dict) and "mean" in node)]
    return sorted(float(np.linalg.norm(n)) for n in new), sorted(float(np.linalg.norm(m)) for m in means)


@pytest.mark.parametrize(
    ("model", "shape", "share"),
    [(WhitenedConvNet((2, 2), num_classes=2), (9, 9, 1), 0.4), (GridDetector((2, 4)), (8, 8, 1), 0.1)],
)
def test_one_batch_moves_the_running_mean_by_the_published_share(model, shape, share):
    moved, seen = update_of_statistics(model, shape)
    np.testing.assert_allclose(moved, share * np.array(seen), rtol=1e-3)


# What -1 and 2 become after each convolution.
SLOPES = {
    # Radford et al. 2015, section 4: "the slope of the leak was set to 0.2 in all models"; figure 1: ReLU, then tanh.
    "DCGAN discriminator": (DCGANDiscriminator(), (64, 64, 3), [(-0.2, 2.0)] * 4 + [(-1.0, 2.0)]),
    "DCGAN generator": (DCGANGenerator(), (100,), [(0.0, 2.0)] * 4 + [(np.tanh(-1), np.tanh(2))]),
    "digit discriminator": (digit_gan()[1], MNIST, [(-0.2, 2.0)] * 2 + [(-1.0, 2.0)]),
    # Redmon et al. 2015, equation 2: x where x > 0, else 0.1 x.
    "YOLOv1": (YOLOv1(), (448, 448, 3), [(-0.1, 2.0)] * 24),
    "small detector": (GridDetector(), (64, 64, 1), [(-0.1, 2.0)] * 4 + [(-1.0, 2.0)]),
}


@pytest.mark.parametrize("name", SLOPES)
def test_activations_have_the_published_slopes(name):
    model, shape, expected = SLOPES[name]
    found = [activation(call.module.activation)(jnp.array([-1.0, 2.0])) for call in calls(model, shape, *CONVOLUTIONS)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_dense_layer_of_yolo_leaks_by_a_tenth():
    # Redmon et al. 2015, section 2.2: equation 2 for all layers but the last; here what dropout gets from the layer.
    model, x = YOLOv1(1, 1, dense=4), jnp.zeros((1, 64, 64, 1))
    shapes = jax.eval_shape(model.init, jax.random.key(0), x)["params"]
    params = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), {name: shapes[name] for name in ("dense", "head")})
    params["dense"]["bias"] = jnp.array([-1.0, 2.0, -3.0, 0.0])
    params["head"]["kernel"] = jnp.zeros((4, 6)).at[:, :4].set(jnp.eye(4))

    def skip(call, args, kwargs, context):
        return jnp.zeros((1, 1, 1, 1024)) if isinstance(context.module, ConvBlock) else call(*args, **kwargs)

    with nn.intercept_methods(skip), pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqvision.models.classic.yolo.max_pool", lambda x, window: x)
        y = model.apply({"params": params}, x)
    np.testing.assert_allclose(y[0, 0, 0, :4], [-0.1, 2.0, -0.3, 0.0], rtol=1e-6)


def spread(initializer, shape=(3, 3, 64, 128)):
    kernel = np.asarray(initializer(jax.random.key(0), shape, jnp.float32))
    return kernel.std(), np.abs(kernel).max()


@pytest.mark.parametrize("model", [DCGANGenerator(), digit_gan()[0]])
def test_weights_of_the_generator_start_within_two_hundredths(model):
    # Radford et al. 2015, section 4: "zero-centered Normal distribution with standard deviation 0.02".
    for call in calls(model, (100,), ConvTransposeBlock):
        assert spread(call.module.kernel_init)[0] == pytest.approx(0.02, rel=0.01)


def test_weights_of_the_discriminator_start_within_two_hundredths():
    for call in calls(DCGANDiscriminator(), (64, 64, 3), ConvBlock):
        assert spread(call.module.kernel_init)[0] == pytest.approx(0.02, rel=0.01)


@pytest.mark.parametrize("model", [resnet18(), cifar_resnet20(), ResNet((1,), (8,), block="bottleneck")])
def test_residual_networks_start_as_he_et_al(model):
    # He et al. 2015b (arXiv:1502.01852), equation 10: standard deviation sqrt(2 / fan-in).
    for call in calls(model, (64, 64, 3), ConvBlock):
        assert spread(call.module.kernel_init)[0] == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.01)


def check_glorot(kernel):
    """In +-sqrt(6 / (fan-in + fan-out)), and uniform there."""
    limit = np.sqrt(6 / (np.prod(kernel.shape[:-2]) * sum(kernel.shape[-2:])))
    assert 0.98 * limit < np.abs(kernel).max() <= limit
    assert np.std(kernel) == pytest.approx(limit / np.sqrt(3), rel=0.1)


def test_keras_networks_start_as_keras():
    # keras.layers.Conv2D and Dense: kernel_initializer="glorot_uniform".
    variables = jax.jit(mnist_convnet().init)(jax.random.key(0), jnp.zeros((1, *MNIST)))
    for path, kernel in jax.tree_util.tree_leaves_with_path(variables["params"]):
        if path[-1].key == "kernel":
            check_glorot(kernel)
    for model in (fashion_convnet(), cifar_convnet(), SixConvNet()):
        for call in calls(model, CIFAR, ConvBlock, nn.Dense):
            if isinstance(call.module, nn.Dense):
                check_glorot(call.module.kernel_init(jax.random.key(0), (64, 100), jnp.float32))
            else:
                assert call.module.kernel_init is None  # as in the network above
