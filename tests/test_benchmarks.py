"""The benchmarks compare equals: the same rule in each framework, and a page that says so."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks import __main__ as command
from benchmarks import frame, guard, limit, page, queue_network, rule, same_rule
from benchmarks.frame import alternate, ratios
from support import mean_wait

#: Many needs of few residents: as many events as at 10,000 residents with 5 needs a year.
SMALL = rule.Rule(1_000, days=100, needs=50.0, service_rate=12.0, promise=0.3)
RUNS = 16


def outcomes(framework: str, of: rule.Rule) -> list[rule.Outcome]:
    build = same_rule.builder(framework)
    return [build(of, seed)() for seed in range(RUNS)]


@pytest.fixture(scope="module")
def ours() -> list[rule.Outcome]:
    return outcomes("reformsim", SMALL)


@pytest.mark.parametrize("framework", ["numpy", "mesa"])
def test_the_rule_is_the_same(ours, framework):
    """False alarm in 1 of 1000 choices of seeds; the seeds are fixed."""
    found = rule.compare(ours, outcomes(framework, SMALL))
    assert all(x["equal"] for x in found.values()), found
    # what it would have seen
    assert found["wait"]["half_width"] < 0.2 * found["wait"]["ours"]
    assert found["satisfaction"]["half_width"] < 0.03


@pytest.mark.parametrize("framework", ["agentpy", "mesa_frames"])
def test_the_rule_is_the_same_in_libraries_of_the_group(framework):
    """False alarm in 1 of 1000 choices of seeds; closer comparisons are in the records."""
    pytest.importorskip(framework)
    few = rule.Rule(1_000, days=40)

    def several(name, asked, seeds=16):
        return [same_rule.builder(name)(asked, n)() for n in range(seeds)]

    ours, theirs = several("reformsim", few), several(framework, few)
    found = rule.compare(ours, theirs)
    assert all(x["equal"] for x in found.values()), found
    # what it would have seen
    assert found["wait"]["half_width"] < found["wait"]["ours"]
    one_server = several("numpy", replace(few, servers=1))
    assert not rule.compare(ours, one_server)["wait"]["equal"]


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"service_rate": 11.0}, "wait"),
        ({"b_performance": 0.6}, "satisfaction"),
        ({"promise": 0.6}, "trust"),
    ],
)
def test_another_rule_is_told_apart(ours, changed, outcome):
    found = rule.compare(ours, outcomes("numpy", replace(SMALL, **changed)))
    assert not found[outcome]["equal"]


def test_the_product_form_is_erlang_c():
    q = queue_network
    flow = q.ARRIVALS + q.ROUTING.T @ q.ARRIVALS
    for _ in range(200):  # the sum of journeys of any length
        flow = q.ARRIVALS + q.ROUTING.T @ flow
    waits = [mean_wait(flow[j], q.SERVICE_RATES[j], int(n)) for j, n in enumerate(q.SERVERS)]
    assert q.product_form() == pytest.approx(waits)


def test_ours_is_the_product_form():
    """False alarm in 1 of 1000 choices of seeds; the seeds are fixed."""
    runs = [queue_network.in_reformsim(2_000, seed)() for seed in range(10)]
    assert queue_network.agreement(runs, runs)["ours_exact"]
    others = [replace(told, waits=told.waits * 1.4) for told in runs]
    assert not queue_network.agreement(others, runs)["ours_exact"]


@pytest.mark.parametrize("library", ["ciw", "simpy"])
def test_the_network_is_the_same(library):
    pytest.importorskip(library)  # of the group "bench"
    ours, theirs = (
        [make(1_000, seed)() for seed in range(16)]
        for make in (queue_network.in_reformsim, queue_network.LIBRARIES[library])
    )
    found = queue_network.agreement(ours, theirs)
    assert found["equal"] and found["theirs_exact"]
    assert np.shape(found["theirs"]) == (4,)
    # what it would have seen
    assert (np.array(found["half_width"]) < 0.5 * np.array(found["ours"])).all()
    others = [replace(told, waits=told.waits * 1.5) for told in theirs]
    assert not queue_network.agreement(ours, others)["equal"]


@pytest.mark.parametrize(("item", "expected"), [(4, 1.0), (8, 1.0), (64, 1.0), (96, 2.0)])
def test_lines_of_a_record(item, expected):
    """96-byte records begin at the head or the middle of a line: 2 lines each way."""
    assert limit.lines(np.dtype(f"V{item}")) == expected


def told(ratio: float, equal: bool = True) -> dict:
    return {
        "framework": "numpy", "residents": 20_000, "days": 365,
        "ratio": {"median": ratio, "low": 0.9 * ratio, "high": ratio},
        "ns_per_need": {"median": 200.0}, "outcomes": {"wait": {"equal": equal}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("now", "then", "warns"),
    [
        (told(5.0), told(5.0), None),
        (told(3.0), told(5.0), "slower"),
        (told(5.0, equal=False), told(5.0), "wait"),
        (told(5.0), None, None),
    ],
)
def test_the_guard_warns_and_does_not_fail(monkeypatch, now, then, warns):
    monkeypatch.setattr(guard, "row", lambda *_: now)
    record = {"measured": {"rows": [then]}} if then else None
    monkeypatch.setattr(guard, "kept", lambda _: record)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    said = guard.report()
    assert ("warning" in said) == (warns is not None) and (warns or "") in said
    assert ("no record" in said) == (then is None)


def test_runs_alternate_and_pairs_are_by_seed():
    called = []

    def contestant(name):
        return lambda seed: called.append((name, seed)) or (lambda: seed)

    times = alternate({name: contestant(name) for name in "ab"}, pairs=3)
    assert called == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2), ("b", 2)]
    assert [x.told for x in times["b"]] == [0, 1, 2]


def test_ratios_are_of_pairs():
    assert ratios([2.0, 9.0, 8.0], [1.0, 3.0, 2.0]) == {"median": 3.0, "low": 2.0, "high": 4.0}


@pytest.mark.parametrize(
    ("unit", "reached", "met"), [("s", 2.0, True), ("s", 2.1, False), ("times", 1.9, False)]
)
def test_a_goal_is_a_most_or_of_times_a_least(unit, reached, met):
    goal = frame.Goal("toys", 2.0, unit, frame.spread([reached, 0.0, 9.0]))
    assert goal.met is met


def test_the_page_is_what_the_records_say():
    text = page.PAGE.read_text("utf-8")
    assert page.rewrite(text, [command.benchmark(name) for name in command.NAMES]) == text


def test_a_record_becomes_a_part_of_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(frame, "RECORDS", tmp_path)
    monkeypatch.setattr(page, "RECORDS", tmp_path)
    one = frame.Benchmark(
        "toy", ("numpy",), lambda quick: {"quick": quick}, lambda m: f"| {m['quick']} |",
        lambda _: Figure(), lambda _: [frame.Goal("toys", 2.0, "s", frame.spread([3.0]))],
    )  # fmt: skip
    begin, end = page.marks("toy")
    goals = "{}\n| goal | asked | reached | |\n|---|--:|--:|---|\n{}\n".format(*page.marks("goals"))
    before = f"{goals}Above.\n{begin}\n{page.MISSING}\n{end}\nBelow.\n"
    assert page.rewrite(before, [one]) == before
    frame.keep(frame.record(one, False, "python -m benchmarks toy"), one)
    after = page.rewrite(before, [one])
    assert "| False |" in after and "toy.png" in after and "`python -m benchmarks toy`" in after
    assert "\nAbove.\n" in after and after.endswith("\nBelow.\n")
    assert "| [toy](#toy) toys | ≤ 2 s | 3 | **missed** |" in after
    with pytest.raises(LookupError, match="no marks"):
        page.rewrite("Above.", [one])


def test_an_unknown_benchmark_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["same_rul"])
    assert "no benchmark same_rul; there are whole_city, decade" in capsys.readouterr().err
