"""Facilities of communities: what there is, what is on its way, and where money goes first."""

import numpy as np

from reformsim import rules as levers
from reformsim.institutions import places as rule
from reformsim.institutions.participation import tipping_point
from reformsim.model import baseline as before

#: Slots of years ahead that a project can take: the longest lag and delay, and one more.
YEARS_AHEAD = 8
#: Share of a designated town's money that builds facilities; the rest makes jobs (assumed).
TOWN_FACILITIES = 0.5
#: Years that a town's jobs last (assumed).
JOBS_LAST = 10.0
USABLE, PAPER, JOBS = range(3)
KEPT_UP, LACKING = range(2)


class Facilities:
    """The facilities in the rows (PLACE) of places, and the projects on their way.

    What is on paper only counts as built, with planners and for upkeep, and serves nobody.
    """

    def __init__(self, setting: before.Setting, rows: np.ndarray) -> None:
        """Begin with nothing on its way."""
        self.setting = setting
        self.rows = rows
        self.unit = setting.city.communities.subdistrict
        self.units = len(setting.city.subdistricts)
        self.pipeline = np.zeros((3, YEARS_AHEAD, len(rows)))  # residents served in full

    def come_to_rest(self) -> None:
        """Take what is on its way for what comes every year, and wear for what it makes good."""
        yearly = self.pipeline[USABLE].sum(axis=0)
        self.rows["wear_facilities"] = yearly / self.rows["stock"]
        paid, self.pipeline = self.pipeline, np.zeros_like(self.pipeline)
        for ago in range(YEARS_AHEAD):
            self.pipeline[:, : YEARS_AHEAD - ago] += paid[:, ago:]

    def arrive(self) -> None:
        """Let a year pass: wear, and the projects that are due."""
        r = self.rows
        due, self.pipeline[:, :-1] = self.pipeline[:, 1].copy(), self.pipeline[:, 1:].copy()
        self.pipeline[:, -1] = 0.0
        for name, amount in (("stock", due[USABLE]), ("paper", due[PAPER])):
            r[name] = rule.kept(r[name], r["wear_facilities"], amount)
        r["jobs"] = rule.kept(r["jobs"], np.full(len(r), 1.0 / JOBS_LAST), due[JOBS])

    def serve(self, residents: np.ndarray) -> None:
        """Set the level of usable facilities for ``residents`` (communities,)."""
        self.rows["facilities"] = np.minimum(self.rows["stock"] / np.maximum(residents, 1.0), 1.0)

    def come_along(self, residents: np.ndarray) -> None:
        """Build facilities for ``residents`` (communities,) with their homes.

        They are handed over within the year that follows, or fail to be.
        """
        failed, a_year = self.setting.world["handover_failure"], np.ones(len(residents))
        rule.schedule(self.pipeline[USABLE], (1.0 - failed) * residents, a_year)
        rule.schedule(self.pipeline[PAPER], failed * residents, a_year)

    def wanted(self, share: np.ndarray, residents: np.ndarray) -> np.ndarray:
        """Return weights of facility money, (2, communities): upkeep, and where they lack.

        The share of the fund before the reform keeps up what there is; what is planned beyond
        it, ``share`` (units,) being all, goes where facilities lack for ``residents``.
        """
        usual = levers.BY_NAME["facility_plan_share"].default
        there = self.rows["stock"] + self.rows["paper"]
        weight = np.stack([there, np.maximum(residents - there, 0.0)])
        parts = (np.full(self.units, usual), np.maximum(share - usual, 0.0))
        for w, part in zip(weight, parts, strict=True):
            total = np.bincount(self.unit, weights=w, minlength=self.units)
            w *= (part / np.maximum(total, 1e-9))[self.unit]
        return weight

    def build(
        self,
        rules: np.ndarray,
        bought: np.ndarray,
        wanted: np.ndarray,
        residents: np.ndarray,
        participation: np.ndarray,
    ) -> None:
        """Begin a year's projects: the minimum standard first, then as ``wanted``.

        ``bought`` (2, communities) is what the money for facilities and for towns buys at the
        standard of one resident; ``rules`` (RULES) are by subdistrict, the rest by community.
        """
        w, r = self.setting.world, self.rows
        floor = self._floor(bought[0], rules["service_floor"], residents)
        left = np.bincount(self.unit, weights=bought[0] - floor, minlength=self.units)
        total = np.bincount(self.unit, weights=wanted.sum(axis=0), minlength=self.units)
        built = (left / total)[self.unit] * wanted
        there = r["stock"] + r["paper"]
        alive = np.divide(r["stock"], there, out=np.ones(len(r)), where=there > 0)
        usable = built[KEPT_UP] * alive + built[LACKING] + (1.0 - w["unusable"]) * floor
        fit, usual = rules["plan_fit"][self.unit], levers.BY_NAME["plan_fit"].default
        lag = w["plan_lag"] + w["planner_delay"] * (fit - usual) / (1.0 - usual)
        fit = rule.realised_fit(fit, usual, participation, tipping_point(w["never"]))
        for what, amount in (
            (USABLE, fit * (usable + TOWN_FACILITIES * bought[1])),
            (PAPER, fit * built[KEPT_UP] * (1.0 - alive) + w["unusable"] * floor),
            (JOBS, (1.0 - TOWN_FACILITIES) * bought[1]),
        ):
            rule.schedule(self.pipeline[what], amount, lag)

    def _floor(self, bought: np.ndarray, floor: np.ndarray, residents: np.ndarray) -> np.ndarray:
        """What of the facilities bought goes to places below the minimum, lowest first."""
        coming = self.pipeline[[USABLE, PAPER]].sum(axis=(0, 1))
        there = self.rows["stock"] + self.rows["paper"] + coming
        level = there / np.maximum(residents, 1.0)
        out = np.zeros(len(level))
        for u in np.flatnonzero(floor > 0):
            mine = np.flatnonzero(self.unit == u)
            out[mine] = rule.fill_lowest(
                level[mine], residents[mine], float(bought[mine].sum()), float(floor[u])
            )
        return out
