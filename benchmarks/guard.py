"""The guard: is the engine as fast against NumPy as when last recorded? It warns, never fails.

One small cell of the first comparison is measured anew on this machine, and its ratio printed
beside the recorded one. Ratios of one machine differ from those of another, and noise moves them:
a warning asks somebody to look, no more.
"""

import os

from benchmarks.frame import kept
from benchmarks.rule import Rule
from benchmarks.same_rule import PAIRS, row

CELL = Rule(20_000, days=365)
#: Warn below this share of the lowest ratio recorded.
SHARE = 0.7


def report() -> str:
    """Measure the cell and compare it with the record; on GitHub, a warning is annotated."""
    now = row("numpy", CELL, PAIRS)
    lines = [f"guard: {CELL.residents:,} residents, {CELL.days} days, {PAIRS} pairs with NumPy"]
    lines.append(f"now       {_ratio(now)}, {now['ns_per_need']['median']:.0f} ns per need")
    unequal = [name for name, found in now["outcomes"].items() if not found["equal"]]
    if unequal:
        lines.append(_warning(f"outcomes differ from NumPy's: {', '.join(unequal)}"))
    then = recorded()
    if then is None:
        return "\n".join([*lines, "no record to compare with: run `make bench`"])
    lines.append(f"recorded  {_ratio(then)}, {then['ns_per_need']['median']:.0f} ns per need")
    if now["ratio"]["median"] < SHARE * then["ratio"]["low"]:
        lines.append(_warning("the engine has become slower against NumPy than when recorded"))
    return "\n".join(lines)


def recorded() -> dict | None:
    """Return the recorded row of the cell, None where there is none."""
    told = kept("same_rule")
    rows = told["measured"]["rows"] if told else []
    same = ("numpy", CELL.residents, CELL.days)
    return next((x for x in rows if (x["framework"], x["residents"], x["days"]) == same), None)


def _ratio(told: dict) -> str:
    x = told["ratio"]
    return f"ratio {x['median']:.2f} ({x['low']:.2f}–{x['high']:.2f})"


def _warning(message: str) -> str:
    return f"{'::warning::' if os.environ.get('GITHUB_ACTIONS') else 'warning: '}{message}"
