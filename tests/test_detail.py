"""`keep: detail`: what is told of communities and days adds up to what is told of the city."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from reformsim.cases.state import T
from reformsim.cli import app
from reformsim.config import load_yaml
from reformsim.experiment import plan
from reformsim.experiment.schema import Experiment
from reformsim.model import CityModel

pd = pytest.importorskip("pandas")
EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"


@pytest.fixture(scope="module")
def model(town) -> CityModel:
    model = CityModel(town(warm_up=40, days=70), rng=1)
    model.run_until(70)
    return model


def test_what_communities_tell_adds_up_to_the_city(model):
    by_community, whole = model.communities(), model.outcomes()
    assert by_community["place"].nunique() == len(model.city.communities)
    for _, places, period, totals in model.history.communities():
        people = pd.Series(totals.people, index=places)
        for name in ("satisfaction", "open_cases", "needs"):
            of_city = (whole["level"] == "city") & (whole["outcome"] == name)
            here = whole[of_city & (whole["period"] == period)]
            of_all = (by_community["outcome"] == name) & (by_community["period"] == period)
            values = by_community[of_all].set_index("place")["value"]
            mean = np.average(values, weights=people[values.index])
            assert mean == pytest.approx(here["value"].item(), rel=1e-9)


def test_days_add_up_to_what_was_counted(model):
    days = model.daily()
    assert len(days) == 70 * len(model.city.districts)
    for name in ("needs", "voiced", "closed"):
        assert days[name].sum() == model.columns.tally[:, :, T[name]].sum()


def test_a_run_kept_in_detail_writes_both_as_tables(tmp_path):
    (tmp_path / "small.yaml").write_text(
        "name: small\ntitle: Small\ntitle_zh: 小\nquestion: What?\ncity: town\nwarm_up: 31\n"
        "years: 1\nreplications: 1\nkeep: detail\noutcomes: [satisfaction]\n"
        "scenarios: {a: {}, b: {reform: [{measure: governance_committee, from: 31}]}}\n"
        "baseline: a\n",
        encoding="utf-8",
    )
    made = CliRunner().invoke(
        app, ["run", str(tmp_path / "small.yaml"), "-o", str(tmp_path / "out"), "--workers", "1"]
    )
    assert made.exit_code == 0, made.output
    daily = pd.read_csv(tmp_path / "out" / "daily.csv")
    assert len(daily) == 2 * (31 + 365) * 4 and set(daily["scenario"]) == {"a", "b"}
    communities = pd.read_csv(tmp_path / "out" / "community.csv")
    assert {"scenario", "outcome", "value", "place", "period"} <= set(communities.columns)
    same = daily[daily["day"] < 31].pivot(
        index=["day", "outcome"], columns="scenario", values="value"
    )
    assert (same["a"] == same["b"]).all()


def test_the_whole_city_is_kept_in_detail():
    for name in ("chengdu_year", "chengdu_decade"):
        assert load_yaml(f"experiments/{name}.yaml").data["keep"] == "detail"
    assert "detail" in str(Experiment.model_fields["keep"].annotation)


@pytest.mark.parametrize("name", ["chengdu_year", "chengdu_decade"])
def test_the_whole_city_can_pay_for_its_reform(name):
    """All steps in force in the second month, under a seed with which one town goes beyond 35 %."""
    asked = plan.of(Experiment.load(EXPERIMENTS / f"{name}.yaml"))
    scenario = next(asked.source.scenario(run) for run in asked.runs if run.scenario == "systemic")
    from_now_on = {"from_day": 31, "until": None}
    steps = tuple(step.model_copy(update=from_now_on) for step in scenario.reform)
    # few needs, to be quick; measures cost the more of a budget
    facts = scenario.uncertainties | {"needs": 0.5}
    changes = {"warm_up": 31, "days": 62, "reform": steps, "uncertainties": facts}
    model = CityModel(scenario.model_copy(update=changes), 0)
    model.run_until(62)
    spent = model.administration.economy.accounts
    assert (spent["measures_rate"] > 0.35 * spent["transfer"]).any()
