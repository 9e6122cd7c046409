"""What pairing buys: how many unpaired runs replace one paired run of a contrast."""

import io
import os
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.city_year import regime_in_force
from benchmarks.frame import Benchmark, Measured
from reformsim.experiment import plan
from reformsim.experiment.run import carry_out
from reformsim.experiment.schema import Experiment

REPLICATIONS, QUICK = 60, 4
#: Bootstrap draws of replications, for the intervals.
DRAWS = 2000
OUTCOMES = ("satisfaction", "true_solution_rate", "p90_days", "transfers", "silent_share", "walk",
            "participation", "revenue", "cost_per_solved")  # fmt: skip
#: Contrasts: one measure alone, the core, and all.
REFORMS = {
    "list": "one measure (list of powers)",
    "core": "the core (15 measures)",
    "whole": "the whole (47 measures)",
}


def experiment(replications: int) -> Experiment:
    """Return the block-separated town against three reforms, a year after the warm-up year."""
    core, whole = (regime_in_force("town", 5.0, x, 62) for x in ("systemic-core", "systemic"))

    def steps(reform: object, only: str | None = None) -> list[dict[str, object]]:
        return [
            {"measure": step.measure, "intensity": step.intensity, "from": 365}
            for step in reform  # type: ignore[attr-defined]
            if only in (None, step.measure)
        ]

    return Experiment.model_validate(
        {
            "name": "paired", "title": "Pairing", "title_zh": "配对", "question": "What for?",
            "city": core.city, "warm_up": 365, "years": 2, "replications": replications,
            "uncertainties": whole.uncertainties,
            "keep": "headlines", "outcomes": OUTCOMES, "baseline": "before",
            "scenarios": {
                "before": {},
                "list": {"reform": steps(whole.reform, "powers_and_responsibilities_list")},
                "core": {"reform": steps(core.reform)},
                "whole": {"reform": steps(whole.reform)},
            },
        }
    )  # fmt: skip


def measure(quick: bool) -> Measured:
    """Run all scenarios with the same seeds, and compare the variance of differences."""
    n = QUICK if quick else REPLICATIONS
    with tempfile.TemporaryDirectory() as folder:
        asked = plan.of(experiment(n))
        workers = os.cpu_count() or 1
        results = carry_out(asked, Path(folder) / "out", workers, stream=io.StringIO())
        rows = results.headlines()
    values = rows.pivot(index="replication", columns=["outcome", "scenario"], values="value")
    return {
        "replications": n,
        "reduction": {
            outcome: {
                reform: reduction(
                    values[outcome]["before"].to_numpy(), values[outcome][reform].to_numpy()
                )
                for reform in REFORMS
            }
            for outcome in OUTCOMES
        },
    }


def reduction(before: np.ndarray, after: np.ndarray) -> dict[str, float] | None:
    """Return the variance of independent differences over that of paired ones, with 95 %.

    The number of unpaired runs that one paired run replaces. None where nothing differs.
    """
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(before), (DRAWS, len(before)))

    def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        paired = (b - a).var(axis=-1, ddof=1)
        apart = a.var(axis=-1, ddof=1) + b.var(axis=-1, ddof=1)
        return np.divide(apart, paired, out=np.full(paired.shape, np.nan), where=paired > 0)

    drawn = ratio(before[rows], after[rows])
    if not np.isfinite(drawn).any():
        return None
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return {
        "value": float(ratio(before[None], after[None])[0]),
        "low": float(low),
        "high": float(high),
    }


def table(measured: Measured) -> str:
    """Return the reduction by outcome and reform."""
    lines = ["| outcome | " + " | ".join(REFORMS.values()) + " |", "|---|--:|--:|--:|"]
    for outcome, cells in measured["reduction"].items():
        texts = [
            f"**{x['value']:.3g}** ({x['low']:.2g}–{x['high']:.2g})" if x else "–"
            for x in (cells[reform] for reform in REFORMS)
        ]
        lines.append(f"| `{outcome}` | " + " | ".join(texts) + " |")
    return "\n".join(lines) + (
        f"\n\nUnpaired runs that one paired run of a contrast replaces ({measured['replications']} "
        "replications of a town, 95 % by bootstrap; below 1 pairing harms). The less a reform "
        "changes, the more chance is shared; what differs between seeds under a large reform is "
        "mostly how it is implemented, which the baseline does not have."
    )


def draw(measured: Measured) -> Figure:
    """Draw the reduction by outcome and reform."""
    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = figure.subplots()
    for k, (reform, label) in enumerate(REFORMS.items()):
        found = [(o, c[reform]) for o, c in measured["reduction"].items() if c[reform]]
        at = [OUTCOMES.index(o) + 0.2 * (k - 1) for o, _ in found]
        axes.plot([x["value"] for _, x in found], at, "osd"[k], label=label)
    axes.set(xscale="log", xlabel="unpaired runs that one paired run replaces")
    axes.set_yticks(range(len(OUTCOMES)), OUTCOMES)
    axes.axvline(1.0, color="grey", linewidth=0.8)
    axes.legend(fontsize="small")
    return figure


BENCHMARK = Benchmark("paired", ("reformsim", "numpy"), measure, table, draw)
