"""Advice in words and tables, in English or in Chinese."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reformsim import outcomes
from reformsim.city import AGE_GROUPS, AGE_GROUPS_ZH, COMMUNITY_TYPES, COMMUNITY_TYPES_ZH
from reformsim.experiment import aftermath
from reformsim.experiment.advice import Findings, Rival
from reformsim.experiment.aftermath import GroupContrast, Year
from reformsim.experiment.analysis import Contrast
from reformsim.experiment.bundles import NOTHING, Bundle
from reformsim.experiment.schema import Experiment
from reformsim.measures import BY_NAME
from reformsim.report.study import CAVEAT, CAVEAT_ZH, VERDICTS_ZH, arrow, number, plain

#: Reasons for rejection told on the terminal; the file has all.
REASONS = 3

_GROUPS_ZH = dict(zip(COMMUNITY_TYPES, COMMUNITY_TYPES_ZH, strict=True)) | dict(
    zip(AGE_GROUPS, AGE_GROUPS_ZH, strict=True)
)


@dataclass(frozen=True)
class Report:
    """What was advised, to be told; ``config_hash`` is that of the second look's runs."""

    experiment: Experiment
    found: Findings
    config_hash: str

    @property
    def count(self) -> str:
        """Say how many worlds there are, in both languages."""
        return f"n = {self.found.worlds} 个情景 worlds"

    @cached_property
    def marks(self) -> dict[str, str]:
        """A short mark for each bundle of the second look: N for nothing, then B1, B2, ..."""
        names = [candidate.bundle for candidate in self.found.candidates]
        return {name: f"B{i}" if i else "N" for i, name in enumerate(names)}

    @cached_property
    def break_even(self) -> Year | None:
        """The first year from which the headline is better, and stays so."""
        return aftermath.even(self.found.years)

    def outcome(self, name: str, zh: bool) -> str:
        """Name an outcome."""
        return outcomes.BY_NAME[name].meaning_zh if zh else plain(name)

    def group(self, group: GroupContrast, zh: bool) -> str:
        """Name a group of residents."""
        return _GROUPS_ZH.get(group.place, group.place) if zh else plain(group.place)

    def bundle(self, name: str, zh: bool) -> str:
        """Name the measures of a bundle."""
        bundle = Bundle.parse(name)
        if bundle == NOTHING:
            return "不采取措施" if zh else "do nothing"
        return ("、" if zh else ", ").join(
            measure(name, zh) + ("" if level == 1 else f" ({level:.0%})")
            for name, level in bundle.levels
        )

    def words(self, zh: bool) -> list[str]:
        """Say the advice in plain sentences."""
        return [*self._verdict(zh), *self._sure(zh), *self._after(zh), *self._looked(zh)]

    def _verdict(self, zh: bool) -> Iterator[str]:
        found, name = self.found, self.outcome(self.found.headline, zh)
        if found.advised == NOTHING:
            if found.best == NOTHING:
                yield (
                    f"建议:不采取措施。以{name}衡量,预算内没有组合的最大遗憾更小。"
                    if zh
                    else f"Advice: do nothing. In {name} no bundle within the budget has a smaller "
                    "worst regret."
                )
                return
            best = self.bundle(found.best.name, zh)
            yield (
                f"建议:不采取措施。最大遗憾最小的是“{best}”,但未显示其{name}优于不采取措施。"
                if zh
                else f"Advice: do nothing. The least worst regret has {best}, but it is not shown "
                f"to be better than nothing in {name}."
            )
            return
        advised = self.bundle(found.advised.name, zh)
        cost = next(c for c in found.candidates if c.bundle == found.advised.name)
        effect = self._effect(self._contrast(found.headline))
        yield (
            f"建议:{advised}。{name}{effect};每年占转移支付 {cost.cost:.2%}。"
            if zh
            else f"Advice: {advised}. {name} {effect}; {cost.cost:.2%} of the transfer a year."
        )
        if cost.over > 0:
            yield (
                f"在 {cost.over:.0%} 的情景中,实际成本超出预算。"
                if zh
                else f"In {cost.over:.0%} of the worlds it costs more than the budget in the end."
            )
        worse = [
            c for c in found.contrasts
            if c.scenario == found.advised.name and c.outcome in found.outcomes
            and c.verdict == "worse"
        ]  # fmt: skip
        for c in worse:
            yield (
                f"代价:{self.outcome(c.outcome, zh)}变差 {self._effect(c)}。"
                if zh
                else f"The price: {self.outcome(c.outcome, zh)} is worse, {self._effect(c)}."
            )

    def _sure(self, zh: bool) -> Iterator[str]:
        for rival in self.found.rivals:
            yield self._rival(rival, zh)

    def _rival(self, rival: Rival, zh: bool) -> str:
        best, other = (self.bundle(n, zh) for n in (self.found.best.name, rival.bundle))
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
                return text + ("情景不足 40 个,不说明何时会改变。" if few else "")
            return text + (" Under 40 worlds: not said what would change it." if few else "")
        rule = rival.rule.words(zh)
        return text + (f"何时改变:{rule}。" if zh else f" What would change it: {rule}.")

    def _after(self, zh: bool) -> Iterator[str]:
        if self.found.advised == NOTHING:
            return
        lost = aftermath.losers(self.found.groups)
        for group in lost:
            doubt = (
                "" if group.holds else (" (多重比较校正后不成立)" if zh else " (not after Holm)")
            )
            where, name = self.group(group, zh), self.outcome(group.outcome, zh)
            yield (
                f"受损:{where},{name} {self._effect(group)}{doubt}。"
                if zh
                else f"Who loses: {where}, {name} {self._effect(group)}{doubt}."
            )
        if not lost and self.found.groups:
            yield "未显示有群体受损。" if zh else "No group is shown to lose."
        if self.found.years:
            yield self._even(zh)

    def _even(self, zh: bool) -> str:
        year, name = self.break_even, self.outcome(self.found.headline, zh)
        if year is None:
            last = self.found.years[-1].year
            return (
                f"到第 {last} 年为止,{name}没有从某年起一直显示更好。"
                if zh
                else f"Up to year {last} there is no year from which {name} stays shown to be "
                "better."
            )
        cost = f"{year.cost:.3f} [{year.cost_low:.3f}, {year.cost_high:.3f}]"
        return (
            f"从第 {year.year} 年起{name}一直显示更好;到该年年底累计花费 {cost} 年的转移支付。"
            if zh
            else f"From year {year.year} on {name} stays shown to be better; by the end of that "
            f"year it has cost {cost} years of transfer."
        )

    def _looked(self, zh: bool) -> Iterator[str]:
        found, design = self.found, self.found.searched
        looked = len(design.costs) - 1
        how = ("全部" if design.all else "搜索") if zh else ("all" if design.all else "a search")
        yield (
            f"组合共 {design.space:,} 个({how}),运行 {looked} 个,"
            f"舍弃 {len(design.rejected)} 个;其中 {len(found.candidates) - 1} 个"
            f"在 {found.worlds} 个新情景中以新随机数复核。"
            if zh
            else f"Of {design.space:,} bundles ({how}) {looked} were run, {len(design.rejected)} "
            f"rejected; {len(found.candidates) - 1} were looked at again in {found.worlds} fresh "
            "worlds with fresh random numbers."
        )
        drops = [o for o in found.optimism if o.outcome == found.headline]
        if drops:
            searched = sum(o.searched for o in drops) / len(drops)
            confirmed = sum(o.confirmed for o in drops) / len(drops)
            yield (
                f"赢家的诅咒:这些组合搜索时平均增益 {number(searched)},复核时 {number(confirmed)}。"
                if zh
                else f"Winner's curse: their mean gain was {number(searched)} in the search, "
                f"{number(confirmed)} in the second look."
            )

    def write(self, console: Console, zh: bool = False) -> None:
        """Write the advice and its tables."""
        experiment = self.experiment
        console.print(f"[bold]{experiment.title_zh if zh else experiment.title}[/]", "")
        for line in self.words(zh):
            console.print(escape(line))
        console.print()
        console.print(self._front(zh), "")
        for name, mark in self.marks.items():
            console.print(f"{mark}: {escape(self.bundle(name, zh))}")
        console.print()
        for table in (self._regrets(zh), self._order(zh), self._years(zh)):
            if table.row_count:
                console.print(table, "")
        for rejected in self.found.searched.rejected[:REASONS]:
            name = escape(self.bundle(rejected.bundle, zh))
            console.print(f"{'舍弃' if zh else 'Rejected'}: {name}: {escape(rejected.reason)}")
        for line in notes(zh):
            console.print(line)

    def _front(self, zh: bool) -> Table:
        """Return the bundles with cost and effects; those that another beats are dimmed."""
        title = (
            "第二次查看的组合,与不采取措施之差;暗色者被其他组合全面超过"
            if zh
            else "Bundles of the second look, against doing nothing; dimmed: another beats them"
        )
        heads = ("", "成本", "结果", "差异 [95 %]", "判断") if zh else (
            "", "cost", "outcome", "difference [95 %]", "verdict",
        )  # fmt: skip
        table = _table(title, *heads)
        for candidate in self.found.candidates:
            mark = self.marks[candidate.bundle]
            star = " *" if candidate.bundle == self.found.best.name else ""
            style = None if candidate.front else "dim"
            rows = [
                c for c in self.found.contrasts
                if c.scenario == candidate.bundle and c.outcome in self.found.outcomes
            ]  # fmt: skip
            lead = (mark + star, f"{candidate.cost:.2%}")
            if not rows:
                why = candidate.why or ("基准" if zh else "reference")
                table.add_row(*lead, escape(why), "", "", style=style)
            for c in rows:
                name = self.outcome(c.outcome, zh) + arrow(c.better)
                word = VERDICTS_ZH[c.verdict] if zh else c.verdict
                doubt = c.outcome == self.found.headline and c.verdict in ("better", "worse")
                word += " ?" if doubt and not c.holds else ""
                table.add_row(*lead, name, escape(self._effect(c)), word, style=style)
                lead = ("", "")
        return table

    def _regrets(self, zh: bool) -> Table:
        heads = ("结果", "选择", "最大遗憾", "次优") if zh else (
            "outcome", "choice", "worst regret", "next best",
        )  # fmt: skip
        table = _table("各结果的最小最大遗憾选择" if zh else "Minimax regret by outcome", *heads)
        for name in self.found.outcomes:
            rows = [r for r in self.found.regrets if r.outcome == name]
            if len(rows) > 1:
                first, second = rows[:2]
                table.add_row(
                    self.outcome(name, zh), self.marks[first.scenario], number(first.worst),
                    f"{self.marks[second.scenario]} {number(second.worst)}",
                )  # fmt: skip
        return table

    def _order(self, zh: bool) -> Table:
        heads = ("", "措施", "增益 [95 %]", "领先 [95 %]", "次位") if zh else (
            "", "measure", "gain [95 %]", "lead [95 %]", "next",
        )  # fmt: skip
        title = (
            "引入顺序(逐步取最大遗憾最小者)" if zh else "Order of introduction (greedy by regret)"
        )
        table = _table(title, *heads)
        for place in self.found.order:
            lead = escape(self._effect(place.lead)) if place.lead else "–"
            if place.lead and place.lead.verdict not in ("better",):
                lead += " 难分" if zh else " tie"
            table.add_row(
                str(place.place), measure(place.measure, zh), escape(self._effect(place.gain)),
                lead, measure(place.next, zh) if place.next else "–",
            )  # fmt: skip
        return table

    def _years(self, zh: bool) -> Table:
        heads = ("年", "差异 [95 %]", "判断", "累计成本(年转移支付)") if zh else (
            "year", "difference [95 %]", "verdict", "cost so far (years of transfer)",
        )  # fmt: skip
        table = _table(self.outcome(self.found.headline, zh), *heads)
        for year in self.found.years:
            word = VERDICTS_ZH[year.verdict] if zh else year.verdict
            table.add_row(str(year.year), escape(self._effect(year)), word, f"{year.cost:.3f}")
        return table

    def _contrast(self, outcome: str) -> Contrast:
        return next(
            c for c in self.found.contrasts
            if c.outcome == outcome and c.scenario == self.found.best.name
        )  # fmt: skip

    @staticmethod
    def _effect(c: Contrast) -> str:
        """Write a difference with its interval."""
        return f"{_plus(c.value)} [{_plus(c.low)}, {_plus(c.high)}]"


def measure(name: str, zh: bool) -> str:
    """Name a measure."""
    return BY_NAME[name].zh if zh else plain(name)


def notes(zh: bool) -> list[str]:
    """Say how to read the tables."""
    if zh:
        return [
            "区间为 95%,按情景配对;首项结果的判断经 Holm 校正(? 表示校正后不成立)。",
            "“未显示”不等于没有;成本为首日报价,占每年转移支付的比例。",
            CAVEAT_ZH,
        ]
    return [
        "Intervals are 95 %, paired by world; verdicts on the first outcome are Holm-corrected "
        "(?: does not hold then).",
        "Not shown does not mean absent. Cost is the quote of the first day, of the yearly "
        "transfer.",
        CAVEAT,
    ]


def _plus(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for head in heads:
        table.add_column(head, overflow="fold")
    return table
