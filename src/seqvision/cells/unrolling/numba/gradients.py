"""The gradients that are sums over all steps, by the same products of tiles; arrays are addresses."""

from numba import njit

from .frames import kind_of
from .gates import GRU, ONE, ZERO, copy, fill
from .machine import data, flag, free, malloc, options, put, size_of, words_at
from .product import PANEL, TILE, product, product_transposed

CHUNK = 128  # rows that are packed at once: a panel of them stays in a core's first cache


@njit(**options)
def weights(frame, member, share, shares):
    """Sum [h, 1, x]^T d over all steps and sequences, for the panels p = share, share + shares, … of d's columns.

    Of a GRU's row, n | r | z | h's share of n, the first part has nothing of h, and the last one nothing of x.
    """
    words = words_at(frame, 15)
    args, rets = words[9], words[14]
    kind = kind_of(frame)
    xs, hs, d, h0 = data(args, 1, member), data(args, 2, member), data(args, 3, member), data(args, 4, member)
    reset, fresh_h, out = data(args, 5, member), data(args, 6, member), data(rets, 0, member)
    N, D, H, columns = size_of(args, 1, 1), size_of(args, 1, 2), size_of(args, 2, 2), size_of(args, 3, 2)
    R, K, panels, anew = size_of(args, 1, 0) * N, H + 1 + D, size_of(rets, 0, 0), size_of(args, 5, 0) > 0
    rows = malloc(4 * CHUNK * (K + TILE + PANEL))
    panel = rows + 4 * CHUNK * (K + TILE)
    for p in range(share, panels, shares):
        fill(out + 4 * p * K * PANEL, ZERO, K * PANEL)
    for start in range(0, R, CHUNK):
        size = min(CHUNK, R - start)
        for k in range(size):
            r = start + k
            if r < N:
                h = h0 + 4 * r * H
            elif anew and flag(reset, r):
                h = fresh_h + 4 * (r % N) * H
            else:
                h = hs + 4 * (r - N) * H
            _tiles(h, rows, k, 0, H)
            put(rows, _place(k, H), ONE)
            _tiles(xs + 4 * r * D, rows, k, H + 1, D)
        for p in range(share, panels, shares):
            low, full = p * PANEL, min(PANEL, columns - p * PANEL)
            for k in range(size):
                copy(d + 4 * ((start + k) * columns + low), panel + 4 * k * PANEL, full)
                if full < PANEL:
                    fill(panel + 4 * (k * PANEL + full), ZERO, PANEL - full)
            begin = TILE * (H // TILE) if kind == GRU and low + PANEL <= H else 0
            end = H + 1 if kind == GRU and low >= 3 * H else K
            for at in range(begin, end, TILE):
                to = out + 4 * (p * K + at) * PANEL
                product_transposed(rows + 4 * CHUNK * at, TILE, panel, size, to, PANEL, min(TILE, end - at))
    free(rows)


@njit(**options)
def _place(k, column):
    """Return where row k has a column, TILE columns of all rows lying together."""
    return (column // TILE * CHUNK + k) * TILE + column % TILE


@njit(**options)
def _tiles(a, rows, k, begin, size):
    """Put a into row k from a column on."""
    u = 0
    while u < size:
        column = begin + u
        part = min(TILE - column % TILE, size - u)
        copy(a + 4 * u, rows + 4 * _place(k, column), part)
        u += part


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
