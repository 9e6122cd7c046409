"""Keyed chance: every draw is a pure function of a key, so order never matters.

A stream is a 64-bit key. ``mix`` derives a new key from a key and an integer (a resident, a
day, a visit, a purpose); ``uniform`` turns a key into a number in the open interval (0, 1).
The finaliser is the one of SplitMix64 (Steele, Lea & Flood 2014), applied after an odd
multiplication of the added word, so that neither a seed nor an index is ever simply added to
another one: seed s is not a shifted copy of seed 0.
"""

import math
from enum import IntEnum

import numpy as np

from reformsim.kernels import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
WORD = np.uint64(0xD1342543DE82EF95)
M1 = np.uint64(0xBF58476D1CE4E5B9)
M2 = np.uint64(0x94D049BB133111EB)
S27, S30, S31, S12 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(12)
TWO_52 = 1.0 / 4503599627370496.0


@njit(cache=True, inline="always")
def mix(key, word):
    """Derive a key from a key and an integer; both are read as 64-bit words."""
    z = (np.uint64(key) ^ (np.uint64(word) * WORD + GOLDEN)) * M1
    z = (z ^ (z >> S30)) * M1
    z = (z ^ (z >> S27)) * M2
    return z ^ (z >> S31)


@njit(cache=True, inline="always")
def uniform(key):
    """Turn a key into a float in (0, 1): 52 bits and a half, so never 0 and never 1."""
    return (np.float64(np.uint64(key) >> S12) + 0.5) * TWO_52


@njit(cache=True, inline="always")
def draw(key, word):
    """Uniform draw in (0, 1) of the stream ``key`` for the purpose or index ``word``."""
    return uniform(mix(key, word))


@njit(cache=True)
def normal_quantile(p):
    """Standard normal quantile of ``p`` in (0, 1): Wichura (1988), algorithm AS 241, PPND7.

    Relative error below 1e-7; only +, *, / , log and sqrt, so its bits do not depend on a
    vector library.
    """
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return (
            q
            * (((5.9109374720e1 * r + 1.5929113202e2) * r + 5.0434271938e1) * r + 3.3871327179)
            / (((6.7187563600e1 * r + 7.8757757664e1) * r + 1.7895169469e1) * r + 1.0)
        )
    r = p if q < 0 else 1.0 - p
    r = math.sqrt(-math.log(r))
    if r <= 5.0:
        r -= 1.6
        value = (((1.7023821103e-1 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777) / (
            (1.2021132975e-1 * r + 7.3700164250e-1) * r + 1.0
        )
    else:
        r -= 5.0
        value = (
            ((1.7337203997e-2 * r + 4.2868294337e-1) * r + 3.0812263860) * r + 6.6579051150
        ) / ((1.2258202635e-2 * r + 2.4197894225e-1) * r + 1.0)
    return -value if q < 0 else value


@njit(cache=True, inline="always")
def exponential(key, word):
    """Exponential draw with mean 1 of the stream ``key`` for ``word``."""
    return -math.log(draw(key, word))


@njit(cache=True, inline="always")
def normal(key, word):
    """Standard normal draw of the stream ``key`` for ``word``."""
    return normal_quantile(draw(key, word))


#: Largest mean that `poisson` takes.
POISSON_MOST = 700.0


@njit(cache=True)
def poisson(mean, key):
    """Poisson draw by inversion of one uniform: a larger mean never gives a smaller count.

    Up to rounding, that is: not for uniforms within 1e-12 of 1.
    ``mean`` up to `POISSON_MOST` (the probability of zero must not underflow).
    """
    u = uniform(key)
    p = math.exp(-mean)
    total = p
    n = 0
    while u > total:
        n += 1
        p *= mean / n
        if total + p == total:
            break  # rounding keeps the sum below u
        total += p
    return n


@njit(cache=True)
def seed_key(seed):
    """Key of a whole run: the seed is hashed twice before anything is mixed into it."""
    return mix(mix(GOLDEN, seed), seed)


@njit(cache=True)
def unit_draws(seed, purpose, word, ids):
    """Uniform draws of units ``ids`` (int array) for a purpose and a word, shape of ``ids``."""
    stream = mix(mix(seed_key(seed), purpose), word)
    out = np.empty(len(ids))
    for i in range(len(ids)):
        out[i] = draw(stream, ids[i])
    return out


@njit(cache=True)
def unit_key(seed, purpose, word):
    """Key of a run for a purpose and a word, as an array (1,): Python would misread an integer."""
    return np.array([mix(mix(seed_key(seed), purpose), word)])


class Purpose(IntEnum):
    """What a draw of a need, a unit or a resident is for: one number, one stream."""

    RESIDENT = 1
    CATEGORY = 2
    MOMENT = 3
    THINNING = 4
    VOICE = 5
    PARTS = 6
    INTAKE_WORK = 7
    COMPETENCE = 8
    LEVEL = 9
    DESK_CHOICE = 10
    WRONG_DESK = 11
    ORPHAN = 12
    SERIAL = 13
    WORK = 14
    COMMON_DELAY = 15
    PART_DELAY = 16
    JOINT = 17
    DISPUTE = 18
    FIX = 19
    SHAM = 20
    LIFETIME = 21
    PATROL = 22
    SELF_SOLVED = 23
    REOPEN = 25
    AUDIT = 26
    ON_THE_SPOT = 27
    CONFERENCE = 28
    TRIVIAL = 29
    GATE = 30
    ROUNDS = 31
    LOCAL_DELAY = 32
    TRANSFER = 33
    OTHER_DESK = 34
    ROUND_DELAY = 35
    HUB_WORK = 36
    REENTRY = 37
    PART_CATEGORY = 38
    IMPLEMENTATION = 41
    SURVEY = 42
    PROJECTS = 43
    WEIGHTS = 44
    TURNOVER = 45
    THRESHOLD = 46
    BASELINE = 47
    MERGE = 49
    WINDOW = 50
    LAYOUT = 51
    GRIDS = 52
    TEAM = 53
    KNOWN = 54
    ORGANISATION = 48
    CITY = 60
    PILOT = 90
    # territory and structure
    WAY = 131
    WAY_SEARCH = 132
    WAY_TRIAL = 133
    WEEKEND = 134
    FACILITIES = 81
    TOWN = 82
    ESTATE = 83
    MOVE = 84
    DESTINATION = 85
    HOME = 86
    ESCALATE = 61
    AUTHORITY = 62
    CITY_LEVEL = 63
    CLIMB = 64
    TREATMENT = 65
    DELEGATED = 66
    SPOT = 67
    MEDIATED = 68
    AGREED = 69
    MEDIATION_DAYS = 70
    MEDIATION_WORK = 71
    SPOT_WORK = 72
    POSTS = 73
    FIRM_DESK = 74
    SPOT_DELAY = 75
