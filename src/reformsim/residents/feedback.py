"""How an experience moves a resident: satisfaction, expectation, trust, burden.

Scalar rules for kernels; times in days, satisfaction and performance in [0, 1].
"""

import math

from reformsim.kernels import njit


@njit(cache=True)
def decay_of_burden(burden, days, lifetime):
    """Burden of silent needs after ``days``: each lives ``lifetime`` days on average."""
    return burden * math.exp(-days / lifetime)


@njit(cache=True)
def drift(satisfaction, burden, baseline, days, memory, lifetime, weight):
    """Satisfaction after ``days`` without contact, in closed form.

    Solves S' = −(S − (b − wB)) / memory with B' = −B / lifetime, so that two half-steps equal
    one step. Linear in (S, B, b): a group's sums drift by the same formula as a resident.
    """
    a, c = 1.0 / memory, 1.0 / lifetime
    fade = math.exp(-a * days)
    # (exp(−ct) − exp(−at))/(a − c), which near a = c must not subtract near numbers
    slower, gap = min(a, c), abs(a - c)
    weighted = -math.expm1(-gap * days) / gap if gap > 0.0 else days
    carried = a * math.exp(-slower * days) * weighted
    return baseline + (satisfaction - baseline) * fade - weight * burden * carried


@njit(cache=True)
def performance(quality, days, promise):
    """Performance of a closing: quality, halved with every promised time that passes."""
    return quality * 2.0 ** (-days / promise)


@njit(cache=True)
def satisfaction_target(p, expectation, b0, bp, bd, loss_aversion):
    """Where an experience of performance ``p`` pulls satisfaction (design §4, feedback).

    b0 + bP·P + bD·(gain − L·loss) with gain = max(P − E, 0) and loss = max(E − P, 0), in [0, 1]
    (expectation-disconfirmation: Oliver 1980; Van Ryzin 2004).
    """
    gap = p - expectation
    felt = gap if gap > 0.0 else loss_aversion * gap
    return min(max(b0 + bp * p + bd * felt, 0.0), 1.0)


@njit(cache=True)
def experience(satisfaction, expectation, p, b0, bp, bd, loss_aversion, rate, kappa):
    """Satisfaction and expectation after one experience of performance ``p``."""
    target = satisfaction_target(p, expectation, b0, bp, bd, loss_aversion)
    return satisfaction + rate * (target - satisfaction), expectation + kappa * (p - expectation)
