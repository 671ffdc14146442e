"""Small examples of the course material that the library's first users learned from, one test an item.

The arithmetic is spelled out, so that a reader can follow it by hand. "Printed wrong" marks a place where the material
itself is off: the test holds the correct value.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.linalg
import scipy.signal

from seqvision import training
from seqvision.cells import (
    GRU,
    LSTM,
    Elman,
    ElmanParams,
    GRUParams,
    LSTMParams,
    LSTMState,
    LSTMVariant,
    LSTMVariantParams,
    unroll,
)
from seqvision.conv import avg_pool, conv, conv_block, global_avg_pool, global_max_pool, max_pool, sum_pool
from seqvision.data import Arrays, Windows
from seqvision.metrics import accuracy, class_scores, confusion_matrix, log_loss, precision_recall_curve, r2, roc_curve
from seqvision.models import MLP, ClassificationHead, ConvBlock, Recurrent, RegressionHead
from seqvision.seq2seq import free_run
from seqvision.testing import reference


def rows(text):
    """Read a matrix: rows separated by |, entries by blanks."""
    return np.array([[float(entry) for entry in row.split()] for row in text.split("|")], np.float32)


def plane(result):
    """The only channel of the only image."""
    return np.asarray(result)[..., 0]


def correlate(image, kernel, **options):
    """conv of one image (H, W) with one kernel (R, S)."""
    return plane(conv(image[..., None], kernel[..., None, None], **options))


def equal(got, expected):
    np.testing.assert_array_equal(got, expected)


def close(got, expected, atol=1e-5):
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=atol)


# Convolution: cross-correlation, sum_k x[p + k] w[k], unless said otherwise ------------------------------------------

X = rows("1 0 1 | 0 1 0 | 1 0 1")


def test_convolution_1_an_image_and_a_cross():
    image = rows(
        "18 54 51 239 244 188 | 55 121 75 78 95 88 | 35 24 204 113 109 221"
        "| 3 154 104 235 25 130 | 15 253 225 159 78 233 | 68 85 180 214 245 0"
    )
    valid = correlate(image, X, padding="valid")
    # top left: 18 + 51 + 121 + 35 + 204 = 429
    equal(valid, rows("429 505 686 856 | 261 792 412 640 | 633 653 851 751 | 608 913 713 657"))
    # Every second row and column of that. Printed wrong: 412 in place of 851.
    equal(correlate(image, X, padding="valid", stride=2), rows("429 686 | 633 851"))
    same = rows(
        "139 184 250 409 410 283 | 133 429 505 686 856 441 | 310 261 792 412 640 341"
        "| 280 633 653 851 751 317 | 254 608 913 713 657 503 | 321 325 592 517 637 78"
    )
    equal(correlate(image, X, padding="same"), same)  # top left: 18 + 121 = 139, the rest is padding
    equal(plane(max_pool(valid[..., None], (2, 2))), rows("792 856 | 913 851"))


def test_convolution_2_a_step_seen_by_sobel():
    image = np.repeat([[0.0, 0.0, 0.0, 255.0, 255.0, 255.0]], 6, axis=0).astype(np.float32)
    edges = correlate(image, rows("1 0 -1 | 2 0 -2 | 1 0 -1"), padding="valid")
    equal(edges, np.repeat([[0.0, -1020.0, -1020.0, 0.0]], 4, axis=0))  # (1 + 2 + 1) (0 - 255) = -1020
    normalized = 255 * (edges - edges.min()) / (edges.max() - edges.min())
    equal(normalized, np.repeat([[255.0, 0.0, 0.0, 255.0]], 4, axis=0))


def test_convolution_3_a_binary_image():
    image = rows("1 1 1 0 0 | 0 1 1 1 0 | 0 0 1 1 1 | 0 0 1 1 0 | 0 1 1 0 0")
    equal(correlate(image, X, padding="valid"), rows("4 3 4 | 2 4 3 | 2 3 4"))


def test_convolution_4_the_output_has_n_minus_k_plus_1_entries():
    image, kernel = rows("1 7 2 | 11 1 23 | 2 2 2"), rows("1 1 | 0 1")
    equal(correlate(image, kernel, padding="valid"), rows("9 32 | 14 26"))  # 1 + 7 + 1 = 9, 7 + 2 + 23 = 32


def test_convolution_5_a_diagonal_kernel():
    image = rows("0 10 10 0 | 20 30 30 20 | 10 20 20 10 | 0 5 5 0")
    kernel = rows("1 0 | 0 2")
    equal(correlate(image, kernel, padding="valid"), rows("60 70 50 | 60 70 50 | 20 30 20"))  # 0 + 2 * 30 = 60


def test_convolution_6_five_by_five():
    image = rows("3 3 2 1 0 | 0 0 1 3 1 | 3 1 2 2 3 | 2 0 0 2 2 | 2 0 0 0 1")
    kernel = rows("0 1 2 | 2 2 0 | 0 1 2")
    equal(correlate(image, kernel, padding="valid"), rows("12 12 17 | 10 17 19 | 9 6 14"))


def test_convolution_7_three_channels_are_summed():
    patches = [rows("156 155 | 153 154"), rows("167 166 | 164 165"), rows("163 162 | 160 161")]
    kernels = [rows("-1 -1 1|0 1 -1|0 1 1"), rows("1 0 0|1 -1 -1|1 0 -1"), rows("0 1 1|0 1 0|1 -1 1")]
    sums = [correlate(p, k, padding=((1, 0), (1, 0))) for p, k in zip(patches, kernels, strict=True)]
    equal([s[0, 0] for s in sums], [308, -498, 164])  # red: 156 - 155 + 153 + 154 = 308
    image, kernel = np.stack(patches, axis=-1), np.stack(kernels, axis=-1)[..., None]
    out = conv(image, kernel, np.float32([1.0]), padding=((1, 0), (1, 0)))
    assert out[0, 0, 0] == 308 - 498 + 164 + 1 == -25


def test_convolution_8_strides_of_three_down_and_two_across():
    image = np.arange(9, dtype=np.float32).reshape(3, 3)
    out = correlate(image, rows("0 1 | 2 3"), stride=(3, 2), padding=((1, 1), (1, 1)))
    equal(out, rows("0 8 | 6 8"))  # 3 * 0, then 2 * 1 + 3 * 2; below 1 * 6, then 1 * 8


@pytest.mark.parametrize(("n", "f", "p", "s"), [(7, 3, 0, 1), (7, 3, 0, 2), (7, 3, 1, 3), (32, 5, 2, 1), (9, 2, 1, 2)])
def test_convolution_9_sizes(n, f, p, s):
    out = conv(np.zeros((n, 1), np.float32), np.zeros((f, 1, 1), np.float32), stride=s, padding=((p, p),))
    assert out.shape == ((n - f + 2 * p) // s + 1, 1)


def test_convolution_9_modes_and_channels():
    image = np.zeros((32, 32, 3), np.float32)
    assert conv(image, np.zeros((3, 3, 3, 10), np.float32), padding="valid").shape == (30, 30, 10)
    for mode, n in (("valid", 32 - 5 + 1), ("same", 32), ("full", 32 + 5 - 1)):
        assert conv(image, np.zeros((5, 5, 3, 1), np.float32), padding=mode).shape == (n, n, 1)


def test_convolution_10_true_convolution_flips_the_kernel():
    rng = np.random.default_rng(0)
    image, kernel = rng.normal(size=(6, 5)).astype(np.float32), rng.normal(size=(3, 2)).astype(np.float32)
    close(correlate(image, kernel[::-1, ::-1], padding="full"), scipy.signal.convolve2d(image, kernel))
    # One axis: the same as a banded matrix, whose first row is the kernel and then zeros.
    signal, taps = rng.normal(size=8).astype(np.float32), rng.normal(size=3).astype(np.float32)
    banded = scipy.linalg.toeplitz(np.r_[taps[0], np.zeros(5)], np.r_[taps, np.zeros(5)])  # (6, 8)
    close(conv(signal[:, None], taps[:, None, None], padding="valid")[:, 0], banded @ signal)


def test_convolution_11_classic_filters():
    image = np.random.default_rng(0).integers(0, 256, size=(6, 7)).astype(np.float32)
    flat, across = np.full((5, 5), 7.0, np.float32), np.tile(np.arange(5, dtype=np.float32), (5, 1))
    filters = {
        "identity": rows("0 0 0 | 0 1 0 | 0 0 0"),
        "corners": rows("1 0 -1 | 0 0 0 | -1 0 1"),
        "edges": rows("-1 -1 -1 | -1 8 -1 | -1 -1 -1"),
        "sharpen": rows("0 -1 0 | -1 5 -1 | 0 -1 0"),
        "box": np.full((3, 3), 1 / 9, np.float32),
        "gauss": rows("1 2 1 | 2 4 2 | 1 2 1") / 16,
        "sobel x": rows("-1 0 1 | -2 0 2 | -1 0 1"),
        "sobel y": rows("1 2 1 | 0 0 0 | -1 -2 -1"),
    }
    see = functools.partial(correlate, padding="valid")
    equal(see(image, filters["identity"]), image[1:-1, 1:-1])
    for name, gain in (("corners", 0), ("edges", 0), ("sharpen", 1), ("box", 1), ("gauss", 1)):
        close(see(flat, filters[name]), np.full((3, 3), 7.0 * gain))  # the weights add up to 0 or 1
    equal(see(across, filters["corners"]), np.zeros((3, 3)))  # a slope has no corners
    equal(see(across, filters["edges"]), np.zeros((3, 3)))  # nor edges
    equal(see(across, filters["sobel x"]), np.full((3, 3), 8.0))  # (1 + 2 + 1) times a rise of 2
    equal(see(across, filters["sobel y"]), np.zeros((3, 3)))
    equal(see(across.T, filters["sobel y"]), np.full((3, 3), -8.0))  # positive where it gets brighter upwards
    close(see(image, filters["box"]), plane(avg_pool(image[..., None], (3, 3), stride=1)), atol=1e-4)


def test_convolution_12_shared_weights_are_few():
    block = ConvBlock(64, (5, 5), padding="valid")
    out, variables = jax.eval_shape(lambda: block.init_with_output(jax.random.key(0), jnp.zeros((1, 32, 32, 3))))
    assert out.shape == (1, 28, 28, 64)
    assert variables["params"]["kernel"].size == 3 * 5 * 5 * 64 == 4800
    assert (32 * 32 * 3) * (28 * 28 * 64) == 154_140_672  # a dense layer doing the same


def test_convolution_13_shapes_through_a_network():
    shapes = []

    def features(image, kernels):
        x = conv_block(image, kernels[0], padding="same", activation="relu")
        shapes.append(x.shape)
        x = max_pool(x, (2, 2))
        shapes.append(x.shape)
        x = conv_block(x, kernels[1], padding="same", activation="relu", pool=(2, 2))
        shapes.append(x.shape)
        x = conv_block(x, kernels[2], stride=2, padding="same", activation="relu")
        shapes.append(x.shape)
        return avg_pool(x, (4, 4)).reshape(-1)

    kernels = [jnp.zeros((3, 3, a, b)) for a, b in ((3, 32), (32, 64), (64, 128))]
    assert jax.eval_shape(features, jnp.zeros((32, 32, 3)), kernels).shape == (128,)
    assert shapes == [(32, 32, 32), (16, 16, 32), (8, 8, 64), (4, 4, 128)]


def test_convolution_14_the_smallest_cnn_by_hand():
    rng = np.random.default_rng(0)
    image, kernel, w, b, target = (rng.normal(size=s) for s in ((4, 4), (2, 2), (9, 2), (2,), (2,)))
    by_hand = reference.smallest_cnn(image, kernel, w, b, target)

    def loss(kernel, w, b):
        z1 = conv(jnp.asarray(image)[..., None], kernel[..., None, None], padding="valid")  # X * f
        z2 = w.T @ jax.nn.sigmoid(z1).reshape(-1) + b  # W^T A1 + b
        return 0.5 * jnp.sum((jax.nn.sigmoid(z2) - target) ** 2)

    with jax.enable_x64(True):
        value, gradients = jax.value_and_grad(loss, argnums=(0, 1, 2))(*map(jnp.asarray, (kernel, w, b)))
    np.testing.assert_allclose(value, by_hand.loss, rtol=1e-12)
    for got, expected in zip(gradients, (by_hand.d_kernel, by_hand.d_w, by_hand.d_b), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10)


# Pooling --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "largest", "total", "mean"),
    [
        ("1 8 4 3|6 5 9 2|2 5 6 5|8 9 4 3", "8 9|9 6", "20 18|24 18", "5 4.5|6 4.5"),  # 1 + 8 + 6 + 5 = 20
        ("2 2 7 3|9 4 6 1|8 5 2 4|3 1 2 6", "9 7|8 6", None, "4.25 4.25|4.25 3.5"),
        ("1 2 3 4|5 6 7 8|16 15 14 13|12 11 10 9", "6 8|16 14", None, "3.5 5.5|13.5 11.5"),
    ],
)
def test_pooling_1_2_3_two_by_two_windows(image, largest, total, mean):
    x = rows(image)[..., None]
    equal(plane(max_pool(x, (2, 2), stride=2)), rows(largest))
    equal(plane(avg_pool(x, (2, 2), stride=2)), rows(mean))
    equal(plane(sum_pool(x, (2, 2), stride=2)), rows(total) if total else 4 * rows(mean))


@pytest.mark.parametrize("size", [32, 64])
def test_pooling_4_global_pools_forget_the_size(size):
    x = np.random.default_rng(0).normal(size=(size, size, 5)).astype(np.float32)
    close(global_max_pool(x), x.max(axis=(0, 1)))
    close(global_avg_pool(x), x.mean(axis=(0, 1)))
    assert global_avg_pool(x).shape == (5,)  # one classifier serves both sizes


# Dense layers, losses, gradients --------------------------------------------------------------------------------------


def test_dense_1_scores_of_a_linear_classifier():
    w = rows(".2 -.5 .1 2 | 1.5 1.3 2.1 0 | 0 .25 .2 -.3")
    params = {"kernel": w.T, "bias": np.float32([1.1, 3.2, -1.2])}
    scores = nn.Dense(3).apply({"params": params}, np.float32([56, 231, 24, 2]))
    # 0 * 56 + .25 * 231 + .2 * 24 - .3 * 2 - 1.2 = 60.75. Printed wrong: 61.95, with the bias left out.
    close(scores, [-96.8, 437.9, 60.75], atol=1e-4)


def test_dense_2_a_perceptron():
    params = {"kernel": np.float32([[2], [3], [4]]), "bias": np.zeros(1, np.float32)}
    score = nn.Dense(1).apply({"params": params}, np.float32([0, 1, 1]))
    assert score[0] == 3 + 4
    assert int(score[0] > 0) == 1


def two_layer_example():
    x, y = rows("1 0 1 0|1 0 1 1|0 1 0 1"), rows("1|1|0")
    wh = rows(".42 .88 .55|.10 .73 .68|.60 .18 .47|.92 .11 .52")
    params = reference.TwoLayer(wh, np.float32([0.46, 0.72, 0.08]), rows(".30|.25|.23"), np.float32([0.69]))
    return reference.TwoLayer(*(leaf.astype(np.float64) for leaf in params)), x, y


def test_dense_3_a_two_layer_network_by_hand():
    params, x, y = two_layer_example()
    seen = reference.two_layer(params, x, y)
    two = functools.partial(np.testing.assert_allclose, rtol=0, atol=0.0051)  # as printed, two or three digits
    three = functools.partial(np.testing.assert_allclose, rtol=0, atol=0.00051)
    two(seen.hidden_input, rows("1.48 1.78 1.10|2.40 1.89 1.62|1.48 1.56 1.28"))  # printed wrong: 1.61, 1.27
    two(seen.hidden, rows(".81 .86 .75|.92 .87 .83|.81 .83 .78"))
    three(seen.output[:, 0], [0.789, 0.798, 0.789])
    three(seen.error[:, 0], [0.211, 0.202, -0.789])
    three(seen.output_delta[:, 0], [0.035, 0.033, -0.131])
    three(seen.hidden_delta, rows(".002 .001 .002|.001 .001 .001|-.006 -.005 -.005"))
    after = reference.TwoLayer(*(p - 0.1 * g for p, g in zip(params, seen.gradients, strict=True)))
    three(after.wout[:, 0], [0.295, 0.245, 0.225])
    three(after.bout, [0.684])
    three(after.wh[1], [0.099, 0.730, 0.679])


def test_dense_3_the_same_by_autodiff_and_optax():
    params, x, y = two_layer_example()

    def loss(params):
        output = jax.nn.sigmoid(jax.nn.sigmoid(x @ params.wh + params.bh[None]) @ params.wout + params.bout[None])
        return 0.5 * jnp.sum((y - output) ** 2), output

    optimizer = optax.sgd(0.1)

    def step(carry, _):
        params, state = carry
        updates, state = optimizer.update(jax.grad(loss, has_aux=True)(params)[0], state)
        return (optax.apply_updates(params, updates), state), None

    with jax.enable_x64(True):
        start = jax.tree.map(jnp.asarray, params)
        gradients = jax.grad(loss, has_aux=True)(start)[0]
        run = jax.jit(lambda params: jax.lax.scan(step, (params, optimizer.init(params)), length=5000)[0][0])
        output = loss(run(start))[1]
    for got, expected in zip(gradients, reference.two_layer(params, x, y).gradients, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10)
    np.testing.assert_allclose(output[:, 0], [0.978, 0.966, 0.047], atol=0.00051)  # printed wrong: .980, .968, .045
    for _ in range(5000):
        gradients = reference.two_layer(params, x, y).gradients
        params = reference.TwoLayer(*(p - 0.1 * g for p, g in zip(params, gradients, strict=True)))
    np.testing.assert_allclose(output, reference.two_layer(params, x, y).output, rtol=1e-9)


def test_dense_4_total_error():
    target = np.float32([[0, 0, 1, 0]])
    for guess, total in (([0.2, 0.4, 0.1, 0.3], 0.55), ([0.1, 0.1, 0.7, 0.1], 0.06)):
        # The total is 1/2 sum (t - p)^2; the library's loss is the mean over the 4 outputs.
        close(training.squared_error(np.float32([guess]), target) * 4 / 2, [total])
    # .2^2 + .4^2 + .9^2 + .3^2 = 1.10


@pytest.mark.parametrize("start", [3.0, -1.5])
def test_dense_5_gradient_descent_on_a_parabola(start):
    def descend(optimizer, steps):
        w = jnp.float32(start)
        state = optimizer.init(w)
        for _ in range(steps):
            updates, state = optimizer.update(2 * w, state, w)  # the slope of w^2
            w = optax.apply_updates(w, updates)
        return float(w)

    eta, mu, g = 0.1, 0.9, 2 * start
    close(descend(optax.sgd(eta), 1), start - eta * g)
    assert abs(descend(optax.sgd(eta), 100)) < 1e-6  # each step multiplies w by 1 - 2 eta
    v, w = -eta * g, start - eta * g  # momentum: v <- mu v - eta g, w <- w + v
    close(descend(optax.sgd(eta, momentum=mu), 2), w + mu * v - eta * 2 * w)
    # AdaGrad divides by the root of the sum of squares, so that the first step has length eta.
    adagrad = optax.adagrad(eta, initial_accumulator_value=0.0, eps=1e-8)
    close(descend(adagrad, 1), start - eta * g / (np.sqrt(g**2) + 1e-8))
    # RMSProp divides by the root of a running mean of squares, which has seen (1 - decay) g^2.
    rmsprop = optax.rmsprop(eta, decay=0.9, eps=1e-8, eps_in_sqrt=False)
    close(descend(rmsprop, 1), start - eta * g / (np.sqrt(0.1 * g**2) + 1e-8))
    # Adam: m = (1 - b1) g and v = (1 - b2) g^2, each divided by its own 1 - b: again a step of length eta.
    m, v = 0.1 * g / (1 - 0.9), 0.001 * g**2 / (1 - 0.999)
    close(descend(optax.adam(eta), 1), start - eta * m / (np.sqrt(v) + 1e-8))


def test_dense_6_learning_rate_schedules():
    t, rate = jnp.arange(30), 0.5
    step_decay = optax.exponential_decay(rate, transition_steps=10, decay_rate=0.5, staircase=True)
    close([step_decay(i) for i in t], rate * 0.5 ** (np.arange(30) // 10))
    exponential = optax.exponential_decay(rate, transition_steps=1, decay_rate=0.9)
    close([exponential(i) for i in t], rate * 0.9 ** np.arange(30))
    optimizer = optax.sgd(lambda count: rate / (2.0 * count + 1.0))  # A / (k t + 1)
    state = optimizer.init(jnp.float32(0))
    for i in range(5):
        update, state = optimizer.update(jnp.float32(1), state)
        close(update, -rate / (2.0 * i + 1.0))


def test_dense_7_an_embedding_is_a_row_of_its_matrix():
    w = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    for k in range(6):
        equal(jax.nn.one_hot(k, 6) @ w, w[k])
        equal(nn.Embed(6, 3).apply({"params": {"embedding": w}}, jnp.int32(k)), w[k])


def test_dense_8_activations():
    a = np.linspace(-4, 4, 81).astype(np.float32)
    formulas = {
        "sigmoid": 1 / (1 + np.exp(-a)),
        "tanh": (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a)),
        "relu": np.maximum(a, 0),
        "leaky_relu": np.where(a > 0, a, 0.01 * a),
        "elu": np.where(a > 0, a, np.exp(a) - 1),
        "softplus": np.log(1 + np.exp(a)),
    }
    for name, expected in formulas.items():
        identity = {"Dense_0": {"kernel": np.ones((1, 1), np.float32), "bias": np.zeros(1, np.float32)}}
        model = MLP(features=(1,), activation=name, head=None)
        close(model.apply({"params": identity}, a[:, None])[:, 0], expected)
    close(jax.nn.softmax(a), np.exp(a) / np.exp(a).sum())
    slopes = jax.vmap(jax.grad(jax.nn.sigmoid))(a)
    assert slopes.max() == 0.25
    # So its product over time vanishes: 20 steps of h <- sigmoid(h) forget where they began.
    params = ElmanParams(w_x=jnp.zeros((1, 1)), w_h=jnp.ones((1, 1)), b=jnp.zeros(1))
    cell = Elman(1, "sigmoid")
    state = cell.initial_state(params)
    memory = jax.grad(lambda state: unroll(cell, params, jnp.zeros((20, 1)), state=state)[1][-1, 0])(state)
    assert 0 < memory.h[0] < 0.25**20


def test_dense_9_xor_needs_a_hidden_layer():
    data = Arrays(rows("0 0|0 1|1 0|1 1"), np.array([0, 1, 1, 0]))
    accuracy = {}
    for hidden in ((), (8,)):
        result = training.fit(
            MLP(features=hidden, activation="tanh", head=ClassificationHead(2)),
            data,
            loss="cross_entropy",
            optimizer=optax.adam(0.05),
            epochs=300,
            batch_size=4,
            key=jax.random.key(0),
            metrics={"accuracy": "accuracy"},
            progress=False,
        )
        accuracy[hidden] = result.history["accuracy"][-1]
    assert accuracy[()] <= 0.75  # no line separates the two classes: one corner at least is on the wrong side
    assert accuracy[(8,)] == 1.0


# Recurrent networks ---------------------------------------------------------------------------------------------------


def test_recurrent_1_a_relu_network_of_one_unit():
    ones = ElmanParams(w_x=jnp.ones((1, 1)), w_h=jnp.ones((1, 1)), b=jnp.zeros(1))
    cell, x = Elman(1, "relu"), jnp.asarray([[2.0], [4.0], [6.0], [8.0], [10.0]])
    # h = x + h: 2, 4 + 2, 6 + 6, 8 + 12, 10 + 20. Printed wrong from the third step on: 10, 14, 18.
    equal(unroll(cell, ones, x)[1][:, 0], [2, 6, 12, 20, 30])

    def loss(params, v):
        (final,), _ = unroll(cell, params, x[:3])
        return 0.5 * jnp.sum((v * final - 8.0) ** 2)  # o = V h_3 = 12

    gradients, d_v = jax.grad(loss, argnums=(0, 1))(ones, jnp.float32(1))
    equal(gradients.w_h, [[32]])  # dE/do = 12 - 8 = 4; times h_2 + h_1 + h_0 = 6 + 2 + 0
    equal(gradients.w_x, [[48]])  # 4 (6 + 4 + 2)
    assert d_v == 48  # 4 h_3
    by_hand = reference.elman_gradients(ones, x[:3], np.array([[0.0], [0.0], [4.0]]), activation="relu")
    equal(by_hand.params.w_h, [[32]])
    equal(by_hand.params.w_x, [[48]])


def test_recurrent_2_a_character_network():
    w_xh = rows(".287027 .84606 .572392 .486813|.902874 .871522 .691079 .18998|.537524 .09224 .558159 .491528")
    params = ElmanParams(
        w_x=jnp.asarray(w_xh.T), w_h=0.427043 * jnp.eye(3, dtype=jnp.float32), b=jnp.full((3,), 0.567001, jnp.float32)
    )
    word = jax.nn.one_hot(jnp.asarray(["helo".index(letter) for letter in "hell"]), 4)
    _, hidden = unroll(Elman(3), params, word)
    # first unit after h: tanh(.287027 + .567001) = tanh(.854028) = .693168
    expected = rows(".693168 .899554 .802119|.936534 .949104 .762341|.912008 .930672 .895834|.910229 .929611 .906534")
    close(hidden, expected, atol=1e-6)


def test_recurrent_3_shared_weights_are_few():
    def weights(model):  # without biases
        params = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.zeros((1, 100, 10))))["params"]
        return sum(leaf.size for leaf in jax.tree.leaves(params) if leaf.ndim == 2)

    recurrent, dense = weights(Recurrent((Elman(15),))), weights(MLP((15 * 100,)))
    assert recurrent == 10 * 15 + 15 * 15 + 15 * 1 == 390
    assert dense == (100 * 10) * (100 * 15) + 100 * 15 == 1_501_500
    assert dense / recurrent == 3850


def test_recurrent_4_shapes_and_a_loop_by_hand():
    N, T, D, M, K = 4, 6, 3, 5, 2
    X, cell = np.random.default_rng(0).normal(size=(N, T, D)).astype(np.float32), Elman(M)
    params = cell.init(jax.random.key(0), D)
    assert (params.w_x.shape, params.w_h.shape, params.b.shape) == ((D, M), (M, M), (M,))
    _, hidden = unroll(cell, params, X)
    assert hidden.shape == (N, T, M)
    w_x, w_h, b = map(np.asarray, params)
    h = np.zeros((N, M), np.float32)
    for t in range(T):
        h = np.tanh(X[:, t] @ w_x + h @ w_h + b)
        close(hidden[:, t], h)
    output, _ = Recurrent((cell,), head=ClassificationHead(K)).init_with_output(jax.random.key(0), X)
    assert output.shape == (N, K)  # the last hidden values (N, M), then a dense layer


def test_recurrent_5_the_two_forms_of_the_gru_and_the_two_meanings_of_z():
    x, h, H = np.float32([1.0]), np.float32([0.5]), 1
    params = GRUParams(jnp.asarray([[0.3, -0.2, 0.9]]), jnp.asarray([[0.4, 0.1, -0.7]]), jnp.zeros(3), jnp.zeros(1))
    sigmoid = reference.sigmoid
    r, z = sigmoid(0.3 + 0.4 * 0.5), sigmoid(-0.2 + 0.1 * 0.5)
    before, after = np.tanh(0.9 + -0.7 * (r * 0.5)), np.tanh(0.9 + r * (-0.7 * 0.5))
    assert np.isclose(before, after)  # one unit: U is a number, and the two forms agree
    for reset_after in (True, False):
        cell = GRU(H, reset_after=reset_after)
        own = params if reset_after else params._replace(b_n=None)
        (new,), _ = cell.step(own, type(cell.initial_state(own))(jnp.asarray(h)), x)
        close(new, [(1 - z) * after + z * 0.5])  # here z keeps the old state
        # Material in which z takes the new state: negate z's columns, since sigmoid(-a) = 1 - sigmoid(a).
        flip = jnp.asarray([[1.0, -1.0, 1.0]])
        other = own._replace(w_x=own.w_x * flip, w_h=own.w_h * flip, b=own.b * flip[0])
        (new,), _ = cell.step(other, type(cell.initial_state(own))(jnp.asarray(h)), x)
        close(new, [z * after + (1 - z) * 0.5])
    # Two units: r acts on h before U mixes it, or on what U mixed.
    u = np.array([[0.0, 1.0], [1.0, 0.0]])
    r, h = np.array([0.5, 1.0]), np.array([1.0, 1.0])
    equal((r * h) @ u, [1.0, 0.5])
    equal(r * (h @ u), [0.5, 1.0])
    w_h = np.concatenate([np.zeros((2, 4)), u], axis=1).astype(np.float32)
    log_odds = np.float32([0.0, 40.0, -40.0, -40.0, 0.0, 0.0])  # r = (1/2, 1), z = 0
    two = GRUParams(jnp.zeros((1, 6)), jnp.asarray(w_h), jnp.asarray(log_odds), jnp.zeros(2))
    state = GRU(2).initial_state(two)._replace(h=jnp.ones(2))
    close(GRU(2).step(two, state, jnp.zeros(1))[1], np.tanh([0.5, 1.0]))
    close(GRU(2, reset_after=False).step(two._replace(b_n=None), state, jnp.zeros(1))[1], np.tanh([1.0, 0.5]))


def test_recurrent_6_one_step_of_an_lstm():
    # One unit, x = 1, h = 0.5, c = 2; each gate has its own weights w, u, b.
    w, u, b = [0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.0, 1.0, 0.0, -1.0]
    params = LSTMParams(jnp.asarray([w]), jnp.asarray([u]), jnp.asarray(b))
    i, f, g, o = (w_ * 1.0 + u_ * 0.5 + b_ for w_, u_, b_ in zip(w, u, b, strict=True))
    assert np.allclose([i, f, g, o], [0.35, 1.5, 0.65, -0.2])
    c = reference.sigmoid(f) * 2.0 + reference.sigmoid(i) * np.tanh(g)  # c' = f c + i g
    h = reference.sigmoid(o) * np.tanh(c)  # h' = o tanh(c')
    state, y = LSTM(1).step(params, LSTMState(h=jnp.asarray([0.5]), c=jnp.asarray([2.0])), jnp.asarray([1.0]))
    close(state.c, [c])
    close(state.h, [h])
    equal(y, state.h)


def test_recurrent_6_variants_of_the_lstm():
    # The cell of above, x = 1, h = 0.5, c = 2, with one thing changed at a time.
    w, u, b = [0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.0, 1.0, 0.0, -1.0]
    i, f, g, o = 0.35, 1.5, 0.65, -0.2
    sigmoid, tanh = reference.sigmoid, np.tanh

    def step(cell, **fields):
        like = {"w_x": [w], "w_h": [u], "b": b} | fields
        params = LSTMVariantParams(**{name: jnp.asarray(value) for name, value in like.items()})
        state = LSTMState(h=jnp.asarray([0.5]), c=jnp.asarray([2.0]))
        (h, c), _ = cell.step(params, state, jnp.asarray([1.0]))
        return h[0], c[0]

    # Peepholes: i and f look at c, o at c'.
    c = sigmoid(f + 0.2 * 2.0) * 2.0 + sigmoid(i - 0.1 * 2.0) * tanh(g)
    close(step(LSTMVariant(1, peephole=True), w_c=[[-0.1], [0.2], [0.3]]), [sigmoid(o + 0.3 * c) * tanh(c), c])
    # Coupled gates: what is forgotten makes room for what is taken in; the weights of i go.
    c = sigmoid(f) * 2.0 + (1 - sigmoid(f)) * tanh(g)
    coupled = step(LSTMVariant(1, coupled=True), w_x=[w[1:]], w_h=[u[1:]], b=b[1:])
    close(coupled, [sigmoid(o) * tanh(c), c])
    # Multiplicative: the gates see m = (2 x) * (-3 h) = -3 in place of h = 0.5.
    i, f, g, o = (w_ * 1.0 + u_ * -3.0 + b_ for w_, u_, b_ in zip(w, u, b, strict=True))
    c = sigmoid(f) * 2.0 + sigmoid(i) * tanh(g)
    close(step(LSTMVariant(1, multiplicative=True), w_mx=[[2.0]], w_mh=[[-3.0]]), [sigmoid(o) * tanh(c), c])


def test_recurrent_7_shapes_of_inputs_and_outputs():
    def shape(model, *x):
        return jax.eval_shape(lambda: model.init_with_output(jax.random.key(0), jnp.zeros(x))[0]).shape

    many_to_many = Recurrent((LSTM(5),), readout="all", head=ClassificationHead(2))
    many_to_one = Recurrent((LSTM(5),), head=ClassificationHead(2))
    one_to_many = Recurrent((LSTM(5),), head=RegressionHead(horizon=6, targets=2))
    assert shape(MLP((5,), head=ClassificationHead(2)), 4, 3) == (4, 2)  # one to one: no time at all
    assert shape(one_to_many, 4, 1, 3) == (4, 6, 2)
    assert shape(many_to_one, 4, 7, 3) == (4, 2)
    assert shape(many_to_many, 4, 7, 3) == (4, 7, 2)


def test_recurrent_8_windows():
    series = np.arange(100.0)
    assert len(np.lib.stride_tricks.sliding_window_view(series, 10)) == 100 - 10 + 1 == 91  # windows
    pairs = Windows(series, length=10, horizon=1)
    assert len(pairs) == 100 - 10 == 90  # the last window has no next value
    batch = pairs.gather(np.arange(90))
    equal(batch.x[:, :, 0], np.lib.stride_tricks.sliding_window_view(series, 10)[:-1])
    equal(batch.y[:, 0, 0], series[10:])


def test_recurrent_9_forecasts_fed_back_and_forecasts_from_true_values():
    rng = np.random.default_rng(0)
    series = np.cumsum(rng.normal(size=60)).astype(np.float32)[:, None]  # a random walk
    history, truth = series[:20], series[20:]

    def forecast(x):  # half the last step is expected to go on
        return x[:, -1:] + 0.5 * (x[:, -1:] - x[:, -2:-1])

    path = free_run(forecast, history, steps=40)
    by_hand = list(history[:, 0])
    for _ in range(40):
        by_hand.append(by_hand[-1] + 0.5 * (by_hand[-1] - by_hand[-2]))  # its own forecasts are all it sees
    close(path[:, 0], by_hand[20:])
    windows = Windows(series, length=20).gather(np.arange(40))
    one_step = forecast(windows.x)[:, 0]

    def error(forecasts):
        return np.sqrt(np.mean((forecasts - truth) ** 2))

    assert error(one_step) < 0.5 * error(path)  # true inputs flatter a model: both are to be reported


def test_metrics_of_two_classes_by_hand():
    sick = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    called = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0, 0])
    counts = confusion_matrix(sick, predicted=called, num_classes=2)
    (tn, fp), (fn, tp) = counts
    assert (tp, fn, fp, tn) == (3, 1, 2, 4)
    scores = class_scores(counts)
    assert accuracy(sick, predicted=called).value == (3 + 4) / 10
    assert scores.detection_rate[1] == 3 / 10
    assert scores.recall[1] == 3 / (3 + 1)  # also called sensitivity
    assert scores.specificity[1] == pytest.approx(4 / (4 + 2))  # printed wrong in the source
    assert scores.precision[1] == 3 / (3 + 2)
    assert scores.f1[1] == pytest.approx(2 * (3 / 4) * (3 / 5) / (3 / 4 + 3 / 5))
    assert scores.prevalence[1] == 4 / 10
    p = 0.8 * called + 0.1
    by_hand = -(3 * np.log(0.9) + np.log(0.1) + 2 * np.log(0.1) + 4 * np.log(0.9)) / 10
    assert log_loss(sick, probabilities=np.stack([1 - p, p], axis=1)) == pytest.approx(by_hand)
    assert r2([1.0, 2.0, 3.0], forecast=[1.0, 2.0, 4.0]) == 1 - 1 / 2


def test_metrics_roc_curve():
    curve = roc_curve([0, 0, 1, 1], scores=[0.1, 0.4, 0.35, 0.8])
    equal(curve.false_positive_rate, [0, 0, 0.5, 0.5, 1])
    equal(curve.true_positive_rate, [0, 0.5, 0.5, 1, 1])
    assert curve.area == 3 / 4  # three of the four pairs of a positive and a negative row are in order
    flat = roc_curve([0, 1, 0, 1], scores=[0.5] * 4)  # a score that tells nothing: the diagonal
    equal(flat.false_positive_rate, flat.true_positive_rate)
    assert flat.area == 0.5


def test_metrics_precision_recall_curve_and_its_ends():
    labels, scores = np.array([0, 0, 0, 1, 0, 1, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    curve = precision_recall_curve(labels, scores=scores)
    assert scores.max() < 1.0  # nothing is called positive at threshold 1: recall 0
    assert curve.recall[0] == np.sum(labels[scores >= 1.0]) / 4 == 0.0
    assert curve.precision[-1] == np.mean(labels[scores >= 0.0]) == 4 / 8  # all is at threshold 0: the prevalence
    equal(curve.recall, [0, 0.25, 0.5, 0.75, 0.75, 1, 1, 1, 1])
    close(curve.precision, [1, 1, 1, 1, 3 / 4, 4 / 5, 4 / 6, 4 / 7, 4 / 8])
    assert curve.average_precision == pytest.approx(0.75 * 1 + 0.25 * 4 / 5)  # steps
    assert curve.area == pytest.approx(0.75 * 1 + 0.25 * (3 / 4 + 4 / 5) / 2)  # straight lines
