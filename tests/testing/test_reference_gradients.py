"""The backward passes written by hand, against finite differences of the forward passes."""

from types import SimpleNamespace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from seqvision.testing import reference


def finite_differences(f, x, step=1e-6):
    """The gradient of a number with respect to an array, one entry at a time."""
    gradient = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[at] += step
        behind[at] -= step
        gradient[at] = (f(ahead) - f(behind)) / (2 * step)
    return gradient


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-8)


ACTIVATIONS = ("tanh", "relu", "sigmoid", "linear")
RECURRENT = {
    **{name: (reference.elman, reference.elman_gradients, 1, 1, {"activation": name}) for name in ACTIVATIONS},
    "lstm": (reference.lstm, reference.lstm_gradients, 4, 2, {}),
}


@pytest.mark.parametrize("name", RECURRENT)
@given(data=st.data())
@settings(max_examples=4)
def test_backpropagation_through_time(name, data):
    forward, backward, gates, leaves, options = RECURRENT[name]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    batch, T, D, H = data.draw(st.sampled_from([(), (3,), (2, 2)])), data.draw(st.integers(0, 4)), 2, 3
    params = {"w_x": (D, gates * H), "w_h": (H, gates * H), "b": (gates * H,)}
    params = {key: rng.normal(size=shape) for key, shape in params.items()}
    xs, state = rng.normal(size=(*batch, T, D)), tuple(rng.normal(size=(*batch, H)) for _ in range(leaves))
    options = {**options, "reverse": data.draw(st.booleans())}
    if data.draw(st.booleans()):
        options["mask"] = rng.random((*batch, T)) < 0.7
    if data.draw(st.booleans()):
        options["reset"] = rng.random((*batch, T)) < 0.3
    d_ys, d_final = rng.normal(size=(*batch, T, H)), tuple(rng.normal(size=leaf.shape) for leaf in state)

    def loss(params, xs, state):
        final, ys = forward(SimpleNamespace(**params), xs, state=state, **options)
        return np.sum(ys * d_ys) + sum(np.sum(leaf * d) for leaf, d in zip(final, d_final, strict=True))

    gradients = backward(SimpleNamespace(**params), xs, d_ys, d_final, state=state, **options)
    for key in params:
        expected = finite_differences(lambda leaf, key=key: loss({**params, key: leaf}, xs, state), params[key])
        close(getattr(gradients.params, key), expected)
    close(gradients.xs, finite_differences(lambda xs: loss(params, xs, state), xs))
    for n in range(leaves):
        expected = finite_differences(lambda leaf, n=n: loss(params, xs, (*state[:n], leaf, *state[n + 1 :])), state[n])
        close(gradients.state[n], expected)


CONVOLUTIONS = [
    # spatial, window, stride, padding, dilation, groups
    ((5,), (2,), 2, "same", 1, 1),
    ((6,), (3,), 1, "causal", 2, 1),
    ((4,), (4,), 1, "full", 1, 2),
    ((5,), (4,), 2, "reflect", 1, 1),
    ((5, 4), (3, 2), (2, 1), "same", (1, 2), 2),
    ((4, 4), (2, 3), 1, "replicate", 1, 1),
    ((4, 5), (2, 2), (1, 2), ((0, 2), (3, 1)), 2, 1),
    ((3, 3, 3), (2, 1, 3), (2, 1, 1), "same", 1, 1),
    ((3, 3, 2), (2, 2, 2), 1, "valid", 1, 1),
]


@pytest.mark.parametrize(("spatial", "window", "stride", "padding", "dilation", "groups"), CONVOLUTIONS)
@pytest.mark.parametrize("batch", [(), (2,), (2, 1)])
def test_convolution(batch, spatial, window, stride, padding, dilation, groups):
    rng = np.random.default_rng(0)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x, kernel, bias = (
        rng.normal(size=(*batch, *spatial, 2)),
        rng.normal(size=(*window, 2 // groups, 2)),
        rng.normal(size=2),
    )
    out = reference.conv(x, kernel, bias, **options)
    d_out = rng.normal(size=out.shape)
    dx, dkernel, dbias = reference.conv_gradients(x, kernel, d_out, **options)
    close(dx, finite_differences(lambda x: np.sum(reference.conv(x, kernel, bias, **options) * d_out), x))
    close(
        dkernel, finite_differences(lambda kernel: np.sum(reference.conv(x, kernel, bias, **options) * d_out), kernel)
    )
    close(dbias, finite_differences(lambda bias: np.sum(reference.conv(x, kernel, bias, **options) * d_out), bias))


def test_two_layer_network():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 3)), rng.random((4, 2))
    params = [rng.normal(size=shape) for shape in ((3, 5), (5,), (5, 2), (2,))]

    def loss(params):
        return 0.5 * np.sum(reference.two_layer(reference.TwoLayer(*params), x, y).error ** 2)

    gradients = reference.two_layer(reference.TwoLayer(*params), x, y).gradients
    for n, gradient in enumerate(gradients):
        close(gradient, finite_differences(lambda leaf, n=n: loss([*params[:n], leaf, *params[n + 1 :]]), params[n]))


def test_smallest_cnn():
    rng = np.random.default_rng(0)
    given = [rng.normal(size=shape) for shape in ((4, 5), (2, 3), (9, 2), (2,))] + [rng.random(2)]
    result = reference.smallest_cnn(*given)
    for n, gradient in zip((1, 2, 3), (result.d_kernel, result.d_w, result.d_b), strict=True):
        close(
            gradient,
            finite_differences(lambda a, n=n: reference.smallest_cnn(*given[:n], a, *given[n + 1 :]).loss, given[n]),
        )
