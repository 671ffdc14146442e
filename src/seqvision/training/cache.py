"""The persistent compilation cache, set so that small programs are kept too."""

import os
import stat
from pathlib import Path
from typing import Any

import jax


def enable_compilation_cache(folder: str | os.PathLike | None = None) -> Path | None:
    """Keep compiled programs on disk, so that a second process starts without compiling.

    JAX by itself keeps nothing that compiled in under a second. A cache folder that is already configured is respected,
    and ``JAX_ENABLE_COMPILATION_CACHE=false`` turns all of it off.

    Args:
      folder: where to keep them; the user's cache folder where None (``$XDG_CACHE_HOME/seqvision/xla``).

    Returns:
      The folder in use, None if the cache is off or the folder cannot be written.

    Raises:
      PermissionError: if others may write to the folder; a program read from it would run as you.
    """
    config: Any = jax.config  # its flags are unknown to type checkers
    if not config.jax_enable_compilation_cache:
        return None
    configured = config.jax_compilation_cache_dir
    path = Path(folder or configured or _default_folder())
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    if os.name == "posix" and path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(
            f"compilation cache {path} can be written by others: chmod go-w {path}, or choose another folder"
        )
    if str(path) != configured:
        config.update("jax_compilation_cache_dir", str(path))
    config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return path


def _default_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "seqvision" / "xla"
