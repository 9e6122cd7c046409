"""Places year by year: the capital fund, works on the environment, and who moves where."""

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
from reformsim.model import baseline as before
from reformsim.model.facilities import Facilities
from reformsim.model.orders import reaches
from reformsim.scenario import YEAR

#: Levers that claim the fund, in the order of `rule.USES`.


class Places:
    """Communities as places (PLACE), who lives there, and the year's capital money.

    The city starts at rest: each place wears by what the pre-reform fund just makes good, and
    people move so that it keeps its residents, new estates apart.
    """

    def __init__(self, setting: before.Setting) -> None:
        """Start from the environment and the facilities before the reform."""
        self.setting = setting
        city = setting.city
        self.unit, self.kind = city.communities.subdistrict, city.communities.kind
        self.capacity = city.communities.population.astype(float)
        self.residents = self.capacity.copy()
        #: Yuan a year of each subdistrict, the same in every scenario.
        self.fund = setting.world["capital"] * city.subdistricts.population
        self.quality_before = fabric.QUALITY_BEFORE[self.kind]
        self.facilities_before = fabric.facilities_before(city)
        self.rows = r = np.zeros(len(self.kind), rows.PLACE)
        r["quality"], r["facilities"] = self.quality_before, self.facilities_before
        r["stock"], r["peak"] = self.facilities_before * self.capacity, self.capacity
        #: Enforcement of the year that runs, its mean so far times the part of the year gone.
        self.enforced, self._since = np.zeros(len(r)), 0
        self.facilities = Facilities(setting, r)
        self.spent = np.zeros((len(rule.USES), len(r)))  # yuan of the year that runs
        self._spend(levers.pre_reform(len(self.fund)), setting.base.participation)
        self.works_before = r["works"].copy()
        r["wear"] = rule.wear_at_rest(self.quality_before, self._repair())
        self.facilities.come_to_rest()

    def live(
        self, columns: Columns, day: int, rules: np.ndarray, participation: np.ndarray
    ) -> None:
        """Live the year that ends on ``day``, then spend the fund of the next under ``rules``."""
        r = self.rows
        self._count_enforcement(day)
        r["quality"] = rule.restored(r["quality"], r["wear"], self._repair())
        self.enforced[:] = 0.0
        self.facilities.arrive()
        self.facilities.serve(self.residents)
        together = rules["new_estate_facilities"][self.unit]
        together = reaches(together, self.setting.seed, Purpose.ESTATE)
        together &= self.kind == fabric.NEW_ESTATE
        self._move(columns, day, self._utility(together))
        self.facilities.come_along(np.maximum(self.residents - r["peak"], 0.0) * together)
        r["peak"] = np.maximum(r["peak"], self.residents)
        self.facilities.serve(self.residents)
        self._spend(rules, participation)

    def enforce(self, rules: np.ndarray, unit: np.ndarray, day: int) -> None:
        """Take the hours against illegal building from ``day`` on; villages see none.

        They are hours of the office that serves a community, ``unit`` (communities,), as a share
        of the most there can be; what was done before counts by its days.
        """
        self._count_enforcement(day)
        most = levers.BY_NAME["enforcement_hours"].high
        urban = self.setting.city.communities.urban
        self.rows["enforcement"] = np.where(urban, rules["enforcement_hours"][unit] / most, 0.0)

    def _count_enforcement(self, day: int) -> None:
        self.enforced += self.rows["enforcement"] * (day - self._since) / YEAR
        self._since = day

    def mix(self) -> np.ndarray:
        """Return how often categories arise against their shares now, (communities, 12)."""
        r = self.rows
        more = factors(
            self.setting.world,
            self.quality_before - r["quality"],
            self.facilities_before - r["facilities"],
            r["works"] - self.works_before,
            r["enforcement"],
        )
        return categories.MIX[self.kind] * more

    def _repair(self) -> np.ndarray:
        """Yearly rate at which the year's money and enforcement remove defects."""
        w, s = self.setting.world, self.spent
        money = s[rule.REPAIRS] + w["renewal_effect"] * s[rule.RENEWAL]
        money = money + w["street_effect"] * s[rule.STREETS]
        by_money = money / (np.maximum(self.residents, 1.0) * w["repair_cost"])
        return by_money + w["enforcement_gain"] * self.enforced

    def _spend(self, rules: np.ndarray, participation: np.ndarray) -> None:
        """Split the year's fund, begin works, put facilities and jobs on their way."""
        w, r, people, city = self.setting.world, self.rows, self.residents, self.setting.city
        wanted = self.facilities.wanted(rules["facility_plan_share"], people)
        defects = people * (1.0 - r["quality"])
        weights = np.stack(
            [
                wanted.sum(axis=0),
                defects * fabric.RENEWED_FIRST[self.kind],
                defects * city.communities.urban,
                people * (fabric.town_line(city) < rules["town_sites"][self.unit]),
            ]
        )
        claims = np.stack(
            [
                rules["facility_plan_share"],
                rules["renewal_budget"],
                rules["street_budget"],
                rules["town_investment"],
            ]
        )
        self.spent = s = rule.split_fund(self.fund, claims, weights, self.capacity, self.unit)
        cost = float(w["repair_cost"])
        r["works"] = rule.under_works(s[rule.RENEWAL] + s[rule.STREETS], people, cost)
        r["renewed"] = rule.under_works(s[rule.RENEWAL], people, cost)
        bought = s[[rule.FACILITIES, rule.TOWNS]] / w["facility_cost"]
        self.facilities.build(rules, bought, wanted, people, participation)

    def _utility(self, together: np.ndarray) -> np.ndarray:
        """Attractiveness of every community against that before the reform."""
        w, r = self.setting.world, self.rows
        new_homes = (self.kind == fabric.NEW_ESTATE) * (1.0 - w["developer_cost"] * together)
        return (
            np.log(self.capacity)
            + w["move_quality"] * (r["quality"] - self.quality_before)
            + w["move_facilities"] * (r["facilities"] - self.facilities_before)
            + w["town_pull"] * r["jobs"] / np.maximum(self.residents, 1.0)
            - w["move_crowding"] * (self.residents / self.capacity - 1.0)
            + w["estate_growth"] * new_homes
        )

    def _move(self, columns: Columns, day: int, utility: np.ndarray) -> None:
        """Let residents move within their districts: low-rent tenants of renewed homes first."""
        w, city = self.setting.world, self.setting.city
        put_out = w["displacement"] * fabric.LOW_RENT[self.kind] * self.rows["renewed"]
        for k, d in enumerate(columns.districts):
            _, m, g, _ = columns.slices(k)
            first = city.communities.first_grid[m.start : m.stop + 1] - g.start
            moves.move(
                d, day // YEAR, float(day), w["movers"], put_out[m],
                np.cumsum(rule.logit(utility[m])), first, columns.living[g],
            )  # fmt: skip
        self.residents = columns.pulse["people"].sum(axis=1)
