"""Writing a city file from stated units, and the list of what nobody stated."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from reformsim.city import AGE_GROUPS, CityConfig
from reformsim.observed.faults import Words
from reformsim.observed.projection import to_kilometres
from reformsim.observed.units import COMMUNITY, SUBDISTRICT, UNIT, Place

ASSUMED, DERIVED = Words("assumed", "假设"), Words("derived", "推算")
DRAWN = Words("drawn by the recipe", "由生成规则抽取")
SIZED = Words("sized by the model for the expected work", "由模型按预期工作量配置")
#: What a place of each level may state, and what becomes of it if it does not.
FIELDS = {
    UNIT: {"at": DRAWN, "line_staff": SIZED},
    SUBDISTRICT: {
        "population": DRAWN,
        "area_km2": DRAWN,
        "at": DRAWN,
        "ages": Words(
            "of urban communities or villages in Chengdu", "按成都城市社区或村的年龄结构"
        ),
        "staff.office": SIZED,
        "staff.station": SIZED,
        "staff.grid": Words("in proportion to residents", "按人口比例"),
        "communities": DRAWN,
    },
    COMMUNITY: {
        "population": DRAWN,
        "area_km2": DRAWN,
        "kind": Words("drawn by the density of its subdistrict", "按街道人口密度抽取"),
        "at": DRAWN,
        "ages": Words("as its subdistrict, or else its type", "同所属街道,否则按社区类型"),
    },
}
#: What marks are about, in Chinese.
NAMES_ZH = {
    UNIT: "区县", SUBDISTRICT: "街道、镇", COMMUNITY: "社区、村", "city": "全市",
    "population": "人口", "area_km2": "面积", "at": "位置", "kind": "社区类型", "ages": "年龄结构",
    "communities": "社区", "line_staff": "部门人员", "staff.office": "街道人员",
    "staff.station": "服务站人员", "staff.grid": "网格员", "grids": "网格",
    "spread, bands, kind_density, needs, grid_sigma": "其余参数",
}  # fmt: skip


class Mark(NamedTuple):
    """One figure that no file states: of which place, which field, how it comes about."""

    place: str
    level: str
    field: str
    mark: Words
    how: Words


class CityFile(NamedTuple):
    """The text of a city file, what it marks, and how many figures were stated."""

    yaml: str
    marks: list[Mark]
    stated: int


def write(name: str, roots: Sequence[Place], meridian: float, sources: Sequence[str]) -> CityFile:
    """Return the city file of units and all within them, each field left out marked beside it."""
    everyone = [place for root in roots for place in root.below()]
    middle = _middle(everyone)
    origin = np.zeros(2) if middle is None else to_kilometres(middle, meridian)[0]
    inner = [place for place in everyone if place.level == SUBDISTRICT]
    communities = sum(place.level == COMMUNITY for place in everyone)
    residents = sum(int(root.stated["population"]) for root in roots)
    towns = sum(place.town for place in inner)
    defaults = CityConfig()
    marks = [mark for place in everyone for mark in _marks(place)]
    others = Words(
        "the defaults of a city file, which are Chengdu's", "城市文件的默认值,即成都的数值"
    )
    marks.append(
        Mark(name, "city", "spread, bands, kind_density, needs, grid_sigma", ASSUMED, others)
    )
    lines = [
        "# Written by `reformsim city import`. A figure is as stated unless a mark says otherwise:",
        "# derived: worked out of what was stated; assumed: nobody stated it.",
        "# 由 `reformsim city import` 生成。未加标记者为原表所列;derived:由原表推算;assumed:假设。",
        "# What is not here keeps the default of the schema, which is Chengdu's: assumed.",
        *(f"# {source}" for source in sources),
        *([] if middle is None else [_where(middle)]),
        f"name: {_text(name)}",
        f"name_zh: {_text(name)}",
        "units:",
        *(line for root in roots for line in _unit(root, meridian, origin)),
        f"subdistricts: {{count: {len(inner) - towns}, mean: {defaults.subdistricts.mean:g}, "
        f"sigma: {defaults.subdistricts.sigma:g}}}  # sizes left out are drawn from mean and sigma"
        " / 未列者按均值与离散度抽取",
        f"towns: {{count: {towns}, mean: {defaults.towns.mean:g}, "
        f"sigma: {defaults.towns.sigma:g}}}",
    ]
    count = communities
    if not communities:
        per = _residents_per(defaults.communities, defaults)
        count = max(len(inner), round(residents / per))
        how = Words(f"one for {per:,.0f} residents, as in Chengdu", f"每 {per:,.0f} 人一个,同成都")
        marks.append(Mark(name, "city", "communities", ASSUMED, how))
    lines.append(f"communities: {count}" + ("" if communities else _assumed(how)))
    grids, rule = _grids(inner, residents, count, defaults)
    lines.append(f"grids: {grids}" + (_assumed(rule) if rule else ""))
    if rule:
        marks.append(Mark(name, "city", "grids", ASSUMED, rule))
    stated = sum(len(place.stated.keys() - place.derived.keys() - {"name_en"}) + len(place.staff)
                 + (place.at is not None and "at" not in place.derived) + (place.ages is not None)
                 for place in everyone)  # fmt: skip
    return CityFile("\n".join(lines) + "\n", marks, stated)


def _residents_per(count: int, city: CityConfig) -> float:
    return sum(unit.population for unit in city.census()) / count


def _grids(
    inner: Sequence[Place], residents: int, communities: int, defaults: CityConfig
) -> tuple[int, Words | None]:
    """Return how many grids there are, and how that was assumed unless all are stated."""
    known = [int(place.staff["grid"]) for place in inner if "grid" in place.staff]
    if len(known) == len(inner):
        return sum(known), None
    per = _residents_per(defaults.grids, defaults)
    lacking = [place for place in inner if "grid" not in place.staff]
    least = communities - sum(len(place.children) for place in inner if place not in lacking)
    rest = residents - sum(int(p.stated.get("population", 0)) for p in inner if p not in lacking)
    how = Words(f"one for {per:,.0f} residents where not stated, as in Chengdu",
                f"未列者每 {per:,.0f} 人一个,同成都")  # fmt: skip
    return sum(known) + max(round(rest / per), least, len(lacking)), how


def _middle(everyone: Sequence[Place]) -> np.ndarray | None:
    """Return the centre of the map, (1, 2) in degrees: the mean of the lowest level known."""
    for level in (COMMUNITY, SUBDISTRICT, UNIT):
        known = [place.at for place in everyone if place.level == level and place.at is not None]
        if known:
            return np.mean(known, axis=0, keepdims=True).round(5)
    return None


def _where(middle: np.ndarray) -> str:
    lon, lat = middle[0]
    return (
        f"# at: km eastward and northward of {lon:.5f}, {lat:.5f} (longitude, latitude; WGS-84)"
        " / 自该点向东、向北的公里数"
    )


def _assumed(how: Words) -> str:
    return f"  # {ASSUMED.en}: {how.en} / {ASSUMED.zh}:{how.zh}"


def _marks(place: Place) -> Iterator[Mark]:
    for field, how in place.derived.items():
        yield Mark(place.name, place.level, field, DERIVED, how)
    for field, how in FIELDS[place.level].items():
        if not _has(place, field):
            yield Mark(place.name, place.level, field, ASSUMED, how)


def _has(place: Place, field: str) -> bool:
    match field:
        case "at":
            return place.at is not None or middle_known(place)
        case "ages":
            return place.ages is not None
        case "communities":
            return bool(place.children)
        case "line_staff":
            return "line" in place.staff
        case _ if field.startswith("staff."):
            return field.removeprefix("staff.") in place.staff
        case _:
            return field in place.stated


def middle_known(place: Place) -> bool:
    """Return whether a place lies in the middle of its children, which all have one."""
    return bool(place.children) and all(
        child.at is not None or middle_known(child) for child in place.children
    )


def _fields(place: Place, meridian: float, origin: np.ndarray) -> dict[str, str]:
    """Return what a place states, as YAML."""
    english = str(place.stated.get("name_en", place.name))
    out = {"name": _text(english), "name_zh": _text(place.name)}
    if place.town:
        out["town"] = "true"
    for field in ("population", "area_km2", "kind"):
        if field in place.stated:
            out[field] = str(place.stated[field])
    if place.at is not None:
        east, north = to_kilometres(np.array([place.at]), meridian)[0] - origin
        out["at"] = f"[{east:.3f}, {north:.3f}]"
    if place.ages is not None:
        young, middle = (round(share, 6) for share in place.ages[:2])
        shares = zip(AGE_GROUPS, (young, middle, round(1 - young - middle, 6)), strict=True)
        out["ages"] = "{" + ", ".join(f"{group}: {share:g}" for group, share in shares) + "}"
    if "line" in place.staff:
        out["line_staff"] = f"{place.staff['line']:g}"
    elif place.staff:
        heads = (f"{function}: {count:g}" for function, count in place.staff.items())
        out["staff"] = "{" + ", ".join(heads) + "}"
    if place.stations:
        out["station"] = "true"
    return out


def _unit(place: Place, meridian: float, origin: np.ndarray, indent: str = "  ") -> Iterator[str]:
    """Yield the lines of a place and of all within it, communities on one line each."""
    fields = _fields(place, meridian, origin)
    marks = _comment(place)
    if place.level == COMMUNITY:
        flow = ", ".join(f"{key}: {value}" for key, value in fields.items())
        yield f"{indent}- {{{flow}}}" + (f"  # {marks}" if marks else "")
        return
    head = "- "
    for key, value in fields.items():
        yield f"{indent}{head}{key}: {value}"
        head = "  "
    if marks:
        yield f"{indent}  # {marks}"
    if place.children:
        yield f"{indent}  {'subdistricts' if place.level == UNIT else 'communities'}:"
        for child in place.children:
            yield from _unit(child, meridian, origin, indent + "    ")


def _comment(place: Place) -> str:
    """Return what a place does not state itself, in one comment in both languages."""
    found: dict[Words, list[str]] = {}
    for mark in _marks(place):
        found.setdefault(mark.mark, []).append(mark.field)
    english = (f"{mark.en}: {', '.join(fields)}" for mark, fields in sorted(found.items()))
    chinese = (
        f"{mark.zh}:{'、'.join(NAMES_ZH[field] for field in fields)}"
        for mark, fields in sorted(found.items())
    )
    return f"{'; '.join(english)} / {';'.join(chinese)}" if found else ""


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def assumed_csv(marks: Iterable[Mark]) -> str:
    """Return the marks as CSV, in both languages."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["place", "level", "field", "mark", "标记", "how", "如何得来"])
    for mark in marks:
        table.writerow([mark.place, mark.level, mark.field, *mark.mark, *mark.how])
    return out.getvalue()
