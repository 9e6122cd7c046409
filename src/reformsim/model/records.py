"""What a run leaves behind: counts by period and month, cases, residents."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from reformsim import categories
from reformsim.cases import state as s
from reformsim.cases.columns import Columns, drifted, groups_at, open_cases
from reformsim.city import AGE_GROUPS, COMMUNITY_TYPES, City, layouts, multipliers
from reformsim.institutions import hours as h
from reformsim.institutions import participation, workers
from reformsim.model.administration import Administration
from reformsim.outcomes import PERIODS, Totals
from reformsim.residents import Residents
from reformsim.scenario import YEAR, Scenario, month_of, month_start

#: States of communities and of subdistricts, kept as sums of value × days of the span.
BY_COMMUNITY = ("participation", "tipped", "organised")
BY_UNIT = (
    "utilisation", "case_hours", "burden_hours", "slack_hours", "burnout", "vacant",
    "effort_residents", "staff",
)  # fmt: skip
BY_ACCOUNT = ("revenue", "spending")


@dataclass
class Span:
    """Sums over one period or one month: counts, and states times the days they held."""

    tally: np.ndarray  # (communities, 3, counts)
    days: np.ndarray  # (communities, 3, bins)
    waits: np.ndarray
    days_by_parts: np.ndarray
    felt: np.ndarray  # (communities, 3) satisfaction × days
    open: np.ndarray  # (communities, 3) open cases × days
    near: np.ndarray  # (communities, 3) residents within 15 minutes × days
    community: np.ndarray  # (len(BY_COMMUNITY), communities) × days
    unit: np.ndarray  # (len(BY_UNIT), units) × days
    money: np.ndarray  # (len(BY_ACCOUNT), units) 10,000 yuan
    length: float = 0.0

    @classmethod
    def of(cls, communities: int, units: int) -> "Span":
        """Return an empty span."""
        return cls(
            tally=np.zeros((communities, 3, len(s.TALLY))),
            days=np.zeros((communities, 3, s.BINS)),
            waits=np.zeros(len(s.WAITS)),
            days_by_parts=np.zeros((7, s.BINS)),
            felt=np.zeros((communities, 3)),
            open=np.zeros((communities, 3)),
            near=np.zeros((communities, 3)),
            community=np.zeros((len(BY_COMMUNITY), communities)),
            unit=np.zeros((len(BY_UNIT), units)),
            money=np.zeros((len(BY_ACCOUNT), units)),
        )

    def add(self, other: "Span") -> None:
        """Add another span to this one."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class History:
    """What was counted, by period and by month; `flush` brings it up to a day."""

    city: City
    scenario: Scenario
    grid_people: np.ndarray  # (grids, 3)
    periods: list[Span]
    months: list[Totals] = field(default_factory=list)
    month_days: list[int] = field(default_factory=list)
    since: int = 0
    _month: Span | None = None
    _seen: Span | None = None

    @classmethod
    def of(cls, columns: Columns, scenario: Scenario) -> "History":
        """Return the empty history of a run."""
        city = columns.city
        grid = np.repeat(np.arange(len(city.grids)), np.diff(city.grids.first_resident))
        people = np.bincount(grid * 3 + city.people.age, minlength=3 * len(city.grids))
        shape = len(city.communities), len(city.subdistricts)
        return cls(
            city=city,
            scenario=scenario,
            grid_people=people.reshape(-1, 3).astype(float),
            periods=[Span.of(*shape) for _ in PERIODS],
            _month=Span.of(*shape),
            _seen=Span.of(*shape),
        )

    def flush(self, columns: Columns, admin: Administration, day: int) -> None:
        """Add what happened since the last flush; spans never cross the start of a period."""
        if day <= self.since:
            return
        span = self._since_last(columns, admin, day)
        self.periods[self._period(self.since)].add(span)
        assert self._month is not None
        self._month.add(span)
        if month_start(month_of(day)) == day or day == self.scenario.days:
            self.months.append(self._totals(self._month, *self._everyone()))
            self.month_days.append(day)
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
            _month=copy(self._month),
            _seen=copy(self._seen),
        )
        seen.flush(columns, admin, day)
        return seen

    def groups(self) -> list[tuple[str, list[str], str, Totals]]:
        """Return totals by period and by city, district, subdistrict, community type and age."""
        out = []
        for period, span in zip(PERIODS, self.periods, strict=True):
            if span.length > 0:
                for level, places, group in self._levels():
                    out.append((level, places, period, self._totals(span, level, places, group)))
        return out

    def waits(self) -> tuple[dict[str, np.ndarray], dict[str, tuple[float, float]]]:
        """Return summed days by stage, and cases heard of and dispatched, both by period."""
        spans = {p: x for p, x in zip(PERIODS, self.periods, strict=True) if x.length > 0}
        total = {p: x.tally.sum(axis=(0, 1)) for p, x in spans.items()}
        cases = {
            p: (
                float(t[s.Count.VOICED] + t[s.Count.FOUND]),
                float(t[s.Count.DISPATCHED]),
            )
            for p, t in total.items()
        }
        return {p: x.waits for p, x in spans.items()}, cases

    def _period(self, day: int) -> int:
        if day < self.scenario.warm_up:
            return 0
        return 1 if day < self.scenario.warm_up + YEAR else 2

    def _since_last(self, columns: Columns, admin: Administration, day: int) -> Span:
        seen = self._seen
        assert seen is not None
        length = float(day - self.since)
        new = Span.of(len(self.city.communities), len(self.city.subdistricts))
        new.length = length
        counted = {
            "tally": columns.tally.copy(),
            "days": columns.days.astype(float),
            "waits": sum(d.waits for d in columns.districts),
            "days_by_parts": sum(d.days_by_parts.astype(float) for d in columns.districts),
        }
        for name, value in counted.items():
            setattr(new, name, value - getattr(seen, name))
            setattr(seen, name, value)
        at = float(day)
        felt = [groups_at(d, at) for d in columns.districts]
        new.felt = np.nan_to_num(np.concatenate(felt)) * length
        new.open = np.concatenate([open_cases(d, at)[0] for d in columns.districts]) * length
        limit = np.array([layouts.FIFTEEN_MINUTES, layouts.FIFTEEN_MINUTES,
                          layouts.FIFTEEN_MINUTES_OLD])  # fmt: skip
        near = self.grid_people * (columns.grids["walk"][:, None] <= limit)
        np.add.at(new.near, self.city.grids.community, near * length)
        unit = self.city.communities.subdistrict
        new.community[:] = length * np.stack(
            [
                admin.people.participation,
                participation.tipped(admin.people.participation, admin.setting.world["never"]),
                columns.communities["organised"],
            ]
        )
        grid_unit = unit[self.city.grids.community]
        posts = np.maximum(np.bincount(grid_unit, minlength=new.unit.shape[1]), 1)

        def of_workers(values: np.ndarray) -> np.ndarray:
            return np.bincount(grid_unit, weights=values, minlength=len(posts)) / posts

        shares, front = admin.attendance.offices, admin.attendance.grids
        used = shares[:, h.A["cases"]] * admin.offices["load"]
        burden = [h.A[a] for a in ("meetings", "inspections", "administration")]
        new.unit[:] = length * np.stack(
            [
                admin.offices["load"],
                used,
                front[:, burden].sum(axis=1),
                shares[:, h.A["slack"]] + shares[:, h.A["cases"]] - used,
                of_workers(admin.people.workers["burnout"] > workers.SOME),
                of_workers(admin.people.workers["vacant"]),
                admin.offices["effort_residents"],
                admin.offices["staff_share"],
            ]
        )
        new.money[:] = (length / YEAR) * np.stack(
            [admin.offices["project_revenue"], admin.economy.spending]
        )
        return new

    def _everyone(self) -> tuple[str, list[str], np.ndarray]:
        return "city", [""], np.zeros((len(self.city.communities), 3), np.int64)

    def _levels(self) -> list[tuple[str, list[str], np.ndarray]]:
        c, cells = self.city, np.zeros((len(self.city.communities), 3), np.int64)
        rows = {
            "district": (list(c.districts.name), c.communities.district[:, None] + cells),
            "subdistrict": (list(c.subdistricts.name), c.communities.subdistrict[:, None] + cells),
            "community_type": (list(COMMUNITY_TYPES), c.communities.kind[:, None] + cells),
            "age": (list(AGE_GROUPS), np.arange(3)[None, :] + cells),
        }
        return [self._everyone(), *((level, *row) for level, row in rows.items())]

    def _totals(self, span: Span, level: str, places: list[str], group: np.ndarray) -> Totals:
        n = len(places)
        flat = group.ravel()
        cells = np.zeros((len(self.city.communities), 3))
        np.add.at(cells, self.city.grids.community, self.grid_people)
        people = np.bincount(flat, weights=cells.ravel(), minlength=n)

        def gather(values: np.ndarray) -> np.ndarray:
            out = np.zeros((n, values.shape[2]))
            np.add.at(out, flat, values.reshape(len(flat), -1))
            return out

        def mean(values: np.ndarray) -> np.ndarray:
            total = np.bincount(flat, weights=(values * cells).ravel(), minlength=n)
            return np.divide(total, people, out=np.full(n, np.nan), where=people > 0)

        felt = span.felt / span.length
        state = {
            "satisfaction": mean(felt),
            "within_15": np.divide(
                np.bincount(flat, weights=span.near.ravel(), minlength=n) / span.length, people,
                out=np.full(n, np.nan), where=people > 0,
            ),
            "open_cases": np.bincount(flat, weights=span.open.ravel(), minlength=n) / span.length,
        }  # fmt: skip
        blank = np.full(n, np.nan)
        for name, row in zip(BY_COMMUNITY, span.community, strict=True):
            state[name] = blank if level == "age" else mean((row / span.length)[:, None])
        unit = self.city.communities.subdistrict
        whole = level in ("city", "district", "subdistrict")
        for name, row in zip(BY_UNIT, span.unit, strict=True):
            state[name] = mean((row / span.length)[unit][:, None]) if whole else blank
        first = self.city.subdistricts.first_community[:-1]
        for name, row in zip(BY_ACCOUNT, span.money, strict=True):
            yearly = np.bincount(group[first, 0], weights=row, minlength=n) / (span.length / YEAR)
            state[name] = yearly if whole else blank
        state |= (
            self._inequality(felt, cells, group, n)
            if whole
            else dict.fromkeys(("gini", "urban_rural_gap", "old_young_gap"), blank)
        )
        return Totals(gather(span.tally), gather(span.days), people, span.length / YEAR, state)

    def _inequality(
        self, felt: np.ndarray, cells: np.ndarray, group: np.ndarray, n: int
    ) -> dict[str, np.ndarray]:
        """Gini of satisfaction between cells, and gaps between town and country, old and young."""
        out = {name: np.full(n, np.nan) for name in ("gini", "urban_rural_gap", "old_young_gap")}
        urban = np.broadcast_to(self.city.communities.urban[:, None], cells.shape)
        older = np.broadcast_to(np.arange(3) == 2, cells.shape)
        for g in range(n):
            here = group == g
            out["gini"][g] = gini(felt[here], cells[here])
            for name, side in (("urban_rural_gap", urban), ("old_young_gap", older)):
                a, b = here & side, here & ~side
                if cells[a].sum() > 0 and cells[b].sum() > 0:
                    gap = np.average(felt[a], weights=cells[a]) - np.average(
                        felt[b], weights=cells[b]
                    )
                    out[name][g] = abs(gap)
        return out


def gini(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the Gini coefficient of ``values`` ≥ 0 held by ``weights`` people each."""
    order = np.argsort(values, kind="stable")
    v, w = values[order], weights[order]
    total, people = (v * w).sum(), w.sum()
    if total <= 0 or people <= 0:
        return float("nan")
    lorenz = np.cumsum(v * w) / total
    before = np.concatenate(([0.0], lorenz[:-1]))
    return float(1.0 - ((lorenz + before) * w / people).sum())


def cases(columns: Columns) -> pd.DataFrame:
    """Return the cases kept, one row each, in order of need.

    Columns: need, voiced, started, finished (days; NaN where it did not come to that), category,
    departments, transfers, channel, community (city-wide row), state.
    """
    frames = []
    for k, d in enumerate(columns.districts):
        first = columns.slices(k)[1].start
        lead = d.cases["parent"] == np.arange(len(d.cases))
        rows = d.cases[lead & (d.cases["stage"] != s.FREE) & (d.cases["community"] >= 0)]
        ended = rows["stage"] == s.ENDED
        heard = (rows["channel"] >= s.GRID) & (rows["stage"] != s.FOUND)
        frames.append(
            pd.DataFrame(
                {
                    "need": rows["need"],
                    "voiced": np.where(heard, rows["voiced"], np.nan),
                    "started": np.where(heard & (rows["begun"] >= 0), rows["begun"], np.nan),
                    "finished": np.where(ended, rows["time"], np.nan),
                    "category": np.array(categories.NAMES)[rows["category"]],
                    "departments": rows["parts"],
                    "transfers": rows["transfers"],
                    "channel": np.array(s.CHANNELS)[rows["channel"]],
                    "community": rows["community"] + first,
                    "state": np.where(ended, np.array(s.STATES)[rows["state"]], "open"),
                    "key": rows["key"],
                }
            )
        )
    return pd.concat(frames).sort_values(["need", "key"], ignore_index=True)


def residents(columns: Columns, day: float, written: Callable[[], None]) -> Residents:
    """Return the residents of the city as columns, as of ``day``; changes call ``written``.

    Satisfaction and burden are those of the day last touched; `satisfaction_now` and
    `burden_now` let them drift to ``day`` and are computed when asked for.
    """
    city = columns.city
    rows = columns.residents

    def now(which: int) -> Callable[[], np.ndarray]:
        return lambda: np.concatenate([drifted(d, day)[which] for d in columns.districts])

    def birth_cell() -> np.ndarray:
        return np.repeat(np.arange(len(city.grids)), np.diff(city.grids.first_resident))

    def place() -> np.ndarray:
        first = [columns.slices(k)[2].start for k in range(len(columns.districts))]
        return np.concatenate(
            [d.residents["place"] + f for d, f in zip(columns.districts, first, strict=True)]
        )

    table: dict[str, Any] = {name: rows[name] for name in s.RESIDENT.names or () if name != "place"}
    table |= {
        "id": lambda: np.arange(len(rows)),
        "birth_cell": birth_cell,
        "place": place,
        "community": lambda: city.grids.community[place()],
        "subdistrict": lambda: city.communities.subdistrict[city.grids.community[place()]],
        "need_multiplier": lambda: multipliers(city, np.arange(len(rows))),
        "satisfaction_now": now(0),
        "burden_now": now(1),
    }
    return Residents(table, written=written)
