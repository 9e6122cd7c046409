"""Ways of working: what fits, what policy does to it, what trials find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim.institutions import ways
from reformsim.model import CityModel
from reformsim.rules import RULES, pre_reform
from reformsim.scenario import Step


def search(way, best, step, trials, noise=0.0, people=1e4, seed=0):
    """Let units search for ``trials`` rounds by the model's own rules; returns their ways."""
    chance = np.random.default_rng(seed)
    heading = np.where(chance.random(len(way)) < 0.5, -1.0, 1.0)
    for _ in range(trials):
        better = ways.seems_better(
            ways.fit(way + step * heading, best, 0.05), ways.fit(way, best, 0.05),
            np.full(len(way), people), noise, chance.standard_normal(len(way)),
        )  # fmt: skip
        way, heading = ways.after_trial(way, heading, step, better)
    return way


def test_fit_is_a_parabola_with_a_floor():
    way, best = np.array([0.0, 1.0, 3.0, 100.0]), np.array([0.0, 0.0, 2.0, 0.0])
    np.testing.assert_allclose(ways.fit(way, best, 0.2), [1.0, 0.8, 0.8, ways.LEAST_FIT])


def test_without_noise_a_climb_ends_within_half_a_step_of_what_fits():
    """And needs at most two trials more than steps that lie between."""
    chance = np.random.default_rng(1)
    best, start = chance.uniform(-1.0, 1.0, (2, 500))
    step = 0.1
    trials = int(2.0 / step) + 2
    found = search(start, best, step, trials)
    assert np.abs(found - best).max() <= step / 2 + 1e-9
    np.testing.assert_array_equal(search(found, best, step, 7), found)  # and stays there


def test_noise_harms_small_units_more():
    """Mean squared misfit of 4,000 units after 20 trials: exact, small and tiny ones."""
    best, start = np.zeros(4000), np.full(4000, 1.0)
    left = [
        np.mean(search(start, best, 0.2, 20, noise=0.02, people=people) ** 2)
        for people in (1e9, 1e4, 1e3)
    ]
    assert left[0] < 0.011 < left[1] < left[2]
    settled = search(best, best, 0.5, 40, noise=0.3, people=1e3)
    assert np.mean(settled**2) > 1.0  # who has nothing to gain and cannot judge drifts away


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=9), st.floats(0, 1), st.floats(-1, 1))
def test_uniformity_shrinks_differences(own, uniformity, standard):
    own = np.array(own)
    way = ways.in_force(own, standard, np.full(len(own), uniformity))
    assert np.ptp(way) == pytest.approx((1 - uniformity) * np.ptp(own), abs=1e-9)
    if uniformity == 1.0:
        np.testing.assert_array_equal(way, standard)


def test_staff_of_all_units_works_at_its_mean_fit():
    fits, load = np.array([1.0, 0.5]), np.array([30.0, 10.0])
    assert ways.mean_fit(fits, load) == pytest.approx(40.0 / (30.0 + 20.0))


def test_a_full_policy_leaves_no_spread_and_none_leaves_it_all(sweep):
    facts = {"place_spread": 0.8, "tradition_spread": 0.8}
    model = CityModel(sweep(uncertainties=facts), rng=1)
    found = model.administration.structure.ways
    rules = pre_reform(len(found.table))
    np.testing.assert_array_equal(found.now(rules), found.table["way"])
    rules["uniformity"] = 1.0
    assert np.ptp(found.now(rules)) == 0.0
    assert RULES["uniformity"] == np.dtype("f8")
    people = model.city.subdistricts.population
    assert np.average(found.table["best"], weights=people) == pytest.approx(0.0, abs=1e-12)


def test_staff_is_sized_for_the_mean_way_of_working(sweep):
    """Use of staff that must be expected, weighted by workload, is the same however ways fit."""
    used, fits = [], []
    for loss in (0.0, 0.4):
        facts = {"misfit_loss": loss, "tradition_spread": 1.0, "eta": 1.0}
        admin = CityModel(sweep(uncertainties=facts), rng=1).administration
        base, fit = admin.setting.base, admin.structure.fit
        load = base.territorial.sum(axis=1)
        used.append(np.average(load / (base.offices["heads"] * fit), weights=load))
        fits.append(np.average(fit, weights=load))
    assert fits[1] < 0.9 < fits[0] == 1.0
    assert used[1] == pytest.approx(used[0], rel=1e-9)


def test_a_trial_is_judged_after_its_time_and_broken_off_with_the_measure(town):
    step = Step(measure="local_adaptation", from_day=45, until=250)
    facts = {"implementation": 1.0, "trial_months": 3.0, "trial_cost": 0.1}
    model = CityModel(town(step, days=400, uncertainties=facts), rng=5)
    began = {}
    for day in (44, 61, 152, 260):
        model.run_until(day)
        found = model.administration.structure.ways
        began[day] = found.table["began"].copy()
        if day == 61:
            trying = began[day] >= 0
            assert trying.any()
            cost = found.speed(model.administration.rules) / found.fit(model.administration.rules)
            np.testing.assert_allclose(cost, np.where(trying, 0.9, 1.0))
    assert (began[44] == -1).all() and (began[260] == -1).all()
    assert set(began[61]) <= {-1, 2} and set(began[152]) <= {-1, 5}
