"""Blocks of convolutional networks beside the same written out."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.models import (
    BottleneckBlock,
    ConvBlock,
    ConvTransposeBlock,
    InceptionBlock,
    LeNet5,
    PartialConv,
    ResidualBlock,
    SeparableBlock,
    SqueezeExcitation,
    TrainablePool,
    local_response_norm,
)
from seqvision.models.classic.digit_codes import DIGIT_CODES
from seqvision.models.classic.lenet import C3_INPUTS

KEY = jax.random.key(0)
FAST = {"xla_backend_optimization_level": 0}  # compiles in half the time


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def shaken(module, x):
    """Random variables, with nothing left at zero or one; and the module's outputs with them."""
    rng = np.random.default_rng(1)

    def one(path, leaf):
        values = rng.normal(size=leaf.shape) * 0.4
        return (np.abs(values) + 0.5 if path[-1].key == "var" else values).astype(np.float32)

    variables = jax.tree_util.tree_map_with_path(one, jax.eval_shape(module.init, KEY, x))
    return variables, jax.jit(module.apply, compiler_options=FAST)(variables, x)


def normalize(x, variables, *path, epsilon=1e-5):
    params, stats = variables["params"], variables["batch_stats"]
    for name in path:
        params, stats = params[name], stats[name]
    params, stats = params["norm"], stats["norm"]
    return (x - stats["mean"]) / np.sqrt(stats["var"] + epsilon) * params["scale"] + params["bias"]


def lax_conv(x, kernel, stride=1, padding="SAME", groups=1):
    return np.asarray(
        jax.lax.conv_general_dilated(
            x, kernel, (stride,) * 2, padding, dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=groups
        )
    )


def relu(x):
    return np.maximum(x, 0)


@pytest.mark.parametrize("kind", ["same shape", "projection", "zeros"])
def test_residual_block_is_two_convolutions_and_a_shortcut(kind):
    x = draw(2, 7, 6, 4)
    features, stride = (4, 1) if kind == "same shape" else (6, 2)
    block = ResidualBlock(features, stride, "zeros" if kind == "zeros" else "projection")
    variables, found = shaken(block, x)
    params, ones = variables["params"], ((1, 1), (1, 1))
    y = relu(normalize(lax_conv(x, params["conv1"]["kernel"], stride, ones), variables, "conv1"))
    y = normalize(lax_conv(y, params["conv2"]["kernel"], 1, ones), variables, "conv2")
    if kind == "same shape":
        shortcut = x
    elif kind == "projection":
        kernel = params["shortcut"]["kernel"]
        shortcut = normalize(x[:, ::2, ::2] @ kernel[0, 0], variables, "shortcut")
    else:
        shortcut = np.concatenate([x[:, ::2, ::2], np.zeros((2, 4, 3, 2))], axis=-1)
    assert ("shortcut" in params) == (kind == "projection")
    with np.errstate(all="raise"):
        np.testing.assert_allclose(found, relu(y + shortcut), rtol=1e-4, atol=1e-4)


def test_bottleneck_block_is_three_convolutions_and_a_shortcut():
    x = draw(2, 6, 6, 3)
    block = BottleneckBlock(2, 2)
    variables, found = shaken(block, x)
    params = variables["params"]
    y = relu(normalize(x @ params["conv1"]["kernel"][0, 0], variables, "conv1"))
    y = relu(normalize(lax_conv(y, params["conv2"]["kernel"], 2, ((1, 1), (1, 1))), variables, "conv2"))
    y = normalize(y @ params["conv3"]["kernel"][0, 0], variables, "conv3")
    shortcut = normalize(x[:, ::2, ::2] @ params["shortcut"]["kernel"][0, 0], variables, "shortcut")
    np.testing.assert_allclose(found, relu(y + shortcut), rtol=1e-4, atol=1e-4)


def test_separable_block_is_a_depthwise_convolution_and_a_matrix():
    x = draw(2, 6, 5, 3)
    block = SeparableBlock(4, stride=2, activation="tanh")
    variables, found = shaken(block, x)
    params = variables["params"]
    y = lax_conv(x, params["depthwise"]["kernel"], 2, groups=3)
    y = np.tanh(normalize(y, variables, "depthwise"))
    y = np.tanh(normalize(y @ params["pointwise"]["kernel"][0, 0], variables, "pointwise"))
    np.testing.assert_allclose(found, y, rtol=1e-4, atol=1e-4)


def test_squeeze_excitation_scales_channels():
    x = draw(2, 4, 3, 8)
    block = SqueezeExcitation(4)
    variables, found = shaken(block, x)
    squeeze, excite = variables["params"]["squeeze"], variables["params"]["excite"]
    hidden = relu(x.mean((1, 2)) @ squeeze["kernel"] + squeeze["bias"][None])
    gate = 1 / (1 + np.exp(-(hidden @ excite["kernel"] + excite["bias"][None])))
    np.testing.assert_allclose(found, x * gate[:, None, None], rtol=1e-4, atol=1e-5)


def test_inception_block_lays_its_branches_side_by_side():
    x = draw(2, 6, 5, 3)
    block = InceptionBlock((2, 3, 4, 2, 3, 1))
    variables, found = shaken(block, x)

    def branch(name, x):
        params = variables["params"][name]
        return relu(lax_conv(x, params["kernel"]) + params["bias"])

    pooled = nn.max_pool(x, (3, 3), (1, 1), "SAME")
    parts = [
        branch("one", x),
        branch("three", branch("three_in", x)),
        branch("wide", branch("wide_in", x)),
        branch("pooled", pooled),
    ]
    assert variables["params"]["wide"]["kernel"].shape == (5, 5, 2, 3)
    np.testing.assert_allclose(found, np.concatenate(parts, -1), rtol=1e-4, atol=1e-4)


def test_conv_block_may_normalize_last_and_drop():
    x = draw(6, 4, 4, 2)
    block = ConvBlock(3, batch_norm=True, norm_last=True, pool=(2, 2), dropout=0.5)
    variables, found = shaken(block, x)
    y = relu(lax_conv(x, variables["params"]["kernel"]) + variables["params"]["bias"])
    y = normalize(y, variables).reshape(6, 2, 2, 2, 2, 3).max((2, 4))
    np.testing.assert_allclose(found, y, rtol=1e-4, atol=1e-4)
    trained, _ = block.apply(variables, x, train=True, rngs={"dropout": KEY}, mutable=["batch_stats"])
    assert 0.2 < np.mean(np.asarray(trained) == 0) < 0.8


def test_conv_block_without_bias():
    assert list(jax.eval_shape(ConvBlock(3, use_bias=False).init, KEY, draw(1, 4, 4, 2))["params"]) == ["kernel"]


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_transposed_block_is_torchs_layer(padding):
    torch = pytest.importorskip("torch", reason="torch has a transposed convolution to compare with")
    x = draw(2, 5, 4, 3)
    block = ConvTransposeBlock(2, padding=padding, activation="tanh", batch_norm=True)
    variables, found = shaken(block, x)
    theirs = torch.nn.ConvTranspose2d(3, 2, 4, 2, padding=1 if padding == "same" else 0, bias=False)
    kernel = torch.from_numpy(variables["params"]["kernel"][::-1, ::-1].copy()).permute(2, 3, 0, 1)
    theirs.load_state_dict({"weight": kernel})
    with torch.no_grad():
        y = theirs(torch.from_numpy(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    assert found.shape == ((2, 10, 8, 2) if padding == "same" else (2, 12, 10, 2))
    np.testing.assert_allclose(found, np.tanh(normalize(y, variables)), rtol=1e-4, atol=1e-5)


def test_a_transposed_block_on_one_pixel_is_the_transposed_convolution():
    from seqvision.conv import conv_transpose

    x = draw(2, 1, 1, 3)
    variables, found = shaken(ConvTransposeBlock(2, (3, 4), 1, "valid", activation="linear"), x)
    kernel, bias = variables["params"]["kernel"], variables["params"]["bias"]
    assert found.shape == (2, 3, 4, 2)
    np.testing.assert_allclose(found, conv_transpose(x, kernel, bias, padding="valid"), rtol=1e-5, atol=1e-6)


def test_response_norm_equals_torchs():
    torch = pytest.importorskip("torch", reason="torch has a response normalization to compare with")
    x = draw(2, 3, 3, 7)
    theirs = torch.nn.LocalResponseNorm(5, alpha=5 * 0.3, beta=0.6, k=1.5)  # torch divides alpha by the size
    expected = theirs(torch.from_numpy(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    ours = local_response_norm(x, alpha=0.3, beta=0.6, offset=1.5)
    np.testing.assert_allclose(ours, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="size must be odd"):
        local_response_norm(x, 4)


def test_partial_convolution_is_a_masked_one():
    x = draw(2, 7, 7, 6)
    layer = PartialConv(C3_INPUTS, activation="linear")
    variables, found = shaken(layer, x)
    kernel, bias = variables["params"]["kernel"], variables["params"]["bias"]
    dense, connections = np.zeros((5, 5, 6, 16), np.float32), iter(range(60))
    for output, inputs in enumerate(C3_INPUTS):
        for channel in inputs:
            dense[:, :, channel, output] = kernel[:, :, next(connections)]
    expected = lax_conv(x, dense, padding="VALID") + bias
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="inputs name maps that x"):
        layer.init(KEY, draw(1, 7, 7, 5))


def test_trainable_pool_by_hand():
    x = jnp.array([[1.0, 2.0], [3.0, 4.0]])[None, :, :, None]
    params = {"coefficient": jnp.array([0.5]), "bias": jnp.array([-4.0])}
    expected = 1.7159 * np.tanh(2 / 3 * (0.5 * 10 - 4))
    np.testing.assert_allclose(TrainablePool().apply({"params": params}, x), [[[[expected]]]], rtol=1e-6)


def test_unconnected_weights_of_lenet_stay_zero_under_momentum_and_weight_decay():
    model, x = LeNet5("partial"), draw(8, 28, 28, 1)
    labels = jnp.arange(8) % 10
    optimizer = optax.chain(optax.add_decayed_weights(0.1), optax.sgd(0.05, momentum=0.9, nesterov=True))

    @jax.jit
    def train(params):
        def step(carry, _):
            params, state = carry

            def loss(params):
                logits = model.apply({"params": params}, x)
                return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

            updates, state = optimizer.update(jax.grad(loss)(params), state, params)
            return (optax.apply_updates(params, updates), state), None

        return jax.lax.scan(step, (params, optimizer.init(params)), None, length=5)[0][0]

    before = model.init(KEY, x)["params"]
    after = train(before)
    assert np.abs(after["C3"]["kernel"] - before["C3"]["kernel"]).max() > 1e-3
    layer, maps = PartialConv(C3_INPUTS, activation="linear"), draw(1, 14, 14, 6)
    apply = jax.jit(lambda x: layer.apply({"params": after["C3"]}, x))
    plain = apply(maps)
    for channel in range(6):
        moved = np.any(np.asarray(apply(maps + 100 * (np.arange(6) == channel)) != plain), axis=(0, 1, 2))
        assert [bool(m) for m in moved] == [channel in inputs for inputs in C3_INPUTS]


def test_the_outputs_of_lenet_are_pictures_of_digits():
    assert DIGIT_CODES.shape == (10, 84)
    assert set(DIGIT_CODES.ravel()) == {-1.0, 1.0}
    distances = np.square(DIGIT_CODES[:, None] - DIGIT_CODES[None]).sum(-1)
    assert distances[~np.eye(10, dtype=bool)].min() >= 4 * 5  # any two differ in five pixels at least


def test_logits_of_lenet_are_distances_from_the_pictures():
    model, x = LeNet5(), draw(2, 32, 32, 1)
    variables, logits = shaken(model, x)
    _, seen = model.apply(variables, x, capture_intermediates=True)
    f6 = 1.7159 * np.tanh(2 / 3 * np.asarray(seen["intermediates"]["F6"]["__call__"][0]))
    expected = [[-sum((a - b) ** 2 for a, b in zip(row, code, strict=True)) for code in DIGIT_CODES] for row in f6]
    np.testing.assert_allclose(logits, expected, rtol=1e-4)


def test_an_unknown_shortcut_is_refused():
    with pytest.raises(ValueError, match="shortcut must be one of 'projection', 'zeros', got 'zero'"):
        jax.eval_shape(ResidualBlock(4, shortcut="zero").init, KEY, draw(1, 4, 4, 4))
    with pytest.raises(ValueError, match="adds channels, but 4 come in and 2 go out"):
        jax.eval_shape(ResidualBlock(2, shortcut="zeros").init, KEY, draw(1, 4, 4, 4))
