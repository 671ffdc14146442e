"""What an examination finds."""

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["well", "told", "wrong"]
_SIGNS = {"well": "ok   ", "told": "note ", "wrong": "WRONG"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
      about: what it is.
      state: "well", "told" (works, but is worth knowing) or "wrong".
      text: what was found.
      remedy: what can be done about it.
    """

    about: str
    state: State
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Examination:
    """All findings about a machine.

    >>> Examination((Finding("devices", "well", "cpu:0"), Finding("disk", "wrong", "full", "delete runs"))).text
    'ok     devices  cpu:0\\nWRONG  disk     full: delete runs\\n\\n1 of 2 is wrong'
    """

    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """What is wrong."""
        return tuple(finding for finding in self.findings if finding.state == "wrong")

    @property
    def text(self) -> str:
        """A line a finding, and how many are wrong."""
        width = max(len(finding.about) for finding in self.findings)
        lines = [
            f"{_SIGNS[finding.state]}  {finding.about:<{width}}  {finding.text}"
            + (f": {finding.remedy}" if finding.remedy else "")
            for finding in self.findings
        ]
        bad = len(self.wrong)
        last = f"{bad} of {len(self.findings)} {'is' if bad == 1 else 'are'} wrong" if bad else "nothing is wrong"
        return "\n".join([*lines, "", last])

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as plain values."""
        return {"well": not self.wrong, "findings": [vars(finding) for finding in self.findings]}
