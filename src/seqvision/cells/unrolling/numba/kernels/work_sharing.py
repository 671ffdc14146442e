"""How XLA's threads share the work of a call: a job hands out tickets, and each thread takes one after another.

A ticket is a share of a member's rows, for all of time; or, where the threads share units, one of a few parts of one
step, which waits until the step before is done by all.
"""

from typing import NamedTuple

from .gradients import INPUT_OPERANDS, WEIGHT_RESULTS, input_gradients, weight_gradients
from .intrinsics import add_to, callback, compiled, free, get_word, malloc, put_word, wait
from .loop_arguments import BACKWARD_OPERANDS, FORWARD_OPERANDS
from .loops import backward_steps, forward_steps
from .loops_narrow import backward_lanes, forward_lanes
from .matrix_product import LANES, PANEL
from .signatures import Handler, Work, positions
from .xla_ffi import members_of, number_of_threads, operands_of, results_of, schedule, size

BLOCK = 16  # sequences that go through time together, so that a step stays in a core's first cache
FEW, WIDE = 4, 128  # no more sequences and no fewer units than this: cores share units, not sequences
SMALL = 1000  # values of all states, up to which one core is faster than to wake another


class Job(NamedTuple):
    """A call, as words of memory that outlive it: it is over when all tickets are done, and a thread may come later."""

    holders: int  # who may still look at it; the last one frees it
    next_ticket: int
    done: int  # tickets
    tickets: int
    frame: int
    rows: int  # of a member: sequences, blocks of them, or what stands for them
    shares: int  # of a member's rows
    units: int
    rounds: int  # steps that wait for each other
    parts: int  # of the units in a round, each a ticket; 0: a ticket is a share of a member's rows, for all rounds


class Plan(NamedTuple):
    """Those of its words that say what is to be done, and how many threads are to do it."""

    threads: int
    tickets: int
    rows: int
    shares: int
    units: int
    rounds: int
    parts: int


JOB = positions(Job)


def run_call_of(handler: Handler):
    """Return the function that plans a call, wakes the threads that it needs, and works with them."""
    plan_call, do = _plan_of(handler), _do_of(handler)

    @compiled
    def take_tickets(job):
        """Work until no ticket is left, and let go of the job."""
        tickets, frame, units = get_word(job, JOB.tickets), get_word(job, JOB.frame), get_word(job, JOB.units)
        rows, shares = get_word(job, JOB.rows), get_word(job, JOB.shares)
        rounds, parts = get_word(job, JOB.rounds), get_word(job, JOB.parts)
        while True:
            ticket = add_to(job, JOB.next_ticket, 1)
            if ticket >= tickets:
                break
            member, begin, end, first, last, low, high = 0, 0, rounds, 0, rows, 0, units
            if parts:
                begin, part, panels = ticket // parts, ticket % parts, units // PANEL
                end, low, high = begin + 1, PANEL * (part * panels // parts), PANEL * ((part + 1) * panels // parts)
                wait(job, JOB.done, begin * parts)
            else:
                member, share = ticket // shares, ticket % shares
                first, last = share * rows // shares, (share + 1) * rows // shares
            do(frame, member, begin, end, first, last, low, high, shares)
            add_to(job, JOB.done, 1)
        _let_go(job)

    @compiled
    def run_call(frame):
        plan = plan_call(frame, members_of(frame), number_of_threads(frame))
        job = malloc(8 * len(JOB))
        put_word(job, JOB.holders, plan.threads + 1)
        put_word(job, JOB.next_ticket, 0)
        put_word(job, JOB.done, 0)
        put_word(job, JOB.tickets, plan.tickets)
        put_word(job, JOB.frame, frame)
        put_word(job, JOB.rows, plan.rows)
        put_word(job, JOB.shares, plan.shares)
        put_word(job, JOB.units, plan.units)
        put_word(job, JOB.rounds, plan.rounds)
        put_word(job, JOB.parts, plan.parts)
        for _ in range(plan.threads - 1):
            if not schedule(frame, callback(take_tickets), job):
                add_to(job, JOB.holders, -1)
        take_tickets(job)
        wait(job, JOB.done, plan.tickets)
        _let_go(job)

    return run_call


def _do_of(handler):
    """Return what is done for a ticket."""
    work, kind, narrow = handler.work, int(handler.kind), handler.narrow
    loop = forward_steps if work == Work.FORWARD else backward_steps
    loop_by_lanes = forward_lanes if work == Work.FORWARD else backward_lanes

    def weights(frame, member, begin, end, first, last, low, high, shares):
        weight_gradients(frame, kind, member, first, shares)  # a row is a share

    def inputs(frame, member, begin, end, first, last, low, high, shares):
        input_gradients(frame, member, first, last)

    def steps(frame, member, begin, end, first, last, low, high, shares):
        loop(frame, kind, member, begin, end, first, last, low, high)

    def blocks(frame, member, begin, end, first, last, low, high, shares):
        loop_by_lanes(frame, kind, member, first, last)

    if work in (Work.WEIGHT_GRADIENTS, Work.INPUT_GRADIENTS):
        return compiled(weights if work == Work.WEIGHT_GRADIENTS else inputs)
    return compiled(blocks if narrow else steps)


def _plan_of(handler):
    """Return the function that plans a call."""
    work, narrow = handler.work, handler.narrow
    start = (FORWARD_OPERANDS if work == Work.FORWARD else BACKWARD_OPERANDS).h0
    steps = FORWARD_OPERANDS.xs if work == Work.FORWARD else BACKWARD_OPERANDS.hs
    more = 0 if work == Work.FORWARD else 1  # the way back has a round that begins, and one that ends

    def weights(frame, members, threads):
        shares = min(size(results_of(frame), WEIGHT_RESULTS.sums, 0), _each(members, threads))
        return _whole(members, threads, rows=shares, shares=shares, units=0, rounds=1)

    def inputs(frame, members, threads):
        rows = size(operands_of(frame), INPUT_OPERANDS.d, 0)
        return _whole(members, threads, rows=rows, shares=(rows + 4 * BLOCK - 1) // (4 * BLOCK), units=0, rounds=1)

    def loop(frame, members, threads):
        operands = operands_of(frame)
        rounds = size(operands, steps, 0) + more
        rows, units = size(operands, start, 0), size(operands, start, 1)
        if members * rows * units * rounds <= SMALL:
            threads = 1
        each = _each(members, threads)
        if narrow:
            blocks = (rows + LANES - 1) // LANES
            return _whole(members, threads, rows=blocks, shares=min(blocks, each), units=units, rounds=rounds)
        if members == 1 and threads > 1 and rows <= FEW and units >= WIDE and units % PANEL == 0:
            parts = min(threads, units // PANEL)
            return Plan(
                threads=parts, tickets=parts * rounds, rows=rows, shares=1, units=units, rounds=rounds, parts=parts
            )
        shares = min(rows, max(each, (rows + BLOCK - 1) // BLOCK))
        return _whole(members, threads, rows=rows, shares=shares, units=units, rounds=rounds)

    return compiled({Work.WEIGHT_GRADIENTS: weights, Work.INPUT_GRADIENTS: inputs}.get(work, loop))


@compiled
def _each(members, threads):
    """Return how many shares of a member keep all cores at work."""
    return (threads + members - 1) // members


@compiled
def _whole(members, threads, rows, shares, units, rounds):
    """Plan for tickets that are shares of a member's rows."""
    return Plan(
        threads=min(threads, members * shares),
        tickets=members * shares,
        rows=rows,
        shares=shares,
        units=units,
        rounds=rounds,
        parts=0,
    )


@compiled
def _let_go(job):
    if add_to(job, JOB.holders, -1) == 1:
        free(job)
