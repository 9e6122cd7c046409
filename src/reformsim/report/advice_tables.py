"""Advice on the terminal: what it says, then its tables."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reformsim.experiment.robustness import Regret
from reformsim.report.advice import Report, measure
from reformsim.report.advice_words import effect, notes, words
from reformsim.report.study import VERDICTS_ZH, arrow, number

#: Reasons for rejection told on the terminal; the file has all.
REASONS = 3

#: Where worlds lie, at the end of a title, in Chinese and in English.
REGION = ("，校准后的区域", ", calibrated region")
RANGES = ("，全部范围", ", full ranges")


def write(report: Report, console: Console, zh: bool = False) -> None:
    """Write the advice and its tables."""
    experiment = report.experiment
    console.print(f"[bold]{experiment.title_zh if zh else experiment.title}[/]", "")
    for line in words(report, zh):
        console.print(escape(line))
    console.print()
    console.print(_front(report, zh), "")
    for name, mark in report.marks.items():
        console.print(f"{mark}: {escape(report.bundle(name, zh))}")
    console.print()
    full = report.found.full
    regrets = [_regrets(report, report.found.regrets, REGION if full else ("", ""), zh)]
    if full:
        regrets.append(_regrets(report, full.regrets, RANGES, zh))
    for table in (*regrets, _order(report, zh), _years(report, zh)):
        if table.row_count:
            console.print(table, "")
    for rejected in report.found.searched.rejected[:REASONS]:
        name = escape(report.bundle(rejected.bundle, zh))
        console.print(f"{'舍弃' if zh else 'Rejected'}: {name}: {escape(rejected.reason)}")
    for line in notes(zh):
        console.print(line)


def _front(report: Report, zh: bool) -> Table:
    """Return the bundles with cost and effects; those that another beats are dimmed."""
    title = (
        "可选组合，与不采取措施之差；所选者（*）与次选者为第三次查看，暗色者被其他组合全面超过"
        if zh
        else "Bundles against doing nothing; the choice (*) and its runner-up in the third look; "
        "dimmed: another beats them"
    )
    heads = ("", "成本", "结果", "差异 [95 %]", "判断") if zh else (
        "", "cost", "outcome", "difference [95 %]", "verdict",
    )  # fmt: skip
    table = _table(title, *heads)
    for candidate in report.found.candidates:
        mark = report.marks[candidate.bundle]
        star = " *" if candidate.bundle == report.found.choice.best.name else ""
        style = None if candidate.front else "dim"
        rows = [
            c for name in report.found.outcomes
            if (c := report.effects.get((candidate.bundle, name)))
        ]  # fmt: skip
        lead = (mark + star, f"{candidate.cost:.2%}")
        if not rows:
            why = candidate.why or ("基准" if zh else "reference")
            table.add_row(*lead, escape(why), "", "", style=style)
        for c in rows:
            name = report.outcome(c.outcome, zh) + arrow(c.better)
            word = VERDICTS_ZH[c.verdict] if zh else c.verdict
            doubt = c.outcome == report.found.headline and c.verdict in ("better", "worse")
            word += " ?" if doubt and not c.holds else ""
            table.add_row(*lead, name, escape(effect(c)), word, style=style)
            lead = ("", "")
    return table


def _regrets(report: Report, regrets: Sequence[Regret], within: tuple[str, str], zh: bool) -> Table:
    heads = ("结果", "选择", "最大遗憾", "次优") if zh else (
        "outcome", "choice", "worst regret", "next best",
    )  # fmt: skip
    title = "各结果的最小最大遗憾选择" if zh else "Minimax regret by outcome"
    table = _table(title + within[not zh], *heads)
    for name in report.found.outcomes:
        rows = [r for r in regrets if r.outcome == name]
        if len(rows) > 1:
            first, second = rows[:2]
            table.add_row(
                report.outcome(name, zh), report.marks[first.scenario], number(first.worst),
                f"{report.marks[second.scenario]} {number(second.worst)}",
            )  # fmt: skip
    return table


def _order(report: Report, zh: bool) -> Table:
    heads = ("", "措施", "增益 [95 %]", "领先 [95 %]", "次位") if zh else (
        "", "measure", "gain [95 %]", "lead [95 %]", "next",
    )  # fmt: skip
    title = "引入顺序（逐步取最大遗憾最小者）" if zh else "Order of introduction (greedy by regret)"
    table = _table(title, *heads)
    for place in report.found.order:
        lead = escape(effect(place.lead)) if place.lead else "–"
        if place.lead and place.lead.verdict not in ("better",):
            lead += " 难分" if zh else " tie"
        table.add_row(
            str(place.place), measure(place.measure, zh), escape(effect(place.gain)),
            lead, measure(place.next, zh) if place.next else "–",
        )  # fmt: skip
    return table


def _years(report: Report, zh: bool) -> Table:
    heads = ("年", "差异 [95 %]", "判断", "累计成本（年转移支付）") if zh else (
        "year", "difference [95 %]", "verdict", "cost so far (years of transfer)",
    )  # fmt: skip
    table = _table(report.outcome(report.found.headline, zh), *heads)
    for year in report.found.years:
        word = VERDICTS_ZH[year.verdict] if zh else year.verdict
        table.add_row(str(year.year), escape(effect(year)), word, f"{year.cost:.3f}")
    return table


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for head in heads:
        table.add_column(head, overflow="fold")
    return table
