"""``check_cell``: everything that ``unroll`` and its users take for granted about a cell, tried on one."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seqvision.cells import unroll

from .trial import PyTree, Trial, cast, same_structure


def check_cell(
    cell: Any,
    in_features: int,
    *,
    event: tuple[int, ...] | None = None,
    params: PyTree = None,
    length: int = 5,
    batch_shapes: Sequence[tuple[int, ...]] = ((), (3,), (2, 3)),
    seed: int = 0,
    tolerance: float = 1e-8,
) -> None:
    """Try a cell against what its users rely on; say what failed, and with which sizes.

    In this order: the shapes of states and outputs for every batch shape; states that keep their structure, shapes and
    dtypes; examples that do not see their neighbors in the batch; jit against eager; vmap against a loop; ``unroll``
    against a Python loop, in reverse, over no steps at all, and split in two; masks (held states, outputs of 0, padding
    whose content, NaN included, touches neither outputs nor gradients) and resets; gradients against finite
    differences; parameters of one dtype with inputs of another. Numbers are compared in float64.

    Args:
      cell: any object with init(key, in_features), initial_state(params, batch_shape) and step(params, state, x).
      in_features: D, the size of the inputs that it is tried with.
      event: the shape of one input, its last axis D; (D,) where None. A cell that declares ``event_axes`` needs it.
      params: parameters to try; ``cell.init`` where None.
      length: T, the number of time steps, >= 3.
      batch_shapes: the batch shapes to try.
      seed: of the random inputs.
      tolerance: largest difference allowed, relative to 1 + the value expected.
    Raises:
      AssertionError: naming the check, what was compared, the sizes and the numbers.
      ValueError: if length < 3, or for an event that the cell and in_features refute.

    >>> from seqvision.cells import LSTM
    >>> check_cell(LSTM(4), in_features=3)
    """
    if length < 3:
        raise ValueError(f"length: {length} is too short for masks and resets to matter; give 3 or more")
    event, axes = (in_features,) if event is None else tuple(event), getattr(cell, "event_axes", 1)
    if len(event) != axes or event[-1] != in_features:
        raise ValueError(f"event: {event} must have {axes} axes, as {cell!r} declares, the last of size {in_features}")
    who = f"check_cell({cell!r}, in_features={in_features})"
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        with _Blame(who, "init"):
            params = cast(cell.init(jax.random.key(seed), in_features) if params is None else params, jnp.float64)
        trial = Trial(cell, params, event, length, tuple(map(tuple, batch_shapes)), seed, tolerance)
        for name, check in _CHECKS.items():
            with _Blame(who, name):
                check(trial)


class _Blame:
    """Turn whatever goes wrong inside into an AssertionError that says during which check of which cell."""

    def __init__(self, who: str, check: str):
        self.where = f"{who}, {check}"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if isinstance(error, AssertionError):
            raise AssertionError(f"{self.where}: {error}") from None
        if isinstance(error, Exception):
            raise AssertionError(f"{self.where}: raised {kind.__name__}: {error}") from error


def _shapes(trial: Trial) -> None:
    cell, params = trial.cell, trial.params
    alone = cell.initial_state(params, ())
    _, y_alone = cell.step(params, alone, trial.inputs())
    assert jnp.ndim(y_alone) == len(trial.event), (
        f"step on x {trial.event} must give y of {len(trial.event)} axes (..., H), got shape {jnp.shape(y_alone)}"
    )
    for batch in trial.batch_shapes:
        state = cell.initial_state(params, batch)
        _check_leaves(f"initial_state with batch_shape {batch}", state, alone, batch)
        new, y = cell.step(params, state, trial.inputs(*batch))
        assert y.shape == batch + y_alone.shape, (
            f"step on x {batch + trial.event} must give y {batch + y_alone.shape}, got {y.shape}"
        )
        _check_leaves(f"state after a step on x {batch + trial.event}", new, alone, batch)


def _check_leaves(what: str, state: PyTree, alone: PyTree, batch: tuple[int, ...]) -> None:
    same_structure(what, state, alone)
    for (path, leaf), single in zip(jax.tree_util.tree_leaves_with_path(state), jax.tree.leaves(alone), strict=True):
        assert jnp.shape(leaf) == batch + jnp.shape(single), (
            f"{what}: leaf {jax.tree_util.keystr(path) or 'state'} must be {batch + jnp.shape(single)}, "
            f"the batch axes {batch} and then {jnp.shape(single)}, got {jnp.shape(leaf)}"
        )


def _dtypes(trial: Trial) -> None:
    for dtype in (jnp.float32, jnp.float64):
        params, x = cast(trial.params, dtype), trial.inputs().astype(dtype)
        state = trial.cell.initial_state(params, ())
        new, y = trial.cell.step(params, state, x)
        name = jnp.dtype(dtype).name
        assert y.dtype == dtype, f"parameters and x of {name} must give y of {name}, got {y.dtype}"
        leaves = jax.tree_util.tree_leaves_with_path(new)
        for (path, after), before in zip(leaves, jax.tree.leaves(state), strict=True):
            assert after.dtype == before.dtype, (
                f"a step with parameters and x of {name} turned state leaf {jax.tree_util.keystr(path) or 'state'} "
                f"of shape {after.shape} from {before.dtype} into {after.dtype}; it must keep its dtype"
            )


def _examples(trial: Trial) -> None:
    for batch in trial.batch_shapes:
        x, state = trial.inputs(*batch), trial.state(batch)
        new, y = trial.cell.step(trial.params, state, x)
        expected_state, expected_ys = trial.slowly(jnp.expand_dims(x, len(batch)), state)
        trial.close(f"y with batch_shape {batch}", y, expected_ys.reshape(y.shape))
        trial.close(f"state with batch_shape {batch}", new, expected_state)


def _transforms(trial: Trial) -> None:
    step, given = trial.cell.step, (trial.params, trial.state((3,)), trial.inputs(3))
    expected = step(*given)
    trial.close("a second call against the first with batch_shape (3,), (state, y)", step(*given), expected)
    trial.close("jit against eager with batch_shape (3,), (state, y)", jax.jit(step)(*given), expected)
    mapped = jax.vmap(step, in_axes=(None, 0, 0))(*given)
    trial.close("vmap over 3 examples against a batch of 3, (state, y)", mapped, expected)


def _loops(trial: Trial) -> None:
    for batch in trial.batch_shapes:
        xs, state = trial.inputs(*batch, trial.length), trial.state(batch)
        trial.close(f"xs {xs.shape}, (state, ys)", trial.run(trial.params, xs, state=state), trial.slowly(xs, state))
    start = trial.cell.initial_state(trial.params, batch)
    trial.close(
        f"xs {xs.shape} from the initial state, (state, ys)", trial.run(trial.params, xs), trial.slowly(xs, start)
    )
    backwards = trial.run(trial.params, xs, state=state, reverse=True)
    trial.close(f"xs {xs.shape} in reverse, (state, ys)", backwards, trial.slowly(xs, state, reverse=True))
    none = trial.inputs(*batch, 0)
    final, ys = trial.run(trial.params, none, state=state)
    trial.close(f"xs {none.shape}, state", final, state)
    assert ys.shape[: len(batch) + 1] == (*batch, 0), f"xs {none.shape}: ys must have no steps, got shape {ys.shape}"


def _split(trial: Trial) -> None:
    xs, cut = trial.inputs(3, trial.length), trial.length // 2
    start = trial.cell.initial_state(trial.params, (3,))
    final, ys = trial.run(trial.params, xs, state=start)
    middle, head = trial.run(trial.params, xs[:, :cut], state=start)
    end, tail = trial.run(trial.params, xs[:, cut:], state=middle)
    trial.close(f"xs {xs.shape} cut at {cut}, ys", jnp.concatenate([head, tail], axis=1), ys)
    trial.close(f"xs {xs.shape} cut at {cut}, final state", end, final)


def _masks(trial: Trial) -> None:
    for batch in trial.batch_shapes:
        xs, state = trial.inputs(*batch, trial.length), trial.state(batch)
        mask, reset = trial.flags(*batch, trial.length)
        fast = trial.run(trial.params, xs, state=state, mask=mask, reset=reset)
        what = f"xs {xs.shape} with mask and reset, (state, ys)"
        trial.close(what, fast, trial.slowly(xs, state, mask, reset))
    fast = trial.run(trial.params, xs, state=state, mask=mask, reset=reset, reverse=True)
    trial.close(f"reversed {what}", fast, trial.slowly(xs, state, mask, reset, reverse=True))

    poisoned = jnp.where(mask.reshape(mask.shape + (1,) * len(trial.event)), xs, jnp.nan)
    clean = trial.run(trial.params, xs, state=state, mask=mask)
    fast = trial.run(trial.params, poisoned, state=state, mask=mask)
    trial.close(f"xs {xs.shape} with NaN in the padding, (state, ys)", fast, clean)
    final, ys = trial.run(trial.params, poisoned, state=state, mask=jnp.zeros_like(mask))
    trial.close(f"xs {xs.shape} all masked, (state, ys)", (final, ys), (state, jnp.zeros_like(ys)))

    def total(params, xs):
        return jnp.sum(unroll(trial.cell, params, xs, mask=mask, method="scan")[1])

    gradient = jax.jit(jax.grad(total, allow_int=True))
    what = f"gradients with xs {xs.shape} and NaN in the padding, params"
    trial.close(what, gradient(trial.params, poisoned), gradient(trial.params, xs))


def _gradients(trial: Trial) -> None:
    batch, rng = (3,), np.random.default_rng((trial.seed, 9))
    mask, reset = trial.flags(*batch, trial.length)
    reset = reset.at[0].set(False)  # the initial state matters in one row at least
    given = {"params": trial.params, "xs": trial.inputs(*batch, trial.length), "state": trial.state(batch)}
    leaves, structure = jax.tree_util.tree_flatten_with_path(given)
    flat = [leaf for _, leaf in leaves]
    smooth = [n for n, leaf in enumerate(flat) if jnp.issubdtype(leaf.dtype, jnp.floating)]

    def value(point, method):
        replaced = dict(zip(smooth, point, strict=True))
        now = jax.tree.unflatten(structure, [replaced.get(n, leaf) for n, leaf in enumerate(flat)])
        options = {"state": now["state"], "mask": mask, "reset": reset, "method": method}
        outs = jax.tree.leaves(unroll(trial.cell, now["params"], now["xs"], **options))
        outs = [out for out in outs if jnp.issubdtype(out.dtype, jnp.floating)]
        return sum(jnp.sum(out * jnp.cos(jnp.arange(out.size)).reshape(out.shape)) for out in outs)

    point = [flat[n] for n in smooth]
    value_at = jax.jit(value, static_argnums=1)
    gradient_at = jax.jit(jax.grad(value), static_argnums=1)
    gradients = {method: gradient_at(point, method) for method in ("scan", "auto")}
    for k, n in enumerate(smooth):
        path, leaf = leaves[n]
        direction, step = rng.normal(size=leaf.shape), 1e-6
        ahead, behind = ([*point[:k], leaf + sign * step * direction, *point[k + 1 :]] for sign in (1.0, -1.0))
        slope = float(value_at(ahead, "scan") - value_at(behind, "scan")) / (2.0 * step)
        for method, gradient in gradients.items():
            got = float(jnp.sum(gradient[k] * direction))
            assert abs(got - slope) <= 1e-5 * (1.0 + abs(slope)), (
                f"{jax.tree_util.keystr(path)} of shape {leaf.shape}, xs {given['xs'].shape}, method {method!r}: "
                f"along a random direction autodiff gives {got}, finite differences {slope}"
            )


def _mixtures(trial: Trial) -> None:
    for of_params, of_inputs in ((jnp.float16, jnp.float32), (jnp.float32, jnp.float16), (jnp.bfloat16, jnp.float32)):
        params, xs = cast(trial.params, of_params), trial.inputs(3, trial.length).astype(of_inputs)
        _, ys = trial.run(params, xs)
        names = f"parameters of {jnp.dtype(of_params).name} with xs {xs.shape} of {jnp.dtype(of_inputs).name}"
        assert bool(jnp.all(jnp.isfinite(ys))), f"{names}: ys are not finite"


_CHECKS = {
    "shapes": _shapes,
    "dtypes": _dtypes,
    "examples of a batch against each alone": _examples,
    "one step transformed": _transforms,
    "unroll against a Python loop": _loops,
    "unroll in two parts against the whole": _split,
    "mask and reset": _masks,
    "gradients against finite differences": _gradients,
    "parameters and inputs of different dtypes": _mixtures,
}
