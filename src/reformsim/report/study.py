"""An experiment with its results, as the report reads it: names, units, contrasts, labels."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import ValidationError

import reformsim
from reformsim import measures, outcomes, uncertainties
from reformsim.declared import plain
from reformsim.experiment import analysis, attribution, design, power
from reformsim.experiment.analysis import Contrast, Effect, Lead, Trait
from reformsim.experiment.attribution import Share
from reformsim.experiment.kinds import Factorial, Interactions, Pilot, Shapley
from reformsim.experiment.power import Power
from reformsim.experiment.sampled import Sampled
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results, Store, StoreError, versions
from reformsim.report.worlds import Worlds
from reformsim.scenario import Scenario

#: Said under every table and figure.
CAVEAT = "A simulation under stated assumptions, not an evaluation of Chengdu."
CAVEAT_ZH = "本结果为既定假设下的模拟，并非对成都的评估。"

VERDICTS_ZH = {
    "better": "更好",
    "worse": "更差",
    "higher": "升高",
    "lower": "降低",
    "unclear": "不明",
    "same": "相同",
    "one run": "单次",
    "clear": "明确",
    "tie": "难分",
    "reference": "基准",
}


@dataclass(frozen=True, slots=True)
class Placed:
    """The mean of a scenario, with the interval of its paired difference laid around it.

    So a scenario differs clearly from its reference where the interval excludes ``base``, the
    mean of the reference. The reference itself has the verdict *reference* and no interval.
    """

    mean: float
    low: float
    high: float
    base: float
    verdict: str


@dataclass(frozen=True)
class Study:
    """What was asked and what came out; ``config_hash`` ties every picture to its config.

    ``versions`` of the program made the runs; ``notes`` tell of damaged files.
    """

    experiment: Experiment
    results: Results
    config_hash: str
    versions: tuple[str, ...] = (reformsim.__version__,)
    notes: tuple[str, ...] = ()

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what a results directory holds, finished or not; nothing is written.

        Raises StoreError for a directory of something else, one that is damaged, and one whose
        experiment this version does not understand.
        """
        store = Store(directory)
        manifest = store.manifest()
        try:
            experiment = Experiment.model_validate(manifest.get("experiment"))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "experiment"
            raise StoreError(
                f"{store.manifest_path}: not an experiment that reformsim {reformsim.__version__} "
                f"understands ({place}: {first['msg']}); it was made with "
                f"{', '.join(versions(manifest)) or 'an unknown version'}"
            ) from None
        notes = tuple(store.ledger.open(mend=False))
        results = store.results(design.runs(experiment))
        return cls(experiment, results, manifest["config_hash"], versions(manifest), notes)

    @cached_property
    def scenarios(self) -> dict[str, Scenario]:
        """The resolved scenarios, in the order of the design."""
        return design.scenarios(self.experiment)

    @cached_property
    def cells(self) -> list[design.Cell]:
        """The cells of the design."""
        return design.cells(self.experiment)

    @cached_property
    def references(self) -> dict[str, str]:
        """For each scenario the one it is compared with."""
        return design.references(self.experiment)

    @cached_property
    def traits(self) -> dict[str, Trait]:
        """Unit and better direction of the headlines to show, in the order of the file."""
        there = {trait.outcome: trait for trait in analysis.traits(self.results)}
        return {name: there[name] for name in self.experiment.outcomes if name in there}

    @cached_property
    def rule(self) -> analysis.Rule:
        """How the intervals of contrasts are made."""
        asked = self.experiment
        return analysis.Rule(asked.intervals, asked.until.pilot if asked.until else None)

    @cached_property
    def contrasts(self) -> list[Contrast]:
        """Paired contrasts of all headlines; none where the runs differ by more than a scenario."""
        if self.worlds is not None or isinstance(self.experiment.design, Pilot):
            return []
        found = analysis.contrasts(self.results, self.references, self.rule)
        return analysis.corrected(found, self.experiment.outcomes)

    @cached_property
    def placed(self) -> dict[tuple[str, str], Placed]:
        """What to draw for each scenario and headline."""
        found = {}
        for c in self.contrasts:
            found[c.reference, c.outcome] = Placed(c.base, math.nan, math.nan, c.base, "reference")
            found[c.scenario, c.outcome] = Placed(
                c.mean, c.base + c.low, c.base + c.high, c.base, c.verdict
            )
        return found

    @cached_property
    def effects(self) -> list[Effect]:
        """Effects of all headlines: of factors if all have two labels, of parts of a reform."""
        chosen = self.experiment.design
        if isinstance(chosen, Interactions):
            return attribution.interactions(self.experiment, self.results)
        if not isinstance(chosen, Factorial) or (factors := chosen.two_level()) is None:
            return []
        return analysis.effects(self.results, factors, chosen.fraction())

    @cached_property
    def shares(self) -> list[Share]:
        """What each part of a reform contributes to all headlines."""
        if not isinstance(self.experiment.design, Shapley):
            return []
        return attribution.shapley(self.experiment, self.results)

    @cached_property
    def powers(self) -> list[Power]:
        """What estimators make of pilots of all sizes on the grid."""
        if not isinstance(self.experiment.design, Pilot):
            return []
        return power.power(self.experiment, self.results)

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """The scenarios of each place named in ``within``; empty without one."""
        chosen = self.experiment.design
        found: dict[str, list[str]] = {}
        if isinstance(chosen, Factorial) and chosen.within:
            for cell in self.cells:
                group = " ".join(cell.levels[name] for name in chosen.within)
                found.setdefault(group, []).append(cell.name)
        return found

    @cached_property
    def leads(self) -> list[Lead]:
        """The first scenario of each group on all headlines."""
        return analysis.leads(self.results, self.groups) if self.groups else []

    @cached_property
    def worlds(self) -> Worlds | None:
        """What a design over uncertainties says of its full ranges; None of any other design."""
        chosen, sample = self.experiment.design, design.sample(self.experiment)
        if not isinstance(chosen, Sampled) or sample is None:
            return None
        rows = np.ones(len(sample.values), dtype=bool)
        if sample.calibrated is not None:
            rows = ~sample.calibrated
        return Worlds(self.experiment, chosen, self.results, sample, rows)

    @cached_property
    def calibrated(self) -> Worlds | None:
        """What it says of the calibrated region; None without one."""
        if self.worlds is None or self.worlds.whole.calibrated is None:
            return None
        return replace(self.worlds, rows=self.worlds.whole.calibrated, within="calibrated")

    def question(self, zh: bool) -> str:
        """Return what is asked; in Chinese where the experiment says it so."""
        return (zh and self.experiment.question_zh) or self.experiment.question

    @cached_property
    def planned(self) -> int:
        """Runs of the design, made or not."""
        return len(design.runs(self.experiment))

    @cached_property
    def treatments(self) -> list[str]:
        """What is compared, in the order of the design: scenarios without their group."""
        return list(dict.fromkeys(self.treatment(cell.name) for cell in self.cells))

    @cached_property
    def n(self) -> int:
        """Replications with at least one finished run."""
        runs = self.results.runs
        return int(runs.loc[runs["status"] == "done", "replication"].nunique())

    def treatment(self, scenario: str) -> str:
        """Name a scenario without its group: ``p_median`` for ``density=rural layout=p_median``."""
        chosen = self.experiment.design
        if not isinstance(chosen, Factorial):
            return scenario
        levels = next(cell.levels for cell in self.cells if cell.name == scenario)
        return " ".join(label for factor, label in levels.items() if factor not in chosen.within)

    def zh(self, name: str) -> str:
        """Return the Chinese of what the experiment or a declaration names, else the name itself.

        That is a scenario, factor, label, group, measure or uncertainty.
        """
        if name in self.experiment.zh:
            return self.experiment.zh[name]
        if name in measures.BY_NAME:
            return measures.BY_NAME[name].zh
        if name in uncertainties.BY_NAME:
            return uncertainties.BY_NAME[name].meaning_zh
        return plain(name)


def outcome(name: str, zh: bool) -> str:
    """Name an outcome, which may share its name with an uncertainty or a label of a factor."""
    known = outcomes.BY_NAME.get(name)
    if known is None:
        return plain(name)
    return known.meaning_zh if zh else known.label


def english(name: str) -> str:
    """Return the English label of a measure or an uncertainty; any other name in words."""
    for declared in (measures.BY_NAME, uncertainties.BY_NAME):
        if name in declared:
            return str(declared[name].label)
    return plain(name)


def arrow(better: str) -> str:
    """Mark which way is better."""
    return {"higher": " ↑", "lower": " ↓"}.get(better, "")


def digits(half: float, most: int = 8) -> int:
    """Return the decimals that show two figures of ``half``, the half-width of an interval."""
    return min(max(1 - math.floor(math.log10(half)), 0), most)


def number(value: float) -> str:
    """Write a number with about three figures."""
    if math.isnan(value):
        return "–"
    size = abs(value)
    if 0 < size < 0.0005:
        return f"{value:.1e}"
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f}"


def estimated(value: float, low: float, high: float) -> str:
    """Write a difference with its interval, to two figures of the half-width."""
    if math.isnan(value):
        return "–"
    half = (high - low) / 2
    if not half > 0:
        return f"{value:+.3g}"
    digits = min(max(1 - math.floor(math.log10(half)), 0), 6)
    told, below, above = (f"{x:+,.{digits}f}" for x in (value, low, high))
    return f"{told} [{below}, {above}]"
