"""One mechanism alone, run by the real engine: for known answers and for teaching.

Nothing is simulated here a second time. Each function lays out a town of one subdistrict for
the engine of ``reformsim.cases``, switches off everything but the mechanism in question by the
facts of that town's world, and reads the result off the cases kept. Desks are open day and
night, since office hours are not Poisson-stationary. Times are in days, rates per day.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from reformsim import categories
from reformsim.cases import columns, engine, route
from reformsim.cases import state as s
from reformsim.cases.queue import make_room, open_span
from reformsim.city.plane import Outlines
from reformsim.city.territory import (
    ALIAS,
    City,
    Communities,
    Districts,
    Grids,
    NeedSpread,
    People,
    Subdistricts,
)
from reformsim.institutions import contest as tullock
from reformsim.institutions import effort as multitask
from reformsim.institutions import participation as threshold
from reformsim.uncertainties import world

type Chance = int | np.random.Generator
type Service = Literal["exponential", "deterministic", "lognormal"]

SERVICES = {
    "exponential": s.EXPONENTIAL,
    "deterministic": s.DETERMINISTIC,
    "lognormal": s.LOGNORMAL,
}
VISIT = ["arrived", "started", "finished"]
#: Candidates a cell and day: the Poisson draw takes means up to about 700.
MOST_PER_CELL = 500.0
#: Keyed uniforms have 52 bits, so no exponential draw exceeds 53·ln 2 = 36.7 times its mean.
LONGEST = 37.0
#: Chance of several departments that the engine allows at most.
MOST_CROSS = 0.95

#: Everybody calls the hotline, every case needs one department, nothing takes any time.
PLAIN = {
    "voice_hotline": 50.0,
    "voice_grid": -50.0,
    "voice_station": -50.0,
    "voice_neighbours": -50.0,
    "voice_trust": 0.0,
    "voice_participation": 0.0,
    "report_again": 0.0,
    "competence": 0.0,
    "devolved_share": 0.0,
    "territorial_share": 1.0,
    "cross_share": 0.0,
    "serial_share": 0.0,
    "dispute_share": 0.0,
    "transfer_delay": 0.0,
    "reentry_hours": 0.0,
    "hub_hours": 0.0,
    "coordination_hours": 0.0,
    "intake_hours_hotline": 0.0,
    "work_hours": 0.0,
    "specialist_gain": 1.0,
    "specialist_loss": 0.0,
    "delay_local": 0.0,
    "delay_part": 0.0,
    "delay_common": 0.0,
    "patience": 1e12,
}


def desk(
    arrival_rate: float,
    service_rate: float,
    servers: int,
    horizon: int,
    rng: Chance,
    service: Service = "exponential",
    cv: float = 1.0,
    changes: Sequence[tuple[int, int]] = (),
) -> pd.DataFrame:
    """Run one desk (the hotline's) with Poisson arrivals: M/M/c, M/D/c or M/G/c, from empty.

    ``service_rate`` is that of one server; ``cv`` the coefficient of variation of lognormal
    service; ``horizon`` whole days; ``changes`` lists (whole day, servers from then on).
    Returns one row per visit that arrived within the horizon, in order of arrival: case,
    arrived, started, finished (which may lie beyond it).

    Raises:
        ValueError: a rate not above 0, fewer than one server, a horizon under one day, or
            changes that are not in order within it.
    """
    steps = [(0, servers), *changes]
    days = [day for day, _ in steps] + [horizon]
    _check(arrival_rate, service_rate, min(number for _, number in steps), horizon)
    if days != sorted(days):
        raise ValueError(f"changes {changes} are not in order within {horizon} days")
    d = _district(
        rng, horizon, arrival_rate, service, competence=1.0, intake_hours_hotline=1.0, work_cv=cv
    )
    for (day, number), end in zip(steps, days[1:], strict=True):
        _staff(d, {int(d.fixed[s.HOTLINE_DESK]): (number, service_rate)}, day)
        engine.run_span(d, day, end)
    return _visits(d)[["case", *VISIT]]


def network(
    arrival_rates: ArrayLike,
    routing: ArrayLike,
    service_rates: ArrayLike,
    servers: ArrayLike,
    horizon: int,
    rng: Chance,
) -> pd.DataFrame:
    """Run an open network of exponential desks (Jackson 1957), from empty.

    Arrays have one entry a node; ``routing`` (n, n) holds the chances that a visit to the row's
    node is followed by one to the column's, the rest of a row leaves. Queues and events are the
    engine's; only the routing is not the flow of cases. Returns one row per visit, in order of
    arrival: case, node, arrived, started, finished.

    Raises:
        ValueError: shapes that do not fit, a row of ``routing`` that is not part of a
            distribution, or what `desk` refuses.
    """
    rates = np.asarray(arrival_rates, float)
    chances = np.asarray(routing, float)
    speed, staff = np.asarray(service_rates, float), np.asarray(servers)
    nodes = len(rates)
    if chances.shape != (nodes, nodes) or not len(speed) == len(staff) == nodes:
        raise ValueError("rates, routing, service rates and servers differ in their nodes")
    if min(chances.min(), rates.min()) < 0.0 or chances.sum(axis=1).max() > 1.0 + 1e-12:
        raise ValueError("arrival rates and routing are not negative, rows of routing at most 1")
    for node in range(nodes):
        _check(rates.sum(), speed[node], staff[node], horizon)
    d = _district(rng, horizon, 0.0, "exponential", cells=nodes)
    _staff(d, {node: (int(staff[node]), float(speed[node])) for node in range(nodes)})
    route.place_sources(d, rates)
    follow = np.cumsum(chances, axis=1)
    open_span(d, 0, horizon)
    while route.advance(d, rates, follow) == engine.FULL:
        make_room(d, len(d.cases) // 2 + engine.SLACK)
    return _visits(d).rename(columns={"desk": "node"})[["case", "node", *VISIT]]


def departments(
    k: int, service_rate: float, serial_share: float, cases: int, rng: Chance
) -> pd.DataFrame:
    """Run cases of ``k`` departments that never queue: each part takes an exponential time.

    A further part waits for the one before with chance ``serial_share``. Cases are laid at the
    point of dispatch at time 0, each part finds a server of its own. Returns one row per case:
    case, arrived, started (its first part) and finished (its last).

    Raises:
        ValueError: ``k`` outside 1–6, or a rate or a number of cases not above 0.
    """
    if not 1 <= k <= 6:
        raise ValueError(f"{k} departments: the engine knows cases of 1 to 6")
    _check(1.0, service_rate, cases, 1)
    horizon = math.ceil(LONGEST * k / service_rate) + 1
    d = _district(rng, horizon, 0.0, "exponential", work_hours=1.0, serial_share=serial_share)
    _staff(d, {int(d.fixed[s.TERRITORIAL]): (cases * k, service_rate)})
    make_room(d, cases * k + engine.SLACK)
    route.place_cases(d, cases, k)
    engine.run_span(d, 0, horizon)
    ended = d.cases[d.cases["stage"] == s.ENDED]
    return pd.DataFrame(
        {
            "case": np.arange(len(ended)),
            "arrived": ended["voiced"],
            "started": ended["begun"],
            "finished": ended["time"],
        }
    )


def dispatches(p_mis: float, cases: int, rng: Chance) -> NDArray[np.int64]:
    """Send cases of one department out, each dispatch to a wrong desk with chance ``p_mis``.

    Returns the number of dispatches of each case, (cases,): 1 + returns. The engine sends a
    case right after 62 returns.

    Raises:
        ValueError: ``p_mis`` outside [0, 1], or no case.
    """
    if not 0.0 <= p_mis <= 1.0:
        raise ValueError(f"p_mis {p_mis} is not a probability")
    _check(1.0, 1.0, cases, 1)
    d = _district(rng, 1, 0.0, "exponential")
    d.units["p_mis"] = p_mis
    make_room(d, cases + engine.SLACK)
    route.place_cases(d, cases, 1)
    engine.run_span(d, 0, 1)
    return 1 + d.cases["transfers"][d.cases["stage"] == s.ENDED].astype(np.int64)


def hub(
    arrival_rate: float, service_rate: float, servers: int, horizon: int, rng: Chance
) -> pd.DataFrame:
    """Run the hub that assembles joint cases, with nothing before and behind it, from empty.

    Returns one row per case that arrived, in order of arrival: case, arrived, finished (which
    may lie beyond the horizon). Errors are those of `desk`.
    """
    _check(arrival_rate, service_rate, servers, horizon)
    d = _district(
        rng, horizon, arrival_rate / MOST_CROSS, "exponential", cross_share=1.0, hub_hours=1.0
    )
    d.units["joint"] = 1.0
    _staff(d, {int(d.fixed[s.HUB_DESK]): (servers, service_rate)})
    engine.run_span(d, 0, horizon)
    joint = d.cases[np.isin(d.cases["stage"], (s.HUB, s.ENDED)) & (d.cases["parts"] > 1)]
    # the hub's end is the pending event of a case still in it, and the close of any other
    return _in_order(joint, joint["voiced"], finished=joint["time"])


def offices(
    arrival_rate: float,
    service_rate: float,
    desks: int,
    horizon: int,
    rng: Chance,
    pooled: bool = False,
    specialist_loss: float = 0.0,
) -> pd.DataFrame:
    """Run ``desks`` specialist desks of one server each, or one merged office of as many.

    ``arrival_rate`` is that of each desk, all work is technical: in the merged office it takes
    1 + ``specialist_loss`` times as long. Returns one row per visit as `desk` does.

    Raises:
        ValueError: ``desks`` outside 1–12, or what `desk` refuses.
    """
    if not 1 <= desks <= categories.COUNT:
        raise ValueError(f"{desks} desks: there are {categories.COUNT} categories")
    _check(arrival_rate, service_rate, 1, horizon)
    d = _district(
        rng,
        horizon,
        arrival_rate * desks,
        "exponential",
        kinds=desks,
        work_hours=1.0,
        specialist_loss=specialist_loss,
    )
    if pooled:
        office = int(d.fixed[s.OFFICES])
        d.office_desk[:] = office
        _staff(d, {office: (desks, service_rate)})
    else:
        first = int(d.fixed[s.TERRITORIAL])
        _staff(d, {first + j: (1, service_rate) for j in range(desks)})
    engine.run_span(d, 0, horizon)
    return _visits(d)[["case", *VISIT]]


def delays(
    arrival_rate: float, median: float, sigma: float, horizon: int, rng: Chance
) -> pd.DataFrame:
    """Run cases whose one part takes a lognormal time and no server: M/G/∞, from empty.

    ``median`` in days, ``sigma`` the standard deviation of its logarithm. Returns one row per
    case: case, arrived, finished (which may lie beyond the horizon). Errors are those of `desk`.
    """
    _check(arrival_rate, median, 1, horizon)
    d = _district(
        rng, horizon, arrival_rate, "exponential", delay_part=median, delay_part_sigma=sigma
    )
    engine.run_span(d, 0, horizon)
    told = d.cases[np.isin(d.cases["stage"], (s.PART, s.ENDED))]
    return _in_order(told, told["voiced"], finished=told["time"])


def effort(a1: float, a2: float, gamma: float) -> tuple[float, float]:
    """Return an office's best efforts (e1, e2) without intrinsic motivation.

    Weights ``a1`` on investment and ``a2`` on residents, substitution ``gamma``; see
    ``institutions.effort.best_effort``, whose errors it raises.
    """
    e1, e2 = multitask.best_effort(a1, a2, gamma)
    return float(e1), float(e2)


def participation(thresholds: ArrayLike, start: float = 0.0) -> float:
    """Return the share that takes part in the end: ``institutions.participation``, one group."""
    return threshold.participation(thresholds, start)


def contest(n: int, m: float, prize: float) -> NDArray[np.float64]:
    """Return the bids (n,) of equal units in a Tullock contest for ``prize``.

    ``m`` is the discrimination. Bids start where equal units break even, at prize/n, and move by
    the best responses of ``institutions.contest``, whose errors it raises; for m > 1 there are
    rest points besides the symmetric one, which other starts reach.
    """
    start = np.full(n, prize / n)
    return tullock.best_responses(start, 1.0, 1.0, prize, m, 0.0, rounds=100_000)


def _check(arrival_rate: float, service_rate: float, servers: int, horizon: int) -> None:
    if not (arrival_rate > 0.0 and service_rate > 0.0):
        raise ValueError("rates and times must be above 0")
    if servers < 1 or horizon < 1:
        raise ValueError("at least one server or case, and one day")


def _town(cells: int) -> City:
    """One district, subdistrict and community of ``cells`` grids with one resident each."""
    place = pd.DataFrame(
        {
            "code": [0], "name": ["laboratory"], "name_zh": ["实验室"], "population": [cells],
            "area": [1.0], "x": [0.0], "y": [0.0], "density": [cells], "is_town": [False],
            "urban": [True], "station": [False], "line_heads": [np.nan], "office_heads": [np.nan],
            "station_heads": [np.nan], "kind": [0], "district": [0], "subdistrict": [0],
        }
    )  # fmt: skip
    zeros = np.zeros(cells)
    grids = pd.DataFrame(
        {"community": zeros, "area": zeros, "x": zeros, "y": zeros, "key": np.arange(cells),
         "multiplier_sum": np.ones(cells)}
    )  # fmt: skip
    alone, nowhere = np.array([0, 1]), Outlines(np.zeros((0, 2)), np.zeros(2, np.int64))
    return City(
        name="laboratory",
        name_zh="实验室",
        seed=0,
        districts=Districts.of(place, alone),
        subdistricts=Subdistricts.of(place, alone),
        communities=Communities.of(place, cells * alone),
        grids=Grids.of(grids, np.arange(cells + 1)),
        people=People(age=zeros, alias=np.full(cells, np.array((1.0, 0), ALIAS))),
        need_spread=NeedSpread((1.0, 1.0, 1.0), 1.0),
        district_outlines=nowhere,
        subdistrict_outlines=nowhere,
        community_outlines=nowhere,
    )


def _district(
    rng: Chance,
    horizon: int,
    arrival_rate: float,
    service: Service,
    cells: int | None = None,
    kinds: int = 1,
    **facts: float,
) -> s.District:
    """Lay out the town's district; needs fall evenly on the first ``kinds`` categories."""
    cells = cells or math.ceil(arrival_rate / MOST_PER_CELL) or 1
    seed = rng if isinstance(rng, int) else int(rng.integers(2**62))
    facts = PLAIN | {"needs": arrival_rate * 365.0 / cells} | facts
    d = columns.build(
        _town(cells), world(**facts), seed, horizon, keep_cases=True, around_the_clock=True,
        service=SERVICES[service],
    ).districts[0]  # fmt: skip
    d.lift, d.accept = np.ones(1), np.ones_like(d.accept)
    d.category_cut = np.minimum(np.arange(1.0, categories.COUNT + 1.0) / kinds, 1.0)
    d.category_of = np.ones(categories.COUNT)
    table = np.zeros_like(categories.TABLE)
    for unit in ("competence", "cross", "work", "delay", "lifetime", "technical"):
        table[unit] = 1
    d.categories = table
    d.office_desk[:] = d.fixed[s.TERRITORIAL] + np.arange(categories.COUNT)
    _staff(d, {})
    return d


def _staff(d: s.District, desks: dict[int, tuple[int, float]], day: int = 0) -> None:
    """Give desks their servers, and each server a rate for work of one hour; others have one."""
    servers, speed = np.ones(len(d.desks), np.int32), np.ones(len(d.desks))
    for j, (number, rate) in desks.items():
        servers[j], speed[j] = number, rate / 24.0
    engine.restaff(d, float(day), servers, speed)


def _visits(d: s.District) -> pd.DataFrame:
    """Return the visits to desks that cases have been told of, in order of arrival."""
    told = d.cases[np.isin(d.cases["stage"], (s.LOCAL, s.PART, s.ENDED))]
    # hours to days may lose the last bit
    started = np.maximum(told["start"] / 24.0, told["arrived"])
    finished = np.maximum(told["finish"] / 24.0, started)
    return _in_order(told, told["arrived"], desk=told["desk"], started=started, finished=finished)


def _in_order(told: np.ndarray, arrived: np.ndarray, **times: np.ndarray) -> pd.DataFrame:
    """Sort cases or visits by arrival, and number the cases by their first."""
    frame = pd.DataFrame({"case": told["parent"], "arrived": arrived, **times})
    frame = frame.sort_values("arrived", kind="stable", ignore_index=True)
    return frame.assign(case=pd.factorize(frame["case"])[0])
