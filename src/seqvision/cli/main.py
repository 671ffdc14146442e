"""What happens from the words of a command line to its exit code."""

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seqvision import __version__
from seqvision._checks import did_you_mean

from .complaints import complain, is_wrong_input, one_line, say
from .verbs import VERBS, find_verb, usage

if TYPE_CHECKING:
    from .command import Command

_HELP = ("-h", "--help", "help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    >>> main(["--version"])
    seqvision ...
    0
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in ("--version", "-V", "version"):
        print(f"seqvision {__version__}")
        return 0
    if words and words[0].split("=")[0] == "--print-completion":
        return _complete(words)
    firsts = {known.split()[0] for known in VERBS if " " in known}  # words that want a second one
    if not words or words[0] in _HELP or (words[0] in firsts and words[1:] in ([], ["-h"], ["--help"])):
        print(usage(words[0] if words and words[0] in firsts else ""))
        return 0 if words and words[-1] not in firsts else 2
    verb = find_verb(words)
    if verb is None:
        given = " ".join(words[: 2 if words[0] in firsts else 1])
        known = ("--help", "--version", "--print-completion") if given.startswith("-") else VERBS
        return complain(f"no command {given!r}{did_you_mean(given, known)}")
    from .parsing import parse

    # Programs from the compilation cache make XLA log lines about CPU features at this level; failures still raise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.suppress(ValueError):  # outside the main thread signals stay as they are
        signal.signal(signal.SIGTERM, _terminate)
    program = f"seqvision {verb.words}"
    try:
        command = parse(verb.kind, words[len(verb.words.split()) :], program)
        return command if isinstance(command, int) else _run(command)
    except (ValueError, OSError) as error:  # the configuration refused a value, or its file cannot be read
        return complain(f"{program}: {error}")
    except KeyboardInterrupt as error:  # how to go on with a run that was stopped, its error says
        code = complain(str(error) or "stopped", getattr(error, "code", 130))
        if argv is None:  # all is written; the interpreter would wait for what is still being computed
            sys.stdout.flush()
            os._exit(code)
        return code
    finally:
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)


def _run(command: "Command") -> int:
    try:
        result = command.run()
        print(_json(result) if command.json else result.text, flush=True)
        if said := command.afterwards(result):
            say(said)
        return command.exit_code(result)
    except BrokenPipeError:
        return _no_reader()
    except Exception as error:
        if command.debug:
            raise
        return complain(one_line(error), 2 if is_wrong_input(error) else 1)


def _complete(words: list[str]) -> int:
    from .completion import SHELLS, completion_script

    shell = words[0].partition("=")[2] or next(iter(words[1:]), "")
    if shell not in SHELLS:
        return complain(f"--print-completion takes {', '.join(SHELLS)}, but is {shell!r}")
    try:
        print(completion_script(shell), flush=True)
    except BrokenPipeError:
        return _no_reader()
    except ModuleNotFoundError as error:
        return complain(str(error), 1)
    return 0


def _no_reader() -> int:
    """Print to nowhere from now on: the reader of stdout went away, as with ``| head``."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _json(result: Any) -> str:
    from seqvision.reporting import json_text

    return json_text(result.to_dict())


def _terminate(number: int, frame: Any) -> None:
    """End the run so that its folder says it was stopped; a second signal ends the process at once."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "SIGALRM"):
        # Within a callback of the garbage collector an exception is swallowed: raise it again until it is heard.
        signal.signal(signal.SIGALRM, lambda *_: _terminate(number, frame))
        signal.setitimer(signal.ITIMER_REAL, 1.0)
    raise SystemExit(128 + signal.SIGTERM)
