"""The page of results: docs/performance.md, whose parts between marks come from the records."""

import re
from collections.abc import Iterable
from typing import Any

from benchmarks.frame import RECORDS, ROOT, Benchmark, kept

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
    pieces = [benchmark.table(told["measured"])]
    picture = RECORDS / f"{benchmark.name}.png"
    if picture.exists():
        pieces.append(f"![{benchmark.name}]({RECORDS.name}/{picture.name})")
    pieces.append(_where(told))
    return "\n\n".join(pieces)


def rewrite(text: str, benchmarks: Iterable[Benchmark]) -> str:
    """Return the page with the parts of all benchmarks anew.

    Raises LookupError where the page has no place for one.
    """
    for benchmark in benchmarks:
        begin, end = marks(benchmark.name)
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            raise LookupError(f"{PAGE.name} has no marks {begin} and {end}")
        body = f"{begin}\n{part(benchmark)}\n{end}"
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
