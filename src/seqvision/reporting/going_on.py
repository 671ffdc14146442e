"""The command that goes on with a run that was stopped: said wherever such a run is met."""

import shlex
from pathlib import Path

CHECKPOINTS = "checkpoints"  # folder within a run, until it is done


def resume_hint(folder: Path) -> str:
    """Return what to type, quoted for the shell, to go on with the run in a folder.

    >>> resume_hint(Path("runs/my run"))
    "seqvision resume 'runs/my run' goes on"
    """
    return f"{shlex.join(['seqvision', 'resume', str(folder)])} goes on"


def hint_if_stopped(folder: Path, status: str) -> str:
    """Return what is said after the status of a run: how to go on, if there is something to go on from.

    >>> hint_if_stopped(Path("runs/done"), "done")
    ''
    """
    return f"; {resume_hint(folder)}" if status != "done" and (folder / CHECKPOINTS).is_dir() else ""
