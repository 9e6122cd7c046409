"""The live page in a real browser that reaches this machine only: the whole journey, by keyboard.

Skipped where there is no Chromium (``apt-get install chromium``), playwright or extra.
"""

import shutil
import socket
import threading
from pathlib import Path

import pytest

from reformsim.experiment import run
from reformsim.experiment.schema import Experiment
from reformsim.report.opened import open_results

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-core")
uvicorn = pytest.importorskip("uvicorn", reason="needs the extra dashboard")
catalogue = pytest.importorskip("reformsim.dashboard.catalogue")
server = pytest.importorskip("reformsim.dashboard.server", exc_type=ImportError)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

MONTH = ".map-plot path[fill^=rgb]"  # on the map once a month has ended
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1200, "height": 900}
ENDED = 120_000  # milliseconds that a run of the town may take on a busy machine


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Serve the page on a free port; return its address and the folder of results."""
    folder = tmp_path_factory.mktemp("results")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()  # a page may ask before the server has started
    config = uvicorn.Config(
        server.Dashboard(catalogue.Catalogue.load(folder, [])).app(),
        log_level="error",
        timeout_graceful_shutdown=1,
    )
    serving = uvicorn.Server(config)
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", folder
    serving.should_exit = True
    thread.join(30)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        yield launched
        launched.close()


@pytest.fixture
def show(browser, served):
    """Return an opener of pages; afterwards none has asked elsewhere or complained."""
    address, _ = served
    contexts, asked, complaints = [], [], []

    def opened(path="/", size=DESK):
        context = browser.new_context(viewport=size)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith((address, "data:"))] == []
    refused = "status of 422"  # what Chromium says of an answer that tells a mistake
    assert [text for text in complaints if refused not in text] == []


def grave(page) -> list[str]:
    found = axe.Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found
            if v["impact"] in ("serious", "critical")]  # fmt: skip


def fill(page, field: str, value: str) -> None:
    page.fill(f"[id='{field}']", value)


def test_the_journey_from_a_bundle_to_the_same_numbers(show, served, tmp_path):
    page, (_, folder) = show(), served
    page.select_option("#load", "three-level-architecture")
    page.click("#loads")
    assert page.inner_text("#count") == "9"
    page.uncheck("[id='characteristic_towns.0']")
    fill(page, "governance_committee.0.intensity", "0.6")
    page.select_option("#city", "town")
    page.wait_for_load_state()
    assert page.inner_text("#count") == "8", "another city keeps the bundle"
    page.click("[id='governance_committee.0'] >> xpath=ancestor::div[1]//summary")
    page.check("[id='governance_committee.0.where'] input")
    fill(page, "years", "1")
    fill(page, "replications", "2")
    page.click("#go")
    name = page.url.rsplit("/", 1)[1]
    page.wait_for_selector("#answer", timeout=ENDED)
    assert len(page.query_selector_all("#curves svg.plot path[fill=none]")) == 2
    fills = {shape.get_attribute("fill") for shape in page.query_selector_all(".map-plot path")}
    assert any(fill.startswith("rgb") for fill in fills)
    page.select_option("#map-view", index=1)
    assert "示范区" in page.inner_text("#map .readout")
    assert "自建组合" in page.inner_text("#answer")
    with page.expect_download() as download:
        page.click("#yaml")
    path = tmp_path / "again.yaml"
    download.value.save_as(path)
    experiment = Experiment.load(path)
    assert experiment.scenarios["own_bundle"].reform[0].intensity == 0.6
    again = run.execute(experiment, tmp_path / "again", workers=1)
    first = open_results(folder / name).study.results
    assert len(first.rows) > 1000 and first.rows.equals(again.rows)
    page.click("#again")
    assert page.inner_text("#count") == "8"
    assert page.input_value("[id='governance_committee.0.intensity']") == "0.6"


def test_all_of_a_bundle_by_keyboard_and_a_reload_finds_the_run(show):
    page = show()

    def to(id: str) -> None:
        for _ in range(400):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == id:
                return
        raise AssertionError(f"{id} cannot be reached")

    to("years")
    page.keyboard.press("Control+A")
    page.keyboard.type("1")
    to("replications")
    page.keyboard.press("Control+A")
    page.keyboard.type("30")
    to("four_level_linkage.0")
    page.keyboard.press("Space")
    assert page.inner_text("#count") == "1"
    page.keyboard.press("Enter")
    page.wait_for_selector("#stop")
    page.wait_for_selector(MONTH, state="attached", timeout=ENDED)
    other = show("/")
    assert other.is_visible(".notice a"), "a second tab knows of the run"
    other.click(".notice a")
    other.wait_for_selector("#stop")
    page.reload()
    page.wait_for_selector(MONTH, state="attached", timeout=ENDED)
    assert "重复" in page.inner_text("#status")
    assert grave(page) == []
    to("stop")
    page.keyboard.press("Enter")
    page.wait_for_selector(".warning", timeout=ENDED)
    assert "运行已停止" in page.inner_text(".warning")
    other.wait_for_selector("#stop", state="detached", timeout=ENDED)


def test_chinese_comes_first_and_the_choice_of_language_stays(show):
    page = show()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.click("text=English")
    page.goto(page.url + "?again=none")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    shown = page.evaluate("document.querySelector('main').innerText")
    assert [c for c in shown if "\u4e00" <= c <= "\u9fff"] == []
    page.click("text=中文")
    assert page.is_visible("text=搭建措施组合")


def test_a_mistake_is_told_beside_its_field(show):
    page = show()
    fill(page, "years", "1000")
    page.click("#go")
    assert "应为 1 至 99 的整数" in page.inner_text("[role=alert]")
    page.click("[role=alert] a")
    assert page.evaluate("document.activeElement.id") == "years"
    assert grave(page) == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [PHONE, DESK])
def test_the_form_is_accessible_and_fits_the_screen(language, size, show):
    page = show(size=size)
    page.click(f"[data-language={language}]")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert grave(page) == []


@pytest.fixture(scope="module")
def made(served) -> str:
    _, folder = served
    experiment = Experiment.load(Path(__file__).parent / "baselines" / "compare.yaml")
    run.execute(experiment, folder / "made", workers=1)
    return "made"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [PHONE, DESK])
def test_results_are_accessible_and_fit_the_screen(language, size, show, made):
    page = show(f"/runs/{made}", size)
    page.click(f"[data-language={language}]")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert grave(page) == []
