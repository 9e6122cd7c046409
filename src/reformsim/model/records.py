"""Cases and residents of a run, as tables."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from reformsim import categories
from reformsim.cases import state as s
from reformsim.cases.columns import DAILY_COUNTS, Columns, drifted
from reformsim.cases.queue import give_back_all
from reformsim.city import multipliers
from reformsim.residents import Residents


def cases(columns: Columns) -> pd.DataFrame:
    """Return the cases kept, one row each, in order of need.

    Columns: need, voiced, started, finished (days; NaN where it did not come to that), category,
    departments, transfers, dispatched, reopened, channel, community (city-wide row), state.
    """
    frames = []
    for k, d in enumerate(columns.districts):
        first = columns.slices(k)[1].start
        lead = d.cases["parent"] == np.arange(len(d.cases))
        rows = d.cases[lead & (d.cases["stage"] != s.FREE) & (d.cases["community"] >= 0)]
        ended = rows["stage"] == s.ENDED
        heard = _heard(rows)
        frames.append(
            pd.DataFrame(
                {
                    "need": rows["need"],
                    "voiced": np.where(heard, rows["voiced"], np.nan),
                    "started": np.where(heard & (rows["begun"] >= 0), rows["begun"], np.nan),
                    "finished": np.where(ended, rows["time"], np.nan),
                    "category": np.array(categories.NAMES)[rows["category"]],
                    "departments": rows["parts"],
                    "transfers": rows["transfers"],
                    "dispatched": rows["flags"] & s.DISPATCHED > 0,
                    "reopened": rows["flags"] & s.REOPENED > 0,
                    "channel": np.array(s.CHANNELS)[rows["channel"]],
                    "community": rows["community"] + first,
                    "state": np.where(ended, np.array(s.STATES)[rows["state"]], "open"),
                    "key": rows["key"],
                }
            )
        )
    return pd.concat(frames).sort_values(["need", "key"], ignore_index=True)


def forget(columns: Columns, channels: tuple[str, ...], since: float) -> None:
    """Give back the records of ended cases not voiced by ``channels`` from day ``since`` on.

    Their numbers stay in every sum; `cases` tells of them no more.
    """
    of_these = np.isin(s.CHANNELS, channels)
    for d in columns.districts:
        ended = np.flatnonzero(d.cases["stage"] == s.ENDED)
        rows = d.cases[ended]
        kept = _heard(rows) & of_these[rows["channel"]] & (rows["voiced"] >= since)
        kept &= rows["parent"] == ended
        gone = ended[~kept]
        if len(gone):
            give_back_all(d, gone)


def _heard(rows: np.ndarray) -> np.ndarray:
    """Return which cases (n,) intake has heard of."""
    return (rows["channel"] >= s.GRID) & (rows["stage"] != s.FOUND)


def daily(columns: Columns, days: int) -> pd.DataFrame:
    """Return what was counted each day in each district: day, district, and `DAILY_COUNTS`."""
    frames = [
        pd.DataFrame(d.daily[:days], columns=list(DAILY_COUNTS)).assign(
            day=np.arange(days), district=name
        )
        for d, name in zip(columns.districts, columns.city.districts.name, strict=True)
    ]
    return pd.concat(frames, ignore_index=True)[["day", "district", *DAILY_COUNTS]]


def residents(columns: Columns, day: float, written: Callable[[], None]) -> Residents:
    """Return the residents of the city as columns, as of ``day``; changes call ``written``.

    Satisfaction and burden are those of the day last touched; `satisfaction_now` and
    `burden_now` let them drift to ``day`` and are computed when asked for.
    """
    city = columns.city
    rows = columns.residents

    def now(which: int) -> Callable[[], np.ndarray]:
        return lambda: np.concatenate([drifted(d, day)[which] for d in columns.districts])

    def birth_cell() -> np.ndarray:
        return np.repeat(np.arange(len(city.grids)), np.diff(city.grids.first_resident))

    def place() -> np.ndarray:
        first = [columns.slices(k)[2].start for k in range(len(columns.districts))]
        return np.concatenate(
            [d.residents["place"] + f for d, f in zip(columns.districts, first, strict=True)]
        )

    table: dict[str, Any] = {name: rows[name] for name in s.RESIDENT.names or () if name != "place"}
    table |= {
        "id": lambda: np.arange(len(rows)),
        "birth_cell": birth_cell,
        "place": place,
        "community": lambda: city.grids.community[place()],
        "subdistrict": lambda: city.communities.subdistrict[city.grids.community[place()]],
        "need_multiplier": lambda: multipliers(city, np.arange(len(rows))),
        "satisfaction_now": now(0),
        "burden_now": now(1),
    }
    return Residents(table, written=written)
