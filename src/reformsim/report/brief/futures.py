"""The answer of a brief over sampled worlds: in what share of futures, where not, what decides."""

from collections.abc import Iterator

from reformsim.experiment.robustness import Robustness
from reformsim.experiment.sensitivity import Index
from reformsim.report import sentences
from reformsim.report.brief.answer import COST, COSTS, Card, joined, listed
from reformsim.report.brief.charts import OUTCOME, ROWS, SCENARIO, Forest, Row
from reformsim.report.brief.names import Names
from reformsim.report.sentences import Both
from reformsim.report.study import Study, number
from reformsim.report.worlds import Worlds

#: Uncertainties and rules named in one sentence.
MOST = 4


def cards(study: Study, worlds: Worlds, names: Names) -> list[Card]:
    """Return the answer of a design over uncertainties."""
    if not study.n:
        return []
    if worlds.robustness:
        found = [_scenario(study, worlds, names, scenario) for scenario in study.references]
        return [*found, *_regret(study, worlds, names)]
    return [_weights(worlds, names)] if worlds.indices else []


def sure(worlds: Worlds) -> Both:
    """Say what a share of futures means, and what it does not."""
    n = len(worlds.sample.values)
    k = len(worlds.sample.bounds)
    if not worlds.fair:
        return Both(
            f"{n} 个情景点按敏感性分析的需要选取，不是未来的公平抽样："
            "它回答什么重要，不回答改革在多大比例的未来中更好。",
            f"The {n} points are chosen for a sensitivity analysis and are no fair sample of "
            "futures: they say what matters, not in what share of futures a reform does better.",
        )
    return Both(
        f"{n} 个未来由 {k} 项不确定因素在各自声明的范围内均匀抽取（拉丁超立方）。"
        "所占比例是对这些范围而言，不是概率预测。",
        f"{n} futures are drawn evenly over the declared ranges of {k} uncertainties (Latin "
        "hypercube). A share of them speaks of these ranges; it is no forecast of a probability.",
    )


def _scenario(study: Study, worlds: Worlds, names: Names, scenario: str) -> Card:
    found = {r.outcome: r for r in worlds.robustness if r.scenario == scenario}
    title = names.pair(scenario, study.references[scenario])
    shown = [found[name] for name in study.traits if name in found]
    if not shown:
        nothing = Both("没有可比较的情景。", "There is no future to compare.")
        return Card(title, "one run", nothing, [])
    main = shown[0]
    points = [(Both("变化多大", "How large"), _spread(main)), *_shares(names, shown)]
    price = [sentences.futures(found[c], names.outcome(c)) for c in COSTS if c in found]
    if price:
        points.append((COST, joined(price)))
    points += _where(worlds, names, scenario)
    points += _deciding(worlds, names, scenario, main.outcome)
    points += _noise(main)
    return Card(title, _verdict(main), sentences.futures(main, names.outcome(main.outcome)), points)


def _verdict(row: Robustness) -> str:
    return sentences.majority(row) or "unclear"


def _spread(row: Robustness) -> Both:
    between = sentences.span(row.q05, row.q95, row.unit)
    how = sentences.measured(row.unit)
    half = how.scale * (row.q95 - row.q05) / 2
    mean = sentences.rounded(how.scale * row.mean, half, sign=True)
    return Both(
        f"平均变化 {mean}{how.change.zh}；十个未来中有九个在 {between.zh} 之间。",
        f"On average {mean}{how.change.en}; in nine of ten futures {between.en}.",
    )


def _shares(names: Names, rows: list[Robustness]) -> Iterator[tuple[Both, Both]]:
    """Name the outcomes that are better, or worse, in most futures, with both shares."""
    heads = {
        "better": Both("多数未来更好", "Better in most futures"),
        "worse": Both("多数未来更差", "Worse in most futures"),
        "higher": Both("多数未来更高（无所谓好坏）", "Higher in most (neither good nor bad)"),
        "lower": Both("多数未来更低（无所谓好坏）", "Lower in most (neither good nor bad)"),
        "unclear": Both("没有明确的多数", "No clear majority"),
    }
    for verdict, head in heads.items():
        found = [r for r in rows if _verdict(r) == verdict]
        if found:
            yield head, listed([names.outcome(r.outcome).then(*_both_shares(r)) for r in found])


def _both_shares(row: Robustness) -> Both:
    up, down = (
        (Both("高", "higher"), Both("低", "lower"))
        if row.better == "neither"
        else (Both("好", "better"), Both("差", "worse"))
    )
    return Both(
        f"（{up.zh} {row.share:.0%}，{down.zh} {row.worse:.0%}）",
        f" ({up.en} {row.share:.0%}, {down.en} {row.worse:.0%})",
    )


def _where(worlds: Worlds, names: Names, scenario: str) -> Iterator[tuple[Both, Both]]:
    """Say where the scenario loses, if a rule was found for any outcome shown."""
    mine = [rule for rule in worlds.rules if rule.scenario == scenario]
    found = [rule for rule in mine if rule.restrictions][:MOST]
    if found:
        told = [
            names.outcome(r.outcome).then(f"：{r.words(zh=True)}。", f": {r.words()}.")
            for r in found
        ]
        yield Both("在何处更差", "Where it does worse"), joined(told)
    elif mine:
        yield (
            Both("在何处更差", "Where it does worse"),
            Both(
                "没有找到能概括其失利情形的简短规则。", "No short rule was found that tells where."
            ),
        )


def _deciding(
    worlds: Worlds, names: Names, scenario: str, outcome: str
) -> Iterator[tuple[Both, Both]]:
    found = [
        d
        for d in worlds.drivers
        if (d.scenario, d.outcome) == (scenario, outcome) and d.holm < 0.05
    ]
    if found:
        items = [
            names.uncertainty(d.uncertainty).then(
                f"（偏秩相关 {d.correlation:+.2f}）", f" (rank correlation {d.correlation:+.2f})"
            )
            for d in found[:MOST]
        ]
        yield Both("由什么决定", "What decides it"), listed(items)


def _noise(row: Robustness) -> Iterator[tuple[Both, Both]]:
    if row.noise == row.noise:  # not NaN
        told = Both(
            f"各未来之间的差异中，约 {row.noise:.0%} 只是随机性。",
            f"About {row.noise:.0%} of the variance between futures is chance alone.",
        )
        if row.noise >= 1:
            told = Both(
                "各未来之间的差异不大于随机性本身。",
                "The futures differ by no more than chance alone would make them.",
            )
        yield Both("其中的偶然性", "Chance in it"), told


def _regret(study: Study, worlds: Worlds, names: Names) -> Iterator[Card]:
    """Name the choice whose worst regret is smallest, for each outcome shown."""
    told = []
    for outcome in study.traits:
        rows = sorted((r for r in worlds.regrets if r.outcome == outcome), key=lambda r: r.worst)
        if len(rows) > 1:
            first, second = rows[:2]
            a, b = names.scenario(first.scenario), names.scenario(second.scenario)
            worst = [sentences.size(r.worst, r.unit) for r in (first, second)]
            told.append(
                (
                    names.outcome(outcome),
                    Both(
                        f"{a.zh}（最大遗憾 {worst[0].zh}；{b.zh} {worst[1].zh}）。",
                        f"{a.en} (worst regret {worst[0].en}; {b.en} {worst[1].en}).",
                    ),
                )
            )
    if told:
        yield Card(
            Both("最小化最大遗憾的选择", "The choice of least regret"),
            "reference",
            Both(
                "遗憾：在某个未来中，所选方案比该未来的最佳方案差多少。只比较所有方案都有结果的未来。",
                "Regret: how much worse the choice is than the best one of the same future. Only "
                "futures in which every scenario has a result are compared.",
            ),
            told,
        )


def _weights(worlds: Worlds, names: Names) -> Card:
    """Answer which uncertainties matter, beyond what chance alone would show."""
    groups: dict[tuple[str, str, str], list[Index]] = {}
    for i in worlds.indices:
        groups.setdefault((i.scenario, i.reference, i.outcome), []).append(i)
    told = []
    for (_, _, outcome), rows in groups.items():
        kind = next((k for k in ("ST", "mu_star", "S1", "pawn") if k in {r.index for r in rows}),
                    rows[0].index)  # fmt: skip
        clear = sorted(
            (r for r in rows if r.index == kind and not r.below), key=lambda r: -abs(r.value)
        )
        items = [
            names.uncertainty(r.uncertainty).then(
                f"（{kind} {number(r.value)}）", f" ({kind} {number(r.value)})"
            )
            for r in clear[:MOST]
        ]
        none = Both("没有哪一项超出随机性本身。", "None shows more than chance itself.")
        told.append((names.outcome(outcome), listed(items) if items else none))
    return Card(
        Both("哪些不确定因素重要", "Which uncertainties matter"),
        "reference",
        Both(
            "每项结果列出影响最大、且超出随机性本身的因素。",
            "For each outcome the uncertainties of most influence that exceed chance itself.",
        ),
        told,
    )


def forests(study: Study, worlds: Worlds, names: Names) -> list[Forest]:
    """Return the figures of a design over uncertainties: shares of futures, what decides."""
    found = []
    if worlds.robustness:
        found.append(_share_chart(study, worlds, names))
    if worlds.drivers:
        found.append(_driver_chart(study, worlds, names))
    if worlds.indices:
        found.append(_index_chart(study, worlds, names))
    return [forest for forest in found if any(forest.rows.values())]


def _share_chart(study: Study, worlds: Worlds, names: Names) -> Forest:
    order = list(study.traits)
    rows = {
        scenario: [
            Row(
                names.outcome(r.outcome),
                100 * r.share,
                100 * r.share_low,
                100 * r.share_high,
                _verdict(r),
                sentences.futures(r, names.outcome(r.outcome)),
                [Both(text := f"{r.share:.0%} [{r.share_low:.0%}, {r.share_high:.0%}]", text)],
            )
            for r in sorted(
                (r for r in worlds.robustness if r.scenario == scenario and r.outcome in order),
                key=lambda r: order.index(r.outcome),
            )
            if r.n
        ]
        for scenario in study.references
    }
    return Forest(
        "futures",
        Both("在多大比例的未来中更好", "In what share of futures it is better"),
        Both(
            "竖线为一半；横线为比例的 95% 区间。无所谓好坏的结果，为更高的比例。"
            "未必不好即差：也有没有变化的未来。",
            "The vertical is one half; lines are 95 % intervals of the share. Of an outcome that "
            "is neither good nor bad, the share in which it is higher. Where it is not better it "
            "need not be worse: it may be unchanged.",
        ),
        [(SCENARIO, [(a, names.pair(a, b)) for a, b in study.references.items()])],
        [Both("比例 [95%]", "Share [95 %]")],
        {"": Both("占未来的 %", "% of futures")},
        rows,
        zero=50.0,
    )


def _driver_chart(study: Study, worlds: Worlds, names: Names) -> Forest:
    rows: dict[str, list[Row]] = {}
    for d in worlds.drivers:
        mine = rows.setdefault(f"{d.scenario}|{d.outcome}", [])
        if len(mine) < ROWS // 2:
            clear = d.holm < 0.05
            cell = f"{d.correlation:+.2f}".replace("-", "−")
            name = names.uncertainty(d.uncertainty)
            mine.append(Row(
                name, d.correlation, d.low, d.high, "reference" if clear else "unclear",
                name.then(
                    f"：偏秩相关 {cell}，" + ("明确。" if clear else "校正后不明确。"),
                    f": partial rank correlation {cell}, "
                    + ("clear." if clear else "not clear after correction."),
                ),
                [Both(cell, cell)],
            ))  # fmt: skip
    return Forest(
        "drivers",
        Both("由什么决定", "What decides it"),
        Both(
            "差异与各不确定因素的偏秩相关（其余因素固定）及 95% 区间；灰色者经 Holm 校正不明确。",
            "Partial rank correlation of the difference with each uncertainty, the others held "
            "fixed, with 95 % intervals; grey ones are not clear after Holm's correction.",
        ),
        [
            (SCENARIO, [(a, names.pair(a, b)) for a, b in study.references.items()]),
            (OUTCOME, [(name, names.outcome(name)) for name in study.traits]),
        ],
        [Both("相关", "Correlation")],
        {"": Both("偏秩相关", "partial rank correlation")},
        rows,
    )


def _index_chart(study: Study, worlds: Worlds, names: Names) -> Forest:
    rows: dict[str, list[Row]] = {}
    kinds = list(dict.fromkeys(i.index for i in worlds.indices if not i.other))
    for i in sorted(worlds.indices, key=lambda i: -abs(i.value)):
        mine = rows.setdefault(f"{i.scenario}|{i.outcome}|{i.index}", [])
        if len(mine) < ROWS // 2 and not i.other:
            name, cell = names.uncertainty(i.uncertainty), number(i.value)
            mine.append(Row(
                name, i.value, i.low, i.high, "unclear" if i.below else "reference",
                name.then(
                    f"：{i.index} {cell}" + ("，不超过随机性本身。" if i.below else "。"),
                    f": {i.index} {cell}" + (", no more than chance itself." if i.below else "."),
                ),
                [Both(cell, cell)],
            ))  # fmt: skip
    scenarios = dict.fromkeys(i.scenario for i in worlds.indices)
    return Forest(
        "indices",
        Both("哪些不确定因素重要", "Which uncertainties matter"),
        Both(
            "敏感性指数及 95% 区间；灰色者不超过随机性本身。",
            "Sensitivity indices with 95 % intervals; grey ones are no more than chance itself.",
        ),
        [
            (SCENARIO, [(name, names.scenario(name)) for name in scenarios]),
            (OUTCOME, [(name, names.outcome(name)) for name in study.traits]),
            (Both("指数", "Index"), [(kind, Both(kind, kind)) for kind in kinds]),
        ],
        [Both("指数", "Index")],
        {"": Both("指数", "index")},
        rows,
    )
