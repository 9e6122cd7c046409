"""The reduced rule that all frameworks run, and what is compared of it.

A need follows these lines, and nothing else happens. Times are in days.

1.  Residents live in grids of ``grid_size``; each grid has one desk of ``servers`` servers.
2.  Each resident has needs by a Poisson process, ``needs`` a year.
3.  A need is voiced with the chance 1/(1 + exp(−(``voice`` + ``voice_trust``·(trust − ½)))), by
    the resident's trust at that moment; otherwise it is forgotten.
4.  A voiced need is a case at the desk of the resident's grid, at once: first in, first out, open
    day and night, service exponential with ``service_rate`` a day and server.
5.  At the end of service the case closes, with performance P = 2^(−days/``promise``), days since
    it was voiced.
6.  Then satisfaction S, which has drifted to ``baseline`` + (S − ``baseline``)·exp(−days/
    ``memory``) since it was last touched, moves by ``rate``·(target − S), target =
    ``b0`` + ``b_performance``·P + ``b_gap``·gap within [0, 1]; gap = P − E, times
    ``loss_aversion`` where it is negative.
7.  Expectation E moves by ``kappa``·(P − E), trust by ``trust_rate``·(P − trust).
8.  In the beginning S = E = ``baseline``, trust = ½, and all desks are empty.

Events at one desk, and of one resident, happen in the order of their times, within days too.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Rule:
    """The numbers of the rule; those that the full model has too are at its defaults."""

    residents: int
    days: int = 365
    needs: float = 5.0
    grid_size: int = 250
    servers: int = 2
    service_rate: float = 1.2
    voice: float = 0.2
    voice_trust: float = 2.0
    promise: float = 3.0
    baseline: float = 0.6
    memory: float = 365.0
    rate: float = 0.3
    b0: float = 0.25
    b_performance: float = 0.5
    b_gap: float = 0.2
    loss_aversion: float = 1.75
    kappa: float = 0.1
    trust_rate: float = 0.1

    def __post_init__(self) -> None:
        """Refuse a part of a grid: ValueError."""
        if self.residents % self.grid_size:
            raise ValueError(f"{self.residents} residents are not whole grids of {self.grid_size}")

    @property
    def grids(self) -> int:
        """Number of grids."""
        return self.residents // self.grid_size

    @property
    def per_day(self) -> float:
        """Needs of one resident on one day, expected."""
        return self.needs / 365.0

    def chance(self, trust: float) -> float:
        """Return the chance that a need is voiced."""
        return 1.0 / (1.0 + math.exp(-(self.voice + self.voice_trust * (trust - 0.5))))

    def drift(self, satisfaction: float, days: float) -> float:
        """Return satisfaction after ``days`` without a closing."""
        return self.baseline + (satisfaction - self.baseline) * math.exp(-days / self.memory)

    def target(self, performance: float, expectation: float) -> float:
        """Return where a closing pulls satisfaction."""
        gap = performance - expectation
        felt = gap if gap > 0.0 else self.loss_aversion * gap
        return min(max(self.b0 + self.b_performance * performance + self.b_gap * felt, 0.0), 1.0)


@dataclass(frozen=True)
class Outcome:
    """What a run tells: of cases, those closed by the end; states of residents at the end."""

    needs: float  # per resident and year
    voiced: float  # share of needs
    wait: float  # days from being voiced to the start of service, mean
    closed: float  # share of voiced needs
    satisfaction: float
    trust: float

    @classmethod
    def of(
        cls, rule: Rule, needs: int, voiced: int, closed: int, waited: float,
        satisfaction: float, trust: float,
    ) -> "Outcome":  # fmt: skip
        """Make shares and means of counts; ``waited`` in days, summed over closed cases."""
        yearly = needs / rule.residents * 365.0 / rule.days
        return cls(
            yearly, voiced / max(needs, 1), waited / max(closed, 1), closed / max(voiced, 1),
            satisfaction, trust,
        )  # fmt: skip


#: Sets the rule up in one framework for a seed, and returns what runs it.
type Builder = Callable[[Rule, int], Callable[[], Outcome]]
#: Of two equal programs, all outcomes are found equal in this share of comparisons.
LEVEL = 0.999


def compare(ours: list[Outcome], theirs: list[Outcome], level: float = LEVEL) -> dict[str, dict]:
    """Compare mean outcomes over independent runs, by Welch's intervals of their differences.

    The intervals hold together at ``level`` (Bonferroni). Returns for each outcome both means,
    the difference, the half-width of its interval, and whether that holds 0.
    """
    names = list(asdict(ours[0]))
    found = {}
    for name in names:
        a = np.array([getattr(told, name) for told in ours])
        b = np.array([getattr(told, name) for told in theirs])
        test = stats.ttest_ind(a, b, equal_var=False)
        interval = test.confidence_interval(1.0 - (1.0 - level) / len(names))
        half = (interval.high - interval.low) / 2.0
        difference = a.mean() - b.mean()
        found[name] = {
            "ours": float(a.mean()),
            "theirs": float(b.mean()),
            "difference": float(difference),
            "half_width": float(half),
            "equal": bool(abs(difference) <= half),
        }
    return found


def sized(rule: Rule, residents: int, days: int) -> Rule:
    """Return the rule for another number of residents and days."""
    return replace(rule, residents=residents, days=days)
