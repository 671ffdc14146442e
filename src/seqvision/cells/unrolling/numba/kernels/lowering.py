"""From the kernels to LLVM's language by numba; what follows is in `seqvision.cells.unrolling.numba.machine_code`.

numba would optimize and load each function for itself, and again in each that calls it; here all of a handler become
one module, that is optimized once. Whoever runs the kernels has no need of numba.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from numba import types
from numba.core import codegen, cpu, fastmathpass, registry, target_extension
from numba.core.compiler_lock import global_compiler_lock
from numba.core.utils import threadsafe_cached_property

NAME = "seqvision"  # of the target
# Kernels call each other alone and hold no Python object; they divide as the processor does, and may fuse a product
# with a sum.
OPTIONS = {
    "nopython": True,
    "error_model": "numpy",
    "fastmath": {"contract"},
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


class _Library(codegen.AOTCodeLibrary):
    """A function's module as numba writes it, and those of the functions that it calls."""

    def _optimize_functions(self, ll_module):
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self):
        self._finalized = True

    def everything(self, seen: dict["_Library", None]) -> dict["_Library", None]:
        """Return the libraries in their order, this one and all that it needs."""
        if self not in seen:
            seen[self] = None
            for library in self._linking_libraries:
                library.everything(seen)
        return seen


class _Codegen(codegen.AOTCPUCodegen):
    _library_class = _Library


class _Context(cpu.CPUContext):
    @global_compiler_lock
    def init(self):
        self.is32bit = False
        self._internal_codegen = _Codegen(NAME)

    def load_additional_registries(self):
        from numba.core import optional  # noqa: F401
        from numba.cpython import builtins, enumimpl, numbers, rangeobj, tupleobj  # noqa: F401
        from numba.np import npyimpl

        self.install_registry(npyimpl.registry)

    def post_lowering(self, mod, library):
        fastmathpass.rewrite_module(mod, self.fastmath)

    def get_executable(self, library, fndesc, env):
        return object()  # by which numba finds the function again


class _Target(registry.CPUTarget):
    @threadsafe_cached_property
    def _toplevel_target_context(self):
        return _Context(self.typing_context, self._target_name)


class _Dispatcher(registry.CPUDispatcher):
    targetdescr = _Target(NAME)

    def add_overload(self, cres):
        self.overloads[tuple(cres.signature.args)] = cres


class _CPU(target_extension.CPU):
    """Marks what is compiled here."""


def compiled(function: Callable) -> Any:
    """Return a function that others may call which are compiled, too."""
    return _Dispatcher(function, targetoptions=dict(OPTIONS))


def _jit(*functions, **options):
    return compiled(*functions) if functions else compiled


target_extension.target_registry[NAME] = _CPU
target_extension.dispatcher_registry[_CPU] = _Dispatcher
target_extension.jit_registry[_CPU] = _jit


def module_of(function: Any, name: str) -> llvm.ModuleRef:
    """Return a module that defines a C function of one pointer, and all that it calls; it returns 0.

    Args:
      function: a `compiled` one of an address, which returns nothing.
      name: of the C function.
    """
    signature = (types.intp,)
    with target_extension.target_override(NAME):
        function.compile(signature)
    made = function.overloads[signature]
    inner = made.fndesc.llvm_func_name
    module = llvm.parse_assembly(f"""
        declare i32 @"{inner}"(ptr, ptr, i64)
        define i64 @{name}(i64 %frame) {{
          %result = alloca i64
          %error = alloca ptr
          %status = call i32 @"{inner}"(ptr %result, ptr %error, i64 %frame)
          ret i64 0
        }}""")
    module.data_layout = made.library._codegen._data_layout
    module.triple = llvm.get_process_triple()
    for library in made.library.everything({}):
        module.link_in(library._final_module, preserve=True)
    for defined in module.functions:
        if not defined.is_declaration and defined.name != name:
            defined.linkage = "internal"
    for variable in module.global_variables:
        if not variable.is_declaration or variable.linkage == llvm.Linkage.common:
            variable.linkage = "internal"
    module.verify()
    return module
