"""How XLA's threads share the work of a call: a job hands out tickets, and each thread takes one after another.

A ticket is a share of a member's rows, for all of time; or, where the threads share units, one of a few parts of one
step, which waits until the step before is done by all.
"""

from typing import NamedTuple

from .gradients import INPUT_OPERANDS, WEIGHT_RESULTS, input_gradients, weight_gradients
from .intrinsics import add_to, callback, compiled, free, get_word, malloc, put_word, wait
from .loop_arguments import BACKWARD_OPERANDS, FORWARD_OPERANDS, members_of, work_of
from .loops import backward_steps, forward_steps
from .loops_narrow import backward_lanes, forward_lanes
from .matrix_product import LANES, PANEL
from .signatures import Work, positions
from .xla_ffi import number_of_threads, operands_of, results_of, schedule, size

BLOCK = 16  # sequences that go through time together, so that a step stays in a core's first cache
FEW, WIDE = 4, 128  # no more sequences and no fewer units than this: cores share units, not sequences
NARROW = 24  # units below which the sequences fill the vectors, if there are enough of them
SMALL = 1000  # values of all states, up to which one core is faster than to wake another


class Job(NamedTuple):
    """A call, as words of memory that outlive it: it is over when all tickets are done, and a thread may come later."""

    holders: int  # who may still look at it; the last one frees it
    next_ticket: int
    done: int  # tickets
    tickets: int
    frame: int
    work: int
    by_lanes: int  # whether sequences fill vectors, and rows are blocks of them
    rows: int  # of a member: sequences, blocks of them, or what stands for them
    shares: int  # of a member's rows
    units: int
    rounds: int  # steps that wait for each other
    parts: int  # of the units in a round, each a ticket; 0: a ticket is a share of a member's rows, for all rounds


class Plan(NamedTuple):
    """Those of its words that say what is to be done, and how many threads are to do it."""

    threads: int
    tickets: int
    by_lanes: bool
    rows: int
    shares: int
    units: int
    rounds: int
    parts: int


JOB = positions(Job)


@compiled
def run_call(frame):
    """Plan a call, wake the threads that it needs, and work with them."""
    plan = _plan(frame, number_of_threads(frame))
    job = malloc(8 * len(JOB))
    put_word(job, JOB.holders, plan.threads + 1)
    put_word(job, JOB.next_ticket, 0)
    put_word(job, JOB.done, 0)
    put_word(job, JOB.tickets, plan.tickets)
    put_word(job, JOB.frame, frame)
    put_word(job, JOB.work, work_of(frame))
    put_word(job, JOB.by_lanes, plan.by_lanes)
    put_word(job, JOB.rows, plan.rows)
    put_word(job, JOB.shares, plan.shares)
    put_word(job, JOB.units, plan.units)
    put_word(job, JOB.rounds, plan.rounds)
    put_word(job, JOB.parts, plan.parts)
    for _ in range(plan.threads - 1):
        if not schedule(frame, callback(_take_tickets), job):
            add_to(job, JOB.holders, -1)
    _take_tickets(job)
    wait(job, JOB.done, plan.tickets)
    _let_go(job)


@compiled
def _plan(frame, threads):
    operands, results, work, members = operands_of(frame), results_of(frame), work_of(frame), members_of(frame)
    by_lanes, parts, units, rounds = False, 0, 0, 1
    each = (threads + members - 1) // members  # shares of a member that keep all cores at work
    if work == Work.WEIGHT_GRADIENTS:
        rows = shares = min(size(results, WEIGHT_RESULTS.sums, 0), each)
    elif work == Work.INPUT_GRADIENTS:
        rows = size(operands, INPUT_OPERANDS.d, 0)
        shares = (rows + 4 * BLOCK - 1) // (4 * BLOCK)
    else:
        if work == Work.FORWARD:
            rounds, start = size(operands, FORWARD_OPERANDS.xs, 0), FORWARD_OPERANDS.h0
        else:
            rounds, start = size(operands, BACKWARD_OPERANDS.hs, 0) + 1, BACKWARD_OPERANDS.h0
        rows, units = size(operands, start, 0), size(operands, start, 1)
        if members * rows * units * rounds <= SMALL:
            threads = 1
        by_lanes = units < NARROW and 4 * rows >= 3 * LANES
        if by_lanes:
            rows = (rows + LANES - 1) // LANES
            shares = min(rows, each)
        else:
            shares = min(rows, max(each, (rows + BLOCK - 1) // BLOCK))
            if members == 1 and threads > 1 and rows <= FEW and units >= WIDE and units % PANEL == 0:
                parts = min(threads, units // PANEL)
    tickets = parts * rounds if parts else members * shares
    return Plan(
        threads=min(threads, parts if parts else tickets),
        tickets=tickets,
        by_lanes=by_lanes,
        rows=rows,
        shares=shares,
        units=units,
        rounds=rounds,
        parts=parts,
    )


@compiled
def _take_tickets(job):
    """Work until no ticket is left, and let go of the job."""
    tickets, frame, work = get_word(job, JOB.tickets), get_word(job, JOB.frame), get_word(job, JOB.work)
    by_lanes, rows, shares = get_word(job, JOB.by_lanes), get_word(job, JOB.rows), get_word(job, JOB.shares)
    units, rounds, parts = get_word(job, JOB.units), get_word(job, JOB.rounds), get_word(job, JOB.parts)
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
        if work == Work.WEIGHT_GRADIENTS:
            weight_gradients(frame, member, first, shares)  # a row is a share
        elif work == Work.INPUT_GRADIENTS:
            input_gradients(frame, member, first, last)
        elif work == Work.FORWARD:
            if by_lanes:
                forward_lanes(frame, member, first, last)
            else:
                forward_steps(frame, member, begin, end, first, last, low, high)
        elif by_lanes:
            backward_lanes(frame, member, first, last)
        else:
            backward_steps(frame, member, begin, end, first, last, low, high)
        add_to(job, JOB.done, 1)
    _let_go(job)


@compiled
def _let_go(job):
    if add_to(job, JOB.holders, -1) == 1:
        free(job)
