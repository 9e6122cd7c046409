"""The brief in a real browser without a network: it renders, answers every control, is accessible.

Skipped where there is no Chromium (``apt-get install chromium``) or no playwright.
"""

import shutil

import pytest

from reformsim.report.brief import page as brief
from reformsim.report.opened import open_results
from test_brief import DESIGNS
from test_experiment import execute

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-core")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

PHONE, DESK = {"width": 390, "height": 800}, {"width": 1200, "height": 900}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the files of two briefs: a comparison of three scenarios, and sampled worlds."""
    found = {}
    for name in ("compared", "sampled"):
        directory = tmp_path_factory.mktemp(name)
        execute(DESIGNS[name](), directory)
        found[name] = directory / "brief.html"
        found[name].write_text(brief.write(open_results(directory), []), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def show(browser, files):
    """Return an opener of pages; afterwards none has asked for anything or complained."""
    contexts, asked, complaints = [], [], []

    def opened(name="compared", size=DESK):
        context = browser.new_context(offline=True, viewport=size)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(files[name].as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    outside = [url for url in asked if not url.startswith(("file:", "data:"))]
    assert (outside, complaints) == ([], [])
    assert len([url for url in asked if url.startswith("file:")]) == len(contexts)


def bodies(page, figure: str) -> str:
    return page.inner_text(f"#{figure} tbody")


def test_chinese_comes_first_and_all_of_it_switches(show):
    page = show()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.is_visible("text=结论") and not page.is_visible("text=The answer")
    page.click("text=English")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title() == "A comparison"
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    shown = page.evaluate("document.querySelector('main').innerText")
    left = [c for c in shown if "\u4e00" <= c <= "\u9fff"]
    assert left == [], "what is shown in English holds no Chinese"
    assert page.input_value("#contrasts-0") == "new"
    page.click("text=中文")
    assert page.title() == "比较" and page.is_visible("text=结论")


def test_every_choice_of_every_figure_changes_what_is_shown(show):
    page = show()
    for figure in ("contrasts", "groups"):
        for select in page.query_selector_all(f"#{figure} select"):
            seen = set()
            for option in select.query_selector_all("option"):
                select.select_option(option.get_attribute("value"))
                seen.add(bodies(page, figure) + page.inner_text(f"#{figure} .readout"))
            assert len(seen) == len(select.query_selector_all("option"))
    page.select_option("#contrasts-0", "old")
    page.select_option("#contrasts-1", "old")
    assert "请选两个不同的方案" in page.inner_text("#contrasts .readout")


def test_two_scenarios_are_compared_both_ways(show):
    page = show()
    page.click("text=English")
    forth = page.inner_text("#contrasts .readout")
    assert "better" in forth and "rises" in forth
    page.select_option("#contrasts-0", "old")
    page.select_option("#contrasts-1", "new")
    assert "worse" in page.inner_text("#contrasts .readout")


def test_curves_follow_outcome_scenarios_and_month(show):
    page = show()
    lines = "#curves svg.plot path[fill=none]"
    assert len(page.query_selector_all(lines)) == 3
    page.uncheck("#curves input[value=third]")
    assert len(page.query_selector_all(lines)) == 2
    before = page.inner_text("#curves .readout")
    page.focus("#curves-month")
    page.keyboard.press("ArrowLeft")
    earlier = page.inner_text("#curves .readout")
    assert earlier != before
    page.select_option("#curves-outcome", index=1)
    assert page.inner_text("#curves .readout") != earlier
    box = page.query_selector("#curves svg.plot").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.input_value("#curves-month") not in ("0", "23")


def test_rows_tell_their_sentence_by_mouse_and_by_keyboard(show):
    page = show()
    first = page.inner_text("#contrasts .readout")
    page.hover("#contrasts tbody tr:nth-child(2)")
    second = page.inner_text("#contrasts .readout")
    assert second != first
    page.focus("#contrasts tbody tr:nth-child(2) button")
    page.keyboard.press("Tab")
    assert page.inner_text("#contrasts .readout") not in (first, second)


def test_everything_can_be_reached_by_keyboard(show):
    page = show()
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    wanted = {"contrasts-0", "contrasts-1", "groups-0", "groups-1", "curves-outcome",
              "curves-month", "SUMMARY", "BUTTON", "A"}  # fmt: skip
    assert wanted <= reached
    page.focus("[data-language=en]")
    page.keyboard.press("Enter")
    assert page.is_visible("text=The answer")


@pytest.mark.parametrize("name", ["compared", "sampled"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_serious_violation_of_accessibility(name, language, show):
    page = show(name)
    page.click(f"[data-language={language}]")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    found = axe.Axe().run(page).response["violations"]
    grave = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found
             if v["impact"] in ("serious", "critical")]  # fmt: skip
    assert grave == []


@pytest.mark.parametrize("name", ["compared", "sampled"])
@pytest.mark.parametrize("size", [PHONE, DESK])
def test_nothing_is_wider_than_the_screen(name, size, show):
    page = show(name, size)
    for language in ("zh", "en"):
        page.click(f"[data-language={language}]")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_letters_are_there_without_a_font_of_the_system(show):
    """The font within the page loads and gives a Chinese letter its own width, not a box's."""
    page = show()
    loaded = page.evaluate(
        "document.fonts.load('16px \"Brief Sans SC\"', '治').then((found) => found.length)"
    )
    assert loaded == 1


def test_it_prints_on_a4_without_the_controls_of_a_screen(show, tmp_path):
    page = show()
    page.emulate_media(media="print")
    assert not page.is_visible("#curves-month") and not page.is_visible("text=English")
    assert page.is_visible("#contrasts table")
    pdf = page.pdf(prefer_css_page_size=True)
    assert b"/MediaBox [0 0 594.95996 841.91998]" in pdf or b"/MediaBox [0 0 595" in pdf
    assert 2 <= pdf.count(b"/Type /Page\n") <= 12
