"""Pilots: who is treated, what estimators make of a known effect, what is said, what is refused."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from rich.console import Console
from scipy import stats

from reformsim.city import build
from reformsim.config import ConfigError
from reformsim.experiment import design, pilots, power, run
from reformsim.experiment.analysis import Trait
from reformsim.experiment.bench import Bench
from reformsim.experiment.estimators import ESTIMATORS, Fit
from reformsim.experiment.plan import FromExperiment
from reformsim.experiment.power import ALL, Size
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Results, Store
from reformsim.model import CityModel
from reformsim.outcomes import BY_NAME, CASE_SHARES
from reformsim.report import data, figures, style, tables
from reformsim.report.edition import Edition
from reformsim.report.study import Study
from reformsim.scenario import Panel, month_of, month_start
from test_figures import whole
from toys import experiment

MEASURE, SHARE = "satisfaction_assessment", "true_solution_rate"
CITY = {
    "name": "Ten",
    "name_zh": "十",
    "units": [{"name": "Inner", "name_zh": "内", "population": 20000, "area_km2": 3}],
    "subdistricts": {"count": 10, "mean": 2000, "sigma": 0.2},
    "towns": {"count": 0, "mean": 2000, "sigma": 0.2},
    "communities": 10,
    "grids": 20,
}
DESIGN = {
    "kind": "pilot", "of": "new", "treated": [4, 6], "waves": 2, "every": 3,
    "before": [6], "after": [12],
}  # fmt: skip
CASES = 300


def pilot(intensity: float = 1.0, **changes):
    shape = DESIGN | changes.pop("design", {})
    steps = changes.pop("steps", [{"measure": MEASURE, "intensity": intensity}])
    scenarios = {"old": {}, "new": {"reform": steps}}
    base = {
        "city": CITY, "years": 1, "scenarios": scenarios, "baseline": "old", "design": shape,
        "outcomes": [SHARE], "replications": 3,
    }  # fmt: skip
    return experiment(**base | changes)


class Toy:
    """Shares by formula: units, a common drift, an effect where treated, a spill where not.

    Chance is the same for all scenarios of a seed: quantiles of a binomial, or none at all.
    """

    EFFECT, SPILL, DRIFT, NOISE = 0.1, 0.0, 0.0, True

    def __init__(self, scenario, rng: int, threads: int = 1) -> None:
        self.reset(scenario, rng)

    def reset(self, scenario, rng: int) -> None:
        self.scenario, self.seed = scenario, rng

    def run_until(self, day: float) -> None:
        self.months = month_of(int(day) - 1) + 1

    def headlines(self):
        return [(BY_NAME[name], 0.5) for name in self.scenario.panel.outcomes]

    def shares(self) -> np.ndarray:
        """Return the outcome, shape (units, months)."""
        city = build(self.scenario.city, self.scenario.city_seed)
        none = {MEASURE: np.zeros(len(city.subdistricts))}
        days = [month_start(month) for month in range(self.months)]
        on = [(none | self.scenario.intensities_at(day, city))[MEASURE] for day in days]
        treated = np.array(on).T
        rng = np.random.default_rng(self.seed)
        share = 0.5 + 0.1 * rng.random((len(treated), 1)) + self.DRIFT * np.arange(self.months)
        share = share + self.EFFECT * treated
        share += self.SPILL * treated.any(axis=0) * (treated == 0)
        uniform = rng.random(share.shape)
        return stats.binom.ppf(uniform, CASES, share) / CASES if self.NOISE else share

    def panel(self) -> pd.DataFrame:
        value, city = self.shares(), build(self.scenario.city, self.scenario.city_seed)
        return pd.DataFrame(
            {
                "month": np.tile(np.arange(self.months), len(value)),
                "day": 0,
                "level": "subdistrict",
                "place": np.repeat(city.subdistricts.name, self.months),
                "outcome": SHARE,
                "value": value.ravel(),
                "cases": CASES,
            }
        )


class Drifting(Toy):
    DRIFT = 0.005


class Spilling(Toy):
    SPILL, NOISE = -0.02, False


def studied(asked, factory, directory: Path) -> Study:
    results = run.execute(asked, directory, 1, factory, io.StringIO())
    assert not len(results.failed()), results.failed().to_string()
    return Study(asked, results, "0")


def simulated(asked, factory) -> Study:
    """Make the runs in memory, without the store: for many draws."""
    runs, values = design.runs(asked), []
    for job in runs:
        scenario = design.scenario_of(asked, job)
        model = factory(scenario, job.seed)
        model.run_until(scenario.days)
        values.append(model.shares())
    _, units, months = shape = np.shape(values)
    each = units * months
    told = {
        "run": np.repeat([job.id for job in runs], each),
        "replication": np.repeat([job.replication for job in runs], each),
        "place": np.tile(np.repeat(pilots.units(asked), months), len(runs)),
        "month": np.tile(np.arange(months), len(runs) * units),
        "outcome": SHARE,
        "level": "subdistrict",
    }
    head = {"run": 0, "replication": 0, "kind": "outcome", "outcome": SHARE, "level": "city"}
    head |= {"period": "after", "unit": "share", "better": "higher", "value": 0.5}
    frames = [
        pd.DataFrame(told | {"kind": "panel", "value": np.ravel(values)}),
        pd.DataFrame(told | {"kind": "cases", "value": np.full(shape, float(CASES)).ravel()}),
        pd.DataFrame([head]),
    ]
    made = [{"run": r.id, "replication": r.replication, "status": "done"} for r in runs]
    return Study(asked, Results(pd.DataFrame(made), pd.concat(frames)), "0")


def rows(study: Study, treated: int, cases: int | str = ALL) -> dict[str, power.Power]:
    return {
        row.estimator: row for row in study.powers if row.treated == treated and row.cases == cases
    }


# ------------------------------------------------------------------------------ who is treated


def test_units_are_drawn_anew_and_dealt_to_waves_a_larger_pilot_holding_a_smaller_one():
    asked = pilot()
    chosen = []
    for draw in range(20):
        few, many = (pilots.rollout(asked, n, draw).wave for n in (4, 6))
        assert [(few == k).sum() for k in range(2)] == [2, 2]
        assert [(many == k).sum() for k in range(2)] == [3, 3]
        assert (few[few >= 0] == many[few >= 0]).all()
        chosen.append(tuple(np.flatnonzero(few >= 0)))
    assert len(set(chosen)) > 10


def test_waves_begin_at_months_and_only_where_drawn():
    asked = pilot()
    drawn = pilots.rollout(asked, 4, 2)
    steps = pilots.reform(asked, 4, 2).reform
    assert [step.from_day for step in steps] == [365, month_start(12 + 3)]
    for k, step in enumerate(steps):
        assert set(step.where) == {drawn.units[i] for i in np.flatnonzero(drawn.wave == k)}


def test_runs_share_seeds_within_a_draw_and_more_draws_leave_them_in_place():
    few, many = (design.runs(pilot(replications=n)) for n in (2, 5))
    assert many[: len(few)] == few and len(few) == 2 * (2 + 2)
    assert {run.seed for run in few if run.replication == 1} == {2}
    assert {run.cell for run in few} == {"old", "new", "new in 4", "new in 6"}


def test_worlds_are_gone_through_in_turn():
    worlds = {"kind": "latin_hypercube", "points": 4, "uncertainties": ["p_mis"]}
    asked = pilot(design={"worlds": worlds}, replications=2)
    runs = design.runs(asked)
    assert len({run.replication for run in runs}) == 8
    assert {run.index for run in runs} == {0, 1, 2, 3}
    for job in runs:
        told = design.scenario_of(asked, job).uncertainties["p_mis"]
        assert told == job.point["p_mis"]
    assert len({run.point["p_mis"] for run in runs}) == 4


# ------------------------------------------------------------------------------- a known effect


def test_a_planted_effect_is_found_and_the_past_deceives():
    """60 draws. Intervals of bias are at 95 %; they are widened to 4 standard errors: 1e-4 each."""
    shape = {"cases": [30, ALL], "treated": [6]}
    study = simulated(pilot(replications=60, design=shape), Drifting)
    for cases in (30, ALL):
        found = rows(study, 6, cases)
        for name in ("two_way", "group_time"):
            row = found[name]
            assert row.n == 60 and row.truth == pytest.approx(0.1, abs=0.002)
            assert abs(row.bias) < 2 * (row.bias_high - row.bias_low) / 2
            assert row.coverage_high > 0.95
        past = found["before_after"]
        assert past.bias_low > 0.02 and past.coverage_high < 0.95 and past.false_alarm_low > 0.05
    few, whole = rows(study, 6, 30), rows(study, 6)
    for name in ("two_way", "group_time"):
        assert few[name].rmse > whole[name].rmse
        assert whole[name].power > 0.8
    # the staggered estimator compares with one month, which few cases make noisy
    assert few["group_time"].power < 0.8 < few["two_way"].power
    assert rows(study, 6)["two_way"].interference == pytest.approx(0, abs=0.002)


def test_spill_is_the_bias_of_differences_and_is_told():
    """Without noise: places not yet treated lose 0.02, so that differences say 0.02 too much."""
    study = simulated(pilot(), Spilling)
    found = rows(study, 6)
    for name in ("two_way", "group_time"):
        assert found[name].spill == pytest.approx(-0.02)
        assert found[name].bias == pytest.approx(0.02)
    # half of the units begin three months late: of their nine months before, three are spilt on
    assert found["before_after"].bias == pytest.approx(0.5 * 0.02 * 3 / 9)
    assert found["group_time"].interference == pytest.approx(0, abs=1e-12)


def test_no_effect_is_zero_to_the_bit_and_found_as_often_as_by_chance():
    """100 draws: as many are found as a binomial with 5 % has in all but 1e-4 of cases, for each.

    With all cases the runs with and without the reform are the same, and so are the two shares.
    """
    asked = pilot(0.0, replications=100, design={"cases": [40, ALL], "treated": [6]})
    study = simulated(asked, Toy)
    most = stats.binom.isf(1e-4, 100, 0.05) / 100
    for cases in (40, ALL):
        for row in rows(study, 6, cases).values():
            assert row.truth == row.spill == row.interference == 0.0
            assert 0 < row.power <= most and 0 < row.false_alarm <= most
    assert all(r.power == r.false_alarm for r in rows(study, 6).values())


def test_failed_runs_lose_their_draw_only(tmp_path):
    class Failing(Toy):
        def run_until(self, day):
            if self.seed == 2 and self.scenario.reform:
                raise ValueError("no")
            super().run_until(day)

    results = run.execute(pilot(), tmp_path, 1, Failing, io.StringIO())
    study = Study(pilot(), results, "0")
    assert {row.n for row in study.powers} == {2}
    console = Console(file=io.StringIO(), width=80)
    tables.write(study, console)
    assert "failed: run" in console.file.getvalue()


# ------------------------------------------------------------------------------------- samples


def test_a_sample_is_drawn_without_return():
    value, cases = np.array([[0.25, 0.5, np.nan]]), np.array([[8.0, 6.0, 0.0]])
    rng = np.random.default_rng(1)
    whole = power.sampled(value, cases, 50, rng)
    assert np.array_equal(whole, value, equal_nan=True)
    assert power.sampled(value, cases, ALL, rng) is value
    draws = np.array([power.sampled(value, cases, 4, rng)[0, 0] for _ in range(4000)])
    known = stats.hypergeom(8, 2, 4)
    counts = np.bincount(np.rint(4 * draws).astype(int), minlength=3)
    assert stats.chisquare(counts, 4000 * known.pmf([0, 1, 2])).pvalue > 1e-4  # false alarms


def test_units_with_a_month_without_cases_are_left_out_and_counted(tmp_path):
    class Gap(Toy):
        def panel(self):
            found = super().panel()
            first = found["place"].iloc[0]
            found.loc[(found["place"] == first) & (found["month"] == 9), ["value", "cases"]] = (
                np.nan, 0,
            )  # fmt: skip
            return found

    study = studied(pilot(), Gap, tmp_path)
    assert {row.gaps for row in study.powers} == {1.0}
    assert all(np.isfinite(row.bias) for row in rows(study, 6).values())


# ------------------------------------------------------------------------------------- answers


def made(
    treated: int, share: float, covers: float = 1.0, alarms: float = 0.0, **size
) -> power.Power:
    names = ("truth", "spill", "interference", "bias", "coverage", "power", "false_alarm")
    told = {f"{name}{end}": 0.0 for name in names for end in ("", "_low", "_high")}
    told |= {"power": share, "power_low": share - 0.1, "power_high": share, "coverage_high": covers}
    told |= {"false_alarm_low": alarms}
    return power.Power(
        **{"treated": treated, "before": 6, "after": 12, "cases": ALL} | size,
        outcome=SHARE, unit="share", better="higher", estimator="two_way", n=50,
        intervals=50, gaps=0.0, rmse=0.1, **told,
    )  # fmt: skip


def test_the_smallest_pilot_that_is_large_enough():
    grid = [made(4, 0.5), made(6, 0.85), made(6, 0.82, cases=20), made(8, 0.99)]
    (found,) = power.answers(grid)
    assert found.smallest is grid[2]
    (found,) = power.answers([made(4, 0.9, covers=0.9), made(6, 0.79)])
    assert found.smallest is None and found.best.treated == 4


def test_an_estimator_that_finds_what_is_not_there_is_not_powerful():
    alarmed = [made(4, 0.95, alarms=0.06), made(6, 0.95, alarms=0.05)]
    assert not alarmed[0].enough() and alarmed[1].enough()
    (found,) = power.answers(alarmed)
    assert found.smallest is alarmed[1]
    assert not made(4, 0.95, alarms=np.nan).enough() and not made(4, 0.95, covers=np.nan).enough()


def test_a_draw_without_an_interval_has_found_nothing():
    """Ten draws: in four the effect of 1 is found, in three not, in three there is no interval.

    Without the reform one interval of eight excludes zero, two draws have none.
    """
    fits = [Fit(1.0, 0.1, 0.8, 1.2)] * 4 + [Fit(0.5, 1.0, -1.5, 2.5)] * 3 + [Fit(1.0)] * 3
    nulls = [Fit(1.0, 0.1, 0.8, 1.2)] + [Fit(0.0, 1.0, -2.0, 2.0)] * 7 + [Fit(0.0)] * 2
    size = Size(treated=4, before=6, after=12, cases=ALL)
    trials = [
        power.Trial(size, "two_way", 0, 0, 1.0, 0.0, 0.0, *pair)
        for pair in zip(fits, nulls, strict=True)
    ]
    row = power._summary(Trait(SHARE, "share", "higher"), size, "two_way", trials)
    assert (row.n, row.intervals) == (10, 7)
    assert row.power == 0.4 and row.coverage == 1.0 and row.false_alarm == 1 / 8
    assert (row.power_low, row.power_high) == pytest.approx(power.wilson(4, 10))
    none = power._summary(Trait(SHARE, "share", "higher"), size, "two_way", trials[7:])
    assert none.power == 0.0 and not none.enough()


def test_size_counts_units_before_months_before_cases():
    small = Size(treated=4, before=6, after=24, cases=ALL)
    large = Size(treated=6, before=6, after=12, cases=20)
    assert small.order() < large.order()
    assert large.order() < Size(treated=6, before=6, after=12, cases=ALL).order()


def test_shares_of_draws_within_worlds_are_worth_less():
    """Five draws in each of four worlds that all agree are worth three; without worlds twenty."""
    hits, worlds = np.repeat([True, False], 10), np.repeat(np.arange(4), 5)
    assert power._share(hits, worlds) == pytest.approx((0.5, *power.wilson(1.5, 3)))
    assert power._share(hits, np.zeros(20, int)) == pytest.approx((0.5, *power.wilson(10, 20)))


# ---------------------------------------------------------------------------------- what is said


def test_tables_files_and_figure_in_both_languages(tmp_path):
    asked = pilot(figures=["power"], design={"cases": [30, ALL]})
    study = studied(asked, Toy, tmp_path)
    for zh, words in ((False, ("two-way FE", "Spill", "draws")), (True, ("双向固定效应", "溢出"))):
        console = Console(file=io.StringIO(), width=80)
        tables.write(study, console, zh)
        text = console.file.getvalue()
        assert all(word in text.replace("\n", " ") for word in words)
        assert max(map(len, text.splitlines())) <= 80
    files = data.write(study, Store(tmp_path))
    assert {"power.csv", "answers.csv", "runs.csv"} == {path.name for path in files}
    told = pd.read_csv(tmp_path / "power.csv", keep_default_na=False)
    assert len(told) == 2 * 2 * len(ESTIMATORS)
    assert len(pd.read_csv(tmp_path / "answers.csv")) == len(ESTIMATORS)
    for zh, names in (
        (False, ["power.png", "power.svg"]),
        (True, ["power.zh.png", "power.zh.svg"]),
    ):
        assert [path.name for path in figures.draw(study, tmp_path, zh=zh).paths] == names
        edition = Edition(study, zh)
        with style.look():
            whole(edition, figures.FIGURES["power"](edition))
    assert data.summary(study, [])["power"]


# ------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"design": {"treated": [9]}}, "10 subdistricts.*at most 8"),
        ({"design": {"treated": [3]}}, "two units each, 4 or more"),
        ({"design": {"treated": [4, 4]}}, "comes twice"),
        ({"design": {"after": [3]}}, "last wave begins after 3 months"),
        ({"design": {"after": [13]}}, "12 months after it; raise `years`"),
        ({"design": {"before": [13]}}, "12 months before the reform"),
        ({"design": {"of": "old"}}, "other than the baseline"),
        ({"design": {"units": "district"}}, "1 districts"),
        ({"steps": [{"measure": MEASURE, "from": 370}]}, "within a month.*365 and 395"),
        ({"steps": [{"measure": MEASURE, "where": ["Inner"]}]}, "must not name places"),
        ({"steps": []}, "no measure to try"),
        ({"outcomes": ["median_days"], "design": {"cases": [20]}}, "no share of cases"),
        ({"keep": "all"}, "keeps its panel"),
        ({"figures": ["curves"]}, "pilot, which has power"),
        (
            {
                "design": {
                    "worlds": {"kind": "latin_hypercube", "points": 4, "uncertainties": ["p_mis"]}
                },
                "uncertainties": {"p_mis": 0.1},
            },
            "design.worlds.uncertainties: p_mis is fixed",
        ),
    ],
)
def test_impossible_pilots_are_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        pilot(**changes)


# --------------------------------------------------------------------------------- the true city


def test_a_panel_adds_up_to_the_city_and_leaves_its_bits_alone(town):
    names = (*CASE_SHARES, "satisfaction", "median_days")
    plain = CityModel(town(days=400, warm_up=10), rng=1)
    seen = CityModel(town(days=400, warm_up=10, panel=Panel(outcomes=names)), rng=1)
    for model in (plain, seen):
        model.run_until(400)
    pd.testing.assert_frame_equal(plain.outcomes(), seen.outcomes())
    found, curves = seen.panel(), seen.curves().pivot(index="month", columns="outcome")["value"]
    assert set(found["place"]) == set(seen.city.subdistricts.name)
    for name in CASE_SHARES:
        rows = found[found["outcome"] == name].dropna()
        yes = (rows["value"] * rows["cases"]).groupby(rows["month"]).sum()
        assert np.allclose(yes, np.rint(yes), atol=1e-9)
        city = yes / rows["cases"].groupby(rows["month"]).sum()
        assert np.allclose(city, curves[name].loc[city.index], equal_nan=True)
    with pytest.raises(ValueError, match="no panel"):
        plain.panel()
    with pytest.raises(ValueError, match="no outcome 'x'"):
        CityModel(town(days=20, warm_up=10, panel=Panel(outcomes=("x",))), rng=1)


def test_months_of_districts_are_those_of_their_subdistricts(town):
    asked = Panel(level="district", outcomes=(SHARE,))
    model = CityModel(town(days=120, warm_up=10, panel=asked), rng=1)
    model.run_until(100)  # in the middle of a month: whole months only
    found = model.panel()
    assert list(found["place"]) == ["Example"] * 3 and list(found["month"]) == [0, 1, 2]
    assert found["value"].to_numpy() == pytest.approx(
        model.curves().query(f"outcome == '{SHARE}'")["value"].to_numpy()
    )


def test_a_reform_of_no_intensity_changes_no_bit_of_the_city():
    """The whole path with the true model: the pilot, everywhere and nowhere tell the same."""
    asked = pilot(0.0, uncertainties={"needs": 1}, replications=1, design={"treated": [4]})
    bench, source = Bench(CityModel, 1, "panel"), FromExperiment(asked)
    made = [bench.run(source, job) for job in design.runs(asked)]
    assert {record.status for record, _ in made} == {"done"}
    assert made[0][1] == made[1][1] == made[2][1]


def test_a_city_with_too_few_units_is_told_where_the_file_asks_for_more(tmp_path):
    text = (
        "name: t\ntitle: T\ntitle_zh: 题\nquestion: Q?\ncity: {name: x}\nyears: 1\n"
        "scenarios: {a: {}, b: {reform: [{measure: burden_reduction_ten}]}}\nbaseline: a\n"
        "design:\n  kind: pilot\n  of: b\n  units: district\n  waves: 1\n  before: [6]\n"
        "  after: [6]\n  treated: [%s]\noutcomes: [case_satisfied]\n"
    )
    path = tmp_path / "p.yaml"
    path.write_text(text % 40, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"p\.yaml:16:12: design\.treated: the city has "):
        Experiment.load(path)
    path.write_text(text % 0, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"design\.treated: must have 1 or more that are valid"):
        Experiment.load(path)
