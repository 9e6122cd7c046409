"""Degrees to kilometres, GCJ-02 to WGS-84: published points, round trips, known areas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim.observed.projection import CHINA, in_china, shift, to_kilometres, to_wgs84

#: Longitude and latitude in WGS-84 and GCJ-02, as in the tests of eviltransform (2013):
#: Shanghai, Shenzhen, Beijing.
PUBLISHED = np.array(
    [
        [121.5272106, 31.1774276, 121.531541859215, 31.17530398364597],
        [113.912316, 22.543847, 113.9171764808363, 22.540796131694766],
        [116.377817, 39.911954, 116.38404722455657, 39.91334545536069],
    ]
)
METRES = 111_320.0  # a degree of latitude, or of longitude at the equator, at most


def test_published_points():
    wgs, gcj = PUBLISHED[:, :2], PUBLISHED[:, 2:]
    np.testing.assert_allclose(wgs + shift(wgs), gcj, rtol=0, atol=1e-12)
    np.testing.assert_allclose(to_wgs84(gcj), wgs, rtol=0, atol=1e-10)


def test_the_shift_is_hundreds_of_metres_and_ends_at_the_border():
    away = METRES * np.hypot(*shift(PUBLISHED[:, :2]).T)
    assert np.all((away > 300) & (away < 800))
    outside = np.array([[139.7, 35.7], [-104.99, 39.74], [100.0, -1.0]])
    assert not in_china(outside).any() and not shift(outside).any()


@given(st.floats(CHINA[0] + 1, CHINA[1] - 1), st.floats(CHINA[2] + 1, CHINA[3] - 1))
def test_there_and_back_within_a_millimetre(lon, lat):
    place = np.array([[lon, lat]])
    back = to_wgs84(place + shift(place))
    assert METRES * np.abs(back - place).max() < 1e-3


def test_known_lengths():
    """A quarter of the meridian of WGS-84, and a degree of its equator (NGA 2014)."""
    pole = to_kilometres(np.array([[0.0, 90.0]]), 0.0)[0]
    assert pole[1] == pytest.approx(10_001.9657, abs=1e-3)
    assert to_kilometres(np.array([[1.0, 0.0]]), 0.0)[0, 0] == pytest.approx(111.3195, abs=1e-4)


def test_the_area_of_the_earth_is_kept():
    """510,065,621.7 km² on the ellipsoid; the polygon of 2,000 corners is off by less than 1e-5."""
    lat = np.linspace(-90, 90, 1_000)
    outline = np.concatenate(
        [np.column_stack([np.full(1_000, 180.0), lat]),
         np.column_stack([np.full(1_000, -180.0), lat[::-1]])]
    )  # fmt: skip
    x, y = to_kilometres(outline, 0.0).T
    area = 0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)
    assert area == pytest.approx(510_065_621.7, rel=1e-5)
