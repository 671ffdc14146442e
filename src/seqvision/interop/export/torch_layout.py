"""The weights of a model under the names and in the layout of torch's state_dict."""

from collections.abc import Iterator, Mapping
from typing import Any

import flax.linen as nn
import numpy as np

from seqvision.cells import GRU, LSTM, Elman
from seqvision.interop.torch import to_torch
from seqvision.models import MLP, Anchored, ClassificationHead, ConvBlock, ConvNet, Recurrent, RegressionHead, RowByRow

KNOWN = (MLP, Anchored, ClassificationHead, ConvBlock, ConvNet, Recurrent, RegressionHead, RowByRow, nn.Dense, nn.Conv)
KINDS: dict[type, str] = {LSTM: "LSTM", GRU: "GRU", Elman: "RNN"}


def to_torch_layout(model: Any, variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return names -> arrays as torch's layers keep them.

    A stack of recurrent layers of one kind and size is one torch layer, "rnn", others are "rnn_0", "rnn_1" …; what else
    there is keeps its path.

    Args:
      model: the flax module.
      variables: its "params" and "batch_stats".

    Raises:
      ValueError: for a model, or a part of it, that torch has no layer for.

    >>> import jax
    >>> model = Recurrent((LSTM(4), LSTM(4)))
    >>> weights = to_torch_layout(model, model.init(jax.random.key(0), np.ones((1, 5, 3))))
    >>> weights["rnn.weight_ih_l1"].shape, weights["head.dense.weight"].shape
    ((16, 4), (1, 4))
    """
    if not isinstance(model, KNOWN):
        raise ValueError(
            f"export_safetensors: torch has no layout for {type(model).__name__}, only for "
            f'{", ".join(kind.__name__ for kind in KNOWN)}: use layout="seqvision"'
        )
    return dict(_of_module(model, variables["params"], variables.get("batch_stats", {}), ""))


def torch_layers(model: Any, weights: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Return prefix -> the layer of torch that takes the weights under it, as it is written after ``torch.nn.``.

    >>> torch_layers(MLP((4,)), {"dense.weight": np.ones((2, 4)), "dense.bias": np.ones(2)})
    {'dense': 'Linear(4, 2)'}
    """
    layers: dict[str, str] = {}
    recurrent = _recurrent_in(model)
    for name, array in weights.items():
        prefix, _, leaf = name.rpartition(".")
        if leaf == "weight_ih_l0" and recurrent is not None:
            place = prefix.rpartition("rnn_")[2]
            cell: Any = recurrent.cells[int(place) if place.isdigit() else 0]
            depth = 1 if place.isdigit() else len(recurrent.cells)
            more = (f", {depth}" if depth > 1 else "") + (", bidirectional=True" if recurrent.bidirectional else "")
            more += ', nonlinearity="relu"' if getattr(cell, "activation", "") == "relu" else ""
            layers[prefix] = f"{KINDS[type(cell)]}({array.shape[1]}, {cell.hidden}{more}, batch_first=True)"
        elif leaf == "weight" and array.ndim == 1:
            eps = getattr(model, "epsilon", 1e-5)
            more = "" if eps == 1e-5 else f", eps={eps}"
            layers[prefix] = f"BatchNorm{_axes_before(weights, prefix)}d({array.shape[0]}{more})"
        elif leaf == "weight":
            out, into, *window = array.shape
            groups = getattr(model, "groups", getattr(model, "feature_group_count", 1)) if window else 1
            bias = "" if f"{prefix}.bias" in weights else ", bias=False"
            more = f", groups={groups}" if groups > 1 else ""
            size = f", {tuple(window)}" if window else ""
            layers[prefix] = (
                f"{f'Conv{len(window)}d' if window else 'Linear'}({into * groups}, {out}{size}{more}{bias})"
            )
    return layers


def _axes_before(weights: Mapping[str, np.ndarray], prefix: str) -> int:
    """How many spatial axes the convolution has whose outputs a norm normalizes: it is the layer around it."""
    kernel = weights.get(f"{prefix.rpartition('.')[0]}.weight")
    return 2 if kernel is None else max(kernel.ndim - 2, 1)


def _recurrent_in(model: Any) -> Any:
    while model is not None and not isinstance(model, Recurrent):
        model = getattr(model, "model", None)
    return model


def _of_module(model: Any, params: Mapping[str, Any], stats: Mapping[str, Any], prefix: str) -> Iterator:
    inner = getattr(model, "model", None)
    if inner is not None:
        yield from _of_module(inner, params["model"], stats.get("model", {}), f"{prefix}model.")
        return
    rest = dict(params)
    if isinstance(model, Recurrent):
        alike = len({(type(cell), cell) for cell in model.cells}) == 1
        for depth, cell in enumerate(model.cells):
            if type(cell) not in KINDS:
                raise ValueError(f'export_safetensors: torch has no layer like {cell!r}: use layout="seqvision"')
            name, layer = (f"{prefix}rnn.", depth) if alike else (f"{prefix}rnn_{depth}.", 0)
            yield from to_torch(cell, rest.pop(f"layer_{depth}")["cell"], layer=layer, prefix=name).items()
            if model.bidirectional:
                back = rest.pop(f"layer_{depth}_reverse")["cell"]
                yield from to_torch(cell, back, layer=layer, reverse=True, prefix=name).items()
    yield from _of_layers(rest, stats, prefix)


def _of_layers(params: Mapping[str, Any], stats: Mapping[str, Any], prefix: str) -> Iterator:
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from _of_layers(value, stats.get(name, {}), f"{prefix}{name}.")
        elif name == "kernel":
            kernel = np.asarray(value)
            yield f"{prefix}weight", np.moveaxis(kernel, (-1, -2), (0, 1))
        elif name == "scale":
            yield f"{prefix}weight", np.asarray(value)
        elif name == "bias":
            yield f"{prefix}bias", np.asarray(value)
        else:
            raise ValueError(f'export_safetensors: torch has no layout for {prefix}{name}: use layout="seqvision"')
    if "mean" in stats and "var" in stats:
        yield f"{prefix}running_mean", np.asarray(stats["mean"])
        yield f"{prefix}running_var", np.asarray(stats["var"])
        yield f"{prefix}num_batches_tracked", np.zeros((), np.int64)
