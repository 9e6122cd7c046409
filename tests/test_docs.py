"""The documents say what the code does: links, names, commands, examples, and live parameters."""

import ast
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

import reformsim
from reformsim import measures
from reformsim.cli import app
from reformsim.measures import MEASURES
from reformsim.model import CityModel
from reformsim.outcomes import OUTCOMES
from reformsim.report import measures as page_of_measures
from reformsim.report import reference
from reformsim.rules import LEVERS
from reformsim.scenario import Scenario
from reformsim.uncertainties import UNCERTAINTIES
from support import CONFIG

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "reformsim"
MODEL = ROOT / "docs" / "model.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

#: A limit that refuses a bundle of measures and otherwise moves nothing.
LIMITS = {"max_cost_share"}
DAYS = 400
#: Facts that act on what the reform has built: only when later years end.
LATE = {"move_quality", "move_facilities", "move_crowding", "town_pull", "enforcement_gain"}
LATE_DAYS = 1110
#: Where so many measures leave so small a town staff, loads differ, and trials go wrong.
FACTS = {
    "cost_factor": 0.05, "station_cost": 1.0, "eta": 0.5, "trial_noise": 0.3, "trial_months": 3.0,
    "dispute_share": 0.5, "orphan_rate": 0.1, "max_cost_share": 0.6, "boundary_cost": 5.0,
    "pay_per_sd": 0.05,
}  # fmt: skip
#: Where half-way would leave the small town too poor for its grid workers: a smaller step.
MOVED = {"cost_factor": 0.1, "station_cost": 1.2, "voice_station": -1.1}
#: Levers that bind only where there is money to spend: facts under which it comes in.
BINDS = {
    "headcount_quota": {
        "cost_factor": 0.0, "pay_per_sd": 0.02, "station_cost": 1.0, "own_revenue": 0.3,
        "project_life": 2.0, "projects": 20.0, "retained": 1.0, "discrimination": 0.2,
    },
}  # fmt: skip


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# --- the reference


PAGES = {
    "parameters.md": (reference.COMMAND, reference.parameters),
    "parameters.zh.md": (reference.COMMAND_ZH, partial(reference.parameters, zh=True)),
    "measures.md": (page_of_measures.COMMAND, page_of_measures.page),
}


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    command, write = PAGES[name]
    if text(ROOT / "docs" / name) != write():
        pytest.fail(f"docs/{name} is out of date; run: {command}")


@pytest.mark.parametrize("name", ["parameters.md", "parameters.zh.md"])
def test_every_declared_name_is_in_the_reference(name):
    for item in (*LEVERS, *UNCERTAINTIES, *MEASURES, *OUTCOMES):
        assert f"| `{item.name}` |" in text(ROOT / "docs" / name)


def test_the_chinese_reference_is_chinese():
    """Every heading and head, every meaning; what may stay English is a unit or a new constant."""
    page = text(ROOT / "docs" / "parameters.zh.md")
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    heads = [line for line in re.findall(r"^(\| .*)\n\| ---", page, re.MULTILINE)]
    assert len(headings) == 12 and len(heads) == 11
    for line in (*headings, *heads):
        assert re.search("[一-鿿]", line), line
    rows = re.findall(r"^\| .*$", page, re.MULTILINE)
    chinese = [row for row in rows if re.search("[一-鿿]", row)]
    assert len(chinese) > 0.8 * len(rows)
    for item in (*LEVERS, *UNCERTAINTIES, *OUTCOMES):
        assert item.meaning_zh in page and f"| {item.meaning} |" not in page


@pytest.mark.parametrize("name", PAGES)
def test_the_command_is_the_one_that_writes_the_page(name, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    command, write = PAGES[name]
    called, *arguments = command.removeprefix("uv run reformsim ").split()
    file = tmp_path / Path(arguments.pop()).name
    get_command(app).main([called, *arguments, str(file)], standalone_mode=False)
    assert file.read_bytes().decode() == write() and file.name == name


def test_a_number_that_has_moved_is_not_passed_over():
    moved = reference.InPlace("cases.closing", "quality = {} if nothing", "")
    with pytest.raises(LookupError, match="CONSTANTS"):
        reference._read(moved)


# --- links, names, commands, examples


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_resolve(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", text(path)):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists() and found.is_relative_to(ROOT), f"{path.name}: no {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", text(found), re.MULTILINE)
            named = re.findall(r'<a id="([^"]+)">', text(found))
            assert anchor in {*map(slug, headings), *named}, f"{path.name}: no heading {target}"


def defined(path: Path) -> set[str]:
    """Return the functions, classes, methods and constants of a file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_code_named_after_a_link_to_its_file_is_defined_there(path):
    pattern = r"\]\(([^)\s]+\.py)\)((?:,?\s+`\w+`)+)"
    for target, names in re.findall(pattern, text(path)):
        known = defined((path.parent / target).resolve())
        for name in re.findall(r"`(\w+)`", names):
            assert name in known, f"{path.name}: {target} defines no {name}"


def test_names_in_the_description_of_the_model_occur_in_the_code():
    words = set(re.findall(r"\w+", " ".join(text(file) for file in SOURCE.rglob("*.py"))))
    tests = {name for file in ROOT.glob("tests/*.py") for name in defined(file)}
    named = set(re.findall(r"`([a-z]\w*)`", text(MODEL)))
    files = {path.stem for path in ROOT.glob("configs/*/*.yaml")}
    assert len(named) > 100
    assert named <= words | tests | files | {"type"}, sorted(named - words - tests - files)


def test_left_out_and_modelled_are_the_measures_of_the_source():
    section = text(MODEL).split("\n## 8 ")[1]
    out = [int(number) for number in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)]
    assert sorted([*out, *(measure.id for measure in MEASURES)]) == list(range(1, 48))


def fenced(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text(path), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "docs/model.md", "docs/why-not-rigged.md"]
)
def test_make_targets_exist(name):
    told = text(ROOT / name)
    made = re.findall(r"\bmake ([a-z]+)$", "\n".join(fenced(ROOT / name, "")), re.MULTILINE)
    made += re.findall(r"`make ([a-z]+)`", told)
    for target in made:
        assert f"\n{target}:" in text(ROOT / "Makefile"), f"no make {target}"
    assert made


def test_every_command_is_in_the_readme():
    for command in get_command(app).commands:
        told = rf"uv run (--extra \w+ )?reformsim {command}\b"
        assert re.search(told, text(ROOT / "README.md")), command


def test_the_example_in_the_readme_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    (example,) = fenced(ROOT / "README.md", "python")
    names: dict = {}
    exec(example, names)
    assert names["model"].time == names["scenario"].days
    assert {"outcome", "value", "level", "period"} <= set(names["outcomes"])
    assert 0 < len(names["older"]) < len(names["model"].residents)
    assert (names["queue"].finished > names["queue"].arrived).all()


def test_versions_agree():
    version = reformsim.__version__
    citation = YAML(typ="safe").load(text(ROOT / "CITATION.cff"))
    assert citation["version"] == version
    assert f'\nversion = "{version}"\n' in text(ROOT / "pyproject.toml")
    assert f"\n## [{version}]" in text(ROOT / "CHANGELOG.md")


# --- live parameters


def strings_and_attributes(files: Iterator[Path]) -> set[str]:
    found: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(text(file))):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_lever_and_uncertainty_is_read_outside_its_declaration():
    readers = (
        file
        for file in SOURCE.rglob("*.py")
        if file.name not in ("rules.py", "uncertainties.py", "lab.py", "outcomes.py")
        and "report" not in file.parts
    )
    names = strings_and_attributes(readers)
    assert not {item.name for item in (*LEVERS, *UNCERTAINTIES)} - names


Trace = Callable[..., bytes]


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Return a maker of the state, hashed, in which a small town under all measures ends.

    Its subdistricts are unlike and wide, so that boundaries and stations can be moved.
    """
    sizes = CONFIG.subdistricts.model_copy(update={"count": 3, "mean": 2000, "sigma": 0.8})
    unit = CONFIG.units[0].model_copy(update={"area_km2": 40.0})
    more = {"communities": 36, "grids": 40, "subdistricts": sizes, "units": (unit,)}
    city = CONFIG.model_copy(update=more)
    reform = [{"measure": measure.name, "from": 31} for measure in MEASURES]

    def final(days: int = DAYS, **facts: float) -> bytes:
        facts = FACTS | facts
        scenario = Scenario(
            name="live", warm_up=31, days=days, city=city, uncertainties=facts, reform=reform
        )
        model = CityModel(scenario, rng=1)
        model.run_until(days)
        columns = model.columns
        parts = [columns.tally, columns.days, columns.residents, columns.communities, columns.grids]
        parts += [agent._row for agent in model.agents]
        a = model.administration
        parts += [a.economy.district_accounts]
        parts += [a.places.rows, a.places.facilities.pipeline]
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).digest()

    return final


@pytest.fixture(scope="module")
def usual(trace) -> bytes:
    return trace()


@pytest.fixture(scope="module")
def usual_later(trace) -> bytes:
    return trace(LATE_DAYS)


@pytest.mark.parametrize("fact", UNCERTAINTIES, ids=lambda fact: fact.name)
def test_every_uncertainty_moves_something(trace, request, fact):
    """Half-way to an end of its range, toward the low one where there is room."""
    end = fact.low if fact.default > fact.low else fact.high
    late = fact.name in LATE
    usual = request.getfixturevalue("usual_later" if late else "usual")
    moved = trace(
        LATE_DAYS if late else DAYS, **{fact.name: MOVED.get(fact.name, (fact.default + end) / 2)}
    )
    assert (moved == usual) == (fact.name in LIMITS)


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_every_lever_moves_something(trace, usual, lever, monkeypatch):
    """Kept at its pre-reform level while the measures set all the others."""
    facts = BINDS.get(lever.name, {})
    with_it = trace(**facts) if facts else usual
    for name, measure in measures.BY_NAME.items():
        sets = {key: full for key, full in measure.sets.items() if key != lever.name}
        monkeypatch.setitem(measures.BY_NAME, name, replace(measure, sets=sets))
    assert trace(**facts) != with_it
