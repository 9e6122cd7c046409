"""The names of the pictures that the report can draw; see ``reformsim.report.figures``."""

from typing import Literal

Figure = Literal[
    "curves", "contrasts", "tradeoffs", "flow", "waits", "desks", "distribution", "map",
    "effects", "cells", "groups", "waterfall", "interactions",
    "robustness", "regret", "drivers", "tornado", "indices", "convergence", "power",
]  # fmt: skip
