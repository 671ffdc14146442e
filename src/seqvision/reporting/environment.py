"""What a run ran on: enough to say later why its numbers differ."""

import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata

_PACKAGES = ("seqvision", "jax", "jaxlib", "flax", "optax", "numpy", "pandas", "scikit-learn", "matplotlib")
_SETTINGS = ("jax_enable_x64", "jax_default_matmul_precision", "jax_default_prng_impl")
_VARIABLES = ("XLA_FLAGS", "JAX_PLATFORMS", "JAX_ENABLE_X64", "CUDA_VISIBLE_DEVICES", "XLA_PYTHON_CLIENT_MEM_FRACTION")


@dataclass(frozen=True)
class Environment:
    """Versions, devices, the settings that change results, and the command line; nothing about the user."""

    command: list[str]
    python: str
    platform: str
    processor: str  # its model
    processors: int | None  # how many
    packages: dict[str, str | None]  # name -> version, None where it is not installed
    backend: str
    devices: list[str]
    settings: dict[str, str]  # of jax
    variables: dict[str, str]  # of the process, those of them that are set


def describe_environment() -> Environment:
    """Return what this process runs on.

    >>> "jax" in describe_environment().packages
    True
    """
    import jax

    return Environment(
        command=[_program(sys.argv[0]), *sys.argv[1:]],
        python=platform.python_version(),
        platform=platform.platform(),
        processor=_processor(),
        processors=os.cpu_count(),
        packages={name: _version(name) for name in _PACKAGES},
        backend=jax.default_backend(),
        devices=[f"{device.platform}:{device.id} {device.device_kind}" for device in jax.devices()],
        settings={name: str(getattr(jax.config, name)) for name in _SETTINGS},
        variables={name: os.environ[name] for name in _VARIABLES if name in os.environ},
    )


def _program(path: str) -> str:
    """Return a program as it was typed, below the folder that it was typed in; of any other path the last part."""
    inside = not os.path.isabs(path) and ".." not in path.split(os.sep)
    return path if inside else os.path.basename(path)


def _processor() -> str:
    """Return the processor's model where the system tells it, else its kind."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
