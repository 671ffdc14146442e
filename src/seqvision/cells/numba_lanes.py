"""The loops over time for narrow layers: sequences lie side by side in a vector, one value of one unit each.

A step of LANES sequences is as in `seqvision.cells.numba_rounds`, with the roles in the product changed: the weights are
its rows, and the sequences its columns. A matrix of so many sequences has a row for each unit or feature.
"""

from numba import njit

from .numba_frames import backward_call, forward_call
from .numba_gates import GRU, LSTM, ZERO, copy, elman, elman_back, fill, gru, gru_back, lstm, lstm_back
from .numba_machine import flag, free, get, malloc, options, put
from .numba_product import LANES, PANEL, product_narrow


@njit(**options)
def forward_lanes(frame, member, first, last):
    """Take the blocks first <= b < last, of LANES sequences each, through time."""
    f = forward_call(frame, member)
    gates = 4 if f.kind >= LSTM else 1
    x = malloc(4 * LANES * (f.D + (4 + gates) * f.H))
    z, row = x + 4 * LANES * f.D, 4 * LANES * f.H
    h, h_new, c, c_old = z + gates * row, z + (gates + 1) * row, z + (gates + 2) * row, z + (gates + 3) * row
    fill(x, ZERO, LANES * (f.D + (4 + gates) * f.H))
    for block in range(first, last):
        n, lanes = block * LANES, min(LANES, f.N - block * LANES)
        _in(f.h0 + 4 * n * f.H, h, f.H, lanes)
        if f.kind == LSTM:
            _in(f.c0 + 4 * n * f.H, c, f.H, lanes)
        for t in range(f.T):
            if f.resets:
                for lane in range(lanes):
                    if flag(f.reset, t * f.N + n + lane):
                        _spread(f.fresh_h + 4 * (n + lane) * f.H, h, f.H, lane)
                        if f.kind == LSTM:
                            _spread(f.fresh_c + 4 * (n + lane) * f.H, c, f.H, lane)
            _in(f.xs + 4 * (t * f.N + n) * f.D, x, f.D, lanes)
            _sums(f, x, h, z, gates)
            if f.masked and f.kind == LSTM:
                copy(c, c_old, f.H * LANES)
            if f.kind == LSTM:
                lstm(z, z + row, z + 2 * row, z + 3 * row, c, h_new, f.H * LANES)
            elif f.kind == GRU:
                gru(z, z + row, z + 2 * row, z + 3 * row, h, h_new, f.H * LANES)
            else:
                elman(z, h_new, f.kind, f.H * LANES)
            if f.masked:
                for lane in range(lanes):
                    if not flag(f.mask, t * f.N + n + lane):
                        _lane(h, h_new, f.H, lane)
                        if f.kind == LSTM:
                            _lane(c_old, c, f.H, lane)
            h, h_new = h_new, h
            at = t * f.N + n
            if f.saves:
                _out(z, f.saved + 4 * at * gates * f.H, gates * f.H, lanes)
                if f.kind == LSTM:
                    _out(c, f.cs + 4 * at * f.H, f.H, lanes)
            if f.stacks:
                _out(h, f.hs + 4 * at * f.H, f.H, lanes)
        _out(h, f.last_h + 4 * n * f.H, f.H, lanes)
        if f.kind == LSTM:
            _out(c, f.c + 4 * n * f.H, f.H, lanes)
    free(x)


@njit(**options)
def _sums(f, x, h, z, gates):
    """Put the pre-activations of a step into z (gates H, LANES)."""
    skip = f.H if f.kind == GRU else 0
    columns = gates * f.H
    for k in range(columns):
        fill(z + 4 * k * LANES, get(f.bias, k), LANES)
    product_narrow(f.w_x, x, f.D, z, columns - skip)
    product_narrow(f.w_h, h, f.H, z + 4 * skip * LANES, columns - skip)


@njit(**options)
def backward_lanes(frame, member, first, last):
    """Take the gradients of the blocks first <= b < last, of LANES sequences each, back through time."""
    f = backward_call(frame, member)
    gates, row = f.columns // f.H, 4 * LANES * f.H
    skip = f.H if f.kind == GRU else 0
    space = malloc(8 * row + gates * row)
    back, d_h, d_c, d_c_old = space, space + row, space + 2 * row, space + 3 * row
    now, start, tanh_c, a = space + 4 * row, space + 5 * row, space + 6 * row, space + 8 * row
    fill(space, ZERO, LANES * (8 + gates) * f.H)
    for block in range(first, last):
        n, lanes = block * LANES, min(LANES, f.N - block * LANES)
        _in(f.d_hT + 4 * n * f.H, back, f.H, lanes)
        if f.kind == LSTM:
            _in(f.d_cT + 4 * n * f.H, d_c, f.H, lanes)
        if f.resets:
            fill(f.d_fresh_h + 4 * n * f.H, ZERO, lanes * f.H)
            if f.kind == LSTM:
                fill(f.d_fresh_c + 4 * n * f.H, ZERO, lanes * f.H)
        for s in range(f.T):
            t = f.T - 1 - s
            at, before = t * f.N + n, (t - 1) * f.N + n
            _in(f.d_hs + 4 * at * f.H, d_h, f.H, lanes)
            for u in range(f.H * LANES):
                put(d_h, u, get(d_h, u) + get(back, u))
            fill(back, ZERO, f.H * LANES)
            if f.masked and f.kind == LSTM:
                copy(d_c, d_c_old, f.H * LANES)
            if f.kind >= LSTM:
                _in(f.saved + 4 * at * f.columns, a, f.columns, lanes)
                states, begin, fresh = (f.cs, f.c0, f.fresh_c) if f.kind == LSTM else (f.hs, f.h0, f.fresh_h)
                _in(begin + 4 * n * f.H if t == 0 else states + 4 * before * f.H, start, f.H, lanes)
                if f.resets:
                    for lane in range(lanes):
                        if flag(f.reset, at + lane):
                            _spread(fresh + 4 * (n + lane) * f.H, start, f.H, lane)
            if f.kind == LSTM:
                _in(f.cs + 4 * at * f.H, now, f.H, lanes)
                lstm_back(a, a + row, a + 2 * row, a + 3 * row, start, now, tanh_c, d_h, d_c, f.H * LANES)
            elif f.kind == GRU:
                gru_back(a, a + row, a + 2 * row, a + 3 * row, start, d_h, back, f.H * LANES)
            else:
                _in(f.hs + 4 * at * f.H, now, f.H, lanes)
                elman_back(now, d_h, a, f.kind, f.H * LANES)
            if f.masked:
                for lane in range(lanes):
                    if not flag(f.mask, at + lane):
                        _clear(a, f.columns, lane)
                        _lane(d_h, back, f.H, lane)
                        if f.kind == LSTM:
                            _lane(d_c_old, d_c, f.H, lane)
            _out(a, f.d + 4 * at * f.columns, f.columns, lanes)
            product_narrow(f.w, a + skip * 4 * LANES, f.columns - skip, back, f.H)
            if f.resets:
                for lane in range(lanes):
                    if flag(f.reset, at + lane):
                        _add(back, f.d_fresh_h + 4 * (n + lane) * f.H, f.H, lane)
                        _clear(back, f.H, lane)
                        if f.kind == LSTM:
                            _add(d_c, f.d_fresh_c + 4 * (n + lane) * f.H, f.H, lane)
                            _clear(d_c, f.H, lane)
        _out(back, f.d_h0 + 4 * n * f.H, f.H, lanes)
        if f.kind == LSTM:
            _out(d_c, f.d_c + 4 * n * f.H, f.H, lanes)
    free(space)


@njit(**options)
def _in(a, b, width, lanes):
    """Put rows a (lanes, width) into the columns of b (width, LANES)."""
    for lane in range(lanes):
        for u in range(width):
            put(b, u * LANES + lane, get(a, lane * width + u))


@njit(**options)
def _out(a, b, width, lanes):
    """Put the columns of a (width, LANES) into rows b (lanes, width)."""
    for lane in range(lanes):
        for u in range(width):
            put(b, lane * width + u, get(a, u * LANES + lane))


@njit(**options)
def _spread(a, b, width, lane):
    """Put a (width,) into a column of b (width, LANES)."""
    for u in range(width):
        put(b, u * LANES + lane, get(a, u))


@njit(**options)
def _add(a, b, width, lane):
    """Add a column of a (width, LANES) to b (width,)."""
    for u in range(width):
        put(b, u, get(b, u) + get(a, u * LANES + lane))


@njit(**options)
def _lane(a, b, width, lane):
    """Put a column of a into the same one of b (width, LANES)."""
    for u in range(width):
        put(b, u * LANES + lane, get(a, u * LANES + lane))


@njit(**options)
def _clear(a, width, lane):
    """Leave zero in a column of a (width, LANES)."""
    for u in range(width):
        put(a, u * LANES + lane, ZERO)
