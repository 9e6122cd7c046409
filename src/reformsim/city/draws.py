"""Keyed draws over columns of units, and the sharing out of totals among their children."""

import itertools
import math
from enum import IntEnum
from itertools import pairwise

import numpy as np

from reformsim.chance import Purpose, draw, mix, normal, seed_key
from reformsim.city.apportion import apportion
from reformsim.kernels import njit


class Word(IntEnum):
    """What a draw of a unit is for."""

    CHILD = 1
    SIZE = 2
    DENSITY = 3
    KIND = 4
    TURN = 5
    MAP = 6
    SAMPLE = 7  # plus the number of the trial


@njit(cache=True)
def city_key(seed):
    """Return the key of a city in an array (1,): as a Python integer Numba would misread it."""
    return np.array([mix(seed_key(seed), Purpose.CITY)])


@njit(cache=True)
def children(keys, counts):
    """Return the keys of all children, uint64, parent by parent."""
    out = np.empty(counts.sum(), np.uint64)
    end = 0
    for parent in range(len(keys)):
        stream = mix(keys[parent], Word.CHILD)
        for child in range(counts[parent]):
            out[end] = mix(stream, child)
            end += 1
    return out


@njit(cache=True)
def uniforms(keys, word):
    """Return one uniform draw for each key."""
    out = np.empty(len(keys))
    for i in range(len(keys)):
        out[i] = draw(keys[i], word)
    return out


@njit(cache=True)
def lognormals(keys, word, sigma):
    """Return one lognormal draw of mean 1 for each key; ``sigma`` has one value for each."""
    out = np.empty(len(keys))
    for i in range(len(keys)):
        out[i] = math.exp(sigma[i] * normal(keys[i], word) - sigma[i] ** 2 / 2)
    return out


def offsets(counts: np.ndarray) -> np.ndarray:
    """Return where the children of each parent begin, and where the last ones end: (n + 1,)."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def share_people(
    totals: np.ndarray,
    weights: np.ndarray,
    first: np.ndarray,
    at_least: int | np.ndarray = 1,
    stated: np.ndarray | None = None,
) -> np.ndarray:
    """Split each parent's total among its children in whole numbers, by weight.

    ``first`` (parents + 1,) delimits the children in ``weights``. Children with a figure in
    ``stated`` (NaN without) keep it, the others share what is left. See ``apportion``.
    """
    minima = np.broadcast_to(at_least, weights.shape)
    shares = np.full(weights.shape, np.nan) if stated is None else stated.copy()
    for total, row in zip(totals, itertools.starmap(slice, pairwise(first)), strict=True):
        free = np.isnan(shares[row])
        rest = int(total - np.nansum(shares[row]))
        shares[row][free] = apportion(rest, weights[row][free], minima[row][free])
    return shares.astype(np.int64)


def share_area(
    totals: np.ndarray, weights: np.ndarray, first: np.ndarray, stated: np.ndarray | None = None
) -> np.ndarray:
    """Split each parent's total among its children in proportion to weight.

    Children with a figure in ``stated`` (NaN without) keep it, the others share what is left.
    """
    known = np.zeros(len(weights)) if stated is None else np.nan_to_num(stated)
    weights = np.where(known > 0, 0.0, weights)
    sums = np.add.reduceat(weights, first[:-1])
    rest = totals - np.add.reduceat(known, first[:-1])
    rate = np.divide(rest, sums, out=np.zeros(len(sums)), where=sums > 0)
    return known + weights * np.repeat(rate, np.diff(first))
