"""The city's institutions month by month: people, assessment, investment, money, posts."""

import numpy as np

from reformsim import rules as levers
from reformsim.cases.columns import Columns, groups_at
from reformsim.cases.demand import CROSS_MEAN, expect
from reformsim.cases.state import AGENDA, PERIOD_HOURS, T
from reformsim.chance import Purpose, normal_quantile, unit_draws, unit_key
from reformsim.city import City, layouts
from reformsim.institutions import (
    assessment,
    contest,
    effort,
    organisations,
    participation,
    treasury,
    workers,
)
from reformsim.institutions import columns as rows
from reformsim.institutions import hours as h
from reformsim.institutions.staff import YEAR_HOURS
from reformsim.model import baseline as before
from reformsim.model import orders, posts
from reformsim.scenario import Scenario, month_of, month_start

#: Burnout (assumed; they give 42 % some and 13 % heavy burnout at utilisation 0.85).
STRAIN_THRESHOLD, BURNOUT_BUILD, BURNOUT_RECOVERY = 0.8, 0.56, 0.056
TRAINING_GAIN = 2.0
#: Spread of satisfaction between residents that a survey samples (assumed).
SURVEY_SD = 0.15
#: Share of residents who, in a month, look anew at whether to take part (assumed).
JOINING = 0.5
#: Social organisations, monthly (assumed).
ORGANISATION = dict(growth=0.1, decay=0.3, reserve_months=6.0, memory=0.1, floor=20.0)
INCUBATED_HOURS = 60.0


class Administration:
    """Offices, workers, organisations, districts and their money: rows, and what moves them."""

    def __init__(self, city: City, scenario: Scenario, seed: int) -> None:
        """Start from the pre-reform state of the city."""
        self.city, self.scenario, self.seed = city, scenario, seed
        self.world = w = scenario.world()
        self.base = b = before.baseline(city, w)
        n, k = len(city.subdistricts), len(city.districts)
        plan = scenario.stations
        self.new_layout = (
            None
            if not scenario.brings("service_stations")
            else layouts.plan(city, plan.layout, plan.per, plan.sites)
        )
        self._changes = {0, *scenario.change_days()}
        self.rules = levers.pre_reform(n)
        self.offices = b.offices.copy()
        self.organisations = b.organisations.copy()
        self.participation = b.participation.copy()
        self.workers = self._workers()
        self.districts = np.zeros(k, rows.DISTRICT)
        self.districts["staff_share"] = 1.0
        self.books = posts.Books.of(n, k)
        self.grids_of = np.bincount(city.communities.subdistrict[city.grids.community], minlength=n)
        self.accounts = np.zeros(n, rows.ACCOUNT)
        self.district_accounts = np.zeros(k, rows.ACCOUNT)
        self.stations, self.station_demand = b.stations, b.demand.station
        self._moved = False
        self._seen = np.zeros((n, 2))
        #: Cross-department cases a year, by district: expected at first, then as they come.
        self.cross = np.bincount(city.communities.district, weights=b.demand.cross, minlength=k)
        self._cross_seen, self._since = np.zeros(k), 0
        self._open_economy()

    def act(self, columns: Columns, day: int, month: int | None, until: int) -> None:
        """Act at the start of ``day``: of a month, or (``month`` None) of a step of the reform."""
        if day > 0:
            posts.close_books(columns, self.attendance, self.books, float(day))
            self.offices["load"] = self.books.load[h.OFFICES]
            self.districts["load"] = self.books.hub_load
            self._watch_cross_cases(columns, day)
        if month:
            self._people(month)
            if month % 3 == 0:
                self._assess(columns, day, month)
        if month is not None and month % 12 == 0:
            treasury.new_year(self.accounts)
            treasury.new_year(self.district_accounts)
            self.books.hours[:] = 0.0
            if month:
                self._invest(month)
        if day in self._changes:
            self.rules = self.scenario.rules_at(day, self.city, self.seed)
            self.costs = self.scenario.costs_at(day, self.city)
            self._moved = True
        self._post(columns)
        self._pay(day, until)
        posts.staff_desks(
            columns, self.base, self.rules, self.world, self.offices, self.workers,
            self.districts, self.attendance, self.station_demand, self.seed, float(day),
            self.books,
        )  # fmt: skip

    def _workers(self) -> np.ndarray:
        n = len(self.city.grids)
        table = np.zeros(n, rows.WORKER)
        draws = [unit_draws(self.seed, int(Purpose.TURNOVER), w, np.arange(n)) for w in range(2)]
        table["burnout"] = [normal_quantile(u) for u in draws[0]]
        table["skill"] = orders.SKILL_BEFORE
        table["tenure"] = 24
        table["vacant"] = draws[1] > before.FILLED_BEFORE
        table["load"] = self.world["utilisation"]
        return table

    def _watch_cross_cases(self, columns: Columns, day: int) -> None:
        """Keep a moving mean, over about half a year, of what a hub would have to assemble."""
        cross = np.bincount(
            self.city.communities.district, weights=columns.tally[:, :, T["cross"]].sum(axis=1),
            minlength=len(self.cross),
        )  # fmt: skip
        days = day - self._since
        rate = (cross - self._cross_seen) * 365.0 / days
        self.cross += (1 - np.exp(-days / 180.0)) * (rate - self.cross)
        self._cross_seen, self._since = cross, day

    def _open_economy(self) -> None:
        """Start in the settled state of the investment contest, and transfer what that leaves."""
        w, b = self.world, self.base
        self.attendance = posts.attend(self.rules, w, self.offices, b.district, len(self.districts))
        self.districts["team_heads"] = self._team()
        u = unit_draws(self.city.seed, int(Purpose.TEAM), 0, np.arange(len(self.offices)))
        self.talent = np.exp(0.2 * np.array([normal_quantile(x) for x in u]))
        local, team = self._investment_heads()
        self.market = treasury.Investment(w, b.people, local, team)
        money = w["wage"] * self._heads_before()
        fee, share, rate = self.market.compete(local, team, self.talent, money)
        self.offices["projects"] = share * rate
        self.offices["project_revenue"] = share * rate * w["project_revenue"] * w["project_life"]
        self.offices["bids"] = fee * rate
        income, district_income = treasury.pool(self.offices["project_revenue"], b.district, w)
        self.accounts["transfer"] = money + self.offices["bids"] - income
        line = w["wage"] * (b.departments.sum(axis=1) + before.SEAT_HEADS * b.hotline)
        self.district_accounts["transfer"] = line - district_income

    def _heads_before(self) -> np.ndarray:
        o = self.base.offices
        return o["heads"] + o["station_heads"] + self.grids_of

    def _team(self) -> np.ndarray:
        """Investment team of each district: its subdistricts' lever, by residents."""
        size = self.rules["district_team_size"] * self.base.people / 1e5
        return np.bincount(self.base.district, weights=size, minlength=len(self.districts))

    def _investment_heads(self) -> tuple[np.ndarray, np.ndarray]:
        b = self.base
        local = self.offices["heads"] * self.offices["staff_share"]
        local = local * self.attendance.offices[:, h.A["investment"]]
        share = b.people / b.district_people[b.district]
        return local, self.districts["team_heads"][b.district] * share

    def _people(self, month: int) -> None:
        """A month in the lives of workers, participants and social organisations."""
        w, rules = self.world, self.rules
        unit = self.city.communities.subdistrict
        worker_unit = unit[self.city.grids.community]
        self.workers["load"] = self.books.load[h.GRIDS][worker_unit]
        reference = workers.reference_strain(
            float(w["utilisation"]), STRAIN_THRESHOLD, float(w["turnover"]), BURNOUT_BUILD
        )
        habits = dict(
            strain_threshold=STRAIN_THRESHOLD, reference_strain=reference, build=BURNOUT_BUILD,
            recovery=BURNOUT_RECOVERY, base_annual=float(w["turnover"]),
            fill_months=float(w["vacancy_months"]), learning=1 / float(w["learning_months"]),
            training_gain=TRAINING_GAIN, newcomer_skill=float(w["newcomer_skill"]),
        )  # fmt: skip
        table = self.workers
        table["burnout"], table["skill"], table["tenure"], table["vacant"], _ = workers.step(
            table["burnout"], table["skill"], table["tenure"], table["vacant"],
            post=np.arange(len(table)), utilisation=table["load"], overload=0.0, pay_z=0.0,
            training=w["training"], key=unit_key(self.seed, int(Purpose.TURNOVER), month)[0],
            **habits,
        )  # fmt: skip
        o = self.offices
        excess = effort.overload(o["effort_investment"], o["effort_residents"])
        o["burnout"], o["skill"], o["filled"], _ = workers.staff_step(
            o["burnout"], o["skill"], o["filled"], utilisation=o["load"], overload=excess,
            pay_z=0.0, training=w["training"], **habits,
        )  # fmt: skip
        cut = (rules["admin_hours"] < levers.BY_NAME["admin_hours"].default) | (
            rules["inspection_hours"] < levers.BY_NAME["inspection_hours"].default
        )
        o["returned"] += (w["task_return"] * cut - o["returned"]) / 12.0

        shift = -w["council_shift"] * rules["council_strength"][unit]
        self.participation = participation.participation_step(
            self.participation, self.base.thresholds, self.base.first_threshold,
            float(w["never"]), float(w["dropout"]), shift, JOINING,
        )  # fmt: skip
        s = self.organisations
        monthly = self.base.people[s["office"]] * s["reach"] / 12.0
        purchased = rules["service_purchasing"][s["office"]] * monthly
        donations = before.DONATIONS * monthly
        young = rules["incubation"][s["office"]] * INCUBATED_HOURS * (s["capacity"] == 0)
        moved = organisations.step(
            s["capacity"], s["funds"], s["dependence"], purchased=purchased, donations=donations,
            demand=self.base.social[s["office"]] * s["reach"],
            unit_cost=float(w["organisation_cost"]), dependence_peak=float(w["dependence_peak"]),
            volunteer_gain=before.VOLUNTEER_GAIN, incubated=young, **ORGANISATION,
        )  # fmt: skip
        for name in ("capacity", "funds", "dependence", "service"):
            s[name] = getattr(moved, name)
        s["received"] += purchased + donations
        s["spent"] += moved.spending

    def _assess(self, columns: Columns, day: int, month: int) -> None:
        """A quarter's survey, scores and ranks; offices move toward what they are assessed by."""
        w, o, rules = self.world, self.offices, self.rules
        unit = self.city.communities.subdistrict
        n = len(o)
        people = columns.pulse["people"]
        felt = np.concatenate([groups_at(d, float(day)) for d in columns.districts])
        total = np.bincount(unit, weights=np.nansum(felt * people, axis=1), minlength=n)
        people = np.bincount(unit, weights=people.sum(axis=1), minlength=n)
        o["surveyed"] = assessment.survey(
            total / people, SURVEY_SD, float(w["survey_size"]),
            unit_key(self.seed, int(Purpose.SURVEY), month)[0], np.arange(n),
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
        won = o["project_revenue"] / np.maximum(self.base.people, 1)
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
            o[name] = effort.imitate(own, o["score"], self.base.district, copying)

    def _invest(self, month: int) -> None:
        """A year's contest for projects; old projects fade, new ones pay from now on."""
        w, o = self.world, self.offices
        local, team = self._investment_heads()
        own = np.maximum(self.accounts["balance"], 0) + o["project_revenue"] * w["retained"]
        fee, share, rate = self.market.compete(local, team, self.talent, own)
        wins = contest.projects_won(
            share, rate, unit_key(self.seed, int(Purpose.PROJECTS), month)[0]
        )
        o["projects"] = wins
        o["bids"] = fee * rate
        fade = 1.0 - 1.0 / max(float(w["project_life"]), 1.0)
        o["project_revenue"] = fade * o["project_revenue"] + wins * w["project_revenue"]

    def _post(self, columns: Columns) -> None:
        """Write the rules in force into the rows that the case engine reads."""
        w, b = self.world, self.base
        unit = self.city.communities.subdistrict
        captured = before.share_captured(self.city, self.participation, w)
        orders.write_units(columns.units, self.rules, w, self.offices, captured)
        organised = before.organised_share(self.organisations, b.social)[unit]
        strength = self.rules["council_strength"][unit]
        orders.write_communities(columns.communities, self.participation, organised, strength, w)
        orders.write_grids(columns, self.rules, self.seed)
        if self._moved:
            self.stations = orders.write_stations(
                columns, self.rules, self.seed, b.layout, self.new_layout or b.layout
            )
            walk = before.mean_walk(self.city, columns.grids["walk"])
            self.station_demand = expect(
                w, columns.communities, columns.units, unit, before.need_weights(self.city), walk
            ).station
            self._moved = False
        self.attendance = posts.attend(self.rules, w, self.offices, b.district, len(self.districts))
        for k, d in enumerate(columns.districts):
            here = columns.slices(k)[0]
            people = b.people[here]
            mean = {
                name: float((self.rules[name][here] * people).sum() / people.sum())
                for name in (
                    "meeting_period",
                    "meeting_agenda",
                    "hub_capacity",
                    "follow_up",
                    "joint_dispatch",
                )
            }
            d.fixed[PERIOD_HOURS] = round(mean["meeting_period"] * 24)
            d.fixed[AGENDA] = max(round(mean["meeting_agenda"] * people.sum() / 1e5), 1)
            chase = mean["follow_up"] * w["chase_hours"] * CROSS_MEAN
            need = self.cross[k] * mean["joint_dispatch"] * (w["hub_hours"] + chase)
            share = self.attendance.departments[k, h.A["cases"]]
            self.districts["hub_heads"][k] = mean["hub_capacity"] * need / (YEAR_HOURS * share)
        self.districts["team_heads"] = self._team()

    def _pay(self, day: int, until: int) -> None:
        """Pay for the span to come: measures first, then bids, the rest buys staff."""
        w, b, o = self.world, self.base, self.offices
        years = (until - day) / 365.0
        ahead = (month_start(month_of(day) + 1) - day) / 365.0
        income, district_income = treasury.pool(o["project_revenue"], b.district, w)
        bought = self.rules["service_purchasing"] - levers.BY_NAME["service_purchasing"].default
        costs = (
            self.costs + w["station_cost"] * (self.stations - b.stations) + bought * b.people / 1e4
        )
        heads = treasury.pay(
            self.accounts, years, ahead, income, o["bids"], costs, self._heads_before(), w
        )
        flexible = b.offices["heads"] + b.offices["station_heads"]
        o["staff_share"] = np.maximum(heads - self.grids_of, 0.0) / flexible
        d = self.districts
        team_before = (
            np.bincount(b.district, weights=b.people, minlength=len(d))
            * levers.BY_NAME["district_team_size"].default
            / 1e5
        )
        line = b.departments.sum(axis=1) + before.SEAT_HEADS * b.hotline
        extra = w["wage"] * (d["hub_heads"] + d["team_heads"] - team_before)
        paid = treasury.pay(
            self.district_accounts, years, ahead, district_income, np.zeros(len(d)), extra, line, w
        )
        d["staff_share"] = paid / line
        share = b.people / b.district_people[b.district]
        spent = self.district_accounts["spending_rate"][b.district] * share
        self.spending = self.accounts["spending_rate"] + spent
