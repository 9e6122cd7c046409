"""Who gains, who loses, and when: paired contrasts of one outcome by place, by group, by year."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reformsim.experiment.analysis import Estimate, Trait, estimate
from reformsim.experiment.store import Results
from reformsim.scenario import YEAR

#: Levels at which outcomes are told, from people to places.
LEVELS = ("age", "community_type", "district", "subdistrict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup(Estimate):
    """A scenario minus its reference among the residents of one ``place`` of a ``level``."""

    scenario: str
    reference: str
    level: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Yearly(Estimate):
    """A scenario minus its reference in the ``year`` after a day, counted from 1."""

    scenario: str
    reference: str
    year: int


def by_place(results: Results, references: dict[str, str], trait: Trait) -> list[Subgroup]:
    """Compare scenarios in one outcome after the transition, place by place.

    Paired by replication; empty where only the outcomes of the whole city are kept.
    """
    rows = results.kind("outcome")
    rows = rows[(rows["outcome"] == trait.outcome) & (rows["period"] == "after")]
    rows = rows[rows["level"].isin(LEVELS)]
    table = _wide(rows, ["level", "place"])
    found = []
    for scenario, reference in references.items():
        for level in LEVELS:
            for place in _places(table, scenario, level):
                keys = (scenario, level, place), (reference, level, place)
                if keys[1] in table:
                    found.append(
                        Subgroup(
                            **_difference(table, *keys, trait),
                            scenario=scenario,
                            reference=reference,
                            level=level,
                            place=place,
                        )
                    )
    return found


def by_year(
    results: Results, references: dict[str, str], trait: Trait, starts: dict[str, int]
) -> list[Yearly]:
    """Compare scenarios in one outcome in each whole year after the day that ``starts`` gives.

    The mean of twelve months, paired by replication; empty where no months are kept.
    """
    rows = results.kind("curve")
    rows = rows[rows["outcome"] == trait.outcome]
    found = []
    for scenario, reference in references.items():
        mine = rows[rows["scenario"].isin([scenario, reference])]
        # a month belongs to the year in which it ends
        years = np.ceil((mine["day"].to_numpy(float) - starts[scenario]) / YEAR).astype(int)
        table = _wide(mine.assign(year=years), ["year"])
        sizes = pd.Series(years).value_counts()
        whole = [int(y) for y in sorted(set(years)) if y >= 1 and sizes[y] == sizes.max()]
        for year in whole:
            keys = (scenario, year), (reference, year)
            if keys[0] in table and keys[1] in table:
                found.append(
                    Yearly(
                        **_difference(table, *keys, trait),
                        scenario=scenario,
                        reference=reference,
                        year=year,
                    )
                )
    return found


def _wide(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return means by replication (rows) and by scenario and ``by`` (columns)."""
    rows = rows.astype({name: str for name in ("scenario", *by) if name != "year"})
    return rows.pivot_table("value", "replication", ["scenario", *by], sort=False)


def _places(table: pd.DataFrame, scenario: str, level: str) -> list[str]:
    return [str(key[2]) for key in table.columns if tuple(key[:2]) == (scenario, level)]


def _difference(table: pd.DataFrame, a: tuple, b: tuple, trait: Trait) -> dict[str, Any]:
    pair = table[[a, b]].dropna().to_numpy(float)
    base = float(pair[:, 1].mean()) if len(pair) else float("nan")
    return estimate(trait, pair[:, 0] - pair[:, 1], base)
