"""A product of a few rows with packed weights, one tile of registers after another.

A tile is TILE rows of two vectors of LANES floats, PANEL columns. Packed, w (K, M) is (panels, K, PANEL): its columns
in panels of PANEL, the last one filled up with zeros.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..processor import lanes
from .intrinsics import after, compiled

LANES = lanes()
TILE = {16: 8, 8: 6}[LANES]  # so that its sums, and what they are made of, fit into 32 registers, or into 16
PANEL = 2 * LANES


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
            undefined = ir.Constant(vector, ir.Undefined)
            first_lane = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            of_three = ir.FunctionType(vector, [vector] * 3)
            fma = cgutils.get_or_insert_function(builder.module, of_three, f"llvm.fma.v{LANES}f32")

            def pointer(base, floats, kind):
                return builder.inttoptr(builder.add(base, builder.mul(floats, word(4))), kind.as_pointer())

            def load(pointer):
                return builder.load(pointer, align=4)

            def in_all_lanes(value):
                return builder.shuffle_vector(
                    builder.insert_element(undefined, value, ir.IntType(32)(0)), undefined, first_lane
                )

            places = [
                pointer(c, builder.add(builder.mul(ldc, word(r)), word(v * LANES)), vector)
                for r in range(rows)
                for v in range(vectors)
            ]
            starts = [load(place) for place in places]
            before, loop = builder.block, builder.append_basic_block("products")
            store = builder.append_basic_block("store")
            builder.branch(loop)
            builder.position_at_end(loop)
            k = builder.phi(word)
            sums = [builder.phi(vector) for _ in places]
            row = builder.mul(k, word(vectors * LANES))
            columns = [load(pointer(b, builder.add(row, word(v * LANES)), vector)) for v in range(vectors)]
            ends = []
            for r in range(rows):
                major, minor = (k, word(r)) if transposed else (word(r), k)
                value = in_all_lanes(load(pointer(a, builder.add(builder.mul(lda, major), minor), one)))
                ends += [builder.call(fma, [value, columns[v], sums[vectors * r + v]]) for v in range(vectors)]
            following = builder.add(k, word(1))
            for phi, start, end in zip([k, *sums], [word(0), *starts], [following, *ends], strict=True):
                phi.add_incoming(start, before)
                phi.add_incoming(end, loop)
            builder.cbranch(builder.icmp_signed("<", following, K), loop, store)
            builder.position_at_end(store)
            for place, end in zip(places, ends, strict=True):
                builder.store(end, place, align=4)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 6), generate

    return tile


def _product(vectors, transposed):
    """Return the function of as many rows as one likes: tile after tile, the last rows by smaller ones."""
    full, four, two, one = (_tile(rows, vectors, transposed) for rows in (TILE, 4, 2, 1))

    @compiled
    def of_rows(a, lda, b, K, c, ldc, rows):
        step = 1 if transposed else lda  # from a row of a to the next
        r = 0
        while rows - r >= TILE:
            full(after(a, r * step), lda, b, K, after(c, r * ldc), ldc)
            r += TILE
        if rows - r >= 4:
            four(after(a, r * step), lda, b, K, after(c, r * ldc), ldc)
            r += 4
        if rows - r >= 2:
            two(after(a, r * step), lda, b, K, after(c, r * ldc), ldc)
            r += 2
        if rows - r >= 1:
            one(after(a, r * step), lda, b, K, after(c, r * ldc), ldc)

    return of_rows


_by_packed = _product(vectors=2, transposed=False)
product_transposed = _product(vectors=2, transposed=True)
_packed_transposed = _product(vectors=1, transposed=True)


@compiled
def product(a, lda, packed, panels, K, c, ldc, rows):
    """c[:rows] += a[:rows, :K] @ w, of which ``packed`` (panels, K, PANEL) are the columns."""
    for p in range(panels):
        _by_packed(a, lda, after(packed, p * K * PANEL), K, after(c, p * PANEL), ldc, rows)


@compiled
def product_by_lanes(packed, b, K, c, columns):
    """c (columns, LANES) += w^T @ b, of which ``packed`` (panels, K, PANEL) are the columns; b is (K, LANES)."""
    for low in range(0, columns, PANEL):
        rows = min(PANEL, columns - low)
        _packed_transposed(after(packed, low * K), PANEL, b, K, after(c, low * LANES), LANES, rows)
