"""From a user's tables to a city file: read all, hold all against each other, then write."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from reformsim.city import CityConfig
from reformsim.config import load_yaml, validate
from reformsim.config.document import Spot
from reformsim.observed import city_file, reading
from reformsim.observed.boundaries import Boundaries, degrees, geojson, measure, read_boundaries
from reformsim.observed.columns import heads_of, known_names
from reformsim.observed.faults import Mistakes, Words
from reformsim.observed.holdings import STAFF, STATIONS, read_staff, read_stations
from reformsim.observed.projection import in_china, to_kilometres
from reformsim.observed.reading import Table
from reformsim.observed.units import (
    COMMUNITY,
    SUBDISTRICT,
    TAKE_THE_SUM,
    UNIT,
    UNITS,
    Place,
    check_sums,
    read_units,
)

#: Areas of children that sum to their parent's up to this are rounded; the sum is taken.
AREA_ROUNDING = 0.01
#: Kilometres from the middle of a city at most: the largest prefectures reach half as far.
FARTHEST = 1000.0
#: What ``Table.tidied`` counts, in Chinese.
TIDIED_ZH = {
    "blank rows": "空行",
    "repeated headers": "重复的表头",
    "short rows": "不足列数的行",
    "cells without a head": "没有表头的单元格",
}


@dataclass(frozen=True)
class Imported:
    """What an import wrote, and what it has to tell."""

    paths: tuple[Path, ...]
    config: CityConfig
    told: tuple[Words, ...]


def import_city(files: list[Path], name: str, crs: str, out: Path) -> Imported:
    """Write the city file of some tables, and at most one GeoJSON, to the folder ``out``.

    Which table is which, its columns tell. Raises ConfigError with all mistakes of all files.
    """
    mistakes = Mistakes()
    tables = _sorted(files, mistakes)
    told: list[Words] = []
    if "units" not in tables:
        mistakes.check()
        mistakes.add(
            Spot(str(files[0])),
            "",
            Words("no table of units among the files", "没有单位表"),
            Words("give a CSV with the columns name and level", "请提供含“名称”“层级”两列的 CSV"),
        )
        mistakes.check()
    roots, notes = read_units(tables["units"], name, mistakes)
    everyone = [place for root in roots for place in root.below()]
    _reproject(everyone, crs, mistakes)
    shapes = next((path for path in files if _is_geojson(path)), None)
    found = read_boundaries(shapes, everyone, crs, mistakes) if shapes else Boundaries()
    meridian = _meridian(everyone, found)
    measure(found, everyone, meridian, mistakes)
    _together(everyone, mistakes)
    if "staff" in tables:
        read_staff(tables["staff"], everyone, mistakes)
    if "stations" in tables:
        read_stations(tables["stations"], everyone, found, crs, mistakes)
    check_sums(roots, mistakes)
    _complete(roots, mistakes)
    mistakes.check()
    for table in tables.values():
        told.append(table.guessed())
        told += [
            Words(f"{table.file}: {n} {what}", f"{table.file}:{TIDIED_ZH[what]} {n} 处")
            for what, n in table.tidied.items()
            if n
        ]
    written = city_file.write(name, roots, meridian, [" / ".join(words) for words in told])
    config = _held_to_schema(written.yaml)
    paths = _write(out, written, geojson(found, everyone) if found.polygons else None)
    return Imported(paths, config, (*told, *notes, *_summary(written)))


def _reproject(everyone: list[Place], crs: str, mistakes: Mistakes) -> None:
    """Turn the places of tables into WGS-84."""
    for place in everyone:
        if place.at is None:
            continue
        at = np.array([place.at])
        if crs == "gcj02" and not in_china(at).all():
            place.wrong(
                "lon",
                mistakes,
                Words("lies outside China, where GCJ-02 is not in use", "在中国之外,不适用 GCJ-02"),
                Words("use --crs wgs84, or mend the place", "请用 --crs wgs84,或改正坐标"),
            )
        east, north = degrees(at, crs)[0]
        place.at = float(east), float(north)


def _together(everyone: list[Place], mistakes: Mistakes) -> None:
    """Add a mistake for a place too far from the middle of all to belong to one city."""
    known = [place for place in everyone if place.at is not None]
    if not known:
        return
    at = np.array([place.at for place in known])
    middle = np.median(at, axis=0)
    ground = to_kilometres(np.vstack([middle, at]), float(middle[0]))
    for place, far in zip(known, np.hypot(*(ground[1:] - ground[0]).T), strict=True):
        if far > FARTHEST:
            place.wrong(
                "lon",
                mistakes,
                Words(f"{far:,.0f} km from the middle of the city", f"距全市中部 {far:,.0f} 公里"),
                Words(
                    f"mend the place, {FARTHEST:g} km at most",
                    f"请改正坐标,不超过 {FARTHEST:g} 公里",
                ),
            )


def _held_to_schema(text: str) -> CityConfig:
    """Return a city file's configuration, before anything of the user's is written over."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "city.yaml"
        path.write_text(text, encoding="utf-8")
        return validate(load_yaml(path), CityConfig)


def _is_geojson(path: Path) -> bool:
    return path.suffix.lower() in (".geojson", ".json")


def _sorted(files: list[Path], mistakes: Mistakes) -> dict[str, Table]:
    """Return the tables by what they hold: the kind of which most columns are there."""
    kinds = {"units": UNITS, "staff": STAFF, "stations": STATIONS}
    found: dict[str, Table] = {}
    for path in files:
        if _is_geojson(path):
            continue
        table = reading.open_table(path, mistakes, known_names(*kinds.values()))
        if table is None:
            continue
        telling = {"units": "level", "staff": "heads"}
        kind = next(
            (k for k, column in telling.items() if column in heads_of(table, kinds[k])), None
        )
        kind = kind or ("units" if "population" in heads_of(table, UNITS) else "stations")
        if kind in found:
            mistakes.add(
                Spot(table.file),
                "",
                Words(
                    f"a second table of {kind}, after {found[kind].file}",
                    f"与 {found[kind].file} 同类",
                ),
                Words("give one of each kind", "每类请只提供一个表"),
            )
        found.setdefault(kind, table)
    return found


def _meridian(everyone: list[Place], found: Boundaries) -> float:
    """Return the middle longitude, along which the map is true."""
    east = [place.at[0] for place in everyone if place.at is not None]
    east += [polygon.centroid.x for polygon in found.polygons.values()]
    return round(float(np.mean([min(east), max(east)])), 3) if east else 0.0


def _complete(roots: list[Place], mistakes: Mistakes) -> None:
    """Sum up what parents leave out; add mistakes for what a city cannot do without."""
    for place in reversed([place for root in roots for place in root.below()]):
        _sum_up(place, mistakes)
    for root in roots if mistakes.count == 0 else ():  # or else it only follows from another one
        for field in ("population", "area_km2"):
            if field in root.stated:
                continue
            spot = root if root.record else next(iter(root.children), root)
            zh = {"population": "人口", "area_km2": "面积"}[field]
            spot.wrong(
                field,
                mistakes,
                Words(f"nothing tells the {field} of {root.name}", f"无从得知“{root.name}”的{zh}"),
                Words(
                    "state it, or give it (areas also by boundaries) for all units within",
                    "请填写,或为其下所有单位填写(面积也可由边界得出)",
                ),
            )
    everyone = [place for root in roots for place in root.below()]
    _apart(everyone, mistakes)
    for level in (UNIT, SUBDISTRICT):
        _all_or_none(
            [p for p in everyone if p.level == level], "name", lambda p: bool(p.children),
            Words("lists no unit within, as others do", "没有下级单位,而同级的有"), mistakes,
        )  # fmt: skip
    for level in (UNIT, SUBDISTRICT, COMMUNITY):
        _all_or_none(
            [p for p in everyone if p.level == level and p.record], "lon",
            lambda p: p.at is not None or city_file.middle_known(p),
            Words("no place, as others of its level have", "没有坐标,而同级的有"), mistakes,
        )  # fmt: skip


def _apart(everyone: list[Place], mistakes: Mistakes) -> None:
    """Add a mistake for two places of a level within about ten metres."""
    seen: dict[tuple[str, float, float], Place] = {}
    for place in everyone:
        if place.at is None:
            continue
        first = seen.setdefault((place.level, round(place.at[0], 4), round(place.at[1], 4)), place)
        if first is not place:
            place.wrong(
                "lon",
                mistakes,
                Words(f"the same place as {first.name}", f"与“{first.name}”位置相同"),
                Words("give each its own centroid", "请填写各自的中心点"),
            )


def _all_or_none(
    places: list[Place],
    column: str,
    has: Callable[[Place], bool],
    wrong: Words,
    mistakes: Mistakes,
) -> None:
    lacking = [place for place in places if not has(place)]
    if 0 < len(lacking) < len(places):
        remedy = Words(
            "give it for all of the level, or for none", "同一层级须全部提供,或全部不提供"
        )
        for place in lacking:
            place.wrong(column, mistakes, wrong, remedy)


def _sum_up(place: Place, mistakes: Mistakes) -> None:
    """Take sums of children for what a place leaves out, and for areas that rounding parts."""
    for field in ("population", "area_km2"):
        known = [float(c.stated[field]) for c in place.children if field in c.stated]
        if not known:
            continue
        total, all_known = sum(known), len(known) == len(place.children)
        stated = place.stated.get(field)
        if stated is None:
            if all_known:
                place.stated[field] = int(total) if field == "population" else round(total, 6)
                place.derived[field] = Words("the sum of what is within", "下级合计")
        elif field == "area_km2":
            _hold_area(place, float(stated), total, all_known, mistakes)


def _hold_area(
    place: Place, stated: float, total: float, all_known: bool, mistakes: Mistakes
) -> None:
    """Take the sum of the areas within for a stated one that differs by rounding only."""
    if all_known and abs(stated - total) <= AREA_ROUNDING * total:
        if abs(stated - total) > 1e-9 * total:
            place.stated["area_km2"] = round(total, 6)
            how = Words(
                f"the sum of what is within, {stated:g} stated", f"下级合计,原列 {stated:g}"
            )
            place.derived["area_km2"] = how
    elif all_known or total >= stated:
        place.wrong(
            "area_km2",
            mistakes,
            Words(
                f"{stated:g} km², but those within sum to {total:g}",
                f"面积 {stated:g},但下级合计 {total:g} 平方公里",
            ),
            TAKE_THE_SUM,
        )


def _write(out: Path, written: city_file.CityFile, shapes: str | None) -> tuple[Path, ...]:
    """Write the files; raises ConfigError if the folder cannot be written."""
    texts = {"city.yaml": written.yaml, "assumed.csv": city_file.assumed_csv(written.marks)}
    if shapes is not None:
        texts["boundaries.geojson"] = shapes
    mistakes = Mistakes()
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            code = "utf-8-sig" if name.endswith(".csv") else "utf-8"  # Excel needs the mark
            (out / name).write_text(text, encoding=code, newline="\n")
    except OSError as error:
        mistakes.add(
            Spot(str(out)),
            "",
            Words(f"cannot be written ({error.strerror})", "无法写入"),
            Words("choose another folder with -o", "请用 -o 另选文件夹"),
        )
    mistakes.check()
    return tuple(out / name for name in texts)


def _summary(written: city_file.CityFile) -> list[Words]:
    """Tell how many figures are stated, derived and assumed, and which."""
    counts = Counter((mark.mark, mark.level, mark.field, mark.how) for mark in written.marks)
    told = [Words(f"stated: {written.stated} figures", f"原表所列:{written.stated} 项")]
    for (mark, level, field, how), count in counts.items():
        named = city_file.NAMES_ZH.get(field, field), city_file.NAMES_ZH[level]
        en = f"{mark.en}: {field} of {count} {level}: {how.en}"
        told.append(Words(en, f"{mark.zh}:{named[0]}({named[1]},{count} 处):{how.zh}"))
    return told
