"""The function of Ishigami & Homma (1990), as a model through the path of reformsim.

    y = sin x1 + a sin² x2 + b x3⁴ sin x1,    x1, x2, x3 uniform on [−π, π],  a = 7, b = 0.1

Its first-order and total indices are known exactly (Saltelli et al. 2008, section 4.6), which
makes it the usual check of a sensitivity analysis:

    python docs/examples/ishigami.py results/ishigami
"""

import math
import sys
from pathlib import Path

import numpy as np

from reformsim.experiment.plugin import Problem, output, values

A, B = 7.0, 0.1


def ishigami(x: dict[str, float], seed: int) -> dict[str, float]:
    """Return y; there is no chance in it, so that the seed goes unused."""
    y = math.sin(x["x1"]) * (1 + B * x["x3"] ** 4) + A * math.sin(x["x2"]) ** 2
    return {"y": y}


BOUNDS = (-math.pi, math.pi)
PROBLEM = Problem("ishigami", dict.fromkeys(("x1", "x2", "x3"), BOUNDS), (output("y"),), ishigami)

#: Parts of the variance: of x1 alone, of x2 alone, of x1 with x3 beyond that.
_V1 = (1 + B * math.pi**4 / 5) ** 2 / 2
_V2 = A**2 / 8
_V13 = B**2 * math.pi**8 * (1 / 18 - 1 / 50)
VARIANCE = _V1 + _V2 + _V13
MEAN = A / 2
FIRST = {"x1": _V1 / VARIANCE, "x2": _V2 / VARIANCE, "x3": 0.0}
SECOND = {("x1", "x2"): 0.0, ("x1", "x3"): _V13 / VARIANCE, ("x2", "x3"): 0.0}
TOTAL = {"x1": (_V1 + _V13) / VARIANCE, "x2": _V2 / VARIANCE, "x3": _V13 / VARIANCE}

if __name__ == "__main__":
    points = np.random.default_rng(1).uniform(*BOUNDS, size=(2000, 3))
    y = values(PROBLEM.run(points, Path(sys.argv[1])), "y")
    print(f"mean {y.mean():.3f}, exactly {MEAN:.3f}")
    print(f"variance {y.var():.2f}, exactly {VARIANCE:.2f}")
