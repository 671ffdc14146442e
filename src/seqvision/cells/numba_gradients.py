"""The gradients that are sums over all steps, by the same products of tiles; arrays are addresses."""

from numba import njit

from .numba_gates import GRU, ONE, ZERO, copy, fill
from .numba_machine import data, flag, free, malloc, options, put, size_of, words_at
from .numba_product import PANEL, product, product_transposed

CHUNK = 128  # rows that are packed at once: a panel of them stays in a core's first cache


@njit(**options)
def weights(frame, member, first, last):
    """Sum [x, 1, h]^T d over all steps and sequences, for the panels first <= p < last of d's columns.

    Of a GRU's row, n | r | z | h's share of n, the first part has nothing of h, and the last one nothing of x.
    """
    words = words_at(frame, 15)
    args, rets = words[9], words[14]
    kind = words_at(data(args, 0, 0), 1)[0] & 0xFF
    xs, hs, d, h0 = data(args, 1, member), data(args, 2, member), data(args, 3, member), data(args, 4, member)
    reset, fresh_h, out = data(args, 5, member), data(args, 6, member), data(rets, 0, member)
    N, D, H, columns = size_of(args, 1, 1), size_of(args, 1, 2), size_of(args, 2, 2), size_of(args, 3, 2)
    R, K, wide, anew = size_of(args, 1, 0) * N, D + 1 + H, size_of(rets, 0, 1), size_of(args, 5, 0) > 0
    rows = malloc(4 * CHUNK * (K + PANEL))
    panel = rows + 4 * CHUNK * K
    for k in range(K):
        fill(out + 4 * (k * wide + first * PANEL), ZERO, (last - first) * PANEL)
    for start in range(0, R, CHUNK):
        size = min(CHUNK, R - start)
        for k in range(size):
            r, row = start + k, rows + 4 * k * K
            n = r % N
            copy(xs + 4 * r * D, row, D)
            put(row, D, ONE)
            if r < N:
                h = h0 + 4 * n * H
            elif anew and flag(reset, r):
                h = fresh_h + 4 * n * H
            else:
                h = hs + 4 * (r - N) * H
            copy(h, row + 4 * (D + 1), H)
        for p in range(first, last):
            low, full = p * PANEL, min(PANEL, columns - p * PANEL)
            for k in range(size):
                copy(d + 4 * ((start + k) * columns + low), panel + 4 * k * PANEL, full)
                if full < PANEL:
                    fill(panel + 4 * (k * PANEL + full), ZERO, PANEL - full)
            begin = D if kind == GRU and low >= 3 * H else 0
            end = D + 1 if kind == GRU and low + PANEL <= H else K
            to = out + 4 * (begin * wide + low)
            product_transposed(rows + 4 * begin, K, panel, size, to, wide, end - begin)
    free(rows)


@njit(**options)
def inputs(frame, member, first, last):
    """Multiply the rows first <= r < last of d with the transpose of W_x."""
    words = words_at(frame, 15)
    args, rets = words[9], words[14]
    columns, panels, K, wide = size_of(args, 1, 1), size_of(args, 2, 0), size_of(args, 2, 1), size_of(rets, 0, 1)
    to = data(rets, 0, member) + 4 * first * wide
    fill(to, ZERO, (last - first) * wide)
    product(
        data(args, 1, member) + 4 * first * columns, columns, data(args, 2, member), panels, K, to, wide, last - first
    )
