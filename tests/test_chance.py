"""Keyed chance: streams that do not know of each other, distributions that are those named.

Every comparison has the false-alarm rate ``support.ALARM``, shared out among its pairs where it
takes several (Bonferroni). The keys are fixed: a failure is a change of the code.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from scipy import stats

from reformsim.chance import (
    Purpose,
    draw,
    exponential,
    mix,
    normal,
    normal_quantile,
    poisson,
    seed_key,
    uniform,
)
from support import ALARM, LIMIT, z_of_p

N = 20_000


def key_of(seed):
    """Key of a seed as the 64-bit word that kernels take."""
    return np.uint64(seed_key(seed))


@njit
def uniforms(key, words):
    """Uniforms of the stream ``key`` for each word."""
    out = np.empty(len(words))
    for i in range(len(words)):
        out[i] = draw(key, words[i])
    return out


@njit
def by_need(seed, n, purpose):
    """Uniforms of needs 0 … n − 1 for one purpose, keyed by day and need as in the engine."""
    key = seed_key(seed)
    out = np.empty(n)
    for i in range(n):
        out[i] = draw(mix(mix(key, i // 50), i % 50 + 1), purpose)
    return out


@njit
def poissons(mean, key, n):
    out = np.empty(n, np.int64)
    for i in range(n):
        out[i] = poisson(mean, mix(key, i))
    return out


@njit
def others(key, n):
    """Exponentials and normals of one stream."""
    out = np.empty((2, n))
    for i in range(n):
        out[0, i] = exponential(key, i)
        out[1, i] = normal(mix(key, i), 5)
    return out


def check_streams(streams, what):
    """Each stream is uniform; no pair is correlated, nor dependent on a grid of 8 × 8 cells."""
    values = np.array(list(streams.values()))
    for name, value in streams.items():
        p = stats.kstest(value, "uniform").pvalue * len(streams)
        assert p > ALARM, f"{what} {name} is not uniform"
    one, other = np.triu_indices(len(values), 1)
    z = np.corrcoef(values)[one, other] * np.sqrt(values.shape[1])
    cells = (values * 8).astype(int)
    counts = [
        np.bincount(8 * cells[i] + cells[j], minlength=64) for i, j in zip(one, other, strict=True)
    ]
    square = stats.chisquare(counts, axis=1).pvalue
    p = min(2 * stats.norm.sf(np.abs(z).max()), square.min()) * 2 * len(one)
    assert z_of_p(f"{what}: the worst of {2 * len(one)} comparisons", min(p, 1.0)) < LIMIT


def test_seeds_are_independent():
    seeds = [*range(12), 2**31, 2**32, 2**62]
    check_streams({seed: by_need(seed, N, Purpose.VOICE) for seed in seeds}, "seeds")


def test_purposes_are_independent():
    check_streams({purpose.name: by_need(1, N, purpose) for purpose in Purpose}, "purposes")


def test_purposes_have_numbers_of_their_own():
    assert len({int(p) for p in Purpose}) == len(Purpose.__members__)


def test_neighbouring_needs_are_independent():
    value = by_need(3, N, Purpose.WORK)
    lagged = {lag: np.roll(value, lag) for lag in (0, 1, 2, 49, 50, 51)}
    check_streams(lagged, "lags within a stream")


def test_no_seed_is_a_shifted_copy():
    # adding seed and day, or day and need, would repeat keys along diagonals
    days = {int(mix(key_of(seed), day)) for seed in range(40) for day in range(400)}
    assert len(days) == 40 * 400
    pairs = {int(mix(np.uint64(mix(key_of(1), a)), b)) for a in range(120) for b in range(120)}
    assert len(pairs) == 120 * 120
    a, b = (by_need(s, N, Purpose.MOMENT).reshape(-1, 50) for s in (0, 1))
    for shift in range(-5, 6):
        r = stats.pearsonr(np.roll(a, shift, axis=0).ravel(), b.ravel()).pvalue
        assert r * 11 > ALARM


@given(st.integers(0, 2**64 - 1), st.integers(0, 63))
def test_every_bit_of_the_key_matters(key, bit):
    a, b = draw(np.uint64(key), 1), draw(np.uint64(key ^ (1 << bit)), 1)
    assert a != b
    assert 0.0 < a < 1.0


def test_a_bit_of_the_key_turns_half_of_the_result():
    rng = np.random.default_rng(1)
    keys = rng.integers(0, 2**64, 400, dtype=np.uint64)
    turned = []
    for bit in range(64):
        flipped = keys ^ np.uint64(1 << bit)
        turned += [
            int(mix(a, 9) ^ mix(b, 9)).bit_count() for a, b in zip(keys, flipped, strict=True)
        ]
    z = (np.mean(turned) - 32) / (4 / np.sqrt(len(turned)))
    assert abs(z) < LIMIT


def test_uniform_never_reaches_its_ends():
    assert 0.0 < uniform(np.uint64(0)) < 1e-15
    assert 1.0 - 1e-15 < uniform(np.uint64(2**64 - 1)) < 1.0


def test_uniforms_are_uniform():
    value = uniforms(key_of(5), np.arange(400_000))
    p = stats.chisquare(np.bincount((value * 1000).astype(int), minlength=1000)).pvalue
    assert z_of_p("1000 cells", p) < LIMIT
    assert z_of_p("Kolmogorov-Smirnov", stats.kstest(value, "uniform").pvalue) < LIMIT
    low = np.modf(value * 2**40)[0]
    assert z_of_p("its low bits", stats.kstest(low, "uniform").pvalue) < LIMIT


def test_exponential_and_normal():
    waits, normals = others(key_of(6), 200_000)
    assert z_of_p("exponential", stats.kstest(waits, "expon").pvalue) < LIMIT
    assert z_of_p("normal", stats.kstest(normals, "norm").pvalue) < LIMIT


def test_normal_quantile():
    tail = np.logspace(-300, -1, 3000)
    p = np.concatenate([tail, np.linspace(0.001, 0.999, 9999), 1 - np.logspace(-15, -1, 3000)])
    ours = np.array([normal_quantile(x) for x in p])
    np.testing.assert_allclose(ours, stats.norm.ppf(p), rtol=1e-6, atol=1e-12)
    assert normal_quantile(0.5) == 0.0
    assert (np.diff(ours[np.argsort(p)]) >= 0).all()


@pytest.mark.parametrize("mean", [0.01, 0.7, 5.0, 60.0, 500.0, 700.0])
def test_poisson_is_poisson(mean):
    n = 100_000
    count = poissons(mean, key_of(int(100 * mean)), n)
    z = (count.mean() - mean) / np.sqrt(mean / n)
    print(f"Poisson {mean}: mean {count.mean():.4f}, z = {z:.2f}")
    assert abs(z) < LIMIT
    # Var[(X − μ)²] = μ + 2μ²
    z = (np.mean((count - mean) ** 2) - mean) / np.sqrt((mean + 2 * mean**2) / n)
    assert abs(z) < LIMIT
    law = stats.poisson(mean)
    edges = np.unique(law.ppf(np.linspace(0.02, 0.98, 25)))
    chance = np.diff(law.cdf([-1, *edges]), append=1.0)
    chance[-1] = law.sf(edges[-1])
    seen = np.bincount(np.searchsorted(edges, count), minlength=len(chance))
    if len(chance) > 1 and n * chance.min() > 5:
        assert z_of_p("  cells", stats.chisquare(seen, n * chance).pvalue) < LIMIT


def test_poisson_of_nothing():
    assert (poissons(0.0, key_of(1), 1000) == 0).all()


@given(st.floats(0.0, 700.0), st.floats(0.0, 700.0), st.integers(0, 2**64 - 1))
def test_poisson_rises_with_its_mean(a, b, key):
    low, high = sorted((a, b))
    assert poisson(low, np.uint64(key)) <= poisson(high, np.uint64(key))
