"""A year's money: the identity, the pool, and bundles that cost too much."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reformsim.institutions.budget import settle, share_revenue


def yuan(top):
    return arrays(float, 3, elements=st.integers(0, top).map(float))


@given(
    opening=yuan(10**7),
    transfer=yuan(10**9),
    revenue=yuan(10**8),
    part=st.floats(0, 1),
    wanted=arrays(float, 3, elements=st.floats(0, 5000)),
)
def test_opening_transfer_and_revenue_are_spent_or_kept(opening, transfer, revenue, part, wanted):
    account = settle(
        opening,
        transfer,
        revenue,
        measure_costs=0.3 * part * transfer,
        wage=120_000.0,
        heads_wanted=wanted,
        max_cost_share=0.3,
        bids=part * (opening + revenue),
    )
    received = opening + transfer + revenue
    assert account.spending + account.closing == pytest.approx(received, rel=1e-12)
    assert np.all(account.closing >= 0)
    assert np.all((account.heads >= 0) & (account.heads <= wanted))
    assert account.wages == pytest.approx(account.heads * 120_000.0, rel=1e-12)


def test_the_remainder_buys_staff():
    account = settle(
        100.0,
        1000.0,
        200.0,
        measure_costs=np.array([[100.0, 50.0]]),
        wage=100.0,
        heads_wanted=20.0,
        max_cost_share=0.3,
        bids=25.0,
    )
    assert account.heads == pytest.approx(11.25)
    assert account.measures == 150.0
    assert account.closing == 0.0
    few = settle(
        100.0,
        1000.0,
        200.0,
        measure_costs=0.0,
        wage=100.0,
        heads_wanted=5.0,
        max_cost_share=0.3,
    )
    assert few.closing == 800.0


def test_measures_above_their_share_raise_and_name_the_worst_unit():
    transfer = np.array([1000.0, 1000.0, 500.0])
    costs = np.array([300.0, 320.0, 290.0])
    with pytest.raises(ValueError, match=r"2 of 3 units; unit 2 would spend 290, its limit is 150"):
        settle(
            0.0,
            transfer,
            9e9,
            measure_costs=costs,
            wage=1.0,
            heads_wanted=1.0,
            max_cost_share=0.3,
        )


def test_grid_workers_who_cannot_be_paid_raise():
    """They stay at their posts whatever there is: unpaid work would be money from nowhere."""
    with pytest.raises(ValueError, match=r"pay of those who cannot be spared .* in 1 of 2 units"):
        settle(
            0.0,
            np.array([100.0, 100.0]),
            0.0,
            measure_costs=np.array([50.0, 51.0]),
            wage=10.0,
            heads_wanted=9.0,
            max_cost_share=0.6,
            heads_needed=5.0,
        )


def test_bids_above_own_money_raise():
    with pytest.raises(ValueError, match="bids"):
        settle(
            10.0,
            1000.0,
            5.0,
            measure_costs=0.0,
            wage=1.0,
            heads_wanted=1.0,
            max_cost_share=0.3,
            bids=16.0,
        )


@given(
    revenue=arrays(float, 6, elements=st.integers(0, 10**9).map(float)),
    retained=arrays(float, 6, elements=st.floats(0, 1)),
    compensation=st.floats(0, 1),
)
def test_the_pool_conserves_money(revenue, retained, compensation):
    district = np.array([0, 0, 1, 2, 2, 2])
    income, pool = share_revenue(revenue, district, retained, compensation)
    for d in range(3):
        raised = revenue[district == d].sum()
        assert income[district == d].sum() + pool[d] == pytest.approx(raised, rel=1e-12)
    assert np.all(income >= 0)
    assert np.all(income <= revenue * (1 + 1e-12))


def test_compensation_returns_its_share_of_the_loss():
    revenue, district = np.array([100.0, 300.0, 50.0]), np.array([0, 0, 1])
    none, pool = share_revenue(revenue, district, 0.4, 0.0)
    assert none == pytest.approx([40, 120, 20]) and pool == pytest.approx([240, 30])
    half, pool = share_revenue(revenue, district, 0.4, 0.5)
    assert half == pytest.approx([70, 210, 35]) and pool == pytest.approx([120, 15])
    full, pool = share_revenue(revenue, district, 0.4, 1.0)
    assert full == pytest.approx(revenue) and pool == pytest.approx([0, 0])


@pytest.mark.parametrize("retained, compensation", [(1.2, 0.5), (0.5, -0.1), (0.5, 1.1)])
def test_shares_outside_zero_to_one_raise(retained, compensation):
    with pytest.raises(ValueError):
        share_revenue([1.0], [0], retained, compensation)
