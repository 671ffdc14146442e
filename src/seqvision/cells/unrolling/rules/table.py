"""Which cells have a rule, and what it consists of."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from jax import Array

from ...base import PyTree
from ...elman import Elman
from ...gru import GRU
from ...lstm import LSTM
from .elman import ElmanRule
from .gru import ResetAfterRule, ResetBeforeRule
from .lstm import LSTMRule


class Rule(Protocol):
    """How a loop with a backward pass of its own runs one cell: its step cut where a loop needs it, and transposed."""

    def forward(self, params: PyTree, join: bool = False) -> tuple[Callable, Callable]:
        """Return ``share`` and ``advance``: a step is advance(share(x), state) -> new state, what backward needs.

        The share is what a step takes of the input, and can be computed before the loop, for all steps at once. With
        ``join`` it is the input itself where that is faster, and its product is a part of the step's.
        """
        ...

    def backward(self, params: PyTree) -> Callable:
        """Return ``retreat``, the transpose of a step: retreat(saved, state, d) -> d_a, d_state.

        From the gradient d of the new state: those of the pre-activations, with what else `gradients` needs, and that
        of the old state.
        """
        ...

    def gradients(self, params: PyTree, state: PyTree, x: Array, d_a: Any) -> tuple[PyTree, Array]:
        """Return the gradients of params and x of many steps at once: states and x (..., n), and what retreat gave."""
        ...


@runtime_checkable
class GatedRule(Rule, Protocol):
    """A rule whose products come before all else in a step, for kernels that have products of their own."""

    def gates(self, a: Sequence[Array], state: PyTree) -> tuple[PyTree, tuple]:
        """Apply what follows the products, and say what to keep of it for the backward pass."""
        ...

    def gates_back(self, saved: tuple, state: PyTree, d: PyTree) -> tuple[tuple, PyTree]:
        """Transpose `gates`: the gradients of a, and that of the old state but for what goes through the products."""
        ...


# By exact type: a subclass may have a step of its own, which a rule does not know, and runs by it, as a user's cell.
RULES: dict[type, Callable[[Any], Rule]] = {
    Elman: ElmanRule,
    LSTM: LSTMRule,
    GRU: lambda cell: (ResetAfterRule if cell.reset_after else ResetBeforeRule)(cell),
}


def rule_of(cell: Any) -> Any:
    """Return the rule of a cell, or None."""
    rule = RULES.get(type(cell))
    return None if rule is None else rule(cell)


def has_gated_rule(cell: Any) -> bool:
    """Whether a kernel with products of its own can run a cell: `Elman`, `LSTM`, `GRU` (reset_after)."""
    return isinstance(rule_of(cell), GatedRule)
