"""What the city starts from: known answers of voice, demand, staff sizes and the Gini coefficient.

The stochastic test compares counts with their Poisson expectation at a false-alarm rate of 1e-4
for each of its comparisons (|z| < 3.9), with a fixed seed.
"""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim import categories, uncertainties
from reformsim.cases.state import COMMUNITY_ROW, Count
from reformsim.cases.voice import choose, odds, odds_of_market, odds_of_neighbours
from reformsim.facts import facts
from reformsim.institutions import staff
from reformsim.model import CityModel
from reformsim.model.inequality import gini
from reformsim.scenario import Scenario

LIMIT = 3.9


def test_choice_is_a_multinomial_logit():
    weight = np.exp([0.0, 1.0, -math.inf, 0.5, -2.0, 0.3])
    for j, start in enumerate(np.cumsum(weight / weight.sum()) - weight / weight.sum()):
        if weight[j] > 0:
            assert choose(start + 1e-9, tuple(weight)) == j


def home(urban: bool) -> np.record:
    """Return a community before the reform, a tenth of whose residents take part."""
    world, row = uncertainties.world(), np.zeros(1, COMMUNITY_ROW)
    row["urban"], row["neighbours"] = urban, odds_of_neighbours(world, 0.1)
    row["market"] = odds_of_market(world, 1.0)
    return row[0]


def test_a_first_success_raises_the_odds_of_voicing_by_57_percent():
    world = uncertainties.world()
    voicing = []
    for known in (False, True):
        row = categories.TABLE[3]
        of = odds(world, row, home(urban=True), False, 0.5, (0.5, 0.5, 0.5), known)
        voicing.append(sum(of[3:]) / sum(of[:3]))
    assert voicing[1] / voicing[0] == pytest.approx(1.57, abs=0.001)


def test_a_walk_of_one_scale_costs_half_a_unit_and_older_residents_more():
    world = uncertainties.world()
    row = categories.TABLE[0]

    def at(km: float, old: bool, urban: bool) -> float:
        return math.log(odds(world, row, home(urban), old, km, (0.5, 0.5, 0.5), False)[4])

    scale = float(world["distance_urban"])
    assert at(0.0, False, True) - at(scale, False, True) == pytest.approx(0.5)
    old = scale * float(world["distance_old"])
    assert at(0.0, True, True) - at(old, True, True) == pytest.approx(0.5)
    assert at(3.0, False, False) > at(3.0, False, True)


@given(
    load=st.lists(st.floats(1.0, 1e5), min_size=1, max_size=20),
    eta=st.floats(0.5, 1.0),
    utilisation=st.floats(0.7, 0.95),
    data=st.data(),
)
def test_staff_meets_the_utilisation_weighted_by_workload(load, eta, utilisation, data):
    load = np.array(load)
    sizes = st.lists(st.floats(1e3, 5e5), min_size=len(load), max_size=len(load))
    people = np.array(data.draw(sizes))
    hours = np.full(len(load), 700.0)
    used = load / (staff.size(load, people, hours, utilisation, eta) * hours)
    assert np.average(used, weights=load) == pytest.approx(utilisation, rel=1e-9)
    if eta == 1.0:
        np.testing.assert_allclose(used, utilisation, rtol=1e-9)
    order = np.argsort(people)  # large units are at least as short of staff
    assert (np.diff(used[order]) >= -1e-9).all()


def test_gini_of_known_distributions():
    assert gini(np.array([0.0, 1.0]), np.array([1.0, 1.0])) == pytest.approx(0.5)
    assert gini(np.array([3.0, 3.0, 3.0]), np.array([1.0, 5.0, 2.0])) == pytest.approx(0.0)
    n = 1000  # the uniform distribution on 1…n: (n − 1) / (3 n)
    values = np.arange(1, n + 1, dtype=float)
    assert gini(values, np.ones(n)) == pytest.approx((n - 1) / (3 * n), rel=1e-9)


def test_what_staff_expects_is_what_arises(sweep):
    """Contacts of the first month, when trust is still the one that demand assumes."""
    days = 30
    model = CityModel(sweep(), rng=5)
    model.run_until(days)
    got = model.columns.tally.sum(axis=(0, 1))
    demand = model.administration.setting.base.demand
    voiced = demand.voiced.sum(axis=(0, 1)) * days / 365.0
    for channel, expected in enumerate(voiced):
        z = (got[Count.GRID + channel] - expected) / math.sqrt(expected)
        print(f"channel {channel}: expected {expected:.0f}, z = {z:.2f}")
        assert abs(z) < LIMIT


def test_the_default_city_is_not_absurd():
    """Staff is used between 0.70 and 0.95, and days are of the order of the message board."""
    scenario = Scenario.load(Path(__file__).parents[1] / "configs" / "facts.yaml")
    rows = {row.name: row for row in facts(scenario.model_copy(update={"days": 730}))}
    for name, row in rows.items():
        if name.startswith(("utilisation", "answered", "hotline", "grid events", "visits")):
            assert row.hit, (name, row.model)
    assert 5.0 < rows["median days, dispatched"].model < 25.0
    assert 0.5 < rows["log sd of days, dispatched"].model < 2.0
