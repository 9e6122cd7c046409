"""The same bits: whatever the order, the pauses, the threads, the processes, the scenario before.

`Bits` compares all that a run has: residents, cases, counts, institutions, money.
"""

import hashlib
import multiprocessing
import weakref
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim.cases import columns as case_columns
from reformsim.cases import state as s
from reformsim.cases.queue import in_order
from reformsim.measures import BY_NAME
from reformsim.model import CityModel
from reformsim.scenario import Scenario, Step

MID_MONTH = 47  # months start on days 30 and 60
DAYS = 150


def bits(model: CityModel) -> dict[str, bytes]:
    """Everything that a run has changed, by name."""
    model.residents  # noqa: B018  catches up with the day
    c, a = model.columns, model.administration
    cases = np.concatenate([d.cases[d.cases["stage"] != s.FREE] for d in c.districts])
    found = {name: getattr(c, name) for name in ("residents", "pulse", "tally", "days")}
    found |= {"grids": c.grids, "communities": c.communities, "units": c.units, "cases": cases}
    found |= {f"daily {k}": d.daily for k, d in enumerate(c.districts)}
    found |= {f"waits {k}": d.waits for k, d in enumerate(c.districts)}
    found |= {f"desks {k}": d.desks for k, d in enumerate(c.districts)}
    found |= {name: getattr(a, name) for name in ("offices", "districts")}
    names = ("workers", "organisations", "participation")
    found |= {name: getattr(a.people, name) for name in names}
    found |= {name: getattr(a.economy, name) for name in ("accounts", "district_accounts")}
    found |= {name: getattr(a.places, name) for name in ("rows", "spent")}
    found["pipeline"] = a.places.facilities.pipeline
    found |= {"hours": a.books.hours, "accept": c.accept, "living": c.living}
    found["business"] = a.business.table
    return {name: values.tobytes() for name, values in found.items()}


def differing(a: dict[str, bytes], b: dict[str, bytes]) -> list[str]:
    return [name for name in a if a[name] != b[name]]


def run(scenario: Scenario, until: int | None = None, seed: int = 1, threads: int = 1):
    model = CityModel(scenario, rng=seed, threads=threads)
    model.run_until(scenario.days if until is None else until)
    return model


def systemic(start: int = 30) -> list[Step]:
    return [Step(measure=name, from_day=start) for name in BY_NAME]


def digest(scenario: Scenario, seed: int) -> str:
    """Hash a run: what a process of its own sends back."""
    found = bits(run(scenario, seed=seed))
    return hashlib.sha256(b"".join(found.values())).hexdigest()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 3)), max_size=40))
def test_in_order_sorts_as_lexsort_does(made):
    table = np.zeros(2 * len(made), s.CASE)
    rows = np.arange(1, len(table), 2)  # every other row is of no concern
    for row, (arrived, key, mask) in zip(rows, made, strict=True):
        table[row]["arrived"], table[row]["key"], table[row]["mask"] = arrived / 7, key, mask
    found = table[in_order(table, rows, "arrived", "key", "mask")]
    columns = [table[name][rows] for name in ("mask", "key", "arrived")]
    assert np.array_equal(found, table[rows[np.lexsort(columns)]])


def test_one_seed_one_result_another_seed_another(town):
    scenario = town(*systemic(), days=DAYS)
    first = bits(run(scenario))
    assert differing(first, bits(run(scenario))) == []
    other = bits(run(scenario, seed=2))
    assert {"residents", "cases", "tally", "pulse"} <= set(differing(first, other))


def test_threads_change_nothing(sweep):
    scenario = sweep(*systemic(), days=60)
    one, two = (run(scenario, threads=n) for n in (1, 2))
    assert len(one.columns.districts) == 2
    assert differing(bits(one), bits(two)) == []


def test_processes_change_nothing(town):
    scenario = town(*systemic(), days=130)
    here = [digest(scenario, seed) for seed in (1, 2)]
    assert here[0] != here[1]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        there = list(pool.map(digest, [scenario, scenario], (1, 2)))
    assert there == here


def test_reset_leaves_nothing_of_the_scenario_before(town, every_measure):
    scenarios = [
        town(days=DAYS),
        town(*systemic(MID_MONTH), days=DAYS),
        town(days=DAYS, uncertainties={"needs": 9.0, "p_mis": 0.3}),
        town(Step(measure="five_plus_x_offices", from_day=30, until=80), days=120, warm_up=20),
    ]
    fresh = [bits(run(scenario)) for scenario in scenarios]
    tables = [run(scenario).outcomes() for scenario in scenarios]
    model = CityModel(scenarios[0], rng=5)
    for k in (3, 0, 1, 2, 1, 3):
        model.reset(scenarios[k], rng=1)
        model.run_until(scenarios[k].days)
        assert differing(fresh[k], bits(model)) == []
        assert model.outcomes().equals(tables[k])
        model.reset(scenarios[0], rng=7)
        model.run_until(50)  # leave one half-way, too


def test_setting_back_lays_out_one_run_at_a_time(town, monkeypatch):
    """The columns of the run before are gone by then: two whole cities do not fit."""
    model = run(town(days=31))
    before, laid_out = weakref.ref(model.columns), case_columns.build

    def build(*args, **kwargs):
        assert before() is None
        return laid_out(*args, **kwargs)

    monkeypatch.setattr(case_columns, "build", build)
    model.reset(model.scenario, rng=2)
    model.run_until(31)


def test_pauses_and_questions_change_nothing(town):
    scenario = town(*systemic(MID_MONTH), days=DAYS, keep_cases=True, warm_up=40)
    whole = run(scenario)
    daily = CityModel(scenario, rng=1)
    while daily.running:
        daily.step()
    assert daily.time == scenario.days
    asked = CityModel(scenario, rng=1)
    for day in (1, 13, 30, 31, 40, 44, 46, 47, 48, 75, 101, 149, 150):
        asked.run_until(day)
        asked.outcomes(), asked.curves(), asked.waits(), asked.cases()
        asked.residents.get("satisfaction_now")
    for model in (daily, asked):
        assert differing(bits(whole), bits(model)) == []
        assert model.outcomes().equals(whole.outcomes())
        assert model.curves().equals(whole.curves())
        assert model.waits().equals(whole.waits())
        assert model.cases().equals(whole.cases())


def test_keeping_cases_changes_nothing_else(town):
    freed, kept = (run(town(*systemic(), days=DAYS, keep_cases=keep)) for keep in (False, True))
    assert differing(bits(freed), bits(kept)) == ["cases"]
    assert freed.outcomes().equals(kept.outcomes())
    assert len(kept.cases()) == kept.columns.tally[:, :, s.T["needs"]].sum()


def test_the_place_of_a_record_changes_nothing(town):
    """Records taken from the pool in another order; many cases leave one conference at once."""
    facts = {"cross_share": 0.42, "dispute_share": 0.5}
    runs = [CityModel(town(*systemic(), days=DAYS, uncertainties=facts), rng=1) for _ in range(2)]
    (d,) = runs[1].columns.districts
    order = np.random.default_rng(1).permutation(len(d.cases))
    d.links[order[:-1]] = order[1:]
    d.links[order[-1]] = -1
    d.state[s.FREE_HEAD] = order[0]
    for model in runs:
        model.run_until(DAYS)
        assert model.columns.tally[:, :, s.T["tabled"]].sum() > 100
    changed = set(differing(*(bits(model) for model in runs)))
    assert changed <= {"cases"}
    held = []
    for model in runs:
        cases = model.columns.districts[0].cases
        held.append(np.sort(cases[cases["stage"] != s.FREE], order=["key", "mask", "stage"]))
        held[-1]["parent"] = 0
    np.testing.assert_array_equal(*held)


@pytest.mark.parametrize("start", [60, MID_MONTH])
def test_intensity_zero_changes_no_bit(town, every_measure, start):
    without = run(town(days=DAYS))
    for name in every_measure:
        none = run(town(Step(measure=name, intensity=0.0, from_day=start), days=DAYS))
        assert differing(bits(without), bits(none)) == [], name


@pytest.mark.parametrize("start", [60, MID_MONTH])
def test_a_measure_changes_nothing_before_its_start_and_something_after(town, every_measure, start):
    """Day ``start`` − 1 is the last before; money carried over makes a cut month the hard case."""

    def begin(*steps: Step) -> CityModel:
        model = CityModel(town(*steps, days=200), rng=1)
        model.administration.economy.accounts["balance"] += 5.0
        model.administration.economy.district_accounts["balance"] += 5.0
        return model

    base = begin()
    base.run_until(start - 1)
    before = bits(base)
    base.run_until(200)
    after = bits(base)
    for name in every_measure:
        model = begin(Step(measure=name, from_day=start))
        model.run_until(start - 1)
        # what a span costs is booked when it begins, and a step in mid-month cuts it
        booked = {"accounts", "district_accounts"} if start == MID_MONTH else set()
        assert set(differing(before, bits(model))) == booked, name
        model.run_until(200)
        assert {"residents", "tally"} <= set(differing(after, bits(model))), name


@pytest.mark.parametrize("warm_up", [30, 45])
def test_regimes_share_the_warm_up_to_the_bit(town, warm_up):
    silo, reform = town(warm_up=warm_up), town(*systemic(warm_up), warm_up=warm_up)
    a, b = (run(scenario, warm_up - 1) for scenario in (silo, reform))
    assert differing(bits(a), bits(b)) == []
    ends = []
    for model in (a, b):
        model.run_until(silo.days)
        table = model.outcomes()
        ends.append(table[table["period"] == "warm_up"].reset_index(drop=True))
    assert ends[0].equals(ends[1])
    assert len(ends[0]) > 100
