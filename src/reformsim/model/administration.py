"""The city's institutions month by month: assessment, the rules in force, posts."""

import numpy as np

from reformsim import rules as levers
from reformsim.cases.columns import Columns, groups_at
from reformsim.cases.demand import CROSS_MEAN, expect
from reformsim.cases.state import AGENDA, PERIOD_HOURS, T
from reformsim.chance import Purpose, unit_key
from reformsim.city import City, layouts
from reformsim.institutions import assessment, effort
from reformsim.institutions import columns as rows
from reformsim.institutions import hours as h
from reformsim.institutions.staff import YEAR_HOURS
from reformsim.model import baseline as before
from reformsim.model import orders, posts
from reformsim.model.economy import Economy
from reformsim.model.people import People
from reformsim.scenario import YEAR, Scenario, month_of, month_start

#: Spread of satisfaction between residents that a survey samples (assumed).
SURVEY_SD = 0.15
#: Days over which a district's mean of cross-department cases forgets (assumed).
HUB_MEMORY = 180.0


class Administration:
    """Offices and districts under the rules in force, with their people and their money."""

    def __init__(self, city: City, scenario: Scenario, seed: int) -> None:
        """Start from the pre-reform state of the city."""
        world = scenario.world()
        self.setting = before.Setting(city, world, before.baseline(city, world), seed)
        self.scenario = scenario
        b = self.setting.base
        n, k = len(city.subdistricts), len(city.districts)
        self.rules, self.costs = levers.pre_reform(n), np.zeros(n)
        self.paid = self.rules  # as if every unit realised in full what it pays for
        self.offices = b.offices.copy()
        self.districts = np.zeros(k, rows.DISTRICT)
        self.districts["staff_share"] = 1.0
        self.districts["team_heads"] = self._team(self.rules)
        self.attendance = self._attend()
        self.people = People(self.setting)
        self.economy = Economy(
            self.setting, self.offices, self.districts["team_heads"], self._investing()
        )
        self.books = posts.Books.of(n, k)
        self.layout = b.layout
        if scenario.brings("service_stations"):
            plan = scenario.stations
            self.layout = layouts.plan(city, plan.layout, plan.per, plan.sites)
        self.stations, self.station_demand = b.stations, b.demand.station
        self._changes = {0, *scenario.change_days()}
        self._seen = np.zeros((n, 2))
        #: Cross-department cases a year, by district: expected at first, then as they come.
        self.cross = np.bincount(city.communities.district, weights=b.demand.cross, minlength=k)
        self._cross_seen, self._since = np.zeros(k), 0

    def act(self, columns: Columns, day: int, month: int | None, until: int) -> None:
        """Act at the start of ``day``: of a month, or (``month`` None) of a step of the reform."""
        if day > 0:
            posts.close_books(columns, self.attendance, self.books, float(day))
        if month:
            self.books.close_month()
            self.offices["load"] = self.books.load[h.OFFICES]
            self.districts["load"] = self.books.hub_load
            self._watch_cross_cases(columns, day)
            self.people.live(month, self.rules, self.offices, self.books)
            if month % 3 == 0:
                self._assess(columns, day, month)
        if month is not None and month % 12 == 0:
            self.economy.new_year()
            self.books.hours[:] = 0.0
        changed = day in self._changes
        if changed:
            seed, city = self.setting.seed, self.setting.city
            self.rules = self.scenario.rules_at(day, city, seed)
            self.paid = self.scenario.rules_at(day, city, seed, in_full=True)
            self.costs = self.scenario.costs_at(day, city)
        self._order(columns, changed)
        self._staff_districts(columns)
        if month and month % 12 == 0:
            teams = self.districts["team_heads"]
            self.economy.invest(month, self.offices, teams, self._investing())
        years, ahead = (until - day) / YEAR, (month_start(month_of(day) + 1) - day) / YEAR
        self.economy.pay(
            years, ahead, self.offices, self.districts, self.paid, self._team(self.paid),
            self.costs, self.stations,
        )  # fmt: skip
        posts.staff_desks(
            columns, self.setting, self.rules, self.offices, self.people.workers, self.districts,
            self.attendance, self.station_demand, float(day), self.books,
        )  # fmt: skip

    def _attend(self) -> posts.Attendance:
        b = self.setting.base
        return posts.attend(
            self.rules, self.setting.world, self.offices, b.people, b.district,
            len(self.districts),
        )  # fmt: skip

    def _investing(self) -> np.ndarray:
        return self.attendance.offices[:, h.A["investment"]]

    def _team(self, rules: np.ndarray) -> np.ndarray:
        """Investment team of each district: its subdistricts' lever, by residents."""
        b = self.setting.base
        size = rules["district_team_size"] * b.people / 1e5
        return np.bincount(b.district, weights=size, minlength=len(self.districts))

    def _watch_cross_cases(self, columns: Columns, day: int) -> None:
        """Keep a moving mean of what a hub would have to assemble."""
        district = self.setting.city.communities.district
        seen = columns.tally[:, :, T["cross"]].sum(axis=1)
        cross = np.bincount(district, weights=seen, minlength=len(self.cross))
        days = day - self._since
        rate = (cross - self._cross_seen) * 365.0 / days
        self.cross += (1 - np.exp(-days / HUB_MEMORY)) * (rate - self.cross)
        self._cross_seen, self._since = cross, day

    def _assess(self, columns: Columns, day: int, month: int) -> None:
        """A quarter's survey, scores and ranks; offices move toward what they are assessed by."""
        w, o, rules = self.setting.world, self.offices, self.rules
        unit = self.setting.city.communities.subdistrict
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

    def _order(self, columns: Columns, changed: bool) -> None:
        """Write the rules in force into the rows that the case engine reads."""
        w, city, base = self.setting.world, self.setting.city, self.setting.base
        unit = city.communities.subdistrict
        orders.write_units(columns.units, self.rules, w, self.offices, self.people.captured())
        orders.write_communities(
            columns.communities, self.people.participation, self.people.organised()[unit],
            self.rules["council_strength"][unit], w,
        )  # fmt: skip
        orders.write_grids(columns, self.rules, self.setting.seed)
        if changed:
            self.stations = orders.write_stations(
                columns, self.rules, self.setting.seed, base.layout, self.layout
            )
            walk = before.mean_walk(city, columns.grids["walk"])
            weight = before.need_weights(city)
            self.station_demand = expect(
                w, base.communities, base.units, unit, weight, walk
            ).station

    def _staff_districts(self, columns: Columns) -> None:
        """Set the rhythm of conferences, and the heads of hubs and investment teams."""
        w, b = self.setting.world, self.setting.base
        self.attendance = self._attend()
        rules = posts.by_district(self.rules, b.people, b.district, len(self.districts))
        for d, rule, people in zip(columns.districts, rules, b.district_people, strict=True):
            d.fixed[PERIOD_HOURS] = round(rule["meeting_period"] * 24)
            d.fixed[AGENDA] = max(round(rule["meeting_agenda"] * people / 1e5), 1)
        paid = posts.by_district(self.paid, b.people, b.district, len(self.districts))
        hours = w["hub_hours"] + paid["follow_up"] * w["chase_hours"] * CROSS_MEAN
        need = self.cross * paid["joint_dispatch"] * hours
        share = self.attendance.departments[:, h.A["cases"]]
        self.districts["hub_heads"] = paid["hub_capacity"] * need / (YEAR_HOURS * share)
        self.districts["team_heads"] = self._team(self.rules)
