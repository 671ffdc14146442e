"""What a process of `Drawers` runs: it takes pictures from stdin, and answers each with whether it is drawn."""

import os
import pickle
import signal
import sys
from contextlib import suppress

from seqvision import reporting


def serve() -> None:
    """Draw until stdin ends, which it does when the process dies that asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks hears it too, and ends this
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else goes among the answers
    for plot in ("save_figure", *sys.argv[1:]):
        getattr(reporting, plot)
    with suppress(EOFError, BrokenPipeError):
        while True:
            path, plot, args, options = pickle.load(sys.stdin.buffer)
            try:
                reporting.save_figure(getattr(reporting, plot)(*args, **options), path)
                drawn = True
            except Exception:  # whoever asks tries for himself, and sees why
                drawn = False
            pickle.dump(drawn, answers)
            answers.flush()
