"""What the figures of a brief draw: estimates with intervals, and curves, with their controls."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reformsim.experiment import analysis, subgroups
from reformsim.experiment.analysis import Estimate, Trait
from reformsim.report import sentences
from reformsim.report.brief import answer
from reformsim.report.brief.names import Names
from reformsim.report.chinese import chinese
from reformsim.report.sentences import Both
from reformsim.report.study import VERDICTS_ZH, Study

#: Scenarios up to which any two can be compared and all be drawn over time.
PAIRS = 8

#: Rows of one picture at most.
ROWS = 40

SCENARIO, AGAINST, OUTCOME = (
    Both("方案", "Scenario"),
    Both("对比", "Against"),
    Both("结果", "Outcome"),
)

Option = tuple[str, Both]


@dataclass(frozen=True)
class Row:
    """One estimate: its name, value and interval on the axis, verdict, sentence, other cells."""

    label: Both
    value: float
    low: float
    high: float
    verdict: str
    text: Both
    cells: Sequence[Both] = ()


@dataclass
class Forest:
    """Estimates with intervals, one below the other; ``rows`` by the keys chosen, joined by |.

    ``zero`` is the value that means no difference; ``axis`` says what is drawn, by the same keys
    or, for all of them, by an empty one.
    """

    id: str
    title: Both
    note: Both
    selects: list[tuple[Both, list[Option]]]
    columns: list[Both]
    axis: dict[str, Both]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    zero: float = 0.0

    def data(self) -> dict[str, Any]:
        """Return what the script needs, fit for JSON."""
        return {
            "selects": [[[key, *name] for key, name in options] for _, options in self.selects],
            "columns": self.columns,
            "axis": self.axis,
            "zero": self.zero,
            "rows": {
                key: [
                    [r.label, _json(r.value), _json(r.low), _json(r.high), r.verdict, r.text,
                     list(r.cells)]
                    for r in rows
                ]
                for key, rows in self.rows.items()
            },
        }  # fmt: skip


@dataclass
class Curves:
    """Outcomes over time in every scenario, with bands, and where steps of the reform lie."""

    scenarios: list[Option]
    outcomes: list[Option]
    axis: dict[str, Both]
    years: list[float]
    steps: list[float]
    bands: dict[str, dict[str, list[list[float | None]]]]

    def data(self) -> dict[str, Any]:
        """Return what the script needs, fit for JSON."""
        return {
            "scenarios": [[key, *name] for key, name in self.scenarios],
            "outcomes": [[key, *name] for key, name in self.outcomes],
            "axis": self.axis,
            "years": self.years,
            "steps": self.steps,
            "bands": self.bands,
        }


def forests(study: Study, names: Names) -> list[Forest]:
    """Return the figures of estimates that the design of a study has."""
    if not study.n or study.worlds is not None:
        return []
    found = []
    if study.shares or study.effects:
        found.append(_terms(study, names))
    if study.contrasts:
        found.append(_contrasts(study, names))
        found.append(_groups(study, names))
    return [forest for forest in found if any(forest.rows.values())]


def _contrasts(study: Study, names: Names) -> Forest:
    """Compare two scenarios: any two where they are few, else each with its reference."""
    rows: dict[str, list[Row]] = {}
    there = list(study.scenarios)
    free = len(there) <= PAIRS and not study.groups
    for other in there if free else ("",):
        pairs = {a: other for a in there if a != other} if free else study.references
        found = _compared(study, pairs)
        for a, b in pairs.items():
            mine = [c for c in found if c.scenario == a and c.outcome in study.traits]
            order = sorted(mine, key=lambda c: list(study.traits).index(c.outcome))
            rows[f"{a}|{b}" if free else a] = [_contrast(names, c) for c in order]
    if free:
        options = [(name, names.scenario(name)) for name in there]
        treated = sorted(options, key=lambda option: option[0] not in study.references)
        against = sorted(options, key=lambda o: o[0] not in study.references.values())
        selects = [(SCENARIO, treated), (AGAINST, against)]
    else:
        selects = [(SCENARIO, [(a, names.pair(a, b)) for a, b in study.references.items()])]
    return Forest(
        "contrasts",
        Both("两个方案并排比较", "Two scenarios side by side"),
        Both(
            "横线为成对差异的 95% 区间，占对比方案均值的百分比；跨过零线即看不出差别。"
            "超出坐标的以箭头表示。",
            "Lines are 95 % intervals of the paired difference, in percent of the mean of the "
            "scenario compared with; one that crosses zero shows no clear difference. Arrows go on "
            "beyond the axis.",
        ),
        selects,
        [AGAINST, SCENARIO, Both("差异", "Difference")],
        {"": Both("占对比方案均值的 %", "% of the mean compared with")},
        rows,
    )


def _compared(study: Study, pairs: dict[str, str]) -> list[analysis.Contrast]:
    """Return the contrasts of pairs, those of the study itself where it has them."""
    own = {(c.scenario, c.reference): c for c in study.contrasts}
    known = [c for c in study.contrasts if pairs.get(c.scenario) == c.reference]
    others = {a: b for a, b in pairs.items() if (a, b) not in own}
    return known + (analysis.contrasts(study.results, others, study.rule) if others else [])


def _contrast(names: Names, c: analysis.Contrast) -> Row:
    name = names.outcome(c.outcome)
    value, low, high = c.percent()
    half = (c.high - c.low) / 2
    return Row(
        name.then(*arrow(c.better)),
        value,
        low,
        high,
        c.verdict,
        sentences.change(c, name, holds=sentences.held(c)),
        [sentences.level(c.base, c.unit, half), sentences.level(c.mean, c.unit, half), _worded(c)],
    )


def _worded(e: Estimate) -> Both:
    """Write a difference and its verdict."""
    how, word = sentences.measured(e.unit), Both(VERDICTS_ZH[e.verdict], e.verdict)
    text = sentences.rounded(how.scale * e.value, how.scale * (e.high - e.low) / 2, sign=True)
    mark = "" if sentences.held(e) else " ?"
    return Both(f"{text}{how.change.zh} {word.zh}{mark}", f"{text}{how.change.en} {word.en}{mark}")


def _groups(study: Study, names: Names) -> Forest:
    """Compare a scenario with its reference group by group: who gains, who loses."""
    rows: dict[str, list[Row]] = {}
    references = dict(itertools.islice(study.references.items(), PAIRS))
    for trait in study.traits.values():
        found = subgroups.by_place(study.results, references, trait)
        for scenario in references:
            mine = [e for e in found if e.scenario == scenario]
            rows[f"{scenario}|{trait.outcome}"] = [_group(names, e) for e in mine[:ROWS]]
    return Forest(
        "groups",
        Both("谁受益，谁受损", "Who gains, who loses"),
        Both(
            "各年龄组、社区类型、区（市）县与街道（乡镇）中同一结果的成对差异与 95% 区间；"
            "组数多，偶然显得明确的也多。",
            "The paired difference in one outcome by age, type of community, district and "
            "subdistrict, with 95 % intervals; among many groups some seem clear by chance.",
        ),
        [
            (SCENARIO, [(a, names.pair(a, b)) for a, b in references.items()]),
            (OUTCOME, _outcomes(study, names)),
        ],
        [Both("对比方案", "Compared with"), Both("差异", "Difference")],
        _units(study, names, [*references]),
        rows,
    )


def _group(names: Names, e: subgroups.Subgroup) -> Row:
    place = names.place(e.level, e.place)
    subject = Both(f"{place.zh}：{names.outcome(e.outcome).zh}",
                   f"{place.en}: {names.outcome(e.outcome).en.lower()}")  # fmt: skip
    scale = sentences.measured(e.unit).scale
    return Row(
        place,
        scale * e.value,
        scale * e.low,
        scale * e.high,
        e.verdict,
        sentences.change(e, subject),
        [sentences.level(e.base, e.unit, (e.high - e.low) / 2), _worded(e)],
    )


def _terms(study: Study, names: Names) -> Forest:
    """Draw effects of factors, or shares of the parts of a reform, outcome by outcome."""
    rows: dict[str, list[Row]] = {}
    terms = answer.terms(study, names)
    for outcome in study.traits:
        mine = [(e, subject) for e, subject in terms if e.outcome == outcome]
        mine.sort(key=lambda row: -abs(row[0].value))
        rows[outcome] = [_term(names, e, subject) for e, subject in mine[:ROWS]]
    return Forest(
        "terms",
        Both("各部分的作用", "What each part does"),
        Both(
            "估计值与 95% 区间，由大到小；跨过零线即看不出作用。",
            "Estimates with 95 % intervals, the largest first; one that crosses zero shows no "
            "clear effect.",
        ),
        [(OUTCOME, _outcomes(study, names))],
        [Both("作用", "Effect")],
        _units(study, names),
        rows,
    )


def _term(names: Names, e: Estimate, subject: Both) -> Row:
    scale = sentences.measured(e.unit).scale
    text = subject.then("——", " — ").then(*sentences.change(e, names.outcome(e.outcome)))
    return Row(
        subject, scale * e.value, scale * e.low, scale * e.high, e.verdict, text, [_worded(e)]
    )


def _outcomes(study: Study, names: Names) -> list[Option]:
    return [
        (t.outcome, names.outcome(t.outcome).then(*arrow(t.better))) for t in study.traits.values()
    ]


def _units(study: Study, names: Names, before: Sequence[str] = ()) -> dict[str, Both]:
    """Name the axis of each outcome, by the keys chosen."""
    found = {}
    for trait in study.traits.values():
        for key in [f"{a}|" for a in before] or [""]:
            found[key + trait.outcome] = _axis(names, trait)
    return found


def _axis(names: Names, trait: Trait) -> Both:
    change, unit = sentences.measured(trait.unit).change, names.unit(trait.unit)
    return Both(change.zh.strip() or unit.zh, change.en.strip() or unit.en)


def curves(study: Study, names: Names) -> Curves | None:
    """Return the curves of a comparison; None where no months are kept, or too many scenarios."""
    rows = study.results.kind("curve")
    if study.worlds is not None or not len(rows) or len(study.scenarios) > PAIRS:
        return None
    there = set(rows["outcome"].astype(str))
    shown = [trait for trait in study.traits.values() if trait.outcome in there]
    found = analysis.bands(rows, ["outcome", "scenario", "day"]).sort_values("day")
    bands: dict[str, dict[str, list[list[float | None]]]] = {}
    for trait in shown:
        scale = sentences.measured(trait.unit).scale
        mine = found[found["outcome"] == trait.outcome]
        bands[trait.outcome] = {
            str(scenario): [[_json(scale * x) for x in band[name]] for name in _BAND]
            for scenario, band in mine.groupby("scenario")
        }
    days = sorted(set(found["day"]))
    steps = {day for scenario in study.scenarios.values() for day in scenario.change_days()}
    return Curves(
        [(name, names.scenario(name)) for name in study.scenarios],
        [(t.outcome, names.outcome(t.outcome).then(*arrow(t.better))) for t in shown],
        {t.outcome: level_axis(t.unit) for t in shown},
        [round(day / 365, 3) for day in days],
        [round(day / 365, 3) for day in sorted(steps)],
        bands,
    )


_BAND = ("mean", "low", "high")


def level_axis(unit: str) -> Both:
    """Name the axis of levels in a unit."""
    level = sentences.measured(unit).level
    return Both(level.zh.strip() or chinese(unit), level.en.strip() or unit)


def arrow(better: str) -> Both:
    """Mark which way is better, after a name."""
    mark = {"higher": " ↑", "lower": " ↓"}.get(better, "")
    return Both(mark, mark)


def _json(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None
