"""What a picture carries with it: the experiment in full, its hash, the version; read back.

PNG: the tEXt chunk ``Source``; SVG: ``dc:source`` in its RDF; PDF: ``Keywords`` of its Info. In
each the same JSON, of ASCII letters only.
"""

import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from matplotlib.figure import SubFigure

import reformsim
from reformsim.experiment import files
from reformsim.report.edition import Telling, Told
from reformsim.report.study import CAVEAT

FORMATS = ("png", "svg", "pdf")
DPI = 150

_DC_SOURCE = "{http://purl.org/dc/elements/1.1/}source"
_PDF_KEYWORDS = re.compile(rb"/Keywords \(((?:[^\\()]|\\.)*)\)", re.DOTALL)


class NoProvenance(ValueError):
    """A file that is no picture of this program, or has lost what it carried."""


def record(told: Told, figure: str, zh: bool) -> dict[str, Any]:
    """Return what a picture carries, fit for JSON.

    ``experiment`` is the experiment in full, defaults left out: written to a file it is one that
    ``reformsim run`` takes.
    """
    return {
        "program": "reformsim",
        "drawn_by": reformsim.__version__,
        "runs_by": list(told.versions),
        "figure": figure,
        "language": "zh" if zh else "en",
        "config_hash": told.config_hash,
        "caveat": CAVEAT,
        "experiment": told.experiment.model_dump(mode="json", exclude_defaults=True),
    }


def save[T: Told](
    edition: Telling[T],
    figure: SubFigure,
    name: str,
    directory: Path,
    formats: tuple[str, ...] = FORMATS[:2],
    dpi: int = DPI,
) -> list[Path]:
    """Write a figure whole or not at all in each format; the same figure gives the same bytes.

    ``dpi`` are the dots per inch of a PNG. Chinese pictures are called ``NAME.zh.png`` and so on.
    Raises StoreError.
    """
    told = edition.told
    source = json.dumps(record(told, name, edition.zh))
    program = f"reformsim {reformsim.__version__}"
    title = f"{told.experiment.name}: {name}"
    about = f"{program}; config {told.config_hash}; {CAVEAT}"
    metadata: dict[str, dict[str, str | None]] = {
        "png": {"Title": title, "Description": about, "Software": program, "Source": source},
        "svg": {"Title": title, "Description": about, "Source": source, "Date": None},
        "pdf": {"Title": title, "Subject": about, "Creator": program, "Keywords": source,
                "CreationDate": None},
    }  # fmt: skip
    paths = []
    for suffix in formats:
        data = io.BytesIO()
        figure.get_figure(root=True).savefig(
            data, format=suffix, dpi=dpi, metadata=metadata[suffix], facecolor="white"
        )
        path = directory / f"{name}{'.zh' if edition.zh else ''}.{suffix}"
        files.replace(path, data.getvalue())
        paths.append(path)
    return paths


def read(path: Path) -> dict[str, Any]:
    """Return what a picture carries. Raises NoProvenance, OSError."""
    readers = {".png": _png, ".svg": _svg, ".pdf": _pdf}
    if path.suffix.lower() not in readers:
        raise NoProvenance(f"{path}: must end in {', '.join(readers)}")
    text = readers[path.suffix.lower()](path)
    try:
        found = json.loads(text or "")
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("program") != "reformsim":
        raise NoProvenance(f"{path}: carries no experiment of reformsim")
    return found


def _png(path: Path) -> str | None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=["PNG"]) as image:
            return str(image.info.get("Source", ""))
    except UnidentifiedImageError:
        return None


def _svg(path: Path) -> str | None:
    try:
        return ElementTree.parse(path).findtext(f".//{_DC_SOURCE}")
    except ElementTree.ParseError:
        return None


def _pdf(path: Path) -> str | None:
    found = _PDF_KEYWORDS.search(path.read_bytes())
    return re.sub(r"\\(.)", r"\1", found[1].decode("latin-1")) if found else None
