"""The form of a measure: what it sets at full intensity, what it costs, when it backfires."""

from dataclasses import dataclass
from typing import Literal

#: What a cost is counted by: a recurrent yearly payment for each of these.
CostBase = Literal["subdistrict", "community", "grid", "100k residents", "resident"]


@dataclass(frozen=True, slots=True)
class Cost:
    """A recurrent cost at full intensity: 10,000 yuan per year and unit of ``per``; assumed."""

    amount: float
    per: CostBase


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of the reform.

    ``sets`` maps a lever to its value at full intensity, or to the name of the uncertainty that
    holds it. ``cost`` is paid in full at any implementation; staff that a lever itself pays for
    (a hub, a district team, a station) is not repeated here. ``hours`` costs are levers.
    """

    id: int
    name: str
    zh: str
    section: str
    sets: dict[str, float | str]
    helps: str
    costs: str
    backfires: str
    cost: Cost | None = None
    source: str = "成都市编办, 2017 (the source text); strength assumed"
