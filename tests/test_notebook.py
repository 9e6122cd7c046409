"""The notebook for researchers runs from first cell to last, and is kept without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(ROOT.glob("docs/**/*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_is_kept_without_outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_runs(path):
    """Started where it lies, as an editor would; an error in a cell is an error here."""
    book = nbformat.read(path, as_version=4)
    NotebookClient(book, timeout=None, resources={"metadata": {"path": str(path.parent)}}).execute()
    pictures = [
        output
        for cell in book.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 2


def test_there_is_one():
    assert [path.name for path in NOTEBOOKS] == ["research.ipynb"]
