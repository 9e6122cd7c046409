"""What a brief rests on: the scenarios, what was varied, what was fixed, what stays as declared."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from reformsim import outcomes, uncertainties
from reformsim.declared import Uncertainty
from reformsim.measures import BY_NAME as MEASURES
from reformsim.report import pages
from reformsim.report.brief.answer import goal
from reformsim.report.brief.names import Names
from reformsim.report.chinese import chinese
from reformsim.report.sentences import Both
from reformsim.report.study import Study

#: Scenarios told one by one; a design of more is told by its factors, in its experiment file.
MOST = 8

NAME, UNIT, RANGE, DEFAULT, SOURCE = (
    Both("不确定因素", "Uncertainty"),
    Both("单位", "Unit"),
    Both("范围", "Range"),
    Both("默认", "Default"),
    Both("来源", "Source"),
)


@dataclass(frozen=True)
class Part:
    """One table of assumptions; ``figures`` are the columns that hold numbers."""

    title: Both
    text: Both | None
    heads: list[Both]
    rows: list[list[Both | str]] = field(default_factory=list)
    figures: tuple[int, ...] = ()
    open: bool = False


def parts(study: Study, names: Names) -> Iterator[Part]:
    """Yield the assumptions of a study, those that tell its scenarios apart first."""
    yield _setting(study, names)
    if found := _measures(study, names):
        yield found
    yield _varied(study, names)
    yield _fixed(study, names)
    yield _outcomes(study, names)


def _setting(study: Study, names: Names) -> Part:
    e = study.experiment
    rows: list[list[Both | str]] = [
        [Both("城市", "City"), Both(e.city.name_zh, e.city.name)],
        [Both("居民", "Residents"), f"{sum(u.population for u in e.city.census()):,}"],
        [
            Both("时间", "Time"),
            Both(
                f"先运行 {e.warm_up} 天（不含改革），再运行 {e.years} 年；结果取过渡期之后",
                f"{e.warm_up} days without the reform, then {e.years} years; outcomes are those "
                "after the transition",
            ),
        ],
        [
            Both("设计", "Design"),
            Both(
                f"{_KINDS[e.design.kind].zh}，{study.n} 次重复",
                f"{_KINDS[e.design.kind].en}, {study.n} replications",
            ),
        ],
    ]
    for name, scenario in list(study.scenarios.items())[
        : MOST if len(study.scenarios) <= MOST else 0
    ]:
        n = len({step.measure for step in scenario.reform if step.intensity > 0})
        text = Both(f"{n} 项措施", f"{n} measures") if n else Both("改革前", "before the reform")
        rows.append([names.scenario(name), text])
    heads = [Both("项目", "Item"), Both("内容", "Value")]
    return Part(Both("比较的是什么", "What is compared"), None, heads, rows, open=True)


_KINDS = {
    "compare": Both("方案比较", "comparison of scenarios"),
    "factorial": Both("析因设计", "factorial design"),
    "shapley": Both("Shapley 归因", "Shapley attribution"),
    "interactions": Both("两两交互", "interactions of pairs"),
    "staged": Both("分批推行", "staged roll-out"),
    "latin_hypercube": Both("拉丁超立方抽样", "Latin hypercube"),
    "one_at_a_time": Both("逐项变动", "one at a time"),
    "morris": Both("Morris 筛选", "Morris screening"),
    "sobol": Both("Sobol 指数", "Sobol indices"),
    "pawn": Both("PAWN 指数", "PAWN indices"),
    "fast": Both("FAST 指数", "FAST indices"),
}


def _measures(study: Study, names: Names) -> Part | None:
    """List the measures in force anywhere, what each costs, and when it backfires."""
    used: dict[str, list[Both]] = {}
    few = len(study.scenarios) <= MOST
    for name, scenario in study.scenarios.items():
        for measure in dict.fromkeys(s.measure for s in scenario.reform if s.intensity > 0):
            used.setdefault(measure, []).append(names.scenario(name))
    if not used:
        return None
    rows: list[list[Both | str]] = [
        [
            Both(m.zh, m.label),
            *([_joined(there)] if few else []),
            Both(pages.cost(m, zh=True), pages.cost(m)),
            Both(m.backfires_zh, m.backfires),
        ]
        for m, there in ((MEASURES[name], there) for name, there in used.items())
    ]  # fmt: skip
    return Part(
        Both(f"措施（{len(rows)} 项）", f"Measures ({len(rows)})"),
        Both(
            "强度与成本均为假设；成本为全强度下每年的支出，从同一笔经费中支付。",
            "Strengths and costs are assumed; a cost is that of a year at full intensity, paid "
            "from the same money.",
        ),
        [
            Both("措施", "Measure"),
            *([Both("用于", "In")] if few else []),
            Both("年度成本", "Cost a year"),
            Both("何时适得其反", "Backfires when"),
        ],
        rows,
    )


def _joined(there: list[Both]) -> Both:
    return Both("、".join(x.zh for x in there), ", ".join(x.en for x in there))


def _varied(study: Study, names: Names) -> Part:
    bounds = study.experiment.bounds()
    if not bounds:
        return Part(
            Both("变动了哪些不确定因素", "What was varied"),
            Both(
                "没有变动不确定因素：除下表所列的固定值外，全部取默认值。结论只对这一种世界而言。",
                "No uncertainty was varied: all stand at their defaults but those fixed below. "
                "The answer speaks of this one world.",
            ),
            [],
            open=True,
        )
    rows = [_row(names, uncertainties.BY_NAME[name], *ends) for name, ends in bounds.items()]
    return Part(
        Both(f"变动的不确定因素（{len(bounds)} 项）", f"Uncertainties varied ({len(bounds)})"),
        None,
        [NAME, UNIT, Both("变动范围", "Varied over"), DEFAULT, SOURCE],
        rows,
        (2, 3),
        open=len(bounds) <= 12,
    )  # fmt: skip


def _fixed(study: Study, names: Names) -> Part:
    """List the uncertainties that are not varied: those given a value first, then the rest."""
    fixed: dict[str, set[float]] = {}
    for scenario in study.scenarios.values():
        for name, value in scenario.uncertainties.items():
            fixed.setdefault(name, set()).add(value)
    varied = study.experiment.bounds()
    rest = [u for u in uncertainties.UNCERTAINTIES if u.name not in varied]
    rest.sort(key=lambda u: u.name not in fixed)
    rows = [[*_row(names, u, u.low, u.high), _values(fixed.get(u.name, {u.default}))] for u in rest]
    return Part(
        Both(f"未变动的不确定因素（{len(rows)} 项）", f"Uncertainties not varied ({len(rows)})"),
        Both(
            "先列由实验给定的值，其余取默认值。“假设”表示没有出处。",
            "Those to which the experiment gives a value come first, the others stand at their "
            "defaults. *Assumed* means that there is no source.",
        ),
        [NAME, UNIT, RANGE, DEFAULT, SOURCE, Both("取值", "Value")],
        rows,
        (2, 3, 5),
    )


def _values(values: set[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values))


def _row(names: Names, u: Uncertainty, low: float, high: float) -> list[Both | str]:
    return [
        names.uncertainty(u.name),
        names.unit(u.unit),
        f"{low:g} – {high:g}",
        f"{u.default:g}",
        Both(chinese(u.source), u.source),
    ]


def _outcomes(study: Study, names: Names) -> Part:
    return Part(
        Both("结果的含义", "What the outcomes mean"),
        None,
        [Both("结果", "Outcome"), Both("含义", "Meaning"), UNIT, Both("优劣方向", "Better")],
        [
            [
                names.outcome(t.outcome),
                Both(outcomes.BY_NAME[t.outcome].meaning_zh, outcomes.BY_NAME[t.outcome].meaning),
                names.unit(t.unit),
                goal(t),
            ]
            for t in study.traits.values()
        ],
    )
