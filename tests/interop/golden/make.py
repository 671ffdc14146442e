"""Write layers_torch.npz and layers_keras.npz: random weights, inputs, outputs and gradients of the peers' layers.

    python tests/interop/golden/make.py        (needs torch, keras and jax; half a minute)

So the formats are covered where torch and Keras are not installed too.
"""

import os
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")
FOLDER = Path(__file__).parent
N, T, D, H, P = 2, 4, 3, 5, 2

TORCH = {
    "lstm": ("LSTM", {"num_layers": 2, "bidirectional": True}),
    "lstm-plain": ("LSTM", {"bias": False}),
    "lstm-proj": ("LSTM", {"num_layers": 2, "bidirectional": True, "proj_size": P}),
    "gru": ("GRU", {"num_layers": 2, "bidirectional": True}),
    "gru-plain": ("GRU", {"bias": False}),
    "elman-tanh": ("RNN", {"nonlinearity": "tanh", "num_layers": 2, "bidirectional": True}),
    "elman-relu": ("RNN", {"nonlinearity": "relu"}),
}
KERAS = {
    "lstm": ("LSTM", {}),
    "lstm-plain": ("LSTM", {"use_bias": False}),
    "gru": ("GRU", {}),
    "gru-plain": ("GRU", {"use_bias": False}),
    "gru-reset-before": ("GRU", {"reset_after": False}),
    "gru-reset-before-plain": ("GRU", {"reset_after": False, "use_bias": False}),
    "elman-tanh": ("SimpleRNN", {}),
    "elman-relu": ("SimpleRNN", {"activation": "relu"}),
}


def torch_layer(name, weights=None, seed=0):
    """Outputs of a layer of torch with given or random weights, and the gradients of sum(ys d_ys)."""
    import torch

    kind, options = TORCH[name]
    torch.manual_seed(seed)
    layer = getattr(torch.nn, kind)(D, H, batch_first=True, **options)
    if weights is not None:
        layer.load_state_dict({key: torch.from_numpy(array) for key, array in weights.items()})
    else:
        for weight in layer.parameters():
            torch.nn.init.normal_(weight, std=0.5)
    xs = torch.randn(N, T, D, requires_grad=True)
    ys, _ = layer(xs)
    d_ys = torch.randn(ys.shape)
    (ys * d_ys).sum().backward()
    arrays = {"xs": xs, "ys": ys, "d_ys": d_ys, "grad.xs": xs.grad}
    for key, weight in layer.named_parameters():
        arrays |= {f"weight.{key}": weight, f"grad.{key}": weight.grad}
    return {key: array.detach().numpy() for key, array in arrays.items()}


def keras_layer(name, weights=None, seed=0):
    """Outputs of a layer of Keras (on JAX) with given or random weights, and the gradients of sum(ys d_ys)."""
    import jax
    import keras

    kind, options = KERAS[name]
    random = np.random.default_rng(seed)
    layer = getattr(keras.layers, kind)(H, return_sequences=True, **options)
    xs, d_ys = (random.normal(size=(N, T, size)).astype(np.float32) for size in (D, H))
    layer.build(xs.shape)
    if weights is None:
        weights = [random.normal(size=array.shape, scale=0.5).astype(np.float32) for array in layer.get_weights()]
    layer.set_weights(weights)
    others = [variable.value for variable in layer.non_trainable_variables]

    @jax.jit
    def run(weights, xs):
        ys, pull = jax.vjp(lambda weights, xs: layer.stateless_call(weights, others, xs)[0], weights, xs)
        return ys, *pull(d_ys)

    with jax.default_matmul_precision("highest"):
        ys, d_weights, d_xs = run([variable.value for variable in layer.trainable_variables], xs)
    arrays = {"xs": xs, "ys": ys, "d_ys": d_ys, "grad.xs": d_xs}
    for k, (weight, d_weight) in enumerate(zip(layer.get_weights(), d_weights, strict=True)):
        arrays |= {f"weight.{k}": weight, f"grad.{k}": d_weight}
    return {key: np.asarray(array) for key, array in arrays.items()}


if __name__ == "__main__":
    for peer, names, make in (("torch", TORCH, torch_layer), ("keras", KERAS, keras_layer)):
        cases = {f"{name}/{key}": array for k, name in enumerate(names) for key, array in make(name, seed=k).items()}
        path = FOLDER / f"layers_{peer}.npz"
        np.savez_compressed(path, **cases)
        print(f"{path.name}: {path.stat().st_size} bytes")
