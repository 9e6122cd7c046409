"""The commands that check files and print what is declared."""

import io
import json
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType

import pytest
import typer
from pydantic import BaseModel
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

import reformsim
from reformsim.cli import app
from reformsim.experiment.trials import Finding
from reformsim.facts import Fact
from reformsim.known import KNOWN
from reformsim.measures import MEASURES
from reformsim.outcomes import OUTCOMES
from reformsim.report import WIDTH, backfires, tables
from reformsim.rules import LEVERS
from reformsim.uncertainties import UNCERTAINTIES

ROOT = Path(__file__).parents[1]
TABLES = {
    "measures": MEASURES,
    "levers": LEVERS,
    "uncertainties": UNCERTAINTIES,
    "outcomes": OUTCOMES,
}


def run(*arguments: str):
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("zh", [(), ("--zh",)])
@pytest.mark.parametrize("command", TABLES)
def test_tables_name_every_item_and_fit_80_columns(command, zh):
    result = run(command, *zh)
    assert (result.exit_code, result.stderr) == (0, "")
    words = set(result.stdout.split())
    assert all(item.name in words for item in TABLES[command])
    assert all(cell_len(line) <= 80 for line in result.stdout.splitlines())
    assert "\x1b" not in result.stdout


def test_an_unknown_measure_suggests_the_nearest():
    result = run("measures", "goverance_committee")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean governance_committee?" in result.stderr


@pytest.mark.parametrize("command", TABLES)
def test_json_is_the_declaration(command):
    told = json.loads(run(command, "--json").stdout)
    assert told == json.loads(json.dumps([asdict(item) for item in TABLES[command]]))


@pytest.mark.parametrize("command", ["levers", "uncertainties"])
def test_one_item_is_explained(command):
    item = TABLES[command][0]
    text = run(command, item.name).stdout
    assert all(field in text for field in asdict(item))
    assert [told["name"] for told in json.loads(run(command, item.name, "--json").stdout)] == [
        item.name
    ]


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_a_measure_is_explained_in_both_languages(measure, monkeypatch):
    monkeypatch.chdir(ROOT)
    result = run("measures", measure.name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert all(cell_len(line) <= 80 for line in result.stdout.splitlines())
    told = "".join(result.stdout.split())
    fields = ("name", "zh", "helps", "helps_zh", "costs_zh", "backfires", "backfires_zh", "source")
    for text in (*(getattr(measure, field) for field in fields), *measure.sets, measure.outcome):
        assert "".join(text.split()) in told
    assert f"expected{measure.expected}" in told
    if measure.cost is not None:
        assert f"{measure.cost.amount:g}×10,000yuanper" in told
        assert f"{measure.cost.amount:g}万元" in told


def test_an_explained_measure_says_what_it_sets_and_who_reads_it(monkeypatch):
    monkeypatch.chdir(ROOT)
    text = " ".join(run("measures", "governance_committee").stdout.split())
    assert "sets joint_dispatch 0 -> 0.9 share of cross-department cases" in text
    assert "sets hub_capacity 0 -> hub_staffing (1.25, 0.5 to 2) times expected need" in text
    assert "read by 读取于 model/administration.py, model/orders.py" in text


BACKFIRE = """\
measure: governance_committee
outcome: p90_days
city: town
helps: {why: serial parts, why_zh: 串行}
harms: {why: a hub under capacity, why_zh: 中枢不足}
"""


def test_an_explained_measure_tells_what_came_of_it(tmp_path, monkeypatch):
    """Without a file, before its run, after it, and where the file is wrong."""

    def told() -> str:
        return " ".join(run("measures", "governance_committee").stdout.split())

    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    assert "no experiments/backfires/governance_committee.yaml" in told()
    file = tmp_path / "experiments" / "backfires" / "governance_committee.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(BACKFIRE, "utf-8")
    assert "a hub under capacity · 中枢不足 not run yet 尚未运行" in told()
    row = Finding(
        id=20, measure="governance_committee", side="harms", outcome="p90_days", unit="days",
        better="lower", n=8, base=60.0, effect=30.0, low=25.0, high=35.0, verdict="shown",
        verdict_zh="已显示", why="a hub under capacity", why_zh="中枢不足",
    )  # fmt: skip
    results = tmp_path / "results" / "backfires"
    results.mkdir(parents=True)
    backfires.save([replace(row, side="helps"), row], results)
    assert "p90 days: +30.0 [+25.0, +35.0] days shown · 已显示" in told()
    file.write_text(BACKFIRE.replace("p90_days", "p9_days"), "utf-8")
    assert "2:10: outcome: unknown outcome 'p9_days'" in told()


def test_an_unknown_name_suggests_the_nearest():
    result = run("levers", "linkages")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "no 'linkages' among the levers, did you mean linkage?\n"


@pytest.mark.parametrize("command", TABLES)
def test_tables_in_chinese_have_chinese_heads_and_titles(command):
    title, heads = run(command, "--zh").stdout.splitlines()[:2]
    for text in (title, heads):
        assert re.search("[一-鿿]", text) and not re.search("[A-Za-z]", text), text


@pytest.mark.parametrize("zh", [False, True])
def test_the_table_of_facts_fits_80_columns_in_both_languages(zh):
    rows = [
        Fact(fact.name, fact.low, fact.high, fact.low if i % 2 else 2 * fact.high, fact.mark, "")
        for i, fact in enumerate(KNOWN)
    ]
    stream = io.StringIO()
    tables.facts_table(rows, Console(file=stream, width=WIDTH), zh)
    lines = stream.getvalue().splitlines()
    assert all(cell_len(line) <= 80 for line in lines) and "…" not in stream.getvalue()
    words = set(re.split(r"\s+", stream.getvalue()))
    assert {word for fact in KNOWN for word in (fact.zh if zh else fact.name).split()} <= words
    held = [row for row in rows if row.mark == "held out"]
    hits = sum(row.hit for row in held)
    assert str(len(held)) in lines[-1] and str(hits) in lines[-1] and 0 < hits < len(held)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("configs/governance/systemic.yaml", "governance file"),
        ("configs/governance/block-separated.yaml", "governance file"),
        ("configs/cities/town.yaml", "city"),
        ("configs/cities/default.yaml", "city"),
    ],
)
def test_check_says_what_a_shipped_file_is(monkeypatch, path, kind):
    monkeypatch.chdir(ROOT)
    result = run("check", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{path}: a valid {kind}\n"


def checked(tmp_path, monkeypatch, text: str, *options: str):
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(text, "utf-8")
    return run("check", "x.yaml", *options)


def test_check_accepts_a_scenario(tmp_path, monkeypatch):
    town = ROOT / "configs" / "cities" / "town.yaml"
    result = checked(tmp_path, monkeypatch, f"name: a\ncity: {json.dumps(str(town))}\n")
    assert (result.exit_code, result.stdout) == (0, "x.yaml: a valid scenario\n")


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (
            "name: a\nname_zh: 甲\nmeasures: [{measure: x}, {intensity: 3}]\n",
            [
                "x.yaml:3:22: measures.0.measure: unknown measure 'x' "
                "(`reformsim measures` lists them)",
                "x.yaml:3:26: measures.1.measure: missing, but required",
                "x.yaml:3:38: measures.1.intensity: must be in [0, 1], got 3",
            ],
        ),
        ("grids: many\n", ["x.yaml:1:8: grids: expected a whole number, got 'many'"]),
        ("city: {}\nname: 3\n", ["x.yaml:2:7: name: expected text, got 3 (quotes make it text)"]),
        ("a: [\n", None),
        (
            "a: 1\n",
            ["x.yaml:1:1: no key of a scenario, an experiment, a city or a governance file"],
        ),
    ],
)
def test_check_prints_one_error_a_line(tmp_path, monkeypatch, text, errors):
    result = checked(tmp_path, monkeypatch, text)
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert len(lines) == 1 if errors is None else lines == errors
    assert "Traceback" not in result.stderr


def test_check_tells_machines_as_much(tmp_path, monkeypatch):
    result = checked(tmp_path, monkeypatch, "grids: many\n", "--json")
    assert (result.exit_code, result.stderr) == (2, "")
    fault = {"file": "x.yaml", "line": 1, "column": 8, "field": "grids"}
    message = "expected a whole number, got 'many'"
    assert json.loads(result.stdout) == {
        "file": "x.yaml", "kind": "city", "valid": False, "faults": [fault | {"message": message}],
    }  # fmt: skip
    result = checked(tmp_path, monkeypatch, "a: [\n", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["kind"], told["valid"]) == (2, None, False)
    assert len(told["faults"]) == 1
    result = run("check", str(ROOT / "configs" / "cities" / "town.yaml"), "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["kind"], told["valid"], told["faults"]) == (0, "city", True, [])


@pytest.mark.parametrize("key", ["scenarios", "design"])
def test_check_knows_an_experiment_by_its_keys(tmp_path, monkeypatch, key):
    class Experiment(BaseModel, extra="forbid"):
        scenarios: int = 0
        design: int = 0

    for name in ("reformsim.experiment", "reformsim.experiment.schema"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["reformsim.experiment.schema"].Experiment = Experiment  # type: ignore[attr-defined]
    result = checked(tmp_path, monkeypatch, f"{key}: 1\n")
    assert (result.exit_code, result.stdout) == (0, "x.yaml: a valid experiment\n")


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], {"numpy", "numba", "pandas", "pydantic", "mesa"}),
        (["check", str(ROOT / "experiments" / "regimes.yaml")], {"pandas", "pyarrow", "mesa"}),
    ],
)
def test_a_quick_command_imports_nothing_heavy(words, heavy):
    code = (
        "import sys; from typer.testing import CliRunner; from reformsim.cli import app\n"
        f"assert CliRunner().invoke(app, {words}).exit_code == 0\n"
        f"print(*{heavy} & sys.modules.keys())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


def completed(*words: str) -> list[str]:
    """Return what bash is offered for the last of the words."""
    asked = {
        "_REFORMSIM_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("reformsim", *words)),
        "COMP_CWORD": str(len(words)),
    }
    result = CliRunner().invoke(app, [], env=asked, prog_name="reformsim")
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.split()


def test_the_shell_completes_commands_options_and_declared_names():
    assert {"measures", "plot", "schema"} <= set(completed(""))
    assert completed("meas") == ["measures"]
    assert "--retry-failed" in completed("run", "--re")
    assert completed("measures", "governance") == ["governance_committee"]
    for command, items in TABLES.items():
        assert completed(command, "") == [item.name for item in items]


def test_completion_can_be_installed():
    result = CliRunner().invoke(app, ["--show-completion", "bash"], prog_name="reformsim")
    assert result.exit_code == 0 and "_REFORMSIM_COMPLETE=complete_bash" in result.stdout


def test_the_version_is_told():
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"reformsim {reformsim.__version__}\n")


def commands(at: typer.main.TyperCommand | None = None, path: tuple[str, ...] = ()):
    at = at or typer.main.get_command(app)
    yield path
    for name, inner in getattr(at, "commands", {}).items():
        yield from commands(inner, (*path, name))


def test_help_loses_no_words_to_markup():
    """A default in brackets would be read as markup and vanish: `Directory .`"""
    paths = list(commands())
    assert ("city", "learn") in paths and len(paths) > 15
    for path in paths:
        told = run(*path, "--help").stdout
        assert not re.search(r"\w \.(\s|│)", told), path
