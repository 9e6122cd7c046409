"""Money and investment: the yearly contest for projects, the accounts, what they buy."""

import numpy as np

from reformsim import rules as levers
from reformsim.chance import Purpose, normal_quantile, unit_draws, unit_key
from reformsim.institutions import careers, contest, premises, treasury
from reformsim.institutions import columns as rows
from reformsim.model import baseline as before

#: No unit lives on projects for more than this share of its pre-reform budget (assumed).
MOST_OWN_REVENUE = 0.4


class Economy:
    """Accounts of subdistricts and districts, and the investment that feeds them."""

    def __init__(
        self, setting: before.Setting, offices: np.ndarray, teams: np.ndarray, investing: np.ndarray
    ) -> None:
        """Start in the settled state of the contest, and transfer what that leaves.

        ``teams`` are heads of the districts' teams, ``investing`` the share of paid hours that
        offices give to investment.
        """
        self.setting = setting
        w, b = setting.world, setting.base
        self.accounts = np.zeros(len(offices), rows.ACCOUNT)
        self.district_accounts = np.zeros(len(teams), rows.ACCOUNT)
        self.spending, self.measures = np.zeros(len(offices)), np.zeros(len(offices))
        self.teams_before = teams.copy()
        u = unit_draws(setting.city.seed, int(Purpose.TEAM), 0, np.arange(len(offices)))
        self.talent = np.exp(0.2 * np.array([normal_quantile(x) for x in u]))
        local, team = self._heads_investing(offices, teams, investing)
        self.budget = w["wage"] * b.heads
        self.line_budget = w["wage"] * b.line_heads
        money = float(self.budget.sum() + self.line_budget.sum())
        self.market = treasury.Investment(w, b.people, local, team, money)
        income, district_income = self._settle_contest(local, team, teams, offices)
        self.accounts["transfer"] = self.budget + offices["bids"] - income
        self.district_accounts["transfer"] = self.line_budget - district_income
        #: Yearly transfer of each unit, with its share of its district's by residents.
        self.transfer = self._with_district("transfer")

    def _settle_contest(
        self, local: np.ndarray, team: np.ndarray, teams: np.ndarray, offices: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find who hosts projects before the reform; returns incomes of units and districts.

        Where projects would pay more than `MOST_OWN_REVENUE` of anybody's budget, all are worth
        less, until they do not: whatever the world, nobody is refused.
        """
        w, b = self.setting.world, self.setting.base
        while True:
            fee, share, rate = self.market.compete(
                local, team, teams[b.district], self.talent, self.budget
            )
            offices["projects"] = share * rate
            offices["project_revenue"] = share * rate * self.market.value * w["project_life"]
            offices["bids"] = fee * rate
            income, district_income = treasury.pool(offices["project_revenue"], b.district, w)
            most = max(
                float((income / self.budget).max()),
                float((district_income / self.line_budget).max()),
            )
            if most <= MOST_OWN_REVENUE:
                return income, district_income
            self.market.value *= 0.999 * MOST_OWN_REVENUE / most

    def new_year(self) -> None:
        """Open the books of a year."""
        treasury.new_year(self.accounts)
        treasury.new_year(self.district_accounts)

    def invest(
        self, month: int, offices: np.ndarray, teams: np.ndarray, investing: np.ndarray,
        climate: float,
    ) -> None:  # fmt: skip
        """A year's contest for projects; old projects fade, new ones pay from now on."""
        w, o = self.setting.world, offices
        local, team = self._heads_investing(offices, teams, investing)
        own = np.maximum(self.accounts["balance"], 0) + o["project_revenue"] * w["retained"]
        fee, share, rate = self.market.compete(
            local, team, teams[self.setting.base.district], self.talent, own, climate
        )
        key = unit_key(self.setting.seed, int(Purpose.PROJECTS), month)[0]
        wins = contest.projects_won(share, rate, key)
        o["projects"] = wins
        o["bids"] = fee * rate
        fade = 1.0 - 1.0 / max(float(w["project_life"]), 1.0)
        o["project_revenue"] = fade * o["project_revenue"] + wins * self.market.value

    def pay(
        self,
        years: float,
        ahead: float,
        offices: np.ndarray,
        districts: np.ndarray,
        paid: np.ndarray,
        teams: np.ndarray,
        measures: np.ndarray,
        stations: np.ndarray,
    ) -> None:
        """Pay for a span of ``years``: measures first, then bids, the rest buys staff.

        ``paid`` are the rules in full and ``teams`` the heads of districts' teams by them;
        ``measures`` is their yearly cost by subdistrict, ``stations`` the open ones; ``ahead``
        as in `treasury.pay`. Sets what the money buys of the pre-reform heads; the hotline keeps
        its seats.
        """
        w, b = self.setting.world, self.setting.base
        income, district_income = treasury.pool(offices["project_revenue"], b.district, w)
        bought = paid["service_purchasing"] - levers.BY_NAME["service_purchasing"].default
        kept = premises.overhead(stations, paid["opening_days"])
        costs = measures + w["station_cost"] * (kept - b.stations) + bought * b.people / 1e4
        costs = costs + careers.pay_cost(paid, w, b.grids)
        heads = treasury.pay(
            self.accounts, years, ahead, income, offices["bids"], costs, b.heads, b.grids,
            paid["headcount_quota"], w,
        )  # fmt: skip
        flexible = b.offices["heads"] + b.offices["station_heads"]
        offices["staff_share"] = np.maximum(heads - b.grids, 0.0) / flexible
        extra = districts["hub_heads"] + teams - self.teams_before
        seats = b.line_heads - b.departments
        line = treasury.pay(
            self.district_accounts, years, ahead, district_income, np.zeros(len(districts)),
            w["wage"] * extra, b.line_heads, seats, levers.BY_NAME["headcount_quota"].default, w,
        )  # fmt: skip
        districts["staff_share"] = np.maximum(line - seats, 0.0) / b.departments
        self.spending = self._with_district("spending_rate")
        self.measures = self._with_district("measures_rate")

    def _with_district(self, flow: str) -> np.ndarray:
        """Return a flow of each unit, with its share of its district's by residents, (units,)."""
        b = self.setting.base
        share = b.people / b.district_people[b.district]
        return self.accounts[flow] + self.district_accounts[flow][b.district] * share

    def _heads_investing(
        self, offices: np.ndarray, teams: np.ndarray, investing: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Heads at work on investment in each subdistrict's name: its own, the district's."""
        b = self.setting.base
        local = offices["heads"] * offices["staff_share"] * investing
        return local, teams[b.district] * b.people / b.district_people[b.district]
