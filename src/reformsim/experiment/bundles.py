"""Bundles of measures, each at an intensity: what may be chosen, and what it is called."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reformsim import measures
from reformsim.scenario import Step

#: The name of the bundle without measures: whatever is in force stays as it is.
DO_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Measures with their intensities, in the order in which measures are declared."""

    levels: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, levels: Mapping[str, float]) -> "Bundle":
        """Return the bundle of these intensities by measure; raises KeyError for an unknown one."""
        return cls(tuple(sorted(levels.items(), key=lambda pair: measures.BY_NAME[pair[0]].id)))

    @classmethod
    def parse(cls, name: str) -> "Bundle":
        """Return the bundle of a name."""
        if name == DO_NOTHING:
            return cls()
        pairs = (part.split(" ") for part in name.split(" + "))
        return cls.of({measure: float(level) for measure, level in pairs})

    @property
    def name(self) -> str:
        """The measures and their intensities: ``governance_committee 1 + joint_conference 0.5``."""
        return " + ".join(f"{name} {level!r}" for name, level in self.levels) or DO_NOTHING

    def steps(self, from_day: int) -> tuple[Step, ...]:
        """Return the bundle as steps of a reform, in force everywhere from a day on."""
        return tuple(
            Step(measure=name, intensity=level, from_day=from_day) for name, level in self.levels
        )


NOTHING = Bundle()


@dataclass(frozen=True, slots=True)
class Space:
    """All bundles of at most ``at_most`` of the ``measures``, each at one of the ``levels``."""

    measures: tuple[str, ...]
    levels: tuple[float, ...]
    at_most: int

    def size(self) -> int:
        """Return how many bundles there are, that without measures apart."""
        n, kinds = len(self.measures), len(self.levels)
        return sum(math.comb(n, k) * kinds**k for k in range(1, self.at_most + 1))

    def every(self) -> Iterator[Bundle]:
        """Yield every bundle but that without measures, small ones first."""
        for k in range(1, self.at_most + 1):
            for names in itertools.combinations(self.measures, k):
                for levels in itertools.product(self.levels, repeat=k):
                    yield Bundle.of(dict(zip(names, levels, strict=True)))


def without(bundle: Bundle, held: Sequence[str]) -> list[str]:
    """Return the measures of a bundle that are not among ``held``."""
    return [name for name, _ in bundle.levels if name not in held]
