"""Layers and training steps of plain flax on lax's convolutions, for the convolution benchmark."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from conv_rows import LAYERS, NETWORKS, images, layer_input


class Net(nn.Module):
    """One of the three networks."""

    name_of_row: str

    @nn.compact
    def __call__(self, x, train: bool = True):
        row = self.name_of_row
        if row == "cifar":
            for channels in (32, 64, 128):
                for _ in range(2):
                    x = nn.relu(nn.Conv(channels, (3, 3))(x))
                    x = nn.BatchNorm(not train, epsilon=1e-3)(x)
                x = nn.max_pool(x, (2, 2), (2, 2))
        for channels in {"mnist": (32, 64), "fashion": (32, 64, 128), "cifar": ()}[row]:
            x = nn.relu(nn.Conv(channels, (3, 3), 1 if row == "mnist" else 2, padding="VALID")(x))
            x = nn.max_pool(x, (2, 2), (2, 2)) if row == "mnist" else x
        x = nn.Dropout(0.5 if row == "mnist" else 0.2, deterministic=not train)(x.reshape(x.shape[0], -1))
        if row != "mnist":
            x = nn.relu(nn.Dense(512 if row == "fashion" else 1024)(x))
            x = nn.Dropout(0.2, deterministic=not train)(x)
        return nn.Dense(10)(x)


def prepare(row: str, way: str, steps: int, threads: int):
    """Return (a call to time, steps in a call)."""
    if row in LAYERS:
        return layer(LAYERS[row]), 1
    network = NETWORKS[row]
    x, y = map(jnp.asarray, images(network, steps))
    model, optimizer = Net(row), optax.adam(1e-3)
    variables = model.init({"params": jax.random.key(0), "dropout": jax.random.key(1)}, x[:1])
    params, stats = variables["params"], variables.get("batch_stats", {})

    @jax.jit
    def step(params, stats, opt_state, key, x, y):
        def loss(params):
            key_ = {"dropout": key}
            logits, new = model.apply({"params": params, "batch_stats": stats}, x, rngs=key_, mutable=["batch_stats"])
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), new.get("batch_stats", {})

        (_, new), grads = jax.value_and_grad(loss, has_aux=True)(params)
        updates, opt_state = optimizer.update(grads, opt_state)
        return optax.apply_updates(params, updates), new, opt_state

    held = [(params, stats, optimizer.init(params))]

    def call():
        for i in range(steps):
            part = slice(i * network.batch, (i + 1) * network.batch)
            held[0] = step(*held[0], jax.random.key(i), x[part], y[part])
        jax.block_until_ready(held[0])

    return call, steps


def layer(row):
    """Return a call of a layer's forward and backward pass."""
    x = jnp.asarray(layer_input(row))
    groups = row.C if row.kind == "depthwise" else 1
    if row.kind in ("max", "avg"):
        pool = nn.max_pool if row.kind == "max" else nn.avg_pool
        forward, params = (lambda _, x: pool(x, (row.k, row.k), (row.stride, row.stride))), {}
    else:
        module = nn.Conv(row.F, (row.k, row.k), row.stride, feature_group_count=groups, use_bias=False)
        forward, params = module.apply, module.init(jax.random.key(0), x[:1])
    weights = jnp.ones(jax.eval_shape(forward, params, x).shape) * 1.5
    gradient = jax.jit(lambda params, x, weights: jax.vjp(forward, params, x)[1](weights))
    return lambda: jax.block_until_ready(gradient(params, x, weights))
