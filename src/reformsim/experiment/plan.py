"""What is to be run: the runs, and the scenario of each; written down before anything runs.

The design file has one line for each scenario, fully resolved: the first in full, of the others
what differs from it. It decides whether an experiment may go on in a directory: every run that
was planned there must still mean the same. More scenarios and replications may come.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from reformsim.experiment import design
from reformsim.experiment.design import Run
from reformsim.experiment.files import digest, seal, unseal
from reformsim.experiment.kinds import Pilot
from reformsim.experiment.sampling import Sample
from reformsim.experiment.schema import Experiment

#: All that a run tells, alone or with communities and days, or the outcomes of the whole city after
#: the transition, alone or with the panel of the scenario.
Keep = Literal["all", "detail", "headlines", "panel"]

#: From so many runs on, an experiment that does not say otherwise keeps headlines.
SWEEP = 200


class Asked(Protocol):
    """What a model is asked to run; ``reformsim.Scenario`` is one."""

    @property
    def days(self) -> int:
        """The day to run to."""

    def resolved(self) -> dict[str, Any]:
        """Return all that repeats it, fit for JSON, with ``uncertainties`` among its keys."""


class Source(Protocol):
    """Gives the scenario of a run; travels to the processes that do the work."""

    def scenario(self, run: Run) -> Asked:
        """Return what the model is asked in ``run``."""


@dataclass(frozen=True)
class Plan:
    """Runs to make, by name of the experiment; ``about`` is the experiment for the reader."""

    name: str
    runs: Sequence[Run]
    source: Source
    about: dict[str, Any]
    keep: Keep | None = None

    def __post_init__(self) -> None:
        """Refuse two runs of one name: results are kept by scenario and replication."""
        if len({(run.scenario, run.replication) for run in self.runs}) < len(self.runs):
            raise ValueError(f"{self.name}: two runs have the same scenario and replication")


@dataclass(frozen=True)
class FromExperiment:
    """The scenarios of an experiment file, each built when its run is due."""

    experiment: Experiment

    def scenario(self, run: Run) -> Asked:
        """Return the scenario of ``run``."""
        return design.scenario_of(self.experiment, run)


def of(experiment: Experiment, points: Sample | None = None) -> Plan:
    """Return the plan of an experiment, at ``points`` instead of those its design draws."""
    return Plan(
        experiment.name,
        design.runs(experiment, points),
        FromExperiment(experiment),
        experiment.model_dump(mode="json", exclude_defaults=True),
        "panel" if isinstance(experiment.design, Pilot) else experiment.keep,
    )


def written(plan: Plan) -> bytes:
    """Return the design file of a plan."""
    several: dict[str, list[Run]] = {}
    for run in plan.runs:
        several.setdefault(run.scenario, []).append(run)
    lines: list[str] = []
    base: dict[str, Any] = {}
    for name, runs in several.items():
        full = plan.source.scenario(runs[0]).resolved()
        base = base or full
        named = [[run.replication, run.id, run.seed] for run in runs]
        line = {"scenario": name, "runs": named, "asked": _less(full, base)}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    text = "".join(lines).encode()
    return text + seal({"scenarios": len(lines), "sha256": digest(text)}).encode()


def read(data: bytes) -> "Written":
    """Read a design file back. Raises ValueError where it is not as written."""
    try:
        body, _, last = data.removesuffix(b"\n").rpartition(b"\n")
        body += b"\n"
        if unseal(last.decode() + "\n")["sha256"] != digest(body) or not data.endswith(b"\n"):
            raise ValueError("damaged: its text does not match its check")
        lines = [json.loads(line) for line in body.splitlines()]
    except (KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"damaged ({error})") from error
    return Written({line["scenario"]: line for line in lines})


@dataclass(frozen=True)
class Written:
    """A design file: its lines by scenario, the first one in full."""

    lines: dict[str, dict[str, Any]]

    def asked(self, scenario: str) -> dict[str, Any]:
        """Return a resolved scenario; raises KeyError where there is none of this name."""
        base = next(iter(self.lines.values()))["asked"]
        less = self.lines[scenario]["asked"]
        facts = base.get("uncertainties", {}) | less.get("uncertainties", {})
        return base | less | {"uncertainties": facts}

    def seeds(self, scenario: str) -> dict[int, int]:
        """Return the seed of each replication of a scenario."""
        return {replication: seed for replication, _, seed in self.lines[scenario]["runs"]}

    def find(self, name: str) -> Run:
        """Return the run of a name: its number, or ``scenario/replication``.

        Raises KeyError where there is none.
        """
        for scenario, line in self.lines.items():
            for replication, number, seed in line["runs"]:
                if name in (str(number), f"{scenario}/{replication}"):
                    return Run(number, scenario, {}, replication, seed)
        raise KeyError(name)


def changes(then: Written, now: Written) -> list[str]:
    """Return what a run that was planned would now do otherwise: field, before, after.

    A change that all scenarios share is told once. Empty where ``now`` only adds runs.
    """
    found: dict[str, list[str]] = {}
    for name in then.lines:
        for change in _changes(then, now, name):
            found.setdefault(change, []).append(name)
    shared = len(then.lines)
    return [
        change.lstrip(".: ") if len(names) == shared else f"scenarios.{name}{change}"
        for change, names in found.items()
        for name in (names[:1] if len(names) == shared else names)
    ]


def _changes(then: Written, now: Written, scenario: str) -> Iterator[str]:
    """Yield what differs in one scenario, each beginning with what parts it from the name."""
    if scenario not in now.lines:
        yield ": not asked for any more"
        return
    for change in differences(then.asked(scenario), now.asked(scenario)):
        yield f".{change}"
    before, after = then.seeds(scenario), now.seeds(scenario)
    if before.keys() - after.keys():
        yield f": replications: {len(before)} -> {len(after)}"
    for replication, seed in before.items():
        if after.get(replication, seed) != seed:
            yield f": seed of replication {replication}: {seed} -> {after[replication]}"


def differences(then: Any, now: Any, path: str = "") -> Iterator[str]:
    """Yield ``path: old -> new`` for every leaf at which two nested configs differ."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in sorted({*then, *now}):
            at = f"{path}.{key}" if path else str(key)
            yield from differences(then.get(key, "absent"), now.get(key, "absent"), at)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for i, (a, b) in enumerate(zip(then, now, strict=True)):
            yield from differences(a, b, f"{path}.{i}")
    elif then != now:
        yield f"{path}: {_brief(then)} -> {_brief(now)}"


def _less(full: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that differ from ``base``, of uncertainties only the values that do."""
    if full is base:
        return full
    less = {key: value for key, value in full.items() if base.get(key, ...) != value}
    if "uncertainties" in less:
        facts = base["uncertainties"]
        mine = full["uncertainties"].items()
        less["uncertainties"] = {k: v for k, v in mine if facts.get(k, ...) != v}
    return less


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."
