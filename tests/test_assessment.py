"""Assessment: noise of a finite survey, scores, ranks, and what pressure does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim.chance import seed_key
from reformsim.institutions.assessment import (
    pressure_to_inspection,
    rank,
    score,
    sham_probability,
    survey,
)
from reformsim.institutions.effort import best_effort, hours_split

KEY = np.uint64(seed_key(3))


def test_the_survey_has_the_noise_of_its_sample():
    """Mean and variance of 20,000 units: 5 standard errors each, false alarm about 1e-6."""
    units = 20_000
    answers = survey(0.6, 0.25, 100, KEY, np.arange(units))
    assert abs(answers.mean() - 0.6) < 5 * 0.025 / np.sqrt(units)
    assert abs(answers.var() / 0.025**2 - 1) < 5 * np.sqrt(2 / units)


def test_the_survey_is_keyed_by_unit_and_stays_on_its_scale():
    units = np.array([5, 9, 2])
    one = survey(0.5, 0.3, 40, KEY, units)
    assert np.array_equal(one[::-1], survey(0.5, 0.3, 40, KEY, units[::-1]))
    assert not np.array_equal(one, survey(0.5, 0.3, 40, np.uint64(seed_key(4)), units))
    edge = survey(0.98, 0.5, 4, KEY, np.arange(200))
    assert edge.max() == 1.0 and edge.min() >= 0


def test_small_units_reach_both_ends_of_the_ranking():
    """Equal units, half surveyed with 30 and half with 3,000: the extremes are the noisy ones.

    Fewer than three of 130 small units beyond all large ones at either end: below 1e-9.
    """
    n = np.repeat([30, 3000], 130)
    places = rank(survey(0.6, 0.25, n, KEY, np.arange(260)))
    assert np.all(n[np.argsort(places)[[0, 1, 2, -3, -2, -1]]] == 30)


def test_score_is_a_weighted_mean():
    measures = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert score(measures, [3.0, 1.0]) == pytest.approx([0.75, 0.5])
    assert score(measures, [[1.0, 1.0], [0.0, 2.0]]) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("weights", [[0.0, 0.0], [-1.0, 2.0]])
def test_useless_weights_raise(weights):
    with pytest.raises(ValueError):
        score(np.ones((2, 2)), weights)


def test_ranks_start_at_the_best_and_ties_share():
    assert list(rank([0.2, 0.9, 0.5, 0.9])) == [4, 1, 3, 1]


def sham(pressure, load, oversight, base=0.1, slope=1.5):
    return sham_probability(base, pressure, load, oversight, slope=slope, load_slope=1.0, seen=0.2)


@given(
    pressure=st.floats(-1, 1),
    load=st.floats(-1, 1),
    oversight=st.floats(0, 1),
    more=st.floats(0, 1),
)
def test_sham_closing_rises_with_pressure_and_load_and_falls_when_watched(
    pressure, load, oversight, more
):
    here = sham(pressure, load, oversight)
    assert 0 <= here <= 1
    assert sham(pressure + more, load, oversight) >= here
    assert sham(pressure, load + more, oversight) >= here
    assert sham(pressure, load, max(oversight, more)) <= here
    assert sham(pressure, load, oversight, base=0.0) == 0
    # the slope is log odds per unit of pressure: a steeper one is worse wherever pressure rose
    if pressure > 0:
        assert sham(pressure, load, oversight, slope=3.0) >= here


def test_sham_closing_is_what_was_stated_where_nothing_changed():
    assert sham(0.0, 0.0, 1.0) == pytest.approx(0.1, rel=1e-12)
    odds = sham(1.0, 0.0, 1.0) / (1 - sham(1.0, 0.0, 1.0)) / (0.1 / 0.9)
    assert np.log(odds) == pytest.approx(1.5, rel=1e-9)


def test_inspections_grow_up_to_a_limit():
    share = pressure_to_inspection([0.0, 1.0, 10.0], 0.05, 0.1)
    assert share == pytest.approx([0.05, 0.15, 0.5])


def test_true_work_has_an_inner_optimum_of_pressure_though_none_is_written_down():
    pressure = np.linspace(0, 4, 401)
    e1, e2 = best_effort(0.3, 0.4 * (1 + pressure), 0.2)
    net = 100 * (1 - pressure_to_inspection(pressure, 0.05, 0.1))
    cases, _, _ = hours_split(net, 0.6, e1, e2)
    true = cases * (1 - sham(pressure, 0.0, 1.0, slope=0.8))
    best = int(np.argmax(true))
    assert 0 < best < pressure.size - 1
    audited = cases * (1 - 0.2 * sham(pressure, 0.0, 1.0, slope=0.8))
    assert np.argmax(audited) >= best
