"""Advice on toys whose best bundle, front, regrets, losers and years are known."""

import io
import itertools
import json

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import binom
from typer.testing import CliRunner

from advising import KNOWN, WORLD, A, B, C, City, D, E, F, ask, question_file
from reformsim.cli import app
from reformsim.experiment.advice import Question, tell
from reformsim.experiment.aftermath import even, losers
from reformsim.experiment.analysis import Trait
from reformsim.experiment.bundles import NOTHING, Bundle, Space
from reformsim.experiment.choice import choose, front, ranked
from reformsim.experiment.evaluation import STAGES, Found, worlds
from reformsim.experiment.proposals import Search, expected
from reformsim.experiment.run import Interrupted
from reformsim.experiment.store import Store
from reformsim.measures import BY_NAME as MEASURES
from reformsim.report import advice_files, advice_tables, provenance, style
from reformsim.report.advice import Report
from reformsim.report.advice_files import summary
from reformsim.report.advice_words import words
from test_figures import whole

PRICES = {A: 0.10, B: 0.05, C: 0.05, D: 0.02, E: 0.25, F: 0.01}
BEST = Bundle.of({A: 1.0, B: 1.0, C: 1.0})
SEARCHED = {"bundles": 30, "worlds": 2, "confirm": {"bundles": 3, "worlds": 8}}


def together(levels, x):
    """A and B do much, but only together; C a little; D harms; E is best of all, but dear."""
    pair = 0.2 * min(levels.get(A, 0), levels.get(B, 0))
    gain = pair + 0.03 * levels.get(C, 0) + 0.5 * levels.get(E, 0) - 0.02 * levels.get(D, 0)
    return gain, 100 * gain


def harm(levels, x):
    loss = sum(levels.values())
    return -0.01 * loss, -loss


def nought(levels, x):
    return 0.0, 0.0


def crossing(levels, x):
    """A is best in worlds above 0.6 of the range, by 0.02, B below, by less."""
    return (0.1 if x > 0.6 else 0.065) * levels.get(A, 0) + 0.08 * levels.get(B, 0), 0.0


def test_the_best_bundle_within_the_budget_is_found_and_told(tmp_path):
    found = ask(City(together, PRICES, noise=0.005), tmp_path, budget=0.2)
    assert found.choice.advised == found.choice.best == BEST
    assert found.searched.all and found.searched.space == 41
    dear = [r for r in found.searched.rejected if "unified_grid_linkage" in r.bundle]
    assert len(dear) == 16 and all("the budget is 0.2" in r.reason for r in dear)
    assert {place.measure for place in found.order} == {A, B, C}
    assert found.order[0].measure == C and found.order[0].lead.verdict == "better"
    lost = losers(found.groups)
    assert [(g.place, g.verdict, g.holds) for g in lost] == [("older", "worse", True)]
    assert lost[0].value == pytest.approx(-0.23, abs=0.01)
    year = even(found.years)
    assert [y.verdict for y in found.years] == ["same", "same", "better", "better"]
    assert (
        year.year == 3
        and year.cost == pytest.approx(3 * 0.2)
        and year.cost_low == pytest.approx(3 * 0.2)
    )
    report = Report(question_file(), found, "0" * 64)
    for zh in (False, True):
        edition = advice_files.Edition(report, zh)
        with style.look():
            whole(edition, advice_files.front(edition))
    told = summary(report)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["advised"]["bundle"] == BEST.name and "社治委" in told["advised"]["name_zh"]
    assert told["break_even"]["year"] == 3


def test_the_front_is_that_of_a_full_search_by_hand(tmp_path):
    """Without noise: every bundle that none beats in gain and cost, up to what is confirmed."""
    asked = question_file({"confirm": {"bundles": 40, "worlds": 4}}, outcomes=["satisfaction"])
    found = ask(City(together, PRICES), tmp_path, asked=asked)
    names = itertools.chain(*(itertools.combinations(KNOWN, k) for k in range(4)))
    value = {}
    for levels in (dict.fromkeys(some, 1.0) for some in names):
        gain, cost = together(levels, 0)[0], sum(PRICES[name] for name in levels)
        value[Bundle.of(levels)] = round(gain, 9), -round(cost, 9)
    best = {
        b.name for b, (gain, cost) in value.items()
        if not any(g >= gain and c >= cost and (g, c) != (gain, cost) for g, c in value.values())
    }  # fmt: skip
    assert {c.bundle for c in found.candidates if c.front} == best
    assert len(best) > 4


def test_of_equal_bundles_the_front_keeps_the_first():
    a, b, c = Bundle.of({A: 1.0}), Bundle.of({B: 1.0}), Bundle.of({C: 1.0})
    assert front({NOTHING: (0, 0), a: (0, 0), b: (1, -1), c: (0.5, -1)}) == [NOTHING, b]


def test_doing_nothing_is_advised_where_every_measure_harms(tmp_path):
    found = ask(City(harm, PRICES, noise=0.001), tmp_path)
    assert found.choice.best == found.choice.advised == NOTHING
    assert not (found.order or found.groups or found.years)
    assert words(Report(question_file(), found, ""), zh=False)[0].startswith("Advice: do nothing")


def test_a_budget_of_nothing_leaves_only_doing_nothing(tmp_path):
    found = ask(City(together, PRICES), tmp_path, budget=0.0)
    assert found.choice.advised == NOTHING and len(found.searched.rejected) == 41
    assert [c.bundle for c in found.candidates] == ["nothing"]
    assert not (tmp_path / "search" / "runs").exists() or found.searched.costs == {NOTHING: 0.0}


def test_regrets_are_those_of_a_hand_computation():
    a, b = Bundle.of({A: 1.0}), Bundle.of({B: 1.0})
    values = {
        NOTHING: np.array([5.0, 5.0, 5.0]), a: np.array([9.0, 2.0, 6.0]),
        b: np.array([6.0, 6.0, 3.0]),
    }  # fmt: skip
    higher = {x.name: r.worst for x, r in ranked(Trait("satisfaction", "1", "higher"), values)}
    assert higher == {"nothing": 4.0, a.name: 4.0, b.name: 3.0}
    lower = [(x.name, r.worst) for x, r in ranked(Trait("walk", "km", "lower"), values)]
    assert lower == [("nothing", 3.0), (b.name, 4.0), (a.name, 4.0)] or lower == [
        ("nothing", 3.0), (a.name, 4.0), (b.name, 4.0),
    ]  # fmt: skip


def test_what_changes_the_choice_is_named(tmp_path):
    asked = question_file({"measures": [A, B], "confirm": {"bundles": 2, "worlds": 80}})
    found = ask(City(crossing, PRICES, noise=0.001), tmp_path, at_most=1, asked=asked)
    assert (found.choice.best, found.choice.runner_up) == (Bundle.of({A: 1.0}), Bundle.of({B: 1.0}))
    runner_up, nothing = found.told.rivals
    assert runner_up.share.share == pytest.approx(0.4, abs=0.02)
    (side,) = runner_up.rule.restrictions
    assert side.uncertainty == "utilisation" and not side.above
    assert nothing.share.share == 1.0 and nothing.rule is None


def test_over_a_region_the_choice_is_that_of_the_region_and_the_full_ranges_stand_beside(tmp_path):
    """In the region B is always best; over the full ranges A has the smaller worst regret."""
    region = [{WORLD: 0.70 + 0.01 * i} for i in range(11)]
    asked = question_file(
        {
            "measures": [A, B], "uncertainties": "calibrated", "region": region,
            "confirm": {"bundles": 2, "worlds": 20},
        }
    )  # fmt: skip
    city = City(crossing, PRICES, noise=0.001)
    found = ask(city, tmp_path, at_most=1, asked=asked)
    a, b = Bundle.of({A: 1.0}), Bundle.of({B: 1.0})
    assert (found.choice.best, found.choice.runner_up, found.full.choice.best) == (b, a, a)
    for stage in STAGES:
        told = Store(tmp_path / stage).design()
        points = {told.asked(name)["uncertainties"][WORLD] for name in told.lines}
        assert points <= {row[WORLD] for row in region} and len(points) > 3
    full = Store(tmp_path / "report_full").design()
    beyond = [full.asked(name)["uncertainties"][WORLD] > 0.85 for name in full.lines]
    assert 0.35 < np.mean(beyond) < 0.45
    assert found.told.rivals[0].share.share == 1.0 > found.full.told.rivals[0].share.share
    report = Report(asked, found, "")
    told = " ".join(words(report, zh=False))
    assert "over the calibrated region; over the full ranges: joint conference" in told
    assert "The least worst regret has governance committee: calibration changes" in told
    assert "全部范围" in " ".join(words(report, zh=True))
    tables = advice_files.tables(report)
    assert set(tables["regrets"]["within"]) == {"full", "calibrated"}
    assert summary(report)["full"]["best"]["bundle"] == a.name
    for zh in (False, True):
        advice_tables.write(report, Console(file=io.StringIO(), width=80), zh)
    alone = ask(city, tmp_path / "alone", at_most=1, asked=question_file({"measures": [A, B]}))
    assert (
        alone.full is None
        and "within" not in advice_files.tables(Report(asked, alone, ""))["regrets"]
    )


def searching(seed: int):
    """A question whose space, 232 bundles at two levels, is larger than what may be run."""
    return question_file({**SEARCHED, "levels": [0.5, 1.0]}, seed=seed)


def cost(bundle: Bundle) -> float:
    return sum(PRICES.get(name, 0.02) * level for name, level in bundle.levels)


def hits(measures: int, levels: tuple[float, ...], most: int, seeds: int) -> int:
    """Count the seeds in which a search among so many measures meets the best bundle of all.

    At half levels E is within the budget, and the best is A, B and E, which cost all of it.
    """
    others = [name for name in MEASURES if name not in KNOWN]
    space, budget = Space((*KNOWN, *others)[:measures], levels, 3), 0.2
    within = [b for b in space.every() if cost(b) <= budget + 1e-9]
    best = max(within, key=lambda b: (round(together(dict(b.levels), 0)[0], 9), -cost(b)))
    met = 0
    for seed in range(seeds):
        ways, rng, run = Search(space, budget, most, seed), np.random.default_rng(seed), 0
        ways.tell(NOTHING, [0.0, 0.0, 0.0])
        while run < most and (asked := ways.ask(most - run)):
            for bundle in asked:
                if cost(bundle) <= budget + 1e-9:
                    gain, days = together(dict(bundle.levels), 0)
                    noise = 0.005 * rng.normal(size=2)
                    ways.tell(bundle, [gain + noise[0], days + 100 * noise[1], -cost(bundle)])
                    run, met = run + 1, met + (bundle == best)
    print(f"best of {space.size()} bundles ({best.name}) met in {met} of {seeds}, {most} run")
    return met


def test_a_search_meets_the_best_bundle_more_often_than_luck():
    """Measured: in 20 of 20 seeds and, of 4,090 bundles, in 9 of 10; luck: in 7, and in 1 of 20.

    Of the 169 and the 3,667 bundles within the budget 60 and 200 are run: by luck fifteen of 20
    are met in less than 1 of 1,000, two of four in 2 of 100.
    """
    assert hits(6, (0.5, 1.0), 60, seeds=20) >= 15
    assert hits(15, (0.5, 1.0), 200, seeds=4) >= 2


def test_what_pairs_do_together_is_expected_of_three():
    """From measures alone and in pairs, exactly additive in these, the model tells of triples."""
    space = Space(KNOWN[:4], (1.0,), 3)
    ways = Search(space, 1.0, 20, 1)
    known = [NOTHING, *(b for b in space.every() if len(b.levels) < 3)]
    asked = [b for b in space.every() if len(b.levels) == 3]
    told, triples = (
        np.array([[together(dict(b.levels), 0)[0]] for b in x]) for x in (known, asked)
    )
    found = expected(ways._rows(known), told, ways._rows(asked))
    assert found == pytest.approx(triples, abs=0.02) and np.argmax(found) == np.argmax(triples)


def test_a_measure_too_dear_comes_again_at_a_lower_level():
    space = Space(KNOWN, (0.5, 1.0), 2)
    ways = Search(space, 0.2, 60, 1)
    ways.tell(NOTHING, [0.0, 0.0])
    for _ in range(2):
        asked = ways.ask(6)
        for bundle in asked:
            if cost(bundle) <= 0.2:
                ways.tell(bundle, [together(dict(bundle.levels), 0)[0], -cost(bundle)])
    assert asked == [Bundle.of({E: 0.5})]


def test_a_search_proposes_nothing_twice_and_ends():
    space = Space(KNOWN, (0.5, 1.0), 2)
    ways = Search(space, 10.0, 20, 1)
    ways.tell(NOTHING, [0.0, 0.0])
    found = []
    while asked := ways.ask(7):
        found += asked
        for bundle in asked:
            ways.tell(bundle, [len(bundle.levels), -dict(bundle.levels).get(A, 0.0)])
    assert len(found) == len(set(found)) == space.size()
    assert set(found) == set(space.every())


class Stopping(City):
    """A toy that is stopped at its n-th run, as by Ctrl-C."""

    def __call__(self, scenario, seed, threads):
        model = super().__call__(scenario, seed, threads)
        run_until = model.run_until

        def counted(day):
            object.__setattr__(self, "left", getattr(self, "left", 0) - 1)
            if self.left == 0:
                raise KeyboardInterrupt
            run_until(day)

        model.run_until = counted
        return model


def test_a_search_that_was_stopped_ends_as_one_that_was_not(tmp_path):
    whole = ask(City(together, PRICES, noise=0.02), tmp_path / "whole", 0.2, 3, searching(3))
    city = Stopping(together, PRICES, noise=0.02)
    stops = 0
    while True:
        object.__setattr__(city, "left", 60)
        try:
            resumed = ask(city, tmp_path / "cut", 0.2, 3, searching(3))
            break
        except Interrupted:
            stops += 1
    assert stops >= 2
    a, b = (summary(Report(searching(3), found, "")) for found in (whole, resumed))
    assert json.dumps(a) == json.dumps(b)
    assert list(whole.searched.costs.items()) == list(resumed.searched.costs.items())


def test_of_pure_noise_nothing_is_advised_and_the_promise_is_seen_to_drop(tmp_path):
    """Eight questions on noise: at 5 % each, three or more advised by chance: 0.6 %."""
    asked = [
        question_file({"worlds": 2, "confirm": {"bundles": 4, "worlds": 12}}, seed=seed)
        for seed in range(100, 108)
    ]
    found = [ask(City(nought, PRICES, noise=0.05), tmp_path / str(x.seed), asked=x) for x in asked]
    assert sum(f.choice.advised != NOTHING for f in found) <= 2
    promised = [o.searched for f in found for o in f.optimism if o.outcome == "satisfaction"]
    confirmed = [o.confirmed for f in found for o in f.optimism if o.outcome == "satisfaction"]
    assert np.mean(promised) > 0.02 > 0.01 > abs(np.mean(confirmed))
    unsure = [f for f in found if f.choice.best != NOTHING and f.choice.advised == NOTHING]
    assert unsure
    told = words(Report(asked[0], unsure[0], ""), zh=False)[0]
    assert told.startswith("Advice: do nothing") and "not shown" in told


def looked(rng: np.random.Generator, bundles: list[Bundle], worlds: int) -> Found:
    """A look at bundles that all gain 0.1 over nothing, with noise of their own in each world."""
    noise = {bundle: 0.05 * rng.normal(size=(worlds, 1)) for bundle in bundles}
    values = {("satisfaction", b): 0.1 * (b != NOTHING) + noise[b] for b in bundles}
    return Found({"satisfaction": Trait("satisfaction", "1", "higher")}, values, {})


def test_what_is_reported_of_the_best_of_eight_equal_bundles_covers_as_it_says():
    """1,000 questions, 12 worlds a look: misses beyond those of a binomial with 5 %: 1e-4.

    In the worlds of the choice itself the interval of the chosen bundle misses more often.
    """
    rng, asked = np.random.default_rng(1), Question(budget=1.0, at_most=1)
    equal = [Bundle.of({name: 1.0}) for name in list(MEASURES)[:8]]
    bounds = {"utilisation": (0.7, 0.95)}
    missed = {"chosen": 0, "told": 0}
    for _ in range(1000):
        choice = choose("satisfaction", equal, looked(rng, [NOTHING, *equal], 12))
        found = tell(asked, choice, looked(rng, choice.finalists(), 12), worlds(bounds, 12, 1, 2))
        for name, rows in (("chosen", choice.contrasts), ("told", found.contrasts)):
            (row,) = (c for c in rows if c.scenario == choice.best.name)
            missed[name] += not row.low <= 0.1 <= row.high
    print(f"missed: {missed}")
    assert missed["told"] <= binom.isf(1e-4, 1000, 0.05) < missed["chosen"]


def test_what_is_reported_comes_from_worlds_and_chance_that_chose_nothing(tmp_path):
    asked = question_file({"report": 20})
    found = ask(City(together, PRICES, noise=0.005), tmp_path, budget=0.2, asked=asked)
    seeds, points = {}, {}
    for stage in STAGES:
        told = Store(tmp_path / stage).design()
        seeds[stage] = {seed for line in told.lines.values() for *_, seed in line["runs"]}
        points[stage] = {told.asked(name)["uncertainties"][WORLD] for name in told.lines}
    for kept in (seeds, points):
        assert len(set.union(*kept.values())) == sum(map(len, kept.values()))
    assert list(map(len, points.values())) == [4, 40, 20]
    assert (found.worlds, found.told.worlds) == (40, 20)
    assert {c.n for c in found.told.contrasts} == {20} == {g.n for g in found.groups}
    assert {place.gain.n for place in found.order} == {20} == {year.n for year in found.years}
    assert {rival.share.n for rival in found.told.rivals} == {20}


def test_bundles_have_one_name_whatever_the_order():
    bundle = Bundle.of({B: 0.5, A: 1.0})
    assert bundle == Bundle.of({A: 1.0, B: 0.5}) == Bundle.parse(bundle.name)
    assert Bundle.parse("nothing") == NOTHING
    space = Space(KNOWN, (0.5, 1.0), 3)
    assert len(set(space.every())) == space.size() == 232


FILE = """
name: small
title: Small
title_zh: 小
question: Which?
city: town
warm_up: 30
years: 1
design:
  kind: advice
  measures: [burden_reduction_ten, governance_committee]
  worlds: 2
  confirm: {bundles: 1, worlds: 4}
  uncertainties: [p_mis]
outcomes: [satisfaction]
"""


def test_the_command_advises_on_a_town_and_goes_on_where_it_ended(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(FILE, encoding="utf-8")
    command = ["advise", str(file), "--budget", "0.01", "--at-most", "1", "-o", str(tmp_path / "r")]
    done = CliRunner().invoke(app, [*command, "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "Advice: " in done.output
    assert "the budget is 0.01" in (tmp_path / "r" / "rejected.csv").read_text("utf-8")
    found = json.loads((tmp_path / "r" / "advice.json").read_text("utf-8"))
    (_, burden) = found["candidates"]
    assert burden["bundle"] == "burden_reduction_ten 1.0" and burden["cost"] == 0.0
    again = CliRunner().invoke(app, [*command, "--workers", "1", "--json"])
    assert json.loads(again.stdout) == found
    chinese = CliRunner().invoke(app, [*command, "--workers", "1", "--zh"])
    assert "建议：" in chinese.stdout and "社区减负十条" in chinese.stdout
    for name, language in (("front.svg", "en"), ("front.zh.svg", "zh")):
        carried = provenance.read(tmp_path / "r" / name)
        assert (carried["config_hash"], carried["language"]) == (found["config_hash"], language)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("kind: advice", "kind: adviec"), "design.kind: must be one of"),
        (("outcomes: [satisfaction]", "outcomes: [needs]"), "neither way of needs is better"),
        (("outcomes: [satisfaction]", "outcomes: [measures_cost]"), "is the cost"),
        (("burden_reduction_ten", "burden_reduction"), "unknown measure 'burden_reduction'"),
        (("worlds: 2", "levels: [0]"), "levels: each must lie above 0"),
        (("uncertainties: [p_mis]", "uncertainties: calibrated"), "needs a table from"),
        (("[p_mis]", "[needs]\n  region: default"), "of the region is not among them"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(tmp_path, change, message):
    file = tmp_path / "small.yaml"
    file.write_text(FILE.replace(*change), encoding="utf-8")
    done = CliRunner().invoke(app, ["advise", str(file), "--budget", "0.1", "--at-most", "1"])
    assert done.exit_code == 2 and message in done.output and "small.yaml:" in done.output
    assert "Traceback" not in done.output


def test_the_two_commands_send_to_each_other(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(FILE, encoding="utf-8")
    done = CliRunner().invoke(app, ["run", str(file)])
    assert done.exit_code == 2 and "reformsim advise" in done.output
    many = CliRunner().invoke(app, ["advise", str(file), "--budget", "0.1", "--at-most", "3"])
    assert many.exit_code == 2 and "2 measures only" in many.output
    command = ["experiments/uncertainty_sweep_quick.yaml", "--budget", "1", "--at-most", "1"]
    other = CliRunner().invoke(app, ["advise", *command])
    assert other.exit_code == 2 and "must be `advice` here" in other.output


def test_a_quote_is_what_the_measures_cost_in_the_first_year(town):
    """The first day tells the cost of two years, but for a hub that grows with its cases: 5 %."""
    from reformsim.experiment.design import Run
    from reformsim.experiment.evaluation import InWorlds, Quotes
    from reformsim.experiment.schema import Experiment
    from reformsim.model import CityModel

    city = town().city.model_dump()
    asked = Experiment.model_validate(
        {
            "name": "x", "title": "x", "title_zh": "x", "question": "x", "city": city,
            "warm_up": 30, "years": 1, "outcomes": ["satisfaction"],
            "design": {"kind": "advice", "worlds": 2, "uncertainties": ["p_mis"]},
        }
    )  # fmt: skip
    bundle = Bundle.of({"service_stations": 1.0, "worker_careers": 0.5, "convenience_centre": 1.0})
    cost = []
    for source in (Quotes(asked), InWorlds(asked)):
        scenario = source.scenario(Run(0, "x @0", {}, 0, 1, bundle.name, 0, {"p_mis": 0.2}))
        model = CityModel(scenario, rng=1)
        model.run_until(scenario.days)
        cost.append({o.name: v for o, v in model.headlines()}["measures_cost"])
    assert cost[0] == pytest.approx(cost[1], rel=0.05) and cost[0] > 0.01
