"""Each handler under its name at XLA, from the library that the package brings along, or compiled here."""

import functools
import logging
import threading
from importlib.util import find_spec
from typing import Any

import jax

from . import shipped
from .kept_on_disk import kept
from .kernels.signatures import Handler
from .processor import lanes

logger = logging.getLogger(__name__)

_LOCK = threading.Lock()
_REGISTERED: set[Handler] = set()


@functools.cache
def are_there() -> bool:
    """Whether the kernels are compiled for this processor, or can be."""
    if shipped.library() is not None or find_spec("numba") is not None:
        return True
    return find_spec("llvmlite") is not None and shipped.has_bitcode()


def registered(handler: Handler) -> str:
    """Return the name under which XLA knows a handler from then on."""
    with _LOCK:
        if handler not in _REGISTERED:
            jax.ffi.register_ffi_target(handler.name, jax.ffi.pycapsule(_function(handler)), platform="cpu")
            _REGISTERED.add(handler)
    return handler.name


def _function(handler: Handler) -> Any:
    library = shipped.library()
    return compiled_here(handler) if library is None else getattr(library, handler.name)


def compiled_here(handler: Handler) -> Any:
    """Return a handler's C function, compiled for this processor or as an earlier process left it."""
    from . import machine_code

    triple, processor, features = machine = machine_code.host()

    def compile_now() -> bytes:
        logger.info("%s is compiled for %s", handler.name, processor)
        bitcode = shipped.bitcode(handler.name) if shipped.has_bitcode() else from_sources(handler)
        return machine_code.object_code(bitcode, triple, processor, features)

    key = " ".join((shipped.digest(), str(lanes()), *machine))
    return machine_code.loaded(kept(handler.name, key, compile_now), handler.name)


def from_sources(handler: Handler) -> bytes:
    """Return the bitcode of a handler, made by numba."""
    from .kernels.handlers import handler_module  # here, since numba takes long to import
    from .machine_code import simplified

    return simplified(handler_module(handler))
