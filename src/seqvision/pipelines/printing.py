"""Run a pipeline as a script does: progress to stderr, the result to stdout."""

import sys
from collections.abc import Callable
from typing import Any

from seqvision.reporting import to_plain


def run_and_print(run: Callable[..., dict[str, Any]], config: Any) -> dict[str, Any]:
    """Run, print the text and the folder of the run, and return its summary as plain values.

    Args:
      run: `run_forecast`, `run_classify` or another that returns "text", "folder" and "summary".
      config: of the run.

    >>> run = lambda config, say: {"text": f"{config} went well", "folder": "runs/1", "summary": {"error": 0.5}}
    >>> run_and_print(run, "it")
    it went well
    <BLANKLINE>
    run folder: runs/1
    {'error': 0.5, 'folder': 'runs/1'}
    """
    result = run(config, say=lambda line: print(line, file=sys.stderr, flush=True))
    print(f"{result['text']}\n\nrun folder: {result['folder']}")
    return to_plain({**result["summary"], "folder": result["folder"]})
