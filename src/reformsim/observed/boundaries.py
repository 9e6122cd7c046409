"""Boundaries of units from GeoJSON: areas and centroids, and who contains a point."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from reformsim.config.document import Spot
from reformsim.observed.faults import Mistakes, Words
from reformsim.observed.projection import NORTHERNMOST, in_china, to_kilometres, to_wgs84
from reformsim.observed.reading import plain
from reformsim.observed.units import UNITS, Place

CRS = ("wgs84", "gcj02")
#: Properties that may hold the name of a feature.
NAMES = UNITS[0].names() | {"name_zh", "name_en", "mc", "title"}
#: A stated area that is off the polygon's by more than this factor is a mistake.
FAR_OFF = 2.0
#: Bytes of a GeoJSON file at most: it is held in memory, which takes some ten times as many.
LARGEST = 64 << 20


@dataclass
class Boundaries:
    """Polygons in WGS-84 of the places that have one, by identity of the place."""

    file: str = ""
    polygons: dict[int, shapely.Geometry] = field(default_factory=dict)

    def of(self, place: Place) -> shapely.Geometry | None:
        """Return the polygon of a place, or None."""
        return self.polygons.get(id(place))


def degrees(places: np.ndarray, crs: str) -> np.ndarray:
    """Return places (n, 2) of a reference system in WGS-84."""
    return to_wgs84(places) if crs == "gcj02" else np.asarray(places, dtype=np.float64)


def read_boundaries(path: Path, places: list[Place], crs: str, mistakes: Mistakes) -> Boundaries:
    """Return the polygons of a GeoJSON file, matched to places by name."""
    found = Boundaries(str(path))
    loaded = _load(path, found.file, mistakes)
    if loaded is None:
        return found
    text, features = loaded
    by_name: dict[str, list[Place]] = {}
    for place in places:
        for name in {place.name, str(place.stated.get("name_en", place.name))}:
            by_name.setdefault(name, []).append(place)
    for feature, geometry in features:
        names = [
            str(value)
            for key, value in (feature.get("properties") or {}).items()
            if plain(key) in NAMES and value is not None
        ]
        spot = _spot(found.file, text, names)
        fit = next((by_name[name] for name in names if name in by_name), [])
        if not fit:
            _add(
                mistakes,
                spot,
                f"the feature {names} is no unit of the table",
                f"要素 {names} 不在单位表中",
                "add the unit's row, delete the feature, or put its name under `name`",
                "请补上该单位、删去该要素,或在 name 属性中写单位名称",
            )
        elif len(fit) > 1 or id(fit[0]) in found.polygons:
            _add(
                mistakes,
                spot,
                f"{names[0]!r} fits several units or comes twice",
                f"“{names[0]}”对应多个单位或重复",
                "give units different names",
                "请用不同的名称",
            )
        elif (polygon := _usable(geometry, crs, spot, names[0], mistakes)) is not None:
            found.polygons[id(fit[0])] = polygon
    _check_all_have(found, places, mistakes)
    return found


def _load(
    path: Path, file: str, mistakes: Mistakes
) -> tuple[str, list[tuple[dict[str, Any], Any]]] | None:
    try:
        if (size := path.stat().st_size) > LARGEST:
            _add(
                mistakes,
                Spot(file),
                f"{size >> 20} MB, of {LARGEST >> 20} at most",
                f"文件 {size >> 20} MB,上限 {LARGEST >> 20} MB",
                "simplify the outlines (QGIS: Simplify)",
                "请简化边界(QGIS:简化)",
            )
            return None
        raw = path.read_bytes()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("gb18030")
        data = json.loads(text)
        features = [(f, shape(f["geometry"])) for f in data["features"]]
    except OSError as error:
        _add(
            mistakes,
            Spot(file),
            f"cannot be read ({error.strerror})",
            f"无法读取({error.strerror})",
            "check the name and the rights",
            "请检查文件名和权限",
        )
    except json.JSONDecodeError as error:
        _add(
            mistakes,
            Spot(file, error.lineno, error.colno),
            f"not valid JSON ({error.msg})",
            "不是有效的 JSON",
            "export it anew as GeoJSON",
            "请重新导出为 GeoJSON",
        )
    except (
        UnicodeDecodeError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        shapely.GEOSException,
    ):
        _add(
            mistakes,
            Spot(file),
            "no FeatureCollection of polygons",
            "不是由多边形组成的 FeatureCollection",
            "export it anew as GeoJSON",
            "请重新导出为 GeoJSON",
        )
    else:
        return text, features
    return None


def _usable(
    geometry: shapely.Geometry, crs: str, spot: Spot, name: str, mistakes: Mistakes
) -> shapely.Geometry | None:
    """Return a polygon in WGS-84, or None and a mistake."""
    points = shapely.get_coordinates(geometry)
    if geometry.geom_type not in ("Polygon", "MultiPolygon") or geometry.is_empty:
        _add(
            mistakes,
            spot,
            f"{name}: a {geometry.geom_type}, not a polygon",
            f"{name}:不是多边形",
            "draw its area",
            "请画出面",
        )
    elif (
        not np.isfinite(points).all()
        or np.abs(points[:, 0]).max() > 180
        or np.abs(points[:, 1]).max() > NORTHERNMOST
    ):
        _add(
            mistakes,
            spot,
            f"{name}: coordinates that are no degrees east and north of a city",
            f"{name}:坐标不是城市的经度、纬度(度)",
            "export in WGS-84 degrees, longitude first",
            "请以 WGS-84 经纬度(度)导出,经度在前",
        )
    elif crs == "gcj02" and not in_china(points).all():
        _add(
            mistakes,
            spot,
            f"{name}: lies outside China, where GCJ-02 is not in use",
            f"{name}:在中国之外,不适用 GCJ-02",
            "use --crs wgs84, and give longitude first",
            "请用 --crs wgs84,并将经度写在前",
        )
    elif not geometry.is_valid:
        _add(
            mistakes,
            spot,
            f"{name}: {shapely.is_valid_reason(geometry)}",
            f"{name}:边界自相交",
            "mend the polygon (QGIS: Fix geometries)",
            "请修复多边形(QGIS:修正几何图形)",
        )
    else:
        return shapely.transform(geometry, lambda p: degrees(p, crs))
    return None


def _check_all_have(found: Boundaries, places: list[Place], mistakes: Mistakes) -> None:
    """Add a mistake for a place without a polygon on a level where others have one."""
    levels = {place.level for place in places if found.of(place) is not None}
    for place in places:
        if place.record is not None and place.level in levels and found.of(place) is None:
            place.wrong(
                "name",
                mistakes,
                Words(
                    f"{place.name} has no polygon in {found.file}",
                    f"{found.file} 中没有“{place.name}”的边界",
                ),
                Words("add it, or delete those of this level", "请补上,或删去此层级的全部边界"),
            )


def measure(found: Boundaries, places: list[Place], meridian: float, mistakes: Mistakes) -> None:
    """Take area and centroid of a place from its polygon where its row leaves them out."""
    for place in places:
        polygon = found.of(place)
        if polygon is None:
            continue
        ground = shapely.transform(polygon, lambda p: to_kilometres(p, meridian))
        area = place.stated.get("area_km2")
        if area is None:
            place.stated["area_km2"] = round(ground.area, 6)
            place.derived["area_km2"] = Words("from its polygon", "由边界计算")
        elif not ground.area / FAR_OFF < float(area) < ground.area * FAR_OFF:
            place.wrong(
                "area_km2",
                mistakes,
                Words(
                    f"{area:g} km², but its polygon has {ground.area:.2f}",
                    f"面积 {area:g},但边界内为 {ground.area:.2f} 平方公里",
                ),
                Words("write the area in km²", "请以平方公里填写面积"),
            )
        if place.at is None:
            centre = polygon.centroid
            place.at = centre.x, centre.y
            place.derived["at"] = Words("centroid of its polygon", "边界的形心")


def geojson(found: Boundaries, places: list[Place]) -> str:
    """Return the polygons as GeoJSON in WGS-84, degrees to 7 decimals (a centimetre)."""
    features = [
        {
            "type": "Feature",
            "properties": {"name": place.name, "level": place.level},
            "geometry": _rounded(json.loads(shapely.to_geojson(polygon))),
        }
        for place, polygon in _with_polygon(found, places)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def _with_polygon(
    found: Boundaries, places: list[Place]
) -> Iterator[tuple[Place, shapely.Geometry]]:
    for place in places:
        if (polygon := found.of(place)) is not None:
            yield place, polygon


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 7) if isinstance(value, float) else value


def _spot(file: str, text: str, names: list[str]) -> Spot:
    """Return the line of the file that first holds a name, quoted or escaped."""
    for name in names:
        for written in (json.dumps(name, ensure_ascii=False), json.dumps(name)):
            if (at := text.find(written)) >= 0:
                return Spot(file, text.count("\n", 0, at) + 1)
    return Spot(file)


def _add(mistakes: Mistakes, spot: Spot, wrong: str, wrong_zh: str, do: str, do_zh: str) -> None:
    mistakes.add(spot, "", Words(wrong, wrong_zh), Words(do, do_zh))
