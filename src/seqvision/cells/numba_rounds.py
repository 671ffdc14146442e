"""A step of the loops over time, for some sequences first <= n < last and some units low <= u < high of one member.

What is named like an array is its address; the sizes that are not passed are read from XLA's call frame.
"""

from numba import njit

from .numba_gates import GRU, LSTM, ZERO, copy, elman, elman_back, fill, gru, gru_back, lstm, lstm_back
from .numba_machine import data, flag, get, options, put, size_of, words_at
from .numba_product import PANEL, product


@njit(**options)
def forward_round(frame, member, t, first, last, low, high):
    """Go through step t."""
    words = words_at(frame, 15)
    args, rets = words[9], words[14]
    kind = words_at(data(args, 0, 0), 1)[0] & 0xFF
    T, N, D, H = size_of(args, 1, 0), size_of(args, 1, 1), size_of(args, 1, 2), size_of(args, 5, 1)
    xs, w_x, w_h, bias, h0, c0 = (
        data(args, 1, member),
        data(args, 2, member),
        data(args, 3, member),
        data(args, 4, member),
        data(args, 5, member),
        data(args, 6, member),
    )
    mask, reset, fresh_h, fresh_c = (
        data(args, 7, member),
        data(args, 8, member),
        data(args, 9, member),
        data(args, 10, member),
    )
    hs, cs, saved, z, last_h, c = (
        data(rets, 0, member),
        data(rets, 1, member),
        data(rets, 2, member),
        data(rets, 3, member),
        data(rets, 4, member),
        data(rets, 5, member),
    )
    masked, anew = size_of(args, 7, 0) > 0, size_of(args, 8, 0) > 0 and t + 1 < T
    stacks, saves = size_of(rets, 0, 0) > 0, size_of(rets, 2, 0) > 0
    wide, size = size_of(rets, 3, 1), high - low
    blocks = 4 if kind >= LSTM else 1
    skip = H if kind == GRU else 0
    whole = size == H
    starts = h0 if t == 0 else data(rets, 6, member) + 4 * (t % 2) * N * H
    ends = data(rets, 6, member) + 4 * ((t + 1) % 2) * N * H
    for n in range(first, last):
        if whole:
            copy(bias, z + 4 * n * wide, wide)
        else:
            for k in range(blocks):
                copy(bias + 4 * (k * H + low), z + 4 * (n * wide + k * H + low), size)
        if t == 0 and kind == LSTM:
            at = 4 * (n * H + low)
            copy(c0 + at, c + at, size)
    x, h, rows = xs + 4 * (t * N + first) * D, starts + 4 * first * H, last - first
    for k in range(1 if whole else (3 if kind == GRU else blocks)):
        begin = 0 if whole else (k * H + low) // PANEL
        panels = size_of(args, 3, 0) if whole else size // PANEL
        to = z + 4 * (first * wide + begin * PANEL)
        product(x, D, w_x + 4 * begin * D * PANEL, panels, D, to, wide, rows)
        product(h, H, w_h + 4 * begin * H * PANEL, panels, H, to + 4 * skip, wide, rows)
    for n in range(first, last):
        at, a = 4 * (n * H + low), z + 4 * (n * wide + low)
        h_new = ends + at
        if masked and not flag(mask, t * N + n):
            copy(starts + at, h_new, size)
        elif kind == LSTM:
            lstm(a, a + 4 * H, a + 8 * H, a + 12 * H, c + at, h_new, size)
        elif kind == GRU:
            gru(a, a + 4 * H, a + 8 * H, a + 12 * H, starts + at, h_new, size)
        else:
            elman(a, h_new, kind, size)
        if saves:
            row = saved + 4 * ((t * N + n) * blocks * H + low)
            if whole:
                copy(a, row, blocks * H)
            else:
                for k in range(blocks):
                    copy(a + 4 * k * H, row + 4 * k * H, size)
            if kind == LSTM:
                copy(c + at, cs + 4 * t * N * H + at, size)
        if stacks:
            copy(h_new, hs + 4 * t * N * H + at, size)
        if t == T - 1:
            copy(h_new, last_h + at, size)
        if anew and flag(reset, (t + 1) * N + n):
            copy(fresh_h + at, h_new, size)
            if kind == LSTM:
                copy(fresh_c + at, c + at, size)


@njit(**options)
def _move(a, b, size):
    """Add a to b, and leave zero."""
    for u in range(size):
        put(b, u, get(b, u) + get(a, u))
    fill(a, ZERO, size)


@njit(**options)
def backward_round(frame, member, t, first, last, low, high):
    """Finish the gradients of the state before step t + 1, and go through the gates of step t."""
    words = words_at(frame, 15)
    args, rets = words[9], words[14]
    kind = words_at(data(args, 0, 0), 1)[0] & 0xFF
    d_hs, saved, hs, cs = data(args, 1, member), data(args, 2, member), data(args, 3, member), data(args, 4, member)
    h0, c0, mask, reset = data(args, 5, member), data(args, 6, member), data(args, 7, member), data(args, 8, member)
    fresh_h, fresh_c, d_hT, d_cT = (
        data(args, 9, member),
        data(args, 10, member),
        data(args, 12, member),
        data(args, 13, member),
    )
    d, d_fresh_h, d_fresh_c, carry = (
        data(rets, 0, member),
        data(rets, 1, member),
        data(rets, 2, member),
        data(rets, 3, member),
    )
    d_c, spare, d_h0 = data(rets, 4, member), data(rets, 5, member), data(rets, 6, member)
    T, N, H = size_of(args, 3, 0), size_of(args, 3, 1), size_of(args, 3, 2)
    masked, anew = size_of(args, 7, 0) > 0, size_of(args, 8, 0) > 0
    wide, columns, size = size_of(rets, 3, 1), size_of(rets, 0, 2), high - low
    skip = H if kind == GRU else 0
    whole = size == H
    if t == T - 1:
        for n in range(first, last):
            at = 4 * (n * H + low)
            copy(d_hT + at, carry + 4 * (n * wide + low), size)
            if kind == LSTM:
                copy(d_cT + at, d_c + at, size)
            if anew:
                fill(d_fresh_h + at, ZERO, size)
                if kind == LSTM:
                    fill(d_fresh_c + at, ZERO, size)
    else:
        begin = 0 if whole else low // PANEL
        panels = wide // PANEL if whole else size // PANEL
        K, rows = columns - skip, d + 4 * (((t + 1) * N + first) * columns + skip)
        w = data(args, 11, member) + 4 * begin * K * PANEL
        product(rows, columns, w, panels, K, carry + 4 * (first * wide + begin * PANEL), wide, last - first)
        if anew:
            for n in range(first, last):
                if flag(reset, (t + 1) * N + n):
                    at = 4 * (n * H + low)
                    _move(carry + 4 * (n * wide + low), d_fresh_h + at, size)
                    if kind == LSTM:
                        _move(d_c + at, d_fresh_c + at, size)
    if t < 0:
        for n in range(first, last):
            copy(carry + 4 * (n * wide + low), d_h0 + 4 * (n * H + low), size)
        return
    for n in range(first, last):
        at, step, back = 4 * (n * H + low), 4 * t * N * H, carry + 4 * (n * wide + low)
        d_h, a = spare + 4 * (n * 6 * H + low), spare + 4 * ((n * 6 + 1) * H + low)
        row = 4 * ((t * N + n) * columns + low)
        for u in range(size):
            put(d_h, u, get(back, u) + get(d_hs + step + at, u))
        if masked and not flag(mask, t * N + n):
            copy(d_h, back, size)
            for k in range(columns // H):
                fill(d + row + 4 * k * H, ZERO, size)
            continue
        fill(back, ZERO, wide if whole else size)
        if kind < LSTM:
            elman_back(hs + step + at, d_h, d + row, kind, size)
            continue
        renew = anew and flag(reset, t * N + n)
        if whole:
            copy(saved + row, a, columns)
        else:
            for k in range(4):
                copy(saved + row + 4 * k * H, a + 4 * k * H, size)
        if kind == LSTM:
            start = c0 if t == 0 else (fresh_c if renew else cs + step - 4 * N * H)
            now, tanh_c = cs + step + at, a + 16 * H
            lstm_back(a, a + 4 * H, a + 8 * H, a + 12 * H, start + at, now, tanh_c, d_h, d_c + at, size)
        else:
            start = h0 if t == 0 else (fresh_h if renew else hs + step - 4 * N * H)
            gru_back(a, a + 4 * H, a + 8 * H, a + 12 * H, start + at, d_h, back, size)
        if whole:
            copy(a, d + row, columns)
        else:
            for k in range(4):
                copy(a + 4 * k * H, d + row + 4 * k * H, size)
