"""Layers beside their sources: LeNet-5 layer by layer, response norm, gates, the network of the speed records."""

from itertools import pairwise

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.models import (
    BatchNorm,
    ConvBlock,
    ConvTransposeBlock,
    LeNet5,
    PartialConv,
    SeparableBlock,
    SqueezeExcitation,
    TrainablePool,
    WhitenedConvNet,
    local_response_norm,
    variable_shapes,
    whitening_kernel,
)
from seqvision.models.classic.lenet import C3_INPUTS, scaled_tanh
from seqvision.models.classic.whitened import start_from_identity
from tests.models.built import calls


def test_layers_of_lenet_are_those_of_section_2b():
    # LeCun et al. 1998, section II-B: trainable parameters, and sizes of the feature maps.
    variables = variable_shapes(LeNet5("original"), jnp.zeros((1, 32, 32, 1)))
    counts = {name: sum(p.size for p in jax.tree.leaves(layer)) for name, layer in variables["params"].items()}
    assert counts == {"C1": 156, "S2": 12, "C3": 1_516, "S4": 32, "C5": 48_120, "F6": 10_164}
    layers = calls(LeNet5("original"), (32, 32, 1), ConvBlock, PartialConv, TrainablePool, nn.Dense)
    sizes = {"C1": (28, 28, 6), "S2": (14, 14, 6), "C3": (10, 10, 16), "S4": (5, 5, 16), "C5": (120,), "F6": (84,)}
    assert {call.path: call.outputs[1:] for call in layers} == sizes
    # MNIST's 28 x 28 pixels stand in the middle of these 32 x 32.
    assert calls(LeNet5("original"), (28, 28, 1), ConvBlock)[0].outputs[1:] == (28, 28, 6)


def test_maps_of_c3_read_what_table_1_says():
    table = """
    X...XXX..XXXX.XX
    XX...XXX..XXXX.X
    XXX...XXX..X.XXX
    .XXX..XXXX..X.XX
    ..XXX..XXXX.XX.X
    ...XXX..XXXX.XXX
    """
    rows = table.split()
    for output, inputs in enumerate(C3_INPUTS):
        assert sorted(inputs) == [i for i in range(6) if rows[i][output] == "X"], output


def test_the_tanh_of_lenet_is_that_of_appendix_a():
    # f(a) = A tanh(S a), A = 1.7159, S = 2/3: f(1) = 1, f(-1) = -1.
    np.testing.assert_allclose(scaled_tanh(jnp.array([-100.0, 100.0])), [-1.7159, 1.7159], rtol=1e-6)
    np.testing.assert_allclose(jax.grad(scaled_tanh)(0.0), 1.7159 * 2 / 3, rtol=1e-6)
    np.testing.assert_allclose(scaled_tanh(jnp.array([-1.0, 1.0])), [-1, 1], atol=1e-4)


def test_weights_of_lenet_start_within_2_4_over_the_fan_in():
    kernel = np.abs(PartialConv(C3_INPUTS).init(jax.random.key(0), jnp.zeros((1, 14, 14, 6)))["params"]["kernel"])
    ends = np.cumsum([0, *map(len, C3_INPUTS)])
    for begin, end in pairwise(ends):
        assert 0.9 < kernel[..., begin:end].max() / (2.4 / (25 * (end - begin))) <= 1


def test_response_norm_has_the_constants_of_alexnet():
    # Krizhevsky et al. 2012, section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75.
    x = np.full((1, 9), 100.0, np.float32)
    neighbors = np.array([3, 4, 5, 5, 5, 5, 5, 4, 3])
    np.testing.assert_allclose(local_response_norm(x)[0], 100 / (2 + 1e-4 * 1e4 * neighbors) ** 0.75, rtol=1e-5)


def test_gates_are_read_from_a_sixteenth_of_the_channels():
    # Hu et al. 2017, section 4: "the reduction ratio r is set to 16".
    squeeze, excite = calls(SqueezeExcitation(), (4, 4, 64), nn.Dense)
    assert (squeeze.module.features, excite.module.features) == (4, 64)


def test_separable_convolutions_are_3_by_3_and_1_by_1_with_relu():
    # Howard et al. 2017, figure 3: 3x3 depthwise, batch norm, ReLU, 1x1, batch norm, ReLU.
    depthwise, pointwise = calls(SeparableBlock(8), (6, 6, 4), ConvBlock)
    assert (depthwise.module.kernel_size, depthwise.module.groups) == ((3, 3), 4)
    assert (pointwise.module.kernel_size, pointwise.module.groups) == ((1, 1), 1)
    assert all(call.module.activation == "relu" and call.module.batch_norm for call in (depthwise, pointwise))


def test_norms_start_with_the_settings_of_flax():
    ours, theirs = BatchNorm(True), nn.BatchNorm(True)
    assert (ours.momentum, ours.epsilon) == (theirs.momentum, theirs.epsilon) == (0.99, 1e-5)
    assert ConvBlock(1).momentum == ConvTransposeBlock(1).momentum == theirs.momentum
    assert ConvBlock(1).epsilon == theirs.epsilon


def test_the_pool_of_lenet_starts_as_a_mean():
    x = np.random.default_rng(0).normal(size=(1, 2, 2, 3)).astype(np.float32)
    y, _ = TrainablePool("linear").init_with_output(jax.random.key(0), x)
    np.testing.assert_allclose(y[0, 0, 0], x[0].mean(axis=(0, 1)), rtol=1e-5, atol=1e-7)


def test_logits_of_the_speed_record_are_a_ninth_and_its_activations_gelu():
    # Jordan 2024, listing: scaling_factor 1/9; nn.GELU after each norm.
    model, x = WhitenedConvNet((3, 4)), jax.random.normal(jax.random.key(1), (2, 9, 9, 1))

    @jax.jit
    def run(key, x):
        seen = {}

        def spy(call, args, kwargs, context):
            outputs = call(*args, **kwargs)
            seen["/".join(context.module.path)] = (args[0], outputs)
            return outputs

        variables = model.init(key, x)
        with nn.intercept_methods(spy):
            return model.apply(variables, x), variables, seen

    logits, variables, seen = run(jax.random.key(0), x)
    np.testing.assert_allclose(logits, seen["head"][1] / 9, rtol=1e-6)
    for before, after in (("norm1_1", "conv1_2"), ("norm1_2", "conv2_1")):
        normal = np.asarray(seen[before][1])
        gelu = 0.5 * normal * (1 + np.tanh(np.sqrt(2 / np.pi) * (normal + 0.044715 * normal**3)))
        np.testing.assert_allclose(seen[after][0], gelu, rtol=1e-4, atol=1e-6)
    limit = 1 / np.sqrt(4)  # torch.nn.Linear: +-1 / sqrt(fan-in)
    assert 0.9 * limit < np.abs(variables["params"]["head"]["kernel"]).max() <= limit


def test_kernels_of_the_speed_record_start_as_torchs_beside_the_identity():
    # Jordan 2024, listing: torch.nn.Conv2d's own start, +-1 / sqrt(fan-in), then dirac_ on the first channels.
    rest = np.abs(start_from_identity(jax.random.key(0), (3, 3, 64, 256))[..., 64:])
    assert 0.99 / np.sqrt(9 * 64) < rest.max() <= 1 / np.sqrt(9 * 64)


@pytest.mark.parametrize("channels", [1, 3])
def test_whitening_filters_are_of_2_by_2_pixels_and_hold_back_what_is_below_5e_4(channels):
    # Jordan 2024, listing: whiten_kernel_size 2, 2 * 3 * 2**2 filters, eps 5e-4.
    kernel = whitening_kernel(np.zeros((1, 4, 4, channels)))
    assert kernel.shape == (2, 2, channels, 8 * channels)
    np.testing.assert_allclose(np.linalg.norm(kernel.reshape(-1, 8 * channels), axis=0), 5e-4**-0.5, rtol=1e-5)
