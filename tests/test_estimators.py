"""Estimators of a pilot on panels with known answers: by hand, by textbook, by coverage."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reformsim.experiment.estimators import (
    ESTIMATORS,
    NEVER,
    before_after,
    group_time,
    treated,
    two_way_fixed_effects,
)

DIFFERENCES = (two_way_fixed_effects, group_time)


def cohorts(*sizes: tuple[int, int]) -> np.ndarray:
    """Return first months: (month, units) of each cohort."""
    return np.repeat([g for g, _ in sizes], [n for _, n in sizes])


def parallel(first: np.ndarray, months: int, effect) -> np.ndarray:
    """Return a panel of unit and month effects without noise, plus ``effect(g, t)`` if treated."""
    rng = np.random.default_rng(7)
    y = rng.normal(size=len(first))[:, None] + rng.normal(size=months)
    for i, g in enumerate(first):
        for t in range(g, months):
            y[i, t] += effect(g, t)
    return y


# -------------------------------------------------------------------------------- by hand


def test_two_by_two_by_hand():
    """Two treated rise from 3 to 8, two others from 2 to 4: the effect is (8 − 3) − (4 − 2)."""
    y = np.array([[2.0, 8.0], [4.0, 8.0], [1.0, 5.0], [3.0, 3.0]])
    first = np.array([1, 1, NEVER, NEVER])
    for fit in DIFFERENCES:
        assert fit(y, first).value == 3.0
    assert before_after(y, first).value == 5.0
    # differences 6 and 4: s = √2, error 1, t(1) = 12.706
    assert before_after(y, first).error == pytest.approx(1.0)
    assert before_after(y, first).high == pytest.approx(5 + 12.7062, abs=1e-4)


def test_welch_of_two_by_two():
    """With two months the staggered estimate is a t test of differences by Welch."""
    rng = np.random.default_rng(1)
    y, first = rng.normal(size=(9, 2)), cohorts((1, 4), (NEVER, 5))
    gain = y[:, 1] - y[:, 0]
    known = stats.ttest_ind(gain[:4], gain[4:], equal_var=False).confidence_interval()
    found = group_time(y, first)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))


def test_clustered_error_against_the_formula_with_all_dummies():
    """The sandwich of the whole regression, unit and month effects as columns."""
    rng = np.random.default_rng(2)
    first, months = cohorts((3, 3), (5, 4), (NEVER, 4)), 8
    n = len(first)
    y = rng.normal(size=(n, months)).cumsum(axis=1)
    units, times = np.eye(n).repeat(months, axis=0), np.tile(np.eye(months), (n, 1))[:, 1:]
    x = np.column_stack([treated(first, months).ravel(), units, times])
    beta, *_ = np.linalg.lstsq(x, y.ravel(), rcond=None)
    residuals = y.ravel() - x @ beta
    scores = np.array(
        [x[i * months : (i + 1) * months].T @ residuals[i * months : (i + 1) * months]
         for i in range(n)]
    )  # fmt: skip
    bread = np.linalg.inv(x.T @ x)
    counted = 1 + months  # the effect, months − 1 dummies and a constant
    factor = n / (n - 1) * (n * months - 1) / (n * months - counted)
    known = np.sqrt(factor * (bread @ scores.T @ scores @ bread)[0, 0])
    found = two_way_fixed_effects(y, first)
    assert found.value == pytest.approx(beta[0])
    assert found.error == pytest.approx(known)
    half = stats.t.ppf(0.975, n - 1) * known
    assert (found.low, found.high) == pytest.approx((beta[0] - half, beta[0] + half))


def test_group_time_error_is_the_influence_function_with_unbiased_variances():
    """One cohort: the influence function of Callaway & Sant'Anna, n_g − 1 in place of n_g."""
    rng = np.random.default_rng(3)
    first, months = cohorts((4, 5), (NEVER, 6)), 9
    y = rng.normal(size=(11, months))
    told = y[:, 4:].mean(axis=1) - y[:, 3]
    variance = sum(
        ((told[rows] - told[rows].mean()) ** 2).sum() / (k - 1) / k
        for rows, k in ((first == 4, 5), (first == NEVER, 6))
    )
    assert group_time(y, first).error == pytest.approx(np.sqrt(variance))


# ------------------------------------------------------------------- textbook bias of two-way FE


STAGGERED = cohorts((4, 3), (8, 2), (NEVER, 2))


def growing(g: int, t: int) -> float:
    """An effect that grows with time and differs between cohorts."""
    return (1.0 + 0.5 * (t - g)) * (2.0 if g == 4 else 1.0)


def goodman_bacon(y: np.ndarray, first: np.ndarray) -> float:
    """Return the weighted sum of 2×2 comparisons, Goodman-Bacon (2021) theorem 1.

    Weights come from the sizes of cohorts and the shares of months treated; dividing them by the
    variance of the treatment is the same as dividing by their sum, which is done here.
    """
    months, n = y.shape[1], len(first)
    at = np.arange(months)
    found, weights = [], []

    def two(a: int, b: int, pre: np.ndarray, post: np.ndarray) -> float:
        rows = [y[first == g] for g in (a, b)]
        gains = [r[:, post].mean() - r[:, pre].mean() for r in rows]
        return gains[0] - gains[1]

    groups = [int(g) for g in np.unique(first) if g != NEVER]
    size = {g: float((first == g).sum()) / n for g in (*groups, NEVER)}
    share = {g: (months - g) / months for g in groups}
    for k in groups:
        both = size[k] + size[NEVER]
        balance = size[k] / both
        weights.append(both**2 * balance * (1 - balance) * share[k] * (1 - share[k]))
        found.append(two(k, NEVER, at < k, at >= k))
    for k, late in itertools.combinations(groups, 2):
        both = size[k] + size[late]
        balance = size[k] / both
        dk, dl = share[k], share[late]
        middle, mixed = (at >= k) & (at < late), balance * (1 - balance)
        weights.append((both * (1 - dl)) ** 2 * mixed * (dk - dl) / (1 - dl) * (1 - dk) / (1 - dl))
        found.append(two(k, late, at < k, middle))
        weights.append((both * dk) ** 2 * mixed * dl / dk * (dk - dl) / dk)
        found.append(two(late, k, middle, at >= late))
    return float(np.average(found, weights=weights))


def test_two_way_bias_is_the_textbooks_and_the_staggered_estimator_has_none():
    months = 12
    y = parallel(STAGGERED, months, growing)
    cells = [(g, t) for g in STAGGERED for t in range(months) if t >= g]
    truth = np.mean([growing(g, t) for g, t in cells])
    # de Chaisemartin & D'Haultfœuille (2020), theorem 1: weights are residuals of the treatment
    d = treated(STAGGERED, months).astype(float)
    residual = d - d.mean(axis=1, keepdims=True) - d.mean(axis=0) + d.mean()
    weights = residual[d == 1] / residual[d == 1].sum()
    expected = sum(w * growing(g, t) for w, (g, t) in zip(weights, cells, strict=True))
    found = two_way_fixed_effects(y, STAGGERED).value
    assert found == pytest.approx(expected, rel=1e-10)
    assert found == pytest.approx(goodman_bacon(y, STAGGERED), rel=1e-10)
    assert truth - found > 0.5  # the bias is there, towards zero
    assert group_time(y, STAGGERED).value == pytest.approx(truth, rel=1e-10)


def test_two_way_can_have_the_wrong_sign():
    """Effects all above zero, without anybody untreated at last: weights below zero (ibid.)."""
    first, months = cohorts((1, 2), (4, 2)), 12
    y = parallel(first, months, lambda g, t: float((t - g + 1) ** 2))
    assert two_way_fixed_effects(y, first).value < 0 < group_time(y, first).value


@given(
    sizes=st.tuples(*[st.integers(2, 4)] * 3),
    starts=st.lists(st.integers(1, 9), min_size=2, max_size=2, unique=True),
    effect=st.floats(-5, 5),
)
def test_a_constant_effect_is_found_exactly_by_both(sizes, starts, effect):
    first = cohorts(*zip([*sorted(starts), NEVER], sizes, strict=True))
    y = parallel(first, 10, lambda g, t: effect)
    for fit in DIFFERENCES:
        assert fit(y, first).value == pytest.approx(effect, abs=1e-9)


@given(shift=st.floats(-9, 9), unit=st.integers(0, 6), month=st.integers(0, 9))
def test_shocks_of_a_unit_or_of_a_month_move_no_difference(shift, unit, month):
    y = np.random.default_rng(5).normal(size=(7, 10))
    moved = y.copy()
    moved[unit] += shift
    moved[:, month] += shift
    for fit in DIFFERENCES:
        assert fit(moved, STAGGERED).value == pytest.approx(fit(y, STAGGERED).value, abs=1e-9)
    assert before_after(y + 3 * (np.arange(10) >= 4), cohorts((4, 7))).value == pytest.approx(
        before_after(y, cohorts((4, 7))).value + 3
    )


# ------------------------------------------------------------------------------------- coverage


@pytest.mark.parametrize("chosen", ESTIMATORS, ids=lambda e: e.name)
def test_intervals_cover_at_their_level_on_independent_panels(chosen):
    """4,000 panels of 40 units, unit and month effects, normal noise; 95 % ± 4 standard errors.

    A right interval fails with a probability below 1e-4 each. Another 20,000 panels gave 94.9, 95.2
    and 95.0 %.
    """
    rng = np.random.default_rng(11)
    first, panels, effect = cohorts((4, 10), (6, 10), (NEVER, 20)), 4000, 0.7
    months = 0 if chosen.name == "before_after" else 1  # it takes what a month does for an effect
    base = effect * treated(first, 10)
    covered = 0
    for _ in range(panels):
        y = base + rng.normal(size=(40, 1)) + months * rng.normal(size=10)
        fit = chosen.fit(y + rng.normal(size=(40, 10)), first)
        covered += fit.low <= effect <= fit.high
    assert covered / panels == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / panels))


def test_a_common_trend_deceives_before_after_only():
    first = cohorts((5, 6), (NEVER, 6))
    y = np.random.default_rng(3).normal(size=(12, 10)) * 0.01 + np.arange(10)
    assert before_after(y, first).low > 4
    for fit in DIFFERENCES:
        assert abs(fit(y, first).value) < 0.1


# ------------------------------------------------------------------------------- nothing to see


@pytest.mark.parametrize("chosen", ESTIMATORS, ids=lambda e: e.name)
def test_no_treated_unit_gives_no_estimate(chosen):
    assert np.isnan(chosen.fit(np.ones((4, 5)), np.full(4, NEVER)).value)


def test_a_cohort_of_one_has_an_estimate_and_no_interval():
    y = np.random.default_rng(1).normal(size=(4, 5))
    for fit in (before_after, group_time):
        found = fit(y, cohorts((2, 1), (NEVER, 3)))
        assert np.isfinite(found.value) and np.isnan(found.high)


def test_everybody_treated_at_once_leaves_only_the_past_to_compare_with():
    y, first = np.random.default_rng(1).normal(size=(4, 5)), np.full(4, 2)
    assert np.isnan(two_way_fixed_effects(y, first).value)
    assert np.isnan(group_time(y, first).value)
    assert np.isfinite(before_after(y, first).value)
