"""The documents as a site: built without a warning, complete, found by its search, offline."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from typer.main import get_command

from reformsim.cli import app
from reformsim.measures import MEASURES

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Return the site, built as `make docs` builds it: a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


class Fetched(HTMLParser):
    """What a browser fetches with a page, and what a reader may follow."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.followed: list[str] = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag in ("script", "img", "iframe", "source") and found.get("src"):
            self.fetched.append(found["src"])
        if tag == "link" and found.get("href"):
            self.fetched.append(found["href"])
        if tag == "a" and found.get("href"):
            self.followed.append(found["href"])


def read(page: Path) -> Fetched:
    parser = Fetched()
    parser.feed(page.read_text("utf-8"))
    return parser


def test_no_page_fetches_anything_from_elsewhere_and_every_link_leads_somewhere(site):
    pages = [page for page in site.rglob("*.html") if page.name != "404.html"]
    assert len(pages) > 100
    lost = []
    for page in pages:
        found = read(page)
        assert not [url for url in found.fetched if re.match(r"(\w+:)?//", url)], page
        for url in (*found.fetched, *found.followed):
            target = url.partition("#")[0]
            if target and not re.match(r"(https?|mailto|javascript):", target):
                place = (page.parent / target).resolve()
                place = place / "index.html" if place.is_dir() else place
                if not place.is_relative_to(site.resolve()) or not place.exists():
                    lost.append(f"{page.relative_to(site)}: {url}")
    assert lost == []


def test_style_sheets_fetch_nothing_from_elsewhere(site):
    sheets = list(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        assert not re.search(r"url\(\s*[\"']?(https?:)?//", sheet.read_text("utf-8")), sheet


def test_every_document_is_in_the_navigation(site):
    config = (ROOT / "mkdocs.yml").read_text("utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert f": {path.name}\n" in config, path.name


def test_every_command_and_option_is_on_the_page_of_commands(site):
    text = (site / "cli.html").read_text("utf-8")

    def options(command, path):
        for name, inner in getattr(command, "commands", {}).items():
            yield from options(inner, f"{path} {name}")
        if not hasattr(command, "commands"):
            yield path, [opt for param in command.params for opt in param.opts if "--" in opt]

    for path, names in options(get_command(app), "reformsim"):
        section = text.partition(f"<code>{path}</code>")[2]
        assert section, path
        assert all(name in section for name in names), path


def test_the_search_knows_documents_in_both_languages_and_no_copies_of_files(site):
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    told = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert {"index.html", "quickstart.zh.html", "measures.html"} <= told | {"index.html"}
    assert not [location for location in told if location.startswith("files/")]
    text = "".join(entry["text"] + entry["title"] for entry in index["docs"])
    assert all(measure.name in text for measure in MEASURES)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize(
    ("word", "found"), [("governance_committee", "measures.html"), ("社治委", "quickstart.zh.html")]
)
def test_the_search_works_from_a_file_without_a_network(site, word, found):
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((site / "index.html").as_uri())
        page.click(".md-search__input")
        page.fill(".md-search__input", word)
        page.dispatch_event(".md-search__input", "keyup")  # as of the last letter typed
        page.wait_for_selector(f".md-search-result__link[href*='{found}']")
        browser.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_lines_of_chinese_are_joined_without_a_blank(site):
    page = (site / "own-cases.zh.html").read_text("utf-8")
    assert "一条命令就能从中估计模型所需的数，每个数都带" in page
    assert not re.search(r"[\u4e00-\u9fff，。]\n[\u4e00-\u9fff]", page)
