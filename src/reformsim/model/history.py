"""The history of a run: what was counted, by period and by month."""

from copy import copy
from dataclasses import dataclass, field, replace

import numpy as np

from reformsim.cases.columns import Columns
from reformsim.city import City
from reformsim.model.administration import Administration
from reformsim.model.span import BY_ACCOUNT, Span, money_of, since
from reformsim.model.totals import Level, communities, everyone, levels, total
from reformsim.outcomes import PERIODS, Totals
from reformsim.scenario import YEAR, Scenario, month_of, month_start


@dataclass
class History:
    """What was counted, by period and by month; `flush` brings it up to a day.

    ``units`` holds the totals by month of the places of ``panel``, where the scenario has one.
    """

    city: City
    scenario: Scenario
    periods: list[Span]
    months: list[Totals] = field(default_factory=list)
    month_days: list[int] = field(default_factory=list)
    panel: Level | None = None
    units: list[Totals] = field(default_factory=list)
    since: int = 0
    _paid: int = 0
    _money: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    _month: Span | None = None
    _seen: Span | None = None

    @classmethod
    def of(cls, columns: Columns, scenario: Scenario) -> "History":
        """Return the empty history of a run."""
        city = columns.city
        shape = len(city.communities), len(city.subdistricts)
        wanted = scenario.panel and scenario.panel.level
        return cls(
            city=city,
            scenario=scenario,
            periods=[Span.of(*shape) for _ in PERIODS],
            panel=next((level for level in levels(city) if level[0] == wanted), None),
            _money=np.zeros((len(BY_ACCOUNT), len(city.subdistricts))),
            _month=Span.of(*shape),
            _seen=Span.of(*shape),
        )

    def flush(self, columns: Columns, admin: Administration, day: int, asked: bool = False) -> None:
        """Add what happened since the last flush; spans never cross the start of a period.

        Money is added up from step to step of the reform. States are sampled when months and
        periods end, so that a step in mid-month adds no sample to their means.
        """
        if day <= self.since:
            return
        assert self._month is not None and self._seen is not None
        self._money = self._money + money_of(admin, day - self._paid)
        self._paid = day
        whole = month_start(month_of(day)) == day or day == self.scenario.days
        if not (asked or whole or self._period(day) != self._period(self.since)):
            return
        span = since(self._seen, columns, admin, self.since, day)
        span.money, self._money = self._money, np.zeros_like(self._money)
        self.periods[self._period(self.since)].add(span)
        self._month.add(span)
        if whole:
            self.months.append(total(self._month, self.city, everyone(self.city)))
            self.month_days.append(day)
            if self.panel is not None:
                self.units.append(total(self._month, self.city, self.panel))
            self._month = Span.of(len(self.city.communities), len(self.city.subdistricts))
        self.since = day

    def until(self, columns: Columns, admin: Administration, day: int) -> "History":
        """Return the history up to ``day``, without a trace in this one.

        What is asked in the middle of a month must not add a sample to the means of states.
        """
        if day <= self.since:
            return self
        seen = replace(
            self,
            periods=[copy(span) for span in self.periods],
            months=list(self.months),
            month_days=list(self.month_days),
            units=list(self.units),
            _month=copy(self._month),
            _seen=copy(self._seen),
        )
        seen.flush(columns, admin, day, asked=True)
        return seen

    def groups(self) -> list[tuple[str, list[str], str, Totals]]:
        """Return totals by period and by city, district, subdistrict, community type and age."""
        return self._by_period(levels(self.city))

    def communities(self) -> list[tuple[str, list[str], str, Totals]]:
        """Return totals by period and community."""
        return self._by_period([communities(self.city)])

    def _by_period(self, of: list[Level]) -> list[tuple[str, list[str], str, Totals]]:
        return [
            (level[0], level[1], period, total(span, self.city, level))
            for period, span in zip(PERIODS, self.periods, strict=True)
            if span.length > 0
            for level in of
        ]

    def after(self) -> Totals | None:
        """Return the totals of the whole city after the transition, None before it is over."""
        span = self.periods[PERIODS.index("after")]
        return total(span, self.city, everyone(self.city)) if span.length > 0 else None

    def waits(self) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return by period: counts of the city, summed days by stage, visits and days by desk."""
        return {
            period: (span.tally.sum(axis=(0, 1)), span.waits, span.desks)
            for period, span in zip(PERIODS, self.periods, strict=True)
            if span.length > 0
        }

    def _period(self, day: int) -> int:
        if day < self.scenario.warm_up:
            return 0
        # a run that ends with the transition year has no other year to judge by
        lasting = self.scenario.days > self.scenario.warm_up + YEAR
        return 1 if lasting and day < self.scenario.warm_up + YEAR else 2
