"""Firms and market services of communities, month by month."""

import numpy as np

from reformsim import categories
from reformsim.cases.columns import Columns
from reformsim.cases.state import T
from reformsim.institutions import business
from reformsim.institutions import columns as rows
from reformsim.model import baseline as before

#: What firms make of their requests before the reform: mean performance (assumed).
SERVED_BEFORE = 0.5
#: Move of a community's firms toward the performance of one request (assumed).
WEIGHT = 0.05


class Business:
    """How firms are served and what comes of it; which market services there are."""

    def __init__(self, setting: before.Setting) -> None:
        """Start from as many firms and services as before the reform."""
        self.setting = setting
        w, n = setting.world, len(setting.city.communities)
        self.table = np.zeros(n, rows.BUSINESS)
        self.table["firms"] = self.table["supply"] = 1.0
        self.table["satisfaction"] = SERVED_BEFORE
        self.entry = float(business.exit_rate(SERVED_BEFORE, SERVED_BEFORE, w["firm_exit"], 0.0))
        self.table["exit"] = self.entry
        people = setting.city.communities.population
        self._firms_before = (
            people * categories.MIX[setting.city.communities.kind, categories.FIRMS]
        )
        self._seen = np.zeros((3, n))

    def live(self, columns: Columns, rules: np.ndarray, days: float) -> None:
        """Live the ``days`` that end now: firms judge, close and open, services come and go."""
        w, b = self.setting.world, self.table
        unit = columns.serving()
        counted = columns.tally[:, :, [T["firms_ended"], T["firms_served"], T["market"]]]
        now = counted.sum(axis=1).T
        (ended, served, bought), self._seen = now - self._seen, now
        b["requests"] = ended
        mean = np.divide(served, ended, out=b["satisfaction"].copy(), where=ended > 0)
        b["satisfaction"] = business.content(b["satisfaction"], mean, ended, WEIGHT)
        b["exit"] = business.exit_rate(
            b["satisfaction"], SERVED_BEFORE, float(w["firm_exit"]), float(w["firm_service"])
        )
        b["firms"] = business.turn_over(b["firms"], b["exit"], self.entry)
        help_given = w["market_help"] * rules["market_services"][unit]
        break_even = self.setting.base.demand.market * days / 365.0 * (1.0 - help_given)
        b["supply"] = business.enter_and_leave(
            b["supply"], bought, break_even, float(w["market_rate"])
        )

    def climate(self) -> float:
        """Return the business environment of the city against before the reform."""
        return business.climate(
            self.table["satisfaction"], self.table["firms"] * self._firms_before, SERVED_BEFORE,
            float(self.setting.world["firm_pull"]),
        )  # fmt: skip
