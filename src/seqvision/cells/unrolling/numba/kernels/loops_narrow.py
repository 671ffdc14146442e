"""The loops over time for narrow layers: sequences lie side by side in a vector, one value of one unit each.

A step of a block, LANES sequences, is as in `loops`, with the roles in the product changed: the weights are its
rows, and the sequences its columns. A matrix (width, LANES) has a row for each unit or feature. ``at`` is where the
block's first sequence stands among those of all steps (T, N).
"""

from typing import NamedTuple

from .gates import ZERO, elman_activation, elman_activation_back, gru_gates, gru_gates_back, lstm_gates, lstm_gates_back
from .intrinsics import after, compiled, copy, fill, flag, free, get, malloc, put
from .loop_arguments import backward_call, forward_call, has_gates
from .matrix_product import LANES, product_by_lanes
from .signatures import Kind


class ForwardMatrices(NamedTuple):
    """The matrices of a block on its way through time."""

    x: int  # (D, LANES)
    z: int  # (gates H, LANES)
    h: int  # (H, LANES), as what follows
    c: int
    old_h: int
    old_c: int


class BackwardMatrices(NamedTuple):
    """The matrices of a block on its way back."""

    a: int  # (gates H, LANES): gates, then the gradients of pre-activations
    d_h: int  # (H, LANES), as what follows
    d_c: int
    old_d_c: int
    back: int  # the gradient of h between two steps
    start: int  # the state before a step
    now: int  # the state after it
    tanh_c: int


@compiled
def forward_lanes(frame, kind, member, first, last):
    """Take the blocks first <= b < last through time."""
    f = forward_call(frame, kind, member)
    gates, row = 4 if has_gates(f.kind) else 1, LANES * f.H
    floats = f.D * LANES + (gates + 4) * row
    x = malloc(4 * floats)
    fill(x, ZERO, floats)  # of a block that is not full, some lanes stay zero
    z = after(x, f.D * LANES)
    h = after(z, gates * row)
    s = ForwardMatrices(x=x, z=z, h=h, c=after(h, row), old_h=after(h, 2 * row), old_c=after(h, 3 * row))
    for block in range(first, last):
        n, lanes = block * LANES, min(LANES, f.N - block * LANES)
        _read(after(f.h0, n * f.H), s.h, f.H, lanes)
        if f.kind == Kind.LSTM:
            _read(after(f.c0, n * f.H), s.c, f.H, lanes)
        for t in range(f.T):
            at = t * f.N + n
            if f.resets:
                _renew(f.reset, at, after(f.fresh_h, n * f.H), s.h, f.H, lanes)
                if f.kind == Kind.LSTM:
                    _renew(f.reset, at, after(f.fresh_c, n * f.H), s.c, f.H, lanes)
            _read(after(f.xs, at * f.D), s.x, f.D, lanes)
            _pre_activations(f, s, gates)
            _forward_gates(f, s, at, lanes)
            if f.saves:
                _write(s.z, after(f.saved, at * gates * f.H), gates * f.H, lanes)
                if f.kind == Kind.LSTM:
                    _write(s.c, after(f.cs, at * f.H), f.H, lanes)
            if f.stacks:
                _write(s.h, after(f.hs, at * f.H), f.H, lanes)
        _write(s.h, after(f.last_h, n * f.H), f.H, lanes)
        if f.kind == Kind.LSTM:
            _write(s.c, after(f.c, n * f.H), f.H, lanes)
    free(x)


@compiled
def _pre_activations(f, s, gates):
    """Put those of a step into z."""
    skip = f.H if f.kind == Kind.GRU else 0
    columns = gates * f.H
    for k in range(columns):
        fill(after(s.z, k * LANES), get(f.bias, k), LANES)
    product_by_lanes(f.w_x, s.x, f.D, s.z, columns - skip)
    product_by_lanes(f.w_h, s.h, f.H, after(s.z, skip * LANES), columns - skip)


@compiled
def _forward_gates(f, s, at, lanes):
    """Go from z to the state after a step."""
    z, row = s.z, f.H * LANES
    copy(s.h, s.old_h, row)
    if f.kind == Kind.LSTM:
        copy(s.c, s.old_c, row)
        lstm_gates(z, after(z, row), after(z, 2 * row), after(z, 3 * row), s.c, s.h, row)
    elif f.kind == Kind.GRU:
        gru_gates(z, after(z, row), after(z, 2 * row), after(z, 3 * row), s.old_h, s.h, row)
    else:
        elman_activation(z, s.h, f.kind, row)
    if f.masked:
        _hold(f.mask, at, s.old_h, s.h, f.H, lanes)
        if f.kind == Kind.LSTM:
            _hold(f.mask, at, s.old_c, s.c, f.H, lanes)


@compiled
def backward_lanes(frame, kind, member, first, last):
    """Take the gradients of the blocks first <= b < last back through time."""
    f = backward_call(frame, kind, member)
    gates, row, skip = f.columns // f.H, LANES * f.H, f.H if f.kind == Kind.GRU else 0
    floats = (gates + 7) * row
    a = malloc(4 * floats)
    fill(a, ZERO, floats)
    d_h = after(a, gates * row)
    s = BackwardMatrices(
        a=a,
        d_h=d_h,
        d_c=after(d_h, row),
        old_d_c=after(d_h, 2 * row),
        back=after(d_h, 3 * row),
        start=after(d_h, 4 * row),
        now=after(d_h, 5 * row),
        tanh_c=after(d_h, 6 * row),
    )
    for block in range(first, last):
        n, lanes = block * LANES, min(LANES, f.N - block * LANES)
        d_fresh_h, d_fresh_c = after(f.d_fresh_h, n * f.H), after(f.d_fresh_c, n * f.H)
        _read(after(f.d_last_h, n * f.H), s.back, f.H, lanes)
        if f.kind == Kind.LSTM:
            _read(after(f.d_last_c, n * f.H), s.d_c, f.H, lanes)
        if f.resets:
            fill(d_fresh_h, ZERO, lanes * f.H)
            if f.kind == Kind.LSTM:
                fill(d_fresh_c, ZERO, lanes * f.H)
        for t in range(f.T - 1, -1, -1):
            at = t * f.N + n
            _read(after(f.d_hs, at * f.H), s.d_h, f.H, lanes)
            for u in range(row):
                put(s.d_h, u, get(s.d_h, u) + get(s.back, u))
            fill(s.back, ZERO, row)
            _backward_gates(f, s, t, n, lanes)
            _write(s.a, after(f.d, at * f.columns), f.columns, lanes)
            product_by_lanes(f.w_back, after(s.a, skip * LANES), f.columns - skip, s.back, f.H)
            if f.resets:
                _move(f.reset, at, s.back, d_fresh_h, f.H, lanes)
                if f.kind == Kind.LSTM:
                    _move(f.reset, at, s.d_c, d_fresh_c, f.H, lanes)
        _write(s.back, after(f.d_h0, n * f.H), f.H, lanes)
        if f.kind == Kind.LSTM:
            _write(s.d_c, after(f.d_c, n * f.H), f.H, lanes)
    free(a)


@compiled
def _backward_gates(f, s, t, n, lanes):
    """Go from the gradient of the state after step t to those of the pre-activations."""
    a, row, at = s.a, f.H * LANES, t * f.N + n
    if has_gates(f.kind):
        _read(after(f.saved, at * f.columns), a, f.columns, lanes)
        states, begin, fresh = (f.cs, f.c0, f.fresh_c) if f.kind == Kind.LSTM else (f.hs, f.h0, f.fresh_h)
        _read(after(begin, n * f.H) if t == 0 else after(states, (at - f.N) * f.H), s.start, f.H, lanes)
        if f.resets:
            _renew(f.reset, at, after(fresh, n * f.H), s.start, f.H, lanes)
    if f.kind == Kind.LSTM:
        copy(s.d_c, s.old_d_c, row)
        _read(after(f.cs, at * f.H), s.now, f.H, lanes)
        f_, g, o = after(a, row), after(a, 2 * row), after(a, 3 * row)
        lstm_gates_back(a, f_, g, o, s.start, s.now, s.tanh_c, s.d_h, s.d_c, row)
    elif f.kind == Kind.GRU:
        gru_gates_back(a, after(a, row), after(a, 2 * row), after(a, 3 * row), s.start, s.d_h, s.back, row)
    else:
        _read(after(f.hs, at * f.H), s.now, f.H, lanes)
        elman_activation_back(s.now, s.d_h, a, f.kind, row)
    if f.masked:
        for lane in range(lanes):
            if not flag(f.mask, at + lane):
                for k in range(f.columns):
                    put(a, k * LANES + lane, ZERO)
        _hold(f.mask, at, s.d_h, s.back, f.H, lanes)
        if f.kind == Kind.LSTM:
            _hold(f.mask, at, s.old_d_c, s.d_c, f.H, lanes)


@compiled
def _read(a, b, width, lanes):
    """Put rows a (lanes, width) into the columns of b."""
    for lane in range(lanes):
        for u in range(width):
            put(b, u * LANES + lane, get(a, lane * width + u))


@compiled
def _write(a, b, width, lanes):
    """Put the columns of a into rows b (lanes, width)."""
    for lane in range(lanes):
        for u in range(width):
            put(b, lane * width + u, get(a, u * LANES + lane))


@compiled
def _renew(reset, at, fresh, b, width, lanes):
    """Put rows of fresh (lanes, width) into the columns of b that are reset."""
    for lane in range(lanes):
        if flag(reset, at + lane):
            for u in range(width):
                put(b, u * LANES + lane, get(fresh, lane * width + u))


@compiled
def _hold(mask, at, a, b, width, lanes):
    """Put into b the columns of a that are masked."""
    for lane in range(lanes):
        if not flag(mask, at + lane):
            for u in range(width):
                put(b, u * LANES + lane, get(a, u * LANES + lane))


@compiled
def _move(reset, at, a, b, width, lanes):
    """Add the columns of a that are reset to rows of b (lanes, width), and leave zero in them."""
    for lane in range(lanes):
        if flag(reset, at + lane):
            for u in range(width):
                put(b, lane * width + u, get(b, lane * width + u) + get(a, u * LANES + lane))
                put(a, u * LANES + lane, ZERO)
