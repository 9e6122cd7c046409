"""Reading a CSV table as a document: rows with keys, every cell with its line."""

import csv
import io
from pathlib import Path
from typing import Any

from reformsim.config.document import (
    ConfigError,
    Document,
    Fault,
    Keys,
    Place,
    Spot,
    read_text,
    shown,
)


def load_csv(path: Path) -> Document:
    """Read a table whose first line names its columns, as a list of rows under the key ``rows``.

    A cell that reads as a number is one; an empty cell is left out of its row; a line that begins
    with # is a note. Raises ConfigError
    where the file cannot be read, a column has no name or comes twice, or a row is too long.
    """
    file = shown(path)
    lines = csv.reader(io.StringIO(read_text(path, file)))
    try:
        told = [(lines.line_num, cells) for cells in lines if not _note(cells)]
        return _document(path, file, told)
    except csv.Error as error:
        raise ConfigError(Fault(Spot(file, lines.line_num), "", f"no CSV: {error}")) from None


def _document(path: Path, file: str, lines: list[tuple[int, list[str]]]) -> Document:
    if not lines:
        raise ConfigError(Fault(Spot(file), "", "the file is empty; expected a line of names"))
    _, heads = lines[0]
    heads = [head.strip() for head in heads]
    if "" in heads or len(set(heads)) < len(heads):
        message = "every column needs a name of its own on the first line"
        raise ConfigError(Fault(Spot(file), "", message))
    rows: list[dict[str, Any]] = []
    places: dict[Keys, Place] = {(): Place(Spot(file), Spot(file), ())}
    places["rows",] = places[()]
    faults = []
    for number, cells in lines[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        spot, at = Spot(file, number), ("rows", len(rows))
        places[at] = Place(spot, spot, ())
        if len(cells) > len(heads):
            faults.append(Fault(spot, "", f"{len(cells)} cells, but {len(heads)} columns"))
        row = {head: _value(cell) for head, cell in zip(heads, cells, strict=False) if cell.strip()}
        for head in row:
            places[*at, head] = Place(spot, spot, (head,))
        rows.append(row)
    if faults:
        raise ConfigError(*faults)
    return Document(path, {"rows": rows}, places, {})


def _note(cells: list[str]) -> bool:
    return bool(cells) and cells[0].lstrip().startswith("#")


def _value(cell: str) -> str | float:
    text = cell.strip()
    try:
        return float(text)
    except ValueError:
        return text
