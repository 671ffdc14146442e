"""The command line: thin, a file a verb, and every verb calls one function of ``seqvision.pipelines``.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 2 bad input or configuration, 1 failure at run
time, 130 and 143 stopped by a signal. Nothing heavy is imported before a command is understood.

A new verb is a subclass of `seqvision.cli.command.Command` in a file of its own and a line in `seqvision.cli.verbs`.
"""

from .main import main

__all__ = ["main"]
