"""What the pages show, put into their templates."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from markupsafe import Markup

import reformsim
from reformsim.city import CityConfig, build
from reformsim.dashboard.catalogue import Catalogue, Known, districts
from reformsim.dashboard.form import FEW, Fault, Form
from reformsim.dashboard.job import Job
from reformsim.declared import Outcome, capital, plain
from reformsim.experiment import design
from reformsim.experiment.schema import Experiment
from reformsim.measures import BY_NAME, MEASURES
from reformsim.outcomes import BY_NAME as OUTCOMES
from reformsim.outcomes import OF_LONG_PERIODS
from reformsim.report import fonts, maps, pages
from reformsim.report.brief import charts, page
from reformsim.report.brief.names import Names, outcome
from reformsim.report.chinese import chinese
from reformsim.report.measures import SECTIONS
from reformsim.report.opened import Opened
from reformsim.report.sentences import Both, measured
from reformsim.report.study import Study
from reformsim.scenario import YEAR, Scenario, city_residents, month_of, month_start
from reformsim.uncertainties import UNCERTAINTIES

TEMPLATES = page.templates("reformsim.dashboard", "reformsim.report.brief")

#: Scripts and the style of a page, by name, and the room that each lies in.
ASSETS = {
    "brief.js": "reformsim.report.brief",
    "brief.css": "reformsim.report.brief",
    "form.js": "reformsim.dashboard",
    "map.js": "reformsim.dashboard",
    "live.js": "reformsim.dashboard",
    "dashboard.css": "reformsim.dashboard",
}

LAYOUTS = [
    ("p_median", Both("p-中位（总路程最短）", "p-median (least walking in all)")),
    ("max_coverage", Both("最大覆盖（15 分钟内居民最多）", "most residents within 15 minutes")),
    ("one_per_community", Both("一站一居", "one station per community")),
    ("one_per_several", Both("一站多居", "one station per several communities")),
    ("list", Both("自列站址", "a list of sites")),
]
PREMISES = [
    ("rent_back", Both("底商返租", "ground-floor lease-back")),
    ("allocation", Both("国资划拨", "allocation of state property")),
    ("co_build", Both("区域共建", "joint building")),
    ("purchase", Both("市场化购买", "purchase on the market")),
]
PILOTS = [
    ("", Both("全部（或下列）区（市）县", "all districts, or those ticked")),
    ("0.1", Both("一成区县先行", "pilots: a tenth of the districts")),
    ("0.25", Both("四分之一区县先行", "pilots: a quarter of the districts")),
    ("0.5", Both("半数区县先行", "pilots: half of the districts")),
]


def asset(name: str) -> str:
    """Return a script or a style. Raises KeyError for any other name."""
    return files(ASSETS[name]).joinpath(name).read_text("utf-8")


def form_page(
    form: Form,
    catalogue: Catalogue,
    known: dict[str, Known],
    job: Job | None,
    faults: list[Fault] | None = None,
) -> str:
    """Return the page on which a bundle is built."""
    city = catalogue.cities.get(form.single["city"])
    title = Both("搭建措施组合", "Build a bundle of measures")
    return _rendered(
        "form.html",
        title,
        page.figures(title),
        ["form.js"],
        form=form,
        sections=list(_sections(form)),
        cities=[(key, _city(config)) for key, config in catalogue.cities.items()],
        known=[(bundle.key, bundle.name) for bundle in known.values()],
        districts=districts(city) if city else [],
        layouts=LAYOUTS,
        premises=PREMISES,
        pilots=PILOTS,
        few=[x for x in UNCERTAINTIES if x.name in FEW],
        others=[x for x in UNCERTAINTIES if x.name not in FEW],
        unit=lambda x: Both(chinese(x.unit), x.unit),
        source=lambda x: Both(chinese(x.source), x.source),
        stored=catalogue.stored(),
        running=job is not None and job.state == "running",
        job=job,
        faults=[(fault, _label(fault.field)) for fault in faults or []],
    )


def watch_page(job: Job) -> str:
    """Return the page of a run under way: progress, curves and map as months pass."""
    experiment = job.experiment
    scenarios = design.scenarios(experiment)
    title = _title(experiment)
    empty = _months(experiment, scenarios)
    drawn = page.figures(title, curves=empty)
    drawn["words"] = drawn["words"] | {
        "nothing": Both("还没有算完一个月。", "No month has ended yet.")
    }
    first = next(iter(scenarios.values()))
    drawn["map"] = _map(first, {"satisfaction": {}}, [*scenarios], _zh(experiment))
    return _rendered(
        "watch.html", title, drawn, ["map.js", "live.js"], job=job, curves=empty,
        experiment=experiment, name=job.directory.name, map=drawn["map"],
    )  # fmt: skip


def results_page(opened: Opened, name: str, directory: str, job: Job | None) -> str:
    """Return the page of a results directory: its answer, figures and map, and what to do next."""
    study, names = opened.study, Names(opened.study)
    told = page.shown(study, names)
    drawn = told.data | {"map": _map_of(study)}
    failed = study.results.failed()
    return _rendered(
        "results.html",
        page.title(study),
        drawn,
        ["map.js"] if drawn["map"] else [],
        told=told,
        map=drawn["map"],
        question=Both(study.question(zh=True), study.question(zh=False)),
        warnings=list(opened.warnings()),
        failed=list(dict.fromkeys(failed["message"]))[:5],
        marks=page.MARKS,
        verdicts=page.VERDICTS,
        name=name,
        directory=directory,
        stopped=job is not None and job.state == "stopped",
        incomplete=len(study.results.runs) < study.planned,
    )


def message_page(title: Both, text: Both, name: str = "") -> str:
    """Return a page that says one thing; of a results directory that can go on, with ``name``."""
    return _rendered("message.html", title, page.figures(title), [], text=text, name=name)


def _rendered(
    template: str, title: Both, data: dict[str, Any], scripts: list[str], **more: Any
) -> str:
    text = TEMPLATES.get_template(template).render(
        title=title,
        caveat=page.CAVEAT_BOTH,
        version=reformsim.__version__,
        data=page.embedded(data | {"keeps": True}),
        scripts=["brief.js", *scripts],
        font=page.FONT_HERE,
        **more,
    )
    letters = "".join(sorted({c for c in text if c > "\u2000"}))
    return text.replace(page.FONT_HERE, Markup(_face(letters)))


@lru_cache(maxsize=16)
def _face(letters: str) -> str:
    return fonts.face(letters)


def _sections(form: Form) -> Any:
    """Yield each section of the source: key, names, its measures with their rows."""
    for key, (en, zh) in SECTIONS.items():
        mine = [measure for measure in MEASURES if measure.section == key]
        rows = {m.name: [row for row in form.rows if row.measure == m.name] for m in mine}
        yield Section(
            key,
            Both(zh.replace(":", "："), en),
            [(m, Both(m.zh, capital(m.label)), _cost(m), rows[m.name]) for m in mine],
        )


@dataclass(frozen=True)
class Section:
    """A section of the source and its measures, each with its names, its cost, its rows."""

    key: str
    name: Both
    measures: list[tuple[Any, Both, Both, list]]

    @property
    def on(self) -> int:
        """How many of its measures are ticked."""
        return sum(any(row.on for row in rows) for *_, rows in self.measures)


def _cost(measure: Any) -> Both:
    if measure.cost is None:
        return Both("无单列的年度费用", "no yearly cost of its own")
    return Both(f"每年{pages.cost(measure, zh=True)}", f"a year: {pages.cost(measure)}")


def _city(config: CityConfig) -> Both:
    residents, _ = city_residents(config)
    return Both(
        f"{config.name_zh}（至多 {residents:,} 人）",
        f"{config.name} (up to {residents:,} residents)",
    )


#: Names of the fields that faults are told of.
_FIELDS = {
    "name": Both("名称", "Name"), "city": Both("城市", "City"), "years": Both("年数", "Years"),
    "against": Both("对比", "Compared with"), "warm_up": Both("预热天数", "Warm-up"),
    "seed": Both("种子", "Seed"), "replications": Both("重复次数", "Replications"),
    "layout": Both("站点布局", "Layout of stations"),
    "per": Both("每站社区数", "Communities a station"),
    "intensity": Both("强度", "intensity"), "start": Both("起始日", "from day"),
    "until": Both("终止日", "until day"), "where": Both("地点", "where"),
    "first": Both("试点比例", "share of pilots"),
}  # fmt: skip


def _label(field: str) -> Both:
    """Name a field."""
    head, *rest = field.split(".")
    if head == "x":
        known = next(x for x in UNCERTAINTIES if x.name == rest[0])
        return Both(known.meaning_zh, known.meaning)
    if head in BY_NAME:
        part = _FIELDS[rest[-1]]
        return Both(f"{BY_NAME[head].zh}·{part.zh}", f"{BY_NAME[head].label}, {part.en}")
    return _FIELDS.get(head, Both("", ""))


def _title(experiment: Experiment) -> Both:
    return Both(experiment.title_zh, experiment.title)


def _zh(experiment: Experiment) -> dict[str, str]:
    return {name: experiment.zh.get(name, plain(name)) for name in experiment.scenarios}


def _months(experiment: Experiment, scenarios: dict[str, Scenario]) -> charts.Curves:
    """Return curves of all months to come, without a value yet."""
    end = next(iter(scenarios.values())).days
    starts = (month_start(m) for m in range(1, month_of(end) + 1))
    days = [*(day for day in starts if day < end), end]
    steps = {day for scenario in scenarios.values() for day in scenario.change_days()}
    zh = _zh(experiment)
    shown = [x for x in _shown(experiment) if x.name not in OF_LONG_PERIODS]
    return charts.Curves(
        [(name, Both(zh[name], plain(name))) for name in scenarios],
        [(x.name, outcome(x.name).then(*charts.arrow(x.better))) for x in shown],
        {x.name: charts.level_axis(x.unit) for x in shown},
        [round(day / YEAR, 3) for day in days],
        [round(day / YEAR, 3) for day in sorted(steps)],
        {},
    )


def _shown(experiment: Experiment) -> list[Outcome]:
    return [OUTCOMES[name] for name in experiment.outcomes]


def _map_of(study: Study) -> dict[str, Any] | None:
    """Return the map of a comparison: outcomes after the transition, means over replications."""
    rows = study.results.rows
    rows = rows[
        (rows["kind"] == "outcome") & (rows["level"] == "subdistrict") & (rows["period"] == "after")
    ]
    if study.worlds is not None or not len(rows) or not study.references:
        return None
    scenarios = [*dict.fromkeys([*study.references.values(), *study.references])][: charts.PAIRS]
    first = study.scenarios[scenarios[0]]
    if any(study.scenarios[s].city != first.city for s in scenarios):
        return None
    city = build(first.city, first.city_seed)
    means = rows.groupby(["outcome", "scenario", "place"], observed=True)["value"].mean()
    names = list(city.subdistricts.name)
    values: dict[str, dict[str, list[float | None]]] = {}
    for trait in study.traits.values():
        scale = measured(trait.unit).scale
        if all((trait.outcome, scenario) in means for scenario in scenarios):
            values[trait.outcome] = {
                scenario: [_json(scale * x) for x in means[trait.outcome, scenario].reindex(names)]
                for scenario in scenarios
            }
    return _map(first, values, scenarios, _zh(study.experiment))


def _map(
    scenario: Scenario,
    values: dict[str, dict[str, list[float | None]]],
    scenarios: list[str],
    zh: dict[str, str],
) -> dict[str, Any]:
    """Return what the script draws a map from; the first scenario is the one compared with."""
    city = build(scenario.city, scenario.city_seed)
    corners = np.concatenate(city.district_polygons())
    low, high = corners.min(axis=0), corners.max(axis=0)
    outlines = [_path(outline, low, high) for outline in city.district_polygons()]
    return {
        "box": [round(float(x), 2) for x in high - low],
        "districts": outlines,
        "paths": [_path(outline, low, high) for outline in city.subdistrict_polygons()],
        "names": [
            Both(name_zh, name)
            for name_zh, name in zip(city.subdistricts.name_zh, city.subdistricts.name, strict=True)
        ],
        "scenarios": [[name, zh.get(name, plain(name)), plain(name)] for name in scenarios],
        "outcomes": [
            [name, *outcome(name), *charts.level_axis(OUTCOMES[name].unit)] for name in values
        ],
        "colours": {"level": maps.stops(maps.LEVEL), "change": maps.stops(maps.CHANGE)},
        "values": values,
    }


def _path(outline: np.ndarray, low: np.ndarray, high: np.ndarray) -> str:
    """Write an outline as an SVG path, north at the top."""
    points = [f"{x - low[0]:.2f} {high[1] - y:.2f}" for x, y in outline]
    return f"M{'L'.join(points)}Z"


def _json(value: float) -> float | None:
    return float(f"{value:.5g}") if np.isfinite(value) else None


def as_json(snapshot: dict[str, Any]) -> str:
    """Return what a job tells as JSON, its values as figures write them: shares in percent."""
    curves: dict[str, Any] = {}
    for name, found in snapshot["curves"].items():
        scale = measured(OUTCOMES[name].unit).scale
        curves[name] = {
            scenario: [None if x is None else _json(scale * x) for x in months]
            for scenario, months in found.items()
        }
    return json.dumps(snapshot | {"curves": curves}, allow_nan=False)
