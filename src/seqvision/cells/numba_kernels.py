"""The handler that XLA calls for method="numba", and how it shares its work among XLA's threads.

A program of XLA runs a loop step by step: a few small kernels and one product each, which reads W_h anew and, for few
rows, uses one core. Sequences do not depend on each other, so here each core takes some of them through all of time:
W_h is packed once into panels of the width that a core's registers hold, states stay in its cache, and what is left of
a step is the product of one tile after another and the gates. Where the sequences are few and the layer is wide, each
core takes some of the units instead, and waits for the others in each step.
"""

import hashlib
from pathlib import Path

import numpy as np
from numba import cfunc, njit, types

from .numba_gradients import inputs, weights
from .numba_machine import add_to, ask, data, free, malloc, options, size_of, task, wait, words_at
from .numba_product import PANEL
from .numba_rounds import backward_round, forward_round

BLOCK = 16  # sequences that go through time together, so that a step stays in a core's first cache
FEW, WIDE = 8, 128  # no more sequences and no fewer units than this: cores share units, not sequences
SMALL = 500  # values of all states, up to which one core is faster than to wake another

BACKWARD, FORWARD, WEIGHTS, INPUTS = range(4)  # as `seqvision.cells.numba_loop.WORK` has them

# A job is ten words: how many hold it, the next ticket, tickets done, all tickets, how many of them are a round (0: a
# ticket is a share of the rows, for all rounds), rounds, what is to be done, the frame, rows (sequences, or what stands
# for them), units. The frame is gone when all tickets are done, and a thread may come later.
JOB = 10


@njit(**options)
def _round(frame, what, s, rounds, first, last, low, high):
    if what == FORWARD:
        forward_round(frame, s, first, last, low, high)
    elif what == BACKWARD:
        backward_round(frame, rounds - 2 - s, first, last, low, high)
    elif what == WEIGHTS:
        weights(frame, first, last)
    else:
        inputs(frame, first, last)


@njit(**options)
def _work(job):
    """Take tickets of a job until none is left, and let go of it: the last one frees it."""
    words = words_at(job, JOB)
    total, parts, rounds, what, frame, rows, units = (
        words[3],
        words[4],
        words[5],
        words[6],
        words[7],
        words[8],
        words[9],
    )
    while True:
        ticket = add_to(job + 8, 1)
        if ticket >= total:
            break
        if parts:
            s, part = ticket // parts, ticket % parts
            wait(job + 16, s * parts)
            panels = units // PANEL
            first, last = np.intp(0), rows
            low, high = PANEL * (part * panels // parts), PANEL * ((part + 1) * panels // parts)
            stop = s + 1
        else:
            s, stop = np.intp(0), rounds
            first, last = ticket * rows // total, (ticket + 1) * rows // total
            low, high = np.intp(0), units
        for step in range(s, stop):
            _round(frame, what, step, rounds, first, last, low, high)
        add_to(job + 16, 1)
    if add_to(job, -1) == 1:
        free(job)


@njit(**options)
def _run(frame):
    words = words_at(frame, 22)
    if words[1]:  # the question which version of the interface this was written for
        words_at(words_at(words[1], 4)[3], 4)[3] = 3 << 32
        return 0
    args, rets, api = words[9], words[14], words[2]
    what = words_at(data(args, 0), 1)[0] >> 32
    job = malloc(8 * (JOB + 9))
    request = job + 8 * JOB
    call, state = words_at(request, 5), words_at(job, JOB)
    call[0], call[1], call[2], call[3], call[4] = 32, 0, words[3], request + 32, 1
    threads = call[4] if ask(api, 18, request) else 1
    parts, units, rounds = np.intp(0), np.intp(0), np.intp(1)
    if what == WEIGHTS:
        rows = size_of(rets, 0, 1) // PANEL
        total = min(rows, threads)
    elif what == INPUTS:
        rows = size_of(args, 1, 0)
        total = (rows + 4 * BLOCK - 1) // (4 * BLOCK)
    else:
        rounds = size_of(args, 1, 0) + (1 if what == BACKWARD else 0)
        rows, units = size_of(args, 5, 0), size_of(args, 5, 1)
        if rows <= FEW and units >= WIDE and units % PANEL == 0 and threads > 1:
            parts = min(threads, units // PANEL)
            total = parts * rounds
        else:
            total = min(rows, max(threads, (rows + BLOCK - 1) // BLOCK))
        threads = 1 if rows * units * rounds <= SMALL else min(threads, parts if parts else total)
    threads = min(threads, total)
    state[0], state[1], state[2], state[3], state[4] = threads + 1, 0, 0, total, parts
    state[5], state[6], state[7], state[8], state[9] = rounds, what, frame, rows, units
    for _ in range(threads - 1):
        call[0], call[1], call[2], call[3], call[4] = 40, 0, words[3], task(_work), job
        if not ask(api, 17, request):
            add_to(job, -1)
    _work(job)
    wait(job + 16, total)
    if add_to(job, -1) == 1:
        free(job)
    return 0


def _handler(sources):
    """Return XLA's handler: its first operand says what it does.

    numba keeps it on disk under this file's name and date, and the value of ``sources``: what it calls is in other
    files, of which numba would not notice a change.
    """

    def handle(frame):
        return _run(frame) if sources else 0

    return handle


_digest = hashlib.sha256()
for _path in sorted(Path(__file__).parent.glob("numba_*.py")):
    _digest.update(_path.read_bytes())

handler = cfunc(types.intp(types.intp), cache=True)(_handler(1 + int(_digest.hexdigest()[:12], 16)))
