"""The live page without a browser: forms, jobs, files, what is refused."""

import json
import re
import time

import pytest
from ruamel.yaml import YAML

from conftest import city_config
from reformsim.experiment import design, plan, run
from reformsim.experiment.files import digest
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Store
from reformsim.report.opened import open_results
from reformsim.scenario import First

pytest.importorskip("starlette", reason="needs the extra dashboard")
pytest.importorskip("httpx", reason="needs httpx")
from starlette.testclient import TestClient

from reformsim.dashboard import form as forms
from reformsim.dashboard.catalogue import Catalogue
from reformsim.dashboard.form import Form
from reformsim.dashboard.job import Job
from reformsim.dashboard.server import Dashboard

ADDRESS = "http://127.0.0.1:8017"
CORE = {"name": "b", "city": "town", "years": "1", "replications": "1", "seed": "3",
        "against": "block-separated", "warm_up": "365"}  # fmt: skip


def step(measure: str, number: int = 0, **typed: str) -> dict[str, str]:
    id = f"{measure}.{number}"
    usual = {"on": "1", "intensity": "1", "start": "365", "until": "", "first": ""} | typed
    return {"row": id} | {f"{id}.{name}": value for name, value in usual.items()}


@pytest.fixture
def dashboard(tmp_path):
    return Dashboard(Catalogue.load(tmp_path, []))


@pytest.fixture
def client(dashboard):
    with TestClient(dashboard.app(), base_url=ADDRESS) as found:
        yield found


def sent(*fields: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for several in fields:
        for name, value in several.items():
            found.setdefault(name, []).append(value)
    return found


def saved(client, *fields: dict[str, str]) -> Experiment:
    answer = client.post("/experiment.yaml", data=sent(*fields))
    assert answer.status_code == 200, re.findall("<li>.*</li>", answer.text)
    return Experiment.model_validate(YAML(typ="safe").load(answer.text))


# -------------------------------------------------------------------------------------- the form


def test_a_form_becomes_an_experiment(client):
    half = step("service_stations", intensity="0.5", start="400", until="600", where="Example")
    more = {"x.needs": "2.5", "layout": "max_coverage", "per": "2"}
    found = saved(client, CORE, half, step("joint_conference", first="0.25"), more)
    assert found.city == city_config("town") and found.years == 1 and found.seed == 3
    assert found.uncertainties == {"needs": 2.5}
    change = found.scenarios[forms.OWN]
    other, one = change.reform  # in the order of the measures
    assert (one.measure, one.intensity, one.from_day, one.until, one.where) == (
        "service_stations", 0.5, 400, 600, ("Example",),
    )  # fmt: skip
    assert other.where == First(first=0.25)
    assert change.stations.layout == "max_coverage" and change.stations.per == 2
    assert found.baseline == "block_separated"


@pytest.mark.parametrize("name", ["systemic", "systemic-pilot", "systemic-phased", "service-first"])
def test_a_stored_bundle_comes_back_from_the_form_as_it_was(name, dashboard):
    known = dashboard.catalogue.bundles[name]
    form = Form.new("b", "town").loaded(known.change)
    form.single |= {"years": "5"}
    found = forms.read(form, dashboard.catalogue, dashboard.catalogue.bundles)

    def steps(change):
        return sorted(map(repr, change.reform))

    assert steps(found.scenarios[forms.OWN]) == steps(known.change)


def test_values_that_no_decimal_holds_survive_the_form(dashboard, client):
    found = saved(client, CORE, step("four_level_linkage", intensity="0.1"), {"x.needs": "0.7"})
    third = found.model_copy(update={"uncertainties": {"needs": 0.1 + 0.6}})
    form = forms.of_experiment(third, "b", "town", "block-separated")
    again = forms.read(form, dashboard.catalogue, dashboard.catalogue.bundles)
    assert again.uncertainties == third.uncertainties


@pytest.mark.parametrize(
    ("wrong", "zh", "en"),
    [
        ({"name": "../x"}, "名称只能用", "a name has small letters"),
        ({"years": "many"}, "应为 1 至 99 的整数", "whole number from 1 to 99"),
        ({"city": "atlantis"}, "没有“atlantis”", "there is no &#39;atlantis&#39;"),
        ({"x.needs": "99"}, "应为 0.5 至 12 的数", "number from 0.5 to 12"),
        ({"x.needs": "nan"}, "应为 0.5 至 12 的数", "number from 0.5 to 12"),
        (step("street_improvement", intensity="2"), "应为 0 至 1 的数", "number from 0 to 1"),
        (step("street_improvement", start="9"), "应为 365 至 729", "from 365 to 729"),
        (step("street_improvement", until="365"), "应为 366 至", "from 366 to"),
        (step("street_improvement", where="Mars"), "没有“Mars”", "no &#39;Mars&#39;"),
        (step("street_improvement", where="Example", first="0.5"), "不要同时选", "not both"),
        (step("service_stations") | {"layout": "list"}, "至少", "at least one site"),
    ],
)
def test_bad_input_is_told_in_both_languages_and_nothing_runs(wrong, zh, en, client, dashboard):
    answer = client.post("/runs", data=sent(CORE | wrong))
    assert answer.status_code == 422 and dashboard.job is None
    told = answer.text[answer.text.index("faults-title") : answer.text.index('id="bundle"')]
    assert en in told and (zh in told or "实验未通过检查" in told)


def test_what_was_typed_is_still_there_after_a_mistake(client):
    wrong = step("street_improvement", intensity="0.37", start="9", where="示范区")
    page = client.post("/runs", data=sent(CORE | {"x.needs": "4.25"} | wrong)).text
    assert 'value="0.37"' in page and 'value="4.25"' in page
    assert re.search(r'name="street_improvement.0.where" value="Example" checked', page)


def test_a_stored_bundle_is_loaded_and_a_step_added(client):
    page = client.post("/form", data=CORE | {"action": "load", "load": "systemic-core"}).text
    assert page.count('.on" value="1" checked') == 15
    page = client.post(
        "/form", data=sent(CORE | {"action": "more:safe_community"}, step("safe_community"))
    ).text
    assert 'name="safe_community.1.on" value="1" checked' in page


# ----------------------------------------------------------------------------------------- a run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder in which a bundle was run by the page, and the page's own view of it."""
    folder = tmp_path_factory.mktemp("results")
    dashboard = Dashboard(Catalogue.load(folder, []))
    with TestClient(dashboard.app(), base_url=ADDRESS) as client:
        data = sent(
            CORE | {"replications": "2"}, step("four_level_linkage"), step("safe_community")
        )
        answer = client.post("/runs", data=data, follow_redirects=False)
        assert answer.status_code == 303 and answer.headers["location"] == "/runs/b"
        second = client.post("/runs", data=data | {"name": ["c"]})
        dashboard.job.wait(600)
        yield folder, client, dashboard.job, second


def test_the_saved_file_gives_the_same_numbers_to_the_bit(made, tmp_path):
    folder, client, *_ = made
    path = tmp_path / "again.yaml"
    path.write_text(client.get("/runs/b/experiment.yaml").text, "utf-8")
    assert path.read_text("utf-8") == (folder / "b" / "b.yaml").read_text("utf-8")
    experiment = Experiment.load(path)
    again = run.execute(experiment, tmp_path / "again", workers=1)
    store = Store(folder / "b")
    first = open_results(store.directory).study.results
    assert len(first.rows) > 1000
    assert first.rows.equals(again.rows)
    assert digest(plan.written(plan.of(experiment))) == store.manifest()["config_hash"]


def test_the_command_line_goes_on_in_the_same_directory(made):
    folder, *_ = made
    experiment = Experiment.load(folder / "b" / "b.yaml")
    codes = Store(folder / "b").manifest()["codes"]
    run.execute(experiment, folder / "b", workers=1)
    assert Store(folder / "b").manifest()["codes"] == codes and len(codes) == 1


def test_one_run_at_a_time(made):
    *_, second = made
    assert second.status_code == 409 and "一次只运行一组" in second.text
    assert 'href="/runs/b"' in second.text


def test_the_job_tells_every_month_and_how_it_ended(made):
    _, client, job, _ = made
    now = job.snapshot()
    assert (now["state"], now["share"], now["runs"]) == ("done", 1.0, 4)
    assert {len(x) for found in now["curves"].values() for x in found.values()} == {24}
    assert len(now["map"][forms.OWN]) == 2 and all(0 < x < 1 for x in now["map"][forms.OWN])
    events = client.get("/runs/b/events").text
    assert json.loads(events.removeprefix("data: "))["state"] == "done"


def test_a_run_has_its_page_its_brief_and_a_form_to_go_on(made):
    _, client, *_ = made
    page = client.get("/runs/b").text
    for part in ('id="answer"', 'id="contrasts"', 'id="curves"', 'id="map"', "四级联动"):
        assert part in page or part == "四级联动"
    data = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])
    assert set(data["map"]["values"]["satisfaction"]) == {"block_separated", forms.OWN}
    assert "决策简报" in client.get("/runs/b/brief").text
    again = client.get("/?again=b").text
    assert again.count('.on" value="1" checked') == 2 and 'value="bundle_1"' in again
    assert 'value="b/own_bundle"' in again, "a scenario of the folder can be compared with"


def test_a_scenario_of_results_can_be_compared_with(made):
    _, client, *_ = made
    found = saved(client, CORE | {"name": "c", "against": "b/own_bundle"}, step("joint_conference"))
    assert [s.measure for s in found.scenarios["b_own_bundle"].reform] == [
        "four_level_linkage", "safe_community",
    ]  # fmt: skip


def test_a_stopped_job_keeps_what_is_finished(tmp_path, client, dashboard):
    experiment = saved(client, CORE | {"replications": "50"}, step("safe_community"))
    job = Job(experiment, tmp_path / "b")
    job.start()
    while job.snapshot()["run"] < 3 and job.state == "running":
        time.sleep(0.01)
    job.stop()
    job.wait(600)
    assert job.snapshot()["state"] == "stopped"
    kept = open_results(tmp_path / "b").study.results.runs
    assert 2 <= len(kept) < 100
    dashboard.job = job
    page = client.get("/runs/b").text
    assert "结果不完整" in page and "/runs/b/go-on" in page


def test_the_map_compares_the_same_month_of_the_same_replication(client, tmp_path):
    job = Job(saved(client, CORE | {"replications": "2"}, step("safe_community")), tmp_path)
    scenarios = design.scenarios(job.experiment)
    job.begin_run(scenarios["block_separated"], 3)
    job._maps["block_separated"] += [[1.0], [2.0], [3.0]]
    assert job.snapshot()["map"] == {"block_separated": [3.0]}
    job.begin_run(scenarios[forms.OWN], 3)
    assert job.snapshot()["map"] == {}
    job._maps[forms.OWN] += [[7.0], [8.0]]
    assert job.snapshot()["map"] == {"block_separated": [2.0], forms.OWN: [8.0]}
    job.begin_run(scenarios["block_separated"], 4)
    job._maps["block_separated"] += [[5.0]]
    assert job.snapshot()["map"] == {"block_separated": [5.0]}


# ------------------------------------------------------------------------------ who may ask what


def test_other_hosts_and_other_sites_are_refused(client, dashboard):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9"):
        answer = client.post("/runs", data=CORE, headers={"origin": origin})
        assert answer.status_code == 403 and dashboard.job is None
    assert client.post("/form", data=CORE, headers={"origin": ADDRESS}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/runs/none", "/runs/..", "/runs/%2e%2e", "/assets/form.py", "/runs/none/brief", "/x"]
)
def test_what_is_not_there_is_said(path, client):
    answer = client.get(path)
    assert answer.status_code in (200, 404)
    assert "没有" in answer.text or "无法" in answer.text or "搭建" in answer.text


def test_pages_forbid_themselves_to_ask_elsewhere(client):
    answer = client.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", answer.text)
