"""Comparison 1: the reduced rule of `benchmarks.rule` in other frameworks and in the engine.

Each framework alternates with the engine over the same number of residents and days. All run in
one thread, but for the data frames of mesa-frames, which take every core. Compilation and the
loading of compiled code come before the first run.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from importlib import import_module

from matplotlib.figure import Figure

from benchmarks.frame import (
    TIMES,
    Benchmark,
    Goal,
    Measured,
    Timed,
    alternate,
    ratios,
    spread,
)
from benchmarks.rule import LEVEL, Builder, Outcome, Rule, compare

OURS = "reformsim"
#: Days of a run by framework and residents: fewer where a year would take minutes.
DAYS = {
    "numpy": {20_000: 365, 100_000: 365, 1_000_000: 365},
    "mesa_frames": {20_000: 365, 100_000: 365, 1_000_000: 30},
    "agentpy": {20_000: 365, 100_000: 90, 1_000_000: 10},
    "mesa": {20_000: 365, 100_000: 90, 1_000_000: 10},
}
QUICK = {2_000: 60}
PAIRS, QUICK_PAIRS = 5, 3
#: How many times faster than a framework was asked.
FASTER = {"numpy": 5.0, "mesa_frames": 20.0, "mesa": 500.0}


def builder(framework: str) -> Builder:
    """Return what sets the rule up in a framework."""
    found: Builder = import_module(f"benchmarks.in_{framework}").build
    return found


def _contestant(framework: str, rule: Rule) -> Callable[[int], Callable[[], Outcome]]:
    return partial(builder(framework), rule)


def measure(quick: bool) -> Measured:
    """Time all frameworks at all sizes, each against the engine."""
    rows = []
    for framework, sizes in DAYS.items():
        for residents, days in (QUICK if quick else sizes).items():
            rows.append(row(framework, Rule(residents, days), QUICK_PAIRS if quick else PAIRS))
    return {"rule": asdict(Rule(0)), "pairs": QUICK_PAIRS if quick else PAIRS, "rows": rows}


def row(framework: str, rule: Rule, pairs: int) -> Measured:
    """Time one framework against the engine under a rule."""
    small = Rule(rule.grid_size, days=2)
    for name in (OURS, framework):
        builder(name)(small, 0)()
    times = alternate({name: _contestant(name, rule) for name in (OURS, framework)}, pairs)
    ours, theirs = times[OURS], times[framework]
    return {
        "framework": framework,
        "residents": rule.residents,
        "days": rule.days,
        "ours": _seconds(ours),
        "theirs": _seconds(theirs),
        "ratio": ratios([x.run for x in theirs], [x.run for x in ours]),
        "ratio_with_set_up": ratios([_total(x) for x in theirs], [_total(x) for x in ours]),
        "ns_per_need": spread([1e9 * x.run / _needs(rule, x.told) for x in ours]),
        "outcomes": compare([x.told for x in ours], [x.told for x in theirs]),
    }


def _seconds(times: list[Timed[Outcome]]) -> Measured:
    return {"set_up": spread([x.set_up for x in times]), "run": spread([x.run for x in times])}


def _total(timed: Timed[Outcome]) -> float:
    return timed.set_up + timed.run


def _needs(rule: Rule, told: Outcome) -> float:
    return told.needs * rule.residents * rule.days / 365.0


def table(measured: Measured) -> str:
    """Return the table: seconds, ratios, and whether the outcomes agree."""
    lines = [
        "| framework | residents | days | its seconds | ours | ratio: median (lowest–highest) "
        "| with set-up | ns per need, ours | outcomes |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for x in measured["rows"]:
        ratio, whole = x["ratio"], x["ratio_with_set_up"]
        lines.append(
            f"| {x['framework']} | {x['residents']:,} | {x['days']} "
            f"| {x['theirs']['run']['median']:.3g} | {x['ours']['run']['median']:.3g} "
            f"| **{ratio['median']:.3g}** ({ratio['low']:.3g}–{ratio['high']:.3g}) "
            f"| {whole['median']:.3g} | {x['ns_per_need']['median']:.0f} "
            f"| {_agree(x['outcomes'])} |"
        )
    lines.append(
        f"\nMedians of {measured['pairs']} pairs of runs. Outcomes: means over those runs, ours "
        f"and theirs; of equal programs, {1 - LEVEL:.1%} of comparisons would call an outcome "
        "unequal."
    )
    return "\n".join(lines)


def _agree(outcomes: dict[str, Measured]) -> str:
    unequal = [name for name, found in outcomes.items() if not found["equal"]]
    wait, mood = outcomes["wait"], outcomes["satisfaction"]
    told = (
        f"wait {wait['ours']:.3f} and {wait['theirs']:.3f} (±{wait['half_width']:.3f}) d, "
        f"satisfaction {mood['ours']:.4f} and {mood['theirs']:.4f} (±{mood['half_width']:.4f})"
    )
    return f"**told apart: {', '.join(unequal)}**; {told}" if unequal else f"not told apart: {told}"


def goals(measured: Measured) -> list[Goal]:
    """Return the ratios against what was asked; of AgentPy nothing was."""
    return [
        Goal(f"{x['framework']}, {x['residents']:,} residents", limit, TIMES, x["ratio"])
        for name, limit in FASTER.items()
        for x in measured["rows"]
        if x["framework"] == name
    ]


def draw(measured: Measured) -> Figure:
    """Draw the ratios by residents, a line for each framework."""
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    names = dict.fromkeys(x["framework"] for x in measured["rows"])
    for k, name in enumerate(names):
        rows = [x for x in measured["rows"] if x["framework"] == name]
        middle = [x["ratio"]["median"] for x in rows]
        down = [x["ratio"]["median"] - x["ratio"]["low"] for x in rows]
        up = [x["ratio"]["high"] - x["ratio"]["median"] for x in rows]
        size = [x["residents"] for x in rows]
        axes.errorbar(size, middle, (down, up), marker="os^Dv"[k], capsize=3, label=name)
    axes.set(xscale="log", yscale="log", xlabel="residents", ylabel="times as long as reformsim")
    axes.axhline(1.0, color="0.6", linewidth=1)
    axes.legend()
    return figure


BENCHMARK = Benchmark(
    "same_rule",
    ("reformsim", "numpy", "numba", "polars", "mesa-frames", "agentpy", "mesa"),
    measure,
    table,
    draw,
    goals,
)
