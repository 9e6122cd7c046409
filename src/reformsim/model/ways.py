"""Ways of working of subdistricts: what places ask for, what policy says, what trials find."""

import numpy as np

from reformsim.chance import Purpose, normal_quantile, unit_draws
from reformsim.city.territory import City
from reformsim.institutions import columns as rows
from reformsim.institutions import ways
from reformsim.model.orders import reaches


def inherited(city: City, world: np.record) -> np.ndarray:
    """Return the ways of working before the reform, dtype WAY, (subdistricts,).

    What fits differs between town and country, and from place to place, in equal parts; what is
    done has its own history. The mean resident's place asks for 0, which is also what a
    citywide policy is made for.
    """
    n = len(city.subdistricts)
    table = np.zeros(n, rows.WAY)

    def normal(word: int) -> np.ndarray:
        u = unit_draws(city.seed, int(Purpose.WAY), word, np.arange(n))
        return np.array([normal_quantile(x) for x in u])

    side = np.where(city.subdistricts.urban, 1.0, -1.0)
    best = world["place_spread"] * (side + normal(0)) / np.sqrt(2.0)
    table["best"] = best - np.average(best, weights=city.subdistricts.population)
    table["way"] = table["best"] + world["tradition_spread"] * normal(1)
    table["heading"] = np.where(normal(2) < 0.0, -1.0, 1.0)
    table["began"] = -1
    return table


class Ways:
    """How each subdistrict works, and the trials under way."""

    #: What a citywide policy prescribes: what fits the mean resident's place.
    STANDARD = 0.0

    def __init__(self, table: np.ndarray, world: np.record, people: np.ndarray, seed: int) -> None:
        """Start from inherited ways, ``table`` (WAY), in units of ``people`` residents."""
        self.table, self.world, self.people, self.seed = table.copy(), world, people, seed

    def live(self, month: int | None, rules: np.ndarray) -> None:
        """Judge the trials that are due at the start of ``month``, and begin others.

        The share `local_search` of subdistricts searches; where that ends, trials are broken off
        at once, also in mid-month (``month`` None).
        """
        t, w = self.table, self.world
        searching = reaches(rules["local_search"], self.seed, Purpose.WAY_SEARCH)
        t["began"] = np.where(searching, t["began"], -1)
        if month is None:
            return
        due = (t["began"] >= 0) & (month - t["began"] >= w["trial_months"])
        u = unit_draws(self.seed, int(Purpose.WAY_TRIAL), month, np.arange(len(t)))
        better = ways.seems_better(
            self._fit(self._own(), rules), self._fit(t["way"], rules), self.people,
            float(w["trial_noise"]), np.array([normal_quantile(x) for x in u]),
        )  # fmt: skip
        way, heading = ways.after_trial(t["way"], t["heading"], float(w["trial_step"]), better)
        t["way"] = np.where(due, way, t["way"])
        t["heading"] = np.where(due, heading, t["heading"])
        t["began"] = np.where(due | (searching & (t["began"] < 0)), month, t["began"])

    def now(self, rules: np.ndarray) -> np.ndarray:
        """Return the ways of working in force, (subdistricts,)."""
        return ways.in_force(self._own(), self.STANDARD, rules["uniformity"])

    def fit(self, rules: np.ndarray) -> np.ndarray:
        """Return the share of working speed that the ways in force leave, (subdistricts,)."""
        return self._fit(self._own(), rules)

    def speed(self, rules: np.ndarray) -> np.ndarray:
        """Return the same, less the learning time of trials."""
        return self.fit(rules) * (1.0 - self.world["trial_cost"] * (self.table["began"] >= 0))

    def _own(self) -> np.ndarray:
        t = self.table
        return t["way"] + (t["began"] >= 0) * t["heading"] * self.world["trial_step"]

    def _fit(self, own: np.ndarray, rules: np.ndarray) -> np.ndarray:
        way = ways.in_force(own, self.STANDARD, rules["uniformity"])
        return ways.fit(way, self.table["best"], float(self.world["misfit_loss"]))
