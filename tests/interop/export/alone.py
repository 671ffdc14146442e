"""Run what was exported in a process that does not have the library."""

import os
import subprocess
import sys


def run_alone(folder, *blocked, numbers=True):
    """Run use.py without the library and what else is named; return the differences that it prints."""
    names = ("seqvision", *blocked)
    program = (
        f"import sys, runpy; sys.modules.update(dict.fromkeys({names!r}));"
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder / "use.py")],
        env=environment,
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [float(line.split()[-1]) for line in done.stdout.splitlines()] if numbers else done.stdout
