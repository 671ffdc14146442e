"""How the CIFAR-10 speed records are trained: a fixed whitening layer, three step sizes, mirror images by turns.

Source: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024 (https://arxiv.org/abs/2404.00498); of it the
averaging of weights ("lookahead") is left out. Three details are not the listing's: the bias of the whitening layer
learns in all epochs (there in three), batch norm adds 1e-5 to the variance (1e-12), and the six views of an image count
the same (the two unshifted ones twice as much).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from seqvision.data import Arrays, Augment, PadCrop
from seqvision.models import WhitenedConvNet, whitening_kernel
from seqvision.training import Fit, SmoothedCrossEntropy, create_state, fit, updates_in

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

logger = logging.getLogger("seqvision.recipes")
SHIFTS = Augment((PadCrop(2),))


@dataclass(frozen=True)
class RecordRecipe:
    """How long, and by what steps.

    Args:
      epochs: passes over the training images.
      batch_size: images a step.
      learning_rate: largest step size for 1024 images, in proportion for others; biases of norms take 64 times as much.
      weight_decay: share of the weights taken off at a step of the largest size, for 1024 images, in proportion.
      smoothing: share of each label spread over all classes.
      compute_dtype: "bfloat16" on accelerators.
    """

    epochs: int = 8
    batch_size: int = 512
    learning_rate: float = 1.5
    weight_decay: float = 0.002
    smoothing: float = 0.2
    compute_dtype: Literal["bfloat16", "float32"] | None = None

    def optimizer(self, examples: int) -> optax.GradientTransformation:
        """Return the update rule for so many training images: two step sizes, and what stays as it is.

        Gradient descent with Nesterov's momentum .85; the step size rises in a line from .2 of the largest for .23 of
        all updates, then falls in a line to .07 of it.
        """
        updates = updates_in(self.epochs, examples, self.batch_size)
        share = self.batch_size / 1024

        def descent(learning_rate: float) -> optax.GradientTransformation:
            peak = share * learning_rate
            turns = {max(1, round(0.23 * updates)): 5.0, updates: 0.07}
            rate = optax.piecewise_interpolate_schedule("linear", 0.2 * peak, turns)
            decay = optax.add_decayed_weights(share * self.weight_decay / peak)
            return optax.chain(decay, optax.sgd(rate, momentum=0.85, nesterov=True))

        rules = {
            "kernel": descent(self.learning_rate),
            "bias": descent(64 * self.learning_rate),
            "fixed": optax.set_to_zero(),
        }
        return optax.partition(rules, kinds)


def train_record(
    model: WhitenedConvNet, data: Arrays, recipe: RecordRecipe, optimizer: optax.GradientTransformation, key: Array
) -> Fit:
    """Train once.

    Args:
      model: the network.
      data: scaled training images (N, H, W, C) and labels (N,).
      recipe: how.
      optimizer: `RecordRecipe.optimizer`, the same object for every seed, so that they share one program.
      key: from which every random number derives.

    Returns:
      The trained state, {"loss": (epochs,)}, and the seconds that compiling and the epochs took.
    """
    state = create_state(model, optimizer, key, jnp.zeros((1, *data.x.shape[1:])))
    whiten = {**state.params["whiten"], "kernel": jnp.asarray(whitening_kernel(data.x[:5000]))}
    state = state.replace(params={**state.params, "whiten": whiten})
    first = np.asarray(jax.random.bernoulli(jax.random.fold_in(key, 1), 0.5, (len(data),)))
    losses, seconds = [], {"compile": 0.0, "run": 0.0}
    for epoch in range(recipe.epochs):
        done = fit(
            model,
            mirror(data, first ^ (epoch % 2 == 1)),
            loss=SmoothedCrossEntropy(recipe.smoothing),
            optimizer=optimizer,
            epochs=1,
            batch_size=recipe.batch_size,
            key=key,
            augment=SHIFTS,
            compute_dtype=recipe.compute_dtype,
            state=state,
            progress=False,
        )
        state = done.state
        losses.append(done.history["loss"][0])
        seconds = {name: seconds[name] + done.seconds[name] for name in seconds}
        logger.info(f"  epoch {epoch + 1}: loss {losses[-1]:.3f}, {done.seconds['run']:.1f} s")
    return Fit(state, {"loss": np.stack(losses)}, seconds)


def mirror(data: Arrays, which: np.ndarray) -> Arrays:
    """Swap left and right of the images chosen (N,): by turns each is seen both ways over two epochs.

    >>> mirror(Arrays(np.array([[[[1.0], [2.0]]]]), np.zeros(1)), np.array([True])).x.ravel().tolist()
    [2.0, 1.0]
    """
    return Arrays(np.where(which[:, None, None, None], data.x[:, :, ::-1], data.x), data.y)


def kinds(params: Any) -> Any:
    """Name the rule of each parameter: the whitening filters and the scales of the norms stay as they are.

    >>> kinds({"norm1_1": {"scale": 1.0, "bias": 0.0}})
    {'norm1_1': {'bias': 'bias', 'scale': 'fixed'}}
    """

    def kind(path, _):
        layer, name = path[0].key, path[-1].key
        if name == "scale" or (layer, name) == ("whiten", "kernel"):
            return "fixed"
        return "bias" if layer.startswith("norm") else "kernel"

    return jax.tree_util.tree_map_with_path(kind, params)


def _view(shift: int, mirrored: bool) -> Callable[[Array], Array]:
    def view(images: Array) -> Array:
        rows, columns = images.shape[1:3]
        start = 1 - shift
        padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        shifted = padded[:, start : start + rows, start : start + columns]
        return shifted[:, :, ::-1] if mirrored else shifted

    return view


# Each image as it is, one pixel down and right, and one up and left; all three also mirrored.
VIEWS = tuple(_view(shift, mirrored) for shift in (0, 1, -1) for mirrored in (False, True))
