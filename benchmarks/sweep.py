"""A sweep of small towns through the whole pipeline, next to the bare model in a loop."""

import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.city_year import YEAR, regime_in_force
from benchmarks.frame import Benchmark, Goal, Measured, alternate, spread, timed, written
from reformsim import CityModel, Scenario
from reformsim.experiment import plan
from reformsim.experiment.run import How, carry_out
from reformsim.experiment.schema import Experiment

RUNS, PAIRS, LONG = 100, 5, 10_000
OUTCOMES = ("satisfaction", "true_solution_rate", "p90_days")


def experiment(runs: int) -> Experiment:
    """Return replications of both regimes on the town, a year of five needs each."""
    systemic = regime_in_force("town", 5.0, "systemic", YEAR)
    steps = [{"measure": x.measure, "intensity": x.intensity, "from": 0} for x in systemic.reform]
    return Experiment.model_validate(
        {
            "name": "sweep", "title": "A sweep", "title_zh": "扫描", "question": "How fast?",
            "city": systemic.city, "warm_up": 0, "years": 1, "replications": runs // 2,
            "keep": "headlines",
            "uncertainties": systemic.uncertainties,
            "outcomes": OUTCOMES, "baseline": "block_separated",
            "scenarios": {"block_separated": {}, "systemic": {"reform": steps}},
        }
    )  # fmt: skip


def pipeline(runs: int, seed: int) -> Callable[[], int]:
    """Return what sends runs through design, store and analysis, in this process."""
    asked = plan.of(experiment(runs))

    def run() -> int:
        with tempfile.TemporaryDirectory() as folder:
            how = How(threads=1)
            results = carry_out(asked, Path(folder) / "out", 1, stream=io.StringIO(), how=how)
            return len(results.headlines())

    return run


def bare(runs: int, seed: int, spent: list[float]) -> Callable[[], int]:
    """Return what makes the same runs by the model alone, set back between them.

    Adds to ``spent`` the seconds that the case engine alone took of them.
    """
    asked = plan.of(experiment(runs))

    def run() -> int:
        model, rows, engine = None, 0, {"engine": 0.0}
        for one in asked.runs:
            scenario = asked.source.scenario(one)
            assert isinstance(scenario, Scenario)
            if model is None:
                model = CityModel(scenario, one.seed)
                model._catch_up = timed(  # type: ignore[method-assign]
                    model._catch_up, engine, "engine"
                )
            else:
                model.reset(scenario, one.seed)
            model.run_until(YEAR)
            rows += sum(value == value for _, value in model.headlines())
        spent.append(engine["engine"])
        return rows

    return run


def measure(quick: bool) -> Measured:
    """Time both ways in turn, the engine's share of the runs, and a long sweep on all cores."""
    runs, pairs, long = (4, 2, 8) if quick else (RUNS, PAIRS, LONG)
    spent: list[float] = []
    pipeline(2, 0)()
    times = alternate(
        {
            "pipeline": lambda seed: pipeline(runs, seed),
            "bare": lambda seed: bare(runs, seed, spent),
        },
        pairs,
    )
    assert {x.told for several in times.values() for x in several} == {times["bare"][0].told}
    overhead = [1 - b.run / p.run for p, b in zip(times["pipeline"], times["bare"], strict=True)]
    workers = os.cpu_count() or 1
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        asked = plan.of(experiment(long))
        results = carry_out(asked, Path(folder) / "out", workers, stream=io.StringIO())
        made = len(results.runs)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    return {
        "runs": runs, "pairs": pairs,
        "ms": {k: spread([1e3 * x.run / runs for x in several]) for k, several in times.items()},
        "overhead": spread(overhead),
        "engine_ms": spread([1e3 * seconds / runs for seconds in spent]),
        "long": {
            "runs": made, "workers": workers, "seconds": time.perf_counter() - begun,
            "bytes_a_run": size / made,
        },
    }  # fmt: skip


def table(measured: Measured) -> str:
    """Return milliseconds a run and core, the overhead, and the long sweep."""
    ms, long, over = measured["ms"], measured["long"], measured["overhead"]
    rows = [
        "| a year of the town (20,000 residents, 5 needs) | ms a run and core |",
        "|---|--:|",
        f"| case engine alone | {written(measured['engine_ms'])} |",
        f"| model in a loop | {written(ms['bare'])} |",
        f"| whole pipeline, in one process | {written(ms['pipeline'])} |",
    ]
    return "\n".join(rows) + (
        f"\n\nDesign, store, checks and collecting take **{over['median']:.1%}** "
        f"({over['low']:.1%}–{over['high']:.1%}) of the pipeline's time ({measured['pairs']} pairs "
        f"of {measured['runs']} runs). {long['runs']:,} runs with {long['workers']} workers: "
        f"**{long['seconds'] / 60:.1f} minutes**, {long['runs'] / long['seconds']:.1f} runs a "
        f"second, {long['bytes_a_run'] / 1e3:.1f} kB a run on disk."
    )


def goals(measured: Measured) -> list[Goal]:
    """Return the engine's milliseconds and the minutes of a long sweep against what was asked."""
    long = measured["long"]
    minutes = long["seconds"] / 60.0 * LONG / long["runs"]
    return [
        Goal("a year of the town in the case engine", 30.0, "ms", measured["engine_ms"]),
        Goal(f"{LONG:,} runs of the town", 4.0, "minutes", spread([minutes])),
    ]


def draw(measured: Measured) -> Figure:
    """Draw what a run is made of."""
    figure = Figure(figsize=(6.4, 1.6), layout="constrained")
    axes = figure.subplots()
    engine, ms = measured["engine_ms"]["median"], measured["ms"]
    parts = {
        "case engine": engine,
        "institutions, records, Mesa": ms["bare"]["median"] - engine,
        "pipeline": ms["pipeline"]["median"] - ms["bare"]["median"],
    }
    left = 0.0
    for name, width in parts.items():
        axes.barh("a run", width, left=left, label=name, edgecolor="white")
        left += width
    axes.set_xlabel("milliseconds")
    figure.legend(fontsize="small", loc="outside right upper")
    return figure


BENCHMARK = Benchmark("sweep", ("reformsim", "numpy", "pyarrow"), measure, table, draw, goals)
