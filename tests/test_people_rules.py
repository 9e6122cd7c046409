"""Known answers of the rules that move people: partners, careers, norms, ranks, inequality."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reformsim import rules, uncertainties
from reformsim.chance import mix, seed_key
from reformsim.institutions import (
    assessment,
    careers,
    columns,
    hours,
    organisations,
    participation,
    workers,
)
from reformsim.model import baseline
from reformsim.model.inequality import gini, spread, theil, theil_parts

WORLD = uncertainties.world()


def in_force(**levers: float) -> np.ndarray:
    row = rules.pre_reform(1)
    for name, value in levers.items():
        row[name] = value
    return row


def test_before_the_reform_nothing_is_moved():
    before = in_force()
    for term in (
        careers.attraction(before, WORLD), careers.promotion(before),
        careers.rivalry(before, WORLD), careers.wear(before, WORLD),
        careers.motivation(before, WORLD), careers.pay_cost(before, WORLD, np.ones(1)),
        assessment.neglect(before, WORLD), organisations.coordination(before, WORLD, np.ones(1)),
        organisations.partnership(before, WORLD, np.ones(1)),
    ):  # fmt: skip
        assert term.tolist() == [0.0]
    assert assessment.sample_size(200, np.array([1.0, 9.0]), 0.0).tolist() == [200.0, 200.0]
    assert assessment.spirit([1, 2], 0.0, 0.5).tolist() == [1.0, 1.0]


def test_partners_meet_in_pairs():
    assert organisations.pairs([0, 1, 2, 8]).tolist() == [0, 0, 1, 28]
    many = in_force(partner_links=8.0, partner_capacity=60.0)
    assert organisations.partnership(many, WORLD, np.ones(1)) == pytest.approx(8 * 60 - 2 * 20)
    per_pair = float(WORLD["coordination_pair"])
    assert organisations.coordination(many, WORLD, np.full(1, 500.0)) == pytest.approx(
        27 * per_pair / 500
    )


def test_rivalry_peaks_where_half_of_the_hopes_are_met():
    wanted, most = float(WORLD["slots_wanted"]), float(WORLD["rivalry"])
    for met, share in ((0.0, 0.0), (0.25, 0.75), (0.5, 1.0)):
        slots = 0.01 + met * wanted
        assert careers.rivalry(in_force(career_slots=slots), WORLD) == pytest.approx(most * share)
    enough = uncertainties.world(slots_wanted=0.1)
    assert careers.rivalry(in_force(career_slots=0.15), enough) == pytest.approx(0.0)


def test_better_pay_lowers_the_hazard_as_its_coefficient_says():
    """A standard deviation of pay divides the odds to leave by exp(1.814 · 0.14)."""
    pay = careers.attraction(in_force(pay_grade=1.0), WORLD)
    odds = []
    for z in (0.0, pay):
        hazard = workers.turnover_hazard(0.15, 0.0, z)
        odds.append(hazard / (1 - hazard))
    assert odds[1] / odds[0] == pytest.approx(np.exp(-np.pi / np.sqrt(3) * 0.14), rel=1e-12)


def test_promotions_are_as_many_as_there_are_slots():
    """Binomial with chance slots · skill: 5 standard deviations, false alarm about 6e-7."""
    n, slots, skill = 60_000, 0.08, 0.9
    moved = workers.step(
        np.zeros(n), np.full(n, skill), np.zeros(n, np.int64), np.zeros(n, bool),
        post=np.arange(n), utilisation=0.85, overload=0.0, pay_z=0.0, training=0.0,
        promotion=careers.promotion(in_force(career_slots=slots)).repeat(n),
        key=np.uint64(mix(np.uint64(seed_key(3)), 1)),
        strain_threshold=0.8, reference_strain=0.05, build=0.56, recovery=0.056,
        base_annual=0.15, fill_months=3.0, learning=0.08, training_gain=2.0, newcomer_skill=0.6,
    )  # fmt: skip
    stayed = n - moved.left.sum()
    chance = (slots - 0.01) / 12 * skill
    assert abs(moved.promoted.sum() - stayed * chance) < 5 * np.sqrt(stayed * chance)
    assert not (moved.left & moved.promoted).any()
    assert moved.vacancy.sum() == moved.left.sum() + moved.promoted.sum()


def test_norms_and_mobilisation_shift_thresholds():
    free = participation.threshold_shift(in_force(participation_cost=0.0), WORLD)
    usual = participation.threshold_shift(in_force(), WORLD)
    assert usual - free == pytest.approx(WORLD["norm_effect"])
    mobilised = participation.threshold_shift(in_force(party_mobilisation=0.11), WORLD)
    assert mobilised - usual == pytest.approx(0.1 * WORLD["mobilised_crowding"])


def test_tenants_gain_little_by_governing_themselves():
    gain = participation.own_affairs(0.2, np.arange(6), 0.5, uncertainties.world(never=0.6))
    np.testing.assert_allclose(gain, 0.5 * 0.5 * participation.ORGANISABILITY)
    assert gain.argmin() == 3  # urban village
    nobody = participation.own_affairs(0.0, np.arange(6), 0.5, WORLD)
    assert (nobody == 0).all()


def test_an_allowance_of_one_compares_a_unit_with_its_own_past():
    served, usual = np.array([0.5, 0.7, 0.6]), np.array([0.4, 0.7, 0.7])
    own = assessment.allowed_for(served, usual, 1.0)
    np.testing.assert_allclose(own - usual.mean(), served - usual)
    assert assessment.allowed_for(served, usual, 0.0).tolist() == served.tolist()


def test_under_one_standard_samples_follow_size_and_the_last_lose_heart():
    n = assessment.sample_size(200, np.array([1.0, 2.0, 9.0]), 1.0)
    np.testing.assert_allclose(n, [50, 100, 450])
    np.testing.assert_allclose(assessment.spirit([1, 3, 5, 5, 5], 0.5, 0.4), [1, 0.9, *[0.8] * 3])


def test_neglect_takes_patrol_hours_to_cases():
    watched = in_force(publish_results=1.0, assessment_pressure=1.0)
    world = uncertainties.world(neglect=0.6, pressure_inspection=0.0)
    assert assessment.neglect(watched, world) == pytest.approx(0.6)
    usual, now = (
        hours.shares(hours.GRIDS, r, world, 0.0, 0.0, 0.0)[0] for r in (in_force(), watched)
    )
    patrol, cases = hours.A["patrol"], hours.A["cases"]
    assert now[patrol] == pytest.approx(0.4 * usual[patrol])
    assert now[[patrol, cases]].sum() == pytest.approx(usual[[patrol, cases]].sum())


LEVELS = {lever.name: st.floats(lever.low, lever.high) for lever in rules.LEVERS}


@given(
    levels=st.fixed_dictionaries(LEVELS),
    facts=st.fixed_dictionaries(
        {x.name: st.floats(x.low, x.high) for x in uncertainties.UNCERTAINTIES}
    ),
    returned=st.floats(0, 1), e1=st.floats(0, 2), e2=st.floats(0, 2),
    coordination=st.floats(0, 3),
)  # fmt: skip
def test_hours_are_spent_once_under_any_rules(levels, facts, returned, e1, e2, coordination):
    row, world = in_force(**levels), uncertainties.world(**facts)
    grown = world["function_growth"]
    for staff in range(len(hours.CLASSES)):
        share = hours.shares(staff, row, world, returned, e1, e2, grown, coordination)
        assert share.min() >= -1e-12
        assert share.sum() == pytest.approx(1.0, rel=1e-12)


# --- inequality


def test_theil_of_known_distributions():
    assert theil(np.full(4, 3.0), np.arange(1.0, 5)) == pytest.approx(0.0, abs=1e-15)
    n = 50  # one has everything: ln n
    assert theil(np.eye(n)[0], np.ones(n)) == pytest.approx(np.log(n))
    halves = theil(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    assert halves == pytest.approx(0.5 * (0.5 * np.log(0.5) + 1.5 * np.log(1.5)))


@given(
    values=arrays(float, 12, elements=st.just(0.0) | st.floats(1e-6, 1)),
    people=arrays(float, 12, elements=st.integers(0, 9).map(float)),
    group=arrays(np.int64, 12, elements=st.integers(0, 3)),
)
def test_theil_is_the_sum_of_its_parts(values, people, group):
    whole = theil(values, people)
    between, within = theil_parts(values, people, group)
    if (values * people).sum() < 1e-6:
        return
    assert between + within == pytest.approx(whole, rel=1e-9, abs=1e-9)
    assert between >= -1e-9 and within >= -1e-9
    assert theil(values * 7.0, people) == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_spread_is_a_standard_deviation():
    values, people = np.array([0.1, 0.4, 0.4]), np.array([1.0, 1.0, 2.0])
    assert spread(values, people) == pytest.approx(np.repeat(values, [1, 1, 2]).std())
    assert gini(values, people) > 0


def test_partners_meet_what_organisations_leave():
    """Few partners: every hour counts; many: the share served nears its limit, never beyond."""
    none = np.zeros(0, columns.ORGANISATION)
    social, most = np.full(4, 1000.0), baseline.MOST_ORGANISED
    share = baseline.organised_share(none, social, np.array([0.0, 1.0, 900.0, 1e5]))
    assert share == pytest.approx([0.0, 0.001, most * (1 - np.exp(-1)), most], rel=1e-3)
