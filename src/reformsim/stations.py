"""Where to put service stations: p-median and maximal coverage.

Both problems choose p columns of a cost matrix so that the sum of the row minima is least: the
cost of p-median is demand × distance (Hakimi 1964), that of coverage is the demand left outside
the radius (Church & ReVelle 1974). One solver serves both, in three steps:

1. search: greedy start, then swaps of one chosen site against another (Teitz & Bart 1968, in
   the eager form of Schubert & Rousseeuw 2021); gives an upper bound;
2. Lagrangian bound of the assignment constraints by subgradient steps (Beasley 1993); sites and
   assignments that cannot occur in a layout as good as the best known are struck out;
3. what is left goes to HiGHS in the radius formulation (Elloumi 2010), unless nothing is left
   to decide or the rest is too large.

Size alone decides which steps are taken, so the answer does not depend on the machine's speed
unless HiGHS meets the time limit, and then ``Layout.method`` says so.
"""

import math
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from reformsim.kernels import njit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Programme = tuple[float, Floats, csr_array, Floats]

TOLERANCE = 1e-9  # relative: a smaller improvement is rounding
HIGHS_ENTRIES = 150_000  # matrix entries of the reduced programme that HiGHS is given at most
STEPS = 1000  # subgradient steps at most
WORK = 2_000_000_000  # costs looked at in these steps at most
PATIENCE = 20  # steps without a better bound before the step length is halved
OUT, FREE, IN = -1, 0, 1  # states of a site


@dataclass(frozen=True, eq=False)
class Layout:
    """A choice of p sites.

    Attributes:
        sites: chosen columns, sorted, shape (p,).
        assignment: for each demand point the chosen column nearest to it, ties to the lowest
            index, shape (n_demand,).
        objective: demand-weighted distance (p-median) or covered demand (coverage), the exactly
            rounded sum over the assignment.
        proven: whether no better layout exists, within a relative 1e-9 of the cost (HiGHS: its
            feasibility tolerance, 1e-6).
        method: how the layout was found, and its largest possible gap if not proven.
    """

    sites: Ints
    assignment: Ints
    objective: float
    proven: bool
    method: str


def p_median(
    distance: ArrayLike, p: int, demand: ArrayLike | None = None, *, time_limit: float = 30.0
) -> Layout:
    """Choose the p sites with the least demand-weighted distance to the nearest one.

    Args:
        distance: shape (n_demand, n_sites), finite and >= 0, any unit; need not be symmetric.
        p: number of sites, 1 to n_sites.
        demand: weight of each demand point, shape (n_demand,), finite and >= 0; ones by default.
        time_limit: seconds HiGHS may take; at 0 it is not called.

    Raises:
        ValueError: an argument is outside these ranges. Infinite distances are refused: a layout
            that leaves somebody unreachable has no total distance.
        RuntimeError: HiGHS fails for another reason than time.
    """
    distance, p, demand = _checked(distance, p, demand, time_limit)
    if not math.isfinite(float(distance.max()) * float(demand.max()) * len(demand)):
        raise ValueError("p_median needs finite distances (and a finite sum of demand × distance)")
    cost = demand[:, None] * distance
    return _layout(distance, cost, *_solve(cost, p, time_limit))


def max_coverage(
    distance: ArrayLike,
    p: int,
    radius: float,
    demand: ArrayLike | None = None,
    *,
    time_limit: float = 30.0,
) -> Layout:
    """Choose the p sites that have the most demand within ``radius`` (the radius included).

    Args:
        distance: shape (n_demand, n_sites), >= 0, any unit; inf means unreachable.
        p, demand, time_limit: as in ``p_median``.
        radius: >= 0, in the unit of ``distance``; an unreachable site never covers.

    Raises:
        ValueError: an argument is outside these ranges.
        RuntimeError: HiGHS fails for another reason than time.
    """
    distance, p, demand = _checked(distance, p, demand, time_limit)
    if not radius >= 0:
        raise ValueError(f"radius must be >= 0, got {radius}")
    covered = demand[:, None] * ((distance <= radius) & np.isfinite(distance))
    return _layout(distance, covered, *_solve(demand[:, None] - covered, p, time_limit))


def _checked(
    distance: ArrayLike, p: int, demand: ArrayLike | None, time_limit: float
) -> tuple[Floats, int, Floats]:
    """Return the arguments as arrays, or raise ValueError."""
    distance = np.asarray(distance, dtype=np.float64)
    if distance.ndim != 2 or distance.size == 0:
        raise ValueError(f"distance must be a non-empty matrix, got shape {distance.shape}")
    n_demand, n_sites = distance.shape
    if not (distance >= 0).all():
        raise ValueError("distance must be >= 0 and not NaN")
    if not (isinstance(p, Integral) and 1 <= p <= n_sites):
        raise ValueError(f"p must be a whole number from 1 to {n_sites} (the sites), got {p!r}")
    demand = np.ones(n_demand) if demand is None else np.asarray(demand, dtype=np.float64)
    if demand.shape != (n_demand,):
        raise ValueError(f"demand must have shape ({n_demand},), got {demand.shape}")
    if not ((demand >= 0) & np.isfinite(demand)).all():
        raise ValueError("demand must be finite and >= 0")
    if not time_limit >= 0:
        raise ValueError(f"time_limit must be >= 0 seconds, got {time_limit}")
    return distance, int(p), demand


def _layout(distance: Floats, value: Floats, sites: Ints, gap: float, method: str) -> Layout:
    """Assign each row and sum its ``value`` there; another choice is better by at most ``gap``."""
    assignment = sites[distance[:, sites].argmin(axis=1)]
    objective = math.fsum(value[np.arange(len(value)), assignment])
    if gap == 0:
        return Layout(sites, assignment, objective, True, f"{method}: optimal")
    share = f"{100 * gap / objective:.2g} %" if objective > 0 else "unknown"
    end = " at the time limit" if method == "HiGHS" else ", not proven"
    return Layout(sites, assignment, objective, False, f"{method}: gap {share}{end}")


def _solve(cost: Floats, p: int, time_limit: float) -> tuple[Ints, float, str]:
    """Choose p columns with the least sum of row minima.

    Returns the sorted columns, the most by which another choice can be better (0 if it is proven
    that none is) and the method that settled it.
    """
    by_site = np.ascontiguousarray(cost.T)
    sites = greedy(by_site, p) if p < len(by_site) else np.arange(p)
    if p in (1, len(by_site)):
        return sites, 0.0, "enumeration"
    order = cost.argsort(axis=1, kind="stable")
    ranked = np.take_along_axis(cost, order, axis=1)
    bound, state, reach = lagrange(by_site, ranked, order, sites)
    best = _cost(cost, sites)
    if bound >= best * (1 - TOLERANCE) or not (state == FREE).any():
        return np.sort(sites), 0.0, "Lagrangian bound"
    method = "local search"
    programme = _radius_programme(ranked, order, reach, state, p) if time_limit > 0 else None
    if programme is not None and programme[2].nnz <= HIGHS_ENTRIES:
        method = "HiGHS"
        found, dual_bound = _highs(programme, state, p, best, time_limit)
        bound = max(bound, dual_bound)
        if found is not None:
            interchange(by_site, found)
            if _cost(cost, found) < best:
                sites, best = found, _cost(cost, found)
    gap = best - bound
    return np.sort(sites), gap if gap > TOLERANCE * best else 0.0, method


def _cost(cost: Floats, sites: Ints) -> float:
    return math.fsum(cost[:, sites].min(axis=1))


def _radius_programme(
    ranked: Floats, order: Ints, reach: Floats, state: NDArray[np.int8], p: int
) -> Programme:
    """Write what the bound left open in the radius formulation (Elloumi 2010).

    It reads: minimise base + step @ z subject to matrix @ (y, z) >= lower, the last row being
    Σ y = p. Returns (base, step, matrix, lower).

    y_j says that site j is chosen. Each row has its distinct open costs as layers; z_k says that
    no chosen site lies in layers up to k, and costs the step to the next one. The last layer has
    no z: it must serve.
    """
    usable = (state != OUT)[order]
    sure = np.where((state == IN)[order], ranked, np.inf).min(axis=1)
    row, rank = (usable & (ranked <= np.minimum(reach, sure)[:, None])).nonzero()
    cost, site = ranked[row, rank], order[row, rank]
    new_row = np.r_[True, row[1:] != row[:-1]]
    new_layer = new_row | np.r_[True, cost[1:] != cost[:-1]]
    layer = new_layer.cumsum() - 1
    first = new_row[new_layer]
    has_z = np.r_[~first[1:], False]
    step = np.diff(cost[new_layer], append=0.0)[has_z]

    # A layer serves for certain with a sure site in it, or all but p - 1 sites up to it.
    last_entry = np.r_[new_layer[1:], True]
    within = usable.cumsum(axis=1)[row, rank][last_entry]
    needed = (within <= (state != OUT).sum() - p) & (cost < sure[row])[last_entry]
    entry = needed[layer]

    n_sites, n_layers, n_z = len(state), len(first), len(step)
    before_z, z = has_z.nonzero()[0], n_sites + np.arange(n_z)
    parts = (
        (layer[entry], site[entry], np.ones(entry.sum())),
        (before_z, z, np.ones(n_z)),
        (before_z + 1, z, -np.ones(n_z)),
        (np.full(n_sites, n_layers), np.arange(n_sites), np.ones(n_sites)),
    )
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    matrix = csr_array((values, (rows, columns)), shape=(n_layers + 1, n_sites + n_z))
    lower = np.r_[np.where(needed, first, -1.0), p]
    return math.fsum(cost[new_row]), step, matrix, lower


def _highs(
    programme: Programme, state: NDArray[np.int8], p: int, best: float, time_limit: float
) -> tuple[Ints | None, float]:
    """Solve the programme: the chosen columns, if any were found, and a lower bound.

    The bound is infinite if it is proven that no other choice is better.
    """
    # loaded by who asks for an optimum: 0.3 s that other runs do not wait for
    from scipy.optimize import Bounds, LinearConstraint, milp

    base, step, matrix, lower = programme
    n_sites, n_z = len(state), len(step)
    # Powers of two scale without rounding; HiGHS's absolute tolerances want a cost of about 1000.
    shift = 10 - math.frexp(best)[1]
    result = milp(
        np.r_[np.zeros(n_sites), np.ldexp(step, shift)],
        integrality=np.r_[np.ones(n_sites), np.zeros(n_z)],
        bounds=Bounds(np.r_[state == IN, np.zeros(n_z)], np.r_[state != OUT, np.ones(n_z)]),
        constraints=LinearConstraint(matrix, lower, np.r_[np.full(len(lower) - 1, np.inf), p]),
        options={"time_limit": time_limit, "mip_rel_gap": 0.0},
    )
    if result.status not in (0, 1):  # 1: the time limit
        raise RuntimeError(f"HiGHS failed: {result.message}")
    found = None if result.x is None else result.x[:n_sites].argsort(kind="stable")[-p:]
    if result.status == 0:
        return found, math.inf
    dual = -math.inf if result.mip_dual_bound is None else result.mip_dual_bound
    return found, base + math.ldexp(dual, -shift)


@njit(cache=True)
def greedy(by_site, p):
    """Choose p rows of ``by_site`` (n_sites, n_demand), each the best addition to the former."""
    nearest = np.full(by_site.shape[1], np.inf)
    sites = np.empty(p, np.int64)
    for k in range(p):
        least = np.inf
        for j in range(by_site.shape[0]):
            total = np.minimum(nearest, by_site[j]).sum()
            if total < least and not np.any(sites[:k] == j):
                sites[k], least = j, total
        nearest = np.minimum(nearest, by_site[sites[k]])
    return sites


@njit(cache=True)
def two_nearest(by_site, sites, i):
    """Return the positions in ``sites`` of the two that serve demand point i best."""
    first, second = 0, -1
    for k in range(1, sites.size):
        cost = by_site[sites[k], i]
        if cost < by_site[sites[first], i]:
            first, second = k, first
        elif second < 0 or cost < by_site[sites[second], i]:
            second = k
    return first, second


@njit(cache=True)
def interchange(by_site, sites):
    """Swap sites in place until no single swap lowers the cost; return the cost. p >= 2.

    Each candidate in turn is weighed against all p chosen sites in one pass over the demand.
    """
    n_sites, n_demand = by_site.shape
    chosen = np.zeros(n_sites, np.bool_)
    chosen[sites] = True
    first, second = np.empty(n_demand, np.int64), np.empty(n_demand, np.int64)
    total = 0.0
    for i in range(n_demand):
        first[i], second[i] = two_nearest(by_site, sites, i)
        total += by_site[sites[first[i]], i]
    loss = np.empty(sites.size)
    j, idle = 0, 0
    while idle < n_sites:
        if not chosen[j]:
            gain = 0.0
            loss[:] = 0.0
            for i in range(n_demand):
                cost, nearest = by_site[j, i], by_site[sites[first[i]], i]
                if cost < nearest:
                    gain += nearest - cost
                else:
                    loss[first[i]] += min(cost, by_site[sites[second[i]], i]) - nearest
            k = np.argmin(loss)
            if gain - loss[k] > TOLERANCE * total:
                chosen[sites[k]], chosen[j] = False, True
                sites[k] = j
                idle = 0
                total = 0.0
                for i in range(n_demand):
                    touched = first[i] == k or second[i] == k
                    if touched or by_site[j, i] < by_site[sites[second[i]], i]:
                        first[i], second[i] = two_nearest(by_site, sites, i)
                    total += by_site[sites[first[i]], i]
        j = (j + 1) % n_sites
        idle += 1
    return total


@njit(cache=True)
def lagrange(by_site, ranked, order, sites):
    """Bound the cost from below and strike out what no layout as good as the best can hold.

    With multipliers m_i on "row i is served once", site j is worth r_j = Σ_i min(0, c_ij − m_i)
    and the bound is Σ m_i plus the p least r_j. Forcing a site in or out, or row i to be served
    at cost c > m_i, raises the bound by a known amount; above the best cost it cannot happen.

    ``ranked`` are the rows' costs in ascending order and ``order`` the sites they belong to;
    ``sites`` (1 < p < n_sites) is improved in place. Returns the bound, the state of each site
    (OUT, FREE, IN) and the most that each row costs in any layout as good as the best one.
    """
    n_demand, n_sites = ranked.shape
    p = sites.size
    best = interchange(by_site, sites)
    bound = 0.0
    multiplier = np.minimum(ranked[:, n_sites // p], best)
    best_multiplier = multiplier.copy()
    state = np.zeros(n_sites, np.int8)
    reach = np.full(n_demand, best * (1 + TOLERANCE))
    worth, key = np.empty(n_sites), np.empty(n_sites)
    chosen = np.zeros(n_sites, np.bool_)
    served, near = np.empty(n_demand, np.int64), np.empty(n_demand, np.int64)
    length, idle, work = 1.0, 0, 0
    for _ in range(STEPS):
        worth[:] = 0.0
        for i in range(n_demand):
            near[i] = np.searchsorted(ranked[i], multiplier[i])
            for k in range(near[i]):
                worth[order[i, k]] += ranked[i, k] - multiplier[i]
        for j in range(n_sites):  # sites of known state sort before or after all others
            key[j] = worth[j] if state[j] == FREE else -np.inf * state[j]
        by_worth = np.argsort(key, kind="mergesort")
        chosen[:] = False
        chosen[by_worth[:p]] = True
        value = multiplier.sum() + worth[by_worth[:p]].sum()

        room = best * (1 + TOLERANCE) - value
        worst, runner_up = by_worth[p - 1], by_worth[p]
        last_in = worth[worst] if state[worst] == FREE else -np.inf
        first_out = worth[runner_up] if state[runner_up] == FREE else np.inf
        for j in range(n_sites):
            if state[j] == FREE:
                if chosen[j] and first_out - worth[j] > room:
                    state[j] = IN
                elif not chosen[j] and worth[j] - last_in > room:
                    state[j] = OUT
        reach = np.minimum(reach, multiplier + room)

        idle = 0 if value > bound + 1e-4 * (best - bound) else idle + 1
        if value > bound:
            bound = value
            best_multiplier[:] = multiplier
        served[:] = 0
        for i in range(n_demand):
            for k in range(near[i]):
                served[i] += chosen[order[i, k]]
        norm = ((1 - served) ** 2).sum()
        work += 2 * near.sum()
        improved = False
        if idle == PATIENCE or norm == 0:
            candidate = by_worth[:p].copy()
            total = interchange(by_site, candidate)
            improved = total < best * (1 - TOLERANCE)
            if improved:
                best = total
                sites[:] = candidate
                bound = 0.0  # its rounding was that of dearer layouts: evaluate again
        solved = norm == 0 or bound >= best * (1 - TOLERANCE)
        if not improved and (solved or length < 1e-3 or work > WORK):
            break
        if improved or idle == PATIENCE:
            length /= 2
            idle = 0
            multiplier[:] = np.minimum(best_multiplier, best)
        else:
            step = length * (best - value) / norm
            # Within the costs that matter, so that no digits are lost.
            multiplier = np.minimum(np.maximum(multiplier + step * (1 - served), 0.0), best)
    return bound, state, reach
