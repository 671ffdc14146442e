"""The one train step, for windows, images and whatever flax module a user brings."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

from seqvision.data import Batch

from .apply import call_model
from .gradients import cast_floats, cast_like, check_micro_batch, compute_type, over_parts
from .losses import PerExample, resolve_loss, resolve_metrics
from .state import TrainState

Metrics = Mapping[str, str | PerExample] | Iterable[str] | None
Step = Callable[[TrainState, Batch], tuple[TrainState, dict[str, Array]]]
Augmentation = Callable[[Array, Batch], Batch]
Penalty = Callable[[Any], Array]

_AUGMENT = 0xA06  # folded into the key before the step, so that augmentation, shuffling and dropout share no stream


def make_train_step(
    loss: str | PerExample,
    metrics: Metrics = None,
    *,
    augment: Augmentation | None = None,
    penalty: Penalty | None = None,
    micro_batch: int | None = None,
    compute_dtype: Literal["bfloat16", "float32"] | None = None,
) -> Step:
    """Build the pure function ``step(state, batch) -> (state, metrics)``; jit it, scan it or vmap it.

    Dropout and augmentation draw from streams of their own, derived from ``state.key`` and ``state.step``; batch
    statistics are carried, and the returned metrics are means over the batch, "loss" among them.

    Args:
      loss: a name ("mse", "mae", "huber", "binary_cross_entropy", "cross_entropy", "categorical_cross_entropy",
        "sequence_cross_entropy") or a function (outputs, targets) -> (B,).
      metrics: names (also "accuracy", "token_accuracy", "exact_match"), or a mapping of names to names or such
        functions.
      augment: (key, batch) -> batch, such as `seqvision.data.Augment`; loss and metrics see what it returns.
      penalty: params -> (), added to what is minimized and not to the reported loss, such as `WeightPenalty`.
      micro_batch: accumulate the gradient over parts of at most so many examples, which takes less memory. The step is
        that of the whole batch, but for batch norm, which normalizes each part by itself; its running statistics move
        once a step, by the mean over the parts.
      compute_dtype: "bfloat16" computes outputs in it from parameters kept in float32; loss, gradients' sums, optimizer
        and statistics stay in float32.

    >>> import flax.linen as nn, jax.numpy as jnp, optax
    >>> from seqvision.training import create_state
    >>> state = create_state(nn.Dense(1), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3)))
    >>> state, metrics = jax.jit(make_train_step("mse", {"mae"}))(state, Batch(jnp.ones((4, 3)), jnp.zeros((4, 1))))
    >>> int(state.step), sorted(metrics)
    (1, ['loss', 'mae'])
    """
    loss_function, named = resolve_loss(loss), resolve_metrics(metrics)
    check_micro_batch(micro_batch)
    dtype = compute_type(compute_dtype)

    def gradients(state: TrainState, batch: Batch, key: Array) -> Any:
        def objective(params: Any) -> tuple[Array, Any]:
            outputs, batch_stats = _forward(state, params, batch.x, key, dtype)
            value = _mean(loss_function(outputs, batch.y), "loss", batch)
            total = value if penalty is None else value + penalty(params)
            means = {"loss": value, **{name: _mean(f(outputs, batch.y), name, batch) for name, f in named}}
            return total, (batch_stats, means)

        grads, (batch_stats, means) = jax.grad(objective, has_aux=True)(state.params)
        return grads, batch_stats, means

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Array]]:
        key = jax.random.fold_in(state.key, state.step)
        if augment is not None:
            drawn = augment(jax.random.fold_in(jax.random.fold_in(state.key, _AUGMENT), state.step), batch)
            # The barrier keeps a convolution from being fused with what made its input.
            state, batch = jax.lax.optimization_barrier((state, drawn))
        grads, batch_stats, means = over_parts(lambda part, k: gradients(state, part, k), batch, key, micro_batch)
        return state.apply_gradients(grads=grads, batch_stats=batch_stats), means

    return step


def make_eval_step(loss: str | PerExample, metrics: Metrics = None) -> Callable[[TrainState, Batch], dict[str, Array]]:
    """Build the pure function ``evaluate(state, batch) -> metrics``: no dropout, running batch statistics.

    >>> import flax.linen as nn, jax.numpy as jnp, optax
    >>> from seqvision.training import create_state
    >>> state = create_state(nn.Dense(1), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3)))
    >>> sorted(make_eval_step("mse", {"mae"})(state, Batch(jnp.ones((4, 3)), jnp.zeros((4, 1)))))
    ['loss', 'mae']
    """
    functions = (("loss", resolve_loss(loss)), *resolve_metrics(metrics))

    def evaluate(state: TrainState, batch: Batch) -> dict[str, Array]:
        outputs = forward(state, batch.x)
        return {name: _mean(f(outputs, batch.y), name, batch) for name, f in functions}

    return evaluate


def forward(state: TrainState, x: Any) -> Any:
    """Return the model's outputs at inference: no dropout, running batch statistics.

    >>> import flax.linen as nn, jax.numpy as jnp, optax
    >>> from seqvision.training import create_state
    >>> forward(create_state(nn.Dense(2), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3))), jnp.ones((5, 3))).shape
    (5, 2)
    """
    return call_model(state.apply_fn, _variables(state, state.params), x, train=False)


def _forward(state, params, x, key, dtype):
    options: dict[str, Any] = {"rngs": {"dropout": key}}
    variables, x = _variables(state, cast_floats(params, dtype)), cast_floats(x, dtype)
    if not state.batch_stats:
        outputs, batch_stats = call_model(state.apply_fn, variables, x, train=True, **options), state.batch_stats
    else:
        outputs, updates = call_model(state.apply_fn, variables, x, train=True, mutable=["batch_stats"], **options)
        batch_stats = cast_like(updates["batch_stats"], state.batch_stats)
    return (outputs if dtype is None else cast_floats(outputs, jnp.float32)), batch_stats


def _variables(state, params):
    return {"params": params, "batch_stats": state.batch_stats} if state.batch_stats else {"params": params}


def _mean(values, name, batch):
    examples = jax.tree.leaves(batch.x)[0].shape[0]
    if values.shape != (examples,):
        raise ValueError(f"{name} must give one value an example, ({examples},), got shape {values.shape}")
    return values.mean()
