"""Run benchmarks: ``python -m benchmarks [name ...] [--quick]``, or ``guard``."""

import argparse
import sys
from importlib import import_module

from benchmarks import page
from benchmarks.frame import Benchmark, keep, record

#: Modules that hold a ``BENCHMARK``, in the order of the page.
NAMES = (
    "whole_city", "decade", "same_rule", "queue_network", "limit",
    "growth", "sweep", "paired", "beyond", "start",
)  # fmt: skip


def benchmark(name: str) -> Benchmark:
    """Return a benchmark by its name."""
    found = import_module(f"benchmarks.{name}").BENCHMARK
    assert isinstance(found, Benchmark) and found.name == name
    return found


def main(arguments: list[str]) -> int:
    """Measure, print, and write the page; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"{', '.join(NAMES)}; or guard")
    parser.add_argument("--quick", action="store_true", help="small sizes, printed only")
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.names if name not in (*NAMES, "guard")]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)} and guard")
    for name in chosen.names or NAMES:
        if name == "guard":
            print(import_module("benchmarks.guard").report(), flush=True)
            continue
        one = benchmark(name)
        command = f"python -m benchmarks {name}{' --quick' if chosen.quick else ''}"
        told = record(one, chosen.quick, command)
        print(f"{name} ({told['seconds']} s)\n\n{one.table(told['measured'])}\n", flush=True)
        if not chosen.quick:
            keep(told, one)
            text = page.PAGE.read_text("utf-8")
            page.PAGE.write_text(
                page.rewrite(text, [benchmark(name) for name in NAMES]), encoding="utf-8"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
