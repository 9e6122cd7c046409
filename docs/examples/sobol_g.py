"""The G function of Sobol' (1998), as a model through the path of reformsim.

    y = Π (|4 xi − 2| + ai) / (1 + ai),    xi uniform on [0, 1]

The larger ai, the less xi matters. All indices are known exactly (Saltelli & Sobol' 1995):

    python docs/examples/sobol_g.py results/sobol_g
"""

import math
import sys
from pathlib import Path

import numpy as np

from reformsim.experiment.plugin import Problem, output, values

A = {"x1": 0.0, "x2": 1.0, "x3": 4.5, "x4": 9.0, "x5": 99.0, "x6": 99.0}


def g(x: dict[str, float], seed: int) -> dict[str, float]:
    """Return y; there is no chance in it, so that the seed goes unused."""
    return {"y": math.prod((abs(4 * x[name] - 2) + a) / (1 + a) for name, a in A.items())}


PROBLEM = Problem("sobol_g", dict.fromkeys(A, (0.0, 1.0)), (output("y"),), g)

#: The variance of each factor of the product.
_V = {name: 1 / (3 * (1 + a) ** 2) for name, a in A.items()}
MEAN = 1.0
VARIANCE = math.prod(1 + v for v in _V.values()) - 1
FIRST = {name: v / VARIANCE for name, v in _V.items()}
SECOND = {(i, j): _V[i] * _V[j] / VARIANCE for i in A for j in A if i < j}
TOTAL = {name: v * (1 + VARIANCE) / (1 + v) / VARIANCE for name, v in _V.items()}

if __name__ == "__main__":
    points = np.random.default_rng(1).uniform(size=(2000, len(A)))
    y = values(PROBLEM.run(points, Path(sys.argv[1])), "y")
    print(f"mean {y.mean():.3f}, exactly {MEAN:.3f}")
    print(f"variance {y.var():.3f}, exactly {VARIANCE:.3f}")
