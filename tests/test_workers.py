"""Workers: burnout, turnover, vacancies and skill."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim.chance import mix, seed_key
from reformsim.institutions.workers import (
    HEAVY,
    SOME,
    burnout_step,
    burnt_out,
    learn,
    reference_strain,
    staff_step,
    step,
    strain,
    turnover_hazard,
)

PARAMETERS = {
    "strain_threshold": 0.8,
    "reference_strain": reference_strain(0.85, 0.8, base_annual=0.15, build=0.56),
    "build": 0.56,
    "recovery": 0.056,
    "base_annual": 0.15,
    "fill_months": 3.0,
    "learning": 0.08,
    "training_gain": 2.0,
    "newcomer_skill": 0.6,
}
GRID_WORKERS = 15_663


def simulate(utilisation, months, n=GRID_WORKERS, overload=0.0, seed=1, post=None):
    """Return (final Workers, leavers per filled post and year) of n posts, all filled at first."""
    key = np.uint64(seed_key(seed))
    post = np.arange(n) if post is None else post
    burnout, skill = np.zeros(len(post)), np.full(len(post), 0.9)
    tenure, vacancy = np.full(len(post), 36), np.zeros(len(post), bool)
    left = worked = 0
    for month in range(months):
        worked += np.count_nonzero(~vacancy) / 12
        moved = step(
            burnout,
            skill,
            tenure,
            vacancy,
            post=post,
            utilisation=utilisation,
            overload=overload,
            pay_z=0.0,
            training=0.02,
            promotion=0.0,
            key=np.uint64(mix(key, month)),
            **PARAMETERS,
        )
        burnout, skill, tenure, vacancy = moved[:4]
        left += np.count_nonzero(moved.left)
    return moved, left / worked


def burnt(workers):
    return burnt_out(workers.burnout, workers.vacancy)


@pytest.fixture(scope="module")
def baseline():
    return simulate(0.85, 72)


def test_hazard_known_answers():
    base = 1 - 0.85 ** (1 / 12)
    assert turnover_hazard(0.15, 0.0, 0.0) == pytest.approx(base)
    assert 1 - (1 - turnover_hazard(0.15, 0.0, 0.0)) ** 12 == pytest.approx(0.15)
    hazard = turnover_hazard(0.15, np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    odds_ratio = hazard / (1 - hazard) / (base / (1 - base))
    assert odds_ratio == pytest.approx(np.exp([1.81 * 0.28, -1.81 * 0.14]), rel=2e-3)


def test_strain_needs_a_high_load_or_overload():
    assert strain([0.5, 0.9, 0.9], [0.0, 0.0, 0.2], 0.8) == pytest.approx([0.0, 0.1, 0.3])


def test_burnout_settles_at_its_closed_form():
    burnout = 3.0
    for _ in range(500):
        burnout = burnout_step(burnout, 0.2, 0.0, reference_strain=0.05, build=0.4, recovery=0.1)
    assert burnout == pytest.approx(0.4 / 0.1 * 0.15)


def test_thresholds_are_the_quantiles_of_the_reference_workforce():
    assert pytest.approx(0.20189, abs=1e-5) == SOME
    assert pytest.approx(1.12639, abs=1e-5) == HEAVY


def test_burnout_at_the_reference_utilisation(baseline):
    """42 % and 13 % (calibrated): within 5 standard errors, about 1e-6 (seed fixed).

    Leaving shapes the distribution a little, which the closed form only does in the mean.
    """
    workers, _ = baseline
    some, heavy = burnt(workers)
    assert abs(some - 0.42) < 5 * np.sqrt(0.42 * 0.58 / GRID_WORKERS)
    assert abs(heavy - 0.13) < 5 * np.sqrt(0.13 * 0.87 / GRID_WORKERS)


def test_overload_and_idleness_move_burnout_and_turnover(baseline):
    strained, more = simulate(0.95, 72, n=4000)
    rested, fewer = simulate(0.7, 72, n=4000)
    assert burnt(strained)[1] > burnt(baseline[0])[1] > burnt(rested)[1]
    assert more > baseline[1] > fewer
    overloaded, _ = simulate(0.85, 24, n=4000, overload=0.3)
    assert burnt(overloaded)[0] > 0.6


def test_vacancies_last_as_long_as_stated(baseline):
    """Flow balance: leavers a month = vacant/3; binomial spread, 5 sd, false alarm about 6e-7."""
    workers, yearly = baseline
    monthly = yearly / 12
    expected = monthly * 3 / (1 + monthly * 3)
    spread = np.sqrt(expected * (1 - expected) / GRID_WORKERS)
    assert abs(workers.vacancy.mean() - expected) < 5 * spread


def test_staff_in_expectation_follow_the_workers(baseline):
    """The rows against the closed means, 5 standard errors of the rows: false alarm about 2e-6."""
    burnout, skill, filled, left, worked = 0.0, 0.9, 1.0, 0.0, 0.0
    for _ in range(72):
        worked += filled / 12
        moved = staff_step(
            burnout,
            skill,
            filled,
            utilisation=0.85,
            overload=0.0,
            pay_z=0.0,
            training=0.02,
            **PARAMETERS,
        )
        burnout, skill, filled = moved[:3]
        left += moved.left
    workers, yearly = baseline
    present = ~workers.vacancy
    assert abs(workers.burnout[present].mean() - burnout) < 5 / np.sqrt(GRID_WORKERS)
    error = workers.skill[present].std() / np.sqrt(present.sum())
    assert abs(workers.skill[present].mean() - skill) < 5 * error
    assert abs(present.mean() - filled) < 5 * np.sqrt(filled * (1 - filled) / GRID_WORKERS)
    assert abs(yearly - left / worked) < 5 * np.sqrt(left / worked / (worked * GRID_WORKERS))


def test_posts_are_conserved_and_states_follow_each_other(baseline):
    workers, _ = baseline
    n = GRID_WORKERS
    vacant = np.arange(n) % 5 == 0
    moved = step(
        workers.burnout,
        np.full(n, 0.8),
        np.full(n, 10),
        vacant,
        post=np.arange(n),
        utilisation=0.85,
        overload=0.0,
        pay_z=0.0,
        training=0.0,
        promotion=0.0,
        key=np.uint64(seed_key(9)),
        **PARAMETERS,
    )
    joined = vacant & ~moved.vacancy
    stayed = ~vacant & ~moved.left
    assert np.array_equal(moved.vacancy, (vacant & ~joined) | moved.left)
    assert not np.any(moved.left & vacant)
    assert moved.vacancy.sum() + (~moved.vacancy).sum() == n
    assert np.all(moved.skill[joined] == 0.6) and np.all(moved.tenure[joined] == 0)
    assert np.all(moved.tenure[stayed] == 11)
    assert np.all(moved.skill[stayed] == pytest.approx(0.8 + 0.08 * 0.2))


def test_draws_belong_to_the_post_not_to_its_place_in_the_array():
    posts = np.array([7, 3, 900, 12])
    some, _ = simulate(0.9, 40, post=posts)
    turned, _ = simulate(0.9, 40, post=posts[::-1])
    for column, other in zip(some, turned, strict=True):
        assert np.array_equal(column, other[::-1])


@given(
    filled=st.floats(0, 1), burnout=st.floats(-3, 3), skill=st.floats(0, 1), load=st.floats(0, 1.5)
)
def test_staff_shares_stay_shares(filled, burnout, skill, load):
    moved = staff_step(
        burnout,
        skill,
        filled,
        utilisation=load,
        overload=0.0,
        pay_z=0.0,
        training=0.1,
        **PARAMETERS,
    )
    assert 0 <= moved.filled <= 1
    assert 0 <= moved.left <= filled
    assert 0 <= moved.skill <= 1 + 1e-12


def test_training_speeds_learning():
    fast = learn(0.6, 0.2, learning=0.1, training_gain=2.0)
    assert fast == pytest.approx(0.6 + 0.14 * 0.4)
    assert fast > learn(0.6, 0.0, learning=0.1, training_gain=2.0)
    assert learn(0.2, 1.0, learning=0.5, training_gain=9.0) == 1.0
