"""Which function runs under which transformation: rows that the tests check, and of which a table is made."""

import itertools
from typing import NamedTuple

from tests.transformations.conv_cases import CONV_CASES


class Row(NamedTuple):
    function: str
    transformation: str
    verdict: str  # "yes", or the sentence that an error says


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
# What is not as on one device, and how: the tests fail when one of these holds after all.
CONV_EXCEPTIONS = {
    ("per_channel", "NamedSharding, Explicit"): "right; as of jnp.broadcast_to, its gradient is first gathered",
    ("conv, replicate", "NamedSharding, Explicit"): "right; the gradient of its borders sends an image to a neighbor",
    ("conv, depthwise", "NamedSharding over vmap"): "NotImplementedError of lax's gradient of groups under vmap",
    ("conv, 2 groups", "NamedSharding over vmap"): "NotImplementedError of lax's gradient of groups under vmap",
}
CONV = [
    Row(case.function, how, CONV_EXCEPTIONS.get((case.function, how), "yes"))
    for case, how in itertools.product(CONV_CASES, (*ONE_DEVICE, *DEVICES))
]
