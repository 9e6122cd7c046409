"""Dates as strangers write them, a column at a time."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reformsim.observed.reading import value

Order = Literal["mdy", "dmy"]

DAY = 86_400.0
#: Years in which a case may lie.
FIRST_YEAR, LAST_YEAR = 1990, 2059
#: Day 0 of Excel's calendar as it counts from March 1900.
EXCEL = (np.datetime64("1899-12-30") - np.datetime64("1970-01-01")).astype(int)
WRITTEN = (
    r"^\s*(?P<a>\d{1,4})\s*[-/.年]\s*(?P<b>\d{1,2})\s*[-/.月]\s*(?P<c>\d{1,4})\s*日?"
    r"(?:[T\s]*(?P<noon>上午|下午)?\s*(?P<h>\d{1,2})\s*(?:[::时]\s*(?P<m>\d{1,2})\s*分?|[时点])"
    r"(?:[::]?\s*(?P<s>\d{1,2})(?:\.\d+)?秒?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?\s*$"
)
COMPACT = r"^\s*(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2}))?\s*$"
SERIAL = r"^\s*\d{5}(?:\.\d+)?\s*$"


@dataclass
class Habits:
    """How the dates of a file are written, as far as it was seen.

    ``day_first`` and ``month_first`` count dates that fit one order only, ``either`` those that
    fit both; ``with_offset`` and ``without`` those that carry a time zone and those that do not.
    """

    day_first: int = 0
    month_first: int = 0
    either: int = 0
    with_offset: int = 0
    without: int = 0


class Moments(NamedTuple):
    """A column of dates: seconds since 1970 by the wall clock, NaN where ``blank`` or unread."""

    seconds: np.ndarray
    blank: np.ndarray

    @property
    def unread(self) -> np.ndarray:
        """Whether something is written that is no date."""
        return np.isnan(self.seconds) & ~self.blank


def moments(
    text: pa.Array, habits: Habits, order: Order | None, zone: str | None, missing: pa.Array
) -> Moments:
    """Read a column of text (n,); what was seen is added to ``habits``.

    Understood: ISO 8601, 2017/3/5, 5.3.2017, 03/05/2017 02:00:00 PM, 2017年3月5日 下午2时30分,
    上午9时, 20170305, Excel's serial numbers. Where day or month comes first and ``order`` is None,
    or the date does not exist, the result is NaN. Dates with an offset are turned into the clock
    of ``zone``, or of UTC without one.
    """
    trimmed = pc.utf8_trim_whitespace(text)
    blank = pc.or_(pc.equal(trimmed, ""), pc.is_in(trimmed, missing)).to_numpy(False)
    seconds = np.full(len(text), np.nan)
    rows = np.flatnonzero(~blank)
    seconds[rows] = _read(trimmed.take(pa.array(rows)), habits, order, zone)
    rows = rows[np.isnan(seconds[rows])]
    left = trimmed.take(pa.array(rows)).to_pylist()
    bare = [value(cell) for cell in left]  # ="2017-03-05"
    wrapped = np.array([a != b for a, b in zip(left, bare, strict=True)], dtype=bool)
    again = pa.array(bare, pa.string()).filter(pa.array(wrapped))
    seconds[rows[wrapped]] = _read(again, habits, order, zone)
    return Moments(seconds, blank)


def _read(text: pa.Array, habits: Habits, order: Order | None, zone: str | None) -> np.ndarray:
    out = np.full(len(text), np.nan)
    rows = np.arange(len(text))
    for form in (_written, _compact, _serial):
        if len(rows):
            out[rows] = form(text.take(pa.array(rows)), habits, order, zone)
            rows = rows[np.isnan(out[rows])]
    return out


def _written(text: pa.Array, habits: Habits, order: Order | None, zone: str | None) -> np.ndarray:
    fields = pc.extract_regex(text, WRITTEN)
    out = np.full(len(text), np.nan)
    rows = np.flatnonzero(fields.is_valid().to_numpy(False))
    if not len(rows):
        return out
    fields = fields.take(pa.array(rows))
    a, b, c, hour, minute, second = (_numbers(fields, name) for name in "abchms")
    year_first = a > 31
    certain = ~year_first & (np.maximum(a, b) > 12) & (np.minimum(a, b) <= 12)
    habits.day_first += int((certain & (a > 12)).sum())
    habits.month_first += int((certain & (b > 12)).sum())
    habits.either += int((~year_first & (a <= 12) & (b <= 12) & (a != b)).sum())
    month = np.where(year_first | (order == "dmy"), b, a)
    day = np.where(year_first, c, np.where(order == "dmy", a, b))
    year = np.where(year_first, a, c)
    year = np.where(~year_first & (year < 100), year + 2000, year)
    afternoon, half = _afternoon(fields)
    clock = np.where(half, hour % 12 + 12 * afternoon, hour)
    fits = (clock < 24) & (minute < 60) & (second < 60) & ~(half & ((hour > 12) | (hour < 1)))
    found = _days(year, month, day) * DAY + clock * 3600 + minute * 60 + second
    found[~fits | (~year_first & (order is None) & (a != b))] = np.nan
    out[rows] = _on_the_clock(found, fields.field("zone"), habits, zone)
    return out


def _numbers(fields: pa.StructArray, name: str) -> np.ndarray:
    text = fields.field(name)
    digits = pc.if_else(pc.equal(text, ""), "0", text)
    return pc.cast(digits, pa.int64()).to_numpy(False)


def _afternoon(fields: pa.StructArray) -> tuple[np.ndarray, np.ndarray]:
    """Return which times are of the afternoon, and which hours count to twelve."""
    english = pc.utf8_lower(pc.utf8_slice_codeunits(fields.field("half"), 0, 1)).to_numpy(False)
    chinese = fields.field("noon").to_numpy(False)
    afternoon = (english == "p") | (chinese == "下午")
    return afternoon, afternoon | (english == "a")


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return days since 1970 as floats, NaN for a date that does not exist."""
    fits = (year >= 1900) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1)
    months = (np.where(fits, year, 1970) - 1970) * 12 + np.where(fits, month, 1) - 1
    first = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    following = (months + 1).astype("M8[M]").astype("M8[D]").astype(np.int64)
    days = first + day - 1
    return np.where(fits & (days < following), days.astype(float), np.nan)


def _on_the_clock(
    seconds: np.ndarray, offsets: pa.Array, habits: Habits, zone: str | None
) -> np.ndarray:
    """Turn times with an offset into those of the clock of ``zone``."""
    with_offset = pc.not_equal(offsets, "").to_numpy(False)
    habits.with_offset += int(with_offset.sum())
    habits.without += int((~with_offset).sum())
    if not with_offset.any():
        return seconds
    distinct = offsets.dictionary_encode()
    ahead = np.array([_offset(text) for text in distinct.dictionary.to_pylist()])
    utc = seconds - ahead[distinct.indices.to_numpy(False)]
    if zone is not None:
        known = with_offset & ~np.isnan(utc)
        moved = pd.to_datetime(utc[known], unit="s", utc=True).tz_convert(zone).tz_localize(None)
        utc[known] = moved.to_numpy("M8[s]").astype(np.int64)
    return np.where(with_offset, utc, seconds)


def _offset(text: str) -> float:
    if text in ("", "Z", "UTC"):
        return 0.0
    digits = text[1:].replace(":", "").ljust(4, "0")
    return (-1 if text[0] == "-" else 1) * (int(digits[:2]) * 3600.0 + int(digits[2:]) * 60.0)


def _compact(text: pa.Array, habits: Habits, order: Order | None, zone: str | None) -> np.ndarray:
    matches = pc.match_substring_regex(text, COMPACT)
    spelt = pc.replace_substring_regex(text, COMPACT, r"\1-\2-\3 \4:\5:\6")
    spelt = pc.replace_substring_regex(spelt, r" ::$", "")
    return _written(pc.if_else(matches, spelt, ""), habits, order, zone)


def _serial(text: pa.Array, habits: Habits, order: Order | None, zone: str | None) -> np.ndarray:
    matches = pc.match_substring_regex(text, SERIAL)
    numbers = pc.cast(pc.if_else(matches, text, "nan"), pa.float64()).to_numpy(False)
    habits.without += int(np.isfinite(numbers).sum())
    return np.round((numbers + EXCEL) * DAY)
