"""The gates of the cells and their transposes, unit by unit; what is named like an array is its address."""

import numpy as np

from .intrinsics import compiled, copy, get, power_of_two, put
from .signatures import Kind

ZERO, ONE = np.float32(0), np.float32(1)


@compiled
def _exp(x):
    """e^x by its binary exponent and a polynomial of what is left; NaN stays NaN."""
    x = np.float32(88) if x > np.float32(88) else x
    x = np.float32(-87) if x < np.float32(-87) else x
    shifted = x * np.float32(1.44269504) + np.float32(12582912)  # its last bits are the nearest integer
    n = shifted - np.float32(12582912)
    r = x - n * np.float32(0.693359375)
    r = r + n * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1)
    return p * power_of_two(shifted)


@compiled
def _sigmoid(x):
    return np.float32(1) / (np.float32(1) + _exp(-x))


@compiled
def _tanh(x):
    """An odd polynomial over an even one, which reach 1 at 7.9."""
    x = np.float32(7.90531110763549805) if x > np.float32(7.90531110763549805) else x
    x = np.float32(-7.90531110763549805) if x < np.float32(-7.90531110763549805) else x
    s = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * s + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * s + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


@compiled
def _sigmoids(a, size):
    for u in range(size):
        put(a, u, _sigmoid(get(a, u)))


@compiled
def lstm_gates(i, f, g, o, c, h, size):
    """From pre-activations to gates, and from c to c' and h', in place."""
    _sigmoids(i, size)
    _sigmoids(f, size)
    _sigmoids(o, size)
    for u in range(size):
        put(g, u, _tanh(get(g, u)))
    for u in range(size):
        put(c, u, get(f, u) * get(c, u) + get(i, u) * get(g, u))
    for u in range(size):
        put(h, u, get(o, u) * _tanh(get(c, u)))


@compiled
def lstm_gates_back(i, f, g, o, start, c, tanh_c, d_h, d_c, size):
    """From gates to the gradients of pre-activations, and from d_c to that of the old c, in place."""
    for u in range(size):
        put(tanh_c, u, _tanh(get(c, u)))
    for u in range(size):
        slope = ONE - get(tanh_c, u) * get(tanh_c, u)
        put(d_c, u, get(d_c, u) + get(d_h, u) * get(o, u) * slope)
    for u in range(size):
        put(o, u, get(d_h, u) * get(tanh_c, u) * get(o, u) * (ONE - get(o, u)))
    for u in range(size):
        d, old_i, old_g = get(d_c, u), get(i, u), get(g, u)
        put(i, u, d * old_g * old_i * (ONE - old_i))
        put(g, u, d * old_i * (ONE - old_g * old_g))
    for u in range(size):
        d, old_f = get(d_c, u), get(f, u)
        put(f, u, d * get(start, u) * old_f * (ONE - old_f))
        put(d_c, u, d * old_f)


@compiled
def gru_gates(n, r, z, share, start, h, size):
    """From pre-activations, n and share being x's and h's share of one, to gates, in place, and h'."""
    _sigmoids(r, size)
    _sigmoids(z, size)
    for u in range(size):
        put(n, u, _tanh(get(n, u) + get(r, u) * get(share, u)))
    for u in range(size):
        put(h, u, get(n, u) + get(z, u) * (get(start, u) - get(n, u)))


@compiled
def gru_gates_back(n, r, z, share, start, d_h, direct, size):
    """From gates to the gradients of pre-activations, in place, and that of the old h past the products."""
    for u in range(size):
        put(direct, u, get(d_h, u) * get(z, u))
    for u in range(size):
        d, old_n, old_z = get(d_h, u), get(n, u), get(z, u)
        put(n, u, d * (ONE - old_z) * (ONE - old_n * old_n))
        put(z, u, d * (get(start, u) - old_n) * old_z * (ONE - old_z))
    for u in range(size):
        d, old_r, old_share = get(n, u), get(r, u), get(share, u)
        put(r, u, d * old_share * old_r * (ONE - old_r))
        put(share, u, d * old_r)


@compiled
def elman_activation(a, h, kind, size):
    """From the pre-activation to h'."""
    if kind == Kind.TANH:
        for u in range(size):
            put(h, u, _tanh(get(a, u)))
    elif kind == Kind.SIGMOID:
        for u in range(size):
            put(h, u, _sigmoid(get(a, u)))
    elif kind == Kind.RELU:
        for u in range(size):
            put(h, u, ZERO if get(a, u) < ZERO else get(a, u))
    else:
        copy(a, h, size)


@compiled
def elman_activation_back(h, d_h, d, kind, size):
    """From the gradient of h' to that of the pre-activation."""
    if kind == Kind.TANH:
        for u in range(size):
            put(d, u, get(d_h, u) * (ONE - get(h, u) * get(h, u)))
    elif kind == Kind.SIGMOID:
        for u in range(size):
            put(d, u, get(d_h, u) * get(h, u) * (ONE - get(h, u)))
    elif kind == Kind.RELU:
        for u in range(size):
            put(d, u, get(d_h, u) if get(h, u) > ZERO else ZERO)
    else:
        copy(d_h, d, size)
