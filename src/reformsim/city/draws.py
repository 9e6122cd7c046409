"""Keyed draws over columns of units, and the sharing out of totals among their children."""

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
    totals: np.ndarray, weights: np.ndarray, first: np.ndarray, at_least: int | np.ndarray = 1
) -> np.ndarray:
    """Split each parent's total among its children in whole numbers, by weight.

    ``first`` (parents + 1,) delimits the children in ``weights``. See ``apportion``.
    """
    minima = np.broadcast_to(at_least, weights.shape)
    rows = [slice(*pair) for pair in pairwise(first)]
    parts = [apportion(int(t), weights[r], minima[r]) for t, r in zip(totals, rows, strict=True)]
    return np.concatenate(parts)


def share_area(totals: np.ndarray, weights: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Split each parent's total among its children in proportion to weight."""
    sums = np.add.reduceat(weights, first[:-1])
    return weights * np.repeat(totals / sums, np.diff(first))
