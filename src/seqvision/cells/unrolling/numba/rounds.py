"""Steps of the loops over time, for some sequences first <= n < last and some units low <= u < high of one member.

What stands in a row of pre-activations or gates for the same unit is H values apart.
"""

from numba import njit

from .frames import backward_call, forward_call
from .gates import GRU, LSTM, ZERO, copy, elman, elman_back, fill, gru, gru_back, lstm, lstm_back
from .machine import flag, get, options, put
from .product import PANEL, product


@njit(**options)
def forward_rounds(frame, member, begin, end, first, last, low, high):
    """Go through the steps begin <= t < end."""
    f = forward_call(frame, member)
    for t in range(begin, end):
        starts, ends = f.turns + 4 * (t % 2) * f.N * f.H, f.turns + 4 * ((t + 1) % 2) * f.N * f.H
        if t == 0:
            starts = f.h0
            for n in range(first, last):
                at = 4 * (n * f.H + low)
                if f.kind == LSTM:
                    copy(f.c0 + at, f.c + at, high - low)
        _sums(f, t, starts, first, last, low, high)
        _forward_gates(f, t, starts, ends, first, last, low, high)


@njit(**options)
def _sums(f, t, starts, first, last, low, high):
    """Put the pre-activations of step t into z."""
    H, wide, whole, size = f.H, f.wide, high - low == f.H, high - low
    blocks, skip = 4 if f.kind >= LSTM else 1, H if f.kind == GRU else 0
    for n in range(first, last):
        _copies(f.bias + 4 * low, f.z + 4 * (n * wide + low), 1 if whole else blocks, wide if whole else size, H)
    x, h, rows = f.xs + 4 * (t * f.N + first) * f.D, starts + 4 * first * H, last - first
    for k in range(1 if whole else (3 if f.kind == GRU else blocks)):
        begin, panels = (0, (wide - skip) // PANEL) if whole else ((k * H + low) // PANEL, size // PANEL)
        to = f.z + 4 * (first * wide + begin * PANEL)
        product(x, f.D, f.w_x + 4 * begin * f.D * PANEL, panels, f.D, to, wide, rows)
        product(h, H, f.w_h + 4 * begin * H * PANEL, panels, H, to + 4 * skip, wide, rows)


@njit(**options)
def _forward_gates(f, t, starts, ends, first, last, low, high):
    """Go from z to the state after step t, and write down what is wanted of it."""
    H, wide, whole, size = f.H, f.wide, high - low == f.H, high - low
    blocks, step = 4 if f.kind >= LSTM else 1, 4 * t * f.N * H
    for n in range(first, last):
        at, a = 4 * (n * H + low), f.z + 4 * (n * wide + low)
        h, c = ends + at, f.c + at
        if f.masked and not flag(f.mask, t * f.N + n):
            copy(starts + at, h, size)
        elif f.kind == LSTM:
            lstm(a, a + 4 * H, a + 8 * H, a + 12 * H, c, h, size)
        elif f.kind == GRU:
            gru(a, a + 4 * H, a + 8 * H, a + 12 * H, starts + at, h, size)
        else:
            elman(a, h, f.kind, size)
        if f.saves:
            row = f.saved + 4 * ((t * f.N + n) * blocks * H + low)
            _copies(a, row, 1 if whole else blocks, blocks * H if whole else size, H)
            if f.kind == LSTM:
                copy(c, f.cs + step + at, size)
        if f.stacks:
            copy(h, f.hs + step + at, size)
        if t == f.T - 1:
            copy(h, f.last_h + at, size)
        elif f.resets and flag(f.reset, (t + 1) * f.N + n):
            copy(f.fresh_h + at, h, size)
            if f.kind == LSTM:
                copy(f.fresh_c + at, c, size)


@njit(**options)
def backward_rounds(frame, member, begin, end, first, last, low, high):
    """Go through the rounds begin <= s < end of T + 1.

    A round finishes the gradients of the state before step t + 1, t = T - 1 - s, and goes back through the gates of t.
    """
    f = backward_call(frame, member)
    for s in range(begin, end):
        t = f.T - 1 - s
        if s == 0:
            _last_gradients(f, first, last, low, high)
        else:
            _state_gradients(f, t + 1, first, last, low, high)
        if t < 0:
            for n in range(first, last):
                copy(f.carry + 4 * (n * f.wide + low), f.d_h0 + 4 * (n * f.H + low), high - low)
        else:
            _backward_gates(f, t, first, last, low, high)


@njit(**options)
def _last_gradients(f, first, last, low, high):
    """Begin with the gradients of the last state, and none of the fresh one."""
    size = high - low
    for n in range(first, last):
        at = 4 * (n * f.H + low)
        copy(f.d_last_h + at, f.carry + 4 * (n * f.wide + low), size)
        if f.kind == LSTM:
            copy(f.d_last_c + at, f.d_c + at, size)
        if f.resets:
            fill(f.d_fresh_h + at, ZERO, size)
            if f.kind == LSTM:
                fill(f.d_fresh_c + at, ZERO, size)


@njit(**options)
def _state_gradients(f, t, first, last, low, high):
    """Add to the gradient of the state before step t what comes through the product."""
    whole = high - low == f.H
    begin = 0 if whole else low // PANEL
    panels = f.wide // PANEL if whole else (high - low) // PANEL
    skip = f.H if f.kind == GRU else 0
    K, rows = f.columns - skip, f.d + 4 * ((t * f.N + first) * f.columns + skip)
    to = f.carry + 4 * (first * f.wide + begin * PANEL)
    product(rows, f.columns, f.w + 4 * begin * K * PANEL, panels, K, to, f.wide, last - first)
    if f.resets:
        for n in range(first, last):
            if flag(f.reset, t * f.N + n):
                at = 4 * (n * f.H + low)
                _move(f.carry + 4 * (n * f.wide + low), f.d_fresh_h + at, high - low)
                if f.kind == LSTM:
                    _move(f.d_c + at, f.d_fresh_c + at, high - low)


@njit(**options)
def _backward_gates(f, t, first, last, low, high):
    """Go from the gradient of the state after step t to those of the pre-activations, d, and of the state before."""
    H, whole, size, step = f.H, high - low == f.H, high - low, 4 * t * f.N * f.H
    blocks, values = (1, f.columns) if whole else (f.columns // H, size)
    for n in range(first, last):
        at, back = 4 * (n * H + low), f.carry + 4 * (n * f.wide + low)
        d_h, a = f.spare + 4 * (n * 6 * H + low), f.spare + 4 * ((n * 6 + 1) * H + low)
        row = 4 * ((t * f.N + n) * f.columns + low)
        for u in range(size):
            put(d_h, u, get(back, u) + get(f.d_hs + step + at, u))
        if f.masked and not flag(f.mask, t * f.N + n):
            copy(d_h, back, size)
            for k in range(f.columns // H):
                fill(f.d + row + 4 * k * H, ZERO, size)
            continue
        fill(back, ZERO, f.wide if whole else size)
        if f.kind < LSTM:
            elman_back(f.hs + step + at, d_h, f.d + row, f.kind, size)
            continue
        renew = f.resets and flag(f.reset, t * f.N + n)
        _copies(f.saved + row, a, blocks, values, H)
        if f.kind == LSTM:
            start = f.c0 if t == 0 else (f.fresh_c if renew else f.cs + step - 4 * f.N * H)
            now, tanh_c = f.cs + step + at, a + 16 * H
            lstm_back(a, a + 4 * H, a + 8 * H, a + 12 * H, start + at, now, tanh_c, d_h, f.d_c + at, size)
        else:
            start = f.h0 if t == 0 else (f.fresh_h if renew else f.hs + step - 4 * f.N * H)
            gru_back(a, a + 4 * H, a + 8 * H, a + 12 * H, start + at, d_h, back, size)
        _copies(a, f.d + row, blocks, values, H)


@njit(**options)
def _copies(a, b, blocks, size, H):
    """Copy a few blocks, H values apart."""
    for k in range(blocks):
        copy(a + 4 * k * H, b + 4 * k * H, size)


@njit(**options)
def _move(a, b, size):
    """Add a to b, and leave zero."""
    for u in range(size):
        put(b, u, get(b, u) + get(a, u))
    fill(a, ZERO, size)
