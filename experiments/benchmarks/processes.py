"""What the measuring processes share: their environment, and their cores."""

import os


def environment(threads: int) -> dict[str, str]:
    """Return the variables of every measuring process: CPU, that many threads, no compilation cache."""
    return {
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_ENABLE_COMPILATION_CACHE": "false",
        "OMP_NUM_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def use_cores(threads: int) -> None:
    """Keep this process on as many cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
