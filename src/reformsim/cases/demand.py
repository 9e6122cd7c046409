"""What staff must expect: yearly cases and hours under given rules, before anything is run.

The expectation takes residents at their first trust in the channels; what people make of their
experiences later is what the simulation is for. Staff of the block-separated baseline is sized
by it, and so are the hub and the market of social organisations.
"""

from typing import NamedTuple

import numpy as np

from reformsim import categories
from reformsim.cases.state import COMMUNITY_ROW, GRID, HOTLINE, MARKETS, STATION, UNIT_ROW
from reformsim.cases.voice import OLD, odds
from reformsim.categories import DISPUTES, ORDER
from reformsim.kernels import njit

CROSS_MEAN = float((np.arange(1, 7) * categories.MULTI).sum())
AGES = 3


class Demand(NamedTuple):
    """Expected flows of a year; hours are hours of work done, not of attendance."""

    voiced: np.ndarray  # (communities, 12, 3) contacts by grid worker, station, hotline
    found: np.ndarray  # (communities, 12) by patrols
    dispatched: np.ndarray  # (communities, 12) cases
    grid: np.ndarray  # (communities,) hours of grid workers
    station: np.ndarray  # (communities,) hours of stations
    hotline: np.ndarray  # (communities,) hours of the hotline
    territorial: np.ndarray  # (communities, 12) hours by answering desk
    departments: np.ndarray  # (communities, 12)
    cross: np.ndarray  # (communities,) cross-department cases
    social: np.ndarray  # (communities,) hours that social organisations could serve
    market: np.ndarray  # (communities,) needs taken to market services


@njit(cache=True)
def _voice(world, table, communities, mix, weight, walk, voiced, silent, market):
    w = world[0]
    for m in range(len(communities)):
        c = communities[m]
        for age in range(AGES):
            for k in range(len(table)):
                needs = weight[m, age] * table[k].share * mix[m, k] * w.needs
                solved = min(table[k].self_solving * c.self_factor, 1.0)
                for known in range(2):
                    rate = needs * (w.known_before if known else 1.0 - w.known_before)
                    of = odds(w, table[k], c, age == OLD, walk[m], (0.5, 0.5, 0.5), known == 1)
                    rate /= of[0] + of[1] + of[2] + of[3] + of[4] + of[5]
                    voiced[m, k, 0] += rate * of[GRID]
                    voiced[m, k, 1] += rate * of[STATION]
                    voiced[m, k, 2] += rate * of[HOTLINE]
                    market[m] += rate * of[MARKETS]
                    silent[m, k] += rate * (of[0] + of[1] * (1.0 - solved))


def expect(
    world: np.record,
    communities: np.ndarray,
    units: np.ndarray,
    unit_of: np.ndarray,
    mix: np.ndarray,
    weight: np.ndarray,
    walk: np.ndarray,
) -> Demand:
    """Return the expected flows of a year.

    ``communities`` (COMMUNITY_ROW) and ``units`` (UNIT_ROW) hold the rules in force,
    ``unit_of`` the city-wide row of each community's subdistrict, ``mix`` (communities, 12) how
    often categories arise there against their shares, ``weight`` (communities, 3) the summed need
    multipliers by age group, ``walk`` (communities,) the mean way to a station in km.
    """
    assert communities.dtype == COMMUNITY_ROW and units.dtype == UNIT_ROW
    table = categories.TABLE
    n, kinds = len(communities), categories.COUNT
    voiced, silent, market = np.zeros((n, kinds, 3)), np.zeros((n, kinds)), np.zeros(n)
    box = np.array([world], dtype=world.dtype)
    _voice(box, table, communities, mix, weight, walk, voiced, silent, market)

    unit = units[unit_of]
    life = world["silent_lifetime"] * table["lifetime"]
    rate = unit["patrol_rate"][:, None] * table["public"]
    found = silent * rate / (rate + 1.0 / life)

    organised = communities["organised"][:, None] * table["social"]
    in_person = voiced[:, :, :2] * (1 - organised)[:, :, None]
    by_people = in_person.sum(axis=2) + voiced[:, :, 2]
    taken_in = by_people + found
    competence = np.minimum(table["competence"] * world["competence"], 1.0)
    on_the_spot = competence + (1 - competence) * unit["linkage"][:, None]
    settled = by_people * competence + found * on_the_spot
    # by delegated powers, by officers in post, on platforms
    new_powers = unit["delegated"][:, None] * (1 - competence)
    settled = settled + in_person.sum(axis=2) * new_powers
    settled = settled + found * (1 - on_the_spot) * unit["delegated"][:, None]
    left = taken_in - settled
    settled[:, ORDER] += left[:, ORDER] * communities["police"] * world["police_settle"]
    talks = left[:, DISPUTES] * unit["mediation"]
    settled[:, DISPUTES] += talks * unit["agreement"]
    decided = unit["escalation"] * world["escalation_decides"]
    sent_back = unit["sham"] * unit["audit"] + (1 - unit["sham"]) * unit["poor"] * world["reopen"]
    # a reopened settlement is dispatched, a reopened dispatch goes through its desks again
    dispatched = (taken_in - settled) + settled * sent_back[:, None]
    rounds = (taken_in - settled) * (1 + sent_back[:, None]) + settled * sent_back[:, None]
    rounds = rounds * (1 - unit["orphan"] * (1 - decided))[:, None]

    several = np.minimum(world["cross_share"] * table["cross"], 0.95)
    cross = (dispatched * several).sum(axis=1)
    further = rounds * several * (CROSS_MEAN - 1)
    parts = rounds + further.sum(axis=1, keepdims=True) * table["share"]
    p = unit["p_mis"][:, None]
    returned = parts.sum(axis=1, keepdims=True) * p / (1 - p) * world["reentry_hours"] / kinds
    disputed = (rounds * several) * world["dispute_share"]
    talks = talks + disputed.sum(axis=1) * unit["mediation"]
    disputed = disputed * (1 - unit["mediation"] * unit["agreement"])[:, None]
    disclaimed = disputed * ((1 - unit["conference"]) * (1 - decided))[:, None]
    disclaimed = disclaimed * world["reentry_hours"] * world["dispute_rounds"]
    gain = np.where(table["technical"], world["specialist_gain"], 1.0)
    hours = parts * table["work"] * world["work_hours"] / gain + returned + disclaimed
    hours = hours + parts * unit["procedure"][:, None] + rounds * unit["audit_hours"][:, None]
    local = world["territorial_share"]
    eligible = voiced[:, :, :2].sum(axis=2) * table["social"]
    # who serves a case in full spares the intake, and the desks where intake would not settle it
    spared = world["intake_hours_grid"] + (1 - competence) * table["work"] * world["work_hours"]
    served = spared * eligible
    audits = competence * unit["audit_hours"][:, None]
    more = audits + new_powers * (world["delegated_hours"] + unit["audit_hours"][:, None])
    visits = in_person[:, :, 0] + found
    online = 1 - communities["online"] * world["online_saving"]
    return Demand(
        voiced=voiced,
        found=found,
        dispatched=dispatched,
        grid=visits.sum(axis=1) * world["intake_hours_grid"] + (visits * more).sum(axis=1),
        station=in_person[:, :, 1].sum(axis=1) * world["intake_hours_station"]
        + (in_person[:, :, 1] * more).sum(axis=1)
        + talks * unit["mediation_hours"],
        hotline=voiced[:, :, 2].sum(axis=1) * world["intake_hours_hotline"] * online
        + (voiced[:, :, 2] * audits).sum(axis=1),
        territorial=hours * local,
        departments=hours * (1 - local),
        cross=cross,
        social=served.sum(axis=1),
        market=market,
    )
