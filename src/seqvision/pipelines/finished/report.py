"""The report of a finished run, made anew from its folder alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqvision._checks import check_flag
from seqvision.reporting import PAGES, RunFolder, check_output, render_report, to_plain, write_report
from seqvision.storage import write_file


@dataclass(frozen=True)
class RunReport:
    """Where the report of a run lies."""

    folder: Path
    file: Path
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return folder and file as plain values."""
        return to_plain({"folder": self.folder, "file": self.file})


def report_run(path: str | Path, output: str | Path | None = None, *, plots: bool = False) -> RunReport:
    """Write the report of a run anew, as one HTML file that needs no network.

    Args:
      path: the run folder.
      output: where to write it, an .html, whose folder is made; by default report.html in the run folder.
      plots: draw the pictures of the run first, for one that has none.

    Raises:
      FileNotFoundError: if it is no run folder.
      ValueError: naming a file of it that has changed since the run.
      OSError: if the report cannot be written.
    """
    check_flag("plots", plots, owner="report_run")
    check_output(output, PAGES)
    folder = RunFolder.open(path).path
    if plots:
        from seqvision.pipelines.finished.drawing import draw_run

        draw_run(folder)
    if output is None:
        file = write_report(folder)
    else:
        file = Path(output)
        write_file(file, render_report(folder))
    return RunReport(folder, file, f"report: {file}")
