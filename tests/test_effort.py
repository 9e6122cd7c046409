"""Effort on two tasks and the split of hours: known answers and identities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim.institutions.effort import adjust, best_effort, hours_split, imitate, overload

weight = st.floats(0, 3)
share = st.floats(0, 1)


def payoff(e1, e2, a1, w2, gamma):
    return a1 * e1 + w2 * e2 - 0.5 * (e1**2 + e2**2) - gamma * e1 * e2


def test_closed_form_inside():
    e1, e2 = best_effort(0.8, 0.6, 0.5)
    assert e1 == pytest.approx((0.8 - 0.3) / 0.75)
    assert e2 == pytest.approx((0.6 - 0.4) / 0.75)


def test_without_the_duty_governance_rises_and_total_effort_falls():
    before = best_effort(1.0, 0.3, 0.5)
    after = best_effort(0.0, 0.3, 0.5)
    assert [float(e) for e in before] == [1.0, 0.0]
    assert [float(e) for e in after] == [0.0, 0.3]


def test_intrinsic_motivation_adds_to_the_weight_on_residents():
    assert np.allclose(best_effort(0.5, 0.4, 0.2, intrinsic=0.1), best_effort(0.5, 0.5, 0.2))


@given(a1=weight, a2=weight, gamma=st.floats(0, 0.95))
def test_no_feasible_move_pays(a1, a2, gamma):
    """Kuhn-Tucker: the payoff is concave, so no slope may point inside at the optimum."""
    e1, e2 = best_effort(a1, a2, gamma)
    slope1, slope2 = a1 - e1 - gamma * e2, a2 - e2 - gamma * e1
    assert e1 >= 0 and e2 >= 0
    assert slope1 <= 1e-9 and slope2 <= 1e-9
    assert abs(slope1 * e1) < 1e-9 and abs(slope2 * e2) < 1e-9


@given(a1=weight, less=share, a2=weight, gamma=st.floats(0, 0.95))
def test_less_weight_on_investment_takes_nothing_from_residents(a1, less, a2, gamma):
    """What falls is the sum of efforts: inside, (a1 + a2)/(1 + γ)."""
    e1, e2 = best_effort(a1, a2, gamma)
    now1, now2 = best_effort(a1 * less, a2, gamma)
    assert now2 >= e2 - 1e-12
    assert now1 + now2 <= e1 + e2 + 1e-12
    if e1 > 0 and e2 > 0:
        assert e1 + e2 == pytest.approx((a1 + a2) / (1 + gamma), rel=1e-9)


def test_arrays_give_each_unit_its_own_answer():
    a1, a2 = np.array([1.0, 0.2, 0.5]), np.array([0.3, 0.9, 0.5])
    e1, e2 = best_effort(a1, a2, 0.5)
    for i in range(3):
        assert (e1[i], e2[i]) == best_effort(a1[i], a2[i], 0.5)


@pytest.mark.parametrize("bad", [{"gamma": 1.0}, {"gamma": -0.1}, {"a1": -0.2}, {"gamma": np.nan}])
def test_meaningless_arguments_raise(bad):
    with pytest.raises(ValueError):
        best_effort(**{"a1": 0.5, "a2": 0.5, "gamma": 0.2} | bad)


def test_adjustment_closes_the_stated_share_of_the_gap():
    assert adjust(0.2, 0.6, 0.25) == pytest.approx(0.3)
    assert adjust(np.array([0.1]), np.array([0.7]), 1.0) == 0.7


def test_imitation_follows_better_ranked_peers_of_the_same_district():
    effort = np.array([0.0, 0.4, 0.8, 0.1, 0.9])
    score = np.array([1.0, 2.0, 3.0, 5.0, 5.0])
    district = np.array([0, 0, 0, 1, 1])
    moved = imitate(effort, score, district, 0.5)
    assert moved == pytest.approx([0.3, 0.6, 0.8, 0.1, 0.9])


@given(net=st.floats(0, 1e7), floor=st.floats(0.5, 1), e1=st.floats(0, 2), e2=st.floats(0, 2))
def test_hours_add_up_to_the_bit(net, floor, e1, e2):
    cases, investment, slack = hours_split(net, floor, e1, e2)
    assert cases + investment + slack == net
    assert min(cases, investment, slack) >= 0
    assert cases >= floor * net


@given(net=st.floats(0, 1e7), floor=st.floats(0, 0.5), e1=st.floats(0, 2), e2=st.floats(0, 2))
def test_hours_add_up_to_the_last_bit_below_the_declared_floor(net, floor, e1, e2):
    total = sum(hours_split(net, floor, e1, e2))
    assert abs(total - net) <= np.spacing(net)


def test_hours_follow_the_efforts():
    assert hours_split(100.0, 0.6, 0.3, 0.5) == pytest.approx((80.0, 12.0, 8.0))
    assert hours_split(100.0, 0.6, 0.6, 1.8) == pytest.approx((90.0, 10.0, 0.0))
    assert hours_split(100.0, 0.6, 0.0, 0.0) == pytest.approx((60.0, 0.0, 40.0))


def test_energy_above_a_full_day_is_overload():
    assert overload([0.3, 0.6], [0.5, 1.8]) == pytest.approx([0.0, 1.4])
