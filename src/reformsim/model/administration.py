"""The city's institutions month by month: assessment, the rules in force, posts."""

import numpy as np

from reformsim import rules as levers
from reformsim.cases.columns import Columns
from reformsim.cases.demand import CROSS_MEAN, expect
from reformsim.cases.state import AGENDA, PERIOD_HOURS, T
from reformsim.city import City, layouts
from reformsim.institutions import columns as rows
from reformsim.institutions import hours as h
from reformsim.institutions.staff import YEAR_HOURS
from reformsim.model import baseline as before
from reformsim.model import orders, posts
from reformsim.model.appraisal import Appraisal
from reformsim.model.business import Business
from reformsim.model.economy import Economy
from reformsim.model.people import People
from reformsim.model.places import Places
from reformsim.model.structure import Structure
from reformsim.scenario import YEAR, Scenario, month_of, month_start

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
        self.structure = Structure(self.setting, scenario.premises.mode, self.rules)
        self.people = People(self.setting, self.structure.territory)
        self.places = Places(self.setting)
        self.business = Business(self.setting)
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
        self.appraisal = Appraisal(self.setting)
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
            self.business.live(columns, self.rules, day - month_start(month - 1))
            if month % 3 == 0:
                self.appraisal.assess(columns, day, month, self.rules, self.offices)
        if month is not None and month % 12 == 0:
            self.economy.new_year()
            self.books.hours[:] = 0.0
        changed = day in self._changes
        if changed:
            seed, city = self.setting.seed, self.setting.city
            self.rules = self.scenario.rules_at(day, city, seed)
            self.paid = self.scenario.rules_at(day, city, seed, in_full=True)
            self.costs = self.scenario.costs_at(day, city)
        self.structure.act(columns, day, month, self.rules, self.paid, changed)
        new_year = month is not None and month > 0 and month % 12 == 0
        if new_year:
            self.places.live(columns, day, self.rules, self.people.participation)
        self._order(columns, day, changed, new_year)
        self._staff_districts(columns)
        if month and new_year:
            teams = self.districts["team_heads"]
            self.economy.invest(
                month, self.offices, teams, self._investing(), self.business.climate()
            )
        years, ahead = (until - day) / YEAR, (month_start(month_of(day) + 1) - day) / YEAR
        self.economy.pay(
            years, ahead, self.offices, self.districts, self.paid, self._team(self.paid),
            self.costs + self.structure.costs, self.stations,
        )  # fmt: skip
        posts.staff_desks(
            columns, self.setting, self.rules, self.offices, self.people.workers, self.districts,
            self.attendance, self.station_demand, self.structure, float(day), self.books,
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

    def _order(self, columns: Columns, day: int, changed: bool, moved: bool) -> None:
        """Write the rules in force into the rows that the case engine reads."""
        w, city, base = self.setting.world, self.setting.city, self.setting.base
        unit = columns.serving()
        orders.write_units(
            columns.units, self.rules, w, self.offices,
            self.people.captured(self.places.residents),
        )  # fmt: skip
        orders.write_communities(
            columns.communities, self.people.participation,
            self.people.organised(self.rules)[unit], self.rules[unit], w,
        )  # fmt: skip
        supply = self.business.table["supply"]
        orders.write_services(columns.communities, self.rules, unit, supply, w, self.setting.seed)
        orders.write_grids(columns, self.rules, self.setting.seed)
        orders.write_premises(columns, self.structure.space, self.structure.days, w)
        self.places.enforce(self.rules, unit, day)
        mix = self.places.mix()
        orders.write_needs(columns.accept, mix, w)
        if changed:
            self.stations = orders.write_stations(
                columns, self.rules, self.setting.seed, base.layout, self.layout
            )
        if changed or moved:
            walk = before.mean_walk(city, columns.grids["walk"])
            now = self.places.residents / city.communities.population
            weight = before.need_weights(city) * now[:, None]
            self.station_demand = expect(
                w, base.communities, base.units, city.communities.subdistrict, mix, weight, walk
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
