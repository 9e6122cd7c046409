"""The flow of cases: parts, wrong desks, calendars, and that no bookkeeping changes a result.

Random results are held to the false-alarm rate of ``support.ALARM`` each, 30 of them here; the
properties of the second half are exact.
"""

import copy
import os
import pickle
import subprocess
import sys
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from reformsim import lab
from reformsim.cases import engine
from reformsim.cases import state as s
from reformsim.cases.clock import ALWAYS, CALENDARS, finish_wall, start_wall, to_work
from reformsim.cases.queue import open_span
from support import LIMIT, busy_town, kept, z_of_mean, z_of_p


def chains(k, serial_share):
    """Yield (chance, lengths of chains) of the ways in which ``k`` parts can hang together."""
    for joined in product((False, True), repeat=k - 1):
        lengths = [1]
        for serial in joined:
            if serial:
                lengths[-1] += 1
            else:
                lengths.append(1)
        share = np.where(joined, serial_share, 1 - serial_share)
        yield share.prod(), lengths


def expected_days(k, serial_share):
    """E[longest chain] of exponential parts with mean 1: a chain of n parts is Erlang(n)."""
    total = 0.0
    for chance, lengths in chains(k, serial_share):

        def beyond(t, lengths=lengths):
            return 1 - np.prod(special.gammainc(lengths, t))

        total += chance * integrate.quad(beyond, 0, 60, limit=200)[0]
    return total


def test_expectation_by_hand():
    harmonic = np.cumsum(1 / np.arange(1, 7))
    for k in range(1, 7):
        assert expected_days(k, 1.0) == pytest.approx(k)
        assert expected_days(k, 0.0) == pytest.approx(harmonic[k - 1])
    # K = 3: one chain of three; a pair beside a single, E[max] = 2 + 1 − 3/4; three singles
    for share in (0.15, 0.5):
        by_hand = 3 * share**2 + 2 * 2.25 * share * (1 - share) + 11 / 6 * (1 - share) ** 2
        assert expected_days(3, share) == pytest.approx(by_hand)


MIXED = [(3, 0.15), (3, 0.5), (6, 0.4)]


@pytest.mark.parametrize(
    ("k", "share"),
    [(k, share) for k in (1, 2, 3, 6) for share in (0.0, 1.0)] + MIXED,
)
def test_departments_in_series_and_in_parallel(k, share):
    frame = lab.departments(k, 0.5, share, 40_000, rng=10 * k + int(100 * share))
    assert len(frame) == 40_000
    days = (frame.finished - frame.arrived) * 0.5
    z = z_of_mean(f"K = {k}, serial share {share}", days, expected_days(k, share))
    assert abs(z) < LIMIT
    if share in (0.0, 1.0):
        law = stats.gamma(k).cdf if share else lambda t: (1 - np.exp(-t)) ** k
        assert z_of_p("  its distribution", stats.kstest(days, law).pvalue) < LIMIT


@pytest.mark.parametrize("p", [0.05, 0.18, 0.38])
def test_dispatches_are_geometric(p):
    n = 60_000
    sent = lab.dispatches(p, n, rng=int(100 * p))
    z = (sent.mean() - 1 / (1 - p)) / (np.sqrt(p) / (1 - p) / np.sqrt(n))
    print(f"dispatches at p = {p}: {sent.mean():.5f} against {1 / (1 - p):.5f}, z = {z:.2f}")
    assert abs(z) < LIMIT
    # cells 1, 2, ... while 5 or more are expected, then the tail
    cells = int(np.log(5 / n) / np.log(p))
    chance = (1 - p) * p ** np.arange(cells)
    chance = np.append(chance, 1 - chance.sum())
    counts = np.bincount(np.minimum(sent, cells + 1), minlength=cells + 2)[1:]
    assert z_of_p("  geometric", stats.chisquare(counts, n * chance).pvalue) < LIMIT


def test_returns_end_after_62():
    assert (lab.dispatches(1.0, 10, 1) == 63).all()
    assert (lab.dispatches(0.0, 10, 1) == 1).all()


def test_single_mechanisms_of_institutions():
    assert lab.effort(1.0, 0.3, 0.5) == (1.0, 0.0)
    assert lab.effort(0.0, 0.3, 0.5) == (0.0, 0.3)
    thresholds = np.arange(100) / 100
    assert lab.participation(thresholds) == 1.0
    thresholds[1] = 0.02
    assert lab.participation(thresholds) == 0.01
    for n, m in ((2, 2.0), (5, 0.8), (20, 1.0), (3, 1.5)):
        symmetric = m * 100.0 * (n - 1) / n**2
        np.testing.assert_allclose(lab.contest(n, m, 100.0), symmetric, rtol=1e-6)


# --- what must not change a result


def run(d, days, staff=lambda day: None):
    """Run a district through spans that end at ``days``, with ``staff(day)`` before each."""
    for start, end in zip([0, *days], days, strict=False):
        staff(start)
        engine.run_span(d, start, end)


def same(a, b):
    """Whether two districts have seen the same to the bit."""
    np.testing.assert_array_equal(kept(a), kept(b))
    for name in ("residents", "pulse", "tally", "days", "waits", "daily", "days_by_parts"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    np.testing.assert_array_equal(a.desks["visits"], b.desks["visits"])


HORIZON = 60
DAYS = st.lists(st.integers(1, HORIZON - 1), unique=True, max_size=8).map(sorted)


def test_the_town_is_busy():
    d, _, _ = busy_town(horizon=120)
    run(d, [120])
    total = dict(zip(s.TALLY, d.tally.sum(axis=(0, 1)), strict=True))
    some = set(s.TALLY) - {"walk"}
    assert all(total[name] > 0 for name in some), "every mechanism is at work"
    assert (d.waits > 0).all()
    used = d.desks["visits"] > 0
    for first, last in ((0, 8), (8, 12), (14, 26), (43, 48), (48, 62)):
        assert used[first:last].sum() > (last - first) / 2


@settings(max_examples=12)
@given(days=DAYS, seed=st.integers(0, 2**40))
@example(days=[16], seed=121355)  # chains of one case come to a desk at one moment
def test_restaffing_alike_changes_nothing(days, seed):
    plain, _, _ = busy_town(seed, HORIZON)
    run(plain, [HORIZON])
    again, servers, speed = busy_town(seed, HORIZON)
    run(again, [*days, HORIZON], lambda day: engine.restaff(again, float(day), servers, speed))
    same(plain, again)


@settings(max_examples=12)
@given(days=DAYS, rate=st.integers(1, 96), seed=st.integers(0, 2**40))
def test_buckets_and_spans_change_nothing(days, rate, seed):
    plain, _, _ = busy_town(seed, HORIZON)
    run(plain, [HORIZON])
    other, _, _ = busy_town(seed, HORIZON)
    other.span[s.RATE] = rate
    run(other, [*days, HORIZON])
    same(plain, other)


HOURS = 0.1, 0.7, 0.3


def chains_at_a_desk(rows):
    """Lay out a town with three chains of one case at one desk, alike but for their parts."""
    d, servers, speed = busy_town()
    for row, mask, hours in zip(rows, (1, 2, 4), HOURS, strict=True):
        case = d.cases[row]
        for name, value in {
            "key": 7, "mask": mask, "stage": s.LOCAL, "channel": s.GRID, "parent": row,
            "arrived": 0.5, "begun": -1.0, "start": 0.0, "finish": hours, "parts": 3,
        }.items():  # fmt: skip
            case[name] = value
    return d, servers, speed


@pytest.mark.parametrize("rows", [*permutations((3, 5, 8))])
def test_chains_of_one_case_are_told_apart_by_their_parts(rows):
    """Wherever their records lie: to the bit."""
    d, servers, speed = chains_at_a_desk(rows)
    (desk,) = set(d.cases["desk"][list(rows)])
    d.desks["busy"][desk] = 1.1
    in_order, *others = [((1.1 - a) - b) - c for a, b, c in permutations(HOURS)]
    assert any(other != in_order for other in others)
    assert engine.served_hours(d, 0.0)[desk] == in_order
    engine.restaff(d, 0.0, servers, speed)
    starts = d.cases["start"][list(rows)]
    assert starts[0] < starts[1] < starts[2]


@settings(max_examples=12)
@given(day=st.integers(1, HORIZON - 1), seed=st.integers(0, 2**40))
def test_a_span_begun_anew_half_way_changes_nothing(day, seed):
    plain, _, _ = busy_town(seed, HORIZON)
    run(plain, [HORIZON])
    again, _, _ = busy_town(seed, HORIZON)
    open_span(again, 0, HORIZON)
    engine.run_to(again, float(day))
    assert (again.buckets >= 0).any()
    engine.run_span(again, day, HORIZON)
    same(plain, again)


def test_a_bundle_is_what_its_kernels_take_it_for():
    d, _, _ = busy_town()
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="points into memory"):
            copied(d)
    for name, value in {"nothing": d.free, "free": d.free[::2], "cases": d.free}.items():
        with pytest.raises(TypeError, match=name):
            setattr(d, name, value)


def test_indices_are_checked_where_numba_is_told_to():
    """Compiled in another process, for no cache: a kernel checks or not as it was compiled."""
    code = (
        "import numpy as np; from numba import njit; from reformsim.cases.handle import Bundle\n"
        "class One(Bundle):\n    FIELDS = {'a': (np.float64, 2)}\n"
        "@njit\ndef read(b, i, k):\n    return b.a[i, k]\n"
        "one = One(a=np.arange(6.0).reshape(2, 3)); assert read(one, 1, 2) == 5.0\n"
        "for at in ((2, 0), (0, 3), (-1, 0)):\n"
        "    try:\n        read(one, *at)\n    except IndexError:\n        print('checked')"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], text=True, capture_output=True, check=True,
        env=os.environ | {"NUMBA_BOUNDSCHECK": "1"},
    )  # fmt: skip
    assert told.stdout == 3 * "checked\n"


def test_small_tables_change_nothing():
    plain, _, _ = busy_town(3, HORIZON)
    run(plain, [HORIZON])
    small, _, _ = busy_town(3, HORIZON)
    few = 64
    small.cases, small.heap_time = small.cases[:few].copy(), small.heap_time[:few].copy()
    small.heap_case = small.heap_case[:few].copy()
    small.links = small.links[:few].copy()
    small.links[-1] = -1
    small.state[s.FREE_COUNT] = few
    run(small, [HORIZON])
    names = [name for name in s.CASE.names if name != "parent"]
    order = ["key", "mask", "need"]
    np.testing.assert_array_equal(
        np.sort(kept(plain)[names], order=order), np.sort(kept(small)[names], order=order)
    )
    np.testing.assert_array_equal(plain.tally, small.tally)


def leads(d):
    """Return which records stand for a whole case."""
    return (d.cases["stage"] != s.FREE) & (d.cases["parent"] == np.arange(len(d.cases)))


@settings(max_examples=20)
@given(days=DAYS, data=st.data(), seed=st.integers(0, 2**40))
def test_new_staff_and_offices_lose_and_double_nothing(days, data, seed):
    plain, _, _ = busy_town(seed, HORIZON)
    run(plain, [HORIZON])
    d, servers, speed = busy_town(seed, HORIZON)
    draw = np.random.default_rng(data.draw(st.integers(0, 2**40)))
    merge = data.draw(st.booleans())

    def staff(day):
        if day:
            servers[:] = draw.integers(1, 9, len(servers))
            speed[:] = draw.uniform(0.05, 1.0, len(speed))
            if merge:
                first = d.fixed[s.TERRITORIAL] + 12 * np.arange(2)[:, None]
                pooled = d.fixed[s.OFFICES] + 5 * np.arange(2)[:, None]
                own, office = first + np.arange(12), pooled + d.categories["office"]
                d.office_desk[:] = np.where(draw.uniform(size=(2, 1)) < 0.5, own, office)
                d.communities["desk"] = d.fixed[s.STATIONS] + draw.integers(0, 4, 4)
        engine.restaff(d, float(day), servers, speed)

    run(d, [*days, HORIZON], staff)
    # the same needs, each once, whatever became of them
    np.testing.assert_array_equal(
        np.sort(d.cases["key"][leads(d)]), np.sort(plain.cases["key"][leads(plain)])
    )
    # every record is a case, a chain of an open case, or free and listed once
    free, i = [], d.state[s.FREE_HEAD]
    while i >= 0:
        free.append(i)
        i = d.links[i]
    assert len(free) == len(set(free)) == d.state[s.FREE_COUNT]
    assert set(free) == set(np.flatnonzero(d.cases["stage"] == s.FREE))
    busy = np.flatnonzero(~np.isin(d.cases["stage"], s.IDLE))
    running = np.bincount(d.cases["parent"][busy], minlength=len(d.cases))
    split = leads(d) & (d.cases["open"] > 0)
    np.testing.assert_array_equal(running[split], d.cases["open"][split])
    # an event that waits lies ahead
    assert (d.cases["time"][busy] >= HORIZON).all()
    # cases in = cases closed + lost + open, by community and age
    sums = {name: d.tally[:, :, j].sum() for name, j in s.T.items()}
    taken = sums["voiced"] + sums["found"]
    told = d.cases[leads(d) & (d.cases["channel"] >= s.GRID) & (d.cases["stage"] != s.NEED)]
    pending = (told["stage"] != s.ENDED).sum()
    assert taken == sums["closed"] + sums["lapsed"] + sums["orphaned"] + pending
    if not merge:
        assert_fifo(d)


def assert_fifo(d):
    """Visits to a desk start in order of arrival, as far as the records still tell."""
    visits = d.cases[np.isin(d.cases["stage"], (*s.AT_DESK, s.ENDED)) & (d.cases["desk"] >= 0)]
    visits = visits[np.lexsort((visits["start"], visits["arrived"], visits["desk"]))]
    same_desk = visits["desk"][1:] == visits["desk"][:-1]
    later = visits["start"][1:] >= visits["start"][:-1]
    assert same_desk.any()
    assert later[same_desk].all()


@settings(max_examples=12)
@given(days=DAYS, seed=st.integers(0, 2**40))
def test_hours_worked_add_up(days, seed):
    plain, servers, speed = busy_town(seed, HORIZON)
    run(plain, [HORIZON])
    whole = engine.served_hours(plain, float(HORIZON))
    d, _, _ = busy_town(seed, HORIZON)
    hours = []

    def staff(day):
        hours.append(engine.served_hours(d, float(day)))
        engine.restaff(d, float(day), servers, speed)

    run(d, [*days, HORIZON], staff)
    staff(HORIZON)
    np.testing.assert_allclose(sum(hours), whole, rtol=1e-9, atol=1e-9)
    # nobody works longer than the desk is open
    at = np.array([[to_work(float(day), c) for c in d.desks["calendar"]] for day in (0, *days)])
    opened = np.diff([*at, [to_work(float(HORIZON), c) for c in d.desks["calendar"]]], axis=0)
    assert (np.array(hours[1:]) <= servers * opened + 1e-9).all()
    # what is left of the visits in service is booked already
    cases = d.cases[np.isin(d.cases["stage"], s.AT_DESK) & (d.cases["desk"] >= 0)]
    now = np.array([to_work(float(HORIZON), c) for c in d.desks["calendar"]])[cases["desk"]]
    left = np.maximum(cases["finish"] - np.maximum(cases["start"], now), 0.0)
    booked = np.bincount(cases["desk"], left, minlength=len(d.desks))
    np.testing.assert_allclose(d.desks["busy"], booked, rtol=1e-9, atol=1e-9)


# --- calendars

CALENDAR = st.integers(0, len(CALENDARS) - 1)
WALL, WORKED = st.floats(0.0, 4000.0), st.floats(0.0, 30_000.0)
#: Rounding of some thousand days to hours and back, in hours.
ROUNDING = 1e-8


@given(t=WALL, calendar=CALENDAR)
def test_wall_to_work_and_back(t, calendar):
    w = to_work(t, calendar)
    # before the first opening of all there is no closing to go back to
    assert w == 0.0 or finish_wall(w, calendar) <= t + ROUNDING
    assert start_wall(w, calendar) >= t - ROUNDING
    opening, hours, days = CALENDARS[calendar]
    clock = t % 1.0 * 24.0
    if t % 7.0 < days and opening + 1e-6 < clock < opening + hours - 1e-6:
        assert finish_wall(w, calendar) == pytest.approx(t, abs=ROUNDING)
        assert start_wall(w, calendar) == pytest.approx(t, abs=ROUNDING)


@given(w=WORKED, calendar=CALENDAR)
def test_work_to_wall_and_back(w, calendar):
    first, last = finish_wall(w, calendar), start_wall(w, calendar)
    assert to_work(first, calendar) == pytest.approx(w, abs=ROUNDING)
    assert to_work(last, calendar) == pytest.approx(w, abs=ROUNDING)
    assert first <= last


@given(w=WORKED, calendar=CALENDAR)
def test_finish_is_the_earliest_and_start_the_latest(w, calendar):
    hours = CALENDARS[calendar, 1]
    step = 1e-4
    assume(24 * step < w % hours < hours - 24 * step)
    assert to_work(finish_wall(w, calendar) - step, calendar) < w - 23 * step
    assert to_work(start_wall(w, calendar) + step, calendar) > w + 23 * step


@given(n=st.integers(1, 2000), calendar=CALENDAR)
def test_whole_days_finish_at_closing_and_start_at_opening(n, calendar):
    opening, hours, days = CALENDARS[calendar]
    week, weekday = divmod(n - 1, days)
    closing = 7 * week + weekday + (opening + hours) / 24
    assert finish_wall(n * hours, calendar) == pytest.approx(closing, abs=ROUNDING)
    week, weekday = divmod(n, days)
    assert start_wall(n * hours, calendar) == pytest.approx(7 * week + weekday + opening / 24)


@given(t=WALL, step=st.floats(0.0, 20.0), calendar=CALENDAR)
def test_work_never_runs_back_nor_ahead(t, step, calendar):
    worked = to_work(t + step, calendar) - to_work(t, calendar)
    assert -ROUNDING <= worked <= 24 * step + ROUNDING


def test_always_open():
    for t in (0.0, 0.3, 6.99, 700.25):
        assert to_work(t, ALWAYS) == pytest.approx(24 * t)
        assert finish_wall(24 * t, ALWAYS) == pytest.approx(t)
