"""The reference of all parameters as Markdown, written from where each of them is declared.

``docs/parameters.md`` is this text; a test holds the file to it. Nothing is typed here but
what the code does not say: what the constants of single modules mean.
"""

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel

from reformsim.categories import CATEGORIES, MIX, MULTI
from reformsim.city import COMMUNITY_TYPES, CityConfig
from reformsim.measures import MEASURES, Measure
from reformsim.outcomes import GOALS, OUTCOMES
from reformsim.rules import LEVERS
from reformsim.uncertainties import BY_NAME as FACTS
from reformsim.uncertainties import UNCERTAINTIES

#: The command that writes the file, as the file itself and its test name it.
COMMAND = "uv run reformsim reference -o docs/parameters.md"

HEAD = f"""# Parameters

Generated from the declarations in the code by `{COMMAND}`;
do not edit. What each of them does is told in [model.md](model.md).
"""


class Constant(NamedTuple):
    """An assumed number that a module holds under a name."""

    module: str
    name: str
    meaning: str


class InPlace(NamedTuple):
    """An assumed number that a module writes in place: ``text`` has {} where the number stands."""

    module: str
    text: str
    meaning: str


CONSTANTS: tuple[Constant, ...] = (
    Constant("cases.clock", "CALENDARS",
             "rows: always open, offices, hotline; opening hour, hours a day, days a week"),
    Constant("cases.engine", "WAKE", "hour of the day from which needs arise"),
    Constant("cases.engine", "AWAKE_HOURS", "hours of the day in which needs arise, uniformly"),
    Constant("cases.dispatch", "LAST_ATTEMPT",
             "returns of one part after which it is sent right; a bound of the bookkeeping"),
    Constant("city.layouts", "DETOUR", "way on foot against the straight line"),
    Constant("city.layouts", "FIFTEEN_MINUTES", "km in 15 minutes on foot (model.md §5)"),
    Constant("city.layouts", "FIFTEEN_MINUTES_OLD", "the same for older residents"),
    Constant("city.layouts", "BEFORE_PER", "communities for each station before the reform"),
    Constant("city.recipe", "RELAXATIONS", "rounds of relaxation of the cells of the map"),
    Constant("institutions.staff", "FEWEST_HEADS", "least staff of an open desk, heads"),
    Constant("institutions.staff", "WEEK_HOURS", "paid hours of a head in a week"),
    Constant("institutions.hours", "MOST_BURDEN", "burdens take at most this share of paid hours"),
    Constant("model.economy", "MOST_OWN_REVENUE", "most of a budget that projects may pay for"),
    Constant("institutions.contest", "TOKEN", "bid against nobody, share of the prize"),
    Constant("institutions.workers", "SOME", "burnout score from which a worker has some burnout"),
    Constant("institutions.workers", "HEAVY", "burnout score from which it is heavy"),
    Constant("institutions.workers", "BETA_BURNOUT",
             "standardised effect of burnout on leaving (model.md §5)"),
    Constant("institutions.workers", "BETA_PAY",
             "standardised effect of pay on leaving (model.md §5)"),
    Constant("institutions.participation", "ORGANISABILITY",
             "how easily compounds govern themselves, by type of community"),
    Constant("model.appraisal", "SURVEY_SD", "spread of answers in an assessment survey"),
    Constant("model.appraisal", "USUAL_QUARTERS",
             "quarters of the moving mean of what a unit usually achieves"),
    Constant("model.administration", "HUB_MEMORY",
             "days of the moving mean of cross-department cases that sizes the hub"),
    Constant("model.people", "STRAIN_THRESHOLD", "utilisation above which work strains"),
    Constant("model.people", "BURNOUT_BUILD", "burnout score a month per unit of strain"),
    Constant("model.people", "BURNOUT_RECOVERY", "share of a burnout score lost a month"),
    Constant("model.baseline", "JOINING",
             "share of residents who reconsider in a month whether to take part"),
    Constant("model.people", "GROWTH", "capacity gap that social organisations close a month"),
    Constant("model.people", "SETTLING",
             "social organisations: capacity gap closed a month downward, months a reserve is "
             "stretched over, memory of dependence, smallest viable capacity in hours a month"),
    Constant("model.people", "INCUBATED_GROWTH", "growth added by full incubation, as a factor"),
    Constant("model.people", "CROWDING_OUT",
             "share of donations lost per unit of dependence beyond that before the reform"),
    Constant("model.people", "INCUBATED_HOURS",
             "capacity that full incubation sets up where there is none, hours a month"),
    Constant("model.baseline", "PER_COMMUNITY", "thresholds that stand for a community"),
    Constant("model.baseline", "PEOPLE_PER_ORGANISATION", "residents for one social organisation"),
    Constant("model.baseline", "SEAT_HEADS", "heads that staff one hotline seat"),
    Constant("model.baseline", "FILLED_BEFORE", "share of posts filled in a settled workforce"),
    Constant("model.baseline", "DONATIONS",
             "donations and fees of social organisations, yuan per resident-year"),
    Constant("model.baseline", "VOLUNTEER_GAIN",
             "volunteer hours per paid hour at the best dependence"),
    Constant("model.orders", "SKILL_BEFORE", "mean skill of a settled workforce"),
    Constant("model.orders", "SHAM_LOAD", "log odds of sham closing per unit of utilisation"),
    Constant("model.orders", "SEEN_FROM_ABOVE",
             "share of sham closings that higher levels prevent at full oversight"),
)  # fmt: skip

IN_PLACE: tuple[InPlace, ...] = (
    InPlace("cases.closing", "quality = {} if state == s.UNSOLVED", "quality of a poor fix"),
    InPlace("cases.intake", "lognormal_delay(median, {}, case.key, Purpose.LOCAL_DELAY)",
            "log sd of the elapsed days of a case settled at intake"),
    InPlace("cases.dispatch",
            "lognormal_delay(w.transfer_delay, {}, case.key, Purpose.ROUND_DELAY)",
            "log sd of the days of one round of a disputed case"),
    InPlace("cases.dispatch", "d.world[0].transfer_delay, {},", "log sd of the days of a return"),
    InPlace("cases.columns", "r.trust_grid = {}",
            "trust in a channel before any contact, of 65,535"),
    InPlace("cases.voice", "limit = {} * w.baseline",
            "share of the mean baseline satisfaction that the burden of silent needs can take"),
    InPlace("cases.engine", "d.categories[category].cross, {})",
            "most that the chance of several departments can be"),
    InPlace("institutions.hours", 'worked = world["floor"] + {} * (1 - world["floor"])',
            "share of the hours above the floor that line departments work"),
    InPlace("institutions.assessment", "maximum: float = {}",
            "most of paid hours that inspections take (Hebei, before burden reduction)"),
    InPlace("institutions.treasury", "fee, productivity, effort, m, {}",
            "effort-free part ε of a score in the contest for projects"),
    InPlace("model.economy", "np.exp({} * np.array([normal_quantile(x) for x in u]))",
            "log sd of talent for investment between subdistricts"),
    InPlace("model.appraisal", 'served = {} * (o["surveyed"] + o["measured_rate"])',
            "weight of survey and of measured solution rate in the residents' part of a score"),
    InPlace("model.baseline", 'world["threshold_mean"] + {} * (u - 0.5)',
            "range of the mean threshold of taking part between communities"),
    InPlace("model.baseline", "share = np.full(len(rows), {})",
            "share taking part from which the pre-reform rest point is sought"),
    InPlace("model.baseline", "np.maximum(social, 1e-9), {})",
            "most of the eligible cases that social organisations serve"),
    InPlace("model.baseline", 'offices["measured_rate"] = {}',
            "measured solution rate before the first assessment"),
)  # fmt: skip


def parameters() -> str:
    """Return ``docs/parameters.md``.

    Raises LookupError where a number written in place is no longer where this module looks.
    """
    sections = (
        ("Uncertainties", _UNCERTAINTIES_ABOUT, _uncertainties()),
        ("Levers", _LEVERS_ABOUT, _levers()),
        ("Measures", _MEASURES_ABOUT, _measures()),
        ("Categories of need", _CATEGORIES_ABOUT, _categories()),
        ("Needs by type of community", _MIX_ABOUT, _mix()),
        ("Number of departments", _MULTI_ABOUT, _departments()),
        ("Outcomes", _OUTCOMES_ABOUT, _outcomes()),
        ("Goals", _GOALS_ABOUT, _goals()),
        ("The city", _CITY_ABOUT, _city()),
        ("Constants", _CONSTANTS_ABOUT, _constants()),
        ("Numbers written in place", _IN_PLACE_ABOUT, _in_place()),
    )
    return HEAD + "".join(f"\n## {title}\n\n{about}\n\n{table}" for title, about, table in sections)


_UNCERTAINTIES_ABOUT = (
    "Facts of the world that nobody sets, the same in all scenarios compared. §9 marks the ranges "
    "of the design over which headlines are swept. Code: `uncertainties.py`."
)
_LEVERS_ABOUT = (
    "The rules in force. The default is the level before the reform, not zero; only measures move "
    "levers. How several measures combine on one: *sum* adds their moves and clips to the bounds, "
    "*max* takes the largest move up and the largest move down, *remainder* multiplies what each "
    "of them leaves of the default. Code: `rules.py`."
)
_MEASURES_ABOUT = (
    "What each measure sets at full intensity, and what it costs a year at full intensity "
    "whatever its implementation, × `cost_factor`. Staff that a lever itself pays for (hub, "
    "investment team, stations, purchased services) is not among these costs. All strengths and "
    "costs are assumed. Code: `measures/`."
)
_CATEGORIES_ABOUT = (
    "All rows are assumed. Self-solving and competence are probabilities, cross a weight on "
    "`cross_share`, work the mean hours of one part, delay and lifetime factors, stakes a utility. "
    "Offices: 0 general, 1 party, 2 development, 3 governance, 4 welfare. Code: `categories.py`."
)
_MIX_ABOUT = "How much more often a category arises in a community of each type; assumed."
_MULTI_ABOUT = (
    "P(K departments), given that a case needs at least two: replies of one city's message board "
    "(model.md §8a of the design)."
)
_OUTCOMES_ABOUT = (
    "Better *neither* marks what is read with care, such as a measured rate. Headlines are those "
    "that Mesa's DataCollector takes. Code: `outcomes.py`."
)
_GOALS_ABOUT = (
    "The five goals of the source as indices: the plain mean of their components, each an outcome "
    "scaled by clip((x − at 0) / (at 1 − at 0)). Components, weights and bounds are declared, "
    "not estimated. Code: `outcomes.py`."
)
_CITY_ABOUT = (
    "Fields of a city file with their defaults, Chengdu at the census of 2020; the smaller cities "
    "of `configs/cities/` replace some of them. Code: `city/config.py`, `city/profile.py`."
)
_CONSTANTS_ABOUT = "Numbers of single modules, assumed unless a source is named."
_IN_PLACE_ABOUT = "Assumed numbers that stand inside an equation of the code."


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    return f"`{text}`"


def _uncertainties() -> str:
    return _table(
        ("name", "unit", "low", "default", "high", "meaning", "含义", "source"),
        (
            (
                _code(x.name), x.unit, f"{x.low:g}", f"{x.default:g}", f"{x.high:g}",
                x.meaning, x.meaning_zh, x.source,
            )
            for x in UNCERTAINTIES
        ),
    )  # fmt: skip


def _levers() -> str:
    set_by: dict[str, list[str]] = {lever.name: [] for lever in LEVERS}
    for measure in MEASURES:
        for name, full in measure.sets.items():
            set_by[name].append(f"{_code(measure.name)} {_full(full)}")
    return _table(
        ("name", "unit", "low", "before", "high", "combine", "meaning", "含义", "source", "set by"),
        (
            (
                _code(x.name), x.unit, f"{x.low:g}", f"{x.default:g}", f"{x.high:g}", x.combine,
                x.meaning, x.meaning_zh, x.source, "; ".join(set_by[x.name]),
            )
            for x in LEVERS
        ),
    )  # fmt: skip


def _full(value: float | str) -> str:
    """Write a lever's value at full intensity; an uncertainty with its default."""
    if isinstance(value, str):
        return f"→ {_code(value)} ({FACTS[value].default:g})"
    return f"→ {value:g}"


def _measures() -> str:
    def cost(measure: Measure) -> str:
        if measure.cost is None:
            return "–"
        return f"{measure.cost.amount:g} × 10,000 yuan per {measure.cost.per}"

    return _table(
        ("id", "name", "措施", "sets", "cost a year", "helps", "costs", "backfires when"),
        (
            (
                str(x.id), _code(x.name), x.zh,
                "; ".join(f"{_code(name)} {_full(full)}" for name, full in x.sets.items()),
                cost(x), x.helps, x.costs, x.backfires,
            )
            for x in MEASURES
        ),
    )  # fmt: skip


def _categories() -> str:
    fields = [name for name in CATEGORIES[0].__slots__ if name not in ("name", "name_zh")]
    return _table(
        ("name", "类别", *(field.replace("_", " ") for field in fields)),
        (
            (_code(x.name), x.name_zh, *(_plain(getattr(x, field)) for field in fields))
            for x in CATEGORIES
        ),
    )


def _mix() -> str:
    return _table(
        ("type", *(x.name for x in CATEGORIES)),
        (
            (kind.replace("_", " "), *(f"{value:g}" for value in row))
            for kind, row in zip(COMMUNITY_TYPES, MIX, strict=True)
        ),
    )


def _departments() -> str:
    return _table(("K", "2", "3", "4", "5", "6 or more"), [("P", *(f"{p:.4f}" for p in MULTI[1:]))])


def _outcomes() -> str:
    return _table(
        ("name", "unit", "better", "headline", "meaning", "含义"),
        (
            (_code(x.name), x.unit, x.better, _plain(x.headline), x.meaning, x.meaning_zh)
            for x in OUTCOMES
        ),
    )


def _goals() -> str:
    return _table(
        ("goal", "目标", "components (at 0, at 1)"),
        (
            (
                _code(goal.name), goal.zh,
                "; ".join(f"{_code(x)} ({low:g}, {high:g})" for x, low, high in goal.components),
            )
            for goal in GOALS
        ),
    )  # fmt: skip


def _city() -> str:
    return _table(("field", "default", "meaning and source"), _fields(CityConfig(), ""))


def _fields(block: BaseModel, place: str) -> Iterator[tuple[str, str, str]]:
    """Yield the fields of a block of a city file, those of its inner blocks in their place."""
    for name, field in type(block).model_fields.items():
        value = getattr(block, name)
        if isinstance(value, BaseModel):
            about = field.description or (inspect.getdoc(type(value)) or "").split("\n")[0]
            yield _code(place + name), "", about
            yield from _fields(value, f"{place}{name}.")
        else:
            yield _code(place + name), _plain(value), field.description or ""


def _constants() -> str:
    return _table(
        ("where", "value", "meaning"),
        (
            (
                _code(f"{x.module}.{x.name}"),
                _plain(getattr(import_module(f"reformsim.{x.module}"), x.name)),
                x.meaning,
            )
            for x in CONSTANTS
        ),
    )


def _in_place() -> str:
    return _table(
        ("where", "value", "meaning"),
        ((_code(x.module), _read(x), x.meaning) for x in IN_PLACE),
    )


def _read(number: InPlace) -> str:
    """Read a number out of the source in which it stands."""
    before, after = map(re.escape, number.text.split("{}"))
    source = inspect.getsource(import_module(f"reformsim.{number.module}"))
    found = set(re.findall(f"{before}([0-9][0-9_.e-]*){after}", source))
    if len(found) != 1:
        raise LookupError(
            f"reformsim.{number.module} no longer has {number.text!r} exactly once: if the number "
            "got a name, list it in CONSTANTS of reformsim/report/reference.py, else mend IN_PLACE"
        )
    return found.pop()


def _plain(value: Any) -> str:
    """Write a value: yes or –, a number, words, an array or a dict by its parts."""
    if isinstance(value, bool):
        return "yes" if value else "–"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, np.ndarray):
        rows = value if value.ndim > 1 else value[None, :]
        return "; ".join(", ".join(f"{item:g}" for item in row) for row in rows)
    return "–" if value is None else str(value)
