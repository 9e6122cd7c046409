"""Advice on toys whose best bundle, front and regrets are known."""

import numpy as np
import pytest

from advising import A, B, C, D, E, F, City, ask, question_file
from reformsim.experiment.bundles import NOTHING, Bundle

PRICES = {A: 0.10, B: 0.05, C: 0.05, D: 0.02, E: 0.25, F: 0.01}


def alone(values: dict[str, float]):
    """Gains that add up; problem days follow at a hundred days for one."""

    def gains(levels, x):
        gain = sum(values.get(m, 0.0) * v for m, v in levels.items())
        return gain, 100 * gain

    return gains


def together(levels, x):
    """A and B do much, but only together; C a little; E more than all, but is dear."""
    pair = 0.2 * min(levels.get(A, 0), levels.get(B, 0))
    gain = pair + 0.03 * levels.get(C, 0) + 0.5 * levels.get(E, 0) - 0.02 * levels.get(D, 0)
    return gain, 100 * gain


def test_the_best_bundle_within_the_budget_is_found(tmp_path):
    found = ask(City(together, PRICES, noise=0.01), tmp_path, budget=0.2)
    assert found.advised == Bundle.of({A: 1.0, B: 1.0, C: 1.0})
    assert any(
        r.bundle.startswith("unified") and "budget is 0.2" in r.reason
        for r in found.searched.rejected
    )
    assert {p.measure for p in found.order} == {A, B, C}
    print(found)
