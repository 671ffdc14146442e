"""Weights of torchvision's ResNet, VGG, AlexNet and GoogLeNet; neither torch nor torchvision is imported."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from seqvision.models import VGG, AlexNet, GoogLeNet, ResNet

from ._weights import as_array, given


class _Layer(NamedTuple):
    """One layer of torchvision beside ours."""

    name: str  # torchvision's, such as "layer1.0.conv1"
    path: tuple[str, ...]  # ours, such as ("stage1_block1", "conv1")
    kind: Literal["conv", "norm", "dense", "first dense"]  # the latter over the flattened (C, H, W) of the last conv
    bias: bool = True


_MANY = 1e6  # batches that statistics have seen if they tell of none
_NORM = {"weight": ("params", "scale"), "bias": ("params", "bias")}
_NORM |= {"running_mean": ("batch_stats", "mean"), "running_var": ("batch_stats", "var")}


def from_torchvision(model: nn.Module, state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model's variables from the state_dict of torchvision's network of the same kind: the same function.

    torchvision keeps convolutions as (C_out, C_in, H, W) and flattens (C, H, W) before its dense layers; ours are
    (H, W, C_in, C_out) and (H, W, C). Its published weights want RGB in 0..1, less the mean (.485, .456, .406), divided
    by (.229, .224, .225).

    Args:
      model: a `ResNet` with the large stem and projections, a `VGG`, an `AlexNet`, or a `GoogLeNet` with batch norm
        (whose auxiliary heads are left out), with as many classes as the weights.
      state_dict: names -> arrays or tensors.

    Returns:
      {"params": ..., "batch_stats": ...}, the latter where the model normalizes.

    Raises:
      ValueError: for a name that is missing or left over, or a shape that does not fit the model.
      TypeError: for a model that torchvision does not have.

    >>> from seqvision.models import ResNet
    >>> model = ResNet((1,), (4,), num_classes=3)  # resnet18() and vgg16() in the same way
    >>> variables = model.init(jax.random.key(0), jnp.ones((1, 8, 8, 3)))
    >>> again = from_torchvision(model, to_torchvision(model, variables))
    >>> all(map(np.array_equal, jax.tree.leaves(variables), jax.tree.leaves(again)))
    True
    """
    state_dict = given("from_torchvision", state_dict, "state_dict", "pass the network's state_dict()")
    layers = list(_layers("from_torchvision", model))
    channels = _last_channels(model)
    arrays: dict[tuple[str, ...], Any] = {}
    used = set()
    for layer in layers:
        for suffix, path in _fields(layer):
            name = f"{layer.name}.{suffix}"
            if name not in state_dict:
                raise ValueError(
                    f"from_torchvision: no {name!r} among {len(state_dict)} names such as {sorted(state_dict)[:3]}: "
                    f"pass the state_dict of torchvision's network that is like {type(model).__name__}"
                )
            used.add(name)
            array = as_array("from_torchvision", name, state_dict[name])
            arrays[path] = _ours(layer, suffix, array, channels)
        if layer.kind == "norm":
            seen = state_dict.get(f"{layer.name}.num_batches_tracked", 0)
            arrays["batch_stats", *layer.path, "count"] = _count(arrays, layer.path, int(np.asarray(seen)))
    extra = sorted(n for n in set(state_dict) - used if not n.startswith("aux") and "num_batches_tracked" not in n)
    if extra:
        raise ValueError(f"from_torchvision: {extra[:3]} have no place in {model!r}: choose the model of the weights")
    variables = _nest(arrays)
    _check_shapes("from_torchvision", model, variables)
    return jax.tree.map(jnp.asarray, variables)


def to_torchvision(model: nn.Module, variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return what torchvision's state_dict holds for a model: the inverse of `from_torchvision`.

    ``network.load_state_dict({name: torch.from_numpy(a) for name, a in d.items()})`` takes it.

    Args:
      model: as for `from_torchvision`.
      variables: {"params": ..., "batch_stats": ...}; of a `TrainState`, ``{"params": state.params, "batch_stats":
        state.batch_stats}``.

    Returns:
      Names -> NumPy arrays.

    Raises:
      ValueError: for variables that do not fit the model.
      TypeError: for a model that torchvision does not have.

    >>> from seqvision.models import VGG
    >>> model = VGG((1,), (4,), dense=(8,), num_classes=3)
    >>> variables = model.init(jax.random.key(0), jnp.ones((1, 8, 8, 3)))
    >>> to_torchvision(model, variables)["classifier.0.weight"].shape
    (8, 64)
    """
    layers = list(_layers("to_torchvision", model))
    channels = _last_channels(model)
    _check_shapes("to_torchvision", model, variables)
    weights: dict[str, np.ndarray] = {}
    for layer in layers:
        for suffix, path in _fields(layer):
            array: Any = variables
            for part in path:
                array = array[part]
            array = _theirs(layer, suffix, np.asarray(array), channels)
            weights[f"{layer.name}.{suffix}"] = np.array(array, order="C")  # a copy, which torch may write to
        if layer.kind == "norm":
            count: Any = variables["batch_stats"]
            for part in (*layer.path, "count"):
                count = count[part]
            weights[f"{layer.name}.num_batches_tracked"] = np.asarray(count % _MANY).astype(np.int64)
    return weights


def _layers(owner: str, model: nn.Module) -> Iterator[_Layer]:
    """All layers of a model."""
    match model:
        case ResNet(stem="large", shortcut="projection"):
            yield from _resnet(model)
        case VGG():
            yield from _vgg(model)
        case AlexNet():
            for i, place in enumerate((0, 3, 6, 8, 10), start=1):
                yield _Layer(f"features.{place}", (f"conv{i}",), "conv")
            yield _Layer("classifier.1", ("dense1",), "first dense")
            yield _Layer("classifier.4", ("dense2",), "dense")
            yield _Layer("classifier.6", ("head", "dense"), "dense")
        case GoogLeNet(batch_norm=True):
            yield from _googlenet()
        case _:
            raise TypeError(
                f"{owner}: torchvision has no network like {model!r}: pass a ResNet with the large stem and "
                "projections, a VGG, an AlexNet or a GoogLeNet with batch_norm=True"
            )


def _normalized(conv: str, norm: str, *path: str) -> Iterator[_Layer]:
    yield _Layer(conv, path, "conv", bias=False)
    yield _Layer(norm, (*path, "norm"), "norm")


def _resnet(model: ResNet) -> Iterator[_Layer]:
    yield from _normalized("conv1", "bn1", "stem")
    convolutions = 2 if model.block == "basic" else 3
    for s, count in enumerate(model.blocks):
        for b in range(count):
            theirs, ours = f"layer{s + 1}.{b}", f"stage{s + 1}_block{b + 1}"
            for c in range(1, convolutions + 1):
                yield from _normalized(f"{theirs}.conv{c}", f"{theirs}.bn{c}", ours, f"conv{c}")
            if not b and (s or model.block == "bottleneck"):
                yield from _normalized(f"{theirs}.downsample.0", f"{theirs}.downsample.1", ours, "shortcut")
    yield _Layer("fc", ("head", "dense"), "dense")


def _vgg(model: VGG) -> Iterator[_Layer]:
    place = 0
    for s, count in enumerate(model.convolutions, start=1):
        for c in range(1, count + 1):
            yield _Layer(f"features.{place}", (f"conv{s}_{c}",), "conv")
            if model.batch_norm:
                yield _Layer(f"features.{place + 1}", (f"conv{s}_{c}", "norm"), "norm")
            place += 3 if model.batch_norm else 2
        place += 1  # the pool
    for i in range(len(model.dense)):
        yield _Layer(f"classifier.{3 * i}", (f"dense{i + 1}",), "dense" if i else "first dense")
    yield _Layer(f"classifier.{3 * len(model.dense)}", ("head", "dense"), "dense")


def _googlenet() -> Iterator[_Layer]:
    branches = {"one": "1", "three_in": "2.0", "three": "2.1", "wide_in": "3.0", "wide": "3.1", "pooled": "4.1"}
    for name in ("conv1", "conv2", "conv3"):
        yield from _normalized(f"{name}.conv", f"{name}.bn", name)
    for block in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        for ours, branch in branches.items():
            theirs = f"inception{block}.branch{branch}"
            yield from _normalized(f"{theirs}.conv", f"{theirs}.bn", block, ours)
    yield _Layer("fc", ("head", "dense"), "dense")


def _fields(layer: _Layer) -> Iterator[tuple[str, tuple[str, ...]]]:
    """torchvision's suffix and our path of each array of a layer."""
    if layer.kind == "norm":
        for suffix, (collection, field) in _NORM.items():
            yield suffix, (collection, *layer.path, field)
        return
    yield "weight", ("params", *layer.path, "kernel")
    if layer.bias:
        yield "bias", ("params", *layer.path, "bias")


def _count(arrays: Mapping[tuple[str, ...], Any], path: tuple[str, ...], seen: int) -> np.ndarray:
    """How many batches a norm has seen: published statistics that tell of none have seen many."""
    fresh = not np.any(arrays["batch_stats", *path, "mean"]) and np.all(arrays["batch_stats", *path, "var"] == 1)
    return np.asarray(seen or (0 if fresh else _MANY), np.float32)


def _ours(layer: _Layer, suffix: str, array: Any, channels: int) -> Any:
    if suffix != "weight" or layer.kind == "norm":
        return array
    if layer.kind == "conv":
        return array.transpose(2, 3, 1, 0)
    if layer.kind == "first dense":
        units, side = array.shape[0], _side(array.shape[1], channels)
        return array.reshape(units, channels, side, side).transpose(2, 3, 1, 0).reshape(-1, units)
    return array.T


def _theirs(layer: _Layer, suffix: str, array: np.ndarray, channels: int) -> np.ndarray:
    if suffix != "weight" or layer.kind == "norm":
        return array
    if layer.kind == "conv":
        return array.transpose(3, 2, 0, 1)
    if layer.kind == "first dense":
        side, units = _side(array.shape[0], channels), array.shape[1]
        return array.reshape(side, side, channels, units).transpose(3, 2, 0, 1).reshape(units, -1)
    return array.T


def _last_channels(model: nn.Module) -> int:
    return model.channels[-1] if isinstance(model, VGG) else 256


def _side(features: int, channels: int) -> int:
    side = round((features / channels) ** 0.5)
    if side < 1 or side**2 * channels != features:
        raise ValueError(f"the first dense layer reads {features} features, which are no square of {channels} channels")
    return side


def _check_shapes(owner: str, model: nn.Module, variables: Mapping[str, Any]) -> None:
    """Refuse variables of other shapes than the model's own, on images that fit the first dense layer."""
    first = "stem" if isinstance(model, ResNet) else "conv1_1" if isinstance(model, VGG) else "conv1"
    side, params = 64, variables["params"]
    if isinstance(model, VGG | AlexNet):
        cells = _side(params["dense1"]["kernel"].shape[0], _last_channels(model))
        side = cells * 2 ** len(model.convolutions) if isinstance(model, VGG) else 31 + 32 * cells
    image = jax.ShapeDtypeStruct((1, side, side, params[first]["kernel"].shape[2]), jnp.float32)
    wanted = jax.eval_shape(model.init, jax.random.key(0), image)
    found = {jax.tree_util.keystr(path): np.shape(leaf) for path, leaf in jax.tree.leaves_with_path(dict(variables))}
    for path, leaf in jax.tree.leaves_with_path(wanted):
        name = jax.tree_util.keystr(path)
        if found.get(name) != leaf.shape:
            raise ValueError(
                f"{owner}: {name} has the shape {found.get(name)}, but {type(model).__name__} wants {leaf.shape}: "
                "give the model the sizes of the weights, num_classes among them"
            )


def _nest(arrays: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, array in arrays.items():
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = array
    return tree
