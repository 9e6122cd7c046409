"""A run told by its own export, read and learned from as a user's is: by the same estimator."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from reformsim.declared import Outcome
from reformsim.facts import FactsCity
from reformsim.known import BY_NAME, EXPORT, EXPORTED, Listed
from reformsim.model import CityModel, records
from reformsim.observed.cases import read_cases
from reformsim.observed.exporting import MAPPING, hotline_table
from reformsim.observed.learning import learn
from reformsim.scenario import Scenario


class ExportCity(FactsCity):
    """A city whose headlines tell what is learned from its export as well.

    Of the cases that are over, only those are kept that ``listed`` may list.
    """

    def __init__(
        self,
        scenario: Scenario,
        listed: Listed,
        rng: int | np.random.Generator | None = None,
        threads: int = 1,
    ) -> None:
        """Start at day 0; the export will list what ``listed`` says."""
        self.listed = listed
        super().__init__(scenario, rng=rng, threads=threads)

    def reset(self, scenario: Scenario, rng: int | np.random.Generator | None = None) -> None:
        """Start again, keeping cases."""
        super().reset(scenario.model_copy(update={"keep_cases": True}), rng)

    def headlines(self) -> list[tuple[Outcome, float]]:
        """Return those of `FactsCity`, then the figures of the export."""
        told = exported(self, self.listed)
        return [
            *super().headlines(),
            *(
                (Outcome(EXPORT + name, BY_NAME[name].unit, "neither", name, BY_NAME[name].zh), x)
                for name, x in told.items()
            ),
        ]

    def _turn(self) -> None:
        super()._turn()
        records.forget(self.columns, self.listed.channels, self.scenario.warm_up)


def export(model: CityModel, listed: Listed) -> pd.DataFrame:
    """Return the export of a run that is over, drawn on its last day, as `hotline_table` does.

    It lists cases since the warm-up at the earliest.
    """
    scenario = model.scenario
    until = scenario.days - listed.follow_up
    since = max(scenario.warm_up, until - (np.inf if listed.days is None else listed.days))
    return hotline_table(model.cases(), scenario.world(), since, until, listed.channels)


def exported(model: CityModel, listed: Listed) -> dict[str, float]:
    """Return what is learned of ``EXPORTED`` from a run's export, NaN if nothing."""
    table = export(model, listed)
    if table.empty:
        return dict.fromkeys(EXPORTED, np.nan)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cases.csv"
        table.to_csv(path, index=False)
        lesson = learn(read_cases(path, MAPPING))
    found = {row.target: row.estimate.value for row in lesson.learned}
    return {name: found.get(name, np.nan) for name in EXPORTED}
