"""What the kernels need of the machine: memory, atomic counters, XLA's call frames and threads.

Addresses are integers; floats are of 32 bits, and places are counted in them. Operands and results have an axis of
members before their own ones: models of a population, or a single one. XLA's structures are read as the 64-bit
words in which xla/ffi/api/c_api.h lays them out (version 0.3).
"""

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

FLOAT = 11  # XLA's number for the type of 32 bits

options = {
    "error_model": "numpy",
    "fastmath": {"contract"},
    "nogil": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


@intrinsic
def pointer(typing, address):
    """Return an address as a pointer."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.intp), generate


@intrinsic
def get(typing, address, k):
    """Return the float at place k from an address."""

    def generate(context, builder, signature, arguments):
        base = builder.inttoptr(arguments[0], ir.FloatType().as_pointer())
        return builder.load(builder.gep(base, [arguments[1]]))

    return types.float32(types.intp, types.intp), generate


@intrinsic
def put(typing, address, k, value):
    """Put a float at place k from an address."""

    def generate(context, builder, signature, arguments):
        base = builder.inttoptr(arguments[0], ir.FloatType().as_pointer())
        builder.store(arguments[2], builder.gep(base, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.float32), generate


@intrinsic
def flag(typing, address, k):
    """Return the byte at place k from an address."""

    def generate(context, builder, signature, arguments):
        base = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        return builder.load(builder.gep(base, [arguments[1]]))

    return types.int8(types.intp, types.intp), generate


@intrinsic
def power_of_two(typing, shifted):
    """Return 2^n of a float whose last bits hold the integer n."""

    def generate(context, builder, signature, arguments):
        word = ir.IntType(32)
        bits = builder.shl(builder.bitcast(arguments[0], word), word(23))
        return builder.bitcast(builder.add(bits, word(0x3F800000)), ir.FloatType())

    return types.float32(types.float32), generate


@intrinsic
def add_to(typing, address, value):
    """Add to a word as one step that no thread can divide, and return what it was."""

    def generate(context, builder, signature, arguments):
        word = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", word, arguments[1], "seq_cst")

    return types.int64(types.intp, types.int64), generate


@intrinsic
def malloc(typing, size):
    """Return the address of so many bytes."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64)])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "malloc"), arguments)

    return types.intp(types.intp), generate


@intrinsic
def give_way(typing):
    """Let another thread have this core."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def free(typing, address):
    """Give memory back."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "free"), arguments)
        return context.get_dummy_value()

    return types.void(types.intp), generate


@intrinsic
def call(typing, function, argument):
    """Call a C function at an address, one pointer in and one out."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64)])
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), [arguments[1]])

    return types.intp(types.intp, types.intp), generate


@intrinsic
def callback(typing, worker):
    """Return the address of a C function that hands its pointer to a compiled worker."""

    def generate(context, builder, signature, arguments):
        dispatcher = signature.args[0].dispatcher
        dispatcher.compile((types.intp,))
        compiled = dispatcher.overloads[(types.intp,)]
        context.add_linking_libs([compiled.library])
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)])
        entry = ir.Function(builder.module, kind, "seqvision_" + compiled.fndesc.mangled_name)
        entry.linkage = "internal"
        inner = ir.IRBuilder(entry.append_basic_block())
        callee = context.declare_function(builder.module, compiled.fndesc)
        context.call_conv.call_function(inner, callee, types.none, (types.intp,), entry.args)
        inner.ret_void()
        return builder.ptrtoint(entry, ir.IntType(64))

    return types.intp(worker), generate


@njit(**options)
def words_at(address, size):
    """Return the words at an address as an array."""
    return carray(pointer(address), (size,), np.int64)


@njit(**options)
def data(buffers, k, member):
    """Return the address of a member's values of operand or result k."""
    buffer = words_at(words_at(buffers, k + 1)[k], 6)
    sizes = words_at(buffer[5], buffer[4])
    stride = 4 if buffer[2] & 0xFF == FLOAT else 1
    for axis in range(1, buffer[4]):
        stride *= sizes[axis]
    return buffer[3] + member * stride


@njit(**options)
def size_of(buffers, k, axis):
    """Return the size of an axis of a member's part of operand or result k."""
    return words_at(words_at(words_at(buffers, k + 1)[k], 6)[5], axis + 2)[axis + 1]


@njit(**options)
def wait(counter, value):
    """Return when a counter has reached a value; whoever is to raise it is at work, or asleep on this core."""
    tries = 0
    while add_to(counter, 0) < value:
        tries += 1
        if tries > 1000:
            give_way()


@njit(**options)
def ask(api, function, request):
    """Call a function of XLA's by its place; say whether it did as asked."""
    error = call(words_at(api, function + 1)[function], request)
    if error:
        refusal = words_at(request + 40, 3)
        refusal[0], refusal[1], refusal[2] = 24, 0, error
        call(words_at(api, 9)[8], request + 40)
    return error == 0
