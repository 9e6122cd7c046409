"""The city before the reform: its staff, its money, its people's habits, all from the facts.

No staffing table of Chengdu was found, so staff follows from the work that must be expected and
from the utilisation that the facts allow (design §8a), unless a city states its own; the transfer
is what pays for it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from reformsim import categories, uncertainties
from reformsim import rules as levers
from reformsim.cases.demand import Demand, expect
from reformsim.cases.state import COMMUNITY_ROW, UNIT_ROW
from reformsim.cases.voice import odds_of_market
from reformsim.chance import Purpose, normal_quantile, unit_draws
from reformsim.city import ages_by_grid, layouts
from reformsim.city.territory import City
from reformsim.institutions import columns, participation, staff
from reformsim.institutions import hours as h
from reformsim.institutions.effort import best_effort
from reformsim.institutions.ways import fit, mean_fit
from reformsim.model import orders, ways

#: Thresholds that represent a community's residents.
PER_COMMUNITY = 200
#: Residents for one social organisation (assumed).
PEOPLE_PER_ORGANISATION = 30_000
#: Hours a hotline seat is staffed in a week against those of one head.
SEAT_HEADS = 84.0 / staff.WEEK_HOURS
#: Share of posts filled in a settled workforce, at which staff is sized.
FILLED_BEFORE = 0.955
#: Donations and fees of social organisations before the reform, yuan per resident-year (assumed).
DONATIONS = 1.0
#: Share of residents who, in a month, look anew at whether to take part (assumed).
JOINING = 0.5
#: Most of the eligible cases that social organisations serve (assumed).
MOST_ORGANISED = 0.9
#: Hours that volunteers add to one paid hour at the best dependence (assumed).
VOLUNTEER_GAIN = 0.5


@dataclass(frozen=True)
class Baseline:
    """What a city starts from; rows are subdistricts unless said otherwise."""

    demand: Demand
    communities: np.ndarray  # COMMUNITY_ROW before the reform
    units: np.ndarray  # UNIT_ROW before the reform
    line_load: np.ndarray  # (districts, 12) expected hours a year of line departments
    line_marks: np.ndarray  # (12,) shares of line heads by department
    layout: layouts.StationLayout
    thresholds: np.ndarray
    first_threshold: np.ndarray
    participation: np.ndarray  # (communities,)
    offices: np.ndarray  # OFFICE rows at the start
    ways: np.ndarray  # WAY rows at the start
    organisations: np.ndarray  # ORGANISATION rows at the start
    earmarks: np.ndarray  # (12,) shares of office heads by desk
    departments: np.ndarray  # (districts,) heads of line departments
    hotline: np.ndarray  # (districts,) seats
    stations: np.ndarray  # open stations
    people: np.ndarray
    district_people: np.ndarray
    district: np.ndarray  # district of each subdistrict
    territorial: np.ndarray  # (units, 12) expected hours a year
    social: np.ndarray  # (units,) hours a month that organisations could serve
    grids: np.ndarray  # (units,) grid workers' posts
    heads: np.ndarray  # (units,) all posts of a subdistrict
    line_heads: np.ndarray  # (districts,) posts of line departments and the hotline


@dataclass(frozen=True)
class Setting:
    """What a run takes as given: the city, the world, where both start, and the seed."""

    city: City
    world: np.record
    base: Baseline
    seed: int


def baseline(city: City, world: np.record) -> Baseline:
    """Return the pre-reform state of a city under the given facts of the world; cached."""
    return _baseline(city, world.tobytes())


@lru_cache(maxsize=8)
def _baseline(city: City, facts: bytes) -> Baseline:
    world = np.frombuffer(facts, uncertainties.WORLD)[0]
    n, m = len(city.subdistricts), len(city.communities)
    unit_of = city.communities.subdistrict
    rules = levers.pre_reform(n)
    people = city.subdistricts.population.astype(float)

    offices = _offices(city, world, rules)
    thresholds, first, share = _participation(city, world, rules, unit_of)
    units = np.zeros(n, UNIT_ROW)
    communities = np.zeros(m, COMMUNITY_ROW)
    communities["unit"] = unit_of
    communities["kind"] = city.communities.kind
    communities["urban"] = city.communities.urban
    communities["market"] = odds_of_market(world, 1.0)
    captured = share_captured(
        city, share, city.communities.population.astype(float), world, unit_of
    )
    orders.write_units(units, rules, world, offices, captured)
    orders.write_communities(communities, share, np.zeros(m), rules[unit_of], world)
    layout = layouts.plan(city, "before")
    weight, mix = need_weights(city), categories.MIX[city.communities.kind]
    walk = mean_walk(city, layout.walk)
    asked = expect(world, communities, units, unit_of, mix, weight, walk)
    social = np.bincount(unit_of, weights=asked.social, minlength=n) / 12.0
    organisations = _organisations(city, world, people, social)
    communities["organised"] = organised_share(organisations, social)[unit_of]
    demand = expect(world, communities, units, unit_of, mix, weight, walk)

    def per_unit(values: np.ndarray) -> np.ndarray:
        return np.stack(
            [np.bincount(unit_of, weights=column, minlength=n) for column in values.T], axis=1
        )

    # staff for the demand it was sized for, whatever the needs are now
    scale = world["staffing_needs"] / world["needs"]
    territorial = per_unit(demand.territorial) * scale
    worked = staff.YEAR_HOURS * FILLED_BEFORE * orders.SKILL_BEFORE
    case_share = h.shares(
        h.OFFICES, rules, world, 0.0, offices["effort_investment"], offices["effort_residents"]
    )[:, h.A["cases"]]
    utilisation, eta = float(world["utilisation"]), float(world["eta"])
    inherited = ways.inherited(city, world)
    fits = fit(inherited["way"], inherited["best"], float(world["misfit_loss"]))
    # budgets do not know an office's own effort and way of working
    mean = np.full(n, case_share.mean() * mean_fit(fits, territorial.sum(axis=1)))
    offices["heads"] = _stated_or(
        city.subdistricts.office_heads,
        staff.size(territorial.sum(axis=1), people, worked * mean, utilisation, eta),
    )
    front = h.shares(h.STATIONS, rules, world, 0.0, 0.0, 0.0)[:, h.A["cases"]]
    station = np.bincount(unit_of, weights=demand.station, minlength=n) * scale
    offices["station_heads"] = _stated_or(
        city.subdistricts.station_heads,
        staff.size(station, people, staff.YEAR_HOURS * front, utilisation, eta),
    )

    district = city.subdistricts.district
    k = len(city.districts)
    by_district = np.zeros((k, 12))
    np.add.at(by_district, district, per_unit(demand.departments) * scale)
    share_line = h.shares(h.DEPARTMENTS, rules[:k], world, 0.0, 0.0, 0.0)[:, h.A["cases"]]
    district_people = np.bincount(district, weights=people, minlength=k)
    heads = _stated_or(
        city.districts.line_heads,
        staff.size(
            by_district.sum(axis=1),
            district_people,
            staff.YEAR_HOURS * share_line,
            utilisation,
            eta,
        ),
    )
    line_marks = by_district.sum(axis=0) / by_district.sum()
    hotline = np.zeros(k)
    np.add.at(hotline, district, np.bincount(unit_of, weights=demand.hotline, minlength=n) * scale)
    seats = hotline / (SEAT_HEADS * staff.YEAR_HOURS * share_line * utilisation)

    grids = np.bincount(unit_of[city.grids.community], minlength=n)

    return Baseline(
        demand=demand,
        communities=communities,
        units=units,
        line_load=by_district,
        line_marks=line_marks,
        layout=layout,
        thresholds=thresholds,
        first_threshold=first,
        participation=share,
        offices=offices,
        ways=inherited,
        organisations=organisations,
        earmarks=territorial.sum(axis=0) / territorial.sum(),
        departments=heads,
        hotline=seats,
        stations=np.bincount(unit_of[np.unique(layout.site)], minlength=n),
        people=people,
        district_people=district_people,
        district=district,
        territorial=territorial,
        social=social,
        grids=grids,
        heads=offices["heads"] + offices["station_heads"] + grids,
        line_heads=heads + SEAT_HEADS * seats,
    )


def _stated_or(stated: np.ndarray, sized: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(stated), sized, stated)


def _offices(city: City, world: np.record, rules: np.ndarray) -> np.ndarray:
    rows = np.arange(len(city.subdistricts))
    offices = np.zeros(len(rows), columns.OFFICE)
    sigma = np.sqrt(np.log1p(world["weight_cv"] ** 2))
    for word, name in enumerate(("taste_investment", "taste_satisfaction")):
        u = unit_draws(city.seed, int(Purpose.WEIGHTS), word, rows)
        z = np.array([normal_quantile(x) for x in u])
        offices[name] = np.exp(sigma * z - sigma**2 / 2)
    offices["weight_investment"] = rules["weight_investment"] * offices["taste_investment"]
    offices["weight_satisfaction"] = rules["weight_satisfaction"] * offices["taste_satisfaction"]
    offices["effort_investment"], offices["effort_residents"] = best_effort(
        offices["weight_investment"], offices["weight_satisfaction"],
        float(world["gamma"]), float(world["intrinsic"]),
    )  # fmt: skip
    offices["skill"] = orders.SKILL_BEFORE
    offices["filled"] = FILLED_BEFORE
    offices["load"] = world["utilisation"]
    offices["staff_share"] = 1.0
    offices["merged_on"] = -np.inf
    offices["surveyed"] = world["baseline"]
    offices["measured_rate"] = 0.9
    offices["usual"] = 0.5 * (offices["surveyed"] + offices["measured_rate"])
    return offices


def _participation(
    city: City, world: np.record, rules: np.ndarray, unit_of: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thresholds of communities, which differ in their mean, and where joining has come to rest."""
    rows = np.arange(len(unit_of))
    u = unit_draws(city.seed, int(Purpose.THRESHOLD), 0, rows)
    mean = np.maximum(world["threshold_mean"] + 0.12 * (u - 0.5), 0.0)
    thresholds, first = participation.normal_thresholds(
        mean, float(world["threshold_sd"]), PER_COMMUNITY
    )
    share = np.full(len(rows), 0.05)
    shift = participation.threshold_shift(rules, world)[unit_of]
    for _ in range(60):
        share = participation.participation_step(
            share, thresholds, first, float(world["never"]), float(world["dropout"]), shift, JOINING
        )
    return thresholds, first, share


def share_captured(
    city: City, share: np.ndarray, people: np.ndarray, world: np.record, unit: np.ndarray
) -> np.ndarray:
    """Return the share of each subdistrict's people below their community's tipping point.

    ``share`` taking part, ``people`` who live there now and ``unit``, who serves a community
    now, have shape (communities,).
    """
    below = ~participation.tipped(share, world["never"])
    n = len(city.subdistricts)
    return np.bincount(unit, weights=people * below, minlength=n) / np.bincount(
        unit, weights=people, minlength=n
    )


def mean_walk(city: City, walk: np.ndarray) -> np.ndarray:
    """Return the way to a station by community, (communities,), grids weighted by their needs."""
    weight = city.grids.multiplier_sum
    of, m = city.grids.community, len(city.communities)
    total = np.bincount(of, weights=walk * weight, minlength=m)
    return total / np.bincount(of, weights=weight, minlength=m)


@lru_cache(maxsize=4)
def need_weights(city: City) -> np.ndarray:
    """Summed need multipliers by community and age group, (communities, 3)."""
    count = np.zeros((len(city.communities), 3))
    np.add.at(count, city.grids.community, ages_by_grid(city))
    weight = count * np.asarray(city.need_spread.means)
    total = np.bincount(
        city.grids.community, weights=city.grids.multiplier_sum, minlength=len(weight)
    )
    return weight * (total / weight.sum(axis=1))[:, None]


def _organisations(
    city: City, world: np.record, people: np.ndarray, social: np.ndarray
) -> np.ndarray:
    """Social organisations that purchasing and donations keep alive before the reform."""
    number = np.maximum(np.rint(people / PEOPLE_PER_ORGANISATION), 1).astype(int)
    office = np.repeat(np.arange(len(people)), number)
    rows = np.zeros(len(office), columns.ORGANISATION)
    rows["office"] = office
    u = unit_draws(city.seed, int(Purpose.ORGANISATION), 0, np.arange(len(office)))
    reach = 0.5 + u
    rows["reach"] = reach / np.bincount(office, weights=reach)[office]
    bought = levers.BY_NAME["service_purchasing"].default
    income = (bought + DONATIONS) * people[office] * rows["reach"] / 12.0
    rows["capacity"] = np.minimum(
        income / world["organisation_cost"], social[office] * rows["reach"]
    )
    rows["dependence"] = bought / (bought + DONATIONS)
    rows["service"] = rows["capacity"] * (1 + VOLUNTEER_GAIN)
    return rows


def organised_share(
    organisations: np.ndarray, social: np.ndarray, partners: np.ndarray | float = 0.0
) -> np.ndarray:
    """Return the share of eligible cases that organisations and partners serve, (units,).

    ``social`` is what there is to serve, ``partners`` what partners offer, hours a month.
    Organisations serve at most `MOST_ORGANISED`; partners meet what these leave at random, so
    that the more of them there are, the more often two offer what one could do.
    """
    service = np.bincount(
        organisations["office"], weights=organisations["service"], minlength=len(social)
    )
    social = np.maximum(social, 1e-9)
    own = np.minimum(service / social, MOST_ORGANISED)
    left = MOST_ORGANISED - own
    offered = partners / (np.maximum(left, 1e-9) * social)
    return own + left * (1.0 - np.exp(-offered))
