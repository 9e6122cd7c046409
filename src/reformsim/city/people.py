"""The residents' columns: ages, need multipliers, alias tables; array in, array out."""

import math
from functools import lru_cache

import numpy as np

from reformsim.chance import draw, mix, normal
from reformsim.city.territory import City
from reformsim.kernels import njit

AGE, MULTIPLIER = 1, 2  # words of a resident's stream


@njit(cache=True)
def _gamma(key, shape):
    """Gamma draw of scale 1: Marsaglia & Tsang (2000), with its boost for a shape below 1."""
    boost = 1.0 if shape >= 1.0 else draw(key, -1) ** (1.0 / shape)
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    attempt = 0
    while True:
        trial = mix(key, attempt)
        x = normal(trial, 0)
        v = (1.0 + x / math.sqrt(9.0 * d)) ** 3
        if v > 0.0 and math.log(draw(trial, 1)) < 0.5 * x * x + d - d * v + d * math.log(v):
            return boost * d * v
        attempt += 1


@njit(cache=True)
def _multiplier(resident_key, age, means, shape):
    return means[age] * _gamma(mix(resident_key, MULTIPLIER), shape) / shape


@njit(cache=True)
def draw_people(grid_keys, first_resident, ages, means, shape, age, alias):
    """Draw the residents of every grid into ``age`` and ``alias``, the columns of ``People``.

    ``ages`` (grids, 2) are the shares of the young, and of the young and middle together;
    ``means`` (3,) and ``shape`` the gamma distributions of multipliers. Returns the sum of
    multipliers of each grid.
    """
    sums = np.zeros(len(grid_keys))
    for grid in range(len(grid_keys)):
        begin, end = first_resident[grid], first_resident[grid + 1]
        multipliers = np.empty(end - begin)
        for i in range(end - begin):
            key = mix(grid_keys[grid], i)
            u = draw(key, AGE)
            group = np.uint8(u >= ages[grid, 0]) + np.uint8(u >= ages[grid, 1])
            age[begin + i] = group
            multipliers[i] = _multiplier(key, group, means, shape)
            sums[grid] += multipliers[i]
        _alias(multipliers, sums[grid], alias[begin:end])
    return sums


@lru_cache(maxsize=2)
def ages_by_grid(city: City) -> np.ndarray:
    """Return residents by grid and age group, (grids, 3)."""
    count = np.zeros((len(city.grids), 3))
    _count_ages(city.people.age, city.grids.first_resident, count)
    return count


@njit(cache=True)
def _count_ages(age, first, count):
    for g in range(len(count)):
        for i in range(first[g], first[g + 1]):
            count[g, age[i]] += 1


@njit(cache=True)
def _alias(weights, total, table):
    """Fill the alias table of positive weights: Vose (1991)."""
    n = len(weights)
    share = weights * (n / total)
    small, large = np.empty(n, np.int64), np.empty(n, np.int64)
    smalls = larges = 0
    for i in range(n):
        if share[i] < 1.0:
            small[smalls] = i
            smalls += 1
        else:
            large[larges] = i
            larges += 1
    while smalls > 0 and larges > 0:
        smalls -= 1
        i, j = small[smalls], large[larges - 1]
        table[i].cut, table[i].other = share[i], j
        share[j] -= 1.0 - share[i]
        if share[j] < 1.0:
            larges -= 1
            small[smalls] = j
            smalls += 1
    for k in range(larges):
        table[large[k]].cut, table[large[k]].other = 1.0, large[k]
    for k in range(smalls):  # left over by rounding only
        table[small[k]].cut, table[small[k]].other = 1.0, small[k]


@njit(cache=True)
def _multipliers(residents, ages, grids, grid_keys, first_resident, means, shape):
    out = np.empty(len(residents))
    for k in range(len(residents)):
        key = mix(grid_keys[grids[k]], residents[k] - first_resident[grids[k]])
        out[k] = _multiplier(key, ages[k], means, shape)
    return out


def multipliers(city: City, residents: np.ndarray) -> np.ndarray:
    """Return the need multipliers of residents, given by row of ``city.people``.

    They are not stored but drawn again by key: float64, the same bits as at the build.
    """
    residents = np.asarray(residents, dtype=np.int64)
    grids = np.searchsorted(city.grids.first_resident, residents, side="right") - 1
    return _multipliers(
        residents,
        city.people.age[residents],
        grids,
        city.grids.key,
        city.grids.first_resident,
        np.array(city.need_spread.means),
        city.need_spread.shape,
    )
