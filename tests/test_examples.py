"""What the documents tell a reader to type works: Python runs, commands and files are there.

Python blocks of a page run one after the other in one process, as a reader would paste them, from
the root of the clone. Commands are parsed, not run: command, options, arguments and files exist.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer import Context
from typer.exceptions import TyperException
from typer.main import get_command

from reformsim import measures
from reformsim.cli import app
from reformsim.config import load_yaml
from test_docs import DOCUMENTS, ROOT, fenced, text

#: Folders of the clone: a file named in one must be there. Other files are the reader's own.
OURS = ("configs/", "experiments/", "docs/")
RAN = re.compile(r"^(?:uv run (?:--extra \w+ |--with \w+ )*)?(reformsim .*)$", re.MULTILINE)


def pages_with(language: str) -> list[Path]:
    return [path for path in DOCUMENTS if fenced(path, language)]


@pytest.mark.parametrize("path", pages_with("python"), ids=lambda path: path.name)
def test_python_runs(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(measures, "BY_NAME", dict(measures.BY_NAME))
    names: dict = {}
    for block in fenced(path, "python"):
        exec(compile(block, str(path), "exec"), names)


def commands(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield each command of a page's blocks and lines in backticks, and the folder it is run in."""
    for block in fenced(path, ""):
        folder = ROOT
        for line in block.splitlines():
            if line.startswith("cd "):
                folder = ROOT / line.removeprefix("cd ")
            for told in RAN.findall(line):
                yield told, folder
    for told in re.findall(r"`(?:uv run )?(reformsim [a-z][^`]*)`", text(path)):
        yield told, ROOT


TOLD = [(path.name, *found) for path in DOCUMENTS for found in commands(path)]


def parse(told: str, folder: Path) -> None:
    """Raise where a command, an option or a file of the clone is not there, or one is missing.

    A command alone, without arguments, is a mention of it.
    """
    command, words = get_command(app), shlex.split(told.partition(" > ")[0])[1:]
    context = Context(command, info_name="reformsim")
    while hasattr(command, "commands") and not words[0].startswith("-"):
        command = command.get_command(context, words[0])
        if command is None:
            raise LookupError(f"no command {words[0]}")
        context, words = Context(command, info_name=words[0], parent=context), words[1:]
    for before, word in zip(["", *words], words, strict=False):
        ours = word.startswith(OURS) or folder != ROOT
        if ours and before not in ("-o", "--output") and re.search(r"\.\w+$", word):
            (folder / word).stat()
    options = {name for param in command.get_params(context) for name in param.opts}
    if wrong := {word for word in words if word.startswith("--")} - options:
        raise LookupError(f"no option {wrong}")
    if words and "<TAB>" not in words and not hasattr(command, "commands"):
        command.parse_args(context, words)


@pytest.mark.parametrize(
    ("told", "folder"),
    [pytest.param(told, folder, id=f"{name}: {told}") for name, told, folder in TOLD],
)
def test_commands_parse_and_their_files_exist(told, folder):
    parse(told, folder)


@pytest.mark.parametrize(
    "told",
    [
        "reformsim runn experiments/regimes.yaml",
        "reformsim run experiments/regimes.yaml --workerss 2",
        "reformsim run experiments/regimes.yaml --workers many",
        "reformsim run experiments/no_such.yaml",
        "reformsim city learn docs/examples/own-city/units.csv",
    ],
)
def test_a_wrong_command_would_be_found(told):
    with pytest.raises((LookupError, FileNotFoundError, TyperException)):
        parse(told, ROOT)


def test_there_is_much_to_try():
    assert len(TOLD) > 50 and len(pages_with("python")) >= 4


@pytest.mark.parametrize("path", pages_with("yaml"), ids=lambda path: path.name)
def test_yaml_can_be_read(path, tmp_path):
    for i, block in enumerate(fenced(path, "yaml")):
        file = tmp_path / f"{i}.yaml"
        file.write_text(block, "utf-8")
        repeated = len(re.findall(r"^design:", block, re.MULTILINE)) > 1  # several to choose from
        if not repeated:
            assert load_yaml(file).data
