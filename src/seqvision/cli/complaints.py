"""What a user is told when a command does not end well: one line on stderr, and an exit code."""

import contextlib
import errno
import sys

_WRONG_INPUT = (
    ValueError,
    TypeError,
    FileExistsError,
    FileNotFoundError,
    PermissionError,
    NotADirectoryError,
    IsADirectoryError,
)


def complain(text: str, code: int = 2) -> int:
    """Say a line on stderr, and return the exit code."""
    say(text if text.startswith("seqvision") else f"seqvision: {text}")
    return code


def say(text: str) -> None:
    """Write a line to stderr, if it can be written to."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr, flush=True)


def one_line(error: Exception) -> str:
    """Return what an error says, in one line.

    >>> one_line(RuntimeError("no luck,\\nagain"))
    'RuntimeError: no luck, again'
    """
    text = " ".join(str(error).split())
    if "RESOURCE_EXHAUSTED" in text:
        return "out of memory: try a smaller batch_size, or fewer hidden units"
    told = isinstance(error, ValueError | TypeError | OSError | ArithmeticError)
    return text if told else f"{type(error).__name__}: {text}"


def is_wrong_input(error: Exception) -> bool:
    """Whether other words on the command line would help: not where a disk is full or memory is out.

    >>> is_wrong_input(ValueError("epochs must be an int")), is_wrong_input(OSError(28, "No space left on device"))
    (True, False)
    """
    numbers = {getattr(one, "errno", None) for one in (error, error.__cause__)}
    return isinstance(error, _WRONG_INPUT) or bool(numbers & {errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP})
