"""What XLA's call frames hold for the loops over time: sizes, and addresses of one member's operands and results."""

from typing import NamedTuple

from numba import njit

from .machine import data, options, size_of, words_at


class Forward(NamedTuple):
    """A call of the forward loop; what is named like an array is its address."""

    kind: int  # of cell, as `numba_gates` numbers them
    T: int
    N: int
    D: int
    H: int
    wide: int  # values of a row of z
    xs: int  # (T, N, D)
    w_x: int  # (panels, D, PANEL)
    w_h: int  # (panels, H, PANEL)
    bias: int  # (wide,)
    h0: int  # (N, H), as c0, fresh_h, fresh_c, last_h and c
    c0: int
    mask: int  # (T, N), as reset
    reset: int
    fresh_h: int
    fresh_c: int
    hs: int  # (T, N, H), as cs
    cs: int
    saved: int  # (T, N, gates H)
    z: int  # (N, wide)
    last_h: int
    c: int
    turns: int  # (2, N, H): h before and after a step take turns
    masked: bool
    resets: bool
    stacks: bool  # whether hs is wanted
    saves: bool  # whether cs and saved are


class Backward(NamedTuple):
    """A call of the backward loop."""

    kind: int
    T: int
    N: int
    H: int
    columns: int  # values of a row of d
    wide: int  # values of a row of carry
    d_hs: int  # (T, N, H), as hs and cs
    saved: int  # (T, N, columns), as d
    hs: int
    cs: int
    h0: int  # (N, H), as every state
    c0: int
    mask: int  # (T, N), as reset
    reset: int
    fresh_h: int
    fresh_c: int
    w: int  # (panels, columns that h is in, PANEL), of W_h^T
    d_last_h: int
    d_last_c: int
    d: int
    d_fresh_h: int
    d_fresh_c: int
    carry: int  # (N, wide): the gradient of h between two steps
    d_c: int
    spare: int  # (N, 6 H)
    d_h0: int
    masked: bool
    resets: bool


@njit(**options)
def kind_of(frame):
    """Return the number of the kind of cell."""
    return words_at(data(words_at(frame, 10)[9], 0, 0), 1)[0] & 0xFF


@njit(**options)
def forward_call(frame, member):
    """Read the call frame of a forward loop."""
    words = words_at(frame, 15)
    args, rets = words[9], words[14]
    return Forward(
        kind_of(frame),
        size_of(args, 1, 0),
        size_of(args, 1, 1),
        size_of(args, 1, 2),
        size_of(args, 5, 1),
        size_of(rets, 3, 1),
        data(args, 1, member),
        data(args, 2, member),
        data(args, 3, member),
        data(args, 4, member),
        data(args, 5, member),
        data(args, 6, member),
        data(args, 7, member),
        data(args, 8, member),
        data(args, 9, member),
        data(args, 10, member),
        data(rets, 0, member),
        data(rets, 1, member),
        data(rets, 2, member),
        data(rets, 3, member),
        data(rets, 4, member),
        data(rets, 5, member),
        data(rets, 6, member),
        size_of(args, 7, 0) > 0,
        size_of(args, 8, 0) > 0,
        size_of(rets, 0, 0) > 0,
        size_of(rets, 2, 0) > 0,
    )


@njit(**options)
def backward_call(frame, member):
    """Read the call frame of a backward loop."""
    words = words_at(frame, 15)
    args, rets = words[9], words[14]
    return Backward(
        kind_of(frame),
        size_of(args, 3, 0),
        size_of(args, 3, 1),
        size_of(args, 3, 2),
        size_of(rets, 0, 2),
        size_of(rets, 3, 1),
        data(args, 1, member),
        data(args, 2, member),
        data(args, 3, member),
        data(args, 4, member),
        data(args, 5, member),
        data(args, 6, member),
        data(args, 7, member),
        data(args, 8, member),
        data(args, 9, member),
        data(args, 10, member),
        data(args, 11, member),
        data(args, 12, member),
        data(args, 13, member),
        data(rets, 0, member),
        data(rets, 1, member),
        data(rets, 2, member),
        data(rets, 3, member),
        data(rets, 4, member),
        data(rets, 5, member),
        data(rets, 6, member),
        size_of(args, 7, 0) > 0,
        size_of(args, 8, 0) > 0,
    )
