"""The loops over time for narrow layers: sequences lie side by side in a vector, one value of one unit each.

A step of a block, LANES sequences, is as in `seqvision.cells.unrolling.numba.rounds`, with the roles in the product
changed: the weights are its rows, and the sequences its columns. A matrix (width, LANES) has a row for each unit or
feature.
"""

from typing import NamedTuple

from numba import njit

from .frames import backward_call, forward_call
from .gates import GRU, LSTM, ZERO, copy, elman, elman_back, fill, gru, gru_back, lstm, lstm_back
from .machine import flag, free, get, malloc, options, put
from .product import LANES, product_narrow


class ForwardSpace(NamedTuple):
    """The matrices of a block on its way through time."""

    row: int  # bytes of a state
    x: int  # (D, LANES)
    z: int  # (gates H, LANES)
    h: int  # (H, LANES), as what follows
    c: int
    old_h: int
    old_c: int


class BackwardSpace(NamedTuple):
    """The matrices of a block on its way back."""

    row: int  # bytes of a state
    a: int  # (gates H, LANES): gates, then the gradients of pre-activations
    d_h: int  # (H, LANES), as what follows
    d_c: int
    old_d_c: int
    back: int  # the gradient of h between two steps
    start: int  # the state before a step
    now: int  # the state after it
    tanh_c: int


@njit(**options)
def forward_lanes(frame, member, first, last):
    """Take the blocks first <= b < last through time."""
    f = forward_call(frame, member)
    gates, row = 4 if f.kind >= LSTM else 1, 4 * LANES * f.H
    size = f.D * LANES * 4 + (gates + 4) * row
    x = malloc(size)
    fill(x, ZERO, size // 4)  # of a block that is not full, some lanes stay zero
    z = x + 4 * LANES * f.D
    h = z + gates * row
    s = ForwardSpace(row, x, z, h, h + row, h + 2 * row, h + 3 * row)
    for block in range(first, last):
        n, lanes = block * LANES, min(LANES, f.N - block * LANES)
        state = 4 * n * f.H
        _in(f.h0 + state, s.h, f.H, lanes)
        if f.kind == LSTM:
            _in(f.c0 + state, s.c, f.H, lanes)
        for t in range(f.T):
            at = t * f.N + n
            if f.resets:
                _renew(f.reset, at, f.fresh_h + state, s.h, f.H, lanes)
                if f.kind == LSTM:
                    _renew(f.reset, at, f.fresh_c + state, s.c, f.H, lanes)
            _in(f.xs + 4 * at * f.D, s.x, f.D, lanes)
            _sums(f, s, gates)
            _forward_gates(f, s, at, lanes)
            if f.saves:
                _out(s.z, f.saved + 4 * at * gates * f.H, gates * f.H, lanes)
                if f.kind == LSTM:
                    _out(s.c, f.cs + 4 * at * f.H, f.H, lanes)
            if f.stacks:
                _out(s.h, f.hs + 4 * at * f.H, f.H, lanes)
        _out(s.h, f.last_h + state, f.H, lanes)
        if f.kind == LSTM:
            _out(s.c, f.c + state, f.H, lanes)
    free(x)


@njit(**options)
def _sums(f, s, gates):
    """Put the pre-activations of a step into z."""
    skip = f.H if f.kind == GRU else 0
    columns = gates * f.H
    for k in range(columns):
        fill(s.z + 4 * k * LANES, get(f.bias, k), LANES)
    product_narrow(f.w_x, s.x, f.D, s.z, columns - skip)
    product_narrow(f.w_h, s.h, f.H, s.z + 4 * skip * LANES, columns - skip)


@njit(**options)
def _forward_gates(f, s, at, lanes):
    """Go from z to the state after a step."""
    z, row, size = s.z, s.row, f.H * LANES
    copy(s.h, s.old_h, size)
    if f.kind == LSTM:
        copy(s.c, s.old_c, size)
        lstm(z, z + row, z + 2 * row, z + 3 * row, s.c, s.h, size)
    elif f.kind == GRU:
        gru(z, z + row, z + 2 * row, z + 3 * row, s.old_h, s.h, size)
    else:
        elman(z, s.h, f.kind, size)
    if f.masked:
        _hold(f.mask, at, s.old_h, s.h, f.H, lanes)
        if f.kind == LSTM:
            _hold(f.mask, at, s.old_c, s.c, f.H, lanes)


@njit(**options)
def backward_lanes(frame, member, first, last):
    """Take the gradients of the blocks first <= b < last back through time."""
    f = backward_call(frame, member)
    gates, row, skip = f.columns // f.H, 4 * LANES * f.H, f.H if f.kind == GRU else 0
    a = malloc((gates + 7) * row)
    fill(a, ZERO, (gates + 7) * f.H * LANES)
    d_h = a + gates * row
    s = BackwardSpace(row, a, d_h, d_h + row, d_h + 2 * row, d_h + 3 * row, d_h + 4 * row, d_h + 5 * row, d_h + 6 * row)
    for block in range(first, last):
        n, lanes = block * LANES, min(LANES, f.N - block * LANES)
        state = 4 * n * f.H
        _in(f.d_last_h + state, s.back, f.H, lanes)
        if f.kind == LSTM:
            _in(f.d_last_c + state, s.d_c, f.H, lanes)
        if f.resets:
            fill(f.d_fresh_h + state, ZERO, lanes * f.H)
            if f.kind == LSTM:
                fill(f.d_fresh_c + state, ZERO, lanes * f.H)
        for t in range(f.T - 1, -1, -1):
            at = t * f.N + n
            _in(f.d_hs + 4 * at * f.H, s.d_h, f.H, lanes)
            for u in range(f.H * LANES):
                put(s.d_h, u, get(s.d_h, u) + get(s.back, u))
            fill(s.back, ZERO, f.H * LANES)
            _backward_gates(f, s, t, n, lanes)
            _out(a, f.d + 4 * at * f.columns, f.columns, lanes)
            product_narrow(f.w, a + 4 * skip * LANES, f.columns - skip, s.back, f.H)
            if f.resets:
                _move(f.reset, at, s.back, f.d_fresh_h + state, f.H, lanes)
                if f.kind == LSTM:
                    _move(f.reset, at, s.d_c, f.d_fresh_c + state, f.H, lanes)
        _out(s.back, f.d_h0 + state, f.H, lanes)
        if f.kind == LSTM:
            _out(s.d_c, f.d_c + state, f.H, lanes)
    free(a)


@njit(**options)
def _backward_gates(f, s, t, n, lanes):
    """Go from the gradient of the state after step t to those of the pre-activations."""
    a, row, at, size = s.a, s.row, t * f.N + n, f.H * LANES
    if f.kind >= LSTM:
        _in(f.saved + 4 * at * f.columns, a, f.columns, lanes)
        states, begin, fresh = (f.cs, f.c0, f.fresh_c) if f.kind == LSTM else (f.hs, f.h0, f.fresh_h)
        _in(begin + 4 * n * f.H if t == 0 else states + 4 * (at - f.N) * f.H, s.start, f.H, lanes)
        if f.resets:
            _renew(f.reset, at, fresh + 4 * n * f.H, s.start, f.H, lanes)
    if f.kind == LSTM:
        copy(s.d_c, s.old_d_c, size)
        _in(f.cs + 4 * at * f.H, s.now, f.H, lanes)
        lstm_back(a, a + row, a + 2 * row, a + 3 * row, s.start, s.now, s.tanh_c, s.d_h, s.d_c, size)
    elif f.kind == GRU:
        gru_back(a, a + row, a + 2 * row, a + 3 * row, s.start, s.d_h, s.back, size)
    else:
        _in(f.hs + 4 * at * f.H, s.now, f.H, lanes)
        elman_back(s.now, s.d_h, a, f.kind, size)
    if f.masked:
        for lane in range(lanes):
            if not flag(f.mask, at + lane):
                for k in range(f.columns):
                    put(a, k * LANES + lane, ZERO)
        _hold(f.mask, at, s.d_h, s.back, f.H, lanes)
        if f.kind == LSTM:
            _hold(f.mask, at, s.old_d_c, s.d_c, f.H, lanes)


@njit(**options)
def _in(a, b, width, lanes):
    """Put rows a (lanes, width) into the columns of b."""
    for lane in range(lanes):
        for u in range(width):
            put(b, u * LANES + lane, get(a, lane * width + u))


@njit(**options)
def _out(a, b, width, lanes):
    """Put the columns of a into rows b (lanes, width)."""
    for lane in range(lanes):
        for u in range(width):
            put(b, lane * width + u, get(a, u * LANES + lane))


@njit(**options)
def _renew(reset, at, fresh, b, width, lanes):
    """Put rows of fresh (lanes, width) into the columns of b that are reset."""
    for lane in range(lanes):
        if flag(reset, at + lane):
            for u in range(width):
                put(b, u * LANES + lane, get(fresh, lane * width + u))


@njit(**options)
def _hold(mask, at, a, b, width, lanes):
    """Put into b the columns of a that are masked."""
    for lane in range(lanes):
        if not flag(mask, at + lane):
            for u in range(width):
                put(b, u * LANES + lane, get(a, u * LANES + lane))


@njit(**options)
def _move(reset, at, a, b, width, lanes):
    """Add the columns of a that are reset to rows of b (lanes, width), and leave zero in them."""
    for lane in range(lanes):
        if flag(reset, at + lane):
            for u in range(width):
                put(b, lane * width + u, get(b, lane * width + u) + get(a, u * LANES + lane))
                put(a, u * LANES + lane, ZERO)
