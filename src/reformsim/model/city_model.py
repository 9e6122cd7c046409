"""`CityModel`: a city under a scenario, as a Mesa model; time is in days."""

from typing import Any

import mesa
import numpy as np
import pandas as pd
from mesa.time import Schedule

from reformsim import outcomes as results
from reformsim.cases import columns as case_columns
from reformsim.cases.exchange import CityLevel, run_windows
from reformsim.cases.overdue import weigh
from reformsim.cases.queue import open_span
from reformsim.city import City
from reformsim.city import build as build_city
from reformsim.declared import Outcome
from reformsim.institutions import agents
from reformsim.model import records
from reformsim.model.administration import Administration
from reformsim.model.history import History
from reformsim.residents import Residents
from reformsim.scenario import YEAR, Panel, Scenario, month_of, month_start


class CityModel(mesa.Model):
    """A city that lives through a scenario.

    Cases run in continuous time; institutions act at the start of months, and of days on which
    a step of the reform starts or ends. ``rng`` is a seed (or a numpy Generator that draws
    one); the same scenario and seed give the same bits for any number of ``threads``.
    """

    city: City
    columns: case_columns.Columns
    administration: Administration

    def __init__(
        self,
        scenario: Scenario,
        rng: int | np.random.Generator | None = None,
        threads: int = 1,
        collect: bool = False,
    ) -> None:
        """Build the city of ``scenario`` (cached) and start at day 0.

        With ``collect``, Mesa's DataCollector takes the headline outcomes every month.
        """
        self._threads = threads
        self._collect = collect
        self.reset(scenario, rng)

    def reset(self, scenario: Scenario, rng: int | np.random.Generator | None = None) -> None:
        """Start again at day 0 under another scenario or seed; cities and layouts are cached."""
        # Mesa wraps `step` on the instance: wrapped twice, every step would run ahead of the clock
        self.__dict__.pop("step", None)
        super().__init__(rng=rng)
        self.seed: int = self._seed
        self._declared = scenario
        _refuse_unknown(scenario.panel)
        self.city = build_city(scenario.city, scenario.city_seed)
        world = scenario.world()
        self.__dict__.pop("columns", None)  # of the last run: a whole city need not fit twice
        self.columns = case_columns.build(
            self.city, world, self.seed, scenario.days, scenario.keep_cases
        )
        self.columns.threads = self._threads
        self.administration = a = Administration(self.city, scenario, self.seed)
        self.history = History.of(self.columns, scenario)
        self._city_level = CityLevel.of(world, len(self.city.people))
        self._handled = 0
        self._sums_are_old = False
        agents.enrol(self, a.offices, a.people.workers, a.people.organisations, a.districts)
        self.datacollector = mesa.DataCollector(model_reporters=_reporters())
        turns = {month_start(m) for m in range(month_of(scenario.days) + 1)}
        turns |= {scenario.warm_up, scenario.warm_up + YEAR, *scenario.change_days()}
        self._turns = [*sorted(day for day in turns if day < scenario.days), scenario.days]
        self.schedule_recurring(self._turn, Schedule(interval=self._to_next_turn, start=0))

    @property
    def scenario(self) -> Scenario:
        """The scenario of this run; Mesa's own notion, a bag of numbers, is unused."""
        return self._declared

    @scenario.setter
    def scenario(self, value: Any) -> None:
        """Let Mesa's constructor set its own scenario, to no effect."""

    def run_until(self, end_time: float) -> None:
        """Run to the start of day ``end_time``; raises ValueError past the scenario's days."""
        if end_time > self.scenario.days:
            raise ValueError(f"day {end_time} lies after the scenario's {self.scenario.days} days")
        super().run_until(end_time)
        self._catch_up()

    def step(self) -> None:
        """Mesa's step is a day; cases are caught up at the next turn or look."""
        self.running = self.time < self.scenario.days

    @property
    def residents(self) -> Residents:
        """The residents as a set of columns with the verbs of an AgentSet."""
        self._catch_up()
        return records.residents(self.columns, self.time, self._residents_written)

    def outcomes(self) -> pd.DataFrame:
        """Return all outcomes so far: outcome, value, unit, better, level, place, period."""
        return results.table(self._history_now().groups())

    def communities(self) -> pd.DataFrame:
        """Return the outcomes of every community, in the columns of `outcomes`."""
        return results.table(self._history_now().communities())

    def headlines(self) -> list[tuple[Outcome, float]]:
        """Return all outcomes of the whole city after the transition, NaN where there is none.

        The numbers are those of `outcomes`, without the work for the other places and periods.
        """
        totals = self._history_now().after()
        values = results.vector(totals) if totals else {}
        return [(outcome, values.get(outcome.name, np.nan)) for outcome in results.OUTCOMES]

    def curves(self) -> pd.DataFrame:
        """Return the city's outcomes month by month: month, day, outcome, value."""
        history = self._history_now()
        return results.curves(history.months, history.month_days)

    def panel(self) -> pd.DataFrame:
        """Return the scenario's panel: month, day, level, place, outcome, value, cases.

        Raises ValueError where the scenario has none.
        """
        asked, history = self.scenario.panel, self._history_now()
        if asked is None or history.panel is None:
            raise ValueError("the scenario has no panel: name its outcomes in `panel`")
        level, places, _ = history.panel
        found = results.panel(history.units, history.month_days, asked.outcomes)
        found["place"] = np.array(places, dtype=object)[found.pop("group")]
        return found.assign(level=level)

    def daily(self) -> pd.DataFrame:
        """Return needs, voiced, closed and found cases by day and district."""
        self._catch_up()
        return records.daily(self.columns, int(self.time))

    def waits(self) -> pd.DataFrame:
        """Return where cases spent their days, and waited: kind, outcome, value, period."""
        return results.waits(self._history_now().waits())

    def cases(self) -> pd.DataFrame:
        """Return the cases kept; raises ValueError where the scenario did not keep them."""
        self._catch_up()
        if not self.scenario.keep_cases:
            raise ValueError("the scenario does not keep its cases: set keep_cases: true")
        return records.cases(self.columns)

    def _turn(self) -> None:
        """Let institutions act: what was done, by whom, for what money, under which rules."""
        day = int(self.time)
        self._catch_up()
        self.history.flush(self.columns, self.administration, day)
        if self._collect and self.history.month_days[-1:] == [day]:
            self.datacollector.collect(self)
        if day >= self.scenario.days:
            return
        month = month_of(day)
        if day == month_start(month):
            self.columns.each(weigh, self._every(day))
        end = self._turn_after(day)
        self.administration.act(
            self.columns, day, month if day == month_start(month) else None, end
        )
        self.columns.each(open_span, self._every(day), self._every(end))

    def _every(self, value: int) -> list[int]:
        return [value] * len(self.columns.districts)

    def _residents_written(self) -> None:
        self._sums_are_old = True

    def _history_now(self) -> History:
        self._catch_up()
        return self.history.until(self.columns, self.administration, int(self.time))

    def _turn_after(self, day: int) -> int:
        return next(turn for turn in self._turns if turn > day)

    @staticmethod
    def _to_next_turn(model: Any) -> float:
        later = [turn for turn in model._turns if turn > model.time]
        return later[0] - model.time if later else float(YEAR)

    def _catch_up(self) -> None:
        """Run the cases up to the present day: districts side by side."""
        if self._sums_are_old:
            for k, d in enumerate(self.columns.districts):
                living = self.columns.living[self.columns.slices(k)[2]]
                case_columns.sum_again(d, float(self._handled), living)
            self._sums_are_old = False
        day = int(self.time)
        if day <= self._handled:
            return
        start, self._handled = self._handled, day
        run_windows(self.columns.districts, self._city_level, start, day, self._threads)


def _refuse_unknown(panel: Panel | None) -> None:
    """Raise ValueError where a panel asks for what is no outcome."""
    for name in panel.outcomes if panel else ():
        if name not in results.BY_NAME:
            raise ValueError(f"panel: no outcome {name!r} (`reformsim outcomes` lists them)")


def _reporters() -> dict[str, Any]:
    """Mesa reporters of the headline outcomes of the last finished month."""

    def report(name: str) -> Any:
        return lambda model: (
            results.of_month(model.history.months[-1])[name] if model.history.months else np.nan
        )

    monthly = [name for name in results.HEADLINES if name not in results.OF_LONG_PERIODS]
    return {name: report(name) for name in monthly}
