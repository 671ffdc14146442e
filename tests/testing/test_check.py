"""check_cell passes cells that are right and says what is wrong with those that are not."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
import pytest

from seqvision.cells import GRU
from seqvision.testing import check_cell


class Params(NamedTuple):
    w: jax.Array  # (D + H, H)


@dataclass(frozen=True)
class Leaky:
    """A right cell, with a counter in its state: h' = h / 2 + tanh([x, h] w); the parts below break it one by one."""

    hidden: int = 4

    def init(self, key, in_features):
        return Params(jax.random.normal(key, (in_features + self.hidden, self.hidden)) / 4)

    def initial_state(self, params, batch_shape=()):
        return {"h": jnp.zeros((*batch_shape, self.hidden), params.w.dtype), "steps": jnp.zeros(batch_shape, jnp.int32)}

    def squash(self, a):
        return jnp.tanh(a)

    def step(self, params, state, x):
        h = 0.5 * state["h"] + self.squash(jnp.concatenate([x, state["h"]], axis=-1) @ params.w)
        return {"h": h, "steps": state["steps"] + 1}, h


@pytest.mark.parametrize("cell", [Leaky(), GRU(3, reset_after=False)])
def test_right_cells_pass(cell):
    check_cell(cell, in_features=2, batch_shapes=[(), (2, 2)], length=4)
    assert jnp.ones(1).dtype == jnp.float32  # double precision ends with the check


class WrongStateShape(Leaky):
    def step(self, params, state, x):
        state, y = super().step(params, state, x)
        return {**state, "h": state["h"][..., :-1]}, y


class StateWithoutBatch(Leaky):
    def initial_state(self, params, batch_shape=()):
        return super().initial_state(params)


class OtherStructure(Leaky):
    def step(self, params, state, x):
        state, y = super().step(params, state, x)
        return state["h"], y


class OutputWithoutBatch(Leaky):
    def step(self, params, state, x):
        state, y = super().step(params, state, x)
        return state, y.reshape(-1, self.hidden).sum(axis=0)


class SeesItsNeighbors(Leaky):
    def squash(self, a):
        return jnp.tanh(a - a.mean(axis=tuple(range(a.ndim - 1)), keepdims=True) * (a.ndim > 1))


class WidensItsState(Leaky):
    def initial_state(self, params, batch_shape=()):
        return {**super().initial_state(params, batch_shape), "h": jnp.zeros((*batch_shape, self.hidden), jnp.bfloat16)}


class FixedDtype(Leaky):
    def squash(self, a):
        return jnp.tanh(a.astype(jnp.float32))

    def step(self, params, state, x):
        state, y = super().step(params, state, x)
        return state, y.astype(jnp.float32)


class StopsTheGradient(Leaky):
    def squash(self, a):
        return jnp.tanh(a) + jax.lax.stop_gradient(jnp.sin(a))


class RoundsAway(Leaky):
    def squash(self, a):
        return jnp.round(a * 4) / 4 + jnp.tanh(a)


@dataclass(frozen=True)
class Remembers(Leaky):
    seen: list = field(default_factory=list, hash=False, compare=False, repr=False)

    def squash(self, a):
        self.seen.append(None)
        return jnp.tanh(a) * len(self.seen)


class BranchesOnValues(Leaky):
    def squash(self, a):
        return jnp.tanh(a) if a.any() else jnp.zeros_like(a)


class StartsElsewhere(Leaky):
    """Its initial state knows the batch shape: a reset inside a batch differs from a fresh start of one example."""

    def initial_state(self, params, batch_shape=()):
        state = super().initial_state(params, batch_shape)
        return {**state, "h": state["h"] + len(batch_shape)}


@jax.custom_vjp
def wrong_by_hand(a):
    return jnp.tanh(a)


wrong_by_hand.defvjp(lambda a: (jnp.tanh(a), jnp.tanh(a)), lambda t, d: (d * (1 - t),))


class WrongByHand(Leaky):
    def squash(self, a):
        return wrong_by_hand(a)


class NotDifferentiableAtZero(Leaky):
    """Harmless but for padding, which is zeroed: there the slope of the root is infinite."""

    def step(self, params, state, x):
        state, y = super().step(params, state, x)
        return state, y * jnp.sqrt(jnp.sum((x @ params.w[: x.shape[-1]]) ** 2, axis=-1, keepdims=True))


BROKEN = [
    (WrongStateShape(), r"shapes: state after a step on x \(3,\): leaf \['h'\] must be \(4,\), .* got \(3,\)"),
    (StateWithoutBatch(), r"shapes: initial_state with batch_shape \(3,\): leaf \['h'\] must be \(3, 4\).* got \(4,\)"),
    (OtherStructure(), r"shapes: state after a step .*: structure PyTreeDef\(\*\) against PyTreeDef\(\{"),
    (OutputWithoutBatch(), r"shapes: step on x \(3, 3\) must give y \(3, 4\), got \(4,\)"),
    (
        SeesItsNeighbors(),
        r"each alone: y with batch_shape \(3,\) of shape \(3, 4\): 12 of 12 entries differ, first at",
    ),
    (WidensItsState(), r"dtypes: .* float32 turned state leaf \['h'\] of shape \(4,\) from bfloat16 into float32"),
    (FixedDtype(), r"dtypes: parameters and x of float64 must give y of float64, got float32"),
    (
        StopsTheGradient(),
        r"finite differences: \['params'\]\.w of shape \(7, 4\), xs \(3, 5, 3\), method 'scan': .* gives",
    ),
    (WrongByHand(), r"finite differences: \['params'\]\.w of shape \(7, 4\)"),
    (Remembers(), r"each alone: y with batch_shape \(\) of shape \(4,\): 4 of 4 entries differ"),
    (BranchesOnValues(), r"transformed: raised TracerBoolConversionError"),
    (StartsElsewhere(), r"mask and reset: xs \(3, 5, 3\) with mask and reset, \(state, ys\)\[0\]\['h'\] .* differ"),
    (
        NotDifferentiableAtZero(),
        r"mask and reset: gradients with xs .* and NaN in the padding, params\.w .* nan against nan",
    ),
]


@pytest.mark.parametrize(("cell", "message"), BROKEN, ids=lambda value: type(value).__name__)
def test_broken_cells_are_caught_with_a_telling_message(cell, message):
    with pytest.raises(AssertionError) as error:
        check_cell(cell, in_features=3, batch_shapes=[(), (3,)])
    assert re.search(message, str(error.value)), str(error.value)
    assert str(error.value).startswith(f"check_cell({cell!r}, in_features=3), ")


def test_an_object_that_is_no_cell():
    with pytest.raises(AssertionError, match="init: raised AttributeError"):
        check_cell(object(), in_features=3)


def test_too_short_a_sequence():
    with pytest.raises(ValueError, match="length: 2"):
        check_cell(Leaky(), 3, length=2)
