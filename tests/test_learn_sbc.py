"""Simulation-based calibration of learning (Talts et al. 2018), on the real path.

A world from the prior, a run of the town, its export as a file, what is learned from it: the rank
of the truth in the interval, read as a normal posterior, must be uniform. Competence is left out:
its bias of up to 1 % is told in docs/own-cases.md.
"""

import numpy as np
import pytest
from scipy.stats import chi2, norm

from reformsim.model import CityModel
from reformsim.observed.cases import read_cases
from reformsim.observed.exporting import hotline_table
from reformsim.observed.intervals import Estimate
from reformsim.observed.learning import learn
from reformsim.observed.mapping import Mapping
from test_calibration import uniform
from test_learn import MAPPINGS

PRIOR = {"p_mis": (0.08, 0.35), "cross_share": (0.1, 0.4)}
DRAWS, BINS = 99, 4
#: One false alarm in 1,000, whatever the number of worlds.
LIMIT = chi2.isf(1e-3, BINS - 1)


def rank(estimate: Estimate, truth: float, narrower: float = 1.0, shifted: float = 0.0) -> int:
    """Return the rank of the truth in DRAWS + 1, of an interval that may be made a wrong one."""
    value = estimate.value * (1 + shifted)
    half = estimate.high - estimate.value if truth > value else estimate.value - estimate.low
    place = norm.cdf((truth - value) / (half / norm.isf(0.025) / narrower))
    return int(place * DRAWS)


def learned(town, path, worlds: int) -> list[tuple[Estimate, float]]:
    """Return what is learned of worlds of the prior, each with the truth."""
    mapping = Mapping.load(MAPPINGS / "hotline12345.yaml")
    rng, found, model = np.random.default_rng(12), [], None
    for seed in range(worlds):
        world = {name: float(rng.uniform(*bounds)) for name, bounds in PRIOR.items()}
        scenario = town(warm_up=10, days=70, keep_cases=True, uncertainties=world)
        model = model or CityModel(scenario, rng=seed)
        model.reset(scenario, rng=seed)
        model.run_until(scenario.days)
        hotline_table(model.cases(), scenario.world()).to_csv(path, index=False)
        told = {row.uncertainty: row.estimate for row in learn(read_cases(path, mapping)).learned}
        found += [(told[name], truth) for name, truth in world.items()]
    return found


def hold(found: list[tuple[Estimate, float]]) -> None:
    """Hold ranks to the uniform; intervals six times too narrow, or off by a fifth, fail."""
    right = np.array([rank(*pair) for pair in found])
    assert uniform(right, DRAWS, BINS) < LIMIT, np.bincount(right * BINS // (DRAWS + 1))
    for wrong in ({"narrower": 6.0}, {"shifted": 0.2}):
        ranks = np.array([rank(*pair, **wrong) for pair in found])
        assert uniform(ranks, DRAWS, BINS) > LIMIT, wrong


def test_ranks_are_uniform(town, tmp_path):
    """20 towns of 70 days, 40 ranks in 4 bins; false alarm 1 in 1,000."""
    hold(learned(town, tmp_path / "cases.csv", 20))


@pytest.mark.slow
def test_ranks_are_uniform_in_many_towns(town, tmp_path):
    """100 towns, 200 ranks; false alarm 1 in 1,000."""
    hold(learned(town, tmp_path / "cases.csv", 100))
