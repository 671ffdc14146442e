"""Is a compiled run of steps as fast as the same steps called one by one, on every network?

Question: a convolution's gradients that are fast in a program of their own can be tens of times slower inside a
program's loop. So for each network of the library: milliseconds of a training step (cross entropy, gradient descent
with momentum) in a run compiled as one program, and in a Python loop over the compiled step, on the CPU.

Command: python experiments/benchmarks/classic_networks.py
    (--networks, --rounds, --seconds)

How: small images and batches, so that no step takes seconds; dense layers of AlexNet and VGG are thinned to 512 units.
Run and loop take turns in one process with two threads; the best round of medians is shown.

Expected: no run takes more than 1.05 times as long as its loop.

Measured (from results/classic_networks.json by results/tables.py):
    python experiments/benchmarks/classic_networks.py (2026-11-21, 2 cores, AMD EPYC)
        a step, ms         run  loop  run / loop
        LeNet-5           8.44  8.16        1.03
        LeNet-5 dense      7.9  7.93           1
        MNIST convnet     21.8  29.5        0.74
        Fashion convnet   2.41  2.37        1.02
        compact           22.3  22.5        0.99
        CIFAR convnet     5.45  5.19        1.05
        six convolutions   104   114        0.91
        whitened          76.8  85.1         0.9
        CIFAR ResNet-20   47.3  58.8         0.8
        CIFAR ResNet-18    194   209        0.93
        AlexNet           34.2  33.4        1.02
        VGG-16             208   225        0.92
        GoogLeNet         80.7  92.5        0.87
        GoogLeNet BN      89.7   101        0.89
        ResNet-18         69.6  78.3        0.89
        ResNet-34          136   175        0.77
        ResNet-50          157   171        0.92
Running time: 7 min.
"""

from collections.abc import Callable
from dataclasses import dataclass

from seqvision.models import (
    VGG,
    AlexNet,
    CompactNet,
    GoogLeNet,
    LeNet5,
    SixConvNet,
    WhitenedConvNet,
    cifar_convnet,
    cifar_resnet18,
    cifar_resnet20,
    fashion_convnet,
    mnist_convnet,
    resnet18,
    resnet34,
    resnet50,
)
from seqvision.pipelines import run_experiment
from seqvision.training import make_run, make_train_step

import flax.linen as nn
import jax
import optax
from conv_rows import Network
from conv_seqvision import loop, start
from layer_worker import clock

NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int, int], int]] = {
    "LeNet-5": (lambda: LeNet5("original"), (28, 28, 1), 64),
    "LeNet-5 dense": (lambda: LeNet5("dense"), (28, 28, 1), 64),
    "MNIST convnet": (mnist_convnet, (28, 28, 1), 128),
    "Fashion convnet": (fashion_convnet, (28, 28, 1), 32),
    "compact": (CompactNet, (28, 28, 1), 64),
    "CIFAR convnet": (cifar_convnet, (32, 32, 3), 32),
    "six convolutions": (SixConvNet, (32, 32, 3), 32),
    "whitened": (WhitenedConvNet, (32, 32, 3), 16),
    "CIFAR ResNet-20": (cifar_resnet20, (32, 32, 3), 16),
    "CIFAR ResNet-18": (cifar_resnet18, (32, 32, 3), 8),
    "AlexNet": (lambda: AlexNet(10, dense=(512, 512)), (95, 95, 3), 8),
    "VGG-16": (lambda: VGG(dense=(512, 512), num_classes=10), (64, 64, 3), 4),
    "GoogLeNet": (lambda: GoogLeNet(10), (64, 64, 3), 8),
    "GoogLeNet BN": (lambda: GoogLeNet(10, batch_norm=True), (64, 64, 3), 8),
    "ResNet-18": (lambda: resnet18(10), (64, 64, 3), 8),
    "ResNet-34": (lambda: resnet34(10), (64, 64, 3), 8),
    "ResNet-50": (lambda: resnet50(10), (64, 64, 3), 8),
}


@dataclass(frozen=True)
class Config:
    """Compare a compiled run with a loop of steps."""

    networks: tuple[str, ...] = tuple(NETWORKS)
    """which"""
    steps: int = 4
    """in a run"""
    rounds: int = 2
    """of run and loop, taking turns"""
    seconds: float = 2.0
    """that a measurement lasts, at least"""


def main(config: Config) -> dict[str, dict[str, float]]:
    """Print milliseconds of a step by run and loop, and their ratio; return them."""
    unknown = sorted(set(config.networks) - set(NETWORKS))
    if unknown:
        raise ValueError(f"networks: {', '.join(unknown)} not known: choose from {', '.join(NETWORKS)}")
    result = {}
    print(f"{'network':<18}{'run, ms':>10}{'loop, ms':>10}{'run / loop':>12}", flush=True)
    for name in config.networks:
        ways = prepare(name, config.steps)
        rounds = [{w: clock(call, config.seconds, least=3) for w, call in ways.items()} for _ in range(config.rounds)]
        best = {way: 1e3 * min(one[way] for one in rounds) / config.steps for way in ways}
        result[name] = best
        print(f"{name:<18}{best['run']:>10.3g}{best['loop']:>10.3g}{best['run'] / best['loop']:>12.2f}", flush=True)
        jax.clear_caches()
    return result


def prepare(name: str, steps: int) -> dict[str, Callable[[], object]]:
    """Return a call of the compiled run and one of the loop."""
    build, shape, batch = NETWORKS[name]
    state, data = start(build(), Network(shape, batch, 0), steps, optax.sgd(1e-3, momentum=0.9))
    step = make_train_step("cross_entropy")
    run = jax.jit(make_run(step, epochs=1, batch_size=batch))
    return {
        "run": lambda: jax.block_until_ready(run(state, data)),
        "loop": loop(jax.jit(step, donate_argnums=0), state, data, batch, steps),
    }


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
