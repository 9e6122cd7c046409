"""The needs of one day, in the order in which they arise: drawn per birth cell, then thinned."""

import numpy as np

from reformsim.cases.handle import prefetch
from reformsim.cases.state import (
    AROUND_THE_CLOCK,
    FIRST_RESIDENT,
    NEEDS,
    SEED,
    UPCOMING,
)
from reformsim.chance import Purpose, draw, mix, poisson
from reformsim.kernels import njit

RESIDENT, CATEGORY = int(Purpose.RESIDENT), int(Purpose.CATEGORY)
MOMENT, THINNING = int(Purpose.MOMENT), int(Purpose.THINNING)
#: Needs arise between 7:00 and 23:00 (assumed).
WAKE, AWAKE_HOURS = 7.0, 16.0
#: Candidates whose residents fit the nearest cache, records of residents and of chances.
BLOCK = 256
#: The last moment of a day at which one may arise.
MIDNIGHT = 1.0 - 1e-9


@njit(cache=True)
def count_candidates(d, day):
    """Poisson number of candidate needs of each birth cell on ``day``; returns their sum."""
    per_day = d.world[0].needs / 365.0 * d.lift[0]
    total = 0
    for g in range(len(d.grids)):
        cell = d.grids[g]
        n = poisson(cell.weight * per_day, mix(mix(d.fixed[SEED], cell.id), day))
        d.counts[g] = n
        total += n
    return total


@njit(cache=True)
def most_accepted(accept):
    """Largest chance of each category anywhere, (12,): what exceeds it arises nowhere."""
    most = np.zeros(accept.shape[1])
    for community in range(accept.shape[0]):
        for category in range(len(most)):
            most[category] = max(most[category], accept[community, category])
    return most


@njit(cache=True)
def generate(d, day, total):
    """List the needs of ``day``, of which ``total`` candidates were counted, in order of time.

    A candidate is keyed by birth cell, day and index, then by resident. Pass by pass over a block
    of them, so that the memory of many is fetched at a time: half the time of one by one.
    """
    keys, residents = np.empty(total, np.uint64), np.empty(total, np.int32)
    categories, times = np.empty(total, np.uint8), np.empty(total)
    candidates = _candidates(d, day, keys, residents, categories)
    n = np.int64(0)
    for start in range(0, candidates, BLOCK):
        block = start, min(start + BLOCK, candidates)
        _pick(d, keys, residents, block)
        n = _accept(d, day, keys, residents, categories, times, block, n)
    _in_order(d, day, keys[:n], residents, categories, times)


@njit(cache=True)
def _mark(key):
    """Thinning mark of a candidate: the need arises where it is below the chance of acceptance."""
    return draw(key, THINNING)


@njit(cache=True)
def _candidates(d, day, keys, cells, categories):
    """Key, birth cell and category of the candidates that some place accepts; returns their number.

    Category and thinning mark are the candidate's, so that what no place accepts ends at once.
    """
    most = most_accepted(d.accept)
    n = 0
    for g in range(len(d.grids)):
        cell_key = mix(mix(d.fixed[SEED], d.grids[g].id), day)
        for candidate in range(d.counts[g]):
            key = mix(cell_key, candidate + 1)
            u = draw(key, CATEGORY)
            category = 0
            for k in range(11):
                category += u >= d.category_cut[k]
            keys[n] = key
            cells[n] = g
            categories[n] = category
            n += _mark(key) < most[category]
    return n


@njit(cache=True)
def _pick(d, keys, residents, block):
    """Replace birth cells in ``residents`` by a resident each, in proportion to multipliers."""
    start, stop = block
    spins = np.empty(BLOCK)
    first = np.empty(BLOCK, np.int32)
    for n in range(start, stop):
        cell = d.grids[residents[n]]
        spin = draw(keys[n], RESIDENT) * cell.people
        j = min(int(spin), cell.people - 1)
        first[n - start] = cell.first
        residents[n] = cell.first + j
        spins[n - start] = spin - j
        prefetch(d.alias, residents[n])
    for n in range(start, stop):
        slot = d.alias[residents[n]]
        if spins[n - start] >= slot.cut:
            residents[n] = first[n - start] + int(slot.other)
        prefetch(d.residents, residents[n])


@njit(cache=True)
def _accept(d, day, keys, residents, categories, times, block, m):
    """Keep the needs of a block that arise where their residents live, after ``m`` before them.

    Times them; returns the number of all.
    """
    for n in range(block[0], block[1]):
        resident, category = residents[n], categories[n]
        community = d.grids[d.residents[resident].place].community
        if _mark(keys[n]) >= d.accept[community, category]:
            continue
        key = mix(keys[n], d.fixed[FIRST_RESIDENT] + resident)
        moment = draw(key, MOMENT)
        if not d.fixed[AROUND_THE_CLOCK]:
            moment = (WAKE + AWAKE_HOURS * moment) / 24.0
        keys[m] = key
        residents[m] = resident
        categories[m] = category
        times[m] = day + min(moment, MIDNIGHT)
        m += 1
    return m


@njit(cache=True)
def _in_order(d, day, keys, residents, categories, times):
    """File the needs of a day by (time, key): into as many slots as needs, then by insertion."""
    slots = len(keys)
    first = np.zeros(slots + 1, np.int32)
    for n in range(slots):
        first[int((times[n] - day) * slots) + 1] += 1
    for k in range(slots):
        first[k + 1] += first[k]
    for n in range(slots):
        slot = int((times[n] - day) * slots)
        need = d.needs[first[slot]]
        first[slot] += 1
        need.time = times[n]
        need.key = keys[n]
        need.resident = residents[n]
        need.category = categories[n]
    for n in range(1, slots):
        j = n
        while j > 0 and _earlier(d.needs[j], d.needs[j - 1]):
            _swap(d.needs, j)
            j -= 1
    d.state[NEEDS] = slots
    d.state[UPCOMING] = 0
    d.daily[day, 0] += slots


@njit(cache=True)
def _earlier(a, b):
    return a.time < b.time or (a.time == b.time and a.key < b.key)


@njit(cache=True)
def _swap(needs, j):
    a, b = needs[j - 1], needs[j]
    a.time, b.time = b.time, a.time
    a.key, b.key = b.key, a.key
    a.resident, b.resident = b.resident, a.resident
    a.category, b.category = b.category, a.category
