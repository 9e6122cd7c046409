"""The form: what a page sends into an experiment, and an experiment back into a form."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from pydantic import ValidationError

from reformsim import measures, outcomes, uncertainties
from reformsim.city import CityConfig
from reformsim.dashboard.catalogue import BASELINE, Catalogue, Known, districts
from reformsim.experiment.kinds import Difference
from reformsim.experiment.schema import Experiment, Figure
from reformsim.report.sentences import Both
from reformsim.scenario import (
    BYTES_OF_PROGRAM,
    BYTES_PER_RESIDENT,
    YEAR,
    First,
    PremisesPlan,
    StationPlan,
    Step,
    available_memory,
    city_residents,
)

#: The scenario that the form builds, and what is shown of it.
OWN, OWN_NAME = "own_bundle", Both("自建组合", "own bundle")
FIGURES: tuple[Figure, ...] = ("curves", "contrasts", "waits", "map")

#: What is asked of first; the others on request.
FEW = (
    "needs", "implementation", "cross_share", "p_mis", "serial_share", "voice_station",
    "never", "cost_factor",
)  # fmt: skip

#: Names of fields that hold one value, with what a new form holds.
SINGLE = {
    "name": "", "city": "", "against": BASELINE, "years": "3", "warm_up": str(YEAR), "seed": "1",
    "replications": "4", "layout": "p_median", "per": "3", "sites": "", "premises": "rent_back",
}  # fmt: skip


class Fault(NamedTuple):
    """What is wrong with a form: the field, and the message."""

    field: str
    message: Both


class Refused(ValueError):
    """A form that makes no experiment; ``faults`` says why."""

    def __init__(self, faults: list[Fault]) -> None:
        """Keep the faults."""
        super().__init__(*faults)
        self.faults = faults


@dataclass
class Row:
    """One step as it is typed: a measure, how strongly, when and where."""

    measure: str
    number: int
    on: bool = False
    intensity: str = "1"
    start: str = str(YEAR)
    until: str = ""
    first: str = ""
    where: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The beginning of the names of its fields."""
        return f"{self.measure}.{self.number}"


@dataclass
class Form:
    """All that is typed: fields of one value, rows of steps, values of uncertainties."""

    single: dict[str, str]
    rows: list[Row]
    facts: dict[str, str]

    @classmethod
    def new(cls, name: str, city: str) -> "Form":
        """Return a form without a measure."""
        return cls(SINGLE | {"name": name, "city": city}, _spread([]), {})

    @classmethod
    def sent(cls, body: bytes) -> "Form":
        """Return what a page sent, URL-encoded."""
        sent = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        single = {name: sent.get(name, [usual])[0].strip() for name, usual in SINGLE.items()}
        facts = {
            x.name: value
            for x in uncertainties.UNCERTAINTIES
            if (value := sent.get(f"x.{x.name}", [""])[0].strip())
        }
        rows = []
        for id in sent.get("row", []):
            name, _, number = id.rpartition(".")
            if name in measures.BY_NAME and number.isdecimal():
                rows.append(_row(sent, name, int(number)))
        return cls(single, _spread(rows), facts)

    def loaded(self, change: Difference) -> "Form":
        """Return the form with the measures of a stored bundle in place of its own."""
        numbers: dict[str, int] = {}
        rows = []
        for step in change.reform:
            number = numbers[step.measure] = numbers.get(step.measure, -1) + 1
            rows.append(_typed(step, number))
        stations, premises = change.stations or StationPlan(), change.premises or PremisesPlan()
        single = self.single | {
            "layout": stations.layout,
            "per": str(stations.per),
            "sites": ", ".join(map(str, stations.sites)),
            "premises": premises.mode,
        }
        return Form(single, _spread(rows), self.facts)

    def more(self, measure: str) -> None:
        """Add a further step of a measure."""
        mine = [i for i, row in enumerate(self.rows) if row.measure == measure]
        if mine:
            number = max(self.rows[i].number for i in mine) + 1
            self.rows.insert(mine[-1] + 1, Row(measure, number, on=True))


def of_experiment(experiment: Experiment, name: str, city: str, against: str) -> Form:
    """Return a form that builds the own bundle of an experiment again."""
    single = {
        "against": against,
        "years": str(experiment.years),
        "warm_up": str(experiment.warm_up),
        "seed": str(experiment.seed),
        "replications": str(experiment.replications),
    }
    facts = {fact: repr(value) for fact, value in experiment.uncertainties.items()}
    form = Form(SINGLE | single | {"name": name, "city": city}, [], facts)
    change = experiment.scenarios.get(OWN, Difference(reform=experiment.reform))
    return form.loaded(change)


def read(form: Form, catalogue: Catalogue, known: Mapping[str, Known]) -> Experiment:
    """Return the experiment that a form asks for. Raises Refused with all faults."""
    reader = _Reader(form)
    city = reader.chosen("city", catalogue.cities)
    against = reader.chosen("against", known)
    warm_up = reader.whole("warm_up", 0, 10 * YEAR)
    years = reader.whole("years", 1, 99)
    steps = list(reader.steps(warm_up, warm_up + YEAR * years, districts(city) if city else []))
    fields: dict[str, Any] = {
        "name": reader.name(),
        "warm_up": warm_up,
        "years": years,
        "seed": reader.whole("seed", 0, 2**62 - 1),
        "replications": reader.whole("replications", 1, 10_000),
        "uncertainties": dict(reader.facts()),
    }
    change = Difference(reform=tuple(steps), **reader.plans())
    if city:
        reader.faults += _too_large(city)
    if reader.faults or city is None or against is None:
        raise Refused(reader.faults)
    other = re.sub(r"[^a-z0-9]+", "_", against.key.lower()).strip("_")
    return _experiment(
        fields | {"city": city}, {other: against.change, OWN: change}, {other: against.name}
    )


def _experiment(
    fields: dict[str, Any], scenarios: dict[str, Difference], names: dict[str, Both]
) -> Experiment:
    (baseline, name), *_ = names.items()
    try:
        return Experiment(
            **fields,
            title=f"A bundle of measures against: {name.en}",
            title_zh=f"自建措施组合与“{name.zh}”的比较",
            question=f"What does this bundle of measures do, against: {name.en}?",
            question_zh=f"与“{name.zh}”相比，这组措施带来什么变化？",
            scenarios=scenarios,
            baseline=baseline,
            outcomes=SHOWN,
            figures=FIGURES,
            zh={OWN: OWN_NAME.zh, baseline: name.zh},
        )
    except ValidationError as error:
        raise Refused([Fault("", told) for told in _told(error)]) from None


#: The headline outcomes, satisfaction first.
SHOWN = tuple(
    sorted(
        (outcome.name for outcome in outcomes.OUTCOMES if outcome.headline),
        key=lambda name: name != "satisfaction",
    )
)


class _Reader:
    """Turns what is typed into values, and gathers what is wrong."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.faults: list[Fault] = []

    def refuse(self, field: str, zh: str, en: str) -> None:
        self.faults.append(Fault(field, Both(zh, en)))

    def chosen[T](self, field: str, there: Mapping[str, T]) -> T | None:
        value = self.form.single[field]
        if value not in there:
            self.refuse(field, f"没有“{value}”这一选项", f"there is no {value!r}")
        return there.get(value)

    def name(self) -> str:
        value = self.form.single["name"]
        if not re.fullmatch(r"[a-z0-9_]{1,60}", value):
            self.refuse(
                "name",
                "名称只能用小写英文字母、数字和下划线，至多 60 个",
                "a name has small letters, digits and underscores only, 60 at most",
            )
        return value

    def whole(self, field: str, low: int, high: int, text: str | None = None) -> int:
        value = self.form.single[field] if text is None else text
        if not re.fullmatch(r"[0-9]{1,19}", value) or not low <= int(value) <= high:
            self.refuse(
                field,
                f"应为 {low} 至 {high} 的整数，现为“{value}”",
                f"must be a whole number from {low} to {high}, got {value!r}",
            )
            return low
        return int(value)

    def number(self, field: str, low: float, high: float, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            self.refuse(
                field,
                f"应为 {low:g} 至 {high:g} 的数，现为“{text}”",
                f"must be a number from {low:g} to {high:g}, got {text!r}",
            )
            return low
        return value

    def facts(self) -> Iterator[tuple[str, float]]:
        for name, text in self.form.facts.items():
            fact = uncertainties.BY_NAME[name]
            yield name, self.number(f"x.{name}", fact.low, fact.high, text)

    def steps(self, first: int, end: int, there: list[Both]) -> Iterator[Step]:
        """Yield the steps that are ticked; ``there`` are the districts of the city."""
        for row in self.form.rows:
            if not row.on:
                continue
            before = len(self.faults)
            intensity = self.number(f"{row.id}.intensity", 0, 1, row.intensity)
            start = self.whole(f"{row.id}.start", first, max(first, end - 1), row.start)
            until = (
                self.whole(f"{row.id}.until", start + 1, 10**6, row.until) if row.until else None
            )
            where = self._where(row, there)
            if len(self.faults) == before:
                yield Step(
                    measure=row.measure, intensity=intensity, from_day=start, until=until,
                    where=where,
                )  # fmt: skip

    def _where(self, row: Row, there: list[Both]) -> tuple[str, ...] | First | None:
        names = tuple(name for both in there for name in both)
        for name in row.where:
            if there and not name.startswith(names):
                self.refuse(
                    f"{row.id}.where",
                    f"所选城市中没有“{name}”",
                    f"the chosen city has no {name!r}",
                )
        if row.first and row.where:
            self.refuse(
                f"{row.id}.where",
                "请或选试点比例，或选区（市）县，不要同时选",
                "choose either a share of pilot districts or districts by name, not both",
            )
        if row.first:
            return First(first=self.number(f"{row.id}.first", 0.001, 1, row.first))
        return tuple(row.where) or None

    def plans(self) -> dict[str, Any]:
        """Return layouts of stations and ways to premises, where a step brings them."""
        on = {row.measure for row in self.form.rows if row.on}
        single = self.form.single
        found: dict[str, Any] = {}
        try:
            if "service_stations" in on:
                per = self.whole("per", 1, 1000)
                sites = tuple(s.strip() for s in single["sites"].split(",") if s.strip())
                found["stations"] = StationPlan.model_validate(
                    {"layout": single["layout"], "per": per, "sites": sites}
                )
            if "community_premises" in on:
                found["premises"] = PremisesPlan.model_validate({"mode": single["premises"]})
        except ValidationError as error:
            self.faults += [Fault("layout", told) for told in _told(error)]
        return found


def _told(error: ValidationError) -> Iterator[Both]:
    """Yield what the schema says, in its own words."""
    for item in error.errors(include_url=False):
        place = ".".join(map(str, item["loc"]))
        for line in str(item.get("ctx", {}).get("error", item["msg"])).splitlines():
            told = f"{place}: {line}" if place else line
            yield Both(f"实验未通过检查：{told}", told)


def _too_large(city: CityConfig) -> Iterator[Fault]:
    residents, _ = city_residents(city)
    need, free = BYTES_OF_PROGRAM + BYTES_PER_RESIDENT * residents, available_memory()
    if free is not None and need > free:
        have, want = f"{free / 1e9:,.1f} GB", f"{need / 1e9:,.1f} GB"
        yield Fault(
            "city",
            Both(
                f"{residents:,} 名居民约需内存 {want}，现只有 {have}：请选小一些的城市",
                f"{residents:,} residents need about {want} of memory, {have} are free: "
                "choose a smaller city",
            ),
        )


def _row(sent: Mapping[str, list[str]], measure: str, number: int) -> Row:
    def text(name: str) -> str:
        return sent.get(f"{measure}.{number}.{name}", [""])[0].strip()

    return Row(
        measure,
        number,
        bool(text("on")),
        text("intensity"),
        text("start"),
        text("until"),
        text("first"),
        sent.get(f"{measure}.{number}.where", []),
    )


def _typed(step: Step, number: int) -> Row:
    first = repr(step.where.first) if isinstance(step.where, First) else ""
    where = list(step.where) if isinstance(step.where, tuple) else []
    until = "" if step.until is None else str(step.until)
    start = str(step.from_day)
    return Row(step.measure, number, True, repr(step.intensity), start, until, first, where)


def _spread(rows: Iterable[Row]) -> list[Row]:
    """Return rows in the order of the measures, with one at least for each of them."""
    mine: dict[str, list[Row]] = {measure.name: [] for measure in measures.MEASURES}
    for row in rows:
        mine[row.measure].append(row)
    return [row for name, found in mine.items() for row in found or [Row(name, 0)]]
