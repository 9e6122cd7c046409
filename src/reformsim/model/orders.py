"""Put rules into force: the one place where levers become rows that the case engine reads."""

import numpy as np

from reformsim import rules as levers
from reformsim.cases.columns import Columns
from reformsim.cases.needs import peak
from reformsim.cases.state import CENTRES, STATIONS
from reformsim.cases.voice import odds_of_market, odds_of_neighbours
from reformsim.chance import Purpose, unit_draws
from reformsim.city import layouts
from reformsim.city.borders import seats
from reformsim.institutions import hours as h
from reformsim.institutions.assessment import neglect, sham_probability
from reformsim.institutions.participation import council_effect, own_affairs, tipping_point
from reformsim.institutions.staff import WEEK_HOURS

#: Share of sham closings that higher levels see before the reform (assumed).
SEEN_FROM_ABOVE = 0.2
#: Log odds of a sham closing for each unit of utilisation above the usual one (assumed).
SHAM_LOAD = 1.0


def reaches(share: np.ndarray, seed: int, purpose: Purpose, word: int = 0) -> np.ndarray:
    """Return which units a share lever reaches: keyed marks, so a higher share contains a lower."""
    return unit_draws(seed, int(purpose), word, np.arange(len(share))) < share


def write_units(
    units: np.ndarray,
    rules: np.ndarray,
    world: np.record,
    office: np.ndarray,
    captured: np.ndarray,
) -> None:
    """Write the rows of subdistricts (UNIT_ROW) from the rules in force and the offices' state.

    ``captured`` is the share of a subdistrict's people whose community's council a narrow group
    holds: what it supervises there, it does not see.
    """
    w = world
    units["p_mis"] = w["p_mis"] * (1 - rules["dispatch_clarity"])
    units["orphan"] = np.minimum(
        w["orphan_rate"] * (1 - rules["dispatch_clarity"]) + w["novelty"] * rules["list_rigidity"],
        1.0,
    )
    units["joint"] = rules["joint_dispatch"]
    units["conference"] = rules["conference"]
    units["follow_up"] = rules["follow_up"]
    units["gate_delay"] = rules["gate_delay"]
    units["decision_delay"] = rules["decision_delay"]
    units["linkage"] = rules["linkage"]
    seen = rules["supervision"] * (1 - w["capture"] * captured)
    by_law = rules["sham_closing_audit"]
    units["audit"] = w["audit_effect"] * (1 - (1 - seen) * (1 - by_law))
    units["audit_hours"] = by_law * w["audit_hours"]
    units["procedure"] = rules["procedure_hours"]
    units["treatment"] = np.sqrt(np.log1p((w["treatment_sd"] * rules["treatment_variance"]) ** 2))
    units["expectation_shift"] = (
        w["published_shift"] * rules["publish_results"]
        + w["promise_belief"] * rules["promise_raised"]
    )
    units["neglect"] = neglect(rules, w)
    units["poor"] = np.clip(w["poor_fix"] * SKILL_BEFORE / np.maximum(office["skill"], 0.1), 0, 1)
    # the gap of new powers narrows as skill grows
    gap = rules["skill_gap"] * (1 - office["skill"]) / (1 - SKILL_BEFORE)
    units["poor_new"] = np.clip(units["poor"] + gap, 0, 1)
    units["delegated"] = rules["local_competence"]
    units["escalation"] = rules["escalation_authority"]
    units["mediation"] = rules["mediation"]
    friction = w["venue_friction"] * (rules["venues"] - levers.BY_NAME["venues"].default)
    units["agreement"] = w["mediation_success"] / (1 + friction)
    units["mediation_hours"] = w["mediation_hours"] * rules["venues"]
    before = levers.BY_NAME["assessment_pressure"].default
    units["sham"] = sham_probability(
        float(w["sham"]), rules["assessment_pressure"] - before,
        office["load"] - w["utilisation"], rules["oversight"],
        slope=float(w["sham_pressure"]), load_slope=SHAM_LOAD, seen=SEEN_FROM_ABOVE,
    )  # fmt: skip
    patrol = h.shares(h.GRIDS, rules, w, office["returned"], 0.0, 0.0)[:, h.A["patrol"]]
    units["patrol_rate"] = patrol * WEEK_HOURS / 7.0 * w["patrol_yield"]


#: Mean skill of a settled workforce, at which the pre-reform staff is sized.
SKILL_BEFORE = 0.95


def write_communities(
    communities: np.ndarray,
    participation: np.ndarray,
    organised: np.ndarray,
    rules: np.ndarray,
    world: np.record,
) -> None:
    """Write what communities settle themselves, whom they turn to, what organisations serve.

    ``participation``, ``organised`` and the ``rules`` in force (dtype RULES) have shape
    (communities,).
    """
    w, strength = world, rules["council_strength"]
    _, fit = council_effect(participation, strength, tipping_point(w["never"]))
    harm = np.where(fit < 0, w["capture"] * fit, fit)
    owners = own_affairs(participation, communities["kind"], rules["self_solving"], w)
    communities["neighbours"] = odds_of_neighbours(w, participation)
    communities["self_factor"] = np.maximum(
        1.0 + w["self_gain"] * participation + w["council_gain"] * harm + owners, 0.0
    )
    # the state leaves self-governing compounds to themselves, whatever they make of it
    communities["contact"] = -(
        w["contact_loss"] * (1.0 - rules["community_duties"])
        + w["withdrawal"] * rules["self_solving"]
    )
    communities["organised"] = organised


def write_needs(accept: np.ndarray, mix: np.ndarray, world: np.record) -> None:
    """Write the chance that a candidate need arises, (communities, 12), in [0, 1].

    ``mix`` of that shape is how often categories arise there against their shares.
    """
    accept[:] = np.minimum(mix / peak(world), 1.0)


def write_services(
    communities: np.ndarray,
    rules: np.ndarray,
    unit: np.ndarray,
    supply: np.ndarray,
    world: np.record,
    seed: int,
) -> None:
    """Write where officers are in post, what can be had online, what the market offers.

    ``unit`` is the subdistrict of each community, ``supply`` the market services it has against
    before the reform, both (communities,).
    """
    communities["police"] = reaches(rules["police_posts"][unit], seed, Purpose.POSTS)
    communities["online"] = rules["online_channel"][unit]
    communities["market"] = odds_of_market(world, supply)


def write_stations(
    columns: Columns,
    rules: np.ndarray,
    seed: int,
    before: layouts.StationLayout,
    after: layouts.StationLayout,
) -> np.ndarray:
    """Write which desk serves a community's station cases and how far it is.

    Returns the number of open stations of each subdistrict, (units,). Further ones are opened
    where that many residents must live within 15 minutes. A community that the convenience
    centre serves walks to the seat of its subdistrict.
    """
    city = columns.city
    unit = columns.serving()
    n = len(unit)
    moved = reaches(rules["station_change"][unit], seed, Purpose.LAYOUT)
    window = reaches(rules["single_window"][unit], seed, Purpose.WINDOW)
    site = layouts.at_home(city, np.where(moved, after.site, before.site), unit)
    site = layouts.cover(city, site, unit, window, rules["coverage_target"])
    columns.communities["window"] = window
    columns.grids["walk"] = layouts.walk_to(city, np.where(window, seats(city)[unit], site))
    is_open = np.zeros(n, bool)
    is_open[site[~window]] = True
    for district, d in enumerate(columns.districts):
        u, m, _, _ = columns.slices(district)
        local = site[m] - m.start
        d.communities["desk"] = np.where(
            window[m],
            d.fixed[CENTRES] + (unit[m] - u.start),
            d.fixed[STATIONS] + local,
        )
    return np.bincount(unit[is_open], minlength=len(rules))


def write_premises(columns: Columns, space: np.ndarray, days: np.ndarray, world: np.record) -> None:
    """Write how far stations draw people by their rooms and their open days a week, (units,)."""
    before = levers.BY_NAME["opening_days"].default
    appeal = world["premises_comfort"] * space + world["opening_gain"] * (days - before)
    columns.communities["appeal"] = appeal[columns.serving()]


def write_grids(columns: Columns, rules: np.ndarray, seed: int) -> None:
    """Write which desk a grid's cases go to: its own worker, or the community's merged grid."""
    city = columns.city
    unit = columns.serving()[city.grids.community]
    merged = reaches(rules["grid_merge"][unit], seed, Purpose.GRIDS)
    rows = np.arange(len(unit))
    # the first merged grid of a community leads the others
    lead = np.full(len(city.communities), len(unit))
    np.minimum.at(lead, city.grids.community[merged], rows[merged])
    desk = np.where(merged, lead[city.grids.community], rows)
    for district, d in enumerate(columns.districts):
        _, _, g, _ = columns.slices(district)
        d.grids["desk"] = desk[g] - g.start
