"""Layers and training steps of seqvision, and layers of flax, for the convolution benchmark."""

from seqvision.conv import avg_pool, conv, max_pool
from seqvision.data import Arrays
from seqvision.models import ConvNet, SixConvNet, fashion_convnet, mnist_convnet
from seqvision.training import create_state, make_run, make_train_step

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from conv_rows import LAYERS, NETWORKS, POPULATION, Layer, Network, images, layer_input

MODELS = {"mnist": mnist_convnet, "fashion": fashion_convnet, "cifar": SixConvNet}
MEMBERS = 8


def prepare(row: str, way: str, steps: int, threads: int):
    """Return (a call to time, steps in a call): way is "run" or "loop" for networks, "call" for layers."""
    if row in LAYERS:
        return layer(LAYERS[row]), 1
    if row == POPULATION:
        return population(way, steps), steps
    model, network = MODELS[row](), NETWORKS[row]
    state, data = start(model, network, steps)
    step = make_train_step("cross_entropy")
    if way == "run":
        run = jax.jit(make_run(step, epochs=1, batch_size=network.batch))
        return lambda: jax.block_until_ready(run(state, data)), steps
    return loop(jax.jit(step, donate_argnums=0), state, data, network.batch, steps), steps


def start(model: nn.Module, network: Network, steps: int, optimizer: optax.GradientTransformation | None = None):
    """Return a fresh state, for Adam by default, and the data of so many steps."""
    data = Arrays(*map(jnp.asarray, images(network, steps)))
    return create_state(model, optimizer or optax.adam(1e-3), jax.random.key(0), data.x[:1]), data


def loop(step, state, data, batch: int, steps: int):
    """Return a call that takes the steps one by one."""
    held = [jax.tree.map(jnp.copy, state)]
    batches = [data.gather(jnp.arange(i * batch, (i + 1) * batch)) for i in range(steps)]

    def call():
        for one in batches:
            held[0], _ = step(held[0], one)
        jax.block_until_ready(held[0])

    return call


def population(way: str, steps: int):
    """Return a call that trains eight small networks: mapped ("vmap", "map"), or one ("one")."""
    network = Network((28, 28, 1), 32, 0)
    model = ConvNet((8, 16), dense=(), dropout=0.0)
    _, data = start(model, network, steps)
    run = make_run(make_train_step("cross_entropy"), epochs=1, batch_size=network.batch)
    optimizer = optax.adam(1e-3)

    def member(key, data):
        return run(create_state(model, optimizer, key, data.x[:1]), data)[1]

    keys = jax.random.split(jax.random.key(0), MEMBERS)
    if way == "one":
        compiled = jax.jit(member)
        return lambda: jax.block_until_ready(compiled(keys[0], data))
    if way == "vmap":
        compiled = jax.jit(jax.vmap(member, (0, None)))
    else:
        compiled = jax.jit(lambda keys, data: jax.lax.map(lambda key: member(key, data), keys))
    return lambda: jax.block_until_ready(compiled(keys, data))


def layer(row: Layer):
    """Return a call of a layer's forward and backward pass."""
    x = jnp.asarray(layer_input(row))
    fan_in = row.C if row.kind == "conv" else 1
    kernel = jax.random.normal(jax.random.key(0), (row.k, row.k, fan_in, row.F)) / row.k

    def forward(x, kernel):
        if row.kind in ("max", "avg"):
            return (max_pool if row.kind == "max" else avg_pool)(x, (row.k, row.k), stride=row.stride)
        return conv(x, kernel, stride=row.stride, groups=row.C if row.kind == "depthwise" else 1)

    weights = jnp.ones(jax.eval_shape(forward, x, kernel).shape) * 1.5
    gradient = jax.jit(lambda x, kernel, weights: jax.vjp(forward, x, kernel)[1](weights))
    return lambda: jax.block_until_ready(gradient(x, kernel, weights))
