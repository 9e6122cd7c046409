"""The answer of a brief: what came out in plain sentences, each made from its numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from reformsim.experiment import subgroups
from reformsim.experiment.analysis import Contrast, Effect, Estimate, Trait
from reformsim.experiment.attribution import TOTAL, Share
from reformsim.experiment.kinds import Factorial
from reformsim.measures import BY_NAME as MEASURES
from reformsim.report import sentences
from reformsim.report.brief.names import Names
from reformsim.report.sentences import CLEAR, Both
from reformsim.report.study import Study

#: What a reform is paid with, beside what it does.
COSTS = ("cost_per_solved", "revenue", "staff")

#: Terms told one by one in a card; the others are counted, and stand in the tables.
MOST = 12

ANSWER, COST, TIME, LOSERS = (
    Both("总的来看", "In all"),
    Both("代价", "At what cost"),
    Both("多久见效", "After how many years"),
    Both("谁受损", "Who loses"),
)


@dataclass(frozen=True)
class Card:
    """One part of the answer: its title, the verdict on the first outcome, the sentences."""

    title: Both
    verdict: str
    lead: Both
    points: list[tuple[Both, Both]]


def cards(study: Study, names: Names) -> list[Card]:
    """Return the answer of a study without sampled worlds, the most important part first."""
    if not study.n:
        return []
    if study.groups:
        return [_best(study, names, group) for group in study.groups]
    if study.shares or study.effects:
        return [_parts(study, names, terms(study, names))]
    return [_compared(study, names, scenario) for scenario in study.references]


def _compared(study: Study, names: Names, scenario: str) -> Card:
    """Answer for one scenario against its reference."""
    found = {c.outcome: c for c in study.contrasts if c.scenario == scenario}
    title = names.pair(scenario, study.references[scenario])
    shown = [found[name] for name in study.traits if name in found]
    if not shown:
        nothing = Both("没有可比较的运行。", "There are no runs to compare.")
        return Card(title, "one run", nothing, [])
    expected = _expected(study, scenario)

    def told(e: Estimate) -> Both:
        return sentences.change(
            e, names.outcome(e.outcome), holds=sentences.held(e), expected=expected.get(e.outcome)
        )

    points = list(_tally(names, shown))
    price = [told(found[name]) for name in COSTS if name in found]
    if price:
        points.append((COST, joined(price)))
    against = [
        told(e)
        for e in shown
        if e.verdict in CLEAR and e.outcome in expected
        and (expected[e.outcome] == "up") != (e.value > 0)
    ]  # fmt: skip
    if against:
        points.append((Both("与预期相反", "Against what was expected"), joined(against)))
    main = next(iter(study.traits.values()))
    points += _when(study, names, scenario, main)
    points += _who(study, names, scenario, main)
    return Card(title, shown[0].verdict, told(shown[0]), points)


def _expected(study: Study, scenario: str) -> dict[str, Literal["up", "down"]]:
    """Return the way declared for an outcome by the measures that a scenario adds, if they agree.

    Those of the reference are in both and explain no difference.
    """
    mine, theirs = (
        {step.measure for step in study.scenarios[name].reform if step.intensity > 0}
        for name in (scenario, study.references[scenario])
    )
    ways: dict[str, set[Literal["up", "down"]]] = {}
    for name in mine - theirs:
        ways.setdefault(MEASURES[name].outcome, set()).add(MEASURES[name].expected)
    return {outcome: way for outcome, (way, *others) in ways.items() if not others}


def _tally(names: Names, rows: list[Contrast]) -> Iterator[tuple[Both, Both]]:
    """Count the verdicts on the outcomes shown, and name the outcomes of each."""
    heads = {
        "better": Both("更好", "Better"),
        "worse": Both("更差", "Worse"),
        "changed": Both("有变化（无所谓好坏）", "Changed (neither good nor bad)"),
        "unclear": Both("看不出明确变化", "No clear change"),
        "same": Both("不变", "Unchanged"),
        "one run": Both("只有一次运行，不作判断", "One run only, no verdict"),
    }
    kinds: dict[str, list[Contrast]] = {kind: [] for kind in heads}
    for row in rows:
        kind = "changed" if row.verdict in ("higher", "lower") else row.verdict
        kinds[kind].append(row)
    there = {kind: found for kind, found in kinds.items() if found}
    yield (
        ANSWER,
        Both(
            f"所列 {len(rows)} 项结果中："
            + "，".join(f"{heads[kind].zh} {len(found)} 项" for kind, found in there.items())
            + "。",
            f"Of {len(rows)} outcomes shown: "
            + ", ".join(f"{heads[kind].en.lower()} {len(found)}" for kind, found in there.items())
            + ".",
        ),
    )
    for kind, found in there.items():
        items = [names.outcome(row.outcome).then(*_short(row)) for row in found]
        yield heads[kind], listed(items)


def _short(e: Estimate) -> Both:
    """Return the size of a clear change, in brackets."""
    if e.verdict not in CLEAR:
        return Both("", "")
    half = (e.high - e.low) / 2
    how = sentences.measured(e.unit)
    text = sentences.rounded(how.scale * e.value, how.scale * half, sign=True)
    mark = "" if sentences.held(e) else "?"
    return Both(f"（{text}{how.change.zh}{mark}）", f" ({text}{how.change.en}{mark})")


def _when(study: Study, names: Names, scenario: str, trait: Trait) -> Iterator[tuple[Both, Both]]:
    asked = study.scenarios[scenario]
    starts = {scenario: min(asked.change_days(), default=asked.warm_up)}
    pair = {scenario: study.references[scenario]}
    rows = subgroups.by_year(study.results, pair, trait, starts)
    if rows and rows[0].n > 1:
        yield (
            TIME,
            sentences.years(
                [(row.year, row.verdict) for row in rows], names.outcome(trait.outcome)
            ),
        )


def _who(study: Study, names: Names, scenario: str, trait: Trait) -> Iterator[tuple[Both, Both]]:
    if trait.better == "neither":
        return
    pair = {scenario: study.references[scenario]}
    rows = subgroups.by_place(study.results, pair, trait)
    if rows and rows[0].n > 1:
        lost = [names.place(row.level, row.place) for row in rows if row.verdict == "worse"]
        gained = sum(row.verdict == "better" for row in rows)
        yield LOSERS, sentences.losers(names.outcome(trait.outcome), lost, gained, len(rows))


def terms(study: Study, names: Names) -> list[tuple[Estimate, Both]]:
    """Return the effects of factors, or the shares of parts, each with its name."""
    if study.shares:
        return [(share, _part(names, share)) for share in study.shares]
    return [(effect, _term(study, names, effect)) for effect in study.effects]


def _parts(study: Study, names: Names, rows: list[tuple[Estimate, Both]]) -> Card:
    """Answer for factors or parts of a reform: the first outcome, term by term."""
    main = next(iter(study.traits))
    mine = [(e, subject) for e, subject in rows if e.outcome == main]
    simple = [(e, s) for e, s in mine if not isinstance(e, Effect) or len(e.factors) == 1]
    crossed = [(e, s) for e, s in mine if isinstance(e, Effect) and len(e.factors) > 1]
    simple.sort(key=lambda row: (_is_total(row[0]), abs(row[0].value)), reverse=True)
    clear = [(e, s) for e, s in crossed if e.verdict in CLEAR]
    told = [(s, sentences.change(e, names.outcome(main))) for e, s in simple[:MOST]]
    told += [(s, sentences.change(e, names.outcome(main))) for e, s in clear[:MOST]]
    left = len(simple) + len(crossed) - len(told)
    if left:
        told.append(
            (
                Both("其余", "The others"),
                Both(
                    f"另有 {left} 项不在此列出，见数据表。", f"{left} more terms are in the tables."
                ),
            )
        )
    verdict = simple[0][0].verdict if simple and _is_total(simple[0][0]) else "reference"
    clear_n = sum(e.verdict in CLEAR for e, _ in simple)
    lead = Both(
        f"对{names.outcome(main).zh}，{len(simple)} 项中有 {clear_n} 项作用明确；以下由大到小。",
        f"On {names.outcome(main).en.lower()}, {clear_n} of {len(simple)} terms have a clear "
        "effect; the largest first.",
    )
    return Card(Both("各部分的作用", "What each part does"), verdict, lead, told)


def _is_total(e: Estimate) -> bool:
    return isinstance(e, Share) and e.part == TOTAL


def _part(names: Names, share: Share) -> Both:
    if share.part == TOTAL:
        return Both("整个改革", "The whole reform")
    return names.scenario(share.part)


def _term(study: Study, names: Names, effect: Effect) -> Both:
    """Name a main effect by its two labels, an interaction by its factors."""
    chosen = study.experiment.design
    levels = chosen.two_level() if isinstance(chosen, Factorial) else None
    if len(effect.factors) == 1 and levels:
        low, high = (names.scenario(label) for label in levels[effect.factors[0]])
        name = names.scenario(effect.factors[0])
        return name.then(f"：{low.zh} → {high.zh}", f": {low.en} → {high.en}")
    parts = [names.scenario(factor) for factor in effect.factors]
    found = Both(" × ".join(p.zh for p in parts), " × ".join(p.en for p in parts))
    if len(parts) > 1:
        found = found.then("（超出各自之和）", " (beyond the sum of the two)")
    return found


def _best(study: Study, names: Names, group: str) -> Card:
    """Answer which treatment comes first in one place, outcome by outcome."""
    rows = {lead.outcome: lead for lead in study.leads if lead.group == group}
    found = [rows[name] for name in study.traits if name in rows]
    told = [
        (
            names.outcome(row.outcome),
            sentences.lead(
                row,
                Both("", ""),
                names.scenario(study.treatment(row.first)),
                names.scenario(study.treatment(row.runner_up)),
            ),
        )
        for row in found
    ]
    clear = sum(row.verdict == "clear" for row in found)
    lead = Both(
        f"{len(found)} 项结果中，{clear} 项有明确的首位。",
        f"{clear} of {len(found)} outcomes have a clear first.",
    )
    return Card(names.scenario(group), "reference", lead, told)


def sure(study: Study) -> Both:
    """Say how sure a comparison can be: replications, intervals, false alarms, reach."""
    if not study.n:
        return Both("没有一次运行完成。", "No run was finished.")
    if study.n < 2:
        return Both(
            "每个方案只有一次运行：没有区间，也不作判断。",
            "One run per scenario: there is no interval, and no verdict.",
        )
    shown = [c for c in study.contrasts if c.outcome in study.traits]
    doubt = sum(c.verdict in CLEAR and not sentences.held(c) for c in shown)
    counts = sorted({c.n for c in study.contrasts if c.n}) or [study.n]
    n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
    found = Both(
        f"各方案 {n} 次成对重复（相同的居民、需求、资金与随机数），区间为 95%。区间只反映随机性；"
        "模型假设若有不同，结论也会不同。逐项判断时，二十项真实为零的差异中约有一项会误报。",
        f"{n} paired replications of each scenario (the same residents, needs, money and "
        "random numbers), 95 % intervals. They cover chance only: under other assumptions the "
        "result may differ. Of twenty true zeros, judged one by one, about one gives a false "
        "alarm.",
    )
    if doubt:
        found = found.then(
            f"标“?”的 {doubt} 项在同时检验所有比较时（Holm 校正）不成立。",
            f" {doubt} verdicts, marked ?, do not hold once all comparisons are tested together "
            "(Holm's correction).",
        )
    return found


def listed(items: list[Both]) -> Both:
    """Put names into a list that ends with a full stop."""
    return Both("；".join(i.zh for i in items) + "。", "; ".join(i.en for i in items) + ".")


def joined(found: list[Both]) -> Both:
    """Put sentences after one another."""
    return Both("".join(s.zh for s in found), " ".join(s.en for s in found))


def goal(trait: Trait) -> Both:
    """Say which way is better."""
    words = {
        "higher": Both("越高越好", "higher is better"),
        "lower": Both("越低越好", "lower is better"),
    }
    return words.get(trait.better, Both("无所谓好坏", "neither is better"))
