"""A call of a loop over time as the kernels see it: sizes, and addresses of one member's operands and results."""

from typing import NamedTuple

from .intrinsics import compiled
from .signatures import (
    BackwardOperands,
    BackwardResults,
    ForwardOperands,
    ForwardResults,
    Kind,
    positions,
)
from .xla_ffi import address, operands_of, results_of, size


class Forward(NamedTuple):
    """A call of the forward loop; what is named like an array of `signatures` is its address."""

    kind: int
    T: int
    N: int
    D: int
    H: int
    wide: int  # values of a row of z
    xs: int
    w_x: int
    w_h: int
    bias: int
    h0: int
    c0: int
    mask: int
    reset: int
    fresh_h: int
    fresh_c: int
    hs: int
    cs: int
    saved: int
    z: int
    last_h: int
    c: int  # c of the step that is computed, and the last one in the end
    turns: int
    masked: bool
    resets: bool
    stacks: bool  # whether hs is wanted
    saves: bool  # whether cs and saved are


class Backward(NamedTuple):
    """A call of the backward loop."""

    kind: int
    T: int
    N: int
    H: int
    columns: int  # values of a row of gates
    wide: int  # values of a row of carry
    d_hs: int
    saved: int
    hs: int
    cs: int
    h0: int
    c0: int
    mask: int
    reset: int
    fresh_h: int
    fresh_c: int
    w_back: int
    d_last_h: int
    d_last_c: int
    d: int
    d_fresh_h: int
    d_fresh_c: int
    carry: int
    d_c: int  # the gradient of c between two steps, and that of the first c in the end
    spare: int
    d_h0: int
    masked: bool
    resets: bool


FORWARD_OPERANDS, FORWARD_RESULTS = positions(ForwardOperands), positions(ForwardResults)
BACKWARD_OPERANDS, BACKWARD_RESULTS = positions(BackwardOperands), positions(BackwardResults)


@compiled
def has_gates(kind):
    """Whether a row of the cell is that of four gates, or of one activation."""
    return kind >= Kind.LSTM


@compiled
def forward_call(frame, kind, member):
    """Read the call frame of a forward loop."""
    operands, results, takes, gives = operands_of(frame), results_of(frame), FORWARD_OPERANDS, FORWARD_RESULTS
    return Forward(
        kind=kind,
        T=size(operands, takes.xs, 0),
        N=size(operands, takes.xs, 1),
        D=size(operands, takes.xs, 2),
        H=size(operands, takes.h0, 1),
        wide=size(results, gives.z, 1),
        xs=address(operands, takes.xs, member),
        w_x=address(operands, takes.w_x, member),
        w_h=address(operands, takes.w_h, member),
        bias=address(operands, takes.bias, member),
        h0=address(operands, takes.h0, member),
        c0=address(operands, takes.c0, member),
        mask=address(operands, takes.mask, member),
        reset=address(operands, takes.reset, member),
        fresh_h=address(operands, takes.fresh_h, member),
        fresh_c=address(operands, takes.fresh_c, member),
        hs=address(results, gives.hs, member),
        cs=address(results, gives.cs, member),
        saved=address(results, gives.saved, member),
        z=address(results, gives.z, member),
        last_h=address(results, gives.last_h, member),
        c=address(results, gives.last_c, member),
        turns=address(results, gives.turns, member),
        masked=size(operands, takes.mask, 0) > 0,
        resets=size(operands, takes.reset, 0) > 0,
        stacks=size(results, gives.hs, 0) > 0,
        saves=size(results, gives.saved, 0) > 0,
    )


@compiled
def backward_call(frame, kind, member):
    """Read the call frame of a backward loop."""
    operands, results, takes, gives = operands_of(frame), results_of(frame), BACKWARD_OPERANDS, BACKWARD_RESULTS
    return Backward(
        kind=kind,
        T=size(operands, takes.hs, 0),
        N=size(operands, takes.hs, 1),
        H=size(operands, takes.hs, 2),
        columns=size(results, gives.d, 2),
        wide=size(results, gives.carry, 1),
        d_hs=address(operands, takes.d_hs, member),
        saved=address(operands, takes.saved, member),
        hs=address(operands, takes.hs, member),
        cs=address(operands, takes.cs, member),
        h0=address(operands, takes.h0, member),
        c0=address(operands, takes.c0, member),
        mask=address(operands, takes.mask, member),
        reset=address(operands, takes.reset, member),
        fresh_h=address(operands, takes.fresh_h, member),
        fresh_c=address(operands, takes.fresh_c, member),
        w_back=address(operands, takes.w_back, member),
        d_last_h=address(operands, takes.d_last_h, member),
        d_last_c=address(operands, takes.d_last_c, member),
        d=address(results, gives.d, member),
        d_fresh_h=address(results, gives.d_fresh_h, member),
        d_fresh_c=address(results, gives.d_fresh_c, member),
        carry=address(results, gives.carry, member),
        d_c=address(results, gives.d_c0, member),
        spare=address(results, gives.spare, member),
        d_h0=address(results, gives.d_h0, member),
        masked=size(operands, takes.mask, 0) > 0,
        resets=size(operands, takes.reset, 0) > 0,
    )
