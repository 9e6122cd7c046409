"""Competition of local governments for investment projects: a Tullock contest.

Unit i spends b_i (money) and scores s_i = (b_i · productivity_i · (ε + e1_i))^m; it wins a
project with probability s_i / Σs. Sources: Tullock (1980), "Efficient rent seeking"; existence
of a symmetric pure equilibrium for m ≤ n/(n − 1): Pérez-Castrillo & Verdier (1992), Public
Choice 73. What projects do to arrivals and what teams can do is assumed.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reformsim.chance import POISSON_MOST, Purpose, draw, mix, poisson
from reformsim.kernels import njit

Floats = NDArray[np.float64]

TOKEN = 1e-6
"""Bid, as a share of the prize, against nobody: any positive bid wins and no best one exists."""


def team_productivity(
    district_share: ArrayLike,
    size: ArrayLike,
    local_knowledge: ArrayLike,
    team_scale_return: ArrayLike,
) -> Floats:
    """Return the productivity of investment work shared between a local and a district team.

    (1 − w)·local_knowledge + w·size^team_scale_return: the local team knows the place, the
    district team has scale. ``district_share`` w in [0, 1] is the share of the work done by the
    district team, ``size`` its people relative to one local team. All broadcast to (n,). Assumed.
    """
    w = np.asarray(district_share, float)
    scale = np.asarray(size, float) ** np.asarray(team_scale_return)
    return np.asarray((1 - w) * local_knowledge + w * scale)


def scores(
    bid: ArrayLike,
    productivity: ArrayLike,
    effort: ArrayLike,
    discrimination: float,
    epsilon: float,
) -> Floats:
    """Return (b · productivity · (ε + e1))^m, shape (n,); m = ``discrimination``."""
    base = np.asarray(bid, float) * productivity * (epsilon + np.asarray(effort, float))
    return np.asarray(base**discrimination)


def shares(score: ArrayLike) -> Floats:
    """Return each unit's probability to win, score / sum of scores.

    Zeros where all scores are 0: the project leaves the city.
    """
    score = np.asarray(score, float)
    total = score.sum()
    return score / total if total > 0 else np.zeros_like(score)


def best_response(
    bid: ArrayLike,
    productivity: ArrayLike,
    effort: ArrayLike,
    prize: ArrayLike,
    discrimination: float,
    epsilon: float,
    *,
    cap: ArrayLike = math.inf,
) -> Floats:
    """Return each unit's best answer to the bids of all others, shape (n,).

    It maximises share · ``prize`` − bid over 0 ≤ bid ≤ ``cap``. The first-order condition is
    b = m·V·p(1 − p), p the unit's share; a unit stays out where the best bid would cost more than
    it brings. Bids are in equilibrium where they are their own best response.

    ``bid`` has shape (n,), the other arrays broadcast to it; ``bid``, ``prize`` V and ``cap``
    are money per project, ``discrimination`` is m.

    Raises:
        ValueError: m outside (0, n/(n − 1)], where no symmetric pure equilibrium exists.
    """
    bid = np.array(bid, float)
    return _respond(
        bid, *_contest(bid.size, productivity, effort, prize, discrimination, epsilon, cap)
    )


def best_responses(
    bid: ArrayLike,
    productivity: ArrayLike,
    effort: ArrayLike,
    prize: ArrayLike,
    discrimination: float,
    epsilon: float,
    *,
    cap: ArrayLike = math.inf,
    rounds: int = 200,
    tolerance: float = 1e-9,
) -> Floats:
    """Iterate `best_response` from the bids ``bid`` and return where they come to rest, (n,).

    Units move in the order of their index, each half the way to its best response; full steps,
    or all at once, would swing between too many bidders and too few. Stops after ``rounds``, or
    once no best response is further than ``tolerance`` · prize away.

    For m ≤ 1 the equilibrium is unique (Szidarovszky & Okuguchi 1997, Games Econ. Behav. 18).
    About 60 rounds reach it; only many equal units at m = 1 need thousands, and there the sum of
    bids settles long before their split. For m > 1 there are several, which differ in who stays
    out, and the starting bids choose.

    Arguments and errors are those of `best_response`.
    """
    bid = np.array(bid, float)
    contest = _contest(bid.size, productivity, effort, prize, discrimination, epsilon, cap)
    _settle(bid, *contest, rounds, tolerance)
    return bid


def _contest(
    n: int,
    productivity: ArrayLike,
    effort: ArrayLike,
    prize: ArrayLike,
    discrimination: float,
    epsilon: float,
    cap: ArrayLike,
) -> tuple[Floats, Floats, float, Floats]:
    """Return the (strength, prize, m, cap) the kernels take, checked and broadcast to (n,)."""
    limit = n / (n - 1) if n > 1 else math.inf
    if not 0 < discrimination <= limit:
        raise ValueError(
            f"discrimination {discrimination} outside (0, n/(n - 1)] = (0, {limit:.4f}], n = {n}"
        )
    strength = scores(1.0, productivity, effort, discrimination, epsilon)
    shaped = [np.broadcast_to(np.asarray(x, float), n) for x in (strength, prize, cap)]
    return shaped[0], shaped[1], float(discrimination), shaped[2]


@njit(cache=True)
def _settle(bid, strength, prize, m, cap, rounds, tolerance):
    for _ in range(rounds):
        at_rest = True
        for i in range(bid.size):
            answer = _answer(strength[i], _others(bid, strength, m, i), prize[i], m, cap[i])
            if abs(answer - bid[i]) > tolerance * prize[i]:
                at_rest = False
                bid[i] = 0.5 * (bid[i] + answer)
            else:
                bid[i] = answer
        if at_rest:
            return


@njit(cache=True)
def _respond(bid, strength, prize, m, cap):
    answer = np.empty(bid.size)
    for i in range(bid.size):
        answer[i] = _answer(strength[i], _others(bid, strength, m, i), prize[i], m, cap[i])
    return answer


@njit(cache=True)
def _others(bid, strength, m, i):
    # Summed afresh: a running total would leave a rounding residue where nobody else bids.
    total = 0.0
    for j in range(bid.size):
        if j != i and bid[j] > 0.0:
            total += strength[j] * bid[j] ** m
    return total


@njit(cache=True)
def _answer(strength, others, prize, m, cap):
    if strength <= 0.0 or prize <= 0.0 or cap <= 0.0:
        return 0.0
    if others <= 0.0:
        return min(cap, TOKEN * prize)
    # b = m·V·p(1 − p) with b = (others/strength · p/(1 − p))^(1/m) gives slope(p) = wanted;
    # profit is positive above p = 1 − 1/m, and from there on slope falls.
    wanted = (others / strength) ** (1.0 / m) / (m * prize)
    low, high = max(0.0, 1.0 - 1.0 / m), 1.0
    # The margin lets a unit that would just break even bid, as in the equilibrium at m = n/(n − 1).
    if m >= 1.0 and _slope(low, m) < wanted * (1.0 - 1e-12):
        return 0.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if _slope(middle, m) > wanted:
            low = middle
        else:
            high = middle
    p = 0.5 * (low + high)
    best = m * prize * p * (1.0 - p)
    if best <= cap:
        return best
    own = strength * cap**m
    return cap if prize * own / (own + others) > cap else 0.0


@njit(cache=True)
def _slope(p, m):
    return p ** (1.0 - 1.0 / m) * (1.0 - p) ** (1.0 + 1.0 / m)


def arrival_rate(
    base: ArrayLike, total_effort: ArrayLike, environment: ArrayLike, elasticity: ArrayLike
) -> Floats:
    """Return the expected number of projects a year that look at the city.

    base · ((1 + effort)/2 · environment)^elasticity. ``total_effort`` and ``environment`` (the
    business environment) are relative to their level before the reform, 1, where the rate is
    ``base``. An elasticity well below 1 makes the rise weak; without any effort some still come.
    Assumed.
    """
    pull = (1 + np.asarray(total_effort, float)) / 2 * np.asarray(environment, float)
    return np.asarray(np.asarray(base, float) * pull ** np.asarray(elasticity))


def projects_won(share: ArrayLike, rate: float, key: np.uint64) -> NDArray[np.int64]:
    """Draw a year's projects and who wins them; return the number won per unit, shape (n,).

    Their number is Poisson with mean ``rate``, each winner is drawn by ``share``; where all
    shares are 0 they leave the city. ``key`` is the key of run and year.

    Raises:
        ValueError: ``rate`` is negative or no number.
    """
    if not 0 <= rate < math.inf:
        raise ValueError(f"rate of {rate} projects a year")
    bounds = np.cumsum(np.asarray(share, float))
    if bounds[-1] <= 0:
        return np.zeros(bounds.size, np.int64)
    stream = np.uint64(mix(np.uint64(key), int(Purpose.PROJECTS)))
    first = np.uint64(mix(stream, 0))
    # a sum of Poisson counts, each within the range of the draw; it never falls as the rate rises
    number = poisson(min(float(rate), POISSON_MOST), first)
    for block in range(1, math.ceil(rate / POISSON_MOST)):
        rest = min(float(rate) - block * POISSON_MOST, POISSON_MOST)
        number += poisson(rest, np.uint64(mix(first, block)))
    marks = np.array([draw(stream, 1 + project) for project in range(number)]) * bounds[-1]
    winner = np.searchsorted(bounds, marks, side="right")
    return np.bincount(winner, minlength=bounds.size)
