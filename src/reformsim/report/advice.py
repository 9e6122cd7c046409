"""Advice as the report reads it: the names of all that is told, in both languages."""

from dataclasses import dataclass
from functools import cached_property

import reformsim
from reformsim import outcomes
from reformsim.city import AGE_GROUPS, AGE_GROUPS_ZH, COMMUNITY_TYPES, COMMUNITY_TYPES_ZH
from reformsim.declared import plain
from reformsim.experiment import aftermath
from reformsim.experiment.advice import Findings
from reformsim.experiment.aftermath import GroupContrast, Year
from reformsim.experiment.analysis import Contrast
from reformsim.experiment.bundles import NOTHING, Bundle
from reformsim.experiment.schema import Experiment
from reformsim.measures import BY_NAME

_GROUPS_ZH = dict(zip(COMMUNITY_TYPES, COMMUNITY_TYPES_ZH, strict=True)) | dict(
    zip(AGE_GROUPS, AGE_GROUPS_ZH, strict=True)
)


@dataclass(frozen=True)
class Report:
    """What was advised, to be told; ``config_hash`` is that of the third look's runs."""

    experiment: Experiment
    found: Findings
    config_hash: str
    versions: tuple[str, ...] = (reformsim.__version__,)

    @cached_property
    def marks(self) -> dict[str, str]:
        """A short mark for each bundle of the second look: N for nothing, then B1, B2, ..."""
        names = [candidate.bundle for candidate in self.found.candidates]
        return {name: f"B{i}" if i else "N" for i, name in enumerate(names)}

    @cached_property
    def effects(self) -> dict[tuple[str, str], Contrast]:
        """Bundle minus nothing, by bundle and outcome: of the third look where it was run there."""
        rows = [*self.found.choice.contrasts, *self.found.told.contrasts]
        return {(row.scenario, row.outcome): row for row in rows}

    @cached_property
    def break_even(self) -> Year | None:
        """The first year from which the headline is better, and stays so."""
        return aftermath.even(self.found.years)

    def outcome(self, name: str, zh: bool) -> str:
        """Name an outcome."""
        known = outcomes.BY_NAME[name]
        return known.meaning_zh if zh else known.label

    def group(self, group: GroupContrast, zh: bool) -> str:
        """Name a group of residents."""
        return _GROUPS_ZH.get(group.place, group.place) if zh else plain(group.place)

    def bundle(self, name: str, zh: bool) -> str:
        """Name the measures of a bundle."""
        bundle = Bundle.parse(name)
        if bundle == NOTHING:
            return "不采取措施" if zh else "doing nothing"
        return ("、" if zh else ", ").join(
            measure(name, zh) + ("" if level == 1 else f" ({level:.0%})")
            for name, level in bundle.levels
        )


def measure(name: str, zh: bool) -> str:
    """Name a measure."""
    known = BY_NAME[name]
    return known.zh if zh else known.label
