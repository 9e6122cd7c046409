"""The outcomes: pure functions of what a run counted, each with its unit and which way is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from reformsim.cases.state import BIN_FIRST, BIN_GROWTH, DESK_KINDS, WAITS, T
from reformsim.declared import Outcome

if TYPE_CHECKING:  # pandas is loaded by what makes a table: `reformsim check` makes none
    import pandas as pd

PERIODS = ("warm_up", "transition", "after")
COLUMNS = ("outcome", "value", "unit", "better", "level", "place", "period")
INTAKE_STAGES = ("intake_wait", "intake_work", "local_delay")


@dataclass(frozen=True)
class Totals:
    """What was counted for G groups (a city, its districts, …) over a period of ``years``.

    ``state`` holds means over the period, by name; NaN where a group has no such state.
    """

    tally: np.ndarray  # (G, counts) as in cases.state.TALLY
    days: np.ndarray  # (G, bins) closed cases by days
    still_open: np.ndarray  # (G, bins) cases open at the period's end, by days so far
    people: np.ndarray  # (G,)
    years: float
    state: dict[str, np.ndarray]  # each (G,)

    def n(self, name: str) -> np.ndarray:
        """Return one count, (G,)."""
        return self.tally[:, T[name]]


def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Divide, NaN where there is nothing to divide by."""
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=np.asarray(b) > 0)


def quantile_days(days: np.ndarray, q: float, still_open: np.ndarray | float = 0.0) -> np.ndarray:
    """Return the ``q`` quantile of days to close from logarithmic bins, (G,); interpolated.

    ``days`` and ``still_open`` have shape (G, bins). Cases still open count as closing later
    than they have waited (Kaplan & Meier 1958), so that a backlog does not look fast. Where
    fewer than ``q`` of cases close within the longest wait seen, that wait is returned: a lower
    bound.
    """
    still_open = np.broadcast_to(np.asarray(still_open, float), days.shape)
    seen = days + still_open
    at_risk = np.cumsum(seen[:, ::-1], axis=1)[:, ::-1]
    hazard = np.divide(days, at_risk, out=np.zeros(days.shape), where=at_risk > 0)
    closed = 1.0 - np.cumprod(1.0 - hazard, axis=1)
    row = np.arange(len(days))
    last = days.shape[1] - 1 - np.argmax(seen[:, ::-1] > 0, axis=1)
    reached = closed[row, last] >= q
    b = np.where(reached, np.argmax(closed >= q, axis=1), last)
    before = np.where(b > 0, closed[row, b - 1], 0.0)
    step = np.maximum(closed[row, b] - before, 1e-300)
    position = np.where(reached, b + np.clip((q - before) / step, 0.0, 1.0), last + 1.0)
    return np.where(days.sum(axis=1) > 0, BIN_FIRST * BIN_GROWTH**position, np.nan)


@dataclass(frozen=True)
class CaseShare:
    """A formula: of the cases counted under ``whole``, the share also counted under ``part``.

    Each case is one answer, yes or no: what a sample of the cases says can be drawn from the two.
    """

    part: tuple[str, ...]
    whole: tuple[str, ...]

    def __call__(self, t: Totals) -> np.ndarray:
        """Return the share, (G,); NaN without a case."""
        return ratio(_sum(t, self.part), self.cases(t))

    def cases(self, t: Totals) -> np.ndarray:
        """Return how many cases it is a share of, (G,)."""
        return _sum(t, self.whole)


def _sum(t: Totals, names: tuple[str, ...]) -> np.ndarray:
    return np.asarray(sum(t.n(name) for name in names))


#: Counts of the cases that have ended.
ENDED = ("closed", "lapsed", "orphaned")

Formula = Callable[[Totals], np.ndarray]

MEASURED: tuple[tuple[Outcome, Formula], ...] = (
    (Outcome("satisfaction", "0–1", "higher", "satisfaction of all residents, mean over time", "全体居民满意度", True, label="residents' satisfaction"),
     lambda t: t.state["satisfaction"]),
    (Outcome("case_satisfied", "share", "higher", "callers content with their case", "诉求人满意率", True, label="share of callers satisfied"),
     CaseShare(("content",), ("felt",))),
    (Outcome("true_solution_rate", "share", "higher", "ended cases that were truly solved", "真实解决率", True, label="share of cases truly solved"),
     CaseShare(("solved",), ENDED)),
    (Outcome("measured_solution_rate", "share", "neither", "ended cases that count as solved", "台账解决率", label="share solved on record"),
     CaseShare(("measured",), ENDED)),
    (Outcome("problem_days", "days per resident-year", "lower", "days with an unsolved problem, silent ones included", "人均问题存续天数", True, label="time with a problem"),
     lambda t: ratio(t.n("problem_days"), t.people * t.years)),
    (Outcome("median_days", "days", "lower", "median days from voice to closing", "办结中位天数", True, label="median time to close"),
     lambda t: quantile_days(t.days, 0.5, t.still_open)),
    (Outcome("p90_days", "days", "lower", "days within which nine of ten are closed", "九成事项的办结天数", True, label="time to close nine in ten"),
     lambda t: quantile_days(t.days, 0.9, t.still_open)),
    (Outcome("needs", "per resident-year", "neither", "needs that arose", "需求数", label="number of needs"),
     lambda t: ratio(t.n("needs"), t.people * t.years)),
    (Outcome("silent_share", "share of needs", "lower", "needs nobody heard of or found", "沉默需求比例", True, label="share of needs left silent"),
     lambda t: ratio(t.n("silent") - t.n("found"), t.n("needs"))),
    (Outcome("self_solved_share", "share of needs", "neither", "settled among neighbours", "邻里自行解决比例", label="share settled among neighbours"),
     lambda t: ratio(t.n("self_solved"), t.n("needs"))),
    (Outcome("hotline_contacts", "per resident-year", "neither", "calls to the hotline", "热线诉求量", label="use of the hotline"),
     lambda t: ratio(t.n("hotline"), t.people * t.years)),
    (Outcome("station_contacts", "per resident-year", "neither", "trips to a station", "服务站办事量", label="use of stations"),
     lambda t: ratio(t.n("station"), t.people * t.years)),
    (Outcome("grid_events", "per resident-year", "neither", "told to or found by grid workers", "网格事件量", label="rate of grid events"),
     lambda t: ratio(t.n("grid") + t.n("found"), t.people * t.years)),
    (Outcome("settled_at_intake", "share", "neither", "answered at intake, without dispatch", "首接即办比例", label="share settled at intake"),
     lambda t: ratio(t.n("settled"), t.n("voiced") + t.n("found"))),
    (Outcome("to_departments", "share of visits", "neither", "visits to line departments", "派往部门比例", label="share of visits to departments"),
     lambda t: ratio(t.n("to_department"), t.n("visits"))),
    (Outcome("transfers", "per dispatched case", "lower", "returns and re-dispatches", "每件转派次数", True, label="rate of transfers"),
     lambda t: ratio(t.n("transfers"), t.n("dispatched"))),
    (Outcome("visits", "per dispatched case", "lower", "visits to desks, wrong ones and second rounds included", "每件经手科室次数", True, label="number of desks a case visits"),
     lambda t: ratio(t.n("visits"), t.n("dispatched"))),
    (Outcome("lost_share", "share", "lower", "ended cases that lapsed or were orphaned", "流失与无主比例", True, label="share lapsed or orphaned"),
     CaseShare(("lapsed", "orphaned"), ENDED)),
    (Outcome("sham_share", "share of closings", "lower", "closed on paper only", "虚假办结比例", True, label="share closed on paper only"),
     CaseShare(("sham",), ("closed",))),
    (Outcome("walk", "km", "lower", "mean way of a station trip", "到站平均距离", True, label="way to the station"),
     lambda t: ratio(t.n("walk"), t.n("station"))),
    (Outcome("within_15_minutes", "share of residents", "higher", "live within 15 minutes of their station", "15分钟可达居民比例", True, label="access within 15 minutes"),
     lambda t: t.state["within_15"]),
    (Outcome("open_cases", "per 1,000 residents", "lower", "open cases, mean of month ends", "在办件（每千人）", label="backlog of open cases"),
     lambda t: 1000.0 * ratio(t.state["open_cases"], t.people)),
    (Outcome("participation", "share of residents", "higher", "take part in community affairs", "参与社区事务比例", True),
     lambda t: t.state["participation"]),
    (Outcome("communities_tipped", "share of residents", "neither", "live in communities past the tipping point of participation", "越过参与临界点的居民比例", label="share past the tipping point"),
     lambda t: t.state["tipped"]),
    (Outcome("order_days", "days", "lower", "days that public-order cases are open, per case", "公共秩序事项平均在办天数", True, label="time of public-order cases"),
     lambda t: ratio(t.n("order_days"), t.n("order"))),
    (Outcome("order_response", "per case heard of", "higher", "public-order cases closed within the promise of a local settlement", "公共秩序事项及时处置比例", label="prompt public-order response"),
     lambda t: ratio(t.n("order_prompt"), t.n("order"))),
    (Outcome("firm_days", "days", "lower", "days that firms' requests are open, per request", "企业诉求平均在办天数", label="time of firms' requests"),
     lambda t: ratio(t.n("firm_days"), t.n("firms"))),
    (Outcome("cross_days", "days", "lower", "days that dispatched cases of several departments are open, per case", "跨部门事项平均在办天数", True, label="time of cross-department cases"),
     lambda t: ratio(t.n("cross_days"), t.n("cross"))),
    (Outcome("escalated", "per dispatched case", "neither", "times that a stuck case climbed", "每件逐级上报次数", label="rate of escalation"),
     lambda t: ratio(t.n("escalated"), t.n("dispatched"))),
    (Outcome("firm_satisfaction", "0–1", "higher", "performance that firms have come to know", "企业满意度", True, label="firms' satisfaction"),
     lambda t: t.state["firm_satisfaction"]),
    (Outcome("firms", "times pre-reform number", "higher", "firms in business", "存续企业（改革前为1）", label="number of firms"),
     lambda t: t.state["firms"]),
    (Outcome("market_supply", "times pre-reform supply", "neither", "life services of the market", "生活性服务业供给（改革前为1）", label="supply of market services"),
     lambda t: t.state["supply"]),
    (Outcome("organised_share", "share of eligible cases", "neither", "served by social organisations", "社会组织承接比例", label="share served by organisations"),
     lambda t: t.state["organised"]),
    (Outcome("utilisation", "share", "neither", "use of case hours at subdistrict offices", "街道科室利用率", label="use of office hours"),
     lambda t: t.state["utilisation"]),
    (Outcome("load_gap", "share", "lower", "spread (sd) of that use between subdistricts", "街道之间利用率的差距", True, label="gap in subdistricts' load"),
     lambda t: t.state["load_gap"]),
    (Outcome("practice_fit", "share of speed", "higher", "working speed that offices' ways of working leave", "做法适宜度", True, label="fit of ways of working"),
     lambda t: t.state["practice_fit"]),
    (Outcome("practice_spread", "index", "neither", "spread (sd) of ways of working between subdistricts", "街道之间做法差异", label="spread of ways of working"),
     lambda t: t.state["practice_spread"]),
    (Outcome("case_hours", "share of paid hours", "neither", "hours on cases at subdistrict offices", "街道用于办件的工时比例", label="office time on cases"),
     lambda t: t.state["case_hours"]),
    (Outcome("burden_hours", "share of paid hours", "lower", "meetings, inspections, administration of front-line workers", "基层会议、迎检与行政工时比例", True, label="time lost to meetings and paper"),
     lambda t: t.state["burden_hours"]),
    (Outcome("slack_hours", "share of paid hours", "neither", "hours without work at subdistrict offices", "街道闲置工时比例", label="idle office time"),
     lambda t: t.state["slack_hours"]),
    (Outcome("burnout", "share of grid workers", "lower", "with some burnout", "有职业倦怠的网格员比例", True, label="burnout of grid workers"),
     lambda t: t.state["burnout"]),
    (Outcome("heavy_burnout", "share of grid workers", "lower", "with heavy burnout", "重度职业倦怠的网格员比例", label="heavy burnout of grid workers"),
     lambda t: t.state["heavy_burnout"]),
    (Outcome("turnover", "per year", "lower", "grid workers who quit, for each in post; promotions apart", "网格员年流失率（不含晋升）", label="turnover of grid workers"),
     lambda t: t.state["turnover"]),
    (Outcome("skill", "share of full skill", "higher", "mean skill of grid workers and office staff in post", "网格员与街道人员平均能力", label="skill of front-line workers"),
     lambda t: t.state["skill"]),
    (Outcome("vacant_posts", "share", "lower", "grid posts without a worker", "网格员空岗比例", label="share of vacant grid posts"),
     lambda t: t.state["vacant"]),
    (Outcome("effort_residents", "index", "neither", "effort e2 of offices for residents", "街道为民服务努力度", label="effort for residents"),
     lambda t: t.state["effort_residents"]),
    (Outcome("effort_investment", "index", "neither", "effort e1 of offices for investment", "街道招商努力度", label="effort for investment"),
     lambda t: t.state["effort_investment"]),
    (Outcome("effort_spread", "index", "neither", "standard deviation of effort for residents between offices", "街道为民服务努力度差异", label="spread of effort for residents"),
     lambda t: t.state["effort_spread"]),
    (Outcome("staff", "share of pre-reform posts", "neither", "office and station heads that the money buys", "可负担的街道与站点人员", label="staff the money buys"),
     lambda t: t.state["staff"]),
    (Outcome("revenue", "yuan per resident-year", "higher", "own revenue from investment projects", "招商项目财政收入", True, label="revenue from investment"),
     lambda t: 1e4 * ratio(t.state["revenue"], t.people)),
    (Outcome("cost_per_solved", "yuan", "lower", "public money for each truly solved case", "每件真实解决的公共成本", True, label="cost per solved case"),
     lambda t: ratio(t.state["spending"] * 1e4 * t.years, t.n("solved"))),
    (Outcome("measures_cost", "share of the transfer", "lower", "yearly cost of the measures in force, beyond what was paid before", "措施年度成本占转移支付比例", label="cost of the measures"),
     lambda t: ratio(t.state["measures"], t.state["transfer"])),
    (Outcome("satisfaction_gini", "0–1", "lower", "Gini of satisfaction between communities and age groups", "满意度基尼系数", label="Gini of satisfaction"),
     lambda t: t.state["gini"]),
    (Outcome("satisfaction_theil", "index", "lower", "Theil index of satisfaction between communities and age groups", "满意度泰尔指数", label="Theil index of satisfaction"),
     lambda t: t.state["theil"]),
    (Outcome("theil_between_districts", "index", "lower", "the part of it between districts", "泰尔指数：区县之间", label="Theil index between districts"),
     lambda t: t.state["theil_between"]),
    (Outcome("theil_within_districts", "index", "lower", "the part of it within districts", "泰尔指数：区县之内", label="Theil index within districts"),
     lambda t: t.state["theil_within"]),
    (Outcome("waits_gini", "0–1", "lower", "Gini of days to close between communities and age groups", "办结天数基尼系数", label="Gini of days to close"),
     lambda t: t.state["waits_gini"]),
    (Outcome("access_gini", "0–1", "lower", "Gini of the way to a station between communities", "到站距离基尼系数", label="Gini of ways to stations"),
     lambda t: t.state["access_gini"]),
    (Outcome("urban_rural_gap", "0–1", "lower", "satisfaction in town minus country, absolute", "城乡满意度差距", label="urban-rural satisfaction gap"),
     lambda t: t.state["urban_rural_gap"]),
    (Outcome("old_young_gap", "0–1", "lower", "satisfaction of younger minus older residents, absolute", "老少满意度差距", label="old-young satisfaction gap"),
     lambda t: t.state["old_young_gap"]),
    (Outcome("environment_quality", "0–1", "higher", "quality of the environment where residents live", "居住环境质量", True, label="quality of the environment"),
     lambda t: t.state["quality"]),
    (Outcome("facilities", "0–1", "higher", "usable level of facilities against the standard, by residents", "可用设施水平", True, label="level of facilities"),
     lambda t: t.state["facilities"]),
    (Outcome("facilities_gini", "0–1", "lower", "Gini of facilities between communities", "设施基尼系数", label="Gini of facilities"),
     lambda t: t.state["facilities_gini"]),
    (Outcome("new_estates_served", "0–1", "higher", "usable level of facilities in new estates, by residents", "新建小区设施水平", label="facility level in new estates"),
     lambda t: t.state["new_estates_served"]),
    (Outcome("town_residents", "share of residents", "neither", "live in communities first in line to be designated towns", "特色镇候选社区居民比例", label="share in candidate towns"),
     lambda t: t.state["town_residents"]),
)  # fmt: skip


@dataclass(frozen=True)
class Goal:
    """One of the five goals of the source, as the plain mean of its scaled components.

    A component is (outcome, value at 0, value at 1): clip((x − at 0)/(at 1 − at 0)). The list,
    the equal weights and the bounds are declared, not estimated: an index says no more than its
    components do.
    """

    name: str
    zh: str
    components: tuple[tuple[str, float, float], ...]


GOALS: tuple[Goal, ...] = (
    Goal("quality", "品质", (("true_solution_rate", 0.5, 1), ("p90_days", 120, 0), ("within_15_minutes", 0, 1), ("facilities", 0, 1))),
    Goal("vitality", "活力", (("participation", 0, 0.6), ("organised_share", 0, 0.9), ("revenue", 0, 100))),
    Goal("beauty", "美丽", (("environment_quality", 0, 1), ("problem_days", 1000, 0))),
    Goal("culture", "人文", (("self_solved_share", 0, 0.4), ("old_young_gap", 0.1, 0), ("facilities", 0, 1))),
    Goal("harmony", "和谐", (("satisfaction", 0, 1), ("sham_share", 0.3, 0), ("lost_share", 0.2, 0), ("order_days", 60, 0))),
)  # fmt: skip

FORMULAS: dict[str, Formula] = {outcome.name: formula for outcome, formula in MEASURED}

#: The outcomes that a sample of cases can measure, by name.
CASE_SHARES = {name: f for name, f in FORMULAS.items() if isinstance(f, CaseShare)}


def goal_index(goal: Goal, t: Totals) -> np.ndarray:
    """Return the index of a goal, (G,) in [0, 1]; NaN where a component is."""
    parts = [
        np.clip((FORMULAS[name](t) - worst) / (best - worst), 0.0, 1.0)
        for name, worst, best in goal.components
    ]
    return np.asarray(np.mean(parts, axis=0))


TABLE: tuple[tuple[Outcome, Formula], ...] = (
    *MEASURED,
    *(
        (Outcome(goal.name, "0–1", "higher", f"the goal of {goal.name}, an index", f"{goal.zh}指数", label=f"index of {goal.name}"), partial(goal_index, goal))
        for goal in GOALS
    ),
)  # fmt: skip

OUTCOMES: tuple[Outcome, ...] = tuple(outcome for outcome, _ in TABLE)
BY_NAME: dict[str, Outcome] = {outcome.name: outcome for outcome in OUTCOMES}
HEADLINES: tuple[str, ...] = tuple(o.name for o in OUTCOMES if o.headline)


def table(groups: list[tuple[str, list[str], str, Totals]]) -> pd.DataFrame:
    """Return outcomes as rows: outcome, value, unit, better, level, place, period.

    ``groups`` lists (level, places, period, totals). Outcomes that a level does not have are
    left out.
    """
    import pandas as pd

    told = [(outcome.name, outcome.unit, outcome.better) for outcome, _ in TABLE]
    name, unit, better = (np.array(column, object) for column in zip(*told, strict=True))
    frames = []
    for level, places, period, totals in groups:
        values = np.array([formula(totals) for _, formula in TABLE], float)
        of, at = np.nonzero(np.isfinite(values))
        columns = (
            name[of],
            values[of, at],
            unit[of],
            better[of],
            level,
            np.array(places)[at],
            period,
        )
        frames.append(pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))))
    if not frames:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(frames, ignore_index=True)


def vector(totals: Totals) -> dict[str, float]:
    """Return all outcomes of a single group as numbers, NaN where there is none."""
    return {outcome.name: float(formula(totals)[0]) for outcome, formula in TABLE}


#: Not told month by month. Most cases open at a month's end came before it: set against what was
#: closed in it they make a quantile of days a mere bound, whatever is done.
OF_LONG_PERIODS = ("median_days", "p90_days", "quality")


def of_month(totals: Totals) -> dict[str, float]:
    """Return the outcomes of a single group in a month, without those of ``OF_LONG_PERIODS``."""
    return {name: x for name, x in vector(totals).items() if name not in OF_LONG_PERIODS}


def curves(months: list[Totals], days: list[int]) -> pd.DataFrame:
    """Return the outcomes of a single group by month: month, day (its end), outcome, value."""
    import pandas as pd

    rows = [
        (month, day, name, value)
        for month, (day, totals) in enumerate(zip(days, months, strict=True))
        for name, value in of_month(totals).items()
    ]
    return pd.DataFrame(rows, columns=["month", "day", "outcome", "value"])


def panel(months: list[Totals], days: list[int], names: Sequence[str]) -> pd.DataFrame:
    """Return the outcomes ``names`` of all groups by month: month, day, group, outcome, value, cases.

    ``cases`` is how many cases a share is of, NaN for what is no share of cases.
    """
    import pandas as pd

    formulas = {outcome.name: formula for outcome, formula in TABLE}
    rows = [
        (month, day, group, name, value, cases)
        for month, (day, totals) in enumerate(zip(days, months, strict=True))
        for name in names
        for group, (value, cases) in enumerate(
            zip(formulas[name](totals), _cases(name, totals), strict=True)
        )
    ]
    return pd.DataFrame(rows, columns=["month", "day", "group", "outcome", "value", "cases"])


def _cases(name: str, totals: Totals) -> np.ndarray:
    share = CASE_SHARES.get(name)
    return share.cases(totals) if share else np.full(len(totals.people), np.nan)


def waits(spans: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Return where cases spend their days: kind, outcome, value, period.

    ``spans`` holds for each period the counts of the city, the summed days by stage, and
    (2, kinds of desk) visits with the days waited. Rows of kind "wait" are mean days by stage:
    of intake over all cases heard of, of the others over dispatched cases; parallel parts add up,
    so that the sum over stages may exceed the days from voice to closing. Rows of kind "desk" are
    the mean days from coming to a desk until service begins there, over visits that have ended, and
    missing where there was none; "visits" are these visits for 100 needs.
    """
    import pandas as pd

    rows: list[tuple[str, str, float, str]] = []
    for period, (counts, stages, (visits, waited)) in spans.items():
        heard, dispatched = counts[T["voiced"]] + counts[T["found"]], counts[T["dispatched"]]
        for stage, days in zip(WAITS, stages, strict=True):
            cases = heard if stage in INTAKE_STAGES else dispatched
            rows.append(("wait", stage, days / max(cases, 1.0), period))
        for desk, n, days in zip(DESK_KINDS, visits, waited, strict=True):
            rows.append(("visits", desk, 100 * n / max(counts[T["needs"]], 1.0), period))
            if n > 0:
                rows.append(("desk", desk, days / n, period))
    return pd.DataFrame(rows, columns=["kind", "outcome", "value", "period"])
