"""Social organisations: money, dependence and collapse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reformsim.institutions.organisations import inverted_u, step

PARAMETERS = {
    "unit_cost": 50.0,
    "dependence_peak": 0.5,
    "volunteer_gain": 0.6,
    "growth": 0.1,
    "decay": 0.2,
    "reserve_months": 6.0,
    "memory": 0.1,
    "floor": 20.0,
}


def run(months, purchased, donations, capacity=100.0, funds=5_000.0, dependence=0.5, **changed):
    """Iterate organisations with constant inputs; return the last state and all spending."""
    shape = np.broadcast_shapes(np.shape(purchased), np.shape(donations), (1,))
    state = [np.full(shape, float(x)) for x in (capacity, funds, dependence)]
    spent = np.zeros(shape)
    for _ in range(months):
        moved = step(
            *state,
            purchased=np.broadcast_to(purchased, shape),
            donations=np.broadcast_to(donations, shape),
            demand=np.full(shape, 1e6),
            **PARAMETERS | changed,
        )
        state = list(moved[:3])
        spent += moved.spending
    return moved, spent


def test_inverted_u_known_points():
    assert inverted_u([0.0, 0.3, 1.0], 0.3) == pytest.approx([1 - (0.3 / 0.7) ** 2, 1.0, 0.0])


@pytest.mark.parametrize("peak", [0.3, 0.5, 0.7])
def test_service_for_the_same_money_peaks_at_the_stated_dependence(peak):
    share = np.linspace(0, 1, 101)
    moved, _ = run(240, 10_000 * share, 10_000 * (1 - share), dependence_peak=peak)
    assert share[np.argmax(moved.service)] == pytest.approx(peak)
    assert moved.capacity == pytest.approx(200.0, rel=1e-3)


def test_purchasing_and_demand_let_them_grow():
    poor, _ = run(60, 3_000.0, 3_000.0)
    rich, _ = run(60, 9_000.0, 3_000.0)
    assert rich.service > poor.service
    asked = dict(
        purchased=np.full(1, 9e3), donations=np.full(1, 3e3), demand=np.full(1, 90.0), **PARAMETERS
    )
    state = [np.array([x]) for x in (200.0, 5e3, 0.5)]
    for _ in range(200):
        moved = step(*state, **asked)
        state = list(moved[:3])
    assert moved.service == pytest.approx(90.0, rel=1e-3)


def test_when_the_money_stops_the_dependent_one_collapses_and_the_other_lives():
    dependent, _ = run(60, 9_500.0, 500.0)
    balanced, _ = run(60, 5_000.0, 5_000.0)
    after = [
        run(36, 0.0, gifts, state.capacity[0], state.funds[0], state.dependence[0])[0]
        for state, gifts in ((dependent, 500.0), (balanced, 5_000.0))
    ]
    assert after[0].capacity == 0
    assert after[1].capacity > PARAMETERS["floor"]


def test_reserves_are_spent_down_before_the_end():
    capacities = [run(m, 0.0, 0.0, 100.0, 20_000.0)[0].capacity[0] for m in range(1, 20)]
    assert np.all(np.diff(capacities) <= 0)
    assert capacities[3] > 0
    assert capacities[-1] == 0


def test_winding_up_spends_what_is_left():
    moved = step(
        *(np.array([x]) for x in (21.0, 5_000.0, 0.5)),
        purchased=np.zeros(1),
        donations=np.full(1, 100.0),
        demand=np.zeros(1),
        **PARAMETERS,
    )
    assert (moved.capacity[0], moved.funds[0], moved.spending[0]) == (0.0, 0.0, 5_100.0)


def test_a_closed_one_stays_out_until_incubated():
    closed, spent = run(12, 1_000.0, 0.0, capacity=0.0, funds=0.0)
    assert closed.capacity == 0 and spent == 0
    assert closed.funds == 12_000.0
    again, _ = run(1, 1_000.0, 0.0, capacity=0.0, funds=12_000.0, incubated=30.0)
    assert again.capacity > 0


def test_one_month_by_hand():
    """Growing by a tenth of the gap, shrinking by a fifth, and held to what can be paid now."""
    moved = step(
        np.array([100.0, 100.0, 100.0]),
        np.array([0.0, 30_000.0, 3_000.0]),
        np.array([0.0, 0.0, 0.0]),
        purchased=np.zeros(3),
        donations=np.array([10_000.0, 0.0, 0.0]),
        demand=np.full(3, 1e6),
        **PARAMETERS,
    )
    # Affordable are 200, 100 and 10 hours; the third has money for 60 this month.
    assert moved.capacity == pytest.approx([110.0, 100.0, 60.0])
    assert moved.funds == pytest.approx([4_500.0, 25_000.0, 0.0])
    shrinking = step(
        *(np.array([x]) for x in (100.0, 15_000.0, 0.0)),
        purchased=np.zeros(1),
        donations=np.zeros(1),
        demand=np.full(1, 1e6),
        **PARAMETERS,
    )
    assert shrinking.capacity == pytest.approx(100 + 0.2 * (50 - 100))


money = arrays(float, 4, elements=st.floats(0, 1e6))


@given(
    capacity=arrays(float, 4, elements=st.floats(0, 1e4)),
    funds=money,
    dependence=arrays(float, 4, elements=st.floats(0, 1)),
    purchased=money,
    donations=money,
    demand=money,
)
def test_no_money_appears_or_vanishes(capacity, funds, dependence, purchased, donations, demand):
    moved = step(
        capacity,
        funds,
        dependence,
        purchased=purchased,
        donations=donations,
        demand=demand,
        **PARAMETERS,
    )
    assert funds + purchased + donations == pytest.approx(moved.spending + moved.funds, rel=1e-12)
    assert np.all(moved.funds >= 0) and np.all(moved.spending >= 0)
    assert np.all(moved.capacity >= 0)
    assert np.all((moved.dependence >= 0) & (moved.dependence <= 1))
    alive = moved.capacity > 0
    assert np.all(moved.capacity[alive] >= PARAMETERS["floor"])
