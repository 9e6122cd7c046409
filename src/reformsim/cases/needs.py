"""Where needs arise more often: what places do to the mix of needs, and the most they can do."""

import numpy as np

from reformsim import categories
from reformsim.city import fabric


def _of(*names: str) -> np.ndarray:
    return np.array([categories.NAMES.index(name) for name in names])


ENVIRONMENT = _of("housing", "sanitation", "roads", "order", "traffic", "building")
SERVICES = _of("care", "culture", "welfare")
WORKS = _of("housing", "sanitation", "disputes")
CONFLICT = _of("disputes", "building")
SAFETY = _of("order")


def factors(
    world: np.record,
    quality_lost: np.ndarray,
    facilities_lost: np.ndarray,
    works: np.ndarray,
    enforcement: np.ndarray,
) -> np.ndarray:
    """Return how much more often each category arises than before the reform, (n, 12); assumed.

    ``quality_lost`` and ``facilities_lost`` are levels before the reform minus those now,
    ``works`` the share of the place under works beyond that before, ``enforcement`` the hours
    against illegal building as a share of the most there can be; all of shape (n,). Effects add.
    """
    out = np.ones((len(works), categories.COUNT))
    out[:, ENVIRONMENT] += world["quality_needs"] * quality_lost[:, None]
    out[:, SERVICES] += world["facility_needs"] * facilities_lost[:, None]
    out[:, WORKS] += world["works_needs"] * works[:, None]
    out[:, CONFLICT] += world["enforcement_conflict"] * enforcement[:, None]
    out[:, SAFETY] += world["walls_lost"] * enforcement[:, None]
    return np.maximum(out, 0.0)


def peak(world: np.record) -> np.ndarray:
    """Return the most that each category arises anywhere against its share of needs, (12,).

    A constant of the uncertainties: environment and facilities at nothing, works and enforcement
    everywhere. Candidates come at this rate, so that they never depend on the state.
    """
    worst = np.ones(len(fabric.QUALITY_BEFORE))
    facilities = fabric.FACILITIES_BEFORE + fabric.FACILITIES_SPREAD
    most = factors(world, fabric.QUALITY_BEFORE, facilities, worst, worst)
    return (categories.MIX * most).max(axis=0)
