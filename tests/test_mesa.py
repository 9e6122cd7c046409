"""An honest mesa.Model: steps, agent sets, data collection, batch runs; residents as a set."""

import gc
import runpy
from pathlib import Path

import mesa
import numpy as np
import pytest

from reformsim.cases.columns import drifted
from reformsim.institutions.agents import (
    GovernanceCommittee,
    GridWorker,
    InvestmentTeam,
    SocialOrganisation,
    SubdistrictOffice,
)
from reformsim.model import CityModel
from reformsim.outcomes import HEADLINES, OF_LONG_PERIODS
from reformsim.scenario import Step


@pytest.fixture
def model(town) -> CityModel:
    return CityModel(town(days=120), rng=1)


def tally(model: CityModel) -> bytes:
    model.residents  # noqa: B018  catches up with the day
    return model.columns.tally.tobytes()


def test_a_step_is_a_day(model):
    assert isinstance(model, mesa.Model)
    other = CityModel(model.scenario, rng=1)
    for day in range(1, 41):
        model.step()
        assert (model.time, model.steps) == (day, day)
    other.run_until(40)
    assert tally(model) == tally(other)
    assert model.columns.tally[:, :, 0].sum() > 5000
    other.run_for(80)
    assert other.time == 120
    with pytest.raises(ValueError, match="after the scenario's 120 days"):
        other.run_until(121)


def test_a_run_stops_at_the_end_and_starts_again(town):
    model = CityModel(town(warm_up=10, days=35), rng=1)
    model.run_model()
    assert (model.time, model.steps, model.running) == (35, 35, False)
    model.reset(model.scenario, rng=1)
    assert (model.time, model.steps, model.running) == (0, 0, True)
    for day in range(1, 36):
        assert model.running
        model.step()
        assert (model.time, model.steps) == (day, day)
    assert not model.running


def test_batch_run(town):
    scenarios = [
        town(warm_up=30, days=75),
        town(Step(measure="service_stations", from_day=30), warm_up=30, days=75),
    ]
    rows = mesa.batch_run(
        CityModel,
        {"scenario": scenarios, "collect": [True]},
        rng=[1, 2],
        max_steps=200,
        number_processes=1,
        data_collection_period=1,
        display_progress=False,
    )
    assert len({row["RunId"] for row in rows}) == 4
    assert [row["Step"] for row in rows] == [30, 60, 75] * 4
    for row in rows:
        assert set(HEADLINES) - set(OF_LONG_PERIODS) <= set(row)
        assert 0 < row["satisfaction"] < 1
    ends = {(row["rng"], row["scenario"] == scenarios[1]): row for row in rows if row["Step"] == 75}
    assert ends[1, True]["walk"] != ends[1, False]["walk"]  # the reform is in the rows
    assert ends[1, False]["satisfaction"] != ends[2, False]["satisfaction"]


def test_data_collector_takes_the_curves(town):
    model = CityModel(town(days=120), rng=1, collect=True)
    model.run_until(120)
    frame = model.datacollector.get_model_vars_dataframe()
    monthly = [name for name in HEADLINES if name not in OF_LONG_PERIODS]
    assert list(frame.columns) == monthly
    curves = model.curves().pivot(index="day", columns="outcome", values="value")
    assert list(curves.index) == [30, 60, 91, 120]
    np.testing.assert_array_equal(frame.to_numpy(), curves[monthly].to_numpy())
    silent = CityModel(town(days=40), rng=1)
    silent.run_until(40)
    assert silent.datacollector.get_model_vars_dataframe().empty


def test_agents_are_views_of_rows_with_the_verbs_of_an_agent_set(model):
    a = model.administration
    kinds = {
        SubdistrictOffice: a.offices, GridWorker: a.people.workers,
        SocialOrganisation: a.people.organisations,
        GovernanceCommittee: a.districts, InvestmentTeam: a.districts,
    }  # fmt: skip
    assert set(model.agent_types) == set(kinds)
    for kind, table in kinds.items():
        agents = model.agents_by_type[kind]
        assert len(agents) == len(table)
        for name in table.dtype.names:
            np.testing.assert_array_equal(agents.get(name), table[name])
    assert len(model.agents) == sum(map(len, kinds.values()))

    offices = model.agents_by_type[SubdistrictOffice]
    assert offices.agg("heads", sum) == pytest.approx(a.offices["heads"].sum())
    larger = offices.select(lambda office: office.heads > a.offices["heads"].mean())
    assert [office.index for office in larger] == [int(a.offices["heads"].argmax())]
    larger.set("effort_residents", 0.25)
    assert (a.offices["effort_residents"] == 0.25).sum() == 1
    offices.do(lambda office: setattr(office, "skill", 0.5))
    assert (a.offices["skill"] == 0.5).all()
    offices.shuffle_do(lambda office: setattr(office, "skill", office.skill + 0.25))
    assert (a.offices["skill"] == 0.75).all()

    workers = model.agents_by_type[GridWorker]
    groups = workers.groupby("vacant").agg("burnout", len)
    assert sum(groups.values()) == len(a.people.workers)
    best = model.agents_by_type[SocialOrganisation].sort("capacity").to_list()[0]
    assert best.capacity == a.people.organisations["capacity"].max()
    with pytest.raises(AttributeError, match="no attribute 'salary'"):
        _ = best.salary
    best.note = "an ordinary attribute"
    assert best.note == "an ordinary attribute"
    assert "note" not in a.people.organisations.dtype.names


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (SubdistrictOffice, "effort_residents", 0.0),
        (SubdistrictOffice, "skill", 0.4),
        (SubdistrictOffice, "heads", 3.0),
        (SubdistrictOffice, "filled", 0.3),
        (SubdistrictOffice, "weight_satisfaction", None),  # written anew from the rules
        (GridWorker, "vacant", True),
        (GridWorker, "skill", 0.3),
        (GridWorker, "burnout", 20.0),
        (SocialOrganisation, "capacity", 0.0),
        (SocialOrganisation, "funds", 1e6),
    ],
)
def test_an_agent_changed_is_a_run_changed(model, town, kind, name, value):
    plain = CityModel(model.scenario, rng=1)
    for run in (model, plain):
        run.run_until(31)
    if value is None:
        model.agents_by_type[kind].set("taste_satisfaction", 3.0)
    else:
        model.agents_by_type[kind].set(name, value)
    for run in (model, plain):
        run.run_until(120)
    assert tally(model) != tally(plain)


def test_residents_are_a_set(model):
    model.run_until(50)
    people = model.residents
    assert len(people) == 20_000 == len(model.columns.residents)
    older = people.select(people.get("age") == 2)
    assert len(older) == (model.city.people.age == 2).sum()
    assert older.agg("age", [np.min, np.max]) == [2, 2]
    by_place = people.groupby("subdistrict")
    assert sum(by_place.count().values()) == len(people)
    means = by_place.agg("satisfaction_now", np.mean)
    outcome = model.outcomes()
    assert set(means) == {0, 1} and all(0 < m < 1 for m in means.values())
    assert outcome["value"].notna().all()
    exact = np.concatenate([drifted(d, 50.0)[0] for d in model.columns.districts])
    np.testing.assert_array_equal(people.get("satisfaction_now"), exact)
    one = people[7]
    one.known = 1
    assert model.columns.residents["known"][7] == 1
    assert one.community == model.city.grids.community[model.columns.residents["place"][7]]
    with pytest.raises(AttributeError, match="read-only"):
        people.set("place", 0)
    multiplier = people.agg("need_multiplier", np.mean)
    assert multiplier == pytest.approx(model.city.grids.multiplier_sum.sum() / 20_000)


@pytest.mark.parametrize("name", ["trust_grid", "trust_station", "trust_hotline", "known", "age"])
def test_a_resident_changed_is_a_run_changed(model, name):
    plain = CityModel(model.scenario, rng=1)
    for run in (model, plain):
        run.run_until(31)
    people = model.residents
    people.select(people.get("id") % 3 == 0).set(name, 0 if name.startswith("trust") else 1)
    for run in (model, plain):
        run.run_until(120)
    assert tally(model) != tally(plain)


def test_edited_satisfaction_reaches_the_city(model):
    """The sums by community follow an edit, as one does in a lesson with the town."""
    model.run_until(31)
    plain = model.residents.agg("satisfaction_now", np.mean)
    model.residents.set("satisfaction", 1.0)
    lifted = model.residents.agg("satisfaction_now", np.mean)
    assert lifted > plain + 0.1
    model.run_until(32)
    table = model.outcomes()
    city = table[(table["level"] == "city") & (table["outcome"] == "satisfaction")]
    later = model.residents.agg("satisfaction_now", np.mean)
    assert later == pytest.approx(lifted, abs=0.01)
    assert city["value"].max() > plain + 0.1
    for d in model.columns.districts:
        cell = d.grids["community"][d.residents["place"]] * 3 + d.residents["age"]
        n = np.bincount(cell, minlength=d.pulse.size)
        np.testing.assert_array_equal(d.pulse["people"].ravel(), n)


def resident_pages() -> int:
    """Memory of this process in bytes, where the system says so."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return 4096 * int(file.read().split()[1])
    except OSError:
        pytest.skip("no /proc here to read the memory from")


def test_two_hundred_resets_do_not_grow_memory(town):
    """A run of the town holds 1.2 MB: 150 resets after the first 50 may not keep ten of them."""
    scenarios = [
        town(days=40, warm_up=10),
        town(Step(measure="service_stations"), days=400, warm_up=10),
    ]
    model = CityModel(scenarios[0], rng=0)
    used = []
    for k in range(200):
        model.reset(scenarios[k % 2], rng=k)
        model.run_until(3)
        if k in (49, 199):
            gc.collect()
            used.append(resident_pages())
    assert len(model.agents) < 100  # those of one run
    assert used[1] - used[0] < 12e6


def test_the_example_for_solara_imports_where_it_is_there(monkeypatch):
    pytest.importorskip("solara", reason="needs mesa[viz]")
    root = Path(__file__).resolve().parents[1]
    monkeypatch.chdir(root)
    found = runpy.run_path(str(root / "docs" / "examples" / "solara_app.py"))
    town = found["Town"](rng=2)
    town.step()
    assert town.time == 1 and found["page"] is not None
