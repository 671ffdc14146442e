"""What every verb of the command line is: a dataclass whose fields are its options, and what it does with them."""

import contextlib
from dataclasses import dataclass
from typing import Any

from seqvision import pipelines


@dataclass(frozen=True, kw_only=True)
class Command:
    """Options that every verb has; a verb adds its own as fields, each with its help below it."""

    json: bool = False
    """print the result as JSON"""
    debug: bool = False
    """show the traceback of an error"""

    def run(self) -> "pipelines.Result":
        """Do it, and return what is printed."""
        raise NotImplementedError

    def afterwards(self, result: Any) -> str:
        """Return what else to say on stderr when the result is printed."""
        return ""

    def exit_code(self, result: Any) -> int:
        """Return the exit code of a result: not 0 only where a verb finds something wrong."""
        return 0


@dataclass(frozen=True, kw_only=True)
class LongCommand(Command):
    """A verb that takes its time and says on stderr how far it is."""

    quiet: bool = False
    """no progress on stderr"""

    def shown(self) -> contextlib.AbstractContextManager[None]:
        """Show progress within a block, if it is wanted."""
        return contextlib.nullcontext() if self.quiet else pipelines.show_progress()

    @property
    def progress(self) -> bool | None:
        """What pipelines take as ``progress``: a bar on a terminal, or none."""
        return False if self.quiet else None
