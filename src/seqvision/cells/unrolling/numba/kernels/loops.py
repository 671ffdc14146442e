"""Steps of the loops over time, for some sequences first <= n < last and some units low <= u < high of one member.

In a row of pre-activations or gates, the blocks of the gates are H values apart. ``at`` is where the first unit of a
sequence stands in a state (N, H).
"""

from .gates import ZERO, elman_activation, elman_activation_back, gru_gates, gru_gates_back, lstm_gates, lstm_gates_back
from .intrinsics import after, compiled, copy, fill, flag, get, put
from .loop_arguments import backward_call, forward_call, has_gates
from .matrix_product import PANEL, product
from .signatures import Kind


@compiled
def forward_steps(frame, kind, member, begin, end, first, last, low, high):
    """Go through the steps begin <= t < end."""
    f = forward_call(frame, kind, member)
    for t in range(begin, end):
        starts, ends = after(f.turns, t % 2 * f.N * f.H), after(f.turns, (t + 1) % 2 * f.N * f.H)
        if t == 0:
            starts = f.h0
            for n in range(first, last):
                at = n * f.H + low
                if f.kind == Kind.LSTM:
                    copy(after(f.c0, at), after(f.c, at), high - low)
        _pre_activations(f, t, starts, first, last, low, high)
        _forward_gates(f, t, starts, ends, first, last, low, high)


@compiled
def _pre_activations(f, t, starts, first, last, low, high):
    """Put those of step t into z."""
    H, wide, whole, size = f.H, f.wide, high - low == f.H, high - low
    blocks, skip = 4 if has_gates(f.kind) else 1, H if f.kind == Kind.GRU else 0
    for n in range(first, last):
        z = after(f.z, n * wide + low)
        _copy_blocks(after(f.bias, low), z, 1 if whole else blocks, wide if whole else size, H)
    x, h, rows = after(f.xs, (t * f.N + first) * f.D), after(starts, first * H), last - first
    for k in range(1 if whole else (3 if f.kind == Kind.GRU else blocks)):
        begin, panels = (0, (wide - skip) // PANEL) if whole else ((k * H + low) // PANEL, size // PANEL)
        z = after(f.z, first * wide + begin * PANEL)
        product(x, f.D, after(f.w_x, begin * f.D * PANEL), panels, f.D, z, wide, rows)
        product(h, H, after(f.w_h, begin * H * PANEL), panels, H, after(z, skip), wide, rows)


@compiled
def _forward_gates(f, t, starts, ends, first, last, low, high):
    """Go from z to the state after step t, and write down what is wanted of it."""
    H, wide, whole, size = f.H, f.wide, high - low == f.H, high - low
    blocks, step = 4 if has_gates(f.kind) else 1, t * f.N * H
    for n in range(first, last):
        at, z = n * H + low, after(f.z, n * wide + low)
        start, h, c = after(starts, at), after(ends, at), after(f.c, at)
        if f.masked and not flag(f.mask, t * f.N + n):
            copy(start, h, size)
        elif f.kind == Kind.LSTM:
            lstm_gates(z, after(z, H), after(z, 2 * H), after(z, 3 * H), c, h, size)
        elif f.kind == Kind.GRU:
            gru_gates(z, after(z, H), after(z, 2 * H), after(z, 3 * H), start, h, size)
        else:
            elman_activation(z, h, f.kind, size)
        if f.saves:
            row = after(f.saved, (t * f.N + n) * blocks * H + low)
            _copy_blocks(z, row, 1 if whole else blocks, blocks * H if whole else size, H)
            if f.kind == Kind.LSTM:
                copy(c, after(f.cs, step + at), size)
        if f.stacks:
            copy(h, after(f.hs, step + at), size)
        if t == f.T - 1:
            copy(h, after(f.last_h, at), size)
        elif f.resets and flag(f.reset, (t + 1) * f.N + n):
            copy(after(f.fresh_h, at), h, size)
            if f.kind == Kind.LSTM:
                copy(after(f.fresh_c, at), c, size)


@compiled
def backward_steps(frame, kind, member, begin, end, first, last, low, high):
    """Go through the rounds begin <= s < end of T + 1.

    A round finishes the gradients of the state before step t + 1, t = T - 1 - s, and goes back through the gates of t.
    """
    f = backward_call(frame, kind, member)
    for s in range(begin, end):
        t = f.T - 1 - s
        if s == 0:
            _last_gradients(f, first, last, low, high)
        else:
            _state_gradients(f, t + 1, first, last, low, high)
        if t < 0:
            for n in range(first, last):
                copy(after(f.carry, n * f.wide + low), after(f.d_h0, n * f.H + low), high - low)
        else:
            _backward_gates(f, t, first, last, low, high)


@compiled
def _last_gradients(f, first, last, low, high):
    """Begin with the gradients of the last state, and none of the fresh one."""
    size = high - low
    for n in range(first, last):
        at = n * f.H + low
        copy(after(f.d_last_h, at), after(f.carry, n * f.wide + low), size)
        if f.kind == Kind.LSTM:
            copy(after(f.d_last_c, at), after(f.d_c, at), size)
        if f.resets:
            fill(after(f.d_fresh_h, at), ZERO, size)
            if f.kind == Kind.LSTM:
                fill(after(f.d_fresh_c, at), ZERO, size)


@compiled
def _state_gradients(f, t, first, last, low, high):
    """Add to the gradient of the state before step t what comes through the product."""
    whole = high - low == f.H
    begin = 0 if whole else low // PANEL
    panels = f.wide // PANEL if whole else (high - low) // PANEL
    skip = f.H if f.kind == Kind.GRU else 0
    K, rows = f.columns - skip, after(f.d, (t * f.N + first) * f.columns + skip)
    carry = after(f.carry, first * f.wide + begin * PANEL)
    product(rows, f.columns, after(f.w_back, begin * K * PANEL), panels, K, carry, f.wide, last - first)
    if f.resets:
        for n in range(first, last):
            if flag(f.reset, t * f.N + n):
                at = n * f.H + low
                _move(after(f.carry, n * f.wide + low), after(f.d_fresh_h, at), high - low)
                if f.kind == Kind.LSTM:
                    _move(after(f.d_c, at), after(f.d_fresh_c, at), high - low)


@compiled
def _backward_gates(f, t, first, last, low, high):
    """Go from the gradient of the state after step t to those of the pre-activations, d, and of the state before."""
    H, whole, size, step = f.H, high - low == f.H, high - low, t * f.N * f.H
    blocks, values = (1, f.columns) if whole else (f.columns // H, size)
    for n in range(first, last):
        at, row, back = n * H + low, (t * f.N + n) * f.columns + low, after(f.carry, n * f.wide + low)
        d_h, a = after(f.spare, n * 6 * H + low), after(f.spare, (n * 6 + 1) * H + low)
        for u in range(size):
            put(d_h, u, get(back, u) + get(after(f.d_hs, step + at), u))
        if f.masked and not flag(f.mask, t * f.N + n):
            copy(d_h, back, size)
            for k in range(f.columns // H):
                fill(after(f.d, row + k * H), ZERO, size)
            continue
        fill(back, ZERO, f.wide if whole else size)
        if not has_gates(f.kind):
            elman_activation_back(after(f.hs, step + at), d_h, after(f.d, row), f.kind, size)
            continue
        renewed = f.resets and flag(f.reset, t * f.N + n)
        _copy_blocks(after(f.saved, row), a, blocks, values, H)
        if f.kind == Kind.LSTM:
            start = f.c0 if t == 0 else (f.fresh_c if renewed else after(f.cs, step - f.N * H))
            c, tanh_c, d_c = after(f.cs, step + at), after(a, 4 * H), after(f.d_c, at)
            lstm_gates_back(
                a, after(a, H), after(a, 2 * H), after(a, 3 * H), after(start, at), c, tanh_c, d_h, d_c, size
            )
        else:
            start = f.h0 if t == 0 else (f.fresh_h if renewed else after(f.hs, step - f.N * H))
            gru_gates_back(a, after(a, H), after(a, 2 * H), after(a, 3 * H), after(start, at), d_h, back, size)
        _copy_blocks(a, after(f.d, row), blocks, values, H)


@compiled
def _copy_blocks(a, b, blocks, size, H):
    """Copy a few blocks, H values apart."""
    for k in range(blocks):
        copy(after(a, k * H), after(b, k * H), size)


@compiled
def _move(a, b, size):
    """Add a to b, and leave zero."""
    for u in range(size):
        put(b, u, get(b, u) + get(a, u))
    fill(a, ZERO, size)
