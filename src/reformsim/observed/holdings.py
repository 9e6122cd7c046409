"""What units have: staff by function, and service stations."""

from collections.abc import Iterable

import numpy as np
import shapely

from reformsim.config import suggest
from reformsim.observed.boundaries import Boundaries, degrees
from reformsim.observed.columns import Column, Record, records
from reformsim.observed.faults import Mistakes, Words
from reformsim.observed.reading import Table, plain
from reformsim.observed.units import COMMUNITY, SUBDISTRICT, UNIT, UNITS, Place, place_of

STAFF = (
    Column("unit", ("单位", "单位名称", "名称", "name"), Words(
        "name of the unit", "单位名称"), True),
    Column("function", ("岗位", "职能", "类别"), Words(
        "office, station, grid or line", "街道、服务站、网格员或部门"), True),
    Column("heads", ("人数", "编制", "在岗人数", "staff"), Words("heads", "人数"), True),
)  # fmt: skip  # fmt: skip
STATIONS = (
    Column("name", ("名称", "站点", "服务站"), Words("name of the station", "站点名称")),
    Column("unit", ("所属社区", "社区", "单位", "community"), Words(
        "the community in which it stands", "所在社区")),
    *(column for column in UNITS if column.name in ("lon", "lat")),
)  # fmt: skip  # fmt: skip

FEWEST_HEADS = 0.1
#: What may be written for a function, and the level whose heads the model takes.
FUNCTIONS = {
    "office": (SUBDISTRICT, ("office", "街道", "街道干部", "街道工作人员")),
    "station": (SUBDISTRICT, ("station", "服务站", "社区工作者", "便民服务")),
    "grid": (SUBDISTRICT, ("grid", "网格", "网格员")),
    "line": (UNIT, ("line", "部门", "职能部门", "条线部门")),
}


def read_staff(table: Table, places: list[Place], mistakes: Mistakes) -> None:
    """Give each place its heads by function; those of communities count for their subdistrict."""
    seen: dict[tuple[int, str], int] = {}
    for record in records(table, STAFF, mistakes):
        place = _named(record, places, (COMMUNITY, SUBDISTRICT, UNIT), mistakes)
        word = plain(record.cells.get("function", ""))
        function = next((f for f, (_, words) in FUNCTIONS.items() if word in words), None)
        heads = record.number("heads", mistakes, low=FEWEST_HEADS)
        if function is None:
            record.wrong(
                "function",
                mistakes,
                Words(f"{word!r} is no function", f"“{word}”不是岗位类别"),
                Words("write office, station, grid or line", "请写街道、服务站、网格员或部门"),
            )
        if heads is None and "heads" not in record.cells:
            record.wrong(
                "heads",
                mistakes,
                Words("no number", "没有人数"),
                Words("write it, or delete the row", "请填写,或删去此行"),
            )
        if place is None or function is None or heads is None:
            continue
        first = seen.setdefault((id(place), function), record.line)
        if first != record.line:
            record.wrong(
                "function",
                mistakes,
                Words(f"stands on line {first} already", f"在第 {first} 行已出现"),
                Words("sum both rows up in one", "请合并为一行"),
            )
            continue
        level = FUNCTIONS[function][0]
        holder = place.parent if place.level == COMMUNITY and level == SUBDISTRICT else place
        if holder is None or holder.level != level:
            record.wrong(
                "unit",
                mistakes,
                Words(
                    f"the model takes {function} of a {level}",
                    f"此岗位须按{'街道' if level == SUBDISTRICT else '区县'}填写",
                ),
                Words("give it there", "请填在该层级"),
            )
            continue
        holder.staff[function] = holder.staff.get(function, 0.0) + heads
    _check_grids(table, places, mistakes)


def _check_grids(table: Table, places: Iterable[Place], mistakes: Mistakes) -> None:
    """Grid workers are whole, and at least one for each community: each has a grid of their own."""
    for place in places:
        grid = place.staff.get("grid")
        least, most = max(1, len(place.children)), place.stated.get("population", np.inf)
        if grid is None or (grid == int(grid) and least <= grid <= float(most)):
            continue
        mistakes.add(
            table.spot(table.header_line),
            "heads",
            Words(f"{place.name}: {grid:g} grid workers", f"{place.name}:网格员 {grid:g} 人"),
            Words(
                f"a whole number from {least}, one for each community, to that of residents",
                f"须为整数,至少 {least} 人(每个社区一人),且不超过居民数",
            ),
        )


def read_stations(
    table: Table, places: list[Place], boundaries: Boundaries, crs: str, mistakes: Mistakes
) -> None:
    """Count the stations of each community: named, or found by the polygon around the station."""
    communities = [place for place in places if place.level == COMMUNITY]
    if not communities:
        mistakes.add(
            table.spot(table.header_line),
            "",
            Words("stations, but the units list no communities", "有站点,但单位表没有社区"),
            Words(
                "add rows of communities, or leave this file out", "请补上社区各行,或不提供此文件"
            ),
        )
        return
    for record in records(table, STATIONS, mistakes):
        if "unit" in record.cells:
            place = _named(record, places, (COMMUNITY,), mistakes)
        else:
            place = _around(record, communities, boundaries, crs, mistakes)
        if place is not None:
            place.stations += 1


def _around(
    record: Record, communities: list[Place], boundaries: Boundaries, crs: str, mistakes: Mistakes
) -> Place | None:
    lon, lat = place_of(record, mistakes)
    if lon is None or lat is None:
        record.wrong(
            "unit",
            mistakes,
            Words("no community and no place", "既没有社区也没有坐标"),
            Words("name the community, or give lon and lat", "请填写所在社区,或经度和纬度"),
        )
        return None
    known = [place for place in communities if boundaries.of(place) is not None]
    point = shapely.Point(degrees(np.array([[lon, lat]]), crs)[0])
    for place in known:
        if shapely.covers(boundaries.of(place), point):
            return place
    if known:
        record.wrong(
            "lon",
            mistakes,
            Words(f"{lon:g}, {lat:g} lies outside the city", f"{lon:g}, {lat:g} 在城市之外"),
            Words(
                "mend the place, or say --crs gcj02 if it is of a Chinese map",
                "请改正坐标;若取自国内地图,请用 --crs gcj02",
            ),
        )
    else:
        record.wrong(
            "unit",
            mistakes,
            Words(
                "no community named, and no boundaries of communities tell it",
                "没有填写社区,也没有社区边界可以判断",
            ),
            Words("name the community", "请填写所在社区"),
        )
    return None


def _named(
    record: Record, places: list[Place], levels: tuple[str, ...], mistakes: Mistakes
) -> Place | None:
    """Return the one place of a name, or of ``parent/name``; none, and several, are mistakes."""
    name = record.cells.get("unit", "")
    fit = [place for place in places if place.level in levels and name in _names(place)]
    if len(fit) == 1:
        return fit[0]
    if fit:
        wrong = Words(f"{len(fit)} units are named {name!r}", f"有 {len(fit)} 个“{name}”")
    else:
        near = suggest(name, [place.name for place in places if place.level in levels])
        wrong = Words(f"no such unit, {name!r}{near}", f"没有单位“{name}”")
    remedy = Words("write a name of the table of units, of several alike as parent/name",
                   "请写单位表中的名称;重名者请写成“上级/名称”")  # fmt: skip
    record.wrong("unit", mistakes, wrong, remedy)
    return None


def _names(place: Place) -> set[str]:
    """Return how a place may be named; communities of several subdistricts may be named alike."""
    names = {place.name, str(place.stated.get("name_en", place.name))}
    return names | ({f"{place.parent.name}/{place.name}"} if place.parent else set())
