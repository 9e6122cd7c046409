"""Days to close from cases closed and still open: known answers, and how often intervals hold."""

import numpy as np
import pytest
from scipy import stats

from reformsim.observed.intervals import leave_out, rate, share
from reformsim.observed.survival import (
    Z,
    kaplan_meier,
    lognormal,
    on_one_scale,
    quantile,
    quantile_interval,
)
from reformsim.observed.tally import BINS, EDGES, GROUPS

SAMPLES = 200
#: Intervals of 200 that must hold: fewer do with a chance below 1e-4 where each holds in 95 %.
HELD = int(stats.binom.ppf(1e-4, SAMPLES, 0.95))


def year_of_cases(rng, mu, sigma, n=2000, whole=False):
    """Cases of a year as counts by bin, closed (2, bins) and open (bins,), seen at its end."""
    created = rng.uniform(0, 365, n)
    closed = created + np.exp(rng.normal(mu, sigma, n))
    still = closed > 365
    days = np.floor(closed) - np.floor(created) if whole else closed - created
    counts = np.zeros((2, BINS))
    counts[int(whole)] = np.histogram(days[~still], EDGES)[0]
    ages = 365 - (np.floor(created[still]) + 0.5 if whole else created[still])
    return counts, np.histogram(ages, EDGES)[0]


@pytest.mark.parametrize(
    ("mu", "sigma", "whole"), [(2.4, 1.3, False), (0.5, 1.8, False), (3.5, 1.0, True)]
)
def test_the_true_days_lie_in_the_intervals(mu, sigma, whole):
    rng = np.random.default_rng(5)
    held = np.zeros(3, int)
    for _ in range(SAMPLES):
        closed, still_open = year_of_cases(rng, mu, sigma, whole=whole)
        fit = lognormal(closed, still_open)
        survival = kaplan_meier(on_one_scale(closed), still_open)
        low, high = quantile_interval(survival, 0.5)
        held += [
            abs(fit.mu - mu) <= Z * fit.errors[0],
            abs(fit.sigma - sigma) <= Z * fit.errors[1],
            low <= np.exp(mu) <= high,
        ]
    print(held)
    assert np.all(held >= HELD), held


def test_leaving_open_cases_out_would_miss_the_truth():
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(50):
        closed, still_open = year_of_cases(rng, 4.5, 1.3)
        fit = lognormal(closed, 0 * still_open)
        held += abs(fit.mu - 4.5) <= Z * fit.errors[0]
    assert held == 0


def test_a_step_of_newton_is_as_good_as_a_fit_without_a_group():
    rng = np.random.default_rng(7)
    parts = [year_of_cases(rng, 2.0 + 0.2 * g / GROUPS, 1.3, n=400) for g in range(GROUPS)]
    closed, still_open = (np.stack(part) for part in zip(*parts, strict=True))
    whole = lognormal(closed.sum(0), still_open.sum(0))
    quick = whole.without(closed, still_open)
    for g in (0, GROUPS - 1):
        fit = lognormal(closed.sum(0) - closed[g], still_open.sum(0) - still_open[g])
        assert quick[:, g] == pytest.approx([fit.mu, fit.sigma], abs=0.002)
        assert abs(fit.mu - whole.mu) > 0.004


def test_kaplan_meier_without_open_cases_is_the_share_not_yet_closed():
    counts = np.random.default_rng(1).poisson(2.0, BINS)
    survival = kaplan_meier(counts, np.zeros(BINS))
    left = 1 - np.cumsum(counts) / counts.sum()
    assert np.allclose(survival.open, left, atol=1e-12)
    # Greenwood without censoring is the binomial variance of log S
    there = left > 1e-9
    s, n = left[there], counts.sum()
    assert np.allclose(survival.variance[there], (1 - s) / (s * n))


def test_quantiles_are_those_of_the_bins_and_may_never_be_reached():
    counts = np.zeros(BINS)
    counts[200] = 10
    assert EDGES[200] <= quantile(kaplan_meier(counts, 0 * counts).open, 0.5) <= EDGES[201]
    half_open = kaplan_meier(counts, np.eye(BINS)[300] * 30)
    assert np.isnan(quantile(half_open.open, 0.5))


def test_a_handful_of_whole_days_does_not_widen_an_interval():
    """Parts of a case, spread over bins, once took the lower end to nothing."""
    rng = np.random.default_rng(2)
    counts = np.zeros((2, BINS))
    counts[0] = np.histogram(np.exp(rng.normal(1.5, 1.4, 100_000)), EDGES)[0]
    counts[1] = np.histogram([0, 0, 1, 5], EDGES)[0]
    low, high = quantile_interval(kaplan_meier(on_one_scale(counts), np.zeros(BINS)), 0.5)
    assert 4.3 < low < high < 4.7


def test_whole_days_keep_their_number():
    counts = np.zeros((2, BINS))
    counts[1] = np.histogram(np.arange(400), EDGES)[0]
    assert on_one_scale(counts).sum() == pytest.approx(400)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_a_share_holds_whether_weeks_are_alike_or_not(spread):
    """Where weeks differ by a log sd of 0.3, Wilson's interval alone holds three times in five."""
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(SAMPLES):
        p = np.clip(0.2 * np.exp(rng.normal(0, spread, (GROUPS, 5)) - spread**2 / 2), 0, 1)
        of = np.full((GROUPS, 5), 200)
        found = share(rng.binomial(of, p).sum(1), of.sum(1))
        held += found.low <= 0.2 <= found.high
    assert held >= HELD, held


def test_rates_hold_the_truth():
    rng = np.random.default_rng(9)
    exposure = np.full(GROUPS, 3.0)
    found = [rate(rng.poisson(2.0 * exposure), exposure) for _ in range(SAMPLES)]
    assert sum(f.low <= 2.0 <= f.high for f in found) >= HELD


def test_no_case_gives_no_width_of_nothing():
    found = share(np.zeros(GROUPS), np.full(GROUPS, 5.0))
    assert found.value == 0 and found.low == 0 and 0.03 < found.high < 0.05
    assert share(np.zeros(GROUPS), np.zeros(GROUPS)) is None


def test_leaving_out_gives_the_error_of_a_mean():
    values = np.random.default_rng(3).normal(size=GROUPS)
    half = leave_out(lambda k: k[0] / k[1], np.stack([values, np.ones(GROUPS)]), np.ones(GROUPS))
    t = stats.t.isf(0.025, GROUPS - 1)
    assert half == pytest.approx(t * values.std(ddof=1) / np.sqrt(GROUPS))
