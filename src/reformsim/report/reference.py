"""The reference of all parameters as Markdown, written from where each of them is declared.

``docs/parameters.md`` and ``docs/parameters.zh.md`` are this text; a test holds the files to it.
Nothing is typed here but what the code does not say: what the constants of single modules mean.
"""

import inspect
import re
from importlib import import_module
from typing import NamedTuple

from reformsim.report import pages

#: The commands that write the files, as the files themselves and their test name them.
COMMAND = "uv run reformsim reference -o docs/parameters.md"
COMMAND_ZH = "uv run reformsim reference --zh -o docs/parameters.zh.md"

HEAD = f"""# Parameters

Generated from the declarations in the code by `{COMMAND}`;
do not edit. What each of them does is told in [model.md](model.md). [中文](parameters.zh.md)
"""
HEAD_ZH = f"""# 参数

由代码中的声明生成：`{COMMAND_ZH}`；请勿手改。
各参数的作用见 [model.md](model.md)。[English](parameters.md)
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
             "rows: always open, offices, hotline, offices on 6 and on 7 days; opening hour, hours "
             "a day, days a week"),
    Constant("cases.arrivals", "WAKE", "hour of the day from which needs arise"),
    Constant("cases.arrivals", "AWAKE_HOURS", "hours of the day in which needs arise, uniformly"),
    Constant("cases.parts", "LAST_ATTEMPT",
             "returns of one part after which it is sent right; a bound of the bookkeeping"),
    Constant("cases.parts", "STUCK_AFTER", "returns of one part after which it is stuck"),
    Constant("institutions.business", "LEAST_SUPPLY", "least supply of market services"),
    Constant("model.business", "SERVED_BEFORE", "mean performance of firms' requests before"),
    Constant("model.business", "WEIGHT", "move of a community's firms at one request"),
    Constant("city.fabric", "QUALITY_BEFORE", "quality of the environment before, by type"),
    Constant("city.fabric", "FACILITIES_BEFORE", "mean level of facilities before, by type"),
    Constant("city.fabric", "FACILITIES_SPREAD", "half the range of that level within a type"),
    Constant("city.fabric", "LOW_RENT", "residents whom renewal may put out, by type"),
    Constant("city.fabric", "RENEWED_FIRST", "types that renewal goes to"),
    Constant("model.facilities", "YEARS_AHEAD", "years of projects on their way; bookkeeping"),
    Constant("model.facilities", "TOWN_FACILITIES",
             "share of a designated town's money that builds facilities"),
    Constant("model.facilities", "JOBS_LAST", "years that a designated town's jobs last"),
    Constant("model.totals", "FIRST_IN_LINE",
             "share of communities, first in line for designation, that town_residents counts"),
    Constant("city.layouts", "DETOUR", "way on foot against the straight line"),
    Constant("city.layouts", "FIFTEEN_MINUTES", "km in 15 minutes on foot (model.md §5)"),
    Constant("city.layouts", "FIFTEEN_MINUTES_OLD", "the same for older residents"),
    Constant("city.layouts", "BEFORE_PER", "communities for each station before the reform"),
    Constant("city.borders", "TOUCH", "km between outlines of bordering communities"),
    Constant("city.recipe", "RELAXATIONS", "rounds of relaxation of the cells of the map"),
    Constant("institutions.staff", "FEWEST_HEADS", "least staff of an open desk, heads"),
    Constant("institutions.staff", "WEEK_HOURS", "paid hours of a head in a week"),
    Constant("institutions.hours", "MOST_BURDEN", "burdens take at most this share of paid hours"),
    Constant("model.economy", "MOST_OWN_REVENUE", "most of a budget that projects may pay for"),
    Constant("institutions.ways", "LEAST_FIT", "speed left however ill a way of working fits"),
    Constant("institutions.ways", "NOISE_PEOPLE",
             "residents of a unit for which `trial_noise` is stated"),
    Constant("institutions.structure", "OFFICE_RAMP",
             "excess over the threshold of a large subdistrict that brings all extra offices"),
    Constant("institutions.premises", "MODES",
             "ways to come by premises: capital, running cost (10,000 yuan per 10,000 residents at "
             "double space, running a year at five open days), months until usable, share of the "
             "space wanted that can be had"),
    Constant("institutions.premises", "WEEKEND",
             "share of a station's overhead that grows with its open days"),
    Constant("institutions.premises", "PAID_OFF", "years in which capital of premises is paid off"),
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
    Constant("model.baseline", "MOST_ORGANISED",
             "most of the eligible cases that social organisations serve"),
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
    InPlace("cases.parts", "d.world[0].transfer_delay, {},", "log sd of the days of a return"),
    InPlace("cases.dispatch", "lognormal_delay(median, {}, case.key, Purpose.SPOT_DELAY)",
            "log sd of the elapsed days of a case settled on the spot"),
    InPlace("cases.dispatch", "d.world[0].mediation_days, {},",
            "log sd of the days of a mediation"),
    InPlace("cases.escalate", "lognormal_delay(w.escalation_days, {}, key",
            "log sd of the days for each level"),
    InPlace("cases.columns", "r.trust_grid = {}",
            "trust in a channel before any contact, of 65,535"),
    InPlace("cases.voice", "limit = {} * w.baseline",
            "share of the mean baseline satisfaction that the burden of silent needs can take"),
    InPlace("cases.steps", "d.categories[case.category].cross, {})",
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
    InPlace("model.baseline", 'offices["measured_rate"] = {}',
            "measured solution rate before the first assessment"),
)  # fmt: skip


def parameters(zh: bool = False) -> str:
    """Return ``docs/parameters.md``, or its Chinese twin.

    Raises LookupError where a number written in place is no longer where this module looks.
    """
    constants = [
        (f"{x.module}.{x.name}", getattr(import_module(f"reformsim.{x.module}"), x.name), x.meaning)
        for x in CONSTANTS
    ]
    in_place = [(x.module, _read(x), x.meaning) for x in IN_PLACE]
    page = pages.Page(zh)
    sections = (*page.declared(), *page.numbers(constants, in_place))
    return (HEAD_ZH if zh else HEAD) + "".join(
        f"\n## {title}\n\n{about}\n\n{table}" for title, about, table in sections
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
