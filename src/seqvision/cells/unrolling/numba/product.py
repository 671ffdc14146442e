"""A product of a few rows with packed weights, one tile of registers after another."""

import llvmlite.binding
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .machine import options

_features = llvmlite.binding.get_host_cpu_features()
LANES, TILE = (16, 8) if _features.get("avx512f") else (8, 6)  # floats of a vector; rows of a tile
PANEL = 2 * LANES  # columns of a tile


def _tile(rows, vectors, transposed):
    """Return c[:rows, :M] += a[:rows, :K] @ b, with all of c in registers; addresses, and strides in floats.

    M is so many vectors, and b is (K, M). Transposed, a is a[:K, :rows]^T.
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
                at(c, builder.add(builder.mul(ldc, word(r)), word(v * LANES)), vector)
                for r in range(rows)
                for v in range(vectors)
            ]
            starts = [load(cell) for cell in cells]
            before, loop = builder.block, builder.append_basic_block("products")
            after = builder.append_basic_block("store")
            builder.branch(loop)
            builder.position_at_end(loop)
            k = builder.phi(word)
            sums = [builder.phi(vector) for _ in cells]
            row = builder.mul(k, word(vectors * LANES))
            columns = [load(at(b, builder.add(row, word(v * LANES)), vector)) for v in range(vectors)]
            ends = []
            for r in range(rows):
                place = (lda, k, word(r)) if transposed else (lda, word(r), k)
                value = load(at(a, builder.add(builder.mul(place[0], place[1]), place[2]), one))
                single = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
                zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
                spread = builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), zeros)
                ends += [builder.call(fma, [spread, columns[v], sums[vectors * r + v]]) for v in range(vectors)]
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


def _product(vectors, transposed):
    """Return the function of as many rows as one likes: tile after tile, the last rows by smaller ones."""
    full, four, two, one = (_tile(rows, vectors, transposed) for rows in (TILE, 4, 2, 1))

    @njit(**options)
    def of_rows(a, lda, b, K, c, ldc, rows):
        stride = 4 if transposed else 4 * lda  # bytes from a row of a to the next
        r = 0
        while rows - r >= TILE:
            full(a + r * stride, lda, b, K, c + 4 * r * ldc, ldc)
            r += TILE
        if rows - r >= 4:
            four(a + r * stride, lda, b, K, c + 4 * r * ldc, ldc)
            r += 4
        if rows - r >= 2:
            two(a + r * stride, lda, b, K, c + 4 * r * ldc, ldc)
            r += 2
        if rows - r >= 1:
            one(a + r * stride, lda, b, K, c + 4 * r * ldc, ldc)

    return of_rows


_wide, product_transposed, _narrow = _product(2, False), _product(2, True), _product(1, True)


@njit(**options)
def product(a, lda, packed, panels, K, c, ldc, rows):
    """c[:rows] += a[:rows, :K] @ w, of which ``packed`` (panels, K, PANEL) are the columns."""
    for p in range(panels):
        _wide(a, lda, packed + 4 * p * K * PANEL, K, c + 4 * p * PANEL, ldc, rows)


@njit(**options)
def product_narrow(packed, b, K, c, columns):
    """c (columns, LANES) += w^T @ b, of which ``packed`` (panels, K, PANEL) are the columns; b is (K, LANES)."""
    for low in range(0, columns, PANEL):
        _narrow(packed + 4 * low * K, PANEL, b, K, c + 4 * low * LANES, LANES, min(PANEL, columns - low))
