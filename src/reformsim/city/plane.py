"""A synthetic map: nested convex cells with exactly the areas of the units.

Each level is a power diagram of its parent. Its weights, one for each site, are those at which
the cells have the wanted areas; they are found by the damped Newton method of Kitagawa, Mérigot
& Thibert (2019), "Convergence of a Newton algorithm for semi-discrete optimal transport".
Linear systems are solved by a plain elimination: the bits of LAPACK depend on the processor.
"""

import math
from dataclasses import dataclass

import numpy as np
import shapely

from reformsim.kernels import njit

GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))
TOLERANCE = 1e-10  # relative error of each area
NEWTON_STEPS = 200
INSIDE = 0.95  # of the way to the border, at most, known sites lie


@dataclass(frozen=True)
class Outlines:
    """Convex polygons in km, counter-clockwise, one after another."""

    vertices: np.ndarray  # float64 (v, 2)
    first: np.ndarray  # int64 (n + 1,)

    def polygons(self) -> list[np.ndarray]:
        """Return the polygons as arrays of vertices, shape (m, 2) each."""
        return np.split(self.vertices, self.first[1:-1])

    def centroids(self) -> np.ndarray:
        """Return the centroid of each polygon, (n, 2)."""
        return _centroids(self.vertices, self.first)

    def take(self, rows: np.ndarray) -> "Outlines":
        """Return the polygons of the given rows, in their order."""
        polygons = self.polygons()
        chosen = [polygons[row] for row in rows]
        first = np.concatenate([[0], np.cumsum([len(p) for p in chosen])])
        return Outlines(np.concatenate(chosen), first.astype(np.int64))


def disc(area: float, sides: int = 120) -> Outlines:
    """Return one regular polygon of the given area around the origin."""
    radius = math.sqrt(2 * area / (sides * math.sin(2 * math.pi / sides)))
    angle = 2 * math.pi * np.arange(sides) / sides
    vertices = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    return Outlines(vertices, np.array([0, sides]))


def around(sites: np.ndarray, area: float) -> Outlines:
    """Return one convex polygon of the given area around sites (n, 2).

    It is their hull, widened alike on all sides; a hull that is too large is made smaller.
    """
    hull = shapely.MultiPoint(sites).convex_hull
    low, high = 0.0, math.sqrt(area / math.pi)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if hull.buffer(middle).area < area else (low, middle)
    wide = shapely.geometry.polygon.orient(hull.buffer(high))
    vertices = np.array(wide.exterior.coords)[:-1]
    centre = np.array(wide.centroid.coords)[0]
    vertices = centre + (vertices - centre) * math.sqrt(area / wide.area)
    return Outlines(vertices, np.array([0, len(vertices)]))


def subdivide(
    parents: Outlines,
    first_child: np.ndarray,
    areas: np.ndarray,
    turns: np.ndarray,
    pull: float,
    relaxations: int,
    sites: np.ndarray | None = None,
) -> Outlines:
    """Cut each parent into its children; earlier children lie nearer to the parent's focus.

    ``first_child``, shape (parents + 1,), delimits the children; ``areas`` (children,) are their
    areas up to a factor for each parent; ``turns`` (parents,) turn the first layout, in radians.
    The focus is the parent's centroid, moved toward the origin by ``pull`` (0 to 1) of the way to
    the border. Each of ``relaxations`` moves the sites to the centroids of their cells. Known
    ``sites`` (children, 2) stay, but for drawing them together where some lie outside.

    Returns the children's outlines. Raises RuntimeError if the areas are not met.
    """
    counts = np.diff(first_child)
    room = int(np.sum(counts * (np.diff(parents.first) + counts)))
    vertices, sizes = np.empty((room, 2)), np.empty(len(areas), np.int64)
    known = np.empty((0, 2)) if sites is None else sites
    bad = _subdivide(
        parents.vertices,
        parents.first,
        first_child,
        areas,
        turns,
        pull,
        relaxations,
        known,
        vertices,
        sizes,
    )
    if bad >= 0:
        raise RuntimeError(f"the areas of the {counts[bad]} children of unit {bad} were not met")
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Outlines(vertices[: first[-1]].copy(), first)


@njit(cache=True)
def _subdivide(
    vertices,
    first,
    first_child,
    areas,
    turns,
    pull,
    relaxations,
    known,
    out_vertices,
    out_sizes,
):
    """Fill both output arrays; return the first parent that failed, or -1."""
    end = 0
    for parent in range(len(first) - 1):
        begin, stop = first_child[parent], first_child[parent + 1]
        outline = vertices[first[parent] : first[parent + 1]]
        area, cx, cy = _area_centroid(outline)
        centre, scale = np.array([cx, cy]), math.sqrt(area)
        border = (outline - centre) / scale  # area 1 around its centroid: well conditioned
        wanted = areas[begin:stop] / areas[begin:stop].sum()
        if len(known) > 0:
            sites = _together(border, (known[begin:stop] - centre) / scale)
        else:
            focus = _focus(border, -centre / scale, pull)
            sites = _spiral(border, focus, wanted, turns[parent])
        for _ in range(0 if len(known) > 0 else relaxations):
            weights, centroids, met = _fit(border, sites, wanted)
            if not met:
                return parent
            sites = centroids
        weights, _, met = _fit(border, sites, wanted)
        if not met:
            return parent
        for child in range(stop - begin):
            cell, _ = _cell(border, sites, weights, child)
            out_vertices[end : end + len(cell)] = cell * scale + centre
            end += len(cell)
            out_sizes[begin + child] = len(cell)
    return -1


@njit(cache=True)
def _together(border, sites):
    """Draw sites toward (0, 0), all by one factor, until they lie well within the border."""
    factor = 1.0
    for k in range(len(sites)):
        distance = math.hypot(sites[k, 0], sites[k, 1])
        if distance > 1e-12:
            reach = INSIDE * _ray(border, np.zeros(2), sites[k] / distance)
            factor = min(factor, reach / distance)
    return factor * sites


@njit(cache=True)
def _focus(border, origin, pull):
    """Point from the centroid (0, 0) toward the origin, ``pull`` of the way to the border."""
    distance = math.hypot(origin[0], origin[1])
    if distance < 1e-12:
        return np.zeros(2)
    direction = origin / distance
    return direction * min(distance, pull * _ray(border, np.zeros(2), direction))


@njit(cache=True)
def _spiral(border, focus, shares, turn):
    """Sites on Vogel's sunflower spiral around the focus, stretched to the border.

    The sunflower spaces points evenly over a disc; the radius grows with the area so far.
    """
    sites = np.empty((len(shares), 2))
    inner = 0.0
    for k in range(len(shares)):
        angle = turn + k * GOLDEN_ANGLE
        direction = np.array([math.cos(angle), math.sin(angle)])
        reach = math.sqrt(inner + shares[k] / 2) * _ray(border, focus, direction)
        sites[k] = focus + reach * direction
        inner += shares[k]
    return sites


@njit(cache=True)
def _ray(border, point, direction):
    """Distance from an inner point to the border of a convex polygon in a unit direction."""
    nearest = np.inf
    for k in range(len(border)):
        x0, y0 = border[k] - point
        x1, y1 = border[(k + 1) % len(border)] - point
        # outward normal of a counter-clockwise edge
        nx, ny = y1 - y0, x0 - x1
        slope = nx * direction[0] + ny * direction[1]
        if slope > 0:
            nearest = min(nearest, (nx * x0 + ny * y0) / slope)
    return nearest


@njit(cache=True)
def _fit(border, sites, wanted):
    """Weights at which the cells have the wanted areas, their centroids, and success."""
    n = len(sites)
    weights, trial = np.zeros(n), np.zeros(n)
    areas, centroids, laplacian = np.empty(n), np.empty((n, 2)), np.empty((n, n))
    _measure(border, sites, weights, areas, centroids, laplacian)
    floor = 0.5 * min(areas.min(), wanted.min())
    for _ in range(NEWTON_STEPS):
        error = wanted - areas
        if np.max(np.abs(error) / wanted) < TOLERANCE:
            return weights, centroids, True
        step = _solve(laplacian, error)
        size, damping = math.sqrt(np.sum(error**2)), 1.0
        while True:
            trial[:] = weights + damping * step
            _measure(border, sites, trial, areas, centroids, laplacian)
            left = math.sqrt(np.sum((wanted - areas) ** 2))
            if areas.min() >= floor and left <= (1 - damping / 2) * size:
                break
            damping /= 2
            if damping < 1e-9:
                return weights, centroids, False
        weights[:] = trial
    return weights, centroids, False


@njit(cache=True)
def _measure(border, sites, weights, areas, centroids, laplacian):
    """Fill areas and centroids of the cells, and the derivative of areas by weights."""
    laplacian[:] = 0.0
    for i in range(len(sites)):
        cell, neighbours = _cell(border, sites, weights, i)
        areas[i], centroids[i, 0], centroids[i, 1] = _area_centroid(cell)
        for k in range(len(cell)):
            j = neighbours[k]
            if j >= 0:
                edge = cell[(k + 1) % len(cell)] - cell[k]
                apart = sites[j] - sites[i]
                rate = math.hypot(edge[0], edge[1]) / (2 * math.hypot(apart[0], apart[1]))
                laplacian[i, i] += rate
                laplacian[i, j] -= rate


@njit(cache=True)
def _cell(border, sites, weights, i):
    """Cell of site i: the border clipped by the half-plane against every other site.

    Returns the vertices and, for the edge that leaves each vertex, the site beyond it or -1.
    """
    room = len(border) + len(sites)
    here, there = np.empty((room, 2)), np.empty((room, 2))
    beyond, behind = np.empty(room, np.int64), np.empty(room, np.int64)
    size = len(border)
    here[:size] = border
    beyond[:size] = -1
    for j in range(len(sites)):
        if j == i:
            continue
        ax, ay = 2 * (sites[j, 0] - sites[i, 0]), 2 * (sites[j, 1] - sites[i, 1])
        limit = np.sum(sites[j] ** 2) - np.sum(sites[i] ** 2) + weights[i] - weights[j]
        kept = 0
        for k in range(size):
            x0, y0 = here[k]
            x1, y1 = here[(k + 1) % size]
            out0, out1 = ax * x0 + ay * y0 - limit, ax * x1 + ay * y1 - limit
            if out0 <= 0:
                there[kept] = here[k]
                behind[kept] = beyond[k]
                kept += 1
            if (out0 <= 0) != (out1 <= 0):
                along = out0 / (out0 - out1)
                there[kept, 0], there[kept, 1] = x0 + along * (x1 - x0), y0 + along * (y1 - y0)
                behind[kept] = j if out0 <= 0 else beyond[k]
                kept += 1
        here, there, beyond, behind, size = there, here, behind, beyond, kept
    return here[:size], beyond[:size]


@njit(cache=True)
def _area_centroid(polygon):
    """Area and centroid of a simple counter-clockwise polygon; zeros if it is empty."""
    area = x = y = 0.0
    for k in range(len(polygon)):
        x0, y0 = polygon[k]
        x1, y1 = polygon[(k + 1) % len(polygon)]
        cross = x0 * y1 - x1 * y0
        area += cross / 2
        x += (x0 + x1) * cross / 6
        y += (y0 + y1) * cross / 6
    return (area, x / area, y / area) if area > 0 else (0.0, 0.0, 0.0)


@njit(cache=True)
def _centroids(vertices, first):
    out = np.empty((len(first) - 1, 2))
    for i in range(len(out)):
        _, out[i, 0], out[i, 1] = _area_centroid(vertices[first[i] : first[i + 1]])
    return out


@njit(cache=True)
def _solve(laplacian, right):
    """Solve a connected graph Laplacian with the first unknown 0, by elimination."""
    n = len(right)
    a, x = laplacian.copy(), right.copy()
    for i in range(1, n):
        for row in range(i + 1, n):
            factor = a[row, i] / a[i, i]
            if factor != 0.0:
                a[row, i:] -= factor * a[i, i:]
                x[row] -= factor * x[i]
    for i in range(n - 1, 0, -1):
        x[i] = (x[i] - np.sum(a[i, i + 1 :] * x[i + 1 :])) / a[i, i]
    x[0] = 0.0
    return x
