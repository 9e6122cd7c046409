"""The contest for investment: equilibria known from theory, and money that is spent."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reformsim.chance import seed_key
from reformsim.institutions.contest import (
    arrival_rate,
    best_response,
    best_responses,
    projects_won,
    scores,
    shares,
    team_productivity,
)

EPSILON = 0.1


def symmetric(n, m, prize):
    return m * prize * (n - 1) / n**2


@pytest.mark.parametrize("n, m", [(2, 0.5), (2, 1), (5, 0.5), (5, 1), (20, 1), (100, 0.9)])
def test_equal_units_end_in_tullocks_equilibrium_from_unequal_bids(n, m):
    start = np.linspace(0, 30, n)
    bid = best_responses(start, 1.0, 0.4, 100.0, m, EPSILON)
    assert bid == pytest.approx(symmetric(n, m, 100.0), rel=1e-6)


@pytest.mark.parametrize("n, m", [(2, 2), (3, 1.5), (5, 1.25), (20, 20 / 19), (5, 1.1), (261, 1)])
def test_the_symmetric_point_is_an_equilibrium_up_to_the_limit_of_m(n, m):
    point = np.full(n, symmetric(n, m, 100.0))
    assert best_response(point, 1.0, 0.4, 100.0, m, EPSILON) == pytest.approx(point, rel=1e-9)


def test_dissipation_of_the_rent():
    bid = best_responses(np.ones(10), 1.0, 0.0, 50.0, 1.0, EPSILON)
    assert bid.sum() == pytest.approx(50.0 * 9 / 10, rel=1e-6)


def test_two_unequal_prizes():
    """Known answer at m = 1: b_i = V_i² V_j / (V_i + V_j)²."""
    bid = best_responses(np.ones(2), 1.0, 0.0, np.array([100.0, 50.0]), 1.0, EPSILON)
    assert bid == pytest.approx([100**2 * 50 / 150**2, 50**2 * 100 / 150**2], rel=1e-6)


def test_unequal_productivity():
    """Known answer at m = 1 with n active units: p_i = 1 − (n − 1)/k_i / Σ(1/k)."""
    k = np.array([1.0, 1.2, 0.9, 1.1])
    bid = best_responses(np.ones(4), k, 1 - EPSILON, 100.0, 1.0, EPSILON)
    share = shares(scores(bid, k, 1 - EPSILON, 1.0, EPSILON))
    assert share == pytest.approx(1 - 3 / k / (1 / k).sum(), abs=1e-7)


@settings(max_examples=30)
@given(
    bids=st.lists(st.floats(0.1, 40), min_size=3, max_size=6),
    m=st.floats(0.3, 1.2),
    cap=st.floats(0.5, 60),
)
def test_no_other_bid_pays_more_than_the_best_response(bids, m, cap):
    bids = np.array(bids)
    answer = best_response(bids, 1.0, 0.5, 100.0, m, EPSILON, cap=cap)
    others = scores(bids, 1.0, 0.5, m, EPSILON)[1:].sum()
    tried = np.append(np.linspace(0, cap, 2001), answer[0])
    own = scores(tried, 1.0, 0.5, m, EPSILON)
    payoff = 100.0 * own / (own + others) - tried
    assert answer[0] <= cap
    assert payoff[-1] >= payoff.max() - 1e-9


def test_bids_stay_within_the_budget():
    cap = np.array([0.0, 3.0, 100.0])
    bid = best_responses(np.ones(3), 1.0, 0.5, 100.0, 1.0, EPSILON, cap=cap)
    assert np.all(bid <= cap)
    assert bid[1] == 3.0
    assert bid[2] == pytest.approx(np.sqrt(100 * 3.0) - 3.0, rel=1e-6)


def test_with_increasing_returns_a_unit_that_can_bid_only_little_stays_out():
    bids = np.array([1.0, 40.0, 40.0])
    free = best_response(bids, 1.0, 0.5, 200.0, 1.4, EPSILON)
    tight = best_response(bids, 1.0, 0.5, 200.0, 1.4, EPSILON, cap=np.array([0.5, 90.0, 90.0]))
    assert free[0] > 0.5
    assert tight[0] == 0.0


def test_half_steps_keep_five_equal_units_in_a_contest_with_increasing_returns():
    bid = best_responses(np.ones(5), 1.0, 0.4, 100.0, 1.2, EPSILON)
    assert bid == pytest.approx(symmetric(5, 1.2, 100.0), rel=1e-6)


@pytest.mark.parametrize("m", [0.0, -1.0, 1.34, np.nan])
def test_m_outside_its_range_raises(m):
    with pytest.raises(ValueError, match="discrimination"):
        best_responses(np.ones(4), 1.0, 0.5, 100.0, m, EPSILON)


def test_a_project_nobody_can_bid_for_leaves_the_city():
    bid = best_responses(np.ones(3), 0.0, 0.5, 100.0, 1.0, EPSILON)
    share = shares(scores(bid, 0.0, 0.5, 1.0, EPSILON))
    assert not share.any()
    assert not projects_won(share, 20.0, seed_key(1)).any()


def test_one_bidder_pays_next_to_nothing():
    bid = best_responses(np.zeros(2), np.array([1.0, 0.0]), 0.5, 100.0, 1.0, EPSILON)
    assert bid[1] == 0
    assert 0 < bid[0] <= 1e-3


def test_arrivals_rise_weakly_from_their_level_before_the_reform():
    assert arrival_rate(30.0, 1.0, 1.0, 0.2) == 30.0
    rates = arrival_rate(30.0, np.array([0.0, 0.5, 1.0, 2.0]), 1.0, 0.2)
    assert np.all(np.diff(rates) > 0)
    assert rates[0] == pytest.approx(30 * 0.5**0.2)
    assert np.all(np.diff(arrival_rate(30.0, 1.0, np.array([0.8, 1.0, 1.3]), 0.2)) > 0)
    assert np.ptp(arrival_rate(30.0, np.array([0.0, 2.0]), 1.0, 0.0)) == 0


def test_a_district_team_wins_by_scale_unless_the_place_counts_more():
    assert team_productivity(1.0, 4.0, 1.3, 0.1) < team_productivity(0.0, 4.0, 1.3, 0.1)
    assert team_productivity(1.0, 4.0, 1.3, 0.3) > team_productivity(0.0, 4.0, 1.3, 0.3)
    assert team_productivity(0.25, 4.0, 1.0, 0.5) == pytest.approx(0.75 + 0.25 * 2)


def test_projects_are_won_by_share():
    """Chi-square over 3 cells, 400 years of 20 projects; false alarm about 2e-6 (seeds fixed)."""
    share = np.array([0.5, 0.3, 0.2, 0.0])
    won = sum(projects_won(share, 20.0, seed_key(year)) for year in range(400))
    expected = won.sum() * share[:3]
    assert won[3] == 0
    assert ((won[:3] - expected) ** 2 / expected).sum() < 27.6
    assert abs(won.sum() - 8000) < 4.9 * np.sqrt(8000)


def test_a_city_of_many_projects_has_them_all():
    """Chengdu's 21 million draw 1,831 a year; their number is Poisson: mean and variance.

    400 years, each within 4.9 standard errors: false alarm 2e-6 (seeds fixed).
    """
    won = np.array([projects_won(np.ones(1), 1831.0, seed_key(y))[0] for y in range(400)])
    assert abs(won.mean() - 1831) < 4.9 * np.sqrt(1831 / 400)
    assert abs(won.var() / 1831 - 1) < 4.9 * np.sqrt(2 / 400)


def test_more_expected_projects_are_never_fewer():
    for year in range(20):
        counts = [
            projects_won(np.ones(1), rate, seed_key(year))[0]
            for rate in (0.0, 20.0, 699.0, 700.0, 701.0, 1400.0, 1401.0, 3000.0)
        ]
        assert counts == sorted(counts) and counts[0] == 0


@pytest.mark.parametrize("rate", [-1.0, float("inf"), float("nan")])
def test_an_impossible_rate_of_projects_raises(rate):
    with pytest.raises(ValueError, match="projects a year"):
        projects_won(np.ones(1), rate, seed_key(0))
