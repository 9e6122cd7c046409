"""Location optimisation against proven optima, brute force and the textbook formulations."""

import csv
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, vstack
from scipy.sparse.csgraph import floyd_warshall

from reformsim import stations
from reformsim.stations import Layout, max_coverage, p_median

PMED = Path(__file__).resolve().parents[2] / "shared" / "data" / "pmed"
SECONDS_EACH = (6, 16, 17)  # 2 to 10 s; the other seventeen take 1.5 s together


def pmed(number: int) -> tuple[np.ndarray, int, int]:
    """Read an OR-Library instance: all-pairs distances, p, proven optimum."""
    if not PMED.is_dir():
        pytest.skip("the OR-Library instances are not beside this repository (../shared/data/pmed)")
    with (PMED / "optima.csv").open() as file:
        optima = {row["instance"]: int(row["optimum"]) for row in csv.DictReader(file)}
    numbers = [int(word) for word in (PMED / f"pmed{number}.txt").read_text().split()]
    n, n_edges, p = numbers[:3]
    edges = np.full((n, n), np.inf)
    for i, j, length in zip(*(iter(numbers[3 : 3 + 3 * n_edges]),) * 3, strict=True):
        edges[i - 1, j - 1] = edges[j - 1, i - 1] = length
    return floyd_warshall(edges), p, optima[f"pmed{number}"]


def town(n: int, seed: int, n_sites: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Scatter n settlements in clusters, in km: distances to each other or to other sites."""
    rng = np.random.default_rng(seed)
    centres = rng.random((max(2, n // 20), 2)) * 20
    place = centres[rng.integers(len(centres), size=n)] + rng.normal(0, 1, (n, 2))
    sites = place if n_sites is None else rng.random((n_sites, 2)) * 20
    return (
        np.hypot(*(place[:, None] - sites[None]).transpose(2, 0, 1)),
        np.round(rng.lognormal(8, 0.6, n)),
    )


def best_by_enumeration(distance, p, demand, radius=None):
    """Return the best objective over all choices of p columns."""
    values = []
    for sites in combinations(range(distance.shape[1]), p):
        nearest = distance[:, sites].min(axis=1)
        if radius is None:
            values.append(math.fsum(demand * nearest))
        else:
            values.append(math.fsum(demand[(nearest <= radius) & np.isfinite(nearest)]))
    return min(values) if radius is None else max(values)


def check(layout: Layout, distance, p, demand, radius=None) -> None:
    """Check that a layout is what it says, whether or not it is best."""
    assert layout.sites.shape == (p,)
    assert (np.diff(layout.sites) > 0).all()
    for i, row in enumerate(distance):
        assert layout.assignment[i] == min(layout.sites, key=lambda j: (row[j], j))
    reached = distance[np.arange(len(distance)), layout.assignment]
    if radius is None:
        assert layout.objective == math.fsum(demand * reached)
    else:
        covered = (reached <= radius) & np.isfinite(reached)
        assert layout.objective == math.fsum(demand[covered])
    assert layout.proven == layout.method.endswith(": optimal")


@pytest.mark.parametrize("number", [k for k in range(1, 21) if k not in SECONDS_EACH])
def test_or_library_optimum_is_found_and_proven(number):
    distance, p, optimum = pmed(number)
    layout = p_median(distance, p)
    check(layout, distance, p, np.ones(len(distance)))
    assert layout.objective == optimum
    assert layout.proven


@pytest.mark.slow
@pytest.mark.parametrize("number", SECONDS_EACH)
def test_or_library_optimum_with_a_wide_gap_is_found_and_proven(number):
    distance, p, optimum = pmed(number)
    layout = p_median(distance, p, time_limit=300)
    assert (layout.objective, layout.proven) == (optimum, True)


@pytest.mark.slow
def test_local_search_on_the_or_library():
    """Measured: 19 of 20 optima, pmed15 0.06 % above."""
    above = []
    for number in range(1, 21):
        distance, p, optimum = pmed(number)
        layout = p_median(distance, p, time_limit=0)
        assert "HiGHS" not in layout.method
        above.append(layout.objective / optimum - 1)
        assert not layout.proven or above[-1] == 0
    assert min(above) >= 0
    assert max(above) <= 0.001
    assert sum(gap == 0 for gap in above) >= 18


@st.composite
def problems(draw, costs, weights):
    """Draw a rectangular distance matrix, p, demand and a radius."""
    n_demand, n_sites = draw(st.integers(1, 8)), draw(st.integers(1, 7))
    row = st.lists(costs, min_size=n_sites, max_size=n_sites)
    distance = np.array(draw(st.lists(row, min_size=n_demand, max_size=n_demand)), float)
    demand = np.array(draw(st.lists(weights, min_size=n_demand, max_size=n_demand)), float)
    return distance, draw(st.integers(1, n_sites)), demand, draw(costs)


whole = problems(st.integers(0, 12), st.integers(0, 5))
real = problems(st.floats(0, 1e9), st.floats(0, 1e6))


@settings(max_examples=400)
@given(whole)
def test_whole_numbers_equal_brute_force(problem):
    distance, p, demand, radius = problem
    layout = p_median(distance, p, demand)
    check(layout, distance, p, demand)
    assert layout.proven
    assert layout.objective == best_by_enumeration(distance, p, demand)
    layout = max_coverage(distance, p, radius, demand)
    check(layout, distance, p, demand, radius)
    assert layout.proven
    assert layout.objective == best_by_enumeration(distance, p, demand, radius)


@settings(max_examples=400)
@given(real)
def test_real_numbers_equal_brute_force_within_the_stated_tolerance(problem):
    distance, p, demand, radius = problem
    layout = p_median(distance, p, demand)
    check(layout, distance, p, demand)
    best = best_by_enumeration(distance, p, demand)
    assert best <= layout.objective <= best * (1 + 1e-6)
    layout = max_coverage(distance, p, radius, demand)
    check(layout, distance, p, demand, radius)
    best, total = best_by_enumeration(distance, p, demand, radius), math.fsum(demand)
    assert best - 1e-6 * (total - best) - 1e-12 * total <= layout.objective <= best


@settings(max_examples=150)
@given(whole)
def test_the_radius_formulation_alone_equals_brute_force(problem):
    """Nothing struck out: the programme that HiGHS gets must be right without the bound."""
    distance, p, demand, _ = problem
    cost = demand[:, None] * distance
    n_demand, n_sites = cost.shape
    order = cost.argsort(axis=1, kind="stable")
    ranked = np.take_along_axis(cost, order, axis=1)
    free = np.zeros(n_sites, np.int8)
    programme = stations._radius_programme(ranked, order, np.full(n_demand, np.inf), free, p)
    found, bound = stations._highs(programme, free, p, max(cost.max(), 1.0), 10.0)
    assert bound == math.inf
    assert math.fsum(cost[:, found].min(axis=1)) == best_by_enumeration(distance, p, demand)


def check_striking(cost: np.ndarray, p: int) -> None:
    """Check the Lagrangian bound, and that no optimal layout holds what it strikes out."""
    order = cost.argsort(axis=1, kind="stable")
    ranked = np.take_along_axis(cost, order, axis=1)
    by_site = np.ascontiguousarray(cost.T)
    bound, state, reach = stations.lagrange(by_site, ranked, order, stations.greedy(by_site, p))
    rows = {c: cost[:, c].min(axis=1) for c in combinations(range(cost.shape[1]), p)}
    best = min(row.sum() for row in rows.values())
    assert bound <= best * (1 + 1e-9)
    for sites, row in rows.items():
        if row.sum() == best:
            assert stations.OUT not in state[list(sites)]
            assert set(np.flatnonzero(state == stations.IN)) <= set(sites)
            assert (row <= reach * (1 + 1e-9)).all()


@settings(max_examples=300)
@given(whole)
def test_no_optimal_layout_is_struck_out_among_ties(problem):
    distance, p, demand, _ = problem
    if 1 < p < distance.shape[1]:
        check_striking(demand[:, None] * distance, p)


@pytest.mark.parametrize("n_demand", [3, 12, 30])
def test_no_optimal_layout_is_struck_out_across_a_duality_gap(n_demand):
    for seed in range(40):
        check_striking(np.random.default_rng(seed).random((n_demand, 9)), 3)


@settings(max_examples=300)
@given(whole)
def test_local_search_never_understates_its_gap(problem):
    distance, p, demand, _ = problem
    sites, gap, _ = stations._solve(demand[:, None] * distance, p, 0.0)
    found = math.fsum(demand * distance[:, sites].min(axis=1))
    best = best_by_enumeration(distance, p, demand)
    assert best <= found <= (best + gap) * (1 + 1e-9)


def textbook(cost: np.ndarray, p: int) -> float:
    """Solve ReVelle & Swain's (1970) programme of p-median: x_ij <= y_j, each row served once."""
    n, m = cost.shape
    x = np.arange(n * m)
    served = coo_array((np.ones(n * m), (x // m, m + x)), shape=(n, m + n * m))
    opened = coo_array(
        (np.r_[np.ones(n * m), -np.ones(n * m)], (np.r_[x, x], np.r_[m + x, x % m])),
        shape=(n * m, m + n * m),
    )
    counted = coo_array((np.ones(m), (np.zeros(m, int), np.arange(m))), shape=(1, m + n * m))
    result = milp(
        np.r_[np.zeros(m), cost.ravel()],
        integrality=np.r_[np.ones(m), np.zeros(n * m)],
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(
            vstack([served, opened, counted]).tocsr(),
            np.r_[np.ones(n), np.full(n * m, -np.inf), p],
            np.r_[np.ones(n), np.zeros(n * m), p],
        ),
        options={"mip_rel_gap": 0.0},
    )
    assert result.status == 0
    return result.fun


@pytest.mark.parametrize("seed", range(8))
def test_towns_equal_the_textbook_programme(seed):
    """Larger than brute force can do; some of these need HiGHS, others the bound alone."""
    distance, demand = town(30, seed, n_sites=None if seed % 2 else 20)
    for p in (2, 4, 9):
        layout = p_median(distance, p, demand)
        check(layout, distance, p, demand)
        assert layout.proven
        assert layout.objective == pytest.approx(textbook(demand[:, None] * distance, p), rel=1e-6)
        for radius in (1.0, 2.5):
            layout = max_coverage(distance, p, radius, demand)
            check(layout, distance, p, demand, radius)
            outside = textbook(np.where(distance <= radius, 0, demand[:, None]), p)
            assert layout.proven
            assert layout.objective == pytest.approx(demand.sum() - outside, rel=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_noise_equals_the_textbook_programme(seed):
    """No metric, so a wide duality gap: here HiGHS decides."""
    cost = np.random.default_rng(seed).random((25, 35))
    for p in (3, 5):
        layout = p_median(cost, p)
        assert layout.method == "HiGHS: optimal"
        assert layout.objective == pytest.approx(textbook(cost, p), rel=1e-6)


def test_all_methods_occur_and_say_so():
    noise = np.random.default_rng(1).random((40, 40))
    assert p_median(noise, 1).method == "enumeration: optimal"
    assert p_median(noise, 6).method == "HiGHS: optimal"
    assert max_coverage(noise, 3, 2.0).method == "Lagrangian bound: optimal"
    quick = p_median(noise, 6, time_limit=0)
    assert not quick.proven
    assert quick.method.startswith("local search: gap ")
    stopped = p_median(noise, 6, time_limit=1e-9)
    assert not stopped.proven
    assert stopped.method.endswith(" % at the time limit")
    assert stopped.objective >= p_median(noise, 6, time_limit=math.inf).objective


def test_same_input_same_answer():
    distance, demand = town(120, 3)
    one, two = (p_median(distance, 9, demand, time_limit=limit) for limit in (30, 300))
    assert (one.sites == two.sites).all()
    assert one.objective == two.objective
    one, two = (max_coverage(distance, 9, 1.0, demand, time_limit=limit) for limit in (30, 300))
    assert (one.sites == two.sites).all()


def test_more_sites_or_a_wider_radius_never_cover_less():
    distance, demand = town(50, 5)
    by_p = [max_coverage(distance, p, 1.5, demand).objective for p in range(1, 51)]
    assert by_p == sorted(by_p)
    assert by_p[0] < by_p[-1] == demand.sum()
    by_radius = [max_coverage(distance, 4, r / 2, demand).objective for r in range(60)]
    assert by_radius == sorted(by_radius)
    walk = [p_median(distance, p, demand).objective for p in range(1, 51)]
    assert walk == sorted(walk, reverse=True)
    assert walk[-1] == 0


def test_demand_counts_like_repeated_points():
    distance, _ = town(40, 6)
    times = np.random.default_rng(6).integers(0, 4, 40)
    weighted, repeated = p_median(distance, 5, times), p_median(distance.repeat(times, axis=0), 5)
    assert weighted.objective == pytest.approx(repeated.objective, rel=1e-9)
    weighted = max_coverage(distance, 5, 1.0, times)
    assert weighted.objective == max_coverage(distance.repeat(times, axis=0), 5, 1.0).objective


def test_the_middle_of_a_street():
    street = np.abs(np.subtract.outer(np.arange(9.0), np.arange(9.0)))
    assert p_median(street, 1).sites.tolist() == [4]
    assert p_median(street, 1, [9, 0, 0, 0, 0, 0, 0, 0, 1]).sites.tolist() == [0]
    assert p_median(street, 3).objective == 6
    assert max_coverage(street, 3, 1).sites.tolist() == [1, 4, 7]


def test_ties_and_the_unreachable_go_to_the_lowest_site():
    layout = max_coverage([[np.inf, np.inf, 0], [1, 1, 1], [np.inf, np.inf, np.inf]], 3, np.inf)
    assert layout.assignment.tolist() == [2, 0, 0]
    assert layout.objective == 2


def test_no_demand_at_all():
    layout = p_median(np.ones((3, 4)), 2, np.zeros(3))
    assert (layout.objective, layout.proven) == (0, True)
    assert max_coverage(np.ones((3, 4)), 2, 0.5).objective == 0


@pytest.mark.parametrize(
    ("distance", "p", "demand", "message"),
    [
        ([[1.0, 2.0]], 0, None, "whole number from 1"),
        ([[1.0, 2.0]], 3, None, "whole number from 1"),
        ([[1.0, 2.0]], 1.5, None, "whole number"),
        ([[1.0, np.nan]], 1, None, "NaN"),
        ([[1.0, -1.0]], 1, None, ">= 0"),
        ([1.0, 2.0], 1, None, "matrix"),
        (np.ones((0, 3)), 1, None, "non-empty"),
        ([[1.0, 2.0]], 1, [1.0, 2.0], "shape"),
        ([[1.0, 2.0]], 1, [-1.0], "demand"),
        ([[1.0, 2.0]], 1, [np.nan], "demand"),
        ([[1.0, 2.0]], 1, [np.inf], "demand"),
    ],
)
def test_bad_input_is_refused_in_one_line(distance, p, demand, message):
    for call in (
        lambda: p_median(distance, p, demand),
        lambda: max_coverage(distance, p, 1.0, demand),
    ):
        with pytest.raises(ValueError, match=message) as error:
            call()
        assert "\n" not in str(error.value)


def test_what_only_one_of_them_refuses():
    with pytest.raises(ValueError, match="finite"):
        p_median([[1.0, np.inf]], 1)
    with pytest.raises(ValueError, match="finite"):
        p_median([[1e300, 1.0]], 1, [1e300])
    for radius in (-1.0, np.nan):
        with pytest.raises(ValueError, match="radius"):
            max_coverage([[1.0, 2.0]], 1, radius)
    with pytest.raises(ValueError, match="time_limit"):
        p_median([[1.0, 2.0]], 1, time_limit=-1)
