"""What the kernels need of the machine: memory at addresses, counters that threads share, calls of C functions.

Addresses are integers, floats have 32 bits and words 64, and the k-th one is counted from an address.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .lowering import compiled


@intrinsic
def get(typing, address, k):
    """Return the k-th float at an address."""

    def generate(context, builder, signature, arguments):
        base = builder.inttoptr(arguments[0], ir.FloatType().as_pointer())
        return builder.load(builder.gep(base, [arguments[1]]))

    return types.float32(types.intp, types.intp), generate


@intrinsic
def put(typing, address, k, value):
    """Set the k-th float at an address."""

    def generate(context, builder, signature, arguments):
        base = builder.inttoptr(arguments[0], ir.FloatType().as_pointer())
        builder.store(arguments[2], builder.gep(base, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.float32), generate


@intrinsic
def flag(typing, address, k):
    """Return the k-th byte at an address."""

    def generate(context, builder, signature, arguments):
        base = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        return builder.load(builder.gep(base, [arguments[1]]))

    return types.int8(types.intp, types.intp), generate


@intrinsic
def get_word(typing, address, k):
    """Return the k-th word at an address."""

    def generate(context, builder, signature, arguments):
        base = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(builder.gep(base, [arguments[1]]))

    return types.int64(types.intp, types.intp), generate


@intrinsic
def put_word(typing, address, k, value):
    """Set the k-th word at an address."""

    def generate(context, builder, signature, arguments):
        base = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        builder.store(arguments[2], builder.gep(base, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.int64), generate


@intrinsic
def power_of_two(typing, shifted):
    """Return 2^n of a float whose last bits hold the integer n."""

    def generate(context, builder, signature, arguments):
        word = ir.IntType(32)
        bits = builder.shl(builder.bitcast(arguments[0], word), word(23))
        return builder.bitcast(builder.add(bits, word(0x3F800000)), ir.FloatType())

    return types.float32(types.float32), generate


@intrinsic
def add_to(typing, address, k, value):
    """Add to the k-th word at an address as one step that no thread can divide, and return what it was."""

    def generate(context, builder, signature, arguments):
        base = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", builder.gep(base, [arguments[1]]), arguments[2], "seq_cst")

    return types.int64(types.intp, types.intp, types.int64), generate


@intrinsic
def malloc(typing, size):
    """Return the address of so many bytes."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64)])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "malloc"), arguments)

    return types.intp(types.intp), generate


@intrinsic
def free(typing, address):
    """Give memory back."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "free"), arguments)
        return context.get_dummy_value()

    return types.void(types.intp), generate


@intrinsic
def give_way(typing):
    """Let another thread have this core."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), generate


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


@compiled
def wait(address, k, value):
    """Return when a counter has reached a value; whoever is to raise it is at work, or asleep on this core."""
    tries = 0
    while add_to(address, k, 0) < value:
        tries += 1
        if tries > 1000:
            give_way()


@compiled
def after(address, floats):
    """Return the address that so many floats further begins."""
    return address + 4 * floats


@compiled
def copy(a, b, size):
    """Put a's floats into b."""
    for u in range(size):
        put(b, u, get(a, u))


@compiled
def fill(a, value, size):
    """Put one value everywhere."""
    for u in range(size):
        put(a, u, value)
