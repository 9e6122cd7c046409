"""The quarterly assessment of offices: a survey, scores and ranks, and what they move toward."""

import numpy as np

from reformsim.cases.columns import Columns, groups_at
from reformsim.cases.state import T
from reformsim.chance import Purpose, unit_key
from reformsim.institutions import assessment, effort
from reformsim.model import baseline as before

#: Spread of satisfaction between residents that a survey samples (assumed).
SURVEY_SD = 0.15


class Appraisal:
    """What the city knows of its offices from quarter to quarter."""

    def __init__(self, setting: before.Setting) -> None:
        """Begin with nothing counted."""
        self.setting = setting
        self._seen = np.zeros((len(setting.city.subdistricts), 2))

    def assess(
        self, columns: Columns, day: int, month: int, rules: np.ndarray, offices: np.ndarray
    ) -> None:
        """Survey and score a quarter; offices move toward what they are assessed by.

        ``rules`` (RULES) and ``offices`` (OFFICE) have one row for each subdistrict.
        """
        w, o = self.setting.world, offices
        unit = columns.serving()
        n = len(o)
        people = columns.pulse["people"]
        felt = np.concatenate([groups_at(d, float(day)) for d in columns.districts])
        total = np.bincount(unit, weights=np.nansum(felt * people, axis=1), minlength=n)
        people = np.bincount(unit, weights=people.sum(axis=1), minlength=n)
        o["surveyed"] = assessment.survey(
            total / people, SURVEY_SD, float(w["survey_size"]),
            unit_key(self.setting.seed, int(Purpose.SURVEY), month)[0], np.arange(n),
        )  # fmt: skip
        tally = columns.tally.sum(axis=1)
        ended = tally[:, [T["closed"], T["lapsed"], T["orphaned"]]].sum(axis=1)
        now = np.stack(
            [np.bincount(unit, weights=x, minlength=n) for x in (tally[:, T["measured"]], ended)],
            axis=1,
        )
        quarter, self._seen = now - self._seen, now
        o["measured_rate"] = np.where(
            quarter[:, 1] > 0, quarter[:, 0] / np.maximum(quarter[:, 1], 1), o["measured_rate"]
        )
        won = o["project_revenue"] / np.maximum(self.setting.base.people, 1)
        won = won / np.maximum(won + won.mean(), 1e-12)
        o["weight_investment"] = rules["weight_investment"] * o["taste_investment"]
        o["weight_satisfaction"] = rules["weight_satisfaction"] * o["taste_satisfaction"]
        weights = np.stack([o["weight_investment"], o["weight_satisfaction"]], axis=1) + 1e-9
        served = 0.5 * (o["surveyed"] + o["measured_rate"])
        o["score"] = assessment.score(np.stack([won, served], axis=1), weights)
        o["rank"] = assessment.rank(o["score"])
        best = effort.best_effort(
            o["weight_investment"], o["weight_satisfaction"], float(w["gamma"]),
            float(w["intrinsic"]),
        )  # fmt: skip
        copying = float(w["imitation"] * rules["publish_results"].mean())
        for name, target in zip(("effort_investment", "effort_residents"), best, strict=True):
            own = effort.adjust(o[name], target, float(w["effort_rate"]))
            o[name] = effort.imitate(own, o["score"], self.setting.base.district, copying)
