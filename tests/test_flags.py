"""What is True or False is nothing else: "no" would count as True."""

import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.conv import conv, conv_transpose
from seqvision.data import load_image_folder
from seqvision.reporting import plot_epoch_curves
from seqvision.scorecards import default_baselines, score_forecasts

X, KERNEL, SERIES = jnp.ones((1, 4, 4, 1)), jnp.ones((3, 3, 1, 1)), np.arange(20.0)
CALLS = {
    "conv: flip": lambda flag: conv(X, KERNEL, flip=flag),
    "conv_transpose: flip": lambda flag: conv_transpose(X, KERNEL, flip=flag),
    "load_image_folder: stream": lambda flag: load_image_folder("none", stream=flag),
    "plot_epoch_curves: log": lambda flag: plot_epoch_curves({"loss": {"train": [2.0, 1.0]}}, log=flag),
    "default_baselines: returns": lambda flag: default_baselines(SERIES, returns=flag),
    "score_forecasts: returns": lambda flag: score_forecasts(SERIES, 10, forecasts={}, returns=flag),
}


@pytest.mark.parametrize("flag", ["no", 0, None])
@pytest.mark.parametrize("name", CALLS)
def test_flags_are_true_or_false(name, flag):
    with pytest.raises(TypeError, match=f"{name} must be True or False, got {flag!r}"):
        CALLS[name](flag)
