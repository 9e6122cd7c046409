"""Tables on the terminal: what changed, by how much, how sure; 80 columns, plain when piped."""

import math
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from reformsim import known
from reformsim.experiment.analysis import Contrast, Effect, Estimate, Lead
from reformsim.experiment.attribution import TOTAL, Share
from reformsim.experiment.kinds import Factorial
from reformsim.facts import Fact
from reformsim.report import pilots, sampled
from reformsim.report.chinese import say
from reformsim.report.edition import Edition
from reformsim.report.study import CAVEAT, CAVEAT_ZH, Study, digits, number

#: Marks a verdict that Holm's correction does not leave standing.
DOUBT = " ?"

#: The variance reduction that pairing should reach, and how many that miss it are named.
HOPED, MISSES = 10, 6
_COLOURS = {"better": "green", "worse": "red", "clear": "green"}
_HEADERS = {
    "outcome": "结果",
    "unit": "单位",
    "base": "基准",
    "scenario": "方案",
    "difference [95 %]": "差异 [95 %]",
    "estimate [95 %]": "估计 [95 %]",
    "lead [95 %]": "领先 [95 %]",
    "verdict": "判断",
    "term": "项",
    "first": "首位",
    "mean": "均值",
    "next": "次位",
    "better in [95 %]": "更好 [95 %]",
    "mean difference [95 %]": "平均差异 [95 %]",
    "5 % to 95 %": "5 % 至 95 %",
    "noise": "噪声",
    "uncertainty": "不确定性",
    "part": "部分",
    "choice": "选择",
    "worst regret": "最大遗憾",
    "next best": "次优",
    "share [95 %]": "份额 [95 %]",
    "of total": "占总效应",
    "treated": "试点数",
    "estimator": "估计方法",
    "bias [95 %]": "偏差 [95 %]",
    "covers": "覆盖率",
    "power": "功效",
    "false alarms": "误报率",
}
_WORDS = (
    "outcome",
    "unit",
    "term",
    "first",
    "next",
    "verdict",
    "uncertainty",
    "part",
    "choice",
    "estimator",
)


class Writer(Edition):
    """Writes the tables of one study to one console, in English or in Chinese."""

    def __init__(self, study: Study, console: Console, zh: bool) -> None:
        """Keep the study; nothing is written yet."""
        super().__init__(study, zh)
        self.console = console

    def word(self, verdict: str) -> str:
        """Name a verdict, coloured where it says something."""
        text = self.verdict(verdict)
        colour = _COLOURS.get(verdict)
        return f"[{colour}]{text}[/]" if colour else text

    def table(self, title: str, *headers: str) -> Table:
        """Return an empty table: words to the left, figures to the right and never broken."""
        table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
        for header in headers:
            words = header in _WORDS
            table.add_column(
                _HEADERS.get(header, header) if self.zh else header,
                justify="left" if words else "right",
                no_wrap=not words or header == "verdict",
                overflow="fold",
            )
        return table

    def contrasts(self, scenario: str) -> None:
        """Write one scenario against its reference."""
        table = self.table(
            f"{self.name(scenario)} − {self.name(self.study.references[scenario])}",
            *("outcome", "unit", "base", "scenario", "difference [95 %]", "verdict"),
        )
        rows = {c.outcome: c for c in self.study.contrasts if c.scenario == scenario}
        for row in (rows[name] for name in self.study.traits if name in rows):
            table.add_row(
                self.marked(row),
                self.unit(row.unit),
                number(row.base),
                number(row.mean),
                _range(row),
                self.word(row.verdict) + (DOUBT if _doubtful(row) else ""),
            )
        self.console.print(table, "")

    def effects(self, effects: Sequence[Effect]) -> None:
        """Write main effects and clear interactions, one table per headline; count the rest."""
        for trait in self.study.traits.values():
            rows = [effect for effect in effects if effect.outcome == trait.outcome]
            shown = [
                row
                for row in rows
                if len(row.factors) == 1 or row.verdict not in ("unclear", "same", "one run")
            ]
            title = f"{self.marked(trait)} ({self.unit(trait.unit)})"
            table = self.table(title, "term", "estimate [95 %]", "verdict")
            for row in shown:
                term = " × ".join(self.name(factor) for factor in row.factors)
                table.add_row(term, _range(row), self.word(row.verdict))
            self.console.print(table)
            if rest := len(rows) - len(shown):
                text = (
                    f"另有 {rest} 个交互不明" if self.zh else f"{rest} more interactions: unclear"
                )
                self.console.print(text)
            self.console.print()
        for factors in dict.fromkeys(e.factors for e in effects if e.aliases):
            told = next(e.aliases for e in effects if e.factors == factors)
            name = " × ".join(map(self.name, factors))
            others = ", ".join(" × ".join(map(self.name, t.split(" × "))) for t in told)
            self.console.print(
                f"{name} 与 {others} 无法区分" if self.zh else f"{name}: not told from {others}"
            )

    def shares(self, shares: Sequence[Share]) -> None:
        """Write what each part of a reform contributes, the largest first; they add up."""
        for trait in self.study.traits.values():
            rows = [share for share in shares if share.outcome == trait.outcome]
            whole = next(row for row in rows if row.part == TOTAL)
            table = self.table(
                f"{self.marked(trait)} ({self.unit(trait.unit)})",
                *("part", "share [95 %]", "of total", "verdict"),
            )
            for row in sorted(rows, key=lambda row: (row.part == TOTAL, -abs(row.value))):
                part = f"{row.value / whole.value:.0%}" if whole.value else "–"
                name = self.name(row.part)
                table.add_row(name, _range(row), part, self.word(row.verdict))
            self.console.print(table, "")

    def cells(self) -> None:
        """Write the means of all cells; a dot says that a factor stands at its first label."""
        labels: dict[str, list[str]] = {factor: [] for factor in self.study.cells[0].levels}
        for cell in self.study.cells:
            for factor, label in cell.levels.items():
                if label not in labels[factor]:
                    labels[factor].append(label)
        table = Table(box=None, padding=(0, 1, 0, 0))
        for factor, (first, *others) in labels.items():
            table.add_column(self.name(factor), overflow="fold", justify="center", max_width=7)
            marks = [f"· {self.name(first)}"]
            marks += [f"{i} {self.name(label)}" for i, label in enumerate(others, 1)]
            self.console.print(f"{self.name(factor)}: {', '.join(marks)}")
        for trait in self.study.traits.values():
            table.add_column(self.marked(trait), justify="right", overflow="fold")
        for cell in self.study.cells:
            levels = (labels[factor].index(label) for factor, label in cell.levels.items())
            placed = (self.study.placed.get((cell.name, name)) for name in self.study.traits)
            table.add_row(
                *(str(level) if level else "·" for level in levels),
                *(number(p.mean) if p else "–" for p in placed),
            )
        self.console.print("", table, "", sep="\n")

    def leads(self, leads: Sequence[Lead]) -> None:
        """Write the first treatment of each group and its lead over the next."""
        for group in self.study.groups:
            rows = {lead.outcome: lead for lead in leads if lead.group == group}
            table = self.table(
                self.name(group), "outcome", "first", "mean", "next", "lead [95 %]", "verdict"
            )
            for row in (rows[name] for name in self.study.traits if name in rows):
                table.add_row(
                    self.marked(row),
                    self.name(self.study.treatment(row.first)),
                    number(row.base),
                    self.name(self.study.treatment(row.runner_up)),
                    _range(row),
                    self.word(row.verdict),
                )
            self.console.print(table, "")


def write(study: Study, console: Console, zh: bool = False) -> None:
    """Write the tables of a study, what failed, and what the reader should keep in mind."""
    writer = Writer(study, console, zh)
    experiment = study.experiment
    console.print(f"[bold]{experiment.title_zh if zh else experiment.title}[/]")
    console.print(study.question(zh), "")
    caveat = CAVEAT_ZH if zh else CAVEAT
    if study.worlds is not None:
        sampled.write(writer, study.worlds)
        if study.calibrated is not None:
            sampled.write(writer, study.calibrated)
        console.print(caveat)
        return
    if study.powers:
        pilots.write(writer)
    elif study.groups:
        writer.leads(study.leads)
    elif study.shares:
        writer.shares(study.shares)
    elif study.effects:
        if isinstance(experiment.design, Factorial):
            writer.cells()
        writer.effects(study.effects)
    else:
        for scenario in study.references:
            writer.contrasts(scenario)
    for line in _failed(study) + ([caveat] if study.powers else _notes(writer)):
        console.print(line)


def _failed(study: Study) -> list[str]:
    return [
        f"[yellow]failed: run {run.run} ({run.scenario}, seed {run.seed}) in {run.stage}: "
        f"{run.message}[/]"
        for run in study.results.failed().itertuples()
    ]


def _notes(writer: Writer) -> list[str]:
    study, zh = writer.study, writer.zh
    notes: list[str] = []
    shown = [c for c in study.contrasts if c.outcome in study.traits]
    doubt = [c for c in shown if _doubtful(c)]
    if study.n < 2:
        notes.append(
            "n = 1：没有区间，也没有判断。"
            if zh
            else "n = 1 run per scenario: no interval, no verdict."
        )
    elif zh:
        kind = {"t": "t 区间", "bootstrap_t": "bootstrap-t 区间"}[study.experiment.intervals]
        notes.append(f"n = {study.n} 次重复，各方案用相同随机数；区间为单项结果的 95% {kind}。")
    else:
        kind = {"t": "t", "bootstrap_t": "bootstrap-t"}[study.experiment.intervals]
        notes.append(
            f"n = {study.n} replications, the same random numbers in all scenarios; "
            f"95 % {kind} intervals, one outcome at a time."
        )
    if doubt:
        notes.append(
            f"{DOUBT.strip()}：对全部 {len(shown)} 项比较作 Holm 校正后不再成立。"
            if zh
            else f"{DOUBT.strip()} does not hold for all {len(shown)} comparisons at once (Holm)."
        )
    return [*notes, *_pairing(writer, shown), CAVEAT_ZH if zh else CAVEAT]


def _pairing(writer: Writer, shown: Sequence[Contrast]) -> list[str]:
    """Tell what pairing saves: the median, and the headlines for which it is less than hoped."""
    saved = {
        (c.scenario, c.outcome): c.variance_reduction
        for c in shown
        if not math.isnan(c.variance_reduction)
    }
    if not saved:
        return []
    name, zh = writer.name, writer.zh
    median = number(float(np.median(list(saved.values()))))
    several = len({scenario for scenario, _ in saved}) > 1
    low = [
        f"{writer.outcome(outcome)}{f' ({name(scenario)})' if several else ''} {number(value)}"
        for (scenario, outcome), value in sorted(saved.items(), key=lambda item: item[1])
        if value < HOPED
    ]
    more = f", +{len(low) - MISSES}" if len(low) > MISSES else ""
    told = ", ".join(low[:MISSES]) + more
    if zh:
        text = f"配对使方差缩小为 1/{median}（中位数）。"
        return [text + (f"不足 {HOPED} 倍者 {len(low)} 项：{told}。" if low else "")]
    text = f"Pairing divides the variance by {median} (median)."
    return [text + (f" By less than {HOPED} in {len(low)} of {len(saved)}: {told}." if low else "")]


def _doubtful(row: Contrast) -> bool:
    """Whether a verdict rests on looking at one outcome only."""
    return row.verdict not in ("unclear", "same", "one run") and not row.holds


def _range(estimate: Estimate) -> str:
    """Write an estimate with its interval, all to two figures of the half-width."""
    half = (estimate.high - estimate.low) / 2
    if estimate.verdict == "same":
        return "0"
    if not half > 0:
        return number(estimate.value)
    d = digits(half, most=5)
    return f"{estimate.value:,.{d}f} [{estimate.low:,.{d}f}, {estimate.high:,.{d}f}]"


def facts_table(facts: Sequence[Fact], console: Console, zh: bool = False) -> None:
    """Write what a city is held to: fact, range, model, mark, hit or miss; count held-out hits."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for header in ("fact", "range", "model", "mark", ""):
        figures = header in ("range", "model")
        table.add_column(say(header, zh), justify="right" if figures else "left")
    for fact in facts:
        verdict = f"[green]{say('hit', zh)}[/]" if fact.hit else f"[red]{say('miss', zh)}[/]"
        span = f"{number(fact.low)} {say('to', zh)} {number(fact.high)}"
        name = known.BY_NAME[fact.name].zh if zh else fact.name
        table.add_row(name, span, number(fact.model), say(fact.mark, zh), verdict)
    held = [fact.hit for fact in facts if fact.mark == "held out"]
    counted = (
        f"留作检验的 {len(held)} 项中命中 {sum(held)} 项。"
        if zh
        else f"Held out, and hit: {sum(held)} of {len(held)}."
    )
    console.print(table, counted, sep="\n")
