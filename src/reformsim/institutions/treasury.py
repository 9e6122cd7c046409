"""Money: every scenario gets the same transfer, measures are paid first, the rest buys staff."""

import numpy as np

from reformsim.institutions import contest
from reformsim.institutions.budget import settle, share_revenue


def new_year(accounts: np.ndarray) -> None:
    """Open the books of a year: the balance is the opening, flows start at 0."""
    accounts["opening"] = accounts["balance"]
    for flow in ("received", "revenue", "measures", "bids", "wages"):
        accounts[flow] = 0.0


def pay(
    accounts: np.ndarray,
    years: float,
    ahead: float,
    revenue: np.ndarray,
    bids: np.ndarray,
    costs: np.ndarray,
    heads_before: np.ndarray,
    heads_needed: np.ndarray,
    quota: np.ndarray | float,
    world: np.record,
) -> np.ndarray:
    """Settle one span of ``years``; returns the heads that the money buys, (n,).

    The budget is drawn up for ``ahead`` ≥ ``years``, the rest of the month: a span that a step
    of the reform cuts short then buys the same heads as an uncut one, to the bit. ``revenue``,
    ``bids`` and ``costs`` are yearly rates in 10,000 yuan; ``costs`` are what the rules in force
    cost beyond the pre-reform obligations, and may be negative. Staff may grow to ``quota`` times
    ``heads_before``; what is left is carried over. Raises ValueError where costs exceed the
    declared share of the transfer, and where what is left does not pay ``heads_needed``.
    """
    # in yearly rates: without money carried over, heads do not depend on `ahead` at all
    opening = accounts["balance"] / ahead
    account = settle(
        opening,
        accounts["transfer"],
        revenue,
        measure_costs=costs,
        wage=world["wage"],
        heads_wanted=quota * heads_before,
        max_cost_share=world["max_cost_share"],
        bids=np.minimum(bids, opening + revenue),
        heads_needed=heads_needed,
    )
    part = years / ahead
    accounts["received"] += accounts["transfer"] * years
    accounts["revenue"] += revenue * years
    accounts["measures"] += account.measures * years
    accounts["bids"] += account.bids * years
    accounts["wages"] += account.wages * years
    accounts["balance"] = (1.0 - part) * accounts["balance"] + years * account.closing
    accounts["measures_rate"] = account.measures
    accounts["spending_rate"] = account.spending
    return account.heads


def imbalance(accounts: np.ndarray) -> np.ndarray:
    """Opening + transfer + revenue − spending − closing of the year so far; zero up to rounding."""
    spent = accounts["measures"] + accounts["bids"] + accounts["wages"]
    return (
        accounts["opening"]
        + accounts["received"]
        + accounts["revenue"]
        - spent
        - (accounts["balance"])
    )


class Investment:
    """The yearly contest of subdistricts for projects, with the teams that bid for them."""

    def __init__(
        self,
        world: np.record,
        people: np.ndarray,
        local: np.ndarray,
        team: np.ndarray,
        money: float,
    ):
        """Take the pre-reform input: local investment heads and district team heads by unit.

        ``money`` is what all staff costs in a year; ``own_revenue`` of it is what projects bring.
        """
        self.world = world
        self.rate = world["projects"] * people.sum() / 1e5
        #: Yearly revenue of one project, in the unit of ``money``.
        self.value = float(world["own_revenue"] * money / (self.rate * world["project_life"]))
        self.before = float((local + team).sum())
        self.worth = 0.0  # of the work before the reform: what the first contest finds
        self.people = people

    def compete(
        self,
        local: np.ndarray,
        team: np.ndarray,
        whole_team: np.ndarray,
        taste: np.ndarray,
        own_money: np.ndarray,
        climate: float = 1.0,
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Return bids per project (n,), winning shares (n,) and the projects a year on offer.

        ``local`` and ``team`` are heads at work on investment in each subdistrict's name,
        ``whole_team`` those of its district's team, whose size is what gives it scale, ``climate``
        the business environment against before the reform.
        """
        w = self.world
        work = local + team
        district_share = team / np.maximum(work, 1e-9)
        fair = self.before * self.people / self.people.sum()
        effort = work / np.maximum(fair, 1e-9)
        size = whole_team / np.maximum(fair, 1e-9)
        productivity = taste * contest.team_productivity(
            district_share, size, w["local_knowledge"], w["team_scale_return"]
        )
        kept = w["retained"] + w["revenue_compensation"] * (1 - w["retained"])
        prize = np.full(len(local), self.value * w["project_life"] * kept)
        worth = float((work * productivity).sum())
        n = len(local)
        m = min(float(w["discrimination"]), n / (n - 1) if n > 1 else 1.0)
        rate = float(
            contest.arrival_rate(
                self.rate, worth / (self.worth or worth), climate, w["effort_elasticity"]
            )
        )
        self.worth = self.worth or worth
        cap = own_money / max(rate, 1.0)
        fee = contest.best_responses(
            np.minimum(0.1 * prize, cap), productivity, effort, prize, m, 0.05, cap=cap
        )
        share = contest.shares(contest.scores(fee, productivity, effort, m, 0.05))
        return fee, share, rate


def pool(
    revenue: np.ndarray, district: np.ndarray, world: np.record
) -> tuple[np.ndarray, np.ndarray]:
    """Send own revenue through the district pools: (unit income, district income)."""
    return share_revenue(revenue, district, world["retained"], float(world["revenue_compensation"]))
