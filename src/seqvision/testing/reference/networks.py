"""Two small networks with their backward pass written out by hand, float64."""

from typing import NamedTuple

import numpy as np

from .convolution import conv, conv_gradients
from .recurrent import sigmoid


class TwoLayer(NamedTuple):
    """Parameters of a network with one hidden layer."""

    wh: np.ndarray  # (D, H)
    bh: np.ndarray  # (H,)
    wout: np.ndarray  # (H, K)
    bout: np.ndarray  # (K,)


class TwoLayerPass(NamedTuple):
    """Everything that a forward and a backward pass through ``TwoLayer`` compute."""

    hidden_input: np.ndarray  # (N, H), before the sigmoid
    hidden: np.ndarray  # (N, H)
    output: np.ndarray  # (N, K)
    error: np.ndarray  # (N, K), y - o
    output_delta: np.ndarray  # (N, K), error o (1 - o)
    hidden_delta: np.ndarray  # (N, H)
    gradients: TwoLayer  # of 1/2 sum (y - o)^2


def two_layer(params, x, y):
    """Run a two-layer sigmoid network forward and backward.

    h = sigmoid(x wh + bh), o = sigmoid(h wout + bout), E = 1/2 sum (y - o)^2. The deltas point downhill, as is usual:
    output delta = (y - o) o (1 - o), hidden delta = (output delta wout^T) h (1 - h).

    Args:
      params: TwoLayer.
      x: (N, D).
      y: (N, K).
    Returns:
      TwoLayerPass.

    >>> zero = TwoLayer(np.zeros((1, 1)), np.zeros(1), np.zeros((1, 1)), np.zeros(1))
    >>> two_layer(zero, np.ones((1, 1)), np.ones((1, 1))).gradients.bout  # -(1 - 1/2) 1/4
    array([-0.125])
    """
    wh, bh, wout, bout = (np.asarray(leaf, np.float64) for leaf in params)
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    hidden_input = x @ wh + bh
    hidden = sigmoid(hidden_input)
    output = sigmoid(hidden @ wout + bout)
    error = y - output
    output_delta = error * output * (1.0 - output)
    hidden_delta = output_delta @ wout.T * hidden * (1.0 - hidden)
    gradients = TwoLayer(
        wh=-x.T @ hidden_delta,
        bh=-hidden_delta.sum(axis=0),
        wout=-hidden.T @ output_delta,
        bout=-output_delta.sum(axis=0),
    )
    return TwoLayerPass(hidden_input, hidden, output, error, output_delta, hidden_delta, gradients)


class SmallestCNNPass(NamedTuple):
    """The output, loss and gradients of ``smallest_cnn``."""

    output: np.ndarray  # (K,)
    loss: float
    d_kernel: np.ndarray  # (R, S)
    d_w: np.ndarray  # (P * Q, K)
    d_b: np.ndarray  # (K,)


def smallest_cnn(image, kernel, w, b, target):
    """Run the smallest convolutional network forward and backward.

    Z1 = X * f (valid), A1 = sigmoid(Z1), Z2 = W^T A1 + b with A1 flattened, O = sigmoid(Z2), E = 1/2 sum (O - t)^2, and

      dE/df = dE/dO dO/dZ2 dZ2/dA1 dA1/dZ1 dZ1/df.

    Args:
      image: (P + R - 1, Q + S - 1).
      kernel: (R, S).
      w: (P * Q, K).
      b: (K,).
      target: (K,).
    Returns:
      SmallestCNNPass.

    >>> smallest_cnn(np.ones((2, 2)), np.zeros((2, 2)), np.zeros((1, 1)), np.zeros(1), np.zeros(1)).loss
    0.125
    """
    image, kernel, w, b, target = (np.asarray(a, np.float64) for a in (image, kernel, w, b, target))
    z1 = conv(image[..., None], kernel[..., None, None], padding="valid")[..., 0]
    a1 = sigmoid(z1)
    z2 = w.T @ a1.ravel() + b
    output = sigmoid(z2)

    d_output = output - target  # dE/dO
    d_z2 = d_output * output * (1.0 - output)  # dO/dZ2
    d_a1 = (w @ d_z2).reshape(a1.shape)  # dZ2/dA1
    d_z1 = d_a1 * a1 * (1.0 - a1)  # dA1/dZ1
    # dZ1/df: each entry of the kernel meets one shifted copy of the image.
    _, d_kernel, _ = conv_gradients(image[..., None], kernel[..., None, None], d_z1[..., None], padding="valid")
    loss = float(0.5 * np.sum(d_output**2))
    return SmallestCNNPass(output, loss, d_kernel[..., 0, 0], np.outer(a1.ravel(), d_z2), d_z2)
