"""Places year by year: the capital fund, works and facilities, and who moves where."""

import numpy as np

from reformsim import categories
from reformsim import rules as levers
from reformsim.cases import moves
from reformsim.cases.columns import Columns
from reformsim.cases.needs import factors
from reformsim.chance import Purpose
from reformsim.city import fabric
from reformsim.institutions import columns as rows
from reformsim.institutions import places as rule
from reformsim.institutions.participation import tipping_point
from reformsim.model import baseline as before
from reformsim.model.orders import reaches
from reformsim.scenario import YEAR

#: Slots of years ahead that a project can take: the longest lag and delay, and one more.
YEARS_AHEAD = 8
#: Share of a designated town's money that builds facilities; the rest makes jobs (assumed).
TOWN_FACILITIES = 0.5
#: Years that a town's jobs last (assumed).
JOBS_LAST = 10.0
CLAIMS = ("facility_plan_share", "renewal_budget", "street_budget", "town_investment")
USABLE, PAPER, JOBS = range(3)


class Places:
    """Communities as places: rows, projects on their way, and the year's money.

    The city starts at rest: each place wears by what the pre-reform fund just makes good.
    """

    def __init__(self, setting: before.Setting) -> None:
        """Start from the environment and the facilities before the reform."""
        self.setting = setting
        city, w = setting.city, setting.world
        self.unit, kind = city.communities.subdistrict, city.communities.kind
        self.capacity = city.communities.population.astype(float)
        self.residents = self.capacity.copy()
        self.fund = w["capital"] * city.subdistricts.population
        self.rows = r = np.zeros(len(kind), rows.PLACE)
        self.estate, self.urban = kind == fabric.NEW_ESTATE, city.communities.urban
        self.quality_before = fabric.QUALITY_BEFORE[kind]
        self.facilities_before = fabric.facilities_before(city)
        r["quality"], r["facilities"] = self.quality_before, self.facilities_before
        r["stock"], r["peak"] = self.facilities_before * self.capacity, self.capacity
        self.pipeline = np.zeros((3, YEARS_AHEAD, len(kind)))
        self.spent = np.zeros((len(rule.USES), len(kind)))
        self._spend(levers.pre_reform(len(self.fund)), setting.base.participation)
        self.works_before = r["works"].copy()
        r["wear"] = rule.wear_at_rest(self.quality_before, self._repair())
        arrivals = self.pipeline[USABLE].sum(axis=0)
        r["wear_facilities"] = arrivals / r["stock"]
        # what was paid for in earlier years is on its way too
        paid, self.pipeline = self.pipeline, np.zeros_like(self.pipeline)
        for ago in range(YEARS_AHEAD):
            self.pipeline[:, : YEARS_AHEAD - ago] += paid[:, ago:]

    def live(
        self, columns: Columns, day: int, rules: np.ndarray, participation: np.ndarray
    ) -> None:
        """Live the year that ends on ``day``, then spend the fund of the next under ``rules``."""
        r = self.rows
        r["quality"] = rule.restored(r["quality"], r["wear"], self._repair())
        due, self.pipeline[:, :-1] = self.pipeline[:, 1].copy(), self.pipeline[:, 1:].copy()
        self.pipeline[:, -1] = 0.0
        for name, amount in (("stock", due[USABLE]), ("paper", due[PAPER])):
            r[name] = rule.kept(r[name], r["wear_facilities"], amount)
        r["jobs"] = rule.kept(r["jobs"], np.full(len(r), 1.0 / JOBS_LAST), due[JOBS])
        self._move(columns, day, rules)
        self._spend(rules, participation)

    def mix(self, rules: np.ndarray) -> np.ndarray:
        """Return how often categories arise against their shares now, (communities, 12)."""
        r = self.rows
        more = factors(
            self.setting.world,
            self.quality_before - r["quality"],
            self.facilities_before - r["facilities"],
            r["works"] - self.works_before,
            self._enforcement(rules),
        )
        return categories.MIX[self.setting.city.communities.kind] * more

    def _enforcement(self, rules: np.ndarray) -> np.ndarray:
        """Hours against illegal building, of the most there can be; villages see none."""
        most = levers.BY_NAME["enforcement_hours"].high
        return np.where(self.urban, rules["enforcement_hours"][self.unit] / most, 0.0)

    def _repair(self) -> np.ndarray:
        """Yearly rate at which the year's money and enforcement remove defects."""
        w, s = self.setting.world, self.spent
        money = s[rule.REPAIRS] + w["renewal_effect"] * s[rule.RENEWAL]
        money = money + w["street_effect"] * s[rule.STREETS]
        by_money = money / (np.maximum(self.residents, 1.0) * w["repair_cost"])
        return by_money + w["enforcement_gain"] * self.rows["enforcement"]

    def _spend(self, rules: np.ndarray, participation: np.ndarray) -> None:
        """Split the year's fund, begin works, put facilities and jobs on their way."""
        w, r, people = self.setting.world, self.rows, self.residents
        defects = people * (1.0 - r["quality"])
        kind = self.setting.city.communities.kind
        seen = (r["stock"] + r["paper"]) / np.maximum(people, 1.0)
        lacking = people * np.maximum(1.0 - seen, 0.0)
        designated = fabric.town_line(self.setting.city) < rules["town_sites"][self.unit]
        weights = np.stack(
            [lacking, defects * fabric.RENEWED_FIRST[kind], defects * self.urban,
             people * designated]
        )  # fmt: skip
        claims = np.stack([rules[name] for name in CLAIMS])
        self.spent = s = rule.split_fund(self.fund, claims, weights, self.capacity, self.unit)
        r["works"] = rule.under_works(s[rule.RENEWAL] + s[rule.STREETS], people, w["repair_cost"])
        r["renewed"] = rule.under_works(s[rule.RENEWAL], people, w["repair_cost"])
        r["enforcement"] = self._enforcement(rules)
        self._build(rules, participation, lacking)

    def _build(self, rules: np.ndarray, participation: np.ndarray, lacking: np.ndarray) -> None:
        """Begin facilities: the minimum standard first, then where they lack; and town jobs."""
        w, unit = self.setting.world, self.unit
        lever = levers.BY_NAME["plan_fit"]
        bought = self.spent[[rule.FACILITIES, rule.TOWNS]] / w["facility_cost"]
        floor = self._floor(bought[0], rules["service_floor"])
        share = np.bincount(unit, weights=bought[0] - floor, minlength=len(self.fund))[unit]
        share = share / np.maximum(np.bincount(unit, weights=lacking)[unit], 1e-9)
        built = share * lacking + TOWN_FACILITIES * bought[1]
        fit = rules["plan_fit"][unit]
        lag = w["plan_lag"] + w["planner_delay"] * (fit - lever.default) / (1.0 - lever.default)
        fit = rule.realised_fit(fit, lever.default, participation, tipping_point(w["never"]))
        usable = built + (1.0 - w["unusable"]) * floor
        for what, amount in (
            (USABLE, fit * usable),
            (PAPER, w["unusable"] * floor),
            (JOBS, (1.0 - TOWN_FACILITIES) * bought[1]),
        ):
            rule.schedule(self.pipeline[what], amount, lag)

    def _floor(self, bought: np.ndarray, floor: np.ndarray) -> np.ndarray:
        """What of the facilities bought goes to places below the minimum, lowest first."""
        r, people = self.rows, self.residents
        coming = self.pipeline[[USABLE, PAPER]].sum(axis=(0, 1))
        level = (r["stock"] + r["paper"] + coming) / np.maximum(people, 1.0)
        out = np.zeros(len(r))
        for u in np.flatnonzero(floor > 0):
            mine = np.flatnonzero(self.unit == u)
            out[mine] = rule.fill_lowest(
                level[mine], people[mine], float(bought[mine].sum()), float(floor[u])
            )
        return out

    def _move(self, columns: Columns, day: int, rules: np.ndarray) -> None:
        """Let residents move within their districts; new homes may bring facilities along."""
        w, r, city = self.setting.world, self.rows, self.setting.city
        self._serve()
        together = rules["new_estate_facilities"][self.unit]
        together = self.estate & reaches(together, self.setting.seed, Purpose.ESTATE)
        utility = (
            np.log(self.capacity)
            + w["move_quality"] * (r["quality"] - self.quality_before)
            + w["move_facilities"] * (r["facilities"] - self.facilities_before)
            + w["town_pull"] * r["jobs"] / np.maximum(self.residents, 1.0)
            - w["move_crowding"] * (self.residents / self.capacity - 1.0)
            + w["estate_growth"] * self.estate * (1.0 - w["developer_cost"] * together)
        )
        put_out = w["displacement"] * fabric.LOW_RENT[city.communities.kind] * r["renewed"]
        for k, d in enumerate(columns.districts):
            _, m, g, _ = columns.slices(k)
            cut = np.cumsum(rule.logit(utility[m]))
            first = city.communities.first_grid[m.start : m.stop + 1] - g.start
            moves.move(
                d, day // YEAR, float(day), w["movers"], put_out[m], cut, first,
                columns.living[g],
            )  # fmt: skip
        self.residents = columns.pulse["people"].sum(axis=1)
        new = np.maximum(self.residents - r["peak"], 0.0) * together
        r["stock"] += (1.0 - w["handover_failure"]) * new
        r["paper"] += w["handover_failure"] * new
        r["peak"] = np.maximum(r["peak"], self.residents)
        self._serve()

    def _serve(self) -> None:
        """Level of usable facilities for the residents of now."""
        level = self.rows["stock"] / np.maximum(self.residents, 1.0)
        self.rows["facilities"] = np.minimum(level, 1.0)
