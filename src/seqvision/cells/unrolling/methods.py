"""The one table of the ways in which `unroll` can execute a cell, and the choice among them.

Errors, "auto" and the table in the README are made from it, and the tests try each entry as it is written here.
"""

import sys
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

import jax
from jax import Array

from seqvision._checks import check_choice

from ..base import PyTree
from . import associative, fused, newton, scan
from .gpu import cudnn, pallas
from .numba import method as numba
from .problem import Problem

Method = Literal["auto", "numba", "fused", "associative", "scan", "newton", "pallas", "cudnn"]
Remat = Literal["none", "gates", "sqrt"]
OVER_DEVICES = ("shard_map", "split batches")  # with check_vma; a batch that lies on several devices stays there
EVERY_TRANSFORMATION = ("grad", "jvp", "vmap", "second derivatives", "jax.export", *OVER_DEVICES)


class Execution(NamedTuple):
    """How one method executes an unrolling, and what it takes."""

    run: Callable[[Any, Problem, str], tuple[PyTree, Array]]
    how: str
    is_supported: Callable[[Any, Problem], bool]  # whether it runs the cell
    cells: str  # the same in words
    is_worthwhile: Callable[[Any], bool]  # whether "auto" takes it for a cell that it runs
    remat: tuple[str, ...] = ("none",)
    is_available: Callable[[], bool] = lambda: True
    where: str = "anywhere"  # the same in words
    dtype: str | None = None  # the only type that it computes in; None: any
    flags: bool = True  # whether it takes mask and reset
    transformations: tuple[str, ...] = EVERY_TRANSFORMATION


METHODS: dict[str, Execution] = {  # "auto" is the first that can run and is worthwhile
    "numba": Execution(
        numba.unroll_by_numba,
        "one compiled kernel that takes each core's sequences through time, W_h packed once, a population in one call; "
        "it comes compiled for Linux on x86-64 with AVX2 or AVX-512, elsewhere llvmlite compiles what a layer needs, "
        "once on a machine, in about 3 seconds; `jax.export` keeps a scan in its place",
        numba.is_supported,
        "`Elman`, `LSTM`, `GRU` (reset after), without compute_dtype",
        numba.is_worthwhile,
        remat=("none", "sqrt"),
        is_available=numba.is_available,
        where="a CPU under Linux or macOS; llvmlite where it does not come compiled",
        dtype="float32",
    ),
    "fused": Execution(
        fused.unroll_fused,
        "a loop whose backward pass is written by hand: one matrix product a step (two for the GRU that resets "
        "before), all weight gradients after the loop",
        fused.is_supported,
        "`Elman`, `LSTM`, `GRU`",
        lambda cell: True,
        remat=get_args(Remat),
    ),
    "associative": Execution(
        associative.unroll_associative,
        "all steps in parallel, as a tree",
        associative.is_supported,
        "cells linear in their state: `MinGRU`, `MinLSTM`, `LRU`, your own with `linear` and `readout`",
        lambda cell: jax.default_backend() != "cpu",
    ),
    "scan": Execution(
        scan.unroll_by_scan,
        "`lax.scan` over the cell's step",
        lambda cell, problem: True,
        "every cell",
        lambda cell: True,
        remat=get_args(Remat),
    ),
    "newton": Execution(
        newton.unroll_by_newton,
        "all steps in parallel, by iteration; `newton_unroll` also says how it converged",
        newton.is_supported,
        "cells whose state is a few real numbers, in vectors",
        lambda cell: False,
    ),
    "pallas": Execution(
        pallas.unroll_by_pallas,
        "one GPU kernel that keeps W_h on the chip; elsewhere interpreted, slowly",
        pallas.is_supported,
        "`Elman`, `LSTM`, `GRU` (reset after) of 16, 32, 64 … units",
        lambda cell: False,
        transformations=("grad", "jvp", "vmap", "jax.export"),
    ),
    "cudnn": Execution(
        cudnn.unroll_by_cudnn,
        "NVIDIA's kernels, in float32 whatever is given",
        cudnn.is_supported,
        "`LSTM` without compute_dtype",
        lambda cell: False,
        is_available=cudnn.is_available,
        where="an NVIDIA GPU",
        flags=False,
        transformations=("grad",),
    ),
}


def available_methods() -> tuple[str, ...]:
    """Return the methods of `seqvision.cells.unroll` that there are on this machine and device; each has its cells.

    >>> "scan" in available_methods()
    True
    """
    return tuple(name for name, how in METHODS.items() if how.is_available())


def choose(cell: Any, problem: Problem, method: str, remat: str) -> Execution:
    """Return how to execute an unrolling, or refuse it with the reason and with what would do."""
    check_choice("method", method, get_args(Method), owner="unroll")
    check_choice("remat", remat, get_args(Remat), owner="unroll")
    if method == "auto":
        return METHODS[_best(cell, problem, remat)]
    reason = _reason_against(METHODS[method], cell, problem, remat)
    if reason is not None:
        best = _best(cell, problem, remat)
        raise ValueError(f'unroll: method="{method}" {reason}: use method="{best}" or "auto"')
    return METHODS[method]


def _best(cell: Any, problem: Problem, remat: str) -> str:
    able = (name for name, how in METHODS.items() if _reason_against(how, cell, problem, remat) is None)
    return next(name for name in able if METHODS[name].is_worthwhile(cell))


def _reason_against(how: Execution, cell: Any, problem: Problem, remat: str) -> str | None:
    if not how.is_supported(cell, problem):
        return f"does not know {cell!r}, it runs {how.cells.replace('`', '')}"
    if remat not in how.remat:
        return f"does not know remat={remat!r}, only {', '.join(map(repr, how.remat))}"
    if not how.is_available():
        return f"needs {how.where}, got {jax.default_backend()} on {sys.platform}"
    if how.dtype is not None and problem.dtype != how.dtype:
        return f"computes in {how.dtype}, got {problem.dtype}"
    if not how.flags and not (problem.mask is None and problem.reset is None):
        return "knows neither mask nor reset"
    return None


def table() -> str:
    """Return the methods as a table in Markdown, for the README.

    >>> print(table().splitlines()[0])
    | `method=` | | cells | `remat=` | needs | transformations |
    """
    lines = ["| `method=` | | cells | `remat=` | needs | transformations |", "|---|---|---|---|---|---|"]
    for name, how in METHODS.items():
        needs = "" if how.where == "anywhere" else how.where
        needs += "" if how.dtype is None else f"; {how.dtype}"
        needs += "" if how.flags else "; no mask, no reset"
        every = how.transformations == EVERY_TRANSFORMATION
        cells = (
            f'`"{name}"`',
            how.how,
            how.cells,
            ", ".join(f'`"{form}"`' for form in how.remat if form != "none"),
            needs,
            "all" if every else ", ".join(how.transformations),
        )
        lines.append("|" + "|".join(f" {text} " if text else " " for text in cells) + "|")
    lines.append('| `"auto"` | the first of these that can run and is worthwhile | | | | |')
    return "\n".join(lines)
