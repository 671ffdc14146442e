"""From LLVM's language to that of a processor, by llvmlite alone: numba takes long to import and has no part in it.

A kernel is simplified once, where it is written for all, and made faster for a processor after that, which takes half
of the time: with loops over units as vectors, but not unrolled, which takes a quarter less to compile.
"""

import ctypes
import functools
from typing import Any

import llvmlite.binding as llvm


@functools.cache
def _begin() -> None:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()


def host() -> tuple[str, str, str]:
    """Return the triple of this machine, its processor and what that has, as LLVM names them."""
    _begin()
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def _machine(triple: str, processor: str, features: str) -> Any:
    _begin()
    target = llvm.Target.from_triple(triple)
    return target.create_target_machine(processor, features, opt=3, reloc="pic", codemodel="default")


def _optimize(module: Any, machine: Any, vectors: bool) -> None:
    options = llvm.PipelineTuningOptions(speed_level=2)
    options.loop_vectorization, options.loop_interleaving = vectors, vectors
    options.slp_vectorization, options.loop_unrolling = False, False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)


def simplified(module: Any) -> bytes:
    """Return the bitcode of a module without what no processor needs."""
    _optimize(module, _machine(module.triple, "", ""), vectors=False)
    return module.as_bitcode()


def object_code(bitcode: bytes, triple: str, processor: str, features: str = "") -> bytes:
    """Return the object file of `simplified` bitcode.

    Raises:
      RuntimeError: if this LLVM cannot read it.
    """
    module, machine = llvm.parse_bitcode(bitcode), _machine(triple, processor, features)
    module.triple, module.data_layout = triple, str(machine.target_data)
    _optimize(module, machine, vectors=True)
    return machine.emit_object(module)


_ENGINES: list[Any] = []  # they own the memory of what was loaded


def loaded(code: bytes, name: str) -> Any:
    """Return the C function of that name, from an object file."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine(*host()))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _ENGINES.append(engine)
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(engine.get_function_address(name))
