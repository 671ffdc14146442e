"""A product of a few rows with packed weights, one tile of registers after another."""

import llvmlite.binding
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .numba_machine import options

_features = llvmlite.binding.get_host_cpu_features()
LANES, TILE = (16, 8) if _features.get("avx512f") else (8, 6)  # floats of a vector; rows of a tile
PANEL = 2 * LANES  # columns of a tile


def _tile(rows, transposed=False):
    """Return c[:rows, :PANEL] += a[:rows, :K] @ b, with all of c in registers; addresses, and strides in floats.

    Transposed, a is a[:K, :rows]^T.
    """

    @intrinsic
    def tile(typing, a, lda, b, K, c, ldc):
        def generate(context, builder, signature, arguments):
            a, lda, b, K, c, ldc = arguments
            one, word = ir.FloatType(), ir.IntType(64)
            vector = ir.VectorType(one, LANES)
            kind = ir.FunctionType(vector, [vector] * 3)
            fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")

            def at(base, offset, kind):
                return builder.inttoptr(builder.add(base, builder.mul(offset, word(4))), kind.as_pointer())

            def load(pointer):
                return builder.load(pointer, align=4)

            cells = [
                at(c, builder.add(builder.mul(ldc, word(r)), word(half * LANES)), vector)
                for r in range(rows)
                for half in range(2)
            ]
            starts = [load(cell) for cell in cells]
            before, loop = builder.block, builder.append_basic_block("products")
            after = builder.append_basic_block("store")
            builder.branch(loop)
            builder.position_at_end(loop)
            k = builder.phi(word)
            sums = [builder.phi(vector) for _ in cells]
            row = builder.mul(k, word(PANEL))
            columns = [load(at(b, builder.add(row, word(half * LANES)), vector)) for half in range(2)]
            ends = []
            for r in range(rows):
                place = (lda, k, word(r)) if transposed else (lda, word(r), k)
                value = load(at(a, builder.add(builder.mul(place[0], place[1]), place[2]), one))
                single = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
                zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
                spread = builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), zeros)
                ends += [builder.call(fma, [spread, columns[half], sums[2 * r + half]]) for half in range(2)]
            following = builder.add(k, word(1))
            for phi, start, end in zip([k, *sums], [word(0), *starts], [following, *ends], strict=True):
                phi.add_incoming(start, before)
                phi.add_incoming(end, loop)
            builder.cbranch(builder.icmp_signed("<", following, K), loop, after)
            builder.position_at_end(after)
            for cell, end in zip(cells, ends, strict=True):
                builder.store(end, cell, align=4)
            return context.get_dummy_value()

        word = types.intp
        return types.void(word, word, word, word, word, word), generate

    return tile


_tile_full, _tile_4, _tile_2, _tile_1 = (_tile(rows) for rows in (TILE, 4, 2, 1))
_transposed_full, _transposed_4, _transposed_2, _transposed_1 = (_tile(rows, True) for rows in (TILE, 4, 2, 1))


@njit(**options)
def product(a, lda, packed, panels, K, c, ldc, rows):
    """c[:rows] += a[:rows, :K] @ w, of which ``packed`` (panels, K, PANEL) are the columns."""
    for p in range(panels):
        b = packed + 4 * p * K * PANEL
        to = c + 4 * p * PANEL
        r = 0
        while rows - r >= TILE:
            _tile_full(a + 4 * r * lda, lda, b, K, to + 4 * r * ldc, ldc)
            r += TILE
        if rows - r >= 4:
            _tile_4(a + 4 * r * lda, lda, b, K, to + 4 * r * ldc, ldc)
            r += 4
        if rows - r >= 2:
            _tile_2(a + 4 * r * lda, lda, b, K, to + 4 * r * ldc, ldc)
            r += 2
        if rows - r >= 1:
            _tile_1(a + 4 * r * lda, lda, b, K, to + 4 * r * ldc, ldc)


@njit(**options)
def product_transposed(a, lda, b, K, c, ldc, rows):
    """c[:rows, :PANEL] += a[:K, :rows]^T @ b, of which b (K, PANEL) is one panel."""
    r = 0
    while rows - r >= TILE:
        _transposed_full(a + 4 * r, lda, b, K, c + 4 * r * ldc, ldc)
        r += TILE
    if rows - r >= 4:
        _transposed_4(a + 4 * r, lda, b, K, c + 4 * r * ldc, ldc)
        r += 4
    if rows - r >= 2:
        _transposed_2(a + 4 * r, lda, b, K, c + 4 * r * ldc, ldc)
        r += 2
    if rows - r >= 1:
        _transposed_1(a + 4 * r, lda, b, K, c + 4 * r * ldc, ldc)
