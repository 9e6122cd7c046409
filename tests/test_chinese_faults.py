"""What is said of a bad file has Chinese: every message of the code is in the catalogue."""

import ast
from pathlib import Path

import pytest
from typer.testing import CliRunner

import reformsim
from reformsim.cli import app
from reformsim.config import chinese

SOURCE = Path(reformsim.__file__).parent
#: Where a user's file is refused.
MODULES = (
    "config/document.py", "config/references.py", "config/table.py", "config/validation.py",
    "city/config.py", "city/stated.py", "city/profile.py", "scenario.py", "observed/mapping.py",
    "experiment/checks.py", "experiment/kinds.py", "experiment/sampled.py",
    "experiment/schema.py", "experiment/targets.py", "experiment/backfires.py", "cli/check.py",
)  # fmt: skip
#: Calls whose last text is a message.
SUGGESTED = ("suggest(", "near")
TOLD = {"ValueError", "Fault", "fault", "_refuse"}


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


def written(node: ast.AST) -> str:
    """Return the text of a node, "7" for a value put in, nothing for a suggestion."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(written, node.values))
    if isinstance(node, ast.FormattedValue) and ast.unparse(node.value).startswith(SUGGESTED):
        return ""
    return str(node.value) if isinstance(node, ast.Constant) else "7"


def messages(module: str) -> set[str]:
    """Return the messages of a module, without the field that some begin with."""
    found = []
    for node in ast.walk(ast.parse((SOURCE / module).read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in TOLD:
                found.append(node.args[-1])
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "message":
            found.append(node.value)
    texts = {written(node) for node in found if isinstance(node, ast.JoinedStr | ast.Constant)}
    return {_without_field(text) for text in texts if " " in text}


def _without_field(text: str) -> str:
    head, colon, rest = text.partition(": ")
    return rest if colon and " " not in head else text


@pytest.mark.parametrize("module", MODULES)
def test_every_message_has_chinese(module):
    for message in messages(module) - {"7", "7 (quotes make it text)"}:
        assert is_chinese(chinese.told(message)), message


def test_a_new_message_without_chinese_would_be_seen():
    assert len({told for module in MODULES for told in messages(module)}) > 100
    assert not is_chinese(chinese.told("must be square"))


def test_values_and_names_stay_as_written():
    told = chinese.told("must be in [0.1, 0.5], got 0.7")
    assert told == "须在 [0.1, 0.5]，实为 0.7"
    assert chinese.told("expected a number, got 'a list or nothing'") == (
        "应为数字，实为 'a list or nothing'"
    )
    assert chinese.told("no 'x' in configs/cities, did you mean y? (available: y, z)") == (
        "configs/cities 中没有 'x'（现有：y, z）；是否指 y？"
    )
    assert chinese.told("something else") == "something else"


def test_check_tells_faults_in_chinese(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text("name: a\nyears: many\nwarmup: 3\n", "utf-8")
    done = CliRunner().invoke(app, ["check", "x.yaml", "--zh"])
    assert done.exit_code == 2
    assert "x.yaml:2:8: years: 应为整数，实为 'many'" in done.output
    assert "x.yaml:3:1: warmup: 未知的键；是否指 warm_up？（可用：" in done.output
    Path("x.yaml").write_text("measures: []\n", "utf-8")
    done = CliRunner().invoke(app, ["check", "x.yaml", "--zh"])
    assert is_chinese(done.output)


def test_options_are_refused_in_chinese(tmp_path):
    done = CliRunner().invoke(app, ["city", "learn", "x.csv", "--map", "none", "--zh"])
    assert done.exit_code == 2 and "--map：没有文件 none" in done.output
    done = CliRunner().invoke(app, ["plot", str(tmp_path), "--format", "gif", "--zh"])
    assert done.exit_code == 2 and "--format：没有 'gif'" in done.output
