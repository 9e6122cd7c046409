"""What moves the people who work for communities: pay, promotion, recognition, pressure.

Every term is a difference from the level before the reform, where all of them are 0. ``rules``
has dtype RULES, shape (units,). All forms and magnitudes are assumed.
"""

import numpy as np
from numpy.typing import NDArray

from reformsim import rules as levers

Floats = NDArray[np.float64]


def above(level: np.ndarray, lever: str) -> Floats:
    """Return how far ``level`` of a lever lies above that before the reform, (units,), or 0."""
    return np.asarray(np.maximum(level - levers.BY_NAME[lever].default, 0.0))


def attraction(rules: np.ndarray, world: np.record) -> Floats:
    """Return what keeps community workers in post, in standard deviations of pay, (units,).

    Their pay, and what the prospect of promotion is worth: ``promotion_pull`` for each further
    share of workers promoted in a year.
    """
    return np.asarray(
        rules["pay_grade"] + world["promotion_pull"] * above(rules["career_slots"], "career_slots"),
        float,
    )


def promotion(rules: np.ndarray) -> Floats:
    """Return the chance of a fully skilled worker to be promoted away in a month, (units,).

    Promotions before the reform are among those who leave anyway.
    """
    return above(rules["career_slots"], "career_slots") / 12.0


def rivalry(rules: np.ndarray, world: np.record) -> Floats:
    """Return strain from rivalry for promotion, as a share of a full day, (units,).

    ``rivalry`` · 4a(1 − a), a the share of hopes that the further slots meet, min(1, slots /
    ``slots_wanted``): nobody competes for nothing, and nobody has to where there is enough.
    """
    met = np.minimum(above(rules["career_slots"], "career_slots") / world["slots_wanted"], 1.0)
    return np.asarray(world["rivalry"] * 4.0 * met * (1.0 - met))


def wear(rules: np.ndarray, world: np.record) -> Floats:
    """Return strain beside the load that all staff bear, as a share of a full day, (units,).

    From assessment pressure, and from envy of those who win awards.
    """
    pressure = world["pressure_strain"] * above(rules["assessment_pressure"], "assessment_pressure")
    return np.asarray(pressure + world["envy"] * rules["recognition"])


def motivation(rules: np.ndarray, world: np.record) -> Floats:
    """Return the weight on residents that recognition and promotion add to the intrinsic one."""
    recognised = world["recognition_gain"] * rules["recognition"]
    return np.asarray(
        recognised + world["promotion_effort"] * above(rules["career_slots"], "career_slots")
    )


def pay_cost(rules: np.ndarray, world: np.record, posts: np.ndarray) -> Floats:
    """Return what higher pay costs in a year for ``posts`` of community workers, (units,).

    ``pay_per_sd`` of a wage for each standard deviation; in 10,000 yuan, as ``wage``.
    """
    return np.asarray(world["wage"] * world["pay_per_sd"] * rules["pay_grade"] * posts)
