"""The one train step, for windows, images and whatever flax module a user brings."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_count, shown
from seqvision.data import Batch, WeightedBatch

from .losses import LossName, PerExample, like_outputs, resolve_loss, resolve_metrics
from .regularizers import judged
from .state import TrainState, call_model

Metrics = Mapping[str, str | PerExample] | Iterable[str | PerExample] | None
Step = Callable[[TrainState, Batch | WeightedBatch], tuple[TrainState, dict[str, Array]]]
Augmentation = Callable[[Array, Batch], Batch]
Penalty = Callable[[Any], Array]
ComputeType = Literal["bfloat16", "float32"]

_AUGMENT = 0xA06  # folded into the key before the step, so that augmentation, shuffling and dropout share no stream


def make_train_step(
    loss: LossName | PerExample,
    metrics: Metrics = None,
    *,
    augment: Augmentation | None = None,
    penalty: Penalty | None = None,
    micro_batch: int | None = None,
    compute_dtype: ComputeType | None = None,
) -> Step:
    """Build the pure function ``step(state, batch) -> (state, metrics)``; jit it, scan it or vmap it.

    Dropout and augmentation draw from streams of their own, derived from ``state.key`` and ``state.step``; batch
    statistics are carried, and the returned metrics are means over the batch, "loss" among them; those of a
    `seqvision.data.WeightedBatch` are weighted.

    Inside `jax.shard_map` a step sees the rows of its device alone: gradients of parameters that all devices share are
    then the sum over the devices of each one's mean, as of everything shared. Divide the loss by their number, or give
    arrays with a `NamedSharding` to a jitted step, which is the step of the whole batch.

    Args:
      loss: a name ("mse", "mae", "huber", "binary_cross_entropy", "cross_entropy", "categorical_cross_entropy",
        "sequence_cross_entropy") or a function (outputs, targets) -> (B,). Targets that differ from the outputs by axes
        of length 1 alone, (B,) from (B, 1), come in the outputs' shape; nothing else is reshaped or broadcast.
      metrics: names (also "accuracy", "token_accuracy", "exact_match") or such functions, or a mapping of names to
        either; "accuracy" beside binary cross entropy is that of each output by itself.
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
    loss_function = resolve_loss(loss)
    named = resolve_metrics(metrics, loss_function)
    if micro_batch is not None:
        check_count("micro_batch", micro_batch)
    check_functions(augment, penalty)
    dtype = compute_type(compute_dtype)

    def gradients(state: TrainState, batch: Batch | WeightedBatch, key: Array) -> Any:
        def objective(params: Any) -> tuple[Array, Any]:
            outputs, batch_stats = _forward(state, params, batch.x, key, dtype)
            y = like_outputs(outputs, batch.y)
            value = _mean(loss_function(outputs, y), "loss", batch)
            total = value if penalty is None else value + penalty(params)
            means = {"loss": value, **{name: _mean(f(outputs, y), name, batch) for name, f in named}}
            return total, (batch_stats, means)

        grads, (batch_stats, means) = jax.grad(objective, has_aux=True)(state.params)
        return grads, batch_stats, means

    def step(state: TrainState, batch: Any) -> tuple[TrainState, dict[str, Array]]:
        key = jax.random.fold_in(state.key, state.step)
        if augment is not None:
            drawn = augment(jax.random.fold_in(jax.random.fold_in(state.key, _AUGMENT), state.step), batch)
            # The barrier keeps a convolution from being fused with what made its input.
            weights = _weights(batch)
            batch = drawn if weights is None else WeightedBatch(drawn.x, drawn.y, weights)
            state, batch = jax.lax.optimization_barrier((state, batch))
        grads, batch_stats, means = _accumulate_gradients(partial(gradients, state), batch, key, micro_batch)
        return state.apply_gradients(grads=grads, batch_stats=batch_stats), means

    return step


def make_eval_step(
    loss: LossName | PerExample, metrics: Metrics = None
) -> Callable[[TrainState, Batch | WeightedBatch], dict[str, Array]]:
    """Build the pure function ``evaluate(state, batch) -> metrics``: no dropout, running batch statistics.

    Where the optimizer keeps an average of the weights (`average_weights`), that is what is evaluated.

    >>> import flax.linen as nn, jax.numpy as jnp, optax
    >>> from seqvision.training import create_state
    >>> state = create_state(nn.Dense(1), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3)))
    >>> sorted(make_eval_step("mse", {"mae"})(state, Batch(jnp.ones((4, 3)), jnp.zeros((4, 1)))))
    ['loss', 'mae']
    """
    loss_function = resolve_loss(loss)
    functions = (("loss", loss_function), *resolve_metrics(metrics, loss_function))

    def evaluate(state: TrainState, batch: Batch | WeightedBatch) -> dict[str, Array]:
        outputs = forward(judged(state), batch.x)
        y = like_outputs(outputs, batch.y)
        return {name: _mean(f(outputs, y), name, batch) for name, f in functions}

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
    variables, x = _variables(state, _cast_floats(params, dtype)), _cast_floats(x, dtype)
    if not state.batch_stats:
        outputs, batch_stats = call_model(state.apply_fn, variables, x, train=True, **options), state.batch_stats
    else:
        outputs, updates = call_model(state.apply_fn, variables, x, train=True, mutable=["batch_stats"], **options)
        batch_stats = jax.tree.map(lambda new, old: new.astype(old.dtype), updates["batch_stats"], state.batch_stats)
    return (outputs if dtype is None else _cast_floats(outputs, jnp.float32)), batch_stats


def _variables(state, params):
    return {"params": params, "batch_stats": state.batch_stats} if state.batch_stats else {"params": params}


def _mean(values, name, batch):
    examples = jax.tree.leaves(batch.x)[0].shape[0]
    if values.shape != (examples,):
        remedy = "average over all axes but the first" if values.shape else "leave the mean over the examples out"
        raise ValueError(f"{name} must give one value an example, ({examples},), got shape {values.shape}: {remedy}")
    return _weighted_mean(values, _weights(batch))


def _weights(batch: Any) -> Array | None:
    return getattr(batch, "weights", None)


def _weighted_mean(values: Array, weights: Array | None) -> Array:
    """Average values (B,); what has the weight 0 counts nothing, not even NaN, and without any weight there is 0."""
    if weights is None:
        return values.mean()
    total = weights.sum()
    weighted = jnp.where(weights == 0, 0, values) * weights
    return weighted.sum() / jnp.where(total == 0, 1, total)


def _accumulate_gradients(
    gradients: Callable[[Any, Array], Any], batch: Any, key: Array, micro_batch: int | None
) -> Any:
    """Return the mean over a batch's examples of what ``gradients`` returns, computed part by part.

    The parts are as equal as can be, and weigh by their examples, or their weights, so that a smaller last part, or
    batch, counts no more than it has.

    Args:
      gradients: (part, key) -> pytree of float arrays, each a mean over the part.
      batch: B examples.
      key: of the batch; each part has its own.
      micro_batch: examples at once at most; None takes the batch as one part.
    """
    examples = jax.tree.leaves(batch)[0].shape[0]
    if micro_batch is None or examples <= micro_batch:
        return gradients(batch, key)
    size = -(-examples // -(-examples // micro_batch))
    full, rest = divmod(examples, size)
    parts = jax.tree.map(lambda a: a[: full * size].reshape(full, size, *a.shape[1:]), batch)
    last = jax.tree.map(lambda a: a[full * size :], batch)

    def add(total: Any, part: Any, number: Any, count: int) -> Any:
        values = gradients(part, jax.random.fold_in(key, number))
        share: Any = count / examples
        if _weights(batch) is not None:
            everything = batch.weights.sum()
            share = part.weights.sum() / jnp.where(everything == 0, 1, everything)
        return jax.tree.map(lambda t, v: t + v * jnp.asarray(share, v.dtype), total, values)

    shapes = jax.eval_shape(gradients, jax.tree.map(lambda a: a[0], parts), key)
    total = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    total, _ = jax.lax.scan(lambda t, part: (add(t, part[0], part[1], size), None), total, (parts, jnp.arange(full)))
    return add(total, last, full, rest) if rest else total


def check_functions(augment: Any, penalty: Any) -> None:
    """Refuse an augmentation or a penalty that is no function, or a class of such."""
    for name, function, example in (
        ("augment", augment, "seqvision.data.Augment((Flip(),))"),
        ("penalty", penalty, "WeightPenalty(l2=1e-4)"),
    ):
        if function is not None and (isinstance(function, type) or not callable(function)):
            raise TypeError(f"{name} must be a function, such as {example}, got {shown(function)}")


def compute_type(name: Any) -> Any:
    """Return the name of the type to compute in, given by name or as ``jnp.bfloat16``; None for the parameters' own."""
    known = name
    if name is not None:
        with suppress(TypeError):
            known = jnp.dtype(name).name
    if known not in (None, "bfloat16", "float32"):
        raise ValueError(
            f'compute_dtype must be "bfloat16", "float32" or None, got {shown(name)}; float16 would need a scaled loss'
        )
    return known


def _cast_floats(tree: Any, dtype: Any) -> Any:
    """Return a tree whose float arrays have another type; None leaves all as they are."""
    if dtype is None:
        return tree
    return jax.tree.map(lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, tree)
