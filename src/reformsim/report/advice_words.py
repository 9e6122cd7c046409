"""Advice in plain sentences, in English or in Chinese."""

from collections.abc import Iterator

from reformsim.experiment import aftermath
from reformsim.experiment.advice import Rival
from reformsim.experiment.analysis import Contrast
from reformsim.experiment.bundles import NOTHING
from reformsim.report.advice import Report
from reformsim.report.study import CAVEAT, CAVEAT_ZH, estimated, number


def words(report: Report, zh: bool) -> list[str]:
    """Say the advice in plain sentences."""
    return [
        *_verdict(report, zh),
        *(_rival(report, rival, zh) for rival in report.found.told.rivals),
        *_after(report, zh),
        *_beside(report, zh),
        *_looked(report, zh),
    ]


def _verdict(report: Report, zh: bool) -> Iterator[str]:
    found, name = report.found, report.outcome(report.found.headline, zh)
    if found.choice.advised == NOTHING:
        if len(found.candidates) == 1:
            yield (
                "建议：不采取措施。没有组合在预算之内且可运行。"
                if zh
                else "Advice: do nothing. No bundle is within the budget and can be run."
            )
            return
        if found.choice.best == NOTHING:
            yield (
                f"建议：不采取措施。以{name}衡量，预算内没有组合的最大遗憾更小。"
                if zh
                else f"Advice: do nothing. In {name} no bundle within the budget has a smaller "
                "worst regret."
            )
            return
        best = report.bundle(found.choice.best.name, zh)
        yield (
            f"建议：不采取措施。最大遗憾最小的是“{best}”，但未显示其{name}优于不采取措施。"
            if zh
            else f"Advice: do nothing. The least worst regret has {best}, but it is not shown "
            f"to be better than nothing in {name}."
        )
        return
    advised = report.bundle(found.choice.advised.name, zh)
    cost = next(c for c in found.candidates if c.bundle == found.choice.advised.name)
    gain = effect(_headline(report))
    yield (
        f"建议：{advised}。{name} {gain}；每年占转移支付 {cost.cost:.2%}。"
        if zh
        else f"Advice: {advised}. {name} {gain}; {cost.cost:.2%} of the transfer a year."
    )
    yield from _doubts(report, zh)
    worse = [
        c for c in found.told.contrasts
        if c.scenario == found.choice.advised.name and c.outcome in found.outcomes
        and c.verdict == "worse"
    ]  # fmt: skip
    for c in worse:
        yield (
            f"代价：{report.outcome(c.outcome, zh)}变差 {effect(c)}。"
            if zh
            else f"The price: {report.outcome(c.outcome, zh)} is worse, {effect(c)}."
        )


def _doubts(report: Report, zh: bool) -> Iterator[str]:
    """Say what the third look holds against what is advised."""
    told = report.found.told
    if _headline(report).verdict != "better":
        yield (
            "选择时显示更优，但在用于报告的新情景中未能显示：请谨慎，或增加情景（report）。"
            if zh
            else "It was shown to be better where it was chosen, but is not in the fresh worlds of "
            "this report: be careful, or ask for more of them (report)."
        )
    if told.failed:
        yield (
            f"在 {told.worlds} 个情景中有 {told.failed} 个无法运行。"
            if zh
            else f"It could not be run in {told.failed} of {told.worlds} worlds."
        )
    if told.over > 0:
        yield (
            f"在 {told.over:.0%} 的情景中，实际成本超出预算。"
            if zh
            else f"In {told.over:.0%} of the worlds it costs more than the budget in the end."
        )


def _rival(report: Report, rival: Rival, zh: bool) -> str:
    best, other = (report.bundle(n, zh) for n in (report.found.choice.best.name, rival.bundle))
    share = rival.share
    told = f"{share.share:.0%} [{share.share_low:.0%}, {share.share_high:.0%}]"
    text = (
        f"“{best}”在 {told} 的情景中优于“{other}”。"
        if zh
        else f"{best}: better than {other} in {told} of the worlds."
    )
    if rival.rule is None:
        few = share.n < 40
        if zh:
            return text + ("情景不足 40 个，不说明何时会改变。" if few else "")
        return text + (" Under 40 worlds: not said what would change it." if few else "")
    rule = rival.rule.words(zh)
    return text + (f"何时改变：{rule}。" if zh else f" What would change it: {rule}.")


def _beside(report: Report, zh: bool) -> Iterator[str]:
    """Say what holds over the full ranges, where the advice is over a calibrated region."""
    full, choice = report.found.full, report.found.choice
    if full is None:
        return
    best, there = (report.bundle(c.best.name, zh) for c in (choice, full.choice))
    name = report.outcome(report.found.headline, zh)
    yield (
        "以上均为校准后的区域内；以下为全部范围。"
        if zh
        else "All this is over the calibrated region; over the full ranges:"
    )
    for c in full.told.contrasts:
        if c.scenario == choice.best.name and c.outcome == report.found.headline:
            yield f"“{best}”:{name} {effect(c)}。" if zh else f"{best}: {name} {effect(c)}."
    if full.told.failed:
        yield (
            f"在 {full.told.worlds} 个情景中有 {full.told.failed} 个无法运行。"
            if zh
            else f"It could not be run in {full.told.failed} of {full.told.worlds} worlds."
        )
    if full.choice.best == choice.best:
        yield "最大遗憾最小的组合相同。" if zh else "The least worst regret has the same bundle."
    else:
        yield (
            f"最大遗憾最小的是“{there}”：校准改变选择。"
            if zh
            else f"The least worst regret has {there}: calibration changes the choice."
        )


def _after(report: Report, zh: bool) -> Iterator[str]:
    if report.found.choice.advised == NOTHING:
        return
    lost = aftermath.losers(report.found.groups)
    for group in lost:
        doubt = "" if group.holds else (" （多重比较校正后不成立）" if zh else " (not after Holm)")
        where, name = report.group(group, zh), report.outcome(group.outcome, zh)
        yield (
            f"受损：{where},{name} {effect(group)}{doubt}。"
            if zh
            else f"Who loses: {where}, {name} {effect(group)}{doubt}."
        )
    if not lost and report.found.groups:
        yield "未显示有群体受损。" if zh else "No group is shown to lose."
    if report.found.years:
        yield _even(report, zh)


def _even(report: Report, zh: bool) -> str:
    year, name = report.break_even, report.outcome(report.found.headline, zh)
    if year is None:
        last = report.found.years[-1].year
        return (
            f"到第 {last} 年为止，{name}没有从某年起一直显示更好。"
            if zh
            else f"Up to year {last} there is no year from which {name} stays shown to be better."
        )
    cost = f"{year.cost:.3f} [{year.cost_low:.3f}, {year.cost_high:.3f}]"
    return (
        f"从第 {year.year} 年起{name}一直显示更好；到该年年底累计花费 {cost} 年的转移支付。"
        if zh
        else f"From year {year.year} on {name} stays shown to be better; by the end of that "
        f"year it has cost {cost} years of transfer."
    )


def _looked(report: Report, zh: bool) -> Iterator[str]:
    found, design = report.found, report.found.searched
    looked = len(design.costs) - 1
    how = ("全部" if design.all else "搜索") if zh else ("all" if design.all else "a search")
    yield (
        f"组合共 {design.space:,} 个（{how}），运行 {looked} 个，"
        f"舍弃 {len(design.rejected)} 个；从其中 {len(found.candidates) - 1} 个里在 {found.worlds} "
        f"个新情景中选择；以上数字来自另外 {found.told.worlds} 个情景，新随机数，选择时未曾使用。"
        if zh
        else f"Of {design.space:,} bundles ({how}) {looked} were run, {len(design.rejected)} "
        f"rejected; among {len(found.candidates) - 1} the choice was made in {found.worlds} fresh "
        f"worlds; the figures above are of {found.told.worlds} others, with random numbers of "
        "their own, by which nothing was chosen."
    )
    drops = [o for o in found.optimism if o.outcome == found.headline]
    if drops:
        searched = sum(o.searched for o in drops) / len(drops)
        confirmed = sum(o.confirmed for o in drops) / len(drops)
        yield (
            f"赢家的诅咒：这些组合搜索时平均增益 {number(searched)}，复核时 {number(confirmed)}。"
            if zh
            else f"Winner's curse: their mean gain was {number(searched)} in the search, "
            f"{number(confirmed)} in the second look."
        )
    for o in drops:
        if o.bundle == found.choice.best.name:
            yield (
                f"所选组合：选择时 {number(o.confirmed)}，新情景中 {number(o.reported)}。"
                if zh
                else f"That of the choice was {number(o.confirmed)} where it was chosen, "
                f"{number(o.reported)} in the third look."
            )


def _headline(report: Report) -> Contrast:
    return next(
        c for c in report.found.told.contrasts
        if c.outcome == report.found.headline and c.scenario == report.found.choice.best.name
    )  # fmt: skip


def effect(c: Contrast) -> str:
    """Write a difference with its interval."""
    return estimated(c.value, c.low, c.high)


def notes(zh: bool) -> list[str]:
    """Say how to read the tables."""
    if zh:
        return [
            "区间为 95%，按情景配对；首项结果的判断经 Holm 校正（? 表示校正后不成立）。",
            "“未显示”不等于没有；成本为首日报价，占每年转移支付的比例。",
            CAVEAT_ZH,
        ]
    return [
        "Intervals are 95 %, paired by world; verdicts on the first outcome are Holm-corrected "
        "(?: does not hold then).",
        "Not shown does not mean absent. Cost is the quote of the first day, of the yearly "
        "transfer.",
        CAVEAT,
    ]
