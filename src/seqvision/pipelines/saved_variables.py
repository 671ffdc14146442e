"""What models were trained to, read from a run folder."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax

from seqvision._phases import phase
from seqvision.models import variable_shapes
from seqvision.reporting import RunFolder

logger = logging.getLogger(__name__)


@phase("reading", "models")
def load_variables(
    models: Mapping[str, nn.Module], example: jax.ShapeDtypeStruct, seeds: int, folder: RunFolder
) -> dict[str, list[dict[str, Any]]]:
    """Read the saved variables of every model and seed.

    Raises:
      ValueError: if they are not those of the models.
    """
    if folder.status.startswith("failed"):
        logger.warning(f"{folder.path} holds the last good parameters of a run that ended early: it {folder.status}")
    expected = {name: by_seed([variable_shapes(model, example)] * seeds) for name, model in models.items()}
    saved = folder.load_parameters(expected)
    return {name: [saved[name][f"seed_{s}"] for s in range(seeds)] for name in models}


def by_seed(trees: Sequence[Any]) -> dict[str, Any]:
    """Name trees by their seeds, as in the weights of a saved model.

    >>> by_seed(["first", "second"])
    {'seed_0': 'first', 'seed_1': 'second'}
    """
    return {f"seed_{s}": tree for s, tree in enumerate(trees)}
