"""Layers and training steps of torch: a plain loop, fused Adam, subnormal numbers flushed to zero as XLA does."""

import torch
from conv_rows import LAYERS, NETWORKS, Layer, images, layer_input
from torch import nn


def prepare(row: str, way: str, steps: int, threads: int):
    """Return (a call to time, steps in a call)."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    if row in LAYERS:
        return layer(LAYERS[row]), 1
    if row not in NETWORKS:
        raise NotImplementedError("torch trains one network at a time")
    network = NETWORKS[row]
    x, y = (torch.from_numpy(a) for a in images(network, steps))
    x, y = x.movedim(-1, 1).contiguous(), y.long()
    model = build(row)
    model(x[:2])
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)

    def call():
        for index in torch.randperm(len(x)).split(network.batch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[index]), y[index]).backward()
            optimizer.step()

    return call, steps


def build(row: str) -> nn.Module:
    """Return one of the three networks."""
    stack: list[nn.Module] = []
    if row == "cifar":
        for channels in (32, 64, 128):
            for _ in range(2):
                stack += [nn.LazyConv2d(channels, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(channels)]
            stack.append(nn.MaxPool2d(2))
    for channels in {"mnist": (32, 64), "fashion": (32, 64, 128), "cifar": ()}[row]:
        stack += [nn.LazyConv2d(channels, 3, 1 if row == "mnist" else 2), nn.ReLU()]
        stack += [nn.MaxPool2d(2)] if row == "mnist" else []
    stack += [nn.Flatten(), nn.Dropout(0.5 if row == "mnist" else 0.2)]
    if row != "mnist":
        stack += [nn.LazyLinear(512 if row == "fashion" else 1024), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(*stack, nn.LazyLinear(10))


def layer(row: Layer):
    """Return a call of a layer's forward and backward pass."""
    x = torch.from_numpy(layer_input(row)).movedim(-1, 1).contiguous().requires_grad_()
    groups = row.C if row.kind == "depthwise" else 1
    if row.kind in ("max", "avg"):
        module = (nn.MaxPool2d if row.kind == "max" else nn.AvgPool2d)(row.k, row.stride)
    else:
        module = nn.Conv2d(row.C, row.F, row.k, row.stride, row.k // 2, groups=groups, bias=False)
    inputs = [x, *module.parameters()]
    weights = torch.full_like(module(x), 1.5)
    return lambda: torch.autograd.grad(module(x), inputs, weights)
