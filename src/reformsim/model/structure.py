"""How subdistricts are built: their boundaries and offices, ways of working, premises, hours."""

import numpy as np

from reformsim.cases.columns import Columns
from reformsim.chance import Purpose
from reformsim.institutions import premises
from reformsim.model.baseline import Setting
from reformsim.model.orders import reaches
from reformsim.model.territory import Territory
from reformsim.model.ways import Ways
from reformsim.scenario import month_of, month_start


class Structure:
    """What the rules make of subdistricts as organisations; all arrays are (subdistricts,)."""

    def __init__(self, setting: Setting, mode: str, rules: np.ndarray) -> None:
        """Start under pre-reform ``rules``; ``mode`` is the way by which premises are come by."""
        b = setting.base
        n = len(b.people)
        self.setting, self.mode = setting, premises.MODES[mode]
        self.territory = Territory(setting)
        self.ways = Ways(b.ways, setting.world, b.people, setting.seed)
        self.fit, self.way = self.ways.fit(rules), self.ways.now(rules)
        self.speed = self.ways.speed(rules)
        self.days = np.full(n, 5)  # on which stations are open, a week
        self.space = np.zeros(n)  # share of space added to premises, in use
        self.wanted, self.ordered_on = np.zeros(n), np.full(n, -np.inf)
        self.rent, self.costs = np.zeros(n), np.zeros(n)  # 10,000 yuan a year

    def act(
        self, columns: Columns, day: int, month: int | None, rules: np.ndarray,
        paid: np.ndarray, changed: bool,
    ) -> None:  # fmt: skip
        """Act at the start of ``day``, after the rules in force have been folded.

        ``month`` is that which begins, None in the midst of one; ``changed`` says that a step of
        the reform starts or ends.
        """
        territory = self.territory
        territory.look(columns)
        if changed:
            territory.add_offices(rules, paid)
            territory.draw_boundaries(columns, rules, float(day))
            self._open(rules)
            self._order(rules["premises_space"], float(day))
            rent = premises.yearly_cost(
                self.mode, paid["premises_space"], paid["opening_days"], self.setting.base.people
            )
            self.rent = self.setting.world["cost_factor"] * rent
        self.costs = territory.due(float(day)) + self.rent
        self.ways.live(month, rules)
        self.fit, self.way = self.ways.fit(rules), self.ways.now(rules)
        self.speed = self.ways.speed(rules) * (1.0 - territory.dip(float(day)))
        # fitted out by the start of the month: a step elsewhere in mid-month must not show
        first = float(month_start(month_of(day)))
        self.space = premises.usable(self.mode, self.space, self.wanted, self.ordered_on, first)

    def _open(self, rules: np.ndarray) -> None:
        """Set the open days of stations: whole days, the last one in the share that has it."""
        days = np.floor(rules["opening_days"])
        one_more = reaches(rules["opening_days"] - days, self.setting.seed, Purpose.WEEKEND)
        self.days = (days + one_more).astype(np.int64)

    def _order(self, wanted: np.ndarray, day: float) -> None:
        """Order premises where more is ``wanted``, or give them up."""
        self.ordered_on = np.where(wanted > self.wanted, day, self.ordered_on)
        self.wanted = wanted.copy()
