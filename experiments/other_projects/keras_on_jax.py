"""A cell as a layer of Keras on its JAX backend: fit, callbacks and saving are Keras's.

python experiments/other_projects/keras_on_jax.py prints the loss of a network before and after 50 epochs.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
from seqvision.cells import GRU, unroll

import jax
import keras
import numpy as np


class Unrolled(keras.layers.Layer):
    def __init__(self, cell, in_features, **options):
        super().__init__(**options)
        drawn = cell.init(jax.random.key(0), in_features)._asdict()
        self.cell = cell
        self.made = {
            n: self.add_weight(name=n, shape=a.shape, initializer=lambda *_, a=a, **__: a) for n, a in drawn.items()
        }

    def call(self, xs):  # (B, T, D) -> (B, T, H)
        return unroll(self.cell, {name: weight.value for name, weight in self.made.items()}, xs)[1]


network = keras.Sequential([Unrolled(GRU(8), 2), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
network.compile("adam", "mse")
xs = np.random.default_rng(0).normal(size=(64, 10, 2)).astype(np.float32)
losses = network.fit(xs, xs.sum((1, 2)), epochs=50, verbose=0).history["loss"]
print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}")
