"""Tables of a design over uncertainties: over what share of the worlds a result holds, and why."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reformsim.experiment.robustness import Driver, Regret, Robustness
from reformsim.experiment.sensitivity import Index
from reformsim.report.study import number
from reformsim.report.worlds import Worlds

if TYPE_CHECKING:
    from reformsim.report.tables import Writer

#: Uncertainties named for each headline, indices shown, and failures told one by one.
DRIVERS, INDICES, FAILURES = 4, 10, 5


def write(writer: "Writer", worlds: Worlds) -> None:
    """Write the tables of a sampled design, over its full ranges or over a calibrated region."""
    if worlds.whole.calibrated is not None:
        full, inside = (
            ("全部范围", "校准后的区域") if writer.zh else ("Full ranges", "Calibrated region")
        )
        writer.console.print(f"[bold]{full if worlds.within == 'full' else inside}[/]")
    for scenario in writer.study.references if worlds.robustness else ():
        rows = {r.outcome: r for r in worlds.robustness if r.scenario == scenario}
        shown = [rows[name] for name in writer.study.traits if name in rows]
        _shares(writer, worlds, scenario, shown)
        _rules(writer, worlds, scenario)
        if not worlds.indices:
            _drivers(writer, worlds, scenario)
    _regrets(writer, worlds)
    grouped: dict[tuple[str, str], list[Index]] = {}
    for index in worlds.indices:
        grouped.setdefault((index.scenario, index.outcome), []).append(index)
    for found in grouped.values():
        _indices(writer, worlds, found)
    lost: dict[str, list[str]] = {}
    for loss in worlds.losses:
        told = loss.consequence_zh if writer.zh else loss.consequence
        lost.setdefault(told, []).append(writer.outcome(loss.outcome))
    for consequence, outcomes in lost.items():
        writer.console.print(f"[yellow]{', '.join(outcomes)}: {consequence}[/]")
    for line in failures(writer, worlds):
        writer.console.print(line)


def _rules(writer: "Writer", worlds: Worlds, scenario: str) -> None:
    rules = [rule for rule in worlds.rules if rule.scenario == scenario]
    if not rules:
        return
    name = writer.name(scenario)
    writer.console.print(f"{name}在何处更差" if writer.zh else f"Where {name} does worse")
    for rule in rules:
        writer.console.print(f"  {writer.outcome(rule.outcome)}: {rule.words(writer.zh)}")
    writer.console.print(
        "规则由一半情景点得出，数字由另一半检验。"
        if writer.zh
        else "Rules are found on one half of the points, their figures come from the other.",
        "",
    )


def _regrets(writer: "Writer", worlds: Worlds) -> None:
    """Write the minimax-regret choice for each headline, and the worst regret of each bundle."""
    rows: dict[str, list[Regret]] = {}
    for regret in worlds.regrets:
        rows.setdefault(regret.outcome, []).append(regret)
    if not rows:
        return
    title = "最小化最大遗憾的选择" if writer.zh else "Minimax regret"
    table = writer.table(title, "outcome", "choice", "worst regret", "next best")
    for name, found in rows.items():
        first, second = sorted(found, key=lambda regret: regret.worst)[:2]
        table.add_row(
            writer.outcome(name),
            writer.name(first.scenario),
            number(first.worst),
            f"{writer.name(second.scenario)} {number(second.worst)}",
        )
    writer.console.print(table)
    failed = {r.scenario: r.failed for r in worlds.regrets if r.failed}
    lost = ", ".join(f"{writer.name(name)} {n}" for name, n in failed.items())
    if lost:
        writer.console.print(
            f"未计入无值的点：{lost}。"
            if writer.zh
            else f"Points without a value, left out: {lost}."
        )
    writer.console.print()


def _indices(writer: "Writer", worlds: Worlds, found: list[Index]) -> None:
    """Write the largest indices of one headline; what chance alone would show is dimmed."""
    first = found[0]
    kinds = [k for k in dict.fromkeys(i.index for i in found) if k not in ("S2", "mu", "sigma")]
    rows: dict[str, dict[str, Index]] = {}
    for index in found:
        if index.index in kinds:
            rows.setdefault(index.uncertainty, {})[index.index] = index
    order = sorted(rows, key=lambda name: -max(abs(i.value) for i in rows[name].values()))
    between = f"{writer.name(first.scenario)} − {writer.name(first.reference)}: "
    table = writer.table(
        (between if first.reference else "") + writer.marked(writer.study.traits[first.outcome]),
        *("uncertainty", *(f"{kind} [95 %]" for kind in kinds)),
    )
    for name in order[:INDICES]:
        row = rows[name]
        dim = all(i.below for i in row.values())
        cells = [
            f"{number(i.value)} [{number(i.low)}, {number(i.high)}]" + (" ·" if i.below else "  ")
            for i in (row[kind] for kind in kinds)
        ]
        table.add_row(writer.name(name), *cells, style="dim" if dim else None)
    writer.console.print(table)
    writer.console.print(_reading(writer, worlds, found), "")


def _reading(writer: "Writer", worlds: Worlds, found: list[Index]) -> str:
    """Say what chance shows, and how the widest interval shrank with the sample."""
    first = found[0]
    kinds = {"S1", "ST", "mu_star", "pawn"}
    widest: dict[int, float] = {}
    for i in worlds.convergence:
        if (i.outcome, i.scenario) == (first.outcome, first.scenario) and i.index in kinds:
            widest[i.n] = max(widest.get(i.n, 0.0), (i.high - i.low) / 2)
    floor = "?" if math.isnan(first.floor) else number(first.floor)
    steps = ", ".join(f"n = {n}: ±{number(half)}" for n, half in sorted(widest.items()))
    if writer.zh:
        return f"·：不超过随机性本身（{floor}）。" + (f"最宽区间：{steps}。" if steps else "")
    text = f"·: no more than chance itself ({floor})."
    return text + (f" Widest interval: {steps}." if steps else "")


def _shares(writer: "Writer", worlds: Worlds, scenario: str, rows: list[Robustness]) -> None:
    table = writer.table(
        f"{writer.name(scenario)} − {writer.name(writer.study.references[scenario])}",
        *("outcome", "better in [95 %]", "mean difference [95 %]", "5 % to 95 %", "noise"),
    )
    for row in rows:
        table.add_row(
            writer.marked(row),
            f"{row.share:.0%} [{row.share_low:.0%}, {row.share_high:.0%}]" if row.n else "–",
            f"{number(row.mean)} [{number(row.low)}, {number(row.high)}]",
            f"{number(row.q05)} … {number(row.q95)}",
            "–" if math.isnan(row.noise) else f"{row.noise:.0%}",
        )
    writer.console.print(table)
    counts = [row.n for row in rows]
    points, most = min(counts, default=0), max(counts, default=0)
    spread = f"{points}" if points == most else f"{points}–{most}"
    agree = [row.agree for row in rows if not math.isnan(row.agree)]
    writer.console.print(
        f"{spread} 个情景点；“更好”即处于较好方向（无方向者为更高）的点所占比例，Wilson 区间。"
        if writer.zh
        else f"{spread} points, paired seeds; share of points on the better side (the higher where "
        "neither is better), Wilson interval.",
    )
    if agree:
        writer.console.print(
            "噪声：单次运行差异的方差中随机性所占比例；"
            f"重复点上单次与其余各次均值同号的比例最低 {min(agree):.0%}。"
            if writer.zh
            else "Noise: share of the variance between single runs that is chance; where points "
            f"were repeated, one run had the sign of the others' mean in {min(agree):.0%} or more.",
        )
    writer.console.print()


def _drivers(writer: "Writer", worlds: Worlds, scenario: str) -> None:
    found: dict[str, list[Driver]] = {}
    for driver in worlds.drivers:
        if driver.scenario == scenario and driver.holm < 0.05:
            found.setdefault(driver.outcome, []).append(driver)
    table = writer.table("主导因素" if writer.zh else "What decides it", "outcome", "uncertainty")
    for name in writer.study.traits:
        told = ", ".join(
            f"{writer.name(d.uncertainty)} {d.correlation:+.2f}"
            for d in found.get(name, [])[:DRIVERS]
        )
        table.add_row(writer.outcome(name), told or "–")
    writer.console.print(table)
    writer.console.print(
        "偏秩相关，按 Holm 校正后 5% 显著者，最强在前；全表见 drivers.csv。"
        if writer.zh
        else "Partial rank correlations that hold at 5 % after Holm's correction, strongest first; "
        "all in drivers.csv.",
        "",
    )


def failures(writer: "Writer", worlds: Worlds) -> Iterator[str]:
    """Yield what failed: how many runs at how many points, by reason, the first of them by name."""
    failed = worlds.failures
    if not failed:
        return
    points = len({f.index for f in failed})
    total = len(writer.study.results.runs)
    yield (
        f"[yellow]{total} 次运行中 {len(failed)} 次失败，涉及 {points} 个点；"
        "这些点不计入该方案的比较。[/]"
        if writer.zh
        else f"[yellow]{len(failed)} of {total} runs failed, at {points} points; these points are "
        "left out of what they miss.[/]"
    )
    for (scenario, stage, message), n in Counter(
        (f.scenario, f.stage, f.message) for f in failed
    ).most_common(FAILURES):
        named = [
            f for f in failed if (f.scenario, f.stage, f.message) == (scenario, stage, message)
        ]
        runs = ", ".join(f"run {f.run} (point {f.index})" for f in named[:3])
        more = f" and {n - 3} more" if n > 3 else ""
        yield f"[yellow]  {n} × {scenario}, {stage}: {message}: {runs}{more}[/]"
