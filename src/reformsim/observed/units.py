"""A user's table of units: rows to a tree of places, each figure stated or not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from reformsim.city import AGE_GROUPS, COMMUNITY_TYPES, COMMUNITY_TYPES_ZH
from reformsim.config import suggest
from reformsim.observed.columns import Column, Record, records
from reformsim.observed.faults import Mistakes, Words
from reformsim.observed.projection import NORTHERNMOST
from reformsim.observed.reading import Table, plain

UNITS = (
    Column("name", ("名称", "单位", "单位名称", "unit"), Words(
        "name of the unit", "单位名称"), True),
    Column("level", ("层级", "级别", "类别"), Words(
        "unit, subdistrict, town, community or village", "区县、街道、镇、社区或村"), True),
    Column("parent", ("上级", "所属", "所属单位", "上级单位"), Words(
        "name of the unit above; left out if there is only one", "上级单位名称;只有一个时可不填")),
    Column("name_en", ("英文名", "英文名称"), Words("English name", "英文名称")),
    Column("population", ("人口", "常住人口", "人口数", "residents"), Words(
        "residents", "常住人口")),
    Column("area_km2", ("面积", "面积km2", "面积(km2)", "面积(平方公里)", "area"), Words(
        "area in km²", "面积(平方公里)")),
    Column("lon", ("经度", "longitude"), Words("longitude of the centroid", "中心点经度")),
    Column("lat", ("纬度", "latitude"), Words("latitude of the centroid", "中心点纬度")),
    Column("kind", ("社区类型", "类型", "type"), Words(
        "type of a community: " + ", ".join(COMMUNITY_TYPES),
        "社区类型:" + "、".join(COMMUNITY_TYPES_ZH))),
    Column("young", ("35岁以下", "0-34岁", "青年占比"), Words(
        "share of residents under 35", "35 岁以下居民占比")),
    Column("middle", ("35-59岁", "中年占比"), Words(
        "share of residents of 35 to 59", "35 至 59 岁居民占比")),
    Column("older", ("60岁以上", "60岁及以上", "老年占比"), Words(
        "share of residents of 60 and over", "60 岁及以上居民占比")),
)  # fmt: skip  # fmt: skip

UNIT, SUBDISTRICT, COMMUNITY = "unit", "subdistrict", "community"
#: What may be written for a level, and the words that say so.
LEVELS = {
    UNIT: ("unit", "county", "district", "区县", "区", "县", "市辖区", "县级市", "区(市)县"),
    SUBDISTRICT: ("subdistrict", "街道", "街道办", "town", "township", "镇", "乡", "乡镇"),
    COMMUNITY: ("community", "社区", "居委会", "village", "村", "行政村"),
}
#: The row of the whole city, which the sums of its units stand for.
CITY = {"city", "市", "全市"}
TOWNS = {"town", "township", "镇", "乡", "乡镇"}
VILLAGES = {"village", "村", "行政村"}
#: Shares that sum to 1 up to this are rounded, and are scaled to sum to 1.
ROUNDING = 0.005
TAKE_THE_SUM = Words(
    "mend one of them, or leave this cell blank to take the sum",
    "请改正;或将此格留空,即取合计",
)


@dataclass
class Place:
    """A unit of any level; ``stated`` holds the figures given, ``derived`` how others came."""

    record: Record | None
    name: str
    level: str
    town: bool = False
    stated: dict[str, float | int | str] = field(default_factory=dict)
    derived: dict[str, Words] = field(default_factory=dict)
    at: tuple[float, float] | None = None
    ages: tuple[float, float, float] | None = None
    staff: dict[str, float] = field(default_factory=dict)
    stations: int = 0
    parent: "Place | None" = None
    children: list["Place"] = field(default_factory=list)

    def wrong(self, column: str, mistakes: Mistakes, wrong: Words, remedy: Words) -> None:
        """Add a mistake at a column of the row that states it."""
        if self.record is not None:
            self.record.wrong(column, mistakes, wrong, remedy)

    def below(self) -> Iterator["Place"]:
        """Yield this place and all within it, each before its children."""
        yield self
        for child in self.children:
            yield from child.below()


def read_units(table: Table, city: str, mistakes: Mistakes) -> tuple[list[Place], list[Words]]:
    """Return the county-level units with all within them, and what was taken on the way.

    Without a row of that level, one unit of the city's name holds the subdistricts.
    """
    found, notes = records(table, UNITS, mistakes), []
    if filled := _fill_down(found):
        notes.append(
            Words(
                f"{filled} blank cells under `level` or `parent` continue the one above",
                f"“层级”“上级”中 {filled} 个空格按上一行填写(合并单元格)",
            )
        )
    whole = [record for record in found if plain(record.cells.get("level", "")) in CITY]
    for record in whole:
        found.remove(record)
        notes.append(Words(f"line {record.line}, the whole city, is left out: its units sum to it",
                           f"第 {record.line} 行(全市)不用:以各区县合计为准"))  # fmt: skip
    places = [place for record in found if (place := _place(record, mistakes)) is not None]
    roots = [place for place in places if place.level == UNIT]
    if not roots and places:
        roots = [Place(None, city, UNIT)]
        notes.append(
            Words(f"no row of a unit: one, {city}, holds all", f"无区县一行:设“{city}”为唯一区县")
        )
    _join(roots, places, mistakes)
    _check_names(roots, places, mistakes)
    if not any(root.children for root in roots) and mistakes.count == 0:
        mistakes.add(
            table.spot(table.header_line),
            "level",
            Words("no subdistrict and no town", "没有街道或镇"),
            Words("add a row for each", "请为每个街道、镇各写一行"),
        )
    return roots, notes


def _fill_down(found: list[Record]) -> int:
    """Let blanks under level and parent continue the cell above, as merged cells are written."""
    filled, above = 0, dict[str, str]()
    for i, record in enumerate(found):
        cells = dict(record.cells)
        if "level" not in cells and "level" in above and "level" in record.heads:
            cells["level"], filled = above["level"], filled + 1
        same = plain(cells.get("level", "")) == plain(above.get("level", ""))
        if "parent" not in cells and same and "parent" in above:
            cells["parent"], filled = above["parent"], filled + 1
        above = {name: cells[name] for name in ("level", "parent") if name in cells}
        found[i] = Record(record.table, record.line, record.heads, cells)
    return filled


def _place(record: Record, mistakes: Mistakes) -> Place | None:
    name, word = record.cells.get("name"), plain(record.cells.get("level", ""))
    if name is None:
        record.wrong(
            "name",
            mistakes,
            Words("no name", "没有名称"),
            Words("write it, or delete the row", "请填写,或删去此行"),
        )
    level = next((level for level, words in LEVELS.items() if word in words), None)
    if level is None:
        record.wrong(
            "level",
            mistakes,
            Words(f"{word!r} is no level", f"“{word}”不是层级"),
            Words(
                "write unit, subdistrict, town, community or village",
                "请写区县、街道、镇、社区或村",
            ),
        )
    if name is None or level is None:
        return None
    place = Place(record, name, level, town=word in TOWNS)
    if "name_en" in record.cells:
        place.stated["name_en"] = record.cells["name_en"]
    if (people := record.whole("population", mistakes)) is not None:
        place.stated["population"] = people
    if (area := record.number("area_km2", mistakes, low=1e-6)) is not None:
        place.stated["area_km2"] = area
    _kind(place, record, word, mistakes)
    place.ages = _ages(record, mistakes)
    lon, lat = place_of(record, mistakes)
    if ("lon" in record.cells) != ("lat" in record.cells):
        lacks = "lat" if "lon" in record.cells else "lon"
        record.wrong(
            lacks,
            mistakes,
            Words("half a place", "坐标只有一半"),
            Words("give both lon and lat, or neither", "经度和纬度须同时填写"),
        )
    elif lon is not None and lat is not None:
        place.at = lon, lat
    return place


def place_of(record: Record, mistakes: Mistakes) -> tuple[float | None, float | None]:
    """Return the longitude and latitude of a row, None for a blank or a mistake."""
    east = record.number("lon", mistakes, -180, 180)
    return east, record.number("lat", mistakes, -NORTHERNMOST, NORTHERNMOST)


def _kind(place: Place, record: Record, word: str, mistakes: Mistakes) -> None:
    text = record.cells.get("kind")
    if place.level == COMMUNITY and word in VILLAGES:
        text = text or "village"
    if text is None:
        return
    kinds = dict(zip(COMMUNITY_TYPES_ZH, COMMUNITY_TYPES, strict=True))
    kind = kinds.get(text, plain(text))
    if place.level != COMMUNITY or kind not in COMMUNITY_TYPES:
        record.wrong(
            "kind",
            mistakes,
            Words(f"{text!r} is no type of a {place.level}", f"“{text}”不是此层级的类型"),
            Words(
                f"for communities only: {', '.join(COMMUNITY_TYPES)}",
                f"仅社区填写:{'、'.join(COMMUNITY_TYPES_ZH)}",
            ),
        )
        return
    place.stated["kind"] = kind


def _ages(record: Record, mistakes: Mistakes) -> tuple[float, float, float] | None:
    """Return age shares; one of the three left out is what the others leave of 1."""
    count = mistakes.count
    values = [record.number(group, mistakes, 0, 1) for group in AGE_GROUPS]
    known = [value for value in values if value is not None]
    if not known or mistakes.count > count:
        return None
    total, missing = sum(known), len(values) - len(known)
    if missing > 1 or (missing == 0 and abs(total - 1) > ROUNDING) or total > 1 + ROUNDING:
        at = next(group for group in reversed(AGE_GROUPS) if group in record.heads)
        wrong = Words(f"age shares sum to {total:g}, not 1", f"年龄占比之和为 {total:g},不是 1")
        if missing > 1:
            wrong = Words("one age share of three", "三个年龄占比只有一个")
        record.wrong(
            at,
            mistakes,
            wrong,
            Words(
                "give shares of three groups that sum to 1 (or 100%)",
                "请填写三个年龄组的占比,合计为 1(或 100%)",
            ),
        )
        return None
    young, middle, older = (max(1 - total, 0.0) if value is None else value for value in values)
    total = young + middle + older
    return young / total, middle / total, older / total


def _join(roots: list[Place], places: list[Place], mistakes: Mistakes) -> None:
    """Hang every place under its parent.

    Without a row of a unit, all subdistricts may name one parent that is no place of the table.
    """
    subdistricts = [place for place in places if place.level == SUBDISTRICT]
    above = {SUBDISTRICT: roots, COMMUNITY: subdistricts}
    rows = {place.name: place for place in reversed(places)}
    outside = {_parent(place) for place in subdistricts} - {None, *rows}
    for place in places:
        if place.level == UNIT:
            continue
        named = _parent(place)
        fit = [
            c
            for c in above[place.level]
            if named in (None, c.name, c.stated.get("name_en"))
            or (c.record is None and outside == {named})
        ]
        if len(fit) == 1:
            place.parent = fit[0]
            place.parent.children.append(place)
        else:
            place.wrong("parent", mistakes, *_no_parent(place, named, above, rows, len(fit)))


def _parent(place: Place) -> str | None:
    return place.record.cells.get("parent") if place.record else None


def _no_parent(
    place: Place,
    named: str | None,
    above: dict[str, list[Place]],
    rows: dict[str, Place],
    fit: int,
) -> tuple[Words, Words]:
    """Return why a place has no single parent, and what to do."""
    if named is None:
        return Words("no parent", "没有上级单位"), Words(
            "name the unit above", "请填写上级单位名称"
        )
    if fit:
        wrong = Words(f"{fit} units {named!r} one level above", f"上一级有 {fit} 个“{named}”")
        return wrong, Words("give them different names", "请用不同的名称")
    remedy = Words("add its row, or mend the name", "请补上该单位一行,或改正名称")
    if circle := _circle(place, rows):
        lines = ", ".join(map(str, circle))
        wrong = Words(f"parents in a circle, lines {lines}", f"上级循环,第 {lines} 行互为上级")
        return wrong, Words("name the unit above in each", "请为各行填写真正的上级")
    if named in rows and (record := rows[named].record) is not None:
        level = rows[named].level
        wrong = Words(f"{named!r}, line {record.line}, is a {level}, not of the level above",
                      f"“{named}”(第 {record.line} 行)不是上一级单位")  # fmt: skip
        return wrong, remedy
    near = suggest(named, [c.name for c in above[place.level]])
    return Words(f"no unit {named!r} one level above{near}", f"上一级没有“{named}”"), remedy


def _circle(place: Place, rows: dict[str, Place]) -> list[int]:
    """Return the lines from a place along its parents back to itself, or none."""
    lines: list[int] = []
    at: Place | None = place
    while at is not None and at.record is not None and at.record.line not in lines:
        lines.append(at.record.line)
        at = rows.get(_parent(at) or "")
    return lines if at is place else []


def _check_names(roots: list[Place], places: Iterable[Place], mistakes: Mistakes) -> None:
    """Add a mistake for a name that comes twice within a parent, or twice above communities."""
    seen: dict[tuple[int, str, str], Place] = {}
    for place in places:
        scope = id(place.parent) if place.level == COMMUNITY else 0
        first = seen.setdefault((scope, place.level, place.name), place)
        if first is not place and first.record is not None:
            line = first.record.line
            place.wrong(
                "name",
                mistakes,
                Words(
                    f"{place.name!r} stands on line {line} already",
                    f"“{place.name}”在第 {line} 行已出现",
                ),
                Words("delete one row, or name both apart", "请删去一行,或改用不同的名称"),
            )


def check_sums(roots: Iterable[Place], mistakes: Mistakes) -> None:
    """Add a mistake where residents of all children do not sum to their parent's, or exceed it."""
    for root in roots:
        for place in root.below():
            total = place.stated.get("population")
            known = [c.stated["population"] for c in place.children if "population" in c.stated]
            if total is None or not known:
                continue
            people, missing = sum(int(n) for n in known), len(place.children) - len(known)
            if (missing == 0 and people != total) or people + missing > int(total):
                gap = people - int(total)
                place.wrong(
                    "population",
                    mistakes,
                    Words(
                        f"{total:,} residents, but those within sum to {people:,} ({gap:+,})",
                        f"人口 {total:,},但下级合计 {people:,}(差 {gap:+,})",
                    ),
                    TAKE_THE_SUM,
                )
