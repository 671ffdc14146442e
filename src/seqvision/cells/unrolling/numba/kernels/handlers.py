"""What XLA calls, in LLVM's language.

A program of XLA runs a loop step by step: a few small kernels and one product each, which reads W_h anew and, for few
rows, uses one core. Sequences do not depend on each other, so here each core takes some of them through all of time:
W_h is packed once into panels of the width that a core's registers hold, states stay in its cache, and what is left of
a step is the product of one tile after another and the gates. Where the sequences are few and the layer is wide, each
core takes some of the units instead, and waits for the others in each step. Where the layer is narrow, the sequences
fill a core's vectors instead of the units.
"""

import llvmlite.binding as llvm

from .intrinsics import compiled
from .lowering import module_of
from .signatures import Handler
from .work_sharing import run_call_of
from .xla_ffi import asks_for_version


def handler_module(handler: Handler) -> llvm.ModuleRef:
    """Return the module of one handler, a C function of its name."""
    run_call = run_call_of(handler)

    @compiled
    def handle(frame):
        if not asks_for_version(frame):
            run_call(frame)

    return module_of(handle, handler.name)
