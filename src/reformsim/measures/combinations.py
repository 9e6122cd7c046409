"""Section 1 of the source, the four combinations (四个结合): measures 1–7."""

from reformsim.measures.declare import Measure

MEASURES: tuple[Measure, ...] = ()
