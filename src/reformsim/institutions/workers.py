"""Workers: burnout, turnover, vacancies and skill, month by month.

Burnout is a standard score: in the pre-reform workforce, at the reference utilisation, it has
mean 0 and standard deviation 1, so that `SOME` and `HEAVY` are the quantiles at which 42 % and
13 % of workers lie above (the shares in docs, calibrated, not predicted). The dynamics are
assumed; the turnover hazard's coefficients are standardised ones, with 1.81 = π/√3 turning a
standard deviation of a logistic variable into logits.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reformsim.chance import Purpose, draw, mix, normal_quantile
from reformsim.kernels import njit

Floats = NDArray[np.float64]

SOME = normal_quantile(1 - 0.42)
"""Burnout score above which a worker counts as burnt out to some degree."""
HEAVY = normal_quantile(1 - 0.13)
"""Burnout score above which a worker counts as heavily burnt out."""
LOGITS_PER_SD = math.pi / math.sqrt(3)
BETA_BURNOUT, BETA_PAY = 0.28, -0.14
TILT = LOGITS_PER_SD * BETA_BURNOUT
"""Rise of the leaving logit per unit of burnout, and so the burnout of leavers above the mean."""
LEAVE, FILL, SHOCK, NEWCOMER, PROMOTE = range(5)


class Workers(NamedTuple):
    """Columns of n posts after a month, each of shape (n,)."""

    burnout: Floats
    skill: Floats
    tenure: NDArray[np.int64]
    vacancy: NDArray[np.bool_]
    left: NDArray[np.bool_]
    promoted: NDArray[np.bool_]


class Staff(NamedTuple):
    """Means of n units' staff after a month, each of shape (n,)."""

    burnout: Floats
    skill: Floats
    filled: Floats
    left: Floats


def strain(utilisation: ArrayLike, overload: ArrayLike, threshold: ArrayLike) -> Floats:
    """Return max(0, utilisation − threshold) + overload, in shares of a full working day.

    ``overload`` is the energy above a full day (`effort.overload`). Assumed.
    """
    above = np.asarray(utilisation, float) - np.asarray(threshold, float)
    return np.maximum(0.0, above) + np.asarray(overload, float)


def burnout_step(
    burnout: ArrayLike,
    strain: ArrayLike,
    shock: ArrayLike,
    *,
    reference_strain: float,
    build: float,
    recovery: float,
) -> Floats:
    """Return next month's burnout score.

    b' = (1 − r)·b + build·(strain − reference_strain) + √(1 − (1 − r)²)·shock, r = ``recovery``
    in (0, 1]. With standard normal shocks the score settles at mean
    build/r · (strain − reference_strain) and standard deviation 1, whatever r is: calibration
    needs no fitting. r = 0.056 halves a deviation in a year. Assumed.
    """
    keep = 1 - recovery
    spread = math.sqrt(1 - keep**2)
    excess = np.subtract(strain, reference_strain)
    return keep * np.asarray(burnout, float) + build * excess + spread * np.asarray(shock, float)


def reference_strain(
    utilisation: float, strain_threshold: float, base_annual: float, build: float
) -> float:
    """Return the reference strain at which a workforce at ``utilisation`` has mean burnout 0.

    Strain at that utilisation less h·c/build: leavers, h of the workforce a month, take away
    burnout c = `TILT` above the mean, which strain must bring back. h is the mean hazard of a
    workforce with standard normal burnout, h0·exp(c²/2). A calibration without fitting.
    """
    hazard = float(turnover_hazard(base_annual, TILT / 2, 0.0))
    return float(strain(utilisation, 0.0, strain_threshold)) - hazard * TILT / build


def turnover_hazard(
    base_annual: ArrayLike,
    burnout_z: ArrayLike,
    pay_z: ArrayLike,
    beta_burnout: float = BETA_BURNOUT,
    beta_pay: float = BETA_PAY,
) -> Floats:
    """Return the probability to leave in a month.

    logit h = logit h0 + π/√3 · (beta_burnout · burnout_z + beta_pay · pay_z), with
    h0 = 1 − (1 − base_annual)^(1/12) that of a worker of average burnout and pay. Over a
    workforce whose burnout has standard deviation 1 the mean is 1.14 times as high.
    """
    base = 1 - (1 - np.asarray(base_annual, float)) ** (1 / 12)
    tilt = beta_burnout * np.asarray(burnout_z, float) + beta_pay * np.asarray(pay_z, float)
    return np.asarray(base / (base + (1 - base) * np.exp(-LOGITS_PER_SD * tilt)))


def learn(
    skill: ArrayLike, training: ArrayLike, *, learning: float, training_gain: float
) -> Floats:
    """Close the share min(1, learning·(1 + training_gain·training)) of the gap to full skill, 1.

    ``training`` is the share of hours in training beyond what is usual, ``learning`` the monthly
    rate with the usual.
    """
    skill = np.asarray(skill, float)
    rate = np.minimum(1.0, learning * (1 + training_gain * np.asarray(training, float)))
    return skill + rate * (1 - skill)


def step(
    burnout: Floats,
    skill: Floats,
    tenure: NDArray[np.int64],
    vacancy: NDArray[np.bool_],
    *,
    post: NDArray[np.int64],
    utilisation: ArrayLike,
    overload: ArrayLike,
    pay_z: ArrayLike,
    training: ArrayLike,
    promotion: ArrayLike,
    key: np.uint64,
    strain_threshold: float,
    reference_strain: float,
    build: float,
    recovery: float,
    base_annual: float,
    fill_months: float,
    learning: float,
    training_gain: float,
    newcomer_skill: float,
) -> Workers:
    """Move n posts, each held by one worker or vacant, on by one month.

    Who is in post is worn or recovers, and may leave; who stays may be promoted away, with
    probability ``promotion`` · skill, and else learns. A post vacant since an
    earlier month is filled with probability 1/``fill_months`` by a newcomer with
    ``newcomer_skill``, no tenure and a burnout drawn like the reference workforce's. ``post`` is
    the permanent id of the post, ``key`` the key of run and month: each post has its own draws.
    ``tenure`` is in months, ``skill`` in [0, 1]; ``utilisation``, ``overload``, ``pay_z``
    (standard scores), ``training`` (share of hours) and ``promotion`` broadcast to (n,);
    ``fill_months`` ≥ 1. A vacant post keeps the columns of the worker who left: read them
    through ``vacancy``.
    """
    stream = np.uint64(mix(np.uint64(key), int(Purpose.TURNOVER)))
    uniform, normal = _draws(stream, np.asarray(post, np.int64))
    worn = burnout_step(
        burnout,
        strain(utilisation, overload, strain_threshold),
        normal[:, 0],
        reference_strain=reference_strain,
        build=build,
        recovery=recovery,
    )
    left = ~vacancy & (uniform[:, LEAVE] < turnover_hazard(base_annual, worn, pay_z))
    chance = np.asarray(promotion, float) * skill
    promoted = ~vacancy & ~left & (uniform[:, PROMOTE] < chance)
    joined = vacancy & (uniform[:, FILL] < 1 / fill_months)
    learnt = learn(skill, training, learning=learning, training_gain=training_gain)
    return Workers(
        burnout=np.where(vacancy, np.where(joined, normal[:, 1], burnout), worn),
        skill=np.where(vacancy, np.where(joined, newcomer_skill, skill), learnt),
        tenure=np.where(vacancy, np.where(joined, 0, tenure), tenure + 1),
        vacancy=(vacancy & ~joined) | left | promoted,
        left=left,
        promoted=promoted,
    )


@njit(cache=True)
def _draws(stream, post):
    uniform, normal = np.empty((post.size, PROMOTE + 1)), np.empty((post.size, 2))
    for i in range(post.size):
        own = mix(stream, post[i])
        for word in (LEAVE, FILL, PROMOTE):
            uniform[i, word] = draw(own, word)
        normal[i, 0] = normal_quantile(draw(own, SHOCK))
        normal[i, 1] = normal_quantile(draw(own, NEWCOMER))
    return uniform, normal


def staff_step(
    burnout: ArrayLike,
    skill: ArrayLike,
    filled: ArrayLike,
    *,
    utilisation: ArrayLike,
    overload: ArrayLike,
    pay_z: ArrayLike,
    training: ArrayLike,
    strain_threshold: float,
    reference_strain: float,
    build: float,
    recovery: float,
    base_annual: float,
    fill_months: float,
    learning: float,
    training_gain: float,
    newcomer_skill: float,
) -> Staff:
    """Move the means of n units' staff on by one month: `step` in expectation, without draws.

    ``burnout`` and ``skill`` are means over those in post, ``filled`` the share of posts filled;
    the share vacant is 1 − ``filled``, so no post is lost. Within a unit burnout is normal with
    standard deviation 1; with c = `TILT` the mean of exp(c·b) over it is exp(c·mean + c²/2), so
    the hazard is taken at mean + c/2, and leavers' mean burnout is c above. Else as in `step`.
    """
    filled = np.asarray(filled, float)
    worn = burnout_step(
        burnout,
        strain(utilisation, overload, strain_threshold),
        0.0,
        reference_strain=reference_strain,
        build=build,
        recovery=recovery,
    )
    left = filled * turnover_hazard(base_annual, worn + TILT / 2, pay_z)
    joined = (1 - filled) / fill_months
    stay, present = filled - left, filled - left + joined
    learnt = learn(skill, training, learning=learning, training_gain=training_gain)
    heads = np.maximum(present, np.finfo(float).tiny)
    return Staff(
        burnout=(stay * worn - left * TILT) / heads,
        skill=(stay * learnt + joined * newcomer_skill) / heads,
        filled=present,
        left=left,
    )


def burnt_out(burnout: ArrayLike, vacancy: ArrayLike) -> tuple[float, float]:
    """Return the shares of workers in post with some and with heavy burnout."""
    present = np.asarray(burnout)[~np.asarray(vacancy, bool)]
    return float(np.mean(present > SOME)), float(np.mean(present > HEAVY))
