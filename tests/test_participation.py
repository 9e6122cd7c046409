"""Participation: Granovetter's answers from the step the model takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reformsim.institutions.participation import (
    council_effect,
    normal_thresholds,
    participation,
    participation_step,
    tipped,
    tipping_point,
)


def test_granovetters_hundred():
    thresholds = np.arange(100) / 100
    assert participation(thresholds) == 1.0
    thresholds[1] = 0.02
    assert participation(thresholds) == 0.01


@pytest.mark.parametrize("sd, rest", [(0.122, 0.0548), (0.123, 1.0000)])
def test_the_jump_of_normal_thresholds(sd, rest):
    thresholds, _ = normal_thresholds(0.25, sd, 1_000_000)
    assert round(participation(thresholds), 4) == rest


def test_the_step_is_granovetters_map_at_its_neutral_values():
    thresholds, first = normal_thresholds([0.2, 0.3], [0.1, 0.2], 400)
    share = np.array([0.15, 0.4])
    moved = participation_step(share, thresholds, first, 0.0, 0.0, 0.0, 1.0)
    own = thresholds.reshape(2, 400)
    assert list(moved) == list((own <= share[:, None]).mean(axis=1))


def test_never_dropout_rate_and_shift():
    thresholds, first = np.array([0.0, 0.1, 0.3, 0.9]), np.array([0, 4])
    step = participation_step
    assert step([0.2], thresholds, first, 0.5, 0.0, 0.0, 1.0)[0] == pytest.approx(0.25)
    assert step([0.2], thresholds, first, 0.0, 0.1, 0.0, 1.0)[0] == pytest.approx(0.45)
    assert step([0.2], thresholds, first, 0.0, 0.0, 0.0, 0.5)[0] == pytest.approx(0.35)
    assert step([0.2], thresholds, first, 0.0, 0.0, -0.15, 1.0)[0] == pytest.approx(0.75)
    assert step([0.2], thresholds, first, 0.0, 0.0, 0.15, 1.0)[0] == pytest.approx(0.25)


unit = st.floats(0, 1)


@given(
    thresholds=arrays(float, 12, elements=st.floats(-0.5, 1.5)),
    share=arrays(float, 3, elements=unit),
    never=unit,
    dropout=unit,
    shift=st.floats(-1, 1),
    rate=unit,
)
def test_shares_stay_shares(thresholds, share, never, dropout, shift, rate):
    ordered = np.sort(thresholds.reshape(3, 4), axis=1).ravel()
    first = np.array([0, 4, 8, 12])
    moved = participation_step(share, ordered, first, never, dropout, shift, rate)
    assert np.all((moved >= 0) & (moved <= 1))


def test_cheaper_participation_tips_a_community():
    thresholds, first = normal_thresholds(0.25, 0.1, 400)
    low = high = np.array([0.02])
    for _ in range(200):
        low = participation_step(low, thresholds, first, 0.5, 0.02, 0.0, 0.3)
        high = participation_step(high, thresholds, first, 0.5, 0.02, -0.15, 0.3)
    assert not tipped(low, 0.5)[0]
    assert tipped(high, 0.5)[0]


def test_a_community_without_thresholds_raises():
    with pytest.raises(ValueError, match="threshold"):
        participation_step([0.1, 0.1], [0.5], [0, 1, 1], 0.0, 0.0, 0.0, 1.0)


def test_too_few_steps_raise():
    with pytest.raises(RuntimeError, match="5 steps"):
        participation(np.arange(100) / 100, max_steps=5)


def test_tipped_means_half_of_those_who_may():
    assert tipping_point(0.6) == pytest.approx(0.2)
    assert list(tipped([0.1, 0.3], 0.6)) == [False, True]


def test_a_council_is_captured_below_the_tipping_point():
    supervision, fit = council_effect([0.0, 0.1, 0.2, 0.3, 0.9], 0.8, 0.2)
    assert fit == pytest.approx([-0.8, -0.4, 0.0, 0.4, 0.8])
    assert supervision == pytest.approx([0.0, 0.0, 0.0, 0.4, 0.8])
    with pytest.raises(ValueError):
        council_effect(0.1, 0.5, 0.0)
