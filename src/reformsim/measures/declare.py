"""The form of a measure: what it sets at full intensity, what it costs, when it backfires."""

from dataclasses import dataclass
from typing import Literal

from reformsim.declared import set_label

#: What a cost is counted by: a recurrent yearly payment for each of these.
CostBase = Literal["subdistrict", "community", "grid", "100k residents", "resident"]

#: Chengdu's own account of its reform, from which all measures are taken.
ACCOUNT = "成都市编办，2017"


@dataclass(frozen=True, slots=True)
class Cost:
    """A recurrent cost at full intensity: 10,000 yuan per year and unit of ``per``; assumed."""

    amount: float
    per: CostBase


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of the reform; its strength and costs are assumed.

    ``sets`` maps a lever to its value at full intensity, or to the name of the uncertainty that
    holds it. ``cost`` is paid in full at any implementation; what a lever itself pays for (a
    hub, a team, a station) is not repeated here, and costs in hours are levers. ``outcome`` is
    the first-order outcome that the measure must move, ``expected`` the way, written down
    before any run. ``source`` is the section of the `ACCOUNT` that names the measure. ``label``
    is what people read in English instead of the name.
    """

    id: int
    name: str
    zh: str
    section: str
    sets: dict[str, float | str]
    outcome: str
    expected: Literal["up", "down"]
    helps: str
    helps_zh: str
    costs: str
    costs_zh: str
    backfires: str
    backfires_zh: str
    source: str
    cost: Cost | None = None
    label: str = ""

    def __post_init__(self) -> None:
        """See to the label."""
        set_label(self)
