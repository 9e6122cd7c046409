"""Who serves whom: the boundaries of subdistricts as they are now, and their extra offices."""

import numpy as np

from reformsim.cases.columns import Columns
from reformsim.city.borders import borders, seats
from reformsim.institutions import structure
from reformsim.model.baseline import Setting
from reformsim.scenario import YEAR


class Territory:
    """What follows from the present boundaries, by subdistrict, and what large ones are given.

    The boundaries themselves are columns (`communities['unit']`); staff posts and money stay
    with a subdistrict when communities come or go, grids and their workers go along.
    """

    def __init__(self, setting: Setting) -> None:
        """Start with the boundaries of the city as it was built, and no extra office."""
        self.setting = setting
        n = len(setting.base.people)
        self.changed_on = np.full(n, -np.inf)  # day on which boundaries last changed
        self.extra_heads, self.charge = np.zeros(n), np.zeros(n)
        self.upheaval = np.zeros(n)  # 10,000 yuan a year, for a year from when boundaries changed
        self._count(setting.city.communities.subdistrict)

    def _count(self, unit: np.ndarray) -> None:
        """Count what ``unit`` (communities,), who serves whom, gives each subdistrict."""
        b, n = self.setting.base, len(self.changed_on)
        scale = self.setting.world["staffing_needs"] / self.setting.world["needs"]

        def by_unit(values: np.ndarray) -> np.ndarray:
            return np.bincount(unit, weights=values, minlength=n)

        self.unit = unit
        self.people = by_unit(self.setting.city.communities.population.astype(float))
        self.social = by_unit(b.demand.social) / 12.0
        work = b.demand.territorial.T
        self.territorial = np.stack([by_unit(column) for column in work], axis=1) * scale

    def look(self, columns: Columns) -> None:
        """Take the boundaries as they stand in the columns."""
        unit = columns.serving()
        if not np.array_equal(unit, self.unit):
            self._count(unit)

    def add_offices(self, rules: np.ndarray, paid: np.ndarray) -> None:
        """Staff extra offices of large subdistricts by ``rules``; their district pays for them.

        Sets heads by subdistrict, and the yearly charge in 10,000 yuan by the rules ``paid`` in
        full.
        """
        w, mean = self.setting.world, self.people.mean()
        heads = w["extra_office_heads"] * mean / 1e4
        threshold, inflation = float(w["large_unit"] * mean), float(w["count_inflation"])

        def offices(rules: np.ndarray) -> np.ndarray:
            return structure.extra_offices(
                self.people, threshold, inflation, rules["extra_offices"]
            )

        self.extra_heads = offices(rules) * heads
        cost = offices(paid) * heads * w["wage"] * (1.0 + w["extra_office_cost"])
        # by the residents whom transfers are made for: where money stays, so do charges
        b = self.setting.base
        each = np.bincount(b.district, weights=cost) / b.district_people
        self.charge = each[b.district] * b.people

    def draw_boundaries(self, columns: Columns, rules: np.ndarray, day: float) -> None:
        """Even out the work that posts must expect, where ``rules`` allow boundaries to change.

        When the rules end, boundaries stay as they are.
        """
        if not (rules["boundary_balance"] > 0.0).any():
            return
        city, b = self.setting.city, self.setting.base
        fixed = np.zeros(len(self.unit), bool)
        fixed[seats(city)] = True
        unit = structure.rebalance(
            self.unit, b.district, b.demand.territorial.sum(axis=1),
            b.offices["heads"] + self.extra_heads, rules["boundary_balance"],
            borders(city), fixed,
        )  # fmt: skip
        moved = unit != self.unit
        self.changed_on[np.union1d(self.unit[moved], unit[moved])] = day
        people = self.setting.city.communities.population[moved].astype(float)
        new = np.bincount(unit[moved], weights=people, minlength=len(self.changed_on))
        cost = self.setting.world["boundary_cost"] * new / 1e4
        self.upheaval = np.where(new > 0, cost, self.upheaval)
        columns.serve(unit)
        self.look(columns)

    def due(self, day: float) -> np.ndarray:
        """Return what extra offices and changed boundaries cost a year on ``day``, (units,).

        A change of boundaries is paid by those who take residents over, for a year from it,
        whether the measure lasts or not.
        """
        return self.charge + np.where(day < self.changed_on + YEAR, self.upheaval, 0.0)

    def dip(self, day: float) -> np.ndarray:
        """Return the share of speed that changed boundaries cost on ``day``, (subdistricts,)."""
        w = self.setting.world
        return w["boundary_dip"] * np.exp(-(day - self.changed_on) / w["boundary_dip_days"])
