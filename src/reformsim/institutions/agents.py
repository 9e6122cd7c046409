"""The Mesa agents: each a view of its row in the columns of institutions.

A change of an attribute changes the row, and with it what the simulation does next; the rules
that move rows are array functions in this room, called once for all agents of a kind.
"""

from typing import Any

import mesa
import numpy as np


class Row(mesa.Agent):
    """An agent whose fields live in row ``index`` of a structured array."""

    def __init__(self, model: mesa.Model, table: np.ndarray, index: int) -> None:
        """Enrol the agent of row ``index`` of ``table``."""
        super().__init__(model)
        object.__setattr__(self, "_row", table[index : index + 1])
        self.index = index

    def __getattr__(self, name: str) -> Any:
        """Read a field of the row."""
        row = self.__dict__.get("_row")
        if row is None or name not in row.dtype.names:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return row[name][0].item()

    def __setattr__(self, name: str, value: Any) -> None:
        """Write a field of the row, or an ordinary attribute."""
        row = self.__dict__.get("_row")
        if row is not None and name in row.dtype.names:
            row[name] = value
        else:
            object.__setattr__(self, name, value)


class SubdistrictOffice(Row):
    """A subdistrict office: weights, efforts, heads, staff, survey, score, investment."""


class GridWorker(Row):
    """The post of a grid worker: burnout, skill, tenure, appeal, whether it is vacant."""


class SocialOrganisation(Row):
    """A social organisation: capacity, funds, dependence on government money."""


class GovernanceCommittee(Row):
    """A district's committee, as far as its hub goes: heads and load."""


class InvestmentTeam(Row):
    """A district's investment team: heads."""


def enrol(
    model: mesa.Model,
    offices: np.ndarray,
    workers: np.ndarray,
    organisations: np.ndarray,
    districts: np.ndarray,
) -> None:
    """Enrol one agent for each row of the institutions' columns."""
    kinds: tuple[tuple[type[Row], np.ndarray], ...] = (
        (SubdistrictOffice, offices),
        (GridWorker, workers),
        (SocialOrganisation, organisations),
        (GovernanceCommittee, districts),
        (InvestmentTeam, districts),
    )
    for kind, table in kinds:
        for index in range(len(table)):
            kind(model, table, index)
