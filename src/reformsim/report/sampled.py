"""Tables of a design over uncertainties: over what share of the worlds a result holds, and why."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reformsim.experiment.robustness import Driver, Robustness
from reformsim.report.study import arrow, number

if TYPE_CHECKING:
    from reformsim.report.tables import Writer

#: Uncertainties named for each headline, and failures told one by one.
DRIVERS, FAILURES = 4, 5


def write(writer: "Writer") -> None:
    """Write the tables of a sampled design."""
    for scenario in writer.study.references:
        rows = {r.outcome: r for r in writer.study.robustness if r.scenario == scenario}
        shown = [rows[name] for name in writer.study.traits if name in rows]
        _shares(writer, scenario, shown)
        _drivers(writer, scenario)
    for line in failures(writer):
        writer.console.print(line)


def _shares(writer: "Writer", scenario: str, rows: list[Robustness]) -> None:
    table = writer.table(
        f"{writer.name(scenario)} − {writer.name(writer.study.references[scenario])}",
        *("outcome", "better in [95 %]", "mean difference [95 %]", "5 % to 95 %", "noise"),
    )
    for row in rows:
        table.add_row(
            writer.name(row.outcome) + arrow(row.better),
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


def _drivers(writer: "Writer", scenario: str) -> None:
    found: dict[str, list[Driver]] = {}
    for driver in writer.study.drivers:
        if driver.scenario == scenario and driver.holm < 0.05:
            found.setdefault(driver.outcome, []).append(driver)
    table = writer.table("主导因素" if writer.zh else "What decides it", "outcome", "uncertainty")
    for name in writer.study.traits:
        told = ", ".join(
            f"{d.uncertainty} {d.correlation:+.2f}" for d in found.get(name, [])[:DRIVERS]
        )
        table.add_row(writer.name(name), told or "–")
    writer.console.print(table)
    writer.console.print(
        "偏秩相关，按 Holm 校正后 5% 显著者，最强在前；全表见 drivers.csv。"
        if writer.zh
        else "Partial rank correlations that hold at 5 % after Holm's correction, strongest first; "
        "all in drivers.csv.",
        "",
    )


def failures(writer: "Writer") -> Iterator[str]:
    """Yield what failed: how many runs at how many points, by reason, the first of them by name."""
    failed = writer.study.failures
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
