"""How weights start where a network does not say otherwise."""

import flax.linen as nn

GLOROT = nn.initializers.glorot_uniform()  # Keras's default, which the known results were made with
HE = nn.initializers.he_normal()  # for layers with ReLU (He, Zhang, Ren, Sun 2015)
