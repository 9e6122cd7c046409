"""What is kept of a span of days: counts, and states times the days they held."""

from dataclasses import dataclass

import numpy as np

from reformsim import categories
from reformsim.cases import state as s
from reformsim.cases.columns import Columns, groups_at, open_cases
from reformsim.city import layouts
from reformsim.institutions import hours as h
from reformsim.institutions import participation, workers
from reformsim.model.administration import Administration
from reformsim.scenario import YEAR

#: States of communities and of subdistricts, kept as sums of value × days of the span.
BY_COMMUNITY = (
    "participation", "tipped", "organised", "way_to_station", "quality", "facilities",
    "firm_satisfaction", "firms", "supply",
)  # fmt: skip
BY_UNIT = (
    "utilisation", "case_hours", "burden_hours", "slack_hours", "burnout", "vacant",
    "effort_residents", "staff", "practice_fit", "way", "effort_investment", "heavy_burnout",
    "turnover", "skill",
)  # fmt: skip
BY_ACCOUNT = ("revenue", "spending", "measures", "transfer")


@dataclass
class Span:
    """Sums over one period or one month: counts, and states times the days they held."""

    tally: np.ndarray  # (communities, 3, counts)
    days: np.ndarray  # (communities, 3, bins)
    waits: np.ndarray
    desks: np.ndarray  # (2, kinds of desk) visits, and days waited for their service
    days_by_parts: np.ndarray
    felt: np.ndarray  # (communities, 3) satisfaction × days
    open: np.ndarray  # (communities, 3) open cases × days
    still_open: np.ndarray  # (communities, 3, bins) cases open at its end, by days
    ages: np.ndarray  # (kinds, communities, 3) days since voiced of the cases open at its end
    people: np.ndarray  # (communities, 3) residents × days
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
            days=np.zeros((communities, 3, s.BINS), np.uint32),
            waits=np.zeros(len(s.WAITS)),
            desks=np.zeros((2, len(s.DESK_KINDS))),
            days_by_parts=np.zeros((7, s.BINS)),
            felt=np.zeros((communities, 3)),
            open=np.zeros((communities, 3)),
            still_open=np.zeros((communities, 3, s.BINS), np.uint32),
            ages=np.zeros((len(s.KINDS), communities, 3)),
            people=np.zeros((communities, 3)),
            near=np.zeros((communities, 3)),
            community=np.zeros((len(BY_COMMUNITY), communities)),
            unit=np.zeros((len(BY_UNIT), units)),
            money=np.zeros((len(BY_ACCOUNT), units)),
        )

    def add(self, other: "Span") -> None:
        """Add the span that follows this one."""
        self.still_open, self.ages = other.still_open, other.ages
        for name in self.__dataclass_fields__.keys() - {"still_open", "ages"}:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def by_kind(d: s.District) -> np.ndarray:
    """Return visits ended and days waited so far by kind of desk, (2, len(DESK_KINDS))."""
    table = np.stack([d.desks["visits"], d.desks["waited"]])
    grids, stations, centres, subdistrict, merged, *others = np.split(
        table, d.fixed[: s.DESKS], axis=1
    )
    return np.concatenate(
        [
            *(x.sum(axis=1, keepdims=True) for x in (grids, stations, centres)),
            subdistrict.reshape(2, -1, categories.COUNT).sum(axis=1),
            merged.reshape(2, -1, categories.OFFICES).sum(axis=1),
            *others,
        ],
        axis=1,
    )


def since(seen: Span, columns: Columns, admin: Administration, first: int, day: int) -> Span:
    """Return the span from day ``first`` to ``day``; ``seen`` holds the counts up to ``first``.

    Brings the counts of ``seen`` up to ``day``.
    """
    city, length = columns.city, float(day - first)
    new = Span.of(len(city.communities), len(city.subdistricts))
    new.length = length
    counted = {
        "tally": columns.tally.copy(),
        "days": columns.days.copy(),
        "waits": sum(d.waits for d in columns.districts),
        "desks": sum(by_kind(d) for d in columns.districts),
        "days_by_parts": sum(d.days_by_parts.astype(float) for d in columns.districts),
    }
    for name, value in counted.items():
        setattr(new, name, value - getattr(seen, name))
        setattr(seen, name, value)
    at = float(day)
    times = [at] * len(columns.districts)
    felt = columns.each(groups_at, times)
    new.felt = np.where(columns.pulse["people"] > 0, np.concatenate(felt), 0.0) * length
    now_open = columns.each(open_cases, times)
    new.still_open = np.concatenate([number for number, _ in now_open])
    new.ages = np.concatenate([days for _, days in now_open], axis=1)
    new.open = new.still_open.sum(axis=2) * length
    # days accrue while a case is open, not when it ends: a backlog must not hide them
    new.tally[:, :, s.KINDS] += np.moveaxis(new.ages - seen.ages, 0, 2)
    seen.ages = new.ages
    new.people = columns.pulse["people"] * length
    near = layouts.within_reach(columns.living, columns.grids["walk"])
    np.add.at(new.near, city.grids.community, near * length)
    unit = columns.serving()
    new.community[:] = length * np.stack(
        [
            admin.people.participation,
            participation.tipped(admin.people.participation, admin.setting.world["never"]),
            columns.communities["organised"],
            mean_way(columns),
            admin.places.rows["quality"],
            admin.places.rows["facilities"],
            admin.business.table["satisfaction"],
            admin.business.table["firms"],
            admin.business.table["supply"],
        ]
    )
    grid_unit = unit[city.grids.community]
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
            admin.structure.fit,
            admin.structure.way,
            admin.offices["effort_investment"],
            of_workers(admin.people.workers["burnout"] > workers.HEAVY),
            admin.people.quits,
            mean_skill(admin, grid_unit),
        ]
    )
    return new


def mean_way(columns: Columns) -> np.ndarray:
    """Return the mean way of a community's residents to their station, km, (communities,)."""
    of, people = columns.grids["walk"], columns.living.sum(axis=1).astype(float)
    home, n = columns.city.grids.community, len(columns.communities)
    total = np.bincount(home, weights=people, minlength=n)
    return np.bincount(home, weights=of * people, minlength=n) / np.maximum(total, 1.0)


def mean_skill(admin: Administration, unit: np.ndarray) -> np.ndarray:
    """Return the mean skill of grid workers and office staff in post, (units,).

    ``unit`` is the subdistrict of each grid.
    """
    table, o = admin.people.workers, admin.offices
    there = ~table["vacant"]
    number = np.bincount(unit, weights=there, minlength=len(o)) + o["heads"] * o["filled"]
    held = np.bincount(unit, weights=table["skill"] * there, minlength=len(o))
    return (held + o["skill"] * o["heads"] * o["filled"]) / number


def money_of(admin: Administration, days: float) -> np.ndarray:
    """Return the money of ``days`` at the present rates, (len(BY_ACCOUNT), units)."""
    economy = admin.economy
    rates = np.stack(
        [admin.offices["project_revenue"], economy.spending, economy.measures, economy.transfer]
    )
    return (days / YEAR) * rates
