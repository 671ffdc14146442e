"""The loops over time of method="numba", compiled by numba and called by XLA as custom calls.

A program of XLA runs a loop step by step: a few small kernels and one product each, which reads W_h anew and, for few
rows, uses one core. Sequences do not depend on each other, so here each core takes some of them through all of time:
W_h is packed once into panels of the width that a core's registers hold, states stay in its cache, and what is left of
a step is the product of one tile after another and the gates. Where the sequences are few and the layer is wide, each
core takes some of the units instead, and waits for the others in each step.
"""

import hashlib
from pathlib import Path

import numpy as np
from numba import cfunc, njit, types

from .numba_gates import GRU, LSTM, ZERO, copy, elman, elman_back, fill, gru, gru_back, lstm, lstm_back
from .numba_machine import add_to, ask, data, flag, free, get, malloc, options, put, size_of, task, wait, words_at
from .numba_product import PANEL, product

BLOCK = 16  # sequences that go through time together, so that a step stays in a core's first cache
FEW, WIDE = 8, 128  # no more sequences and no fewer units than this: cores share units, not sequences
SMALL = 500  # values of all states, up to which one core is faster than to wake another


# A step of the sequences first <= n < last and the units low <= u < high. What is named like an array is its address.


@njit(**options)
def forward_round(frame, t, first, last, low, high):
    """Go through step t."""
    words = words_at(frame, 15)
    args, rets = words[9], words[14]
    kind = words_at(data(args, 0), 1)[0] & 0xFF
    T, N, D, H = size_of(args, 1, 0), size_of(args, 1, 1), size_of(args, 1, 2), size_of(args, 5, 1)
    xs, w_x, w_h, bias, h0, c0 = (
        data(args, 1),
        data(args, 2),
        data(args, 3),
        data(args, 4),
        data(args, 5),
        data(args, 6),
    )
    mask, reset, fresh_h, fresh_c = data(args, 7), data(args, 8), data(args, 9), data(args, 10)
    hs, cs, saved, z, last_h, c = (
        data(rets, 0),
        data(rets, 1),
        data(rets, 2),
        data(rets, 3),
        data(rets, 4),
        data(rets, 5),
    )
    masked, anew = size_of(args, 7, 0) > 0, size_of(args, 8, 0) > 0 and t + 1 < T
    stacks, saves = size_of(rets, 0, 0) > 0, size_of(rets, 2, 0) > 0
    wide, size = size_of(rets, 3, 1), high - low
    blocks = 4 if kind >= LSTM else 1
    skip = H if kind == GRU else 0
    whole = size == H
    starts = h0 if t == 0 else data(rets, 6) + 4 * (t % 2) * N * H
    ends = data(rets, 6) + 4 * ((t + 1) % 2) * N * H
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
def backward_round(frame, t, first, last, low, high):
    """Finish the gradients of the state before step t + 1, and go through the gates of step t."""
    words = words_at(frame, 15)
    args, rets = words[9], words[14]
    kind = words_at(data(args, 0), 1)[0] & 0xFF
    d_hs, saved, hs, cs = data(args, 1), data(args, 2), data(args, 3), data(args, 4)
    h0, c0, mask, reset = data(args, 5), data(args, 6), data(args, 7), data(args, 8)
    fresh_h, fresh_c, d_hT, d_cT = data(args, 9), data(args, 10), data(args, 12), data(args, 13)
    d, d_fresh_h, d_fresh_c, carry = data(rets, 0), data(rets, 1), data(rets, 2), data(rets, 3)
    d_c, spare, d_h0 = data(rets, 4), data(rets, 5), data(rets, 6)
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
        w = data(args, 11) + 4 * begin * K * PANEL
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


@njit(**options)
def _round(frame, forward, s, first, last, low, high):
    T = size_of(words_at(frame, 15)[9], 1, 0)
    if forward:
        forward_round(frame, s, first, last, low, high)
    else:
        backward_round(frame, T - 1 - s, first, last, low, high)


# Sharing the work among cores -----------------------------------------------------------------------------------------

# A job is ten words: how many hold it, the next ticket, tickets done, all tickets, how many a round (0: a ticket is a
# block of sequences, for all rounds), rounds, whether forward, the frame, N, H. The frame is gone when all tickets are
# done, and a thread may come later.
JOB = 10


@njit(**options)
def _work(job):
    """Take tickets of a job until none is left, and let go of it: the last one frees it."""
    words = words_at(job, JOB)
    total, parts, rounds, forward, frame, N, H = words[3], words[4], words[5], words[6], words[7], words[8], words[9]
    while True:
        ticket = add_to(job + 8, 1)
        if ticket >= total:
            break
        if parts == 0:
            first, last = ticket * N // total, (ticket + 1) * N // total
            for s in range(rounds):
                _round(frame, forward, s, first, last, np.intp(0), H)
        else:
            s, part = ticket // parts, ticket % parts
            wait(job + 16, s * parts)
            panels = H // PANEL
            low, high = PANEL * (part * panels // parts), PANEL * ((part + 1) * panels // parts)
            _round(frame, forward, s, np.intp(0), N, low, high)
        add_to(job + 16, 1)
    if add_to(job, -1) == 1:
        free(job)


@njit(**options)
def _run(frame):
    words = words_at(frame, 22)
    if words[1]:  # the question which version of the interface this was written for
        words_at(words_at(words[1], 4)[3], 4)[3] = 3 << 32
        return 0
    args, api = words[9], words[2]
    forward = words_at(data(args, 0), 1)[0] >> 32
    T, N, H = size_of(args, 1, 0), size_of(args, 5, 0), size_of(args, 5, 1)
    job = malloc(8 * (JOB + 9))
    request = job + 8 * JOB
    call, state = words_at(request, 5), words_at(job, JOB)
    call[0], call[1], call[2], call[3], call[4] = 32, 0, words[3], request + 32, 1
    threads = call[4] if ask(api, 18, request) else 1
    rounds = T if forward else T + 1
    parts = min(threads, H // PANEL) if N <= FEW and H % PANEL == 0 and H >= WIDE else 0
    if parts < 2:
        parts = 0
        total = min(N, max(threads, (N + BLOCK - 1) // BLOCK))
    else:
        total = parts * rounds
    threads = min(threads, parts if parts else total) if N * H * T > SMALL else 1
    state[0], state[1], state[2], state[3] = threads + 1, 0, 0, total
    state[4], state[5], state[6], state[7] = parts, rounds, forward, frame
    state[8], state[9] = N, H
    for _ in range(threads - 1):
        call[0], call[1], call[2], call[3], call[4] = 40, 0, words[3], task(_work), job
        if not ask(api, 17, request):
            add_to(job, -1)
    _work(job)
    wait(job + 16, total)
    if add_to(job, -1) == 1:
        free(job)
    return 0


def _handler(sources):
    """Return XLA's handler: the loop over time, or back through it, as its first operand says.

    numba keeps it on disk under this file's name and date, and the value of ``sources``: what it calls is in other
    files, of which numba would not notice a change.
    """

    def handle(frame):
        return _run(frame) if sources else 0

    return handle


_digest = hashlib.sha256()
for _path in sorted(Path(__file__).parent.glob("numba_*.py")):
    _digest.update(_path.read_bytes())

loop = cfunc(types.intp(types.intp), cache=True)(_handler(1 + int(_digest.hexdigest()[:12], 16)))
