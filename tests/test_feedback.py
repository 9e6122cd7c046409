"""Satisfaction: rest points and cycles of experience, and drift between touches."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reformsim.cases import engine
from reformsim.cases import state as s
from reformsim.cases.voice import baseline_of, pulse_to, touch
from reformsim.residents.feedback import (
    drift,
    experience,
    performance,
    satisfaction_target,
)
from support import busy_town

SHARE = st.floats(0.0, 1.0)
#: b0, bP, bD, L, rate, kappa such that no target is cut at 0 or 1 for P in [0.2, 0.9].
SETTINGS = [
    (0.3, 0.5, 0.2, 1.75, 0.3, 0.1),
    (0.35, 0.4, 0.0, 2.5, 0.5, 0.2),
    (0.3, 0.45, 0.25, 1.0, 0.3, 0.01),
    (0.3, 0.45, 0.25, 2.5, 1.0, 0.2),
]


def live(start, performances, b0, bp, bd, loss, rate, kappa):
    """Return satisfaction and expectation after each experience, (n, 2)."""
    state, path = start, []
    for p in performances:
        state = experience(*state, p, b0, bp, bd, loss, rate, kappa)
        path.append(state)
    return np.array(path)


@pytest.mark.parametrize("facts", SETTINGS)
@pytest.mark.parametrize("p", [0.2, 0.9])
def test_constant_performance_is_what_people_come_to_expect(facts, p):
    b0, bp, *_, kappa = facts
    path = live((0.5, 0.6), np.full(4000, p), *facts)
    assert path[-1] == pytest.approx([b0 + bp * p, p], abs=1e-12)
    # the way there: the gap of expectation closes by kappa each time
    n = np.arange(1, 4001)
    np.testing.assert_allclose(path[:, 1], p + (0.6 - p) * (1 - kappa) ** n, atol=1e-12)


@pytest.mark.parametrize("facts", SETTINGS)
def test_alternating_performance_ends_in_its_cycle(facts):
    b0, bp, bd, loss, rate, kappa = facts
    good, bad = 0.9, 0.2
    path = live((0.5, 0.6), np.tile([good, bad], 3000), *facts)
    after_good, after_bad = path[-2], path[-1]
    # E' = qE + κP, twice, q = 1 − κ: E is (P₁ + qP₂)/(1 + q) after P₁, so that each
    # experience surprises by ±(good − bad)/(1 + q)
    q, r = 1 - kappa, 1 - rate
    assert after_good[1] == pytest.approx((good + q * bad) / (1 + q), abs=1e-12)
    assert after_bad[1] == pytest.approx((bad + q * good) / (1 + q), abs=1e-12)
    surprise = (good - bad) / (1 + q)
    up = b0 + bp * good + bd * surprise
    down = b0 + bp * bad - bd * loss * surprise
    assert 0 < down < up < 1, "no target is cut"
    # S' = rS + (1 − r)·target, twice
    assert after_good[0] == pytest.approx((up + r * down) / (1 + r), abs=1e-12)
    assert after_bad[0] == pytest.approx((down + r * up) / (1 + r), abs=1e-12)
    # a loss weighs more than a gain: ups and downs cost satisfaction against a steady mean
    steady = b0 + bp * (good + bad) / 2
    cost = bd * (loss - 1) * surprise / 2
    assert (after_good[0] + after_bad[0]) / 2 == pytest.approx(steady - cost, abs=1e-12)


@given(SHARE, SHARE, SHARE, SHARE, st.floats(0, 0.5), st.floats(1, 2.5), SHARE, SHARE)
def test_experience_stays_within_bounds(satisfaction, expectation, p, b0, bd, loss, rate, kappa):
    after = experience(satisfaction, expectation, p, b0, 0.5, bd, loss, rate, kappa)
    assert min(after) >= -1e-15
    assert max(after) <= 1 + 1e-15
    target = satisfaction_target(p, expectation, b0, 0.5, bd, loss)
    better = satisfaction_target(min(p + 0.1, 1.0), expectation, b0, 0.5, bd, loss)
    prouder = satisfaction_target(p, min(expectation + 0.1, 1.0), b0, 0.5, bd, loss)
    assert prouder <= target <= better


def test_performance_halves_with_every_promised_time():
    assert performance(1.0, 0.0, 15.0) == 1.0
    assert performance(1.0, 15.0, 15.0) == 0.5
    assert performance(0.4, 45.0, 15.0) == pytest.approx(0.05)


DAYS, MEMORY, LIFETIME = st.floats(0.0, 3000.0), st.floats(60.0, 2000.0), st.floats(30.0, 720.0)


@settings(max_examples=500)
@given(SHARE, st.floats(0, 10), SHARE, DAYS, SHARE, MEMORY, LIFETIME, st.floats(0, 0.3))
def test_two_half_steps_are_one(satisfaction, burden, base, days, cut, memory, lifetime, weight):
    world = (memory, lifetime, weight)
    whole = drift(satisfaction, burden, base, days, *world)
    half = drift(satisfaction, burden, base, cut * days, *world)
    both = drift(*half, base, (1 - cut) * days, *world)
    # relative to the terms of the sum
    assert both[0] == pytest.approx(whole[0], abs=1e-12 * (1.0 + burden * weight))
    assert both[1] == pytest.approx(whole[1], rel=1e-12)


@settings(max_examples=200)
@given(DAYS, MEMORY, st.floats(-9, -3), st.floats(0.01, 0.3))
def test_equal_rates_are_the_limit(days, memory, exponent, weight):
    # memory and lifetime equal: B·a·t·e^(−at)
    equal, _ = drift(0.5, 4.0, 0.6, days, memory, memory, weight)
    fade = np.exp(-days / memory)
    by_hand = 0.6 - 0.1 * fade - weight * 4.0 * days / memory * fade
    assert equal == pytest.approx(by_hand, abs=1e-12)
    near, _ = drift(0.5, 4.0, 0.6, days, memory, memory * (1 + 10**exponent), weight)
    assert near == pytest.approx(equal, abs=weight * 4.0 * (10**exponent + 1e-6))


@settings(max_examples=200)
@given(DAYS, MEMORY, st.floats(-9, 0), st.sampled_from([-1, 1]))
@example(400.0, 365.0, -3.0, 1)  # where one formula hands over to the other
@example(400.0, 365.0, -3.0, -1)
def test_rates_near_and_apart_agree_with_fifty_digits(days, memory, exponent, side):
    lifetime = memory * (1 + side * 0.9 * 10**exponent)
    found, _ = drift(0.0, 1.0, 0.0, days, memory, lifetime, 1.0)
    with localcontext(prec=50):
        t, m, life = (Decimal(x) for x in (days, memory, lifetime))
        exact = ((-t / life).exp() - (-t / m).exp()) * life / (life - m)
    assert -found == pytest.approx(float(exact), abs=1e-12)


def test_drift_solves_its_equation():
    memory, lifetime, weight, base = 365.0, 180.0, 0.03, 0.6
    step = 1e-3
    for days in (0.0, 10.0, 400.0):
        s0, burden = drift(0.4, 3.0, base, days, memory, lifetime, weight)
        s1, _ = drift(0.4, 3.0, base, days + step, memory, lifetime, weight)
        slope = -(s0 - (base - weight * burden)) / memory
        assert (s1 - s0) / step == pytest.approx(slope, rel=1e-5)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(SHARE, st.floats(0, 10), SHARE), min_size=1, max_size=40),
    DAYS, MEMORY, LIFETIME, st.floats(0, 0.3),
)  # fmt: skip
def test_sums_drift_like_residents(residents, days, memory, lifetime, weight):
    world = (memory, lifetime, weight)
    alone = np.sum([drift(*r, days, *world) for r in residents], axis=0)
    together = drift(*np.sum(residents, axis=0), days, *world)
    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-12 * len(residents))


def test_group_sums_follow_the_residents_through_a_busy_year():
    horizon = 360
    d, *_ = busy_town(horizon=horizon, patience=60.0)
    for start in range(0, horizon, 30):
        engine.run_span(d, start, start + 30)
    now = float(horizon)
    residents = np.array([touch(d, i, now) for i in range(len(d.residents))])
    base = [baseline_of(d.world[0], d.fixed[s.SEED], i) for i in range(len(d.residents))]
    community = d.grids["community"][d.residents["place"]]
    age, w = d.residents["age"], d.world[0]
    limit = 0.5 * w["baseline"] / w["burden_weight"]
    for c, a in np.ndindex(d.pulse.shape):
        pulse_to(d, c, a, now)
        group = (community == c) & (age == a)
        p = d.pulse[c, a]
        assert p["people"] == group.sum()
        assert p["baseline"] == pytest.approx(np.sum(base, where=group))
        # a resident's day of touch has 24 bits: at day 256 to 512 it is off by up to 2⁻¹⁶; no
        # need touches anybody more than twice, and S and B move by at most so much a day
        late = 2.0**-16 * 2 * d.tally[c, a, s.T["needs"]]
        alone = residents[group].sum(axis=0)
        assert p["satisfaction"] == pytest.approx(alone[0], abs=late / w["satisfaction_memory"])
        assert p["burden"] == pytest.approx(alone[1], abs=late * limit / w["silent_lifetime"])
    assert (d.residents["touched"] > 0).mean() > 0.9
    moved = d.residents["satisfaction"] - np.array(base)
    assert np.abs(moved).mean() > 0.05, "the year has left its mark"
