"""Comparison 2: an open network of desks (Jackson 1957) in Ciw, in SimPy and in the engine.

Four stations with feedback: intake, two desks that pass cases to each other, and a check. In
equilibrium each is an M/M/c queue by itself, which gives the mean waits a third time. Every
program starts empty, runs the same days and hands over its visits; waits are means over visits
that arrive between `FROM` and `UNTIL` of those days.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

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
from reformsim import lab

ARRIVALS = np.array([10.0, 4.0, 0.0, 0.0])
ROUTING = np.array(
    [[0.0, 0.3, 0.2, 0.0], [0.1, 0.0, 0.3, 0.0], [0.0, 0.1, 0.0, 0.2], [0.0, 0.0, 0.15, 0.0]]
)
SERVERS = np.array([3, 4, 5, 2])
SERVICE_RATES = np.array([4.5, 2.4, 1.7, 1.0])
FROM, UNTIL = 0.2, 0.9
LEVEL = 0.999
DAYS, PAIRS = 10_000, 5
QUICK_DAYS, QUICK_PAIRS = 200, 3


@dataclass(frozen=True)
class Told:
    """What a run tells: visits in all, and the mean wait at each station, days."""

    visits: int
    waits: NDArray[np.float64]

    @classmethod
    def of(cls, days: int, node: ArrayLike, arrived: ArrayLike, started: ArrayLike) -> "Told":
        """Take means over the visits that count."""
        at, came, began = np.asarray(node), np.asarray(arrived), np.asarray(started)
        counted = (came >= FROM * days) & (came < UNTIL * days)
        waits = [(began - came)[counted & (at == j)].mean() for j in range(len(SERVERS))]
        return cls(len(at), np.array(waits))


def in_reformsim(days: int, seed: int) -> Callable[[], Told]:
    """Run the network by the real engine."""

    def run() -> Told:
        visits = lab.network(ARRIVALS, ROUTING, SERVICE_RATES, SERVERS, days, seed)
        return Told.of(days, visits["node"], visits["arrived"], visits["started"])

    return run


def in_ciw(days: int, seed: int) -> Callable[[], Told]:
    """Run the network in Ciw."""
    import ciw

    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(x) if x else None for x in ARRIVALS],
        service_distributions=[ciw.dists.Exponential(x) for x in SERVICE_RATES],
        number_of_servers=[int(n) for n in SERVERS],
        routing=ROUTING.tolist(),
    )
    simulation = ciw.Simulation(network)

    def run() -> Told:
        simulation.simulate_until_max_time(days)
        visits = simulation.get_all_records()
        return Told.of(
            days,
            [visit.node - 1 for visit in visits],
            [visit.arrival_date for visit in visits],
            [visit.service_start_date for visit in visits],
        )

    return run


def in_simpy(days: int, seed: int) -> Callable[[], Told]:
    """Run the network in SimPy: a process for each case."""
    import simpy

    draw = random.Random(seed)
    env = simpy.Environment()
    stations = [simpy.Resource(env, int(n)) for n in SERVERS]
    rates = SERVICE_RATES.tolist()
    follow = np.cumsum(ROUTING, axis=1).tolist()
    visits: list[tuple[int, float, float]] = []

    def case(node):
        while node is not None:
            arrived = env.now
            with stations[node].request() as turn:
                yield turn
                visits.append((node, arrived, env.now))
                yield env.timeout(draw.expovariate(rates[node]))
            u = draw.random()
            node = next((j for j, cut in enumerate(follow[node]) if u < cut), None)

    def source(node, rate):
        while True:
            yield env.timeout(draw.expovariate(rate))
            env.process(case(node))

    for node, rate in enumerate(ARRIVALS.tolist()):
        if rate:
            env.process(source(node, rate))

    def run() -> Told:
        env.run(until=days)
        return Told.of(days, *zip(*visits, strict=True))

    return run


LIBRARIES = {"ciw": in_ciw, "simpy": in_simpy}
#: How many times faster than a library was asked.
FASTER = {"ciw": 200.0, "simpy": 50.0}


def product_form() -> NDArray[np.float64]:
    """Return the mean wait at each station in equilibrium: M/M/c by Jackson's theorem, Erlang C."""
    flow = np.linalg.solve(np.eye(len(ARRIVALS)) - ROUTING.T, ARRIVALS)
    load = flow / SERVICE_RATES
    # Erlang B by the Poisson distribution, then C
    lost = np.exp(-load) * load**SERVERS / special.gamma(SERVERS + 1)
    lost /= special.gammaincc(SERVERS + 1, load)
    delayed = lost / (1.0 - load / SERVERS * (1.0 - lost))
    return delayed / (SERVERS * SERVICE_RATES - flow)


def measure(quick: bool) -> Measured:
    """Time both libraries against the engine."""
    days, pairs = (QUICK_DAYS, QUICK_PAIRS) if quick else (DAYS, PAIRS)
    rows = [row(name, days, pairs) for name in LIBRARIES]
    return {"days": days, "pairs": pairs, "product_form": product_form().tolist(), "rows": rows}


def row(library: str, days: int, pairs: int) -> Measured:
    """Time one library against the engine over the same days."""
    makers = {"reformsim": in_reformsim, library: LIBRARIES[library]}
    for make in makers.values():
        make(10, 0)()
    times = alternate({name: partial(make, days) for name, make in makers.items()}, pairs)
    ours, theirs = times["reformsim"], times[library]
    return {
        "library": library,
        "ours": _rate(ours),
        "theirs": _rate(theirs),
        # seconds a visit, as the programs draw other visits
        "ratio": ratios([_each(x) for x in theirs], [_each(x) for x in ours]),
        "waits": agreement([x.told for x in ours], [x.told for x in theirs]),
    }


def _each(timed: Timed[Told]) -> float:
    return (timed.set_up + timed.run) / timed.told.visits


def _rate(times: list[Timed[Told]]) -> Measured:
    return {
        "visits": spread([x.told.visits for x in times]),
        "seconds": spread([x.set_up + x.run for x in times]),
        "visits_per_second": spread([1.0 / _each(x) for x in times]),
    }


def agreement(ours: list[Told], theirs: list[Told]) -> Measured:
    """Compare mean waits with each other and with the product form, at all stations at once.

    The intervals (Welch's, Student's) of one comparison hold together at `LEVEL`.
    """
    exact = product_form()
    a, b = (np.array([told.waits for told in runs]) for runs in (ours, theirs))
    part = 1.0 - (1.0 - LEVEL) / len(exact)
    pair = stats.ttest_ind(a, b, equal_var=False).confidence_interval(part)
    alone = [stats.ttest_1samp(x, exact).confidence_interval(part) for x in (a, b)]
    return {
        "ours": a.mean(axis=0).tolist(),
        "theirs": b.mean(axis=0).tolist(),
        "half_width": ((pair.high - pair.low) / 2.0).tolist(),
        "equal": bool(np.all((pair.low <= 0.0) & (pair.high >= 0.0))),
        "ours_exact": bool(np.all((alone[0].low <= exact) & (alone[0].high >= exact))),
        "theirs_exact": bool(np.all((alone[1].low <= exact) & (alone[1].high >= exact))),
    }


def table(measured: Measured) -> str:
    """Return two tables: visits per second with ratios, and mean waits."""
    speed = [
        "| library | visits | its visits per second | ours | ratio: median (lowest–highest) |",
        "|---|--:|--:|--:|--:|",
    ]
    waits = [
        "| mean wait, days | intake | first desk | second desk | check | |",
        "|---|--:|--:|--:|--:|---|",
        f"| product form | {_row(measured['product_form'])} | |",
    ]
    for x in measured["rows"]:
        ratio, found = x["ratio"], x["waits"]
        speed.append(
            f"| {x['library']} | {x['theirs']['visits']['median']:,.0f} "
            f"| {x['theirs']['visits_per_second']['median']:,.0f} "
            f"| {x['ours']['visits_per_second']['median']:,.0f} "
            f"| **{ratio['median']:.3g}** ({ratio['low']:.3g}–{ratio['high']:.3g}) |"
        )
        said = [
            "not told apart" if found["equal"] else "**told apart**",
            "nor ours from the product form"
            if found["ours_exact"]
            else "**ours is not the product form**",
            "nor its" if found["theirs_exact"] else "**its is not the product form**",
        ]
        waits.append(f"| reformsim | {_row(found['ours'])} | |")
        waits.append(f"| {x['library']} | {_row(found['theirs'])} | {'; '.join(said)} |")
        waits.append(f"| half-width of the difference | {_row(found['half_width'])} | |")
    said_below = (
        f"\n{measured['days']:,} days, medians of {measured['pairs']} pairs, set-up and the table "
        f"of visits included; of equal programs, {1 - LEVEL:.1%} of comparisons would call a "
        "station's wait unequal."
    )
    return "\n".join([*speed, "", *waits, said_below])


def _row(waits: list[float]) -> str:
    return " | ".join(f"{wait:.3f}" for wait in waits)


def goals(measured: Measured) -> list[Goal]:
    """Return the ratios against what was asked."""
    return [Goal(x["library"], FASTER[x["library"]], TIMES, x["ratio"]) for x in measured["rows"]]


def draw(measured: Measured) -> Figure:
    """Draw visits per second, a point for each program."""
    figure = Figure(figsize=(6.4, 2.4), layout="constrained")
    axes = figure.subplots()
    rows = measured["rows"]
    names = [*(x["library"] for x in rows), "reformsim"]
    found = [x["theirs"]["visits_per_second"] for x in rows]
    found.append(rows[0]["ours"]["visits_per_second"])
    middle = [x["median"] for x in found]
    span = (
        [x["median"] - x["low"] for x in found],
        [x["high"] - x["median"] for x in found],
    )
    axes.errorbar(middle, names, xerr=span, fmt="o", capsize=3)
    axes.set(xscale="log", xlabel="visits per second")
    return figure


BENCHMARK = Benchmark(
    "queue_network", ("reformsim", "numpy", "numba", "ciw", "simpy"), measure, table, draw, goals
)
