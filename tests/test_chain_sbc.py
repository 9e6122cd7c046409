"""Simulation-based calibration of the whole chain (Talts et al. 2018): export, learn, calibrate.

Worlds from the prior, a run of the town in each, its export as a file, what is learned of it, the
posterior that emulators of it leave: the rank of the truth in it is held to the uniform. Learned
intervals hold the chance of one run, and emulators count it once more, so that posteriors err on
the wide side. What 60 worlds in 5 bins would show, by 4,000 repeats of the statistic: a posterior a
third as wide as it should be in 99 %, half as wide in 64 %, one off by half its sd in 38 %. Fifteen
worlds show little but gross errors. A difference of definition between a run and a real export
shows nowhere here, as both sides are runs.
"""

import numpy as np
import pytest
from scipy.stats import chi2

from reformsim.experiment.emulator import fit
from reformsim.experiment.matching import Goal, Matched
from reformsim.experiment.own_export import ExportCity, exported
from reformsim.experiment.sampling import latin_hypercube
from reformsim.experiment.targets import Target
from reformsim.known import Listed
from reformsim.observed.cases import read_cases
from reformsim.observed.exporting import MAPPING, hotline_table
from reformsim.observed.learning import learn
from test_calibration import uniform

#: What is calibrated, and between which bounds.
BOUNDS = {"competence": (0.6, 1.2), "cross_share": (0.1, 0.4), "delay_common": (1.0, 12.0)}
#: What of an export it is calibrated to.
AIMS = ("answered at intake", "P(two departments or more)", "median days, dispatched")
WARM_UP, DAYS = 30, 395


class Towns:
    """Runs of the town in worlds of the unit cube: what a run tells, and what its export does."""

    def __init__(self, plan, path) -> None:
        """Keep the maker of scenarios, and a file for exports."""
        self.plan, self.path, self.model = plan, path, None

    def run(self, unit: np.ndarray, seed: int) -> ExportCity:
        """Return the town after its last day."""
        low, high = np.array(list(BOUNDS.values())).T
        world = dict(zip(BOUNDS, (low + unit * (high - low)).tolist(), strict=True))
        scenario = self.plan(warm_up=WARM_UP, days=DAYS, uncertainties=world)
        self.model = self.model or ExportCity(scenario, Listed(), rng=seed)
        self.model.reset(scenario, seed)
        self.model.run_until(scenario.days)
        return self.model

    def figures(self, unit: np.ndarray, seed: int) -> list[float]:
        """Return what the run tells of ``AIMS``."""
        told = exported(self.run(unit, seed), Listed())
        return [told[name] for name in AIMS]

    def learned(self, unit: np.ndarray, seed: int) -> list[Target]:
        """Return what is learned of ``AIMS`` from the export, read back from its file."""
        model = self.run(unit, seed)
        table = hotline_table(model.cases(), model.scenario.world(), since=WARM_UP)
        table.to_csv(self.path, index=False)
        rows = {row.target: row.estimate for row in learn(read_cases(self.path, MAPPING)).learned}
        return [
            Target(name=name, value=rows[name].value, low=rows[name].low, high=rows[name].high)
            for name in AIMS
        ]


def chain_ranks(towns: Towns, points: int, worlds: int, draws: int) -> list[np.ndarray]:
    """Return ranks of the truth, (worlds, uncertainties): of the chain, and with days × 1.5."""
    x = latin_hypercube(points, len(BOUNDS), 3)
    told = np.array([towns.figures(point, 1000 + i) for i, point in enumerate(x)])
    emulators = [fit(x, column[:, None]) for column in told.T]
    rng, found, wrong = np.random.default_rng(7), [], []
    for i in range(worlds):
        truth = rng.random(len(BOUNDS))
        targets = towns.learned(truth, i)
        for ranks, factor in ((found, 1.0), (wrong, 1.5)):
            days = targets[-1]
            moved = {field: factor * getattr(days, field) for field in ("value", "low", "high")}
            goals = tuple(
                Goal(target, emulator, 0.0)
                for target, emulator in zip(
                    (*targets[:-1], days.model_copy(update=moved)), emulators, strict=True
                )
            )
            state = Matched(BOUNDS, (goals,), 10.0, i)
            assert len(state.region)
            ranks.append((state.posterior(draws) < truth).sum(axis=0))
    return [np.array(found), np.array(wrong)]


def held_to_uniform(found: list[np.ndarray], draws: int, bins: int) -> None:
    """Hold ranks to the uniform, 1 false alarm in 1,000 for each uncertainty; the wrong ones fail.

    The wrong ones are those of a chain that tells days half as long again.
    """
    right, wrong = found
    for i, name in enumerate(BOUNDS):
        assert uniform(right[:, i], draws, bins) < chi2.isf(1e-3, bins - 1), name
    days = list(BOUNDS).index("delay_common")
    assert uniform(wrong[:, days], draws, bins) > chi2.isf(1e-3, bins - 1)


@pytest.mark.slow
def test_ranks_of_the_chain_are_uniform(town, tmp_path):
    """60 worlds of a year, ranks in 5 bins; a false alarm in 3 of 1,000 tries."""
    towns = Towns(town, tmp_path / "cases.csv")
    held_to_uniform(chain_ranks(towns, 60, 60, 99), 99, 5)


def test_ranks_of_the_chain_are_uniform_in_a_few_worlds(town, tmp_path):
    """15 worlds, ranks in 3 bins: that the chain runs, and gross errors of the days."""
    towns = Towns(town, tmp_path / "cases.csv")
    held_to_uniform(chain_ranks(towns, 24, 15, 99), 99, 3)
