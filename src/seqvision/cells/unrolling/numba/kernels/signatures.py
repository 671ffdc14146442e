"""What a call of the kernels takes and gives, in order: said once for who makes the call and for those who read it.

The fields of a tuple are operands or results in the order in which XLA hands them over, and `positions` of it says
where each one is. All have an axis of members, the models of a population, before the axes that are given here. An
array that a cell or a call does not have is empty. N sequences, T steps, D features, H units; a row of gates has
``columns`` values, and packed weights are as `matrix_product` takes them.
"""

from enum import IntEnum
from typing import Any, NamedTuple, TypeVar


class Kind(IntEnum):
    """What a kernel does between two products: a cell, Elman's by its activation; the last two have gates."""

    TANH = 0
    RELU = 1
    SIGMOID = 2
    LINEAR = 3
    LSTM = 4
    GRU = 5


class Work(IntEnum):
    """What a call is for."""

    FORWARD = 0
    BACKWARD = 1
    WEIGHT_GRADIENTS = 2
    INPUT_GRADIENTS = 3


class Handler(NamedTuple):
    """A function that XLA calls, compiled for one cell and one form of one work.

    >>> Handler(Work.FORWARD, Kind.LSTM, narrow=True).name
    'seqvision_lstm_forward_narrow'
    """

    work: Work
    kind: Kind = Kind.LINEAR
    narrow: bool = False  # whether sequences lie side by side in vectors, instead of units

    @property
    def name(self) -> str:
        """Under which XLA knows it."""
        form = "_narrow" if self.narrow else ""
        return f"seqvision_{self.kind.name}_{self.work.name}{form}".lower()


LOOPS = tuple(
    Handler(work, kind, narrow) for work in (Work.FORWARD, Work.BACKWARD) for kind in Kind for narrow in (False, True)
)
WEIGHTS = {kind: Handler(Work.WEIGHT_GRADIENTS, kind if kind == Kind.GRU else Kind.LINEAR) for kind in Kind}
INPUTS = Handler(Work.INPUT_GRADIENTS)
HANDLERS = (*LOOPS, *dict.fromkeys(WEIGHTS.values()), INPUTS)


class ForwardOperands(NamedTuple):
    """What the forward loop takes."""

    xs: Any  # (T, N, D)
    w_x: Any  # (panels, D, PANEL), packed
    w_h: Any  # (panels, H, PANEL), packed
    bias: Any  # (wide,)
    h0: Any  # (N, H)
    c0: Any  # (N, H)
    mask: Any  # (T, N)
    reset: Any  # (T, N)
    fresh_h: Any  # (N, H)
    fresh_c: Any  # (N, H)


class ForwardResults(NamedTuple):
    """What the forward loop gives."""

    hs: Any  # (T, N, H)
    cs: Any  # (T, N, H)
    saved: Any  # (T, N, columns), rows of gates as `seqvision.cells.unrolling.numba.rows` has them
    z: Any  # (N, wide), scratch: a step's pre-activations, filled up to whole panels
    last_h: Any  # (N, H)
    last_c: Any  # (N, H)
    turns: Any  # (2, N, H), scratch: h before and after a step take turns


class BackwardOperands(NamedTuple):
    """What the backward loop takes."""

    d_hs: Any  # (T, N, H)
    saved: Any  # (T, N, columns)
    hs: Any  # (T, N, H)
    cs: Any  # (T, N, H)
    h0: Any  # (N, H)
    c0: Any  # (N, H)
    mask: Any  # (T, N)
    reset: Any  # (T, N)
    fresh_h: Any  # (N, H)
    fresh_c: Any  # (N, H)
    w_back: Any  # (panels, columns that h is in, PANEL): W_h^T, packed
    d_last_h: Any  # (N, H)
    d_last_c: Any  # (N, H)


class BackwardResults(NamedTuple):
    """What the backward loop gives."""

    d: Any  # (T, N, columns), the gradients of rows
    d_fresh_h: Any  # (N, H)
    d_fresh_c: Any  # (N, H)
    carry: Any  # (N, wide), scratch: the gradient of h between two steps, filled up to whole panels
    d_c0: Any  # (N, H)
    spare: Any  # (N, 6 H), scratch
    d_h0: Any  # (N, H)


class WeightOperands(NamedTuple):
    """What the gradients of the weights take."""

    xs: Any  # (T, N, D)
    hs: Any  # (T, N, H)
    d: Any  # (T, N, columns)
    h0: Any  # (N, H)
    reset: Any  # (T, N)
    fresh_h: Any  # (N, H)


class WeightResults(NamedTuple):
    """What they give."""

    sums: Any  # (panels, H + 1 + D, PANEL): [h, 1, x]^T d, packed


class InputOperands(NamedTuple):
    """What the gradients of the inputs take."""

    d: Any  # (T N, columns)
    w_x_back: Any  # (panels, columns that x is in, PANEL): W_x^T, packed


class InputResults(NamedTuple):
    """What they give."""

    d_xs: Any  # (T N, D), filled up to whole panels


Fields = TypeVar("Fields", bound=tuple)


def positions(fields: type[Fields]) -> Fields:
    """Return a tuple that holds for each of its fields where it stands.

    >>> positions(WeightResults).sums
    0
    """
    return fields(*range(len(fields._fields)))  # type: ignore[attr-defined]
