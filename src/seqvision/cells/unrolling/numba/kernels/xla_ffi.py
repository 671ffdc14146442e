"""XLA's side of a call: the parts of its C structures that the kernels read, and the functions that it offers them.

The structures are those of xla/ffi/api/c_api.h, under its names; a member's number counts 64-bit words from the start
of its structure. jaxlib ships the header, and a test compares it.
"""

from typing import NamedTuple

from .intrinsics import call, compiled, free, get_word, malloc, put_word

MAJOR, MINOR = 0, 3  # XLA_FFI_API_MAJOR and XLA_FFI_API_MINOR of the header that this was written for
FLOAT32 = 11  # XLA_FFI_DataType_F32


class CallFrame(NamedTuple):
    """XLA_FFI_CallFrame: what XLA calls a handler with."""

    extension_start: int = 1
    api: int = 2
    ctx: int = 3
    args: int = 5  # all of an XLA_FFI_Args
    rets: int = 10  # all of an XLA_FFI_Rets


class Args(NamedTuple):
    """XLA_FFI_Args: the operands."""

    args: int = 4


class Rets(NamedTuple):
    """XLA_FFI_Rets: the results."""

    rets: int = 4


class Buffer(NamedTuple):
    """XLA_FFI_Buffer: one of them."""

    dtype: int = 2
    data: int = 3
    rank: int = 4
    dims: int = 5


class MetadataExtension(NamedTuple):
    """XLA_FFI_Metadata_Extension: hangs at the frame where XLA asks what the handler is."""

    metadata: int = 3


class Metadata(NamedTuple):
    """XLA_FFI_Metadata: the answer."""

    api_version: int = 1  # all of an XLA_FFI_Api_Version


class ApiVersion(NamedTuple):
    """XLA_FFI_Api_Version: the version that the handler was written for."""

    major_version: int = 2  # the lower half of the word, the upper one being minor_version


class Api(NamedTuple):
    """XLA_FFI_Api: addresses of XLA's functions."""

    XLA_FFI_Error_Destroy: int = 8
    XLA_FFI_ThreadPool_Schedule: int = 17
    XLA_FFI_ThreadPool_NumThreads: int = 18


class ErrorDestroy(NamedTuple):
    """XLA_FFI_Error_Destroy_Args."""

    struct_size: int = 0
    extension_start: int = 1
    error: int = 2


class Schedule(NamedTuple):
    """XLA_FFI_ThreadPool_Schedule_Args."""

    struct_size: int = 0
    extension_start: int = 1
    ctx: int = 2
    task: int = 3
    data: int = 4


class NumThreads(NamedTuple):
    """XLA_FFI_ThreadPool_NumThreads_Args."""

    struct_size: int = 0
    extension_start: int = 1
    ctx: int = 2
    num_threads: int = 3  # the address of the answer


CALL_FRAME, ARGS, RETS, BUFFER = CallFrame(), Args(), Rets(), Buffer()
METADATA_EXTENSION, METADATA, API_VERSION = MetadataExtension(), Metadata(), ApiVersion()
API, ERROR_DESTROY, SCHEDULE, NUM_THREADS = Api(), ErrorDestroy(), Schedule(), NumThreads()

LAYOUT = {
    "XLA_FFI_CallFrame": CALL_FRAME,
    "XLA_FFI_Args": ARGS,
    "XLA_FFI_Rets": RETS,
    "XLA_FFI_Buffer": BUFFER,
    "XLA_FFI_Metadata_Extension": METADATA_EXTENSION,
    "XLA_FFI_Metadata": METADATA,
    "XLA_FFI_Api_Version": API_VERSION,
    "XLA_FFI_Api": API,
    "XLA_FFI_Error_Destroy_Args": ERROR_DESTROY,
    "XLA_FFI_ThreadPool_Schedule_Args": SCHEDULE,
    "XLA_FFI_ThreadPool_NumThreads_Args": NUM_THREADS,
}


@compiled
def asks_for_version(frame):
    """Whether XLA does not call, but asks which version of the interface the handler was written for; answer it."""
    extension = get_word(frame, CALL_FRAME.extension_start)
    if extension:
        metadata = get_word(extension, METADATA_EXTENSION.metadata)
        put_word(metadata, METADATA.api_version + API_VERSION.major_version, MAJOR + (MINOR << 32))
    return extension != 0


@compiled
def operands_of(frame):
    """Return where the operands' buffers are."""
    return get_word(frame, CALL_FRAME.args + ARGS.args)


@compiled
def results_of(frame):
    """Return where the results' buffers are."""
    return get_word(frame, CALL_FRAME.rets + RETS.rets)


@compiled
def address(buffers, position, member):
    """Return the address of a member's values of an operand or result: floats, or else bytes."""
    buffer = get_word(buffers, position)
    dims = get_word(buffer, BUFFER.dims)
    stride = 4 if get_word(buffer, BUFFER.dtype) & 0xFFFFFFFF == FLOAT32 else 1
    for axis in range(1, get_word(buffer, BUFFER.rank)):
        stride *= get_word(dims, axis)
    return get_word(buffer, BUFFER.data) + member * stride


@compiled
def size(buffers, position, axis):
    """Return the size of an axis of a member's part of an operand or result."""
    return get_word(get_word(get_word(buffers, position), BUFFER.dims), axis + 1)


@compiled
def members_of(frame):
    """Return how many models there are: the first axis of every operand counts them."""
    return get_word(get_word(get_word(operands_of(frame), 0), BUFFER.dims), 0)


@compiled
def number_of_threads(frame):
    """Return how many threads XLA computes with."""
    request = malloc(8 * (len(NUM_THREADS) + 1))
    answer = request + 8 * len(NUM_THREADS)
    put_word(answer, 0, 1)
    put_word(request, NUM_THREADS.struct_size, 8 * len(NUM_THREADS))
    put_word(request, NUM_THREADS.extension_start, 0)
    put_word(request, NUM_THREADS.ctx, get_word(frame, CALL_FRAME.ctx))
    put_word(request, NUM_THREADS.num_threads, answer)
    done = _ask(frame, API.XLA_FFI_ThreadPool_NumThreads, request)
    threads = get_word(answer, 0) if done else 1
    free(request)
    return threads


@compiled
def schedule(frame, task, data):
    """Have one of XLA's threads call a C function with an address; say whether it will."""
    request = malloc(8 * len(SCHEDULE))
    put_word(request, SCHEDULE.struct_size, 8 * len(SCHEDULE))
    put_word(request, SCHEDULE.extension_start, 0)
    put_word(request, SCHEDULE.ctx, get_word(frame, CALL_FRAME.ctx))
    put_word(request, SCHEDULE.task, task)
    put_word(request, SCHEDULE.data, data)
    done = _ask(frame, API.XLA_FFI_ThreadPool_Schedule, request)
    free(request)
    return done


@compiled
def _ask(frame, function, request):
    """Call a function of XLA's; say whether it did as asked."""
    api = get_word(frame, CALL_FRAME.api)
    error = call(get_word(api, function), request)
    if error:
        refusal = malloc(8 * len(ERROR_DESTROY))
        put_word(refusal, ERROR_DESTROY.struct_size, 8 * len(ERROR_DESTROY))
        put_word(refusal, ERROR_DESTROY.extension_start, 0)
        put_word(refusal, ERROR_DESTROY.error, error)
        call(get_word(api, API.XLA_FFI_Error_Destroy), refusal)
        free(refusal)
    return error == 0
