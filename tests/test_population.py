"""Residents as columns: Mesa's verbs on arrays."""

import copy
import types

import numpy as np
import pytest

from reformsim.residents import Residents


@pytest.fixture
def residents():
    return Residents(
        {
            "age": np.array([70, 30, 40, 80, 20]),
            "satisfaction": np.array([0.2, 0.4, 0.6, 0.8, 1.0]),
            "cell": np.array([0, 0, 1, 1, 2]),
            "older": lambda: np.array([True, False, False, True, False]),
        },
        read_only=["cell"],
    )


def test_length_names_and_columns(residents):
    assert len(residents) == 5
    assert residents.columns == ("age", "satisfaction", "cell", "older")
    assert list(residents.get("age")) == [70, 30, 40, 80, 20]
    age, cell = residents.get(["age", "cell"])
    assert age[3] == 80 and cell[3] == 1
    assert "5" in repr(residents)


def test_selections_compose_and_write_through(residents):
    older = residents.select(lambda r: r.get("age") > 35)
    assert list(older.get("age")) == [70, 40, 80]
    content = older.select(older.get("satisfaction") > 0.5)
    assert list(content.get("age")) == [40, 80]
    content.set("satisfaction", [0.1, 0.3]).set("age", 50)
    assert list(residents.get("satisfaction")) == [0.2, 0.4, 0.1, 0.3, 1.0]
    assert list(residents.get("age")) == [70, 30, 50, 50, 20]
    assert len(residents.select(at_most=2)) == 2
    assert len(residents.select(at_most=0.5)) == 2
    assert list(residents.select(residents.get("age") > 35, at_most=1).get("age")) == [70]
    assert len(residents.select(np.zeros(5, bool))) == 0


@pytest.mark.parametrize("mask", [np.ones(4, bool), np.array([0, 2]), np.ones((5, 1), bool)])
def test_a_mask_must_fit(residents, mask):
    with pytest.raises(ValueError, match="boolean array of 5"):
        residents.select(mask)


def test_columns_of_a_record_array_are_written_in_place():
    records = np.zeros(3, [("trust", "f4"), ("place", "u4")])
    residents = Residents({name: records[name] for name in records.dtype.names})
    residents.select(np.array([False, True, True])).set("trust", 0.5)
    assert list(records["trust"]) == [0.0, 0.5, 0.5]


def test_get_never_gives_a_back_door(residents):
    with pytest.raises(ValueError, match="read-only"):
        residents.get("satisfaction")[0] = 9.0


def test_aggregates(residents):
    assert residents.agg("age", np.mean) == 48
    assert residents.agg("age", [min, max]) == [20, 80]
    assert residents.select(residents.get("older")).agg("age", np.sum) == 150


def test_groups_come_in_order_of_first_appearance(residents):
    groups = residents.groupby("older")
    assert list(groups.groups) == [True, False]
    assert groups.count() == {True: 2, False: 3}
    assert groups.agg("age", np.max) == {True: 80, False: 40}
    assert groups.map(len) == groups.count()
    assert [(value, len(group)) for value, group in groups] == [(True, 2), (False, 3)]
    assert len(groups) == 2
    groups.do(lambda group: group.set("satisfaction", group.agg("satisfaction", np.mean)))
    assert residents.get("satisfaction") == pytest.approx([0.5, 2 / 3, 2 / 3, 0.5, 2 / 3])
    by_decade = residents.select(residents.get("age") < 75).groupby(lambda r: r.get("age") // 40)
    assert by_decade.count() == {1: 2, 0: 2}
    assert list(by_decade[1].get("age")) == [70, 40]
    assert len(residents.select(np.zeros(5, bool)).groupby("age")) == 0


def test_do_gets_the_set_and_returns_it(residents):
    young = residents.select(residents.get("age") < 50)
    same = young.do(lambda r: r.set("satisfaction", r.get("satisfaction") / 2))
    assert same is young
    assert list(residents.get("satisfaction")) == [0.2, 0.2, 0.3, 0.8, 0.5]


def test_sort_is_descending_unless_asked_and_keeps_ties(residents):
    assert list(residents.sort("age").get("age")) == [80, 70, 40, 30, 20]
    assert list(residents.sort("age", ascending=True).get("age")) == [20, 30, 40, 70, 80]
    assert list(residents.sort("cell").get("age")) == [20, 40, 80, 70, 30]
    assert list(residents.sort(lambda r: -r.get("age")).get("age")) == [20, 30, 40, 70, 80]


def test_rows_are_views(residents):
    second = residents.select(residents.get("age") > 35)[1]
    assert (second.row, second.age, second.older) == (2, 40, False)
    second.satisfaction = 0.0
    assert residents.get("satisfaction")[2] == 0.0
    assert residents[-1].age == 20
    assert residents[2] == second and residents[1] != second
    assert len({residents[2], second, residents[1]}) == 2
    assert copy.copy(second) == second
    with pytest.raises(IndexError):
        residents[5]
    with pytest.raises(TypeError):
        residents[1.5]


def test_iteration_is_lazy_and_in_order(residents):
    rows = iter(residents.sort("age"))
    assert isinstance(rows, types.GeneratorType)
    assert [row.age for row in rows] == [80, 70, 40, 30, 20]


def test_a_derived_column_is_computed_once_when_needed():
    calls = []

    def derived():
        calls.append(1)
        return np.arange(3)

    residents = Residents({"age": np.ones(3), "place": derived})
    assert calls == []
    subset = residents.select(np.array([True, False, True]))
    assert list(subset.get("place")) == [0, 2]
    assert list(residents.get("place")) == [0, 1, 2]
    assert calls == [1]


def test_what_may_not_be_written(residents):
    for name in ("cell", "older"):
        with pytest.raises(AttributeError, match="read-only"):
            residents.set(name, 0)
        with pytest.raises(AttributeError, match="read-only"):
            setattr(residents[0], name, 0)


def test_an_unknown_column_is_named_with_the_known_ones(residents):
    for call in (
        lambda: residents.get("agee"),
        lambda: residents.set("agee", 1),
        lambda: residents[0].agee,
        lambda: residents.groupby("agee"),
        lambda: Residents({"age": np.ones(2)}, read_only=["agee"]),
    ):
        with pytest.raises(AttributeError, match=r"no column 'agee'; there are age"):
            call()
    with pytest.raises(AttributeError):
        residents[0].agee = 1


def test_columns_must_have_one_length_and_a_free_name():
    with pytest.raises(ValueError, match="length"):
        Residents({"a": np.ones(2), "b": np.ones(3)})
    with pytest.raises(ValueError, match="at least one"):
        Residents({"a": lambda: np.ones(2)})
    with pytest.raises(ValueError, match="'row'"):
        Residents({"row": np.ones(2)})
    late = Residents({"a": np.ones(2), "b": lambda: np.ones(3)})
    with pytest.raises(ValueError, match="3 rows, not 2"):
        late.get("b")


def test_to_frame(residents):
    frame = residents.select(residents.get("age") > 35).to_frame(["age", "older"])
    assert list(frame.columns) == ["age", "older"]
    assert list(frame.index) == [0, 2, 3]
    assert list(frame["age"]) == [70, 40, 80]
    assert residents.to_frame().shape == (5, 4)
    frame["age"] = 0
    assert residents.agg("age", np.min) == 20


def test_same_answers_as_mesas_agentset():
    """The same verbs on a Mesa AgentSet of objects give the same numbers."""
    import mesa

    model = mesa.Model(rng=1)
    ages = [70, 30, 40, 80, 20]
    for age in ages:
        mesa.Agent(model).age = age
    residents = Residents({"age": np.array(ages)})
    assert residents.agg("age", np.mean) == model.agents.agg("age", np.mean)
    old = model.agents.select(lambda a: a.age > 35)
    ours = residents.select(lambda r: r.get("age") > 35)
    assert list(ours.get("age")) == old.get("age")
    assert list(residents.sort("age").get("age")) == model.agents.sort("age").get("age")
    groups = model.agents.groupby(lambda a: a.age // 50)
    assert residents.groupby(lambda r: r.get("age") // 50).count() == groups.count()
    assert len(residents.select(at_most=0.5)) == len(model.agents.select(at_most=0.5))
