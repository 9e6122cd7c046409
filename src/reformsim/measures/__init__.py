"""The measures of the reform, one file per section of the source; an explicit list."""

from reformsim.measures import architecture, combinations, strengthenings, systems
from reformsim.measures.declare import Cost, Measure

MEASURES: tuple[Measure, ...] = (
    *combinations.MEASURES,
    *strengthenings.MEASURES,
    *architecture.MEASURES,
    *systems.MEASURES,
)

BY_NAME: dict[str, Measure] = {measure.name: measure for measure in MEASURES}

__all__ = ["BY_NAME", "MEASURES", "Cost", "Measure"]
