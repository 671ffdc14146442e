"""Does what is installed compute right: versions, devices, precision, known bugs, compiled kernels."""

import shutil
from collections.abc import Iterator
from importlib import metadata, util

import jax
import jax.numpy as jnp
import numpy as np

from seqvision.cells import GRU, LSTM, unroll
from seqvision.reporting import describe_environment

from .findings import Finding
from .known_bugs import ROWS, largest_error_of_squares

EXTRAS = {
    "onnx": "jax2onnx",
    "calendars": "exchange_calendars",
    "tables": "pyarrow",
    "completion": "shtab",
    "tensorboard": "tensorboardX",
    "wandb": "wandb",
    "mlflow": "mlflow",
}


def check_versions() -> Iterator[Finding]:
    """Tell versions and extras; jax and jaxlib are of one release.

    >>> next(check_versions()).about
    'versions'
    """
    environment = describe_environment()
    versions = {name: version for name, version in environment.packages.items() if version}
    told = ", ".join([f"python {environment.python}", *(f"{name} {version}" for name, version in versions.items())])
    yield Finding("versions", "well", told)
    ours, theirs = (metadata.version(name) for name in ("jax", "jaxlib"))
    if ours.split(".")[:2] != theirs.split(".")[:2]:
        yield Finding("jax", "wrong", f"jax {ours} with jaxlib {theirs}", f"pip install jax=={theirs}")
    there = [extra for extra, package in EXTRAS.items() if util.find_spec(package)]
    missing = [extra for extra in EXTRAS if extra not in there]
    remedy = f'pip install "seqvision[{",".join(missing)}]" for the others' if missing else ""
    yield Finding("extras", "well", ", ".join(there) or "none", remedy)


def check_devices() -> Iterator[Finding]:
    """Tell the devices, and whether a GPU is there that jax does not use.

    >>> next(check_devices()).about
    'devices'
    """
    environment = describe_environment()
    yield Finding("devices", "well", f"{', '.join(environment.devices)}; {environment.processor}")
    if environment.backend == "cpu" and shutil.which("nvidia-smi"):
        remedy = 'pip install "seqvision[cuda12]", and see that JAX_PLATFORMS is not cpu'
        yield Finding("GPU", "told", "there is one, which jax does not use", remedy)


def check_precision() -> Iterator[Finding]:
    """Compare a product of matrices with NumPy's in float64, at the precision that is set.

    >>> next(check_precision()).about
    'precision'
    """
    a, b = (np.random.default_rng(seed).normal(size=(128, 128)).astype(np.float32) for seed in (0, 1))
    right = a.astype(np.float64) @ b.astype(np.float64)
    error = float(np.abs(np.asarray(jax.jit(jnp.matmul)(a, b), np.float64) - right).max() / np.abs(right).max())
    sizes = f"products of float32 are right to {error:.0e}"
    if error > 1e-2:
        yield Finding(
            "precision", "wrong", sizes, "this device or driver computes wrong: update it, or JAX_PLATFORMS=cpu"
        )
    elif error > 1e-5:
        remedy = "JAX_DEFAULT_MATMUL_PRECISION=highest is slower and exact"
        yield Finding("precision", "told", f"{sizes}, as fast units of accelerators give them", remedy)
    else:
        yield Finding("precision", "well", sizes)


def check_known_bugs() -> Iterator[Finding]:
    """Run the programs that some versions of jax compile wrong.

    >>> [finding.state for finding in check_known_bugs()]
    ['well', 'well']
    """
    for dtype in ROWS:
        if dtype == "float64" and jax.default_backend() == "tpu":
            continue
        error, most = largest_error_of_squares(dtype), 1e-6 if dtype == "float32" else 1e-12
        text = f"a vmapped product and a sum in {dtype} are right to {error:.0e}"
        remedy = f'jaxlib {metadata.version("jaxlib")} computes wrong: pip install "jax!=0.10.2" "jaxlib!=0.10.2"'
        yield Finding("known bugs", "well" if error <= most else "wrong", text, "" if error <= most else remedy)


def check_kernels() -> Iterator[Finding]:
    """Compile the kernels of cells for this processor; compare outputs and slopes with those of a plain loop."""
    for cell in (LSTM(8), GRU(8)):
        name = type(cell).__name__
        params = cell.init(jax.random.key(0), 3)
        xs = jax.random.normal(jax.random.key(1), (4, 12, 3))

        def outputs(params, method, cell=cell, xs=xs):
            ys = unroll(cell, params, xs, method=method)[1]
            return jnp.square(ys).sum(), ys

        results = {}
        for method in ("numba", "scan"):
            try:
                found = jax.jit(jax.value_and_grad(outputs, has_aux=True), static_argnums=1)(params, method)
                results[method] = jax.device_get(found)
            except ValueError as error:  # no such method here
                yield Finding(f"kernels of {name}", "told", " ".join(str(error).split())[:200])
                return
        pairs = zip(*(jax.tree.leaves(results[method]) for method in ("numba", "scan")), strict=True)
        apart = max(float(np.abs(a - b).max() / (np.abs(b).max() + 1e-6)) for a, b in pairs)
        text = f"compiled kernels and a plain loop agree to {apart:.0e}"
        remedy = 'method="scan" does without: say so, and tell us' if apart > 1e-4 else ""
        yield Finding(f"kernels of {name}", "well" if apart <= 1e-4 else "wrong", text, remedy)
