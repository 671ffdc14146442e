"""What the processor has: how many floats its vectors hold, and so how weights are packed."""

import functools
import os
import platform
from pathlib import Path

ENVIRONMENT = "SEQVISION_KERNEL_LANES"
# What processors of x86-64-v3 and x86-64-v4 have, as Linux spells it.
AVX2 = frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"})
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
CPUINFO = Path("/proc/cpuinfo")


@functools.cache
def features() -> frozenset[str]:
    """Return what Linux says that an x86-64 processor has; of others nothing is known.

    >>> features() <= features()
    True
    """
    if platform.machine() != "x86_64" or not CPUINFO.is_file():
        return frozenset()
    for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def lanes() -> int:
    """Return how many floats a vector holds: sixteen with AVX-512, else eight.

    The environment variable SEQVISION_KERNEL_LANES (16 or 8), set before the first call, overrules it.

    >>> lanes() in (8, 16)
    True
    """
    given = os.environ.get(ENVIRONMENT)
    if given not in (None, "8", "16"):
        raise ValueError(f"{ENVIRONMENT} must be 8 or 16, got {given!r}: unset it for what the CPU has")
    return int(given or (16 if features() >= AVX512 else 8))


def panel() -> int:
    """Return the columns of a panel of packed weights: two vectors."""
    return 2 * lanes()
