"""What a run is at, and for how long: phases such as reading, compiling and training, told when done and summed up."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

logger = logging.getLogger("seqvision.phases")


@dataclass
class Phase:
    """One phase while it lasts."""

    name: str
    of: str
    begun: float  # by the clock of its run
    told: bool = True  # whether there is a line of it when it is done
    then: tuple[str, str] | None = None  # name and what of the phase that its block may go on to
    inner: float = 0.0  # seconds of phases within it, which are theirs
    how_far: str = ""
    by_bar: bool = False  # whether a bar shows how far it is

    @property
    def label(self) -> str:
        """What it is called on stderr."""
        return f"{self.name} {self.of}".rstrip()


@dataclass
class Phases:
    """The phases of a run; the seconds of each are its own, without those of phases within it."""

    clock: Callable[[], float]
    begun: float
    seconds: dict[str, float] = field(default_factory=dict)  # by name
    open: list[Phase] = field(default_factory=list)  # the innermost last
    held: list[str] | None = field(default_factory=list)  # lines until it is clear that the input will do

    def begin(self, name: str, of: str, told: bool = True, then: tuple[str, str] | None = None) -> Phase:
        """Begin a phase within those that are open."""
        if self.held and name != "reading":
            self.release()
        self.open.append(Phase(name, of, self.clock(), told, then))
        return self.open[-1]

    def end(self, well: bool) -> None:
        """End the innermost phase, and tell its seconds if it ended well."""
        phase = self.open.pop()
        whole = self.clock() - phase.begun
        own = whole - phase.inner
        if self.open:
            self.open[-1].inner += whole
        self.seconds[phase.name] = self.seconds.get(phase.name, 0.0) + own
        if well and phase.told:
            self._say(f"{phase.label}: {in_seconds(own)} s")

    def release(self) -> None:
        """Say what was held back: of input that is refused after it was read, the error is the only line."""
        held, self.held = self.held or [], None
        for line in held:
            logger.info(line)

    def _say(self, line: str) -> None:
        if self.held is None:
            logger.info(line)
        else:
            self.held.append(line)

    def text(self) -> str:
        """Return the line at the end of a run."""
        whole = self.clock() - self.begun
        rest = whole - sum(self.seconds.values())
        parts = [f"{name} {in_seconds(seconds)}" for name, seconds in self.seconds.items()]
        return f"in all {in_seconds(whole)} s: {', '.join([*parts, f'the rest {in_seconds(rest)}'])}"


RUNNING: list[Phases] = []  # of all threads, for who shows them
_current: ContextVar[Phases | None] = ContextVar("phases", default=None)


@contextlib.contextmanager
def phases(clock: Callable[[], float] = time.perf_counter) -> Iterator[Phases]:
    """Count the phases of a run within the block, or the function decorated, and log the sums at its end.

    Within a block around this one it is that one's run.

    Args:
      clock: a function that returns seconds.

    >>> ticks = iter([0.0, 1.0, 4.0, 4.25])
    >>> with phases(lambda: next(ticks)) as run:
    ...     with phase("reading", "a.csv"):
    ...         pass
    >>> run.seconds
    {'reading': 3.0}
    """
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    run = Phases(clock, clock())
    token = _current.set(run)
    RUNNING.append(run)
    try:
        yield run
    finally:
        RUNNING.remove(run)
        _current.reset(token)
    run.release()
    logger.info(run.text())


@contextlib.contextmanager
def phase(name: str, of: str = "", *, told: bool = True, then: tuple[str, str] | None = None) -> Iterator[None]:
    """Count the block, or the function decorated, as a phase of the run it is in; outside of one nothing is counted.

    Args:
      name: by which seconds are summed up.
      of: what is read, trained or drawn.
      told: whether there is a line of it when it is done.
      then: name and what of the phase that the rest of the block is after `go_on`.
    """
    run = _current.get()
    if run is None:
        yield
        return
    run.begin(name, of, told, then)
    well = False
    try:
        yield
        well = True
    finally:
        run.end(well)


def go_on(*, by_bar: bool) -> str:
    """Let the rest of the innermost block be the phase that it said, and return what that is called.

    Args:
      by_bar: a bar shows how far it is.
    """
    run = _current.get()
    then = run.open[-1].then if run is not None and run.open else None
    if run is None or then is None:
        return ""
    run.end(well=True)
    phase = run.begin(*then)
    phase.by_bar = by_bar
    return phase.label


def begun() -> None:
    """Say that the run has its folder: what it was about till then is told."""
    run = _current.get()
    if run is not None:
        run.release()


def tell_how_far(text: str) -> None:
    """Say how far the innermost phase is."""
    run = _current.get()
    if run is not None and run.open:
        run.open[-1].how_far = text


def seconds_so_far() -> dict[str, float]:
    """Return the seconds of the phases of this run that have ended, by name, and "in all"; nothing outside of one."""
    run = _current.get()
    return {} if run is None else {**run.seconds, "in all": run.clock() - run.begun}


def in_seconds(seconds: float) -> str:
    """Return seconds as they are told.

    >>> in_seconds(0.123), in_seconds(12.345)
    ('0.12', '12.3')
    """
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}"
