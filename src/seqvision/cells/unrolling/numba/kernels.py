"""The handler that XLA calls for method="numba", and how it shares its work among XLA's threads.

A program of XLA runs a loop step by step: a few small kernels and one product each, which reads W_h anew and, for few
rows, uses one core. Sequences do not depend on each other, so here each core takes some of them through all of time:
W_h is packed once into panels of the width that a core's registers hold, states stay in its cache, and what is left of
a step is the product of one tile after another and the gates. Where the sequences are few and the layer is wide, each
core takes some of the units instead, and waits for the others in each step. Where the layer is narrow, the sequences
fill a core's vectors instead of the units.
"""

import hashlib
from pathlib import Path

from numba import cfunc, njit, types

from .gradients import inputs, weights
from .lanes import backward_lanes, forward_lanes
from .machine import add_to, ask, callback, data, free, malloc, options, size_of, wait, words_at
from .product import LANES, PANEL
from .rounds import backward_rounds, forward_rounds

BLOCK = 16  # sequences that go through time together, so that a step stays in a core's first cache
FEW, WIDE = 4, 128  # no more sequences and no fewer units than this: cores share units, not sequences
NARROW = 24  # units below which the sequences fill the vectors, if there are enough of them
SMALL = 1000  # values of all states, up to which one core is faster than to wake another

BACKWARD, FORWARD, WEIGHTS, INPUTS = range(4)  # as `seqvision.cells.unrolling.numba.calls.WORK` has them
BACKWARD_LANES, FORWARD_LANES = 4, 5

# A job is eleven words: how many hold it, the next ticket, tickets done, all tickets, how many of them are a round
# (0: a ticket is a share of a member's rows, for all rounds), rounds, what is to be done, the frame, rows of a member
# (sequences, or what stands for them), units, shares of a member's rows. The frame is gone when all tickets are done,
# and a thread may come later.
JOB = 11


@njit(**options)
def _work(job):
    """Take tickets of a job until none is left, and let go of it: the last one frees it."""
    words = words_at(job, JOB)
    total, parts, rounds, what = words[3], words[4], words[5], words[6]
    frame, rows, units, shares = words[7], words[8], words[9], words[10]
    while True:
        ticket = add_to(job + 8, 1)
        if ticket >= total:
            break
        member, begin, end, first, last, low, high = 0, 0, rounds, 0, rows, 0, units
        if parts:
            begin, part, panels = ticket // parts, ticket % parts, units // PANEL
            end, low, high = begin + 1, PANEL * (part * panels // parts), PANEL * ((part + 1) * panels // parts)
            wait(job + 16, begin * parts)
        else:
            member, share = ticket // shares, ticket % shares
            first, last = share * rows // shares, (share + 1) * rows // shares
        if what == FORWARD:
            forward_rounds(frame, member, begin, end, first, last, low, high)
        elif what == BACKWARD:
            backward_rounds(frame, member, begin, end, first, last, low, high)
        elif what == FORWARD_LANES:
            forward_lanes(frame, member, first, last)
        elif what == BACKWARD_LANES:
            backward_lanes(frame, member, first, last)
        elif what == WEIGHTS:
            weights(frame, member, first, shares)  # a row is a share
        else:
            inputs(frame, member, first, last)
        add_to(job + 16, 1)
    _let_go(job)


@njit(**options)
def _let_go(job):
    if add_to(job, -1) == 1:
        free(job)


@njit(**options)
def _plan(frame, threads):
    """Return what is to be done, rows, units, rounds, shares, parts and tickets, as a job has them, and threads."""
    words = words_at(frame, 15)
    args, rets = words[9], words[14]
    told = words_at(data(args, 0, 0), 2)
    what, members = told[0] >> 32, told[1]
    parts, units, rounds = 0, 0, 1
    each = (threads + members - 1) // members  # shares of a member that keep all cores at work
    if what == WEIGHTS:
        rows = shares = min(size_of(rets, 0, 0), each)
    elif what == INPUTS:
        rows = size_of(args, 1, 0)
        shares = (rows + 4 * BLOCK - 1) // (4 * BLOCK)
    else:
        rounds = size_of(args, 1, 0) + (1 if what == BACKWARD else 0)
        rows, units = size_of(args, 5, 0), size_of(args, 5, 1)
        if members * rows * units * rounds <= SMALL:
            threads = 1
        if units < NARROW and 4 * rows >= 3 * LANES:
            what, rows = (FORWARD_LANES if what == FORWARD else BACKWARD_LANES), (rows + LANES - 1) // LANES
            shares = min(rows, each)
        else:
            shares = min(rows, max(each, (rows + BLOCK - 1) // BLOCK))
            if members == 1 and threads > 1 and rows <= FEW and units >= WIDE and units % PANEL == 0:
                parts = min(threads, units // PANEL)
    total = parts * rounds if parts else members * shares
    return what, rows, units, rounds, shares, parts, total, min(threads, parts if parts else total)


def _handler(sources):
    """Return XLA's handler: its first operand says what it does.

    numba keeps it on disk under this file's name and date, and the value of ``sources``: what it calls is in other
    files, of which numba would not notice a change.
    """

    def handle(frame):
        """Answer XLA's question, or plan a call, wake the threads that it needs, and work with them."""
        words = words_at(frame, 22)
        if words[1]:  # the question which version of the interface this was written for
            words_at(words_at(words[1], 4)[3], 4)[3] = 3 << 32
            return 0
        api, context = words[2], words[3]
        job = malloc(8 * (JOB + 9))
        request = job + 8 * JOB
        call, state = words_at(request, 5), words_at(job, JOB)
        call[0], call[1], call[2], call[3], call[4] = 32, 0, context, request + 32, 1
        threads = call[4] if ask(api, 18, request) else 1
        what, rows, units, rounds, shares, parts, total, threads = _plan(frame, threads)
        state[0], state[1], state[2], state[3], state[4] = threads + 1, 0, 0, total, parts
        state[5], state[6], state[7], state[8], state[9], state[10] = rounds, what, frame, rows, units, shares
        for _ in range(threads - 1):
            call[0], call[1], call[2], call[3], call[4] = 40, 0, context, callback(_work), job
            if not ask(api, 17, request):
                add_to(job, -1)
        _work(job)
        wait(job + 16, total)
        _let_go(job)
        return 0 * sources

    return handle


_digest = hashlib.sha256()
for _path in sorted(Path(__file__).parent.glob("*.py")):
    _digest.update(_path.read_bytes())

handler = cfunc(types.intp(types.intp), cache=True)(_handler(1 + int(_digest.hexdigest()[:12], 16)))
