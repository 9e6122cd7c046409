"""Paid hours by activity: what is left for cases, and that nothing is lost."""

import numpy as np
from numpy.typing import ArrayLike

from reformsim import rules as levers
from reformsim.institutions.assessment import neglect, pressure_to_inspection
from reformsim.institutions.effort import hours_split

ACTIVITIES = (
    "leave", "training", "meetings", "inspections", "administration", "coordination", "switching",
    "enforcement", "routine", "patrol", "investment", "cases", "slack",
)  # fmt: skip
A = {name: i for i, name in enumerate(ACTIVITIES)}
CLASSES = ("offices", "stations", "grids", "departments")
OFFICES, STATIONS, GRIDS, DEPARTMENTS = range(4)
#: Burdens of all kinds take at most this share of paid hours (assumed).
MOST_BURDEN = 0.9


def after_return(level: np.ndarray, lever: str, returned: ArrayLike) -> np.ndarray:
    """Return a burden after part of the cut came back under other names."""
    before = levers.BY_NAME[lever].default
    return level + np.asarray(returned) * np.maximum(before - level, 0.0)


def burdens(
    rules: np.ndarray, world: np.record, returned: ArrayLike, burden: float
) -> dict[str, np.ndarray]:
    """Return shares of paid hours that all staff lose before any case is seen, by activity.

    ``rules`` has dtype RULES, shape (units,); ``returned`` (units,); ``burden`` scales
    inspections (with the showcase projects that awards call for) and administration of this
    class of staff.
    """
    pressure = rules["assessment_pressure"]
    gate = rules["admission_gate"] * (1 - world["gate_bypass"] * pressure)
    admin = after_return(rules["admin_hours"], "admin_hours", returned) * (1 - gate)
    inspection = pressure_to_inspection(
        pressure - levers.BY_NAME["assessment_pressure"].default,
        after_return(rules["inspection_hours"], "inspection_hours", returned),
        world["pressure_inspection"],
    )
    return {
        "leave": np.full(len(rules), world["leave"]),
        "training": rules["training_hours"].copy(),
        "meetings": rules["meeting_hours"] + rules["linkage_hours"],
        "inspections": (np.maximum(inspection, 0.0) + world["showcase"] * rules["recognition"])
        * burden,
        "administration": admin * burden,
    }


def of_offices(
    rules: np.ndarray, world: np.record, grown: ArrayLike, coordination: ArrayLike
) -> dict[str, np.ndarray]:
    """Return shares of paid hours that offices alone lose, by activity.

    ``grown`` is the share of paid hours that the five functions have attracted in new tasks,
    ``coordination`` what partners beyond those before the reform ask for; both (units,).
    """
    return {
        "coordination": np.broadcast_to(np.asarray(coordination, float), len(rules)),
        "switching": world["switching_loss"] * (1.0 - rules["function_focus"]) + grown,
        "enforcement": rules["enforcement_hours"].copy(),
    }


def shares(
    staff: int,
    rules: np.ndarray,
    world: np.record,
    returned: ArrayLike,
    effort_investment: ArrayLike,
    effort_residents: ArrayLike,
    grown: ArrayLike = 0.0,
    coordination: ArrayLike = 0.0,
) -> np.ndarray:
    """Return shares of paid hours by activity, shape (units, len(ACTIVITIES)), rows sum to 1.

    ``cases`` is what staff has for cases; how much of it is used, queues decide. Offices bear
    what `of_offices` says (``grown``, ``coordination``) and split their net hours by effort and
    the statutory floor; line departments work the floor and half of the rest (assumed: no
    measure reaches their incentives); stations and grid workers, who face the residents, have
    no investment task. Standing duties of communities are those of grid workers and the
    administration at stations. Patrols lose to cases what assessment does not see.
    """
    out = np.zeros((len(rules), len(ACTIVITIES)))
    outer = staff in (OFFICES, DEPARTMENTS)
    burden = world["office_burden"] if outer else 1.0
    lost = burdens(rules, world, returned, burden)
    if staff == OFFICES:
        lost |= of_offices(rules, world, grown, coordination)
    elif staff == STATIONS:
        lost["administration"] = lost["administration"] * rules["community_duties"]
    for name, share in lost.items():
        out[:, A[name]] = share
    # what is beyond the longest day of burdens is not done, in equal measure
    out *= np.minimum(1.0, MOST_BURDEN / out.sum(axis=1))[:, None]
    net = 1.0 - out.sum(axis=1)
    if staff == GRIDS:
        out[:, A["routine"]] = np.minimum(world["routine"] * rules["community_duties"], 0.9 * net)
        net = net - out[:, A["routine"]]
        out[:, A["patrol"]] = rules["patrol_hours"] * (1.0 - neglect(rules, world)) * net
        out[:, A["cases"]] = net - out[:, A["patrol"]]
    elif staff == STATIONS:
        out[:, A["cases"]] = net
    elif staff == DEPARTMENTS:
        worked = world["floor"] + 0.5 * (1 - world["floor"])
        out[:, A["cases"]] = worked * net
        out[:, A["slack"]] = net - out[:, A["cases"]]
    else:
        mandated = rules["investment_duty"] * net
        cases, investment, slack = hours_split(
            net - mandated, world["floor"], effort_investment, effort_residents
        )
        out[:, A["investment"]] = mandated + investment
        out[:, A["cases"]] = cases
        out[:, A["slack"]] = slack
    return out


def book(share: np.ndarray, paid: ArrayLike, used: ArrayLike) -> np.ndarray:
    """Return hours by activity, (units, len(ACTIVITIES)): what cases did not use is slack.

    ``share`` as from `shares`, ``paid`` hours (units,), ``used`` hours of case time in
    attendance. Where a visit in service outlasts a cut of staff, ``used`` may exceed what there
    is: the excess is overtime, a negative slack that the sum keeps.
    """
    hours = share * np.asarray(paid)[:, None]
    idle = hours[:, A["cases"]] - used
    hours[:, A["cases"]] = used
    hours[:, A["slack"]] += idle
    return hours
