"""The quarterly assessment of offices: a survey, scores and ranks, and what they move toward."""

import numpy as np

from reformsim.cases.columns import Columns, groups_at
from reformsim.cases.state import T
from reformsim.chance import Purpose, unit_key
from reformsim.institutions import assessment, careers, effort
from reformsim.model import baseline as before

#: Spread of satisfaction between residents that a survey samples (assumed).
SURVEY_SD = 0.15
#: Quarters over which the mean of what a unit usually achieves forgets (assumed).
USUAL_QUARTERS = 8.0


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
        uniform = rules["uniform_assessment"]
        o["surveyed"] = assessment.survey(
            total / people, SURVEY_SD,
            assessment.sample_size(float(w["survey_size"]), people, uniform),
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
        self._weigh(rules, o)
        weights = np.stack([o["weight_investment"], o["weight_satisfaction"]], axis=1) + 1e-9
        served = 0.5 * (o["surveyed"] + o["measured_rate"])
        fair = assessment.allowed_for(served, o["usual"], w["difficulty"] * (1.0 - uniform))
        o["usual"] += (served - o["usual"]) / USUAL_QUARTERS
        o["score"] = assessment.score(np.stack([won, fair], axis=1), weights)
        o["rank"] = assessment.rank(o["score"])
        self._move(rules, o)

    def _weigh(self, rules: np.ndarray, o: np.ndarray) -> None:
        """What assessment asks, as each office takes it; pressure stands behind service."""
        pressed = self.setting.world["pressure_weight"] * careers.above(
            rules["assessment_pressure"], "assessment_pressure"
        )
        # firms that come first are a target for investment under another name
        hidden = self.setting.world["hidden_target"] * rules["firm_request_priority"]
        o["weight_investment"] = (rules["weight_investment"] + hidden) * o["taste_investment"]
        o["weight_satisfaction"] = (
            rules["weight_satisfaction"] * o["taste_satisfaction"] * (1.0 + pressed)
        )

    def _move(self, rules: np.ndarray, o: np.ndarray) -> None:
        """Offices move toward their best efforts, and copy the better ones they can see.

        Results are seen where they are published, and where one standard makes them comparable:
        the more uniform, the more offices look beyond their own district, and the more the last
        in the city's ranking lose heart.
        """
        w, district = self.setting.world, self.setting.base.district
        uniform = rules["uniform_assessment"]
        best = effort.best_effort(
            o["weight_investment"], o["weight_satisfaction"], float(w["gamma"]),
            w["intrinsic"] + careers.motivation(rules, w),
        )  # fmt: skip
        best = best[0], best[1] * assessment.spirit(o["rank"], uniform, w["discouragement"])
        seen = 1.0 - (1.0 - rules["publish_results"].mean()) * (1.0 - uniform.mean())
        copying = float(w["imitation"] * seen)
        for name, target in zip(("effort_investment", "effort_residents"), best, strict=True):
            own = effort.adjust(o[name], target, float(w["effort_rate"]))
            near = effort.imitate(own, o["score"], district, copying)
            far = effort.imitate(own, o["score"], np.zeros_like(district), copying)
            o[name] = (1.0 - uniform) * near + uniform * far
