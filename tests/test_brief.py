"""The brief of small studies: whole in both languages, self-contained, honest about gaps."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import pytest
from fontTools.ttLib import TTFont
from ruamel.yaml import YAML
from typer.testing import CliRunner

from fake_model import FakeModel
from reformsim.cli import app
from reformsim.experiment import plan, run, subgroups
from reformsim.experiment.analysis import Trait
from reformsim.experiment.files import digest
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Store
from reformsim.measures import BY_NAME as MEASURES
from reformsim.report import data
from reformsim.report.brief import answer, page
from reformsim.report.brief.names import Names
from reformsim.report.opened import open_results
from reformsim.report.study import CAVEAT, CAVEAT_ZH
from test_experiment import OUTCOMES, comparison, execute, factorial, on

ZH = {"old": "条块分治", "new": "系统治理", "none": "无", "full": "全额"}
THREE = {"old": {}, "new": on("governance_committee"), "third": on("joint_conference")}
FAILING = {"old": {}, "new": {"uncertainties": {"needs": 12}}}
WORLDS = {"kind": "latin_hypercube", "points": 40, "uncertainties": ["p_mis", "cross_share"]}
SOBOL = {"kind": "sobol", "points": 8, "uncertainties": ["p_mis", "cross_share"]}
TWO = [{"measure": "governance_committee"}, {"measure": "joint_conference"}]

DESIGNS = {
    "compared": lambda: comparison(zh=ZH, scenarios=THREE, question_zh="哪个更好？"),
    "single": lambda: comparison(zh=ZH, replications=1),
    "crossed": lambda: factorial(zh=ZH),
    "grouped": lambda: factorial(zh=ZH, design={"within": ["paid"]}),
    "shared": lambda: comparison(
        scenarios={"old": {}, "new": {"reform": TWO}}, design={"kind": "shapley", "of": "new"}
    ),
    "sampled": lambda: comparison(zh=ZH, design=WORLDS, replications=1),
    "sobol": lambda: comparison(zh=ZH, design=SOBOL, replications=1),
    "failed": lambda: comparison(zh=ZH, scenarios=FAILING),
}


class Reader(HTMLParser):
    """Collects the words of each language, the links, and the tags that would load something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: dict[str, list[str]] = {"zh": [], "en": []}
        self.links: dict[str, str] = {}
        self.loads: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag == "span":
            self._open.append(named.get("class", ""))
            if named.get("class") in self.words:
                self.words[named["class"]].append("")
        if tag == "a" and "download" in named:
            self.links[named["download"]] = named["href"]
        if tag == "link" or "src" in named:
            self.loads.append(tag)

    def handle_endtag(self, tag):
        if tag == "span":
            self._open.pop()

    def handle_data(self, text):
        if self._open and self._open[-1] in self.words:
            self.words[self._open[-1]][-1] += text


@pytest.fixture(scope="module")
def briefs(tmp_path_factory):
    """Return a maker of briefs, each made once: (opened, html)."""
    made = {}

    def brief(name: str):
        if name not in made:
            directory = tmp_path_factory.mktemp(name)
            execute(DESIGNS[name](), directory)
            opened = open_results(directory)
            made[name] = opened, page.write(opened, [])
        return made[name]

    return brief


def text_of(html: str, language: str) -> str:
    return "\n".join(Reader(html).words[language])


@pytest.mark.parametrize("name", DESIGNS)
def test_a_brief_is_whole_in_both_languages_and_needs_nothing_from_elsewhere(name, briefs):
    opened, html = briefs(name)
    reader = Reader(html)
    zh, en = reader.words["zh"], reader.words["en"]
    assert len(zh) == len(en) > 60
    assert all(words.strip() for words in zh + en)
    assert not any(re.search(r"[\u4e00-\u9fff]", words) for words in en if "→" not in words)
    assert CAVEAT_ZH in zh and CAVEAT in en
    assert opened.study.question(zh=True) in zh and opened.study.question(zh=False) in en
    assert not reader.loads
    assert not re.search(r"(?:href|src)=\"(?!data:|#)", html)
    assert not re.search(r"url\((?!\"data:)", html)
    assert opened.study.config_hash in html
    assert not re.search(r"\b(nan|None|inf)\b", re.sub(r"base64,[\w+/=]+", "", " ".join(zh + en)))
    assert len(html.encode()) < page.LARGEST


@pytest.mark.parametrize("name", ["compared", "sampled"])
def test_the_font_within_has_every_letter_of_the_page(name, briefs):
    _, html = briefs(name)
    within = re.search(r"data:font/woff;base64,([\w+/=]+)", html).group(1)
    letters = TTFont(io.BytesIO(base64.b64decode(within))).getBestCmap()
    told = re.sub(r"base64,[\w+/=]+", "", html)
    assert {letter for letter in told if ord(letter) > 126 and ord(letter) not in letters} == set()


def test_verdicts_of_the_brief_are_those_of_the_contrasts(briefs):
    """The committee moves every outcome up by 3 %, ten times the noise of a run."""
    opened, html = briefs("compared")
    found = {
        (c.scenario, c.outcome): c.verdict
        for c in opened.study.contrasts
        if c.outcome in OUTCOMES[:1]
    }
    assert found["new", OUTCOMES[0]] == "better"
    cards = re.findall(r'<article class="card ([\w-]+)">', html)
    assert cards == [v.replace(" ", "-") for v in found.values()]
    assert "系统治理，与条块分治相比" in text_of(html, "zh")


def test_a_single_run_makes_no_claim(briefs):
    _, html = briefs("single")
    shown = html[html.index('id="answer"') : html.index('id="figures-title"')]
    zh, en = text_of(shown, "zh"), text_of(shown, "en")
    assert "没有区间" in zh and "nothing is said about certainty" in en
    for claim in ("更好", "更差", "明确更"):
        assert claim not in zh
    assert "better" not in en and "worse" not in en


def test_failed_runs_are_told_and_their_pairs_left_out(briefs):
    opened, html = briefs("failed")
    assert len(opened.study.results.failed()) == 2
    assert "6 次运行中有 2 次失败" in text_of(html, "zh")
    assert "2 of 6 runs failed" in text_of(html, "en")


def test_shares_of_futures_and_their_limits_are_told(briefs):
    _, html = briefs("sampled")
    zh = text_of(html, "zh")
    assert "在 40 个抽取的未来中" in zh and "不是概率预测" in zh
    assert "no fair sample of futures" in text_of(briefs("sobol")[1], "en")


def test_data_within_is_that_of_the_directory_and_the_experiment_runs_again(briefs):
    opened, html = briefs("compared")
    links = {name: base64.b64decode(link.split(",")[1]).decode()
             for name, link in Reader(html).links.items()}  # fmt: skip
    tables = {f"{name}.csv": data.csv(t) for name, t in data.tables(opened.study).items()}
    assert {name: text for name, text in links.items() if name.endswith("csv")} == tables
    again = Experiment.model_validate(YAML(typ="safe").load(links["comparison.yaml"]))
    assert digest(plan.written(plan.of(again))) == opened.study.config_hash


def test_what_has_no_room_is_named(briefs, monkeypatch):
    opened, _ = briefs("compared")
    monkeypatch.setattr(page, "LARGEST", 0)
    html = page.write(opened, [])
    assert "contrasts.csv 过大" in re.sub(r"<[^>]+>", "", html)
    assert "contrasts.csv" not in Reader(html).links


# ------------------------------------------------------------------------- directories with gaps


def test_a_stopped_experiment_gives_a_brief_that_says_so(tmp_path):
    class Stops(FakeModel):
        def run_until(self, day):
            if self.seed == 3:
                raise KeyboardInterrupt
            super().run_until(day)

    with pytest.raises(run.Interrupted):
        run.execute(comparison(), tmp_path, 1, Stops, io.StringIO())
    before = {path.name for path in tmp_path.rglob("*")}
    opened = open_results(tmp_path)
    html = page.write(opened, [])
    assert {path.name for path in tmp_path.rglob("*")} == before, "reading changes nothing"
    assert opened.study.planned - len(opened.study.results.runs) == 2
    assert "计划 6 次运行，缺 2 次" in text_of(html, "zh")
    assert "2 of 6 runs are missing" in text_of(html, "en")


def test_results_of_another_version_are_marked(tmp_path):
    execute(comparison(), tmp_path)
    store = Store(tmp_path)
    manifest = store.manifest()
    for code in manifest["codes"].values():
        code["versions"]["reformsim"] = "0.0.9"
    store.write_manifest({**manifest, "config_hash": "0" * 64})
    told = [w.en for w in open_results(tmp_path).warnings()]
    assert any("results are of reformsim 0.0.9" in w for w in told)
    assert any("no longer resolves" in w for w in told)


def test_whole_results_of_this_version_need_no_warning(briefs):
    assert list(briefs("compared")[0].warnings()) == []


def test_if_all_runs_failed_the_brief_has_no_answer(tmp_path):
    fails = {"uncertainties": {"needs": 12}}
    for name, new in (("one", {}), ("none", fails)):
        scenarios = {"old": fails, "new": new}
        execute(comparison(scenarios=scenarios, replications=1), tmp_path / name)
    one, none = (
        text_of(page.write(open_results(tmp_path / name), []), "en") for name in ("one", "none")
    )
    assert "no runs to compare" in one and "hence no answer" not in one
    assert "hence no answer" in none and "No run was finished" in none


def command(*arguments):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_the_command_writes_the_file_and_tells_what_is_amiss(tmp_path):
    execute(DESIGNS["failed"](), tmp_path / "results")
    result = command(tmp_path / "results", "-o", tmp_path / "x.html")
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "x.html")
    assert "2 of 6 runs failed" in result.stderr
    assert (tmp_path / "x.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_an_advice_in_the_directory_is_shown_and_a_broken_one_refused(tmp_path):
    execute(comparison(replications=1), tmp_path)
    choice = {"name": "grids", "name_zh": "网格"}
    advice = {
        "form": 2,
        "advised": choice,
        "runner_up": None,
        "words": ["So."],
        "words_zh": ["故。"],
    }
    file = tmp_path / "advice.json"
    file.write_text(json.dumps(advice), encoding="utf-8")
    assert command(tmp_path).exit_code == 0
    html = (tmp_path / "brief.html").read_text(encoding="utf-8")
    section = html[html.index("advice-title") :]
    assert "网格" in text_of(section, "zh") and "So." in text_of(section, "en")
    file.write_text(json.dumps({**advice, "form": 3}), encoding="utf-8")
    result = command(tmp_path)
    assert result.exit_code == 2 and "form 3, this version reads 2" in result.stderr


def test_mistakes_of_the_user_are_told_in_one_line(tmp_path):
    nothing = command(tmp_path / "nowhere")
    assert nothing.exit_code == 2 and "no results here" in nothing.stderr
    execute(comparison(replications=1), tmp_path / "results")
    store = Store(tmp_path / "results")
    manifest = store.manifest()
    store.write_manifest({**manifest, "experiment": {**manifest["experiment"], "colour": "red"}})
    newer = command(tmp_path / "results")
    assert newer.exit_code == 2 and "colour" in newer.stderr and "made with 0.1.0" in newer.stderr
    store.write_manifest(manifest)
    no_place = command(tmp_path / "results", "-o", tmp_path / "no" / "x.html")
    assert no_place.exit_code == 2 and "cannot be written" in no_place.stderr


# -------------------------------------------------------------------------------- who, and when


def test_places_and_years_are_paired_contrasts(tmp_path):
    """The fake model gives the committee's 3 % to places in parts of 0, half and all of it."""
    results = execute(comparison(replications=4), tmp_path)
    trait = Trait(OUTCOMES[0], "0–1", "higher")
    places = subgroups.by_place(results, {"new": "old"}, trait)
    assert {p.level for p in places} == {"subdistrict"} and all(p.n == 4 for p in places)
    base = 1 + len(OUTCOMES[0]) / 10
    years = subgroups.by_year(results, {"new": "old"}, trait, {"new": 365})
    assert [y.year for y in years] == [1]
    # curves share all chance, so that the difference is exact but for the month at the border
    assert years[0].value == pytest.approx(0.03 * base, rel=0.1)
    none = subgroups.by_year(results, {"new": "old"}, Trait("nothing", "", "higher"), {"new": 0})
    assert none == []


def test_reversals_of_what_measures_declared_are_told(tmp_path):
    """The fake committee raises every outcome, though it declares that days fall.

    The fake assessment raises effort for residents, as it declares.
    """
    measures = MEASURES["governance_committee"], MEASURES["satisfaction_assessment"]
    assert [m.expected for m in measures] == ["down", "up"]
    committee, assessment = measures
    execute(
        comparison(
            outcomes=[OUTCOMES[0], committee.outcome, assessment.outcome],
            scenarios={"old": {}, "new": on(committee.name), "third": on(assessment.name)},
        ),
        tmp_path,
    )
    study = open_results(tmp_path).study
    new, third = (
        dict((head.en, text.en) for head, text in card.points).get("Against what was expected")
        for card in answer.cards(study, Names(study))
    )
    assert "Time of cross-department cases rises" in new and "reverse of what was declared" in new
    assert third is None
