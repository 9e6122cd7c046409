"""The path design → runs → store on a small model: what is asked, and what comes out."""

import io
import itertools
from pathlib import Path

import numpy as np
import pytest

from fake_model import BOTH, COMPENSATION, EFFECTS, FakeModel, fake_model
from reformsim import outcomes
from reformsim.config import ConfigError
from reformsim.experiment import analysis, design, plan, run
from reformsim.experiment.bench import Bench
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results

ROOT = Path(__file__).parents[1]
OUTCOMES = [outcome.name for outcome in outcomes.OUTCOMES if outcome.headline][:4]


def on(measure: str) -> dict:
    return {"reform": [{"measure": measure}]}


def comparison(**changes) -> Experiment:
    base = {
        "name": "comparison",
        "title": "A comparison",
        "title_zh": "比较",
        "question": "Which?",
        "city": {"name": "x"},
        "years": 1,
        "replications": 3,
        "outcomes": OUTCOMES,
        "scenarios": {"old": {}, "new": on("governance_committee")},
        "baseline": "old",
    }
    return Experiment.model_validate(base | changes)


def factorial(**changes) -> Experiment:
    factors = {
        "duty": {"kept": {}, "removed": on("remove_investment_duty")},
        "a2": {"low": {}, "high": on("satisfaction_assessment")},
        "paid": {
            "none": {"uncertainties": {"revenue_compensation": 0}},
            "full": {"uncertainties": {"revenue_compensation": 1}},
        },
    }
    shape = {"kind": "factorial", "factors": factors} | changes.pop("design", {})
    return comparison(scenarios={}, baseline=None, design=shape, **changes)


def execute(experiment: Experiment, directory: Path, workers: int = 1, **more) -> Results:
    return run.execute(experiment, directory, workers, fake_model, io.StringIO(), **more)


# ---------------------------------------------------------------------------------------- design


@pytest.mark.parametrize(
    ("name", "cells"), [("regimes", 3), ("investment_duty", 32), ("station_layouts", 15)]
)
def test_shipped_experiments_are_valid(name, cells):
    experiment = Experiment.load(ROOT / "experiments" / f"{name}.yaml")
    assert experiment.name == name
    assert len(design.cells(experiment)) == cells
    assert len(design.runs(experiment)) == cells * experiment.replications


def test_all_scenarios_of_a_replication_share_its_seed():
    runs = design.runs(comparison(seed=7))
    assert [run.id for run in runs] == list(range(6))
    assert [run.seed for run in runs] == [7, 7, 8, 8, 9, 9]
    assert [run.scenario for run in runs] == ["old", "new"] * 3


def test_factorial_has_every_combination_of_labels_and_their_differences():
    experiment = factorial()
    scenarios = design.scenarios(experiment)
    assert len(scenarios) == 8
    asked = plan.of(experiment)
    assert all(asked.source.scenario(run) == scenarios[run.scenario] for run in asked.runs)
    for labels in itertools.product(("kept", "removed"), ("low", "high"), ("none", "full")):
        scenario = scenarios["duty={} a2={} paid={}".format(*labels)]
        assert [step.measure for step in scenario.reform] == [
            *(["remove_investment_duty"] if labels[0] == "removed" else []),
            *(["satisfaction_assessment"] if labels[1] == "high" else []),
        ]
        assert scenario.uncertainties == {"revenue_compensation": float(labels[2] == "full")}


def test_references_stay_within_their_group():
    found = design.references(factorial(design={"within": ["paid"]}))
    assert found == {
        f"duty={duty} a2={a2} paid={paid}": f"duty=kept a2=low paid={paid}"
        for duty, a2, paid in itertools.product(
            ("kept", "removed"), ("low", "high"), ("none", "full")
        )
        if (duty, a2) != ("kept", "low")
    }


def test_differences_add_steps_and_replace_values():
    experiment = comparison(
        reform=[{"measure": "joint_conference"}],
        uncertainties={"needs": 3.0, "p_mis": 0.1},
        scenarios={
            "old": {},
            "new": {**on("governance_committee"), "uncertainties": {"needs": 4.0}},
        },
    )
    new = design.scenarios(experiment)["new"]
    assert [step.measure for step in new.reform] == ["joint_conference", "governance_committee"]
    assert new.uncertainties == {"needs": 4.0, "p_mis": 0.1}
    assert new.days == 2 * 365


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("{reform: systemic}", "{reform: systematic}", "scenarios.systemic.reform", "systemic"),
        ("{reform: systemic}", "{uncertainties: {needs: 99}}", "uncertainties.needs", "[0.5, 12]"),
        ("{reform: systemic}", "{reform: [{measure: nope}]}", "reform.0.measure", "nope"),
        ("baseline: block", "baseline: blok", "baseline", "block_separated, systemic_core"),
        ("figures: [curves", "figures: [cells", "figures.0", "has curves, contrasts"),
        ("- satisfaction", "- satisfacton", "outcomes.0", "did you mean satisfaction?"),
        ("seed", "sed", "", ""),
    ],
)
def test_faults_are_told_at_their_place(tmp_path, old, new, place, words):
    text = (ROOT / "experiments/regimes.yaml").read_text(encoding="utf-8")
    if old == "seed":
        text, place, words = f"{text}\nsed: 3\n", "sed", "unknown key"
    file = tmp_path / "x.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    with pytest.raises(ConfigError) as caught:
        Experiment.load(file)
    (line,) = caught.value.lines
    assert "x.yaml:" in line and place in line and words in line


# ------------------------------------------------------------------------------------------ runs


def test_the_path_recovers_known_effects(tmp_path):
    """Noise of 0.3 % a run, 4 × 8 runs: 2 % of the base is more than ten standard errors."""
    results = execute(factorial(replications=4), tmp_path)
    found = {
        (e.outcome, e.factors): e.value / (1 + len(e.outcome) / 10)
        for e in analysis.effects(results, {"duty": ("kept", "removed"), "a2": ("low", "high"),
                                            "paid": ("none", "full")})
    }  # fmt: skip
    for outcome in OUTCOMES:
        duty = EFFECTS["remove_investment_duty"] + BOTH / 2
        assert found[outcome, ("duty",)] == pytest.approx(duty, abs=0.02)
        assert found[outcome, ("duty", "a2")] == pytest.approx(BOTH, abs=0.02)
        assert found[outcome, ("paid",)] == pytest.approx(COMPENSATION, abs=0.02)
        assert found[outcome, ("duty", "paid")] == pytest.approx(0, abs=0.02)


def test_models_are_set_back_not_built_anew():
    built = []

    def factory(scenario, seed, threads):
        built.append(scenario.city.name)
        return FakeModel(scenario, seed, threads)

    experiment = comparison(scenarios={"old": {}, "new": {"city": {"name": "y"}}})
    asked = plan.of(experiment)
    bench = Bench(factory, threads=1)
    for job in asked.runs:
        bench.run(asked.source, job)
    assert built == ["x", "y"]


def test_fake_model_shares_chance_between_scenarios():
    """The tests above rest on it: pairing must matter."""
    scenarios = design.scenarios(comparison())
    values = {
        name: np.array([FakeModel(s, seed).outcomes()["value"].iloc[0] for seed in range(40)])
        for name, s in scenarios.items()
    }
    assert analysis.variance_reduction(values["new"], values["old"]) > 3
