"""People month by month: grid workers, office staff, participants, social organisations."""

import numpy as np

from reformsim import rules as levers
from reformsim.chance import Purpose, normal_quantile, unit_draws, unit_key
from reformsim.institutions import careers, effort, organisations, participation, workers
from reformsim.institutions import columns as rows
from reformsim.institutions import hours as h
from reformsim.model import baseline as before
from reformsim.model import orders
from reformsim.model.posts import Books
from reformsim.model.territory import Territory

#: Burnout (assumed; they give 42 % some and 13 % heavy burnout at utilisation 0.85).
STRAIN_THRESHOLD, BURNOUT_BUILD, BURNOUT_RECOVERY = 0.8, 0.56, 0.056
#: Social organisations, monthly (assumed).
GROWTH = 0.1
SETTLING = dict(decay=0.3, reserve_months=6.0, memory=0.1, floor=20.0)
#: Incubation raises growth by this factor, and sets up what has died with these hours (assumed).
INCUBATED_GROWTH = 2.0
#: Share of donations lost for each unit of dependence beyond that before the reform (assumed).
CROWDING_OUT = 1.0
INCUBATED_HOURS = 60.0


class People:
    """Workers, participation and social organisations: rows, and a month in their lives."""

    def __init__(self, setting: before.Setting, territory: Territory) -> None:
        """Start from a settled workforce and the habits of the city before the reform."""
        self.setting, self.territory = setting, territory
        self.organisations = setting.base.organisations.copy()
        self.participation = setting.base.participation.copy()
        self.workers = self._settled_workers()
        #: Quits of grid workers in the last month, a year and post filled, (units,).
        self.quits = np.full(len(setting.city.subdistricts), float(setting.world["turnover"]))

    def live(self, month: int, rules: np.ndarray, offices: np.ndarray, books: Books) -> None:
        """Live the month that ends now, under ``rules``; ``books`` tell who was how busy."""
        self._work(month, rules, offices, books)
        self._bear_tasks(rules, offices)
        self._take_part(rules)
        self._organise(rules)

    def captured(self, people: np.ndarray) -> np.ndarray:
        """Return the share of each subdistrict's people below their community's tipping point.

        ``people`` (communities,) live there now.
        """
        s = self.setting
        return before.share_captured(
            s.city, self.participation, people, s.world, self.territory.unit
        )

    def organised(self, rules: np.ndarray) -> np.ndarray:
        """Return the share of eligible cases that organisations and partners serve, (units,)."""
        base = self.setting.base
        partners = organisations.partnership(rules, self.setting.world, base.people)
        return before.organised_share(self.organisations, self.territory.social, partners)

    def _settled_workers(self) -> np.ndarray:
        n, seed = len(self.setting.city.grids), self.setting.seed
        table = np.zeros(n, rows.WORKER)
        draws = [unit_draws(seed, int(Purpose.TURNOVER), w, np.arange(n)) for w in range(2)]
        table["burnout"] = [normal_quantile(u) for u in draws[0]]
        table["skill"] = orders.SKILL_BEFORE
        table["tenure"] = 24
        table["vacant"] = draws[1] > before.FILLED_BEFORE
        table["load"] = self.setting.world["utilisation"]
        return table

    def _work(self, month: int, rules: np.ndarray, offices: np.ndarray, books: Books) -> None:
        """Strain, recovery, leaving, learning: grid workers one by one, office staff as means."""
        w, city = self.setting.world, self.setting.city
        turnover = float(w["turnover"])
        habits = dict(
            strain_threshold=STRAIN_THRESHOLD,
            reference_strain=workers.reference_strain(
                float(w["utilisation"]), STRAIN_THRESHOLD, turnover, BURNOUT_BUILD
            ),
            build=BURNOUT_BUILD, recovery=BURNOUT_RECOVERY, base_annual=turnover,
            fill_months=float(w["vacancy_months"]), learning=1 / float(w["learning_months"]),
            training_gain=float(w["training_gain"]), newcomer_skill=float(w["newcomer_skill"]),
        )  # fmt: skip
        table = self.workers
        key = unit_key(self.setting.seed, int(Purpose.TURNOVER), month)[0]
        unit = self.territory.unit[city.grids.community]
        table["load"] = books.load[h.GRIDS][unit]
        table["appeal"] = careers.attraction(rules, w)[unit]
        worn = careers.wear(rules, w)
        training = careers.above(rules["training_hours"], "training_hours")
        in_post = ~table["vacant"]
        moved = workers.step(
            table["burnout"], table["skill"], table["tenure"], table["vacant"],
            post=np.arange(len(table)), utilisation=table["load"],
            overload=(worn + careers.rivalry(rules, w))[unit],
            pay_z=table["appeal"], training=training[unit],
            promotion=careers.promotion(rules)[unit], key=key, **habits,
        )  # fmt: skip
        for name in ("burnout", "skill", "tenure"):
            table[name] = getattr(moved, name)
        table["vacant"] = moved.vacancy
        left, there = (
            np.bincount(unit, weights=x, minlength=len(offices)) for x in (moved.left, in_post)
        )
        self.quits = 12.0 * left / np.maximum(there, 1.0)
        o = offices
        excess = effort.overload(o["effort_investment"], o["effort_residents"])
        o["burnout"], o["skill"], o["filled"], _ = workers.staff_step(
            o["burnout"], o["skill"], o["filled"], utilisation=o["load"], overload=excess + worn,
            pay_z=0.0, training=training, **habits,
        )  # fmt: skip

    def _bear_tasks(self, rules: np.ndarray, offices: np.ndarray) -> None:
        """Let cut tasks come back, and clear functions attract new ones, over about a year."""
        cut = (rules["admin_hours"] < levers.BY_NAME["admin_hours"].default) | (
            rules["inspection_hours"] < levers.BY_NAME["inspection_hours"].default
        )
        back = self.setting.world["task_return"] * cut
        offices["returned"] += (back - offices["returned"]) / 12.0
        drawn = self.setting.world["function_growth"] * rules["function_focus"]
        offices["grown"] += (drawn - offices["grown"]) / 12.0

    def _take_part(self, rules: np.ndarray) -> None:
        """Let residents join or drop out, community by community."""
        w, base = self.setting.world, self.setting.base
        unit = self.territory.unit
        shift = participation.threshold_shift(rules, w)[unit]
        self.participation = participation.participation_step(
            self.participation, base.thresholds, base.first_threshold,
            float(w["never"]), float(w["dropout"]), shift, before.JOINING,
        )  # fmt: skip

    def _organise(self, rules: np.ndarray) -> None:
        """Let social organisations grow or shrink with purchasing, donations and demand."""
        w, base, s = self.setting.world, self.setting.base, self.organisations
        monthly = base.people[s["office"]] * s["reach"] / 12.0
        purchased = rules["service_purchasing"][s["office"]] * monthly
        # donors and volunteers turn away as dependence grows, and come back as slowly as it falls
        crowded = np.maximum(s["dependence"] - base.organisations["dependence"], 0.0)
        donations = before.DONATIONS * monthly * (1.0 - CROWDING_OUT * crowded)
        help_given = rules["incubation"] - levers.BY_NAME["incubation"].default
        growth = GROWTH * (1.0 + INCUBATED_GROWTH * help_given[s["office"]])
        young = rules["incubation"][s["office"]] * INCUBATED_HOURS * (s["capacity"] == 0)
        moved = organisations.step(
            s["capacity"], s["funds"], s["dependence"], purchased=purchased, donations=donations,
            demand=self.territory.social[s["office"]] * s["reach"],
            unit_cost=float(w["organisation_cost"]), dependence_peak=float(w["dependence_peak"]),
            volunteer_gain=before.VOLUNTEER_GAIN, incubated=young, growth=growth, **SETTLING,
        )  # fmt: skip
        for name in ("capacity", "funds", "dependence", "service"):
            s[name] = getattr(moved, name)
        s["received"] += purchased + donations
        s["spent"] += moved.spending
