"""The references against SciPy, lax and sums written out: they are what everything else is measured with."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest
import scipy.signal
import scipy.special
from jax import lax

from seqvision.testing import reference

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("mode", ["valid", "full"])
@pytest.mark.parametrize(("spatial", "window"), [((7,), (3,)), ((6, 5), (2, 3)), ((4, 3, 5), (2, 2, 3))])
def test_convolution_against_scipy(spatial, window, mode):
    x, kernel = RNG.normal(size=spatial), RNG.normal(size=window)
    ours = reference.conv(x[..., None], kernel[..., None, None], padding=mode)[..., 0]
    np.testing.assert_allclose(ours, scipy.signal.correlate(x, kernel, mode), rtol=1e-12)


LAYOUTS = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}


@pytest.mark.parametrize(
    ("spatial", "window", "stride", "padding", "dilation", "groups"),
    [
        ((8,), (2,), (3,), "same", (1,), 1),
        ((9,), (3,), (1,), "valid", (2,), 2),
        ((7, 6), (3, 2), (2, 3), "same", (1, 1), 4),
        ((7, 6), (4, 3), (2, 1), "same", (2, 1), 2),
        ((5, 5), (2, 2), (1, 2), ((1, 0), (2, 3)), (1, 2), 1),
        ((4, 5, 3), (2, 3, 2), (2, 1, 1), "same", (1, 1, 2), 1),
    ],
)
def test_convolution_against_lax(spatial, window, stride, padding, dilation, groups, x64):
    x, kernel, bias = RNG.normal(size=(2, *spatial, 4)), RNG.normal(size=(*window, 4 // groups, 8)), RNG.normal(size=8)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    theirs = lax.conv_general_dilated(
        x,
        kernel,
        stride,
        padding.upper() if isinstance(padding, str) else padding,
        rhs_dilation=dilation,
        dimension_numbers=LAYOUTS[len(spatial)],
        feature_group_count=groups,
        precision="highest",
    )
    np.testing.assert_allclose(
        reference.conv(x, kernel, bias, **options), np.asarray(theirs) + bias, rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize(("padding", "mode"), [("reflect", "reflect"), ("replicate", "edge")])
@pytest.mark.parametrize(
    ("window", "dilation", "sides"), [(3, 1, (1, 1)), (4, 1, (1, 2)), (2, 3, (1, 2)), (1, 5, (0, 0))]
)
def test_mirrored_and_repeated_edges(padding, mode, window, dilation, sides):
    x, kernel = RNG.normal(size=(6, 1)), RNG.normal(size=(window, 1, 1))
    padded = np.pad(x, (sides, (0, 0)), mode=mode)
    expected = reference.conv(padded, kernel, padding="valid", dilation=dilation)
    np.testing.assert_allclose(reference.conv(x, kernel, padding=padding, dilation=dilation), expected, rtol=1e-12)
    assert expected.shape == x.shape


def test_batch_axes_of_a_convolution_are_independent():
    x, kernel = RNG.normal(size=(2, 3, 5, 4, 2)), RNG.normal(size=(3, 2, 2, 3))
    together = reference.conv(x, kernel, stride=2)
    for at in np.ndindex(2, 3):
        np.testing.assert_allclose(together[at], reference.conv(x[at], kernel, stride=2), rtol=1e-12)


def test_pools():
    x = np.array([[1.0, 8.0, 4.0], [6.0, 5.0, 9.0], [2.0, 5.0, 6.0]])[..., None]
    np.testing.assert_array_equal(reference.max_pool(x, (2, 2), stride=1)[..., 0], [[8, 9], [6, 9]])
    np.testing.assert_array_equal(reference.max_pool(-x, (2, 2), padding="same")[..., 0], [[-1, -4], [-2, -6]])
    np.testing.assert_array_equal(reference.sum_pool(x, (2, 2), padding="same")[..., 0], [[20, 13], [7, 6]])
    np.testing.assert_array_equal(reference.avg_pool(x, (2, 2), padding="same")[..., 0], [[5, 6.5], [3.5, 6]])
    corner = reference.avg_pool(x, (3, 3), stride=2, padding=((1, 1), (1, 1)))[..., 0]
    np.testing.assert_allclose(corner, [[20 / 4, 26 / 4], [18 / 4, 25 / 4]])
    np.testing.assert_array_equal(reference.max_pool(x[None, None], (3, 3))[0, 0, ..., 0], [[9]])


def test_losses():
    outputs, targets = RNG.normal(size=(4, 3, 2)), RNG.normal(size=(4, 3, 2))
    error = np.abs(outputs - targets)
    np.testing.assert_allclose(reference.mse(outputs, targets), (error**2).mean(axis=(1, 2)))
    np.testing.assert_allclose(reference.mae(outputs, targets), error.mean(axis=(1, 2)))
    huber = scipy.special.huber(0.5, error).mean(axis=(1, 2))
    np.testing.assert_allclose(reference.huber(outputs, targets, delta=0.5), huber)

    logits, labels = 3 * RNG.normal(size=(5, 4)), RNG.integers(0, 4, size=5)
    likelihood = scipy.special.softmax(logits, axis=-1)[np.arange(5), labels]
    np.testing.assert_allclose(reference.cross_entropy(logits, labels), -np.log(likelihood))
    np.testing.assert_allclose(reference.categorical_cross_entropy(logits, np.eye(4)[labels]), -np.log(likelihood))
    hits = RNG.integers(0, 2, size=(5, 4))
    likelihood = np.where(hits, scipy.special.expit(logits), scipy.special.expit(-logits))
    np.testing.assert_allclose(reference.binary_cross_entropy(logits, hits), -np.log(likelihood).mean(axis=1))
    assert reference.binary_cross_entropy([-600.0], [1.0]) == pytest.approx(600.0)


def random_params(gates, D=2, H=3, b_n=False):
    shapes = {"w_x": (D, gates * H), "w_h": (H, gates * H), "b": (gates * H,)} | ({"b_n": (H,)} if b_n else {})
    return SimpleNamespace(**{name: RNG.normal(size=shape) for name, shape in shapes.items()})


def test_the_two_forms_of_the_gru_differ_where_the_reset_gate_acts():
    params = random_params(3, b_n=True)
    h, x = RNG.normal(size=3), RNG.normal(size=2)
    r, z, n = np.split(x @ params.w_x + params.b, 3)
    hr, hz, hn = np.split(h @ params.w_h, 3)
    r, z = scipy.special.expit(r + hr), scipy.special.expit(z + hz)
    (after,), _ = reference.gru(params, x[None], state=(h,), reset_after=True)
    np.testing.assert_allclose(after, (1 - z) * np.tanh(n + r * (hn + params.b_n)) + z * h)
    (before,), _ = reference.gru(params, x[None], state=(h,), reset_after=False)
    np.testing.assert_allclose(before, (1 - z) * np.tanh(n + (r * h) @ params.w_h[:, 6:]) + z * h)


def equal(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


RUNS = {
    "elman": (reference.elman, 1, 1, {}),
    "gru": (reference.gru, 3, 1, {}),
    "gru, reset before": (reference.gru, 3, 1, {"reset_after": False}),
    "lstm": (reference.lstm, 4, 2, {}),
}


@pytest.mark.parametrize("name", RUNS)
def test_mask_reset_and_reverse(name):
    run, gates, leaves, options = RUNS[name]
    params, xs = random_params(gates, b_n=True), RNG.normal(size=(2, 6, 2))
    state = tuple(RNG.normal(size=(2, 3)) for _ in range(leaves))
    mask = np.array([[1, 1, 1, 0, 0, 0], [1, 0, 1, 1, 0, 1]], bool)
    final, ys = run(params, np.where(mask[..., None], xs, np.nan), state=state, mask=mask, **options)
    for row in range(2):  # a masked step is as if it were not there
        seen, inside = xs[row, mask[row]], tuple(leaf[row] for leaf in state)
        short_final, short_ys = run(params, seen, state=inside, **options)
        equal(ys[row, mask[row]], short_ys)
        equal(ys[row, ~mask[row]], 0.0)
        for a, b in zip(final, short_final, strict=True):
            equal(a[row], b)
    reset = np.zeros((2, 6), bool)
    reset[0, 2] = True
    _, ys = run(params, xs, state=state, reset=reset, **options)
    equal(ys[0, 2:], run(params, xs[0, 2:], **options)[1])
    final, ys = run(params, xs, state=state, mask=mask, reset=reset, reverse=True, **options)
    flipped = {"mask": mask[:, ::-1], "reset": reset[:, ::-1]}
    flipped_final, flipped_ys = run(params, xs[:, ::-1], state=state, **flipped, **options)
    equal(ys, flipped_ys[:, ::-1])
    for a, b in zip(final, flipped_final, strict=True):
        equal(a, b)


def test_everything_is_double_precision():
    params = random_params(4)
    (h, c), ys = reference.lstm(params, np.ones((2, 3, 2), np.float16))
    assert h.dtype == c.dtype == ys.dtype == np.float64
    assert reference.conv(np.ones((3, 1), np.int8), np.ones((2, 1, 1), np.int8)).dtype == np.float64
    assert not isinstance(ys, jax.Array)
