"""`reformsim run experiments/backfires`: the files, the pairs, what is said of them and kept."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import reformsim.model
from reformsim.cli import app
from reformsim.config import ConfigError
from reformsim.experiment import trials
from reformsim.experiment.backfires import (
    HOLDS_ZERO,
    NO_CHANGE,
    ONE_RUN,
    REVERSED,
    SHOWN,
    judge,
    load_folder,
)
from reformsim.experiment.store import StoreError
from reformsim.measures import BY_NAME
from reformsim.outcomes import BY_NAME as BY_OUTCOME
from reformsim.report import backfires as report
from support import CONFIG

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "experiments" / "backfires"

COMMITTEE = """\
measure: governance_committee
outcome: p90_days
city: town
helps: {why: serial parts, why_zh: 串行, uncertainties: {serial_share: 1.0}}
harms:
  why: a hub under capacity
  why_zh: 中枢不足
  outcome: satisfaction
  uncertainties: {hub_staffing: 0.5, cross_share: 0.42}
  intensity: 0.5
"""
AWARDS = """\
measure: recognition_awards
outcome: effort_residents
years: 3
city: town
helps: {why: a, why_zh: 甲, reform: [{measure: joint_conference}]}
harms: {why: b, why_zh: 乙}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Return a folder of two files, with the working directory above it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    there = tmp_path / "small"
    there.mkdir()
    (there / "governance_committee.yaml").write_text(COMMITTEE, "utf-8")
    (there / "recognition_awards.yaml").write_text(AWARDS, "utf-8")
    return there


class FakeModel:
    """As many days of p90 as the seed, ten more with the measure; the rest of no account."""

    made = 0
    refuses: str | None = None
    stops_at: int | None = None

    def __init__(self, scenario, rng, threads=1) -> None:
        self.reset(scenario, rng)

    def reset(self, scenario, rng) -> None:
        self.scenario, self.seed = scenario, rng

    def run_until(self, day: int) -> None:
        cls = type(self)
        if cls.made == cls.stops_at:
            raise KeyboardInterrupt
        cls.made += 1
        if self.scenario.name == self.refuses:
            raise ValueError("measures above its limit")
        assert day == self.scenario.days

    def headlines(self):
        tried = self.scenario.name.split()[0]
        with_it = self.scenario.brings(tried)
        values = {"p90_days": self.seed + 10.0 * with_it, "effort_residents": 0.5}
        values["satisfaction"] = 0.6 + with_it * 0.01 * (-1) ** self.seed
        return [(BY_OUTCOME[name], value) for name, value in values.items()]


@pytest.fixture
def fake(monkeypatch) -> type[FakeModel]:
    """Put a small model in the place of the large one."""
    cls = type("Fake", (FakeModel,), {})
    monkeypatch.setattr(reformsim.model, "CityModel", cls)
    return cls


def call(*arguments: object):
    return CliRunner().invoke(app, ["run", *map(str, arguments), "--workers", "1"])


# --- files


def test_files_are_read_in_the_order_of_the_measures(folder):
    committee, awards = load_folder(folder)
    assert (committee.measure, awards.measure) == ("governance_committee", "recognition_awards")
    assert (committee.years, awards.years) == (2, 3)
    assert committee.better("helps") == "lower" and committee.better("harms") == "higher"
    assert awards.better("harms") == "higher"  # as expected of the measure
    with_it, without = (committee.scenario("harms", arm) for arm in (True, False))
    (step,) = with_it.reform
    assert (step.from_day, step.until, step.intensity, step.where) == (365, None, 0.5, None)
    assert without.reform == () and with_it.days == 3 * 365 and with_it.warm_up == 365
    same = {"reform"}
    assert with_it.model_dump(exclude=same) == without.model_dump(exclude=same)
    assert [len(awards.scenario("helps", arm).reform) for arm in (True, False)] == [2, 1]


COMMITTEE_LINE = "measure: governance_committee"
FAULTS = [
    ("outcome: p90_days", "outcome: p90_day",
     "2:10: outcome: unknown outcome 'p90_day', did you mean p90_days?"),
    ("serial_share: 1.0", "serial_share: 2",
     "4:70: helps.uncertainties.serial_share: must be in [0, 1] (share), got 2.0"),
    ("outcome: satisfaction", "outcome: needs",
     "8:12: harms.outcome: of needs, neither way is better: say `better` in `harms`"),
    ("intensity: 0.5", "intensity: 1.5", "10:14: harms.intensity: must be in (0, 1], got 1.5"),
    ("intensity: 0.5", "strength: 0.5", "10:3: harms.strength: unknown key"),
    ("  why_zh: 中枢不足\n", "", "6:3: harms.why_zh: missing, but required"),
    ("city: town", "city: town\nyears: 1", "4:8: years: must be in [2, 20], got 1"),
    (COMMITTEE_LINE, "measure: governance_comittee",
     "1:10: measure: unknown measure 'governance_comittee', did you mean governance_committee?"),
    (COMMITTEE_LINE, "measure: joint_conference",
     "1:10: measure: the file must be named joint_conference.yaml, not governance_committee.yaml"),
    ("why_zh: 串行,", "why_zh: 串行, reform: [{measure: governance_committee}],",
     "4:48: helps.reform: must not hold governance_committee, which is what is tried"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fault"), FAULTS)
def test_faults_are_told_with_line_and_field(folder, old, new, fault):
    assert old in COMMITTEE
    (folder / "governance_committee.yaml").write_text(COMMITTEE.replace(old, new), "utf-8")
    with pytest.raises(ConfigError) as error:
        load_folder(folder)
    assert error.value.lines[0].startswith(f"small/governance_committee.yaml:{fault}")
    done = call(folder)
    assert done.exit_code == 2 and fault in done.stderr


def test_an_outcome_of_no_better_way_is_given_one_by_the_side(folder):
    text = COMMITTEE.replace("outcome: satisfaction", "outcome: needs\n  better: lower")
    (folder / "governance_committee.yaml").write_text(text, "utf-8")
    assert load_folder(folder)[0].better("harms") == "lower"


def test_check_knows_a_backfire_file(folder):
    done = CliRunner().invoke(app, ["check", str(folder / "recognition_awards.yaml")])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.endswith("recognition_awards.yaml: a valid backfire file\n")


def test_shipped_files_are_valid():
    """Of each measure at most one; the lead adds those that are missing."""
    if not SHIPPED.is_dir():
        pytest.skip("no experiments/backfires")
    found = load_folder(SHIPPED)
    assert len(found) == len(list(SHIPPED.glob("*.yaml")))


# --- verdicts


@pytest.mark.parametrize(
    ("side", "better", "low", "high", "verdict"),
    [
        ("helps", "higher", 0.1, 0.2, SHOWN),
        ("helps", "lower", -0.2, -0.1, SHOWN),
        ("helps", "higher", -0.2, -0.1, REVERSED),
        ("harms", "higher", -0.2, -0.1, SHOWN),
        ("harms", "lower", 0.1, 0.2, SHOWN),
        ("harms", "lower", -0.2, -0.1, REVERSED),
        ("helps", "higher", -0.001, 0.5, HOLDS_ZERO),
        ("harms", "lower", 0.0, 0.5, HOLDS_ZERO),
        ("helps", "higher", 0.0, 0.0, NO_CHANGE),
        ("helps", "higher", 1e-14, 2e-14, NO_CHANGE),
    ],
)
def test_a_verdict_says_no_more_than_the_interval(side, better, low, high, verdict):
    assert judge(side, better, 8, low, high, base=1.0) == verdict


def test_without_an_interval_nothing_is_shown():
    assert judge("helps", "higher", 1, np.nan, np.nan, 1.0) == ONE_RUN


# --- runs


def test_pairs_become_findings(folder, fake):
    stories = load_folder(folder)
    found = trials.try_out(stories, folder.parent / "out", replications=4)
    helps, harms, *awards = found
    assert (helps.n, helps.base, helps.effect) == (4, 2.5, 10.0)
    assert (helps.low, helps.high, helps.verdict) == (10.0, 10.0, "reversed")  # more days
    assert (harms.outcome, harms.verdict) == ("satisfaction", HOLDS_ZERO.word)
    half = 3.182446 * 0.02 / np.sqrt(3) / np.sqrt(4)  # t of 3 degrees of freedom; ±0.01 in turn
    assert (harms.low, harms.high) == pytest.approx((-half, half), rel=1e-5)
    assert {a.verdict for a in awards} == {NO_CHANGE.word}
    assert fake.made == 2 * 2 * 2 * 4


def test_what_is_kept_is_not_run_again_and_what_changed_is_refused(folder, fake):
    out = folder.parent / "out"
    first = trials.try_out(load_folder(folder), out, replications=2)
    assert fake.made == 16
    assert trials.try_out(load_folder(folder), out, replications=2) == first
    assert fake.made == 16
    trials.try_out(load_folder(folder), out, replications=3)
    assert fake.made == 24
    (folder / "recognition_awards.yaml").write_text(AWARDS.replace("3", "2"), "utf-8")
    with pytest.raises(StoreError, match="days: 1460 -> 1095"):
        trials.try_out(load_folder(folder), out, replications=3)
    assert fake.made == 24


def test_interruption_keeps_finished_runs(folder, fake):
    fake.stops_at = 11
    done = call(folder, "--replications", 2)
    assert done.exit_code == 130
    assert "stopped: 11 of 16 runs are kept in results/small" in done.stderr
    fake.stops_at = None
    again = call(folder, "--replications", 2)
    assert again.exit_code == 0, again.output
    assert fake.made == 16


def test_a_dry_run_keeps_nothing(folder, fake):
    done = call(folder, "--replications", 2, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "16 runs, 0 there already, 16 to make" in done.stdout
    assert not Path("results").exists()


def test_a_refused_world_is_told_and_the_other_side_is_shown(folder, fake):
    fake.refuses = "governance_committee harms"
    done = call(folder, "--replications", 2)
    assert done.exit_code == 1
    told = " ".join(done.stdout.split())
    assert "failed: governance_committee, harms: ValueError: measures above its limit" in told
    rows = report.read(Path("results/small") / report.CSV)
    assert [row.verdict for row in rows[:2]] == ["reversed", "failed"]
    fake.refuses, made = None, fake.made
    assert call(folder, "--replications", 2, "--retry-failed").exit_code == 0
    assert fake.made == made + 4  # the failed side alone


def test_files_say_what_the_table_says(folder, fake):
    done = call(folder, "--replications", 2)
    assert done.exit_code == 0, done.output
    for text in (
        "社治委",
        "governance committee",
        "time to close nine in ten ↓",
        "reversed",
        "not shown",
    ):
        assert text in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    out = Path("results/small")
    found = report.read(out / report.CSV)
    stories = load_folder(folder)
    expected = trials.try_out(stories, out, replications=2)
    assert repr(found) == repr(expected)
    text = (out / report.MARKDOWN).read_text("utf-8")
    for row in found:
        assert row.why in text and row.why_zh in text
    assert "| 20 | 社治委<br>`governance_committee` |" in text
    assert "未显示:区间含零" in call(folder, "--replications", 2, "--zh").stdout
    told = json.loads(call(folder, "--replications", 2, "--json").stdout)
    assert [row["verdict"] for row in told] == [row.verdict for row in found]


def test_one_run_has_no_interval_and_survives_the_file(folder, fake):
    assert call(folder, "--replications", 1).exit_code == 0
    rows = report.read(Path("results/small") / report.CSV)
    assert {row.verdict for row in rows} == {ONE_RUN.word}
    assert np.isnan(rows[0].low) and rows[0].effect == 10.0


def test_no_results_read_as_none(tmp_path):
    assert report.read(tmp_path / "none.csv") == []


def test_real_runs_are_the_same_in_worker_processes(folder):
    """The engine itself: values by worker processes and by this one, to the bit."""
    (folder / "recognition_awards.yaml").unlink()
    small = COMMITTEE.replace("city: town", f"city: {CONFIG.model_dump_json()}")
    for name in ("governance_committee", "burden_reduction_ten"):
        text = small.replace("governance_committee", name)
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    stories = load_folder(folder)
    assert [BY_NAME[story.measure].id for story in stories] == [15, 20]
    alone = trials.try_out(stories, folder.parent / "one", replications=1)
    spread = trials.try_out(stories, folder.parent / "two", replications=1, workers=2)
    assert repr(alone) == repr(spread)
    assert not any(row.failure for row in spread)
    assert spread[2].effect != 0
