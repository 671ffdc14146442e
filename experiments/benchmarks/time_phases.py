"""Where the seconds of a call go: JAX's events, imports, and functions of seqvision by their names.

Kernels are what it takes to have them as machine code, and to import numba and the files of seqvision that use it: of
older commits they compile when they are imported.

Each moment belongs to one phase, the first of `PHASES` that it is part of, so that the phases of a call add up to its
seconds; what is none is "rest". What other threads do beside counts while it lasts.
"""

import builtins
import functools
import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Interval = tuple[float, float]

PHASES = (
    "kernels", "import", "trace", "lower", "compile", "weights", "run", "draw", "judge", "read",
)  # fmt: skip
EVENTS = {
    "/jax/core/compile/jaxpr_trace_duration": "trace",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lower",
    "/jax/core/compile/backend_compile_duration": "compile",
}
FUNCTIONS = {
    ("seqvision.cells.unrolling.numba.targets", "_function"): "kernels",
    ("seqvision.training.fit", "create_state"): "weights",
    ("seqvision.training.fit", "run_chunks"): "run",
    ("seqvision.pipelines.forecasting.run", "load_series"): "read",
    ("seqvision.pipelines.forecasting.run", "naive_forecasts"): "judge",
    ("seqvision.pipelines.forecasting.run", "judge_forecasts"): "judge",
    ("seqvision.pipelines.forecasting.run", "score_validation"): "judge",
    ("seqvision.pipelines.forecasting.run", "write_forecast_report"): "draw",
    ("seqvision.reporting.html.report", "write_report"): "draw",
    ("seqvision.pipelines.forecasting.prediction", "load_again"): "read",
    ("seqvision.pipelines.forecasting.prediction", "_forecasts"): "run",
}


class Watch:
    """Notes when each phase of this process begins and ends."""

    def __init__(self) -> None:
        self.intervals: dict[str, list[Interval]] = {phase: [] for phase in PHASES}
        self.programs = 0  # compiled, or read from the cache
        self.hits = 0  # of the cache
        self._importing = threading.local()
        self._waiting = dict(FUNCTIONS)
        builtins.__import__ = self._heard(builtins.__import__)
        importlib.import_module = self._heard(importlib.import_module)

    def hear_jax(self) -> None:
        """Hear of every program that is traced, lowered and compiled."""
        import jax

        def took(event: str, duration: float, **_: Any) -> None:
            if event in EVENTS:
                now = time.perf_counter()
                self.intervals[EVENTS[event]].append((now - duration, now))
                self.programs += EVENTS[event] == "compile"

        def happened(event: str, **_: Any) -> None:
            self.hits += event == "/jax/compilation_cache/cache_hits"

        jax.monitoring.register_event_duration_secs_listener(took)
        jax.monitoring.register_event_listener(happened)

    def spent(self, begin: float, end: float) -> dict[str, float]:
        """Return the seconds of each phase between two times, and of the rest."""
        taken: list[Interval] = []
        seconds = {}
        for phase in PHASES:
            own = [(max(a, begin), min(b, end)) for a, b in self.intervals[phase] if a < end and b > begin]
            together = union([*taken, *own])
            seconds[phase] = length(together) - length(taken)
            taken = together
        return {**seconds, "rest": end - begin - length(taken)}

    def _heard(self, load: Callable) -> Callable:
        @functools.wraps(load)
        def imported(name: str, *args: Any, **options: Any) -> Any:
            given = args[0] if args and isinstance(args[0], dict) else {}  # what the importing file knows
            phase = "kernels" if _of_numba(name, str(given.get("__package__"))) else "import"
            if getattr(self._importing, phase, False):
                return load(name, *args, **options)
            setattr(self._importing, phase, True)
            begin = time.perf_counter()
            try:
                return load(name, *args, **options)
            finally:
                setattr(self._importing, phase, False)
                end = time.perf_counter()
                if end - begin > 1e-4:
                    self.intervals[phase].append((begin, end))
                    self._hear_functions()

        return imported

    def _hear_functions(self) -> None:
        for module, name in list(self._waiting):
            found = vars(sys.modules.get(module, object)).get(name)
            if found is not None:
                setattr(sys.modules[module], name, self._timed(found, self._waiting.pop((module, name))))

    def _timed(self, function: Callable, phase: str) -> Callable:
        @functools.wraps(function)
        def timed(*args: Any, **options: Any) -> Any:
            begin = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                self.intervals[phase].append((begin, time.perf_counter()))

        return timed


def _of_numba(name: str, package: str) -> bool:
    return name.split(".")[0] in ("numba", "llvmlite") or ".unrolling.numba" in f"{package}.{name}"


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return what intervals cover, as intervals without overlap.

    >>> union([(3, 4), (0, 2), (1, 2.5)])
    [(0, 2.5), (3, 4)]
    """
    found: list[Interval] = []
    for begin, end in sorted(intervals):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def length(intervals: Sequence[Interval]) -> float:
    """Return the length of intervals without overlap."""
    return sum(end - begin for begin, end in intervals)
