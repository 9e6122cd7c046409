"""Pending events and FIFO desks: the engine under every flow of cases.

With FIFO and c servers, start and finish of a visit are known on arrival (Kiefer & Wolfowitz
1955: the earliest free server), so each case holds one pending event. Events wait in buckets of
a calendar queue (Brown 1988); the open bucket is a binary heap, so order is exact by
(time, key). Buckets reach to the end of the present span only: whatever comes later stays in
the case table and is found when the next span is opened.
"""

import numpy as np

from reformsim.cases.clock import finish_wall, start_wall, to_work
from reformsim.cases.handle import prefetch
from reformsim.cases.state import (
    BUCKET,
    CASE,
    CHAINS,
    END_DAY,
    FREE,
    FREE_COUNT,
    FREE_HEAD,
    HEAP,
    IDLE,
    RATE,
    START_DAY,
    District,
)
from reformsim.kernels import njit


@njit(cache=True)
def _before(d, time_a, case_a, time_b, case_b):
    if time_a != time_b:
        return time_a < time_b
    a, b = d.cases[case_a], d.cases[case_b]
    if a.key != b.key:
        return a.key < b.key
    return a.mask < b.mask


@njit(cache=True)
def _heap_push(d, time, case):
    j = d.state[HEAP]
    d.state[HEAP] = j + 1
    while j > 0:
        up = (j - 1) >> 1
        if not _before(d, time, case, d.heap_time[up], d.heap_case[up]):
            break
        d.heap_time[j] = d.heap_time[up]
        d.heap_case[j] = d.heap_case[up]
        j = up
    d.heap_time[j] = time
    d.heap_case[j] = case


@njit(cache=True)
def pop(d):
    """Take the earliest case out of the open bucket; the bucket must not be empty."""
    first = np.int64(d.heap_case[0])  # as all rows: of two integer types each helper compiles twice
    n = d.state[HEAP] - 1
    d.state[HEAP] = n
    time, case = d.heap_time[n], d.heap_case[n]
    j = 0
    while True:
        down = 2 * j + 1
        if down >= n:
            break
        if down + 1 < n and _before(
            d, d.heap_time[down + 1], d.heap_case[down + 1], d.heap_time[down], d.heap_case[down]
        ):
            down += 1
        if not _before(d, d.heap_time[down], d.heap_case[down], time, case):
            break
        d.heap_time[j] = d.heap_time[down]
        d.heap_case[j] = d.heap_case[down]
        j = down
    d.heap_time[j] = time
    d.heap_case[j] = case
    return first


@njit(cache=True)
def push(d, i):
    """File case ``i`` under the time of its pending event."""
    t = d.cases[i].time
    if t >= d.span[END_DAY]:
        return
    b = np.int64((t - d.span[START_DAY]) * d.span[RATE])
    if b <= d.state[BUCKET]:
        _heap_push(d, t, i)
    else:
        chain = i & (CHAINS - 1)
        d.links[i] = d.buckets[b, chain]
        d.buckets[b, chain] = i


@njit(cache=True)
def next_bucket(d):
    """Open the next bucket; False at the end of the span."""
    b = d.state[BUCKET] + 1
    if b >= np.int64((d.span[END_DAY] - d.span[START_DAY]) * d.span[RATE]):
        return False
    d.state[BUCKET] = b
    n = 0
    left = True
    while left:
        left = False
        for chain in range(CHAINS):
            i = d.buckets[b, chain]
            if i >= 0:
                d.heap_case[n] = i
                prefetch(d.cases, i)
                d.buckets[b, chain] = d.links[i]
                n += 1
                left = True
    for k in range(n):
        i = d.heap_case[k]  # not yet written over: the heap is as long as k
        prefetch(d.residents, d.cases[i].resident)
        _heap_push(d, d.cases[i].time, i)
    return True


def open_span(d: District, start: int, end: int) -> None:
    """Begin the span [``start``, ``end``) of whole days: file every active case in it."""
    buckets = (end - start) * int(d.span[RATE])
    if buckets > len(d.buckets):
        d.buckets = np.full((buckets, CHAINS), -1, np.int32)
    _file_cases(d, float(start), float(end))


@njit(cache=True, nogil=True)
def _file_cases(d, start, end):
    d.span[START_DAY] = start
    d.span[END_DAY] = end
    d.state[BUCKET] = -1
    d.state[HEAP] = 0
    for b in range(len(d.buckets)):
        for chain in range(CHAINS):
            d.buckets[b, chain] = -1
    for i in range(len(d.cases)):
        stage = d.cases[i].stage
        if stage not in IDLE and d.cases[i].time < end:
            push(d, i)


@njit(cache=True)
def take(d):
    """Take a record from the free list; the caller has seen to it that one is left."""
    i = d.state[FREE_HEAD]
    d.state[FREE_HEAD] = d.links[i]
    d.state[FREE_COUNT] -= 1
    return i


@njit(cache=True)
def give_back(d, i):
    """Return a record to the free list."""
    d.cases[i].stage = FREE
    d.links[i] = d.state[FREE_HEAD]
    d.state[FREE_HEAD] = i
    d.state[FREE_COUNT] += 1


def give_back_all(d: District, rows: np.ndarray) -> None:
    """Return records ``rows``, one at least, to the free list."""
    d.cases["stage"][rows] = FREE
    d.links[rows] = [*rows[1:], d.state[FREE_HEAD]]
    d.state[FREE_HEAD] = rows[0]
    d.state[FREE_COUNT] += len(rows)


@njit(cache=True)
def _replace_first(free, first, servers, value):
    j = 0
    while True:
        down = 2 * j + 1
        if down >= servers:
            break
        if down + 1 < servers and free[first + down + 1] < free[first + down]:
            down += 1
        if free[first + down] >= value:
            break
        free[first + j] = free[first + down]
        j = down
    free[first + j] = value


@njit(cache=True)
def visit(d, i, desk, work, patience):
    """Let case ``i``, which arrived at ``case.arrived``, join the queue of ``desk``.

    ``work`` in hours. Returns the wall time at which the visit ends, or -1 when the wait would
    exceed ``patience`` days: the case then takes no server.
    """
    case = d.cases[i]
    k = d.desks[desk]
    start = max(to_work(case.arrived, k.calendar), d.free[k.first])
    if start_wall(start, k.calendar) - case.arrived > patience:
        return -1.0
    case.desk = desk
    case.start = start
    case.finish = start + work / k.speed
    _replace_first(d.free, k.first, k.servers, case.finish)
    k.busy += case.finish - start
    return max(finish_wall(case.finish, k.calendar), case.arrived)


@njit(cache=True, nogil=True)
def set_servers(d, servers, speed, now, held_desk, held_finish):
    """Staff every desk anew at wall time ``now``; visits in service keep their server.

    ``held_desk`` and ``held_finish`` (working hours) list the visits in service, sorted by desk
    and then by finish. With fewer servers than visits in service, the next start waits until
    the surplus has finished.
    """
    at = 0
    held = 0
    for j in range(len(d.desks)):
        k = d.desks[j]
        k.servers = servers[j]
        k.speed = speed[j]
        k.first = at
        idle_since = to_work(now, k.calendar)
        in_service = 0
        while held + in_service < len(held_desk) and held_desk[held + in_service] == j:
            in_service += 1
        # ascending order is a valid min-heap
        idle = max(servers[j] - in_service, 0)
        for s in range(idle):
            d.free[at + s] = idle_since
        skip = max(in_service - servers[j], 0)
        for s in range(min(in_service, servers[j])):
            d.free[at + idle + s] = held_finish[held + skip + s]
        held += in_service
        at += servers[j]


def in_order(table: np.ndarray, rows: np.ndarray, first: str, *ties: str) -> np.ndarray:
    """Return ``rows`` of a table by its column ``first``, then by ``ties``.

    With 30,000 rows or more, of which few are tied, three times faster than np.lexsort, whose
    sort is not by vectors. Where most are tied it is no faster.
    """
    values = table[first][rows]
    order = np.argsort(values)
    rows, values = rows[order], values[order]
    same = np.flatnonzero(values[1:] == values[:-1])
    if len(same):
        tied = np.union1d(same, same + 1)
        few = rows[tied]
        rows[tied] = few[np.lexsort((*(table[name][few] for name in reversed(ties)), values[tied]))]
    return rows


def make_room(d: District, extra: int) -> None:
    """Give the district room for at least ``extra`` more cases (the columns are copied)."""
    old = len(d.cases)
    size = old + extra
    cases = np.zeros(size, CASE)
    cases[:old] = d.cases
    links = np.arange(1, size + 1, dtype=np.int32)
    links[:old] = d.links
    links[-1] = d.state[FREE_HEAD]
    d.state[FREE_HEAD] = old
    d.state[FREE_COUNT] += extra
    heap_time = np.zeros(size)
    heap_case = np.zeros(size, np.int32)
    heap_time[: d.state[HEAP]] = d.heap_time[: d.state[HEAP]]
    heap_case[: d.state[HEAP]] = d.heap_case[: d.state[HEAP]]
    d.cases, d.links = cases, links
    d.heap_time, d.heap_case = heap_time, heap_case
