"""The gradients that are sums over all steps, by the same products of tiles; arrays are addresses."""

from .gates import ONE, ZERO
from .intrinsics import after, compiled, copy, fill, flag, free, malloc, put
from .matrix_product import PANEL, TILE, product, product_transposed
from .signatures import InputOperands, InputResults, Kind, WeightOperands, WeightResults, positions
from .xla_ffi import address, operands_of, results_of, size

CHUNK = 128  # rows that are packed at once: a panel of them stays in a core's first cache

WEIGHT_OPERANDS, WEIGHT_RESULTS = positions(WeightOperands), positions(WeightResults)
INPUT_OPERANDS, INPUT_RESULTS = positions(InputOperands), positions(InputResults)


@compiled
def weight_gradients(frame, kind, member, share, shares):
    """Sum [h, 1, x]^T d over all steps and sequences, for the panels p = share, share + shares, … of d's columns.

    Of a GRU's row, n | r | z | h's share of n, the first part has nothing of h, and the last one nothing of x.
    """
    operands, results, takes, gives = operands_of(frame), results_of(frame), WEIGHT_OPERANDS, WEIGHT_RESULTS
    xs, hs = address(operands, takes.xs, member), address(operands, takes.hs, member)
    d, h0 = address(operands, takes.d, member), address(operands, takes.h0, member)
    reset, fresh_h = address(operands, takes.reset, member), address(operands, takes.fresh_h, member)
    sums = address(results, gives.sums, member)
    T, N, D = size(operands, takes.xs, 0), size(operands, takes.xs, 1), size(operands, takes.xs, 2)
    H, columns = size(operands, takes.hs, 2), size(operands, takes.d, 2)
    K, panels, resets = H + 1 + D, size(results, gives.sums, 0), size(operands, takes.reset, 0) > 0
    rows = malloc(4 * CHUNK * (K + TILE + PANEL))
    panel = after(rows, CHUNK * (K + TILE))
    for p in range(share, panels, shares):
        fill(after(sums, p * K * PANEL), ZERO, K * PANEL)
    for start in range(0, T * N, CHUNK):
        length = min(CHUNK, T * N - start)
        for k in range(length):
            r = start + k
            if r < N:
                h = after(h0, r * H)
            elif resets and flag(reset, r):
                h = after(fresh_h, r % N * H)
            else:
                h = after(hs, (r - N) * H)
            _pack(h, rows, k, 0, H)
            put(rows, _place(k, H), ONE)
            _pack(after(xs, r * D), rows, k, H + 1, D)
        for p in range(share, panels, shares):
            low, full = p * PANEL, min(PANEL, columns - p * PANEL)
            for k in range(length):
                copy(after(d, (start + k) * columns + low), after(panel, k * PANEL), full)
                if full < PANEL:
                    fill(after(panel, k * PANEL + full), ZERO, PANEL - full)
            begin = TILE * (H // TILE) if kind == Kind.GRU and low + PANEL <= H else 0
            end = H + 1 if kind == Kind.GRU and low >= 3 * H else K
            for at in range(begin, end, TILE):
                tile, height = after(sums, (p * K + at) * PANEL), min(TILE, end - at)
                product_transposed(after(rows, CHUNK * at), TILE, panel, length, tile, PANEL, height)
    free(rows)


@compiled
def _place(k, column):
    """Return where row k has a column, TILE columns of all rows lying together."""
    return (column // TILE * CHUNK + k) * TILE + column % TILE


@compiled
def _pack(a, rows, k, begin, width):
    """Put a into row k from a column on."""
    u = 0
    while u < width:
        column = begin + u
        part = min(TILE - column % TILE, width - u)
        copy(after(a, u), after(rows, _place(k, column)), part)
        u += part


@compiled
def input_gradients(frame, member, first, last):
    """Multiply the rows first <= r < last of d with the transpose of W_x."""
    operands, results, takes, gives = operands_of(frame), results_of(frame), INPUT_OPERANDS, INPUT_RESULTS
    columns, wide = size(operands, takes.d, 1), size(results, gives.d_xs, 1)
    panels, K = size(operands, takes.w_x_back, 0), size(operands, takes.w_x_back, 1)
    d, w_x_back = address(operands, takes.d, member), address(operands, takes.w_x_back, member)
    d_xs = after(address(results, gives.d_xs, member), first * wide)
    fill(d_xs, ZERO, (last - first) * wide)
    product(after(d, first * columns), columns, w_x_back, panels, K, d_xs, wide, last - first)
