"""How an experience moves a resident: satisfaction, expectation, trust, burden.

Scalar rules for kernels; times in days, satisfaction and performance in [0, 1].
"""

import math

from reformsim.kernels import njit

#: Relative distance of memory and lifetime below which exponentials are not subtracted.
NEAR = 1e-3


@njit(cache=True)
def drift(satisfaction, burden, baseline, days, memory, lifetime, weight):
    """Satisfaction and burden after ``days`` without contact, in closed form.

    Solves S' = −(S − (b − wB)) / memory with B' = −B / lifetime, so that two half-steps equal
    one step. Linear in (S, B, b): a group's sums drift by the same formula as a resident.
    """
    fade, left = math.exp(-days / memory), math.exp(-days / lifetime)
    gap = lifetime - memory
    if abs(gap) > NEAR * lifetime:
        carried = (left - fade) * lifetime / gap
    elif gap == 0.0:
        carried = left * days / memory
    else:
        carried = -math.expm1(-gap / (memory * lifetime) * days) * left * lifetime / gap
    return baseline + (satisfaction - baseline) * fade - weight * burden * carried, burden * left


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
