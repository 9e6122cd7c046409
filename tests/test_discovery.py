"""Planted boxes are found, luck is not taken for a rule, and regrets are what they should be."""

import io

import numpy as np
import pytest
from rich.console import Console

from reformsim.experiment import design, discovery, responses, robustness
from reformsim.experiment.analysis import Trait
from reformsim.experiment.responses import Response
from reformsim.experiment.sampling import Sample, latin_hypercube
from reformsim.report import data, tables
from reformsim.report.study import Study
from toys import INPUTS, experiment, simulate, unit

TWO = {"old": {}, "new": {"reform": [{"measure": "governance_committee"}]}}
THREE = TWO | {"mixed": {"reform": [{"measure": "joint_conference"}]}}


def sweep(points=400, scenarios=TWO, inputs=8):
    return experiment(
        scenarios=scenarios,
        baseline="old",
        design={"kind": "latin_hypercube", "points": points, "uncertainties": INPUTS[:inputs]},
    )


def planted(seed: int, points=400, inputs=20, flipped=0.1):
    """Points, and who lies in the box x0 < 0.4, x1 > 0.6, a tenth of the answers turned round."""
    x = latin_hypercube(points, inputs, seed)
    inside = (x[:, 0] < 0.4) & (x[:, 1] > 0.6)
    return x, inside ^ (np.random.default_rng(seed).random(points) < flipped)


def test_a_planted_box_is_found():
    """Its sides within 0.1 and nothing else, though 18 inputs do nothing and a tenth is wrong.

    Of 100 samples 76 gave exactly this; fewer than 10 of 20 come once in 500.
    """
    exact = 0
    for seed in range(20):
        found = {(i, above): value for i, above, value in discovery.box(*planted(seed))}
        exact += found.keys() == {(0, False), (1, True)} and (
            abs(found[0, False] - 0.4) < 0.1 and abs(found[1, True] - 0.6) < 0.1
        )
        assert {i for i, _ in found} <= {0, 1}  # an idle input: once in 20 samples at most
    assert exact >= 10


def test_a_box_of_four_sides_is_found_when_two_are_in_one_input():
    x = latin_hypercube(500, 5, 1)
    inside = (abs(x[:, 2] - 0.5) < 0.2) & (x[:, 4] < 0.5)
    found = {(i, above) for i, above, _ in discovery.box(x, inside)}
    assert found == {(2, True), (2, False), (4, False)}


def rule_of(y: np.ndarray, x: np.ndarray, better: str = "higher") -> discovery.Rule | None:
    bounds = {f"x{i}": (0.0, 1.0) for i in range(x.shape[1])}
    sample = Sample(bounds, x, np.arange(len(x)), np.ones(len(x), int))
    response = Response(Trait("satisfaction", "", better), "new", "old", y[:, None])
    return discovery.discover(response, sample)


def test_luck_is_not_taken_for_a_rule():
    """100 samples of 20 inputs that do nothing: more than five rules once in 10,000 at 1 %."""
    found = 0
    for seed in range(100):
        x = latin_hypercube(200, 20, seed)
        rule = rule_of(np.random.default_rng(seed).normal(size=200), x)
        found += bool(rule.restrictions)
    assert found <= 5


def test_figures_of_a_rule_come_from_the_other_half():
    x, lost = planted(3, points=1000)
    rule = rule_of(np.where(lost, -1.0, 1.0), x)
    assert rule.base == pytest.approx(lost[1::2].mean())
    assert rule.density == pytest.approx(0.9, abs=0.1)
    assert rule.density_low < rule.density < rule.density_high
    # of 0.16·0.9 + 0.84·0.1 = 0.228 losses in all, 0.144 lie in the box
    assert rule.coverage == pytest.approx(0.144 / 0.228, abs=0.12)
    assert rule_of(np.where(lost, 1.0, -1.0), x, "lower").restrictions == rule.restrictions


def test_there_is_no_rule_where_there_is_no_better_side_or_no_loss():
    x, lost = planted(1)
    assert rule_of(np.where(lost, -1.0, 1.0), x, "neither") is None
    assert rule_of(np.ones(400), x) is None


def formula(scenario, seed):
    """The new way loses where needs are many and novelty is low; a mixed way does half of it."""
    x = unit(scenario, 4)
    strength = {"governance_committee": 1.0, "joint_conference": 0.5}
    loses = x[0] > 0.5 and x[3] < 0.5
    return sum(strength[s.measure] for s in scenario.reform) * (-2.0 if loses else 1.0)


def test_a_rule_is_told_in_plain_words_in_both_languages():
    asked = sweep()
    (response,) = responses.responses(asked, simulate(asked, formula))
    rule = discovery.discover(response, design.sample(asked))
    assert {(r.uncertainty, r.above) for r in rule.restrictions} == {
        ("needs", True),
        ("novelty", False),
    }
    bound = {r.uncertainty: r.value for r in rule.restrictions}
    assert bound["needs"] == pytest.approx(6.25, abs=0.6)
    assert bound["novelty"] == pytest.approx(0.1, abs=0.01)
    assert "needs per resident above 6" in rule.words()
    assert "cases of a new kind below 0." in rule.words()
    assert rule.density > 0.9 and "worse in 9" in rule.words()
    assert "居民每年产生的需求数高于 6" in rule.words(zh=True)


def test_regret_of_known_numbers():
    trait = Trait("problem_days", "days", "lower")
    values = {
        "a": np.array([1.0, 5.0, 3.0, np.nan]),
        "b": np.array([2.0, 3.0, 2.0, 0.0]),
    }
    a, b = robustness.regrets(trait, values)
    assert (a.n, a.worst, a.mean, a.choice, a.failed) == (3, 2.0, 1.0, False, 1)
    assert (b.n, b.worst, b.mean, b.choice, b.failed) == (3, 1.0, pytest.approx(1 / 3), True, 0)
    assert robustness.regrets(Trait("needs", "", "neither"), values) == []


def test_the_careful_choice_of_three_bundles_is_the_mixed_one():
    """Worst regrets: old 1, new 2, mixed the smaller of its two halves, 1 where it loses."""
    asked = sweep(scenarios=THREE)
    study = Study(asked, simulate(asked, formula), "0")
    worst = {r.scenario: r.worst for r in study.worlds.regrets}
    assert worst == {"old": 1.0, "new": 2.0, "mixed": 1.0}
    assert [r.scenario for r in study.worlds.regrets if r.choice] == ["old"]
    for zh in (False, True):
        console = Console(file=io.StringIO(), width=80)
        tables.write(study, console, zh)
        text = " ".join(console.file.getvalue().split())
        assert ("needs per resident above" in text) is not zh
        assert ("最小化最大遗憾" in text) is zh
    assert data.summary(study, [])["rules"][0]["restrictions"].startswith("where ")
