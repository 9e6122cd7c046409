"""The page of results: docs/performance.md, whose parts between marks come from the records."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.frame import RECORDS, ROOT, TIMES, Benchmark, kept

PAGE = ROOT / "docs" / "performance.md"
MISSING = "Not measured yet."


def marks(name: str) -> tuple[str, str]:
    """Return the marks around the generated part of a benchmark."""
    return f"<!-- begin {name} -->", f"<!-- end {name} -->"


def part(benchmark: Benchmark) -> str:
    """Return the generated part of a benchmark: its table, its picture, where it was measured."""
    told = kept(benchmark.name)
    if told is None:
        return MISSING
    pieces = [f'<a id="{benchmark.name}"></a>', benchmark.table(told["measured"])]
    picture = RECORDS / f"{benchmark.name}.png"
    if picture.exists():
        pieces.append(f"![{benchmark.name}]({RECORDS.name}/{picture.name})")
    pieces.append(_where(told))
    return "\n\n".join(pieces)


def scores(benchmarks: Iterable[Benchmark]) -> str:
    """Return the table of all goals: what was asked, what was reached."""
    lines = ["| goal | asked | reached | |", "|---|--:|--:|---|"]
    for benchmark in benchmarks:
        told = kept(benchmark.name)
        for goal in benchmark.goals(told["measured"]) if told else []:
            sign, reached = "≥" if goal.unit == TIMES else "≤", goal.reached
            spread = f" ({reached['low']:.3g}–{reached['high']:.3g})"
            lines.append(
                f"| [{benchmark.name}](#{benchmark.name}) {goal.what} "
                f"| {sign} {goal.limit:g} {goal.unit} "
                f"| {reached['median']:.3g}{spread if reached['low'] < reached['high'] else ''} "
                f"| {'met' if goal.met else '**missed**'} |"
            )
    return "\n".join(lines)


def rewrite(text: str, benchmarks: Sequence[Benchmark]) -> str:
    """Return the page with the parts of all benchmarks anew, and the table of their goals.

    Raises LookupError where the page has no place for one.
    """
    parts = {"goals": scores(benchmarks)} | {x.name: part(x) for x in benchmarks}
    for name, written in parts.items():
        begin, end = marks(name)
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            raise LookupError(f"{PAGE.name} has no marks {begin} and {end}")
        body = f"{begin}\n{written}\n{end}"
        text = pattern.sub(lambda _, body=body: body, text)  # type: ignore[misc]
    return text


def _where(told: dict[str, Any]) -> str:
    machine, versions = told["machine"], told["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"*{told['date'][:10]}, commit {(told['commit'] or 'unknown')[:9]}; "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, "
        f"{machine['system']}; {packages}. `{told['command']}`: "
        f"{told['seconds']:.0f} s; [all figures]({RECORDS.name}/{told['benchmark']}.json).*"
    )
