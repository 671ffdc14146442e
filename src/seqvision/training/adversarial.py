"""Two networks trained against each other: a generator that makes images, a discriminator that tells them from real."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax import Array

from seqvision._checks import check_count, check_number
from seqvision.data import Batch

from .arguments import resolve_key
from .optimizers import OptimizerName
from .state import TrainState, call_model, create_state
from .step import forward

_NOISE, _DROPOUT = 0xA0, 0xA1  # folded into the key of a step


class AdversarialState(NamedTuple):
    """The states of both networks; `make_run` takes it like a `TrainState`."""

    generator: TrainState
    discriminator: TrainState

    @property
    def step(self) -> Array:
        """Steps taken."""
        return jnp.asarray(self.discriminator.step)

    @property
    def key(self) -> Array:
        """The key that a run derives its draws from."""
        return self.discriminator.key


def create_adversarial_state(
    generator: nn.Module,
    discriminator: nn.Module,
    optimizer: optax.GradientTransformation | OptimizerName,
    key: Array | int,
    example_x: Any,
    *,
    latent: int,
) -> AdversarialState:
    """Initialize both networks, each with its own optimizer state.

    Args:
      generator: from noise (B, latent) to what real examples look like.
      discriminator: from examples to logits (B,), positive for real ones.
      optimizer: an optax transformation for both, or a name, see `fit`; DCGAN's is ``optax.adam(2e-4, b1=0.5)``.
      key: a JAX key, or a seed.
      example_x: a real example with its batch axis.
      latent: numbers of noise.

    >>> from seqvision.models import digit_gan
    >>> state = create_adversarial_state(*digit_gan((4, 4)), optax.adam(2e-4), jax.random.key(0),
    ...                                  jnp.ones((1, 28, 28, 1)), latent=8)
    >>> generate_samples(state, jnp.ones((3, 8))).shape
    (3, 28, 28, 1)
    """
    check_count("latent", latent, owner="create_adversarial_state")
    one, two = jax.random.split(resolve_key(key))
    return AdversarialState(
        create_state(generator, optimizer, one, jnp.zeros((1, latent))),
        create_state(discriminator, optimizer, two, example_x),
    )


def make_adversarial_step(
    latent: int, *, smoothing: float = 0.0
) -> Callable[[AdversarialState, Batch], tuple[AdversarialState, dict[str, Array]]]:
    """Build the pure function ``step(state, batch) -> (state, metrics)``: first the discriminator, then the generator.

    The discriminator lowers the cross entropy of batch.x as real and of as many made examples as made; real and made
    ones pass it as batches of their own, for batch norm. Then the generator raises the new discriminator's log
    probability that the same made examples are real. `make_run` makes a whole run of it.

    Args:
      latent: numbers of standard normal noise an example.
      smoothing: real examples count as real by 1 - smoothing.

    Returns:
      step; its metrics are "discriminator_loss", "generator_loss", and the shares of real and of made examples that
      the discriminator told right, "real_right" and "made_right".

    Source: Goodfellow et al., Generative Adversarial Nets, 2014, algorithm 1 with one step of each and the
    non-saturating loss; smoothing as in Salimans et al., arXiv:1606.03498.

    >>> networks = nn.Dense(2), nn.Sequential([nn.Dense(1), jnp.ravel])  # `digit_gan()` for images
    >>> x = jnp.zeros((4, 2))
    >>> state = create_adversarial_state(*networks, optax.sgd(0.1), jax.random.key(0), x, latent=8)
    >>> state, metrics = jax.jit(make_adversarial_step(8))(state, Batch(x, None))
    >>> int(state.step), sorted(metrics)
    (1, ['discriminator_loss', 'generator_loss', 'made_right', 'real_right'])
    """
    check_count("latent", latent, owner="make_adversarial_step")
    check_number("smoothing", smoothing, owner="make_adversarial_step", least=0, below=1)

    def step(state: AdversarialState, batch: Batch) -> tuple[AdversarialState, dict[str, Array]]:
        generator, discriminator = state
        key = jax.random.fold_in(state.key, state.step)
        noise = jax.random.normal(jax.random.fold_in(key, _NOISE), (batch.x.shape[0], latent))
        keys = jax.random.split(jax.random.fold_in(key, _DROPOUT), 4)
        made, pull, stats = jax.vjp(
            lambda params: _outputs(generator, params, noise, keys[0]), generator.params, has_aux=True
        )

        def judge(params: Any) -> tuple[Array, Any]:
            real, after = _outputs(discriminator, params, batch.x, keys[1])
            fake, after = _outputs(discriminator.replace(batch_stats=after), params, made, keys[2])
            loss = _cross_entropy(real, 1 - smoothing) + _cross_entropy(fake, 0.0)
            return loss, (after, (real > 0).mean(), (fake <= 0).mean())

        (loss, (after, real_right, made_right)), grads = jax.value_and_grad(judge, has_aux=True)(discriminator.params)
        discriminator = discriminator.apply_gradients(grads=grads, batch_stats=after)

        def deceive(made: Array) -> Array:
            return _cross_entropy(_outputs(discriminator, discriminator.params, made, keys[3])[0], 1.0)

        generator_loss, d_made = jax.value_and_grad(deceive)(made)
        generator = generator.apply_gradients(grads=pull(d_made)[0], batch_stats=stats)
        metrics = {"discriminator_loss": loss, "generator_loss": generator_loss}
        metrics |= {"real_right": real_right, "made_right": made_right}
        return AdversarialState(generator, discriminator), metrics

    return step


def generate_samples(state: AdversarialState, noise: Array) -> Array:
    """Make examples from noise (B, latent), with the generator's running batch statistics.

    >>> from seqvision.models import digit_gan
    >>> state = create_adversarial_state(*digit_gan((4, 4)), optax.sgd(0.1), jax.random.key(0),
    ...                                  jnp.ones((1, 28, 28, 1)), latent=2)
    >>> float(jnp.abs(generate_samples(state, jnp.ones((1, 2)))).max()) <= 1
    True
    """
    return forward(state.generator, noise)


def _outputs(state: TrainState, params: Any, x: Array, key: Array) -> tuple[Array, Any]:
    """Outputs in training, and the batch statistics after them."""
    variables = {"params": params} | ({"batch_stats": state.batch_stats} if state.batch_stats else {})
    options: dict[str, Any] = {"rngs": {"dropout": key}, "mutable": ["batch_stats"]}
    outputs, updates = call_model(state.apply_fn, variables, x, train=True, **options)
    return outputs, updates.get("batch_stats", state.batch_stats)


def _cross_entropy(logits: Array, real: float) -> Array:
    return optax.losses.sigmoid_binary_cross_entropy(logits, jnp.full(logits.shape, real)).mean()
