"""``seqvision doctor``."""

from dataclasses import dataclass
from typing import Any

from seqvision import pipelines

from .command import Command


@dataclass(frozen=True, kw_only=True)
class Doctor(Command):
    """Look whether this machine computes right and can keep what it computes; exit code 1 if something is wrong."""

    out: str = "runs"
    """folder in which run folders are made"""

    def run(self) -> "pipelines.Result":
        """Examine."""
        return pipelines.examine(self.out)

    def exit_code(self, result: Any) -> int:
        """Return 1 if something is wrong."""
        return 1 if result.wrong else 0
