"""A run's own export beside a user's: the same cases, followed as long, read by one estimator."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from reformsim.cli import app
from reformsim.config import ConfigError
from reformsim.experiment.calibration import ExportCities, of
from reformsim.experiment.own_export import ExportCity, export, exported
from reformsim.experiment.targets import Target
from reformsim.known import CHANNELS, EXPORT, Listed, channels
from reformsim.model import CityModel
from test_calibration import HEAD, load
from test_experiment import ROOT
from test_learn import MAPPINGS

SCENARIO = "name: own\ncity: {city}\nwarm_up: 20\ndays: 230\n"
SEED = 3


@pytest.fixture(scope="module")
def run(town):
    """Return a run of the town that is over, as the file of ``SCENARIO`` asks for it."""
    scenario = town(warm_up=20, days=230)
    model = ExportCities(Listed(tuple(CHANNELS)))(scenario, SEED, 1)
    model.run_until(scenario.days)
    return model


def invoke(*command, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in command])
    assert done.exit_code == code, done.output
    return done.output


def exports(folder, *more) -> pd.DataFrame:
    """Return what `city export` writes of the run."""
    (folder / "own.yaml").write_text(SCENARIO.format(city=ROOT / "configs/cities/town.yaml"))
    invoke("city", "export", folder / "own.yaml", "-o", folder / "c.csv", "--seed", SEED, *more)
    return pd.read_csv(folder / "c.csv", dtype=str)


def learned(folder, cases: pd.DataFrame, names: tuple[str, ...]) -> list[Target]:
    """Return the rows of exports that `city learn` writes of cases of some channels."""
    text = (MAPPINGS / "hotline12345.yaml").read_text("utf-8")
    (folder / "m.yaml").write_text(f"{text}\nchannels: [{', '.join(names)}]\n", "utf-8")
    cases.to_csv(folder / "mine.csv", index=False)
    invoke("city", "learn", folder / "mine.csv", "--map", folder / "m.yaml", "-o", folder / "out")
    text = (folder / "out" / "targets.csv").read_text("utf-8-sig")
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["name"].startswith(EXPORT)]
    numbers = ("value", "low", "high", "n", "days", "follow_up")
    return [Target(**row | {name: float(row[name]) for name in numbers}) for row in rows]


@pytest.mark.parametrize(
    ("names", "taken_in"),
    [
        (("hotline",), (20, 230)),
        (("hotline",), (20, 205)),
        (("hotline",), (100, 205)),
        (("grid", "station"), (20, 205)),
        (tuple(CHANNELS), (100, 205)),
    ],
)
def test_a_run_learned_from_its_file_and_told_by_itself_agree_exactly(
    run, tmp_path, names, taken_in
):
    """Whatever channels a file lists, from when, and how long after its last case it was drawn."""
    cases = exports(tmp_path, "--channels", ",".join(names))
    day = (pd.to_datetime(cases["受理时间"]) - pd.Timestamp("2018-01-01")).dt.days
    cases = cases[(day >= taken_in[0]) & (day < taken_in[1])]
    targets = learned(tmp_path, cases, names)
    (listed,) = {target.listed for target in targets}
    assert listed == Listed(names, taken_in[1] - taken_in[0], 230 - taken_in[1])
    told = exported(run, listed)
    assert len(targets) >= 5
    for target in targets:
        assert target.value == told[target.name.removeprefix(EXPORT)], target.name


def test_the_share_answered_at_intake_moves_with_the_mix_of_channels(run):
    """All channels give the mean of each alone by its number of cases; the hotline's is lower."""
    cases = run.cases()
    counts = cases.loc[cases["voiced"] >= 20, "channel"].value_counts()
    of_each = {name: exported(run, Listed((name,)))["answered at intake"] for name in CHANNELS}
    every = exported(run, Listed(tuple(CHANNELS)))["answered at intake"]
    mixed = np.average([of_each[name] for name in CHANNELS], weights=counts[list(CHANNELS)])
    assert every == pytest.approx(mixed, abs=0.005)
    assert of_each["hotline"] < every - 0.02


def test_what_is_answered_at_intake_does_not_depend_on_when_the_file_was_drawn(run):
    """Of the same 92 days, drawn with the last case and 118 days later: within 1 %.

    Over closed cases, as it would be counted at once, the share falls by 8 %.
    """
    cases = run.cases()
    cases = cases[(cases["voiced"] >= 20) & (cases["voiced"] < 112)]
    closed = [cases[cases["finished"] < day]["dispatched"].mean() for day in (112, 230)]
    assert (1 - closed[1]) / (1 - closed[0]) < 0.95
    late = exported(run, Listed(tuple(CHANNELS), 92, 118))["answered at intake"]
    early = ExportCity(run.scenario.model_copy(update={"days": 112}), run.listed, rng=SEED)
    early.run_until(112)
    drawn = exported(early, Listed(tuple(CHANNELS), 92, 0))["answered at intake"]
    assert drawn == pytest.approx(late, rel=0.01)


def test_records_that_no_export_lists_are_given_back_and_change_nothing(run):
    """Fewer records, the same figures to the bit; and an export of the hotline lists the same."""
    city = ExportCity(run.scenario, Listed(), rng=SEED)
    city.run_until(230)
    assert city.outcomes().equals(run.outcomes())
    assert export(city, Listed()).equals(export(run, Listed()))
    assert len(city.cases()) < 0.6 * len(run.cases())
    whole = CityModel(run.scenario, rng=SEED)
    whole.run_until(230)
    assert whole.outcomes().equals(run.outcomes())
    assert sum(len(d.cases) for d in city.columns.districts) < len(whole.cases()) / 2


def test_channels_are_hotline_unless_said_and_others_are_refused_in_two_languages(tmp_path):
    assert channels(["hotline", "grid"]) == ("grid", "hotline")
    assert set(exports(tmp_path)["来源"]) == {"热线"}
    told = invoke("city", "export", tmp_path / "own.yaml", "-o", tmp_path / "c.csv",
                  "--channels", "hotlin", code=2)  # fmt: skip
    assert "no channel 'hotlin'" in told
    assert "没有渠道“hotlin”" in told and "grid 网格, station 服务站, hotline 热线" in told
    text = (MAPPINGS / "hotline12345.yaml").read_text("utf-8")
    (tmp_path / "m.yaml").write_text(text + "\nchannels: [phone]\n", "utf-8")
    told = invoke("city", "learn", tmp_path / "c.csv", "--map", tmp_path / "m.yaml", code=2)
    assert "m.yaml" in told and "没有渠道“phone”" in told
    with pytest.raises(ConfigError, match=r"own.csv:2:1: channels: no channel 'phone'"):
        load(tmp_path, "targets: own.csv, facts: []", _rows("phone,,"))


def _rows(*ends: str) -> str:
    head = HEAD.strip() + ",channels,days,follow_up\n"
    names = ("answered at intake", "median days, dispatched")
    rows = zip(names, ends, strict=False)
    return head + "".join(f'"{EXPORT}{name}",,0.5,0.7,,own,,{end}\n' for name, end in rows)


def test_all_rows_of_exports_come_from_one_and_leave_something_of_a_run(tmp_path):
    more = "targets: own.csv, facts: []"
    task = of(load(tmp_path, more, _rows("grid hotline,365,20", "hotline grid,365,20")))
    assert task.factory == ExportCities(Listed(("grid", "hotline"), 365, 20))
    assert of(load(tmp_path, more, _rows(",,"))).factory == ExportCities(Listed())
    with pytest.raises(ConfigError, match=r"own.csv:3:1: days: differs .*须来自同一份导出"):
        load(tmp_path, more, _rows(",365,0", ",200,0"))
    with pytest.raises(ConfigError, match=r"years: .* 1900 days .* must last 6 years"):
        load(tmp_path, more, _rows(",30,1900"))
