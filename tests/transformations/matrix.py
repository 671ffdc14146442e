"""Which function runs under which transformation: rows that the tests check, and of which a table is made."""

import itertools
from typing import NamedTuple

from seqvision.cells.unrolling.methods import METHODS
from tests.transformations.conv_cases import CONV_CASES
from tests.transformations.program_cases import PROGRAM_CASES
from tests.transformations.settings import SETTINGS
from tests.transformations.training_on_devices import CHECKS as TRAINING


class Row(NamedTuple):
    function: str
    transformation: str
    verdict: str  # "yes", or what holds in its place


ONE_DEVICE = (
    "jit, grad",
    "jvp",
    "grad of jvp, jvp of grad",
    "vmap",
    "scan",
    "checkpoint, remat",
    "export, serialize",
    "x64",
    "bfloat16",
    "float16",
    "strict promotion",
    "disable_jit",
    "debug_nans",
    "debug_infs",
)
DEVICES = (
    "shard_map",
    "shard_map, check_vma=False",
    "NamedSharding, Auto",
    "NamedSharding, Explicit",
    "NamedSharding over vmap",
)
OF_JAX = "an error of JAX"
MOVED = "numbers go from device to device"
FLOAT32 = "float32 alone; other types are refused by an error"
# What is not as on one device, and how: the tests fail when one of these holds after all.
EXCEPTIONS = {
    ("per_channel", "NamedSharding, Explicit"): "right; as of jnp.broadcast_to, its gradient is first gathered",
    ("conv, replicate", "NamedSharding, Explicit"): "right; the gradient of its borders sends an image to a neighbor",
    ("conv, depthwise", "NamedSharding over vmap"): "NotImplementedError of lax's gradient of groups under vmap",
    ("conv, 2 groups", "NamedSharding over vmap"): "NotImplementedError of lax's gradient of groups under vmap",
    ("make_train_step", "shard_map"): "gradients are summed over the devices, as of whatever they share",
    ("make_run", "shard_map"): "an error: batch_size is more than the rows of one device",
    ("make_run", "shard_map, check_vma=False"): "an error: batch_size is more than the rows of one device",
    ("make_run", "NamedSharding, Explicit"): "right; without batch_sharding= rows are gathered",
    ("make_run", "export, serialize"): "an error for a symbolic number of examples, which fixes that of its steps",
    ("unroll, newton", "debug_infs"): "FloatingPointError: a number on the way is infinite",
    ("unroll, pallas", "shard_map"): OF_JAX,
    **{("unroll, pallas", f"NamedSharding{how}"): MOVED for how in (", Auto", ", Explicit", " over vmap")},
    ("unroll, pallas", "grad of jvp, jvp of grad"): OF_JAX,
    ("unroll, pallas", "export, serialize"): "for the platform alone that it is exported on",
    **{("unroll, numba", how): FLOAT32 for how in ("x64", "bfloat16", "float16", "strict promotion")},
}
OF_METHODS = {  # names that the table of methods has
    "grad": "jit, grad",
    "jvp": "jvp",
    "vmap": "vmap",
    "second derivatives": "grad of jvp, jvp of grad",
    "jax.export": "export, serialize",
}
CUDNN = [
    Row("unroll, cudnn", how, "yes" if name in METHODS["cudnn"].transformations else OF_JAX)
    for name, how in OF_METHODS.items()
]
FIT = [Row("fit and predict", how, "yes") for how in SETTINGS] + [
    Row("fit and predict", f"NamedSharding, {axes}", "yes")
    for axes in ("Auto", "Explicit")
    if f"fit, rows on {axes} axes" in TRAINING
]
ROWS = [
    Row(case.function, how, EXCEPTIONS.get((case.function, how), "yes"))
    for case, how in itertools.product((*CONV_CASES, *PROGRAM_CASES), (*ONE_DEVICE, *DEVICES))
]
ROWS += CUDNN + FIT
