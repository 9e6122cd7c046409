"""What the tables say, as files and as one JSON object for other programs."""

import io
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from reformsim.experiment import analysis
from reformsim.experiment.store import Store
from reformsim.report import pilots
from reformsim.report.study import CAVEAT, Study
from reformsim.report.worlds import Worlds


def write(study: Study, store: Store) -> list[Path]:
    """Write runs, means, contrasts and, where the design or the runs have them, more as CSV."""
    found = tables(study) | details(study)
    return [store.write_text(f"{name}.csv", csv(table)) for name, table in found.items()]


def summary(study: Study, files: list[Path]) -> dict[str, Any]:
    """Return the same tables as JSON-able records; what does not exist is None."""
    return {
        "experiment": study.experiment.name,
        "question": study.experiment.question,
        "config_hash": study.config_hash,
        "replications": study.n,
        "caveat": CAVEAT,
        **{name: records(table) for name, table in tables(study).items()},
        "files": [str(path) for path in files],
    }


def csv(table: pd.DataFrame) -> str:
    """Return a table as the text of a CSV file."""
    return table.to_csv(index=False, lineterminator="\n")


def yaml(experiment: dict[str, Any]) -> str:
    """Return an experiment, as its manifest holds it, as the text of a file that repeats it."""
    text, writer = io.StringIO(), YAML()
    writer.allow_unicode = True
    writer.dump(experiment, text)
    return text.getvalue()


def tables(study: Study) -> dict[str, pd.DataFrame]:
    """Return all that a study says as tables, by name; those without a row are left out."""
    found = {
        "runs": study.results.runs,
        "means": pd.DataFrame() if study.worlds or study.powers else analysis.means(study.results),
        "contrasts": analysis.frame(study.contrasts),
        "effects": analysis.frame(study.effects),
        "shares": analysis.frame(study.shares),
        "leads": analysis.frame(study.leads),
        "power": analysis.frame(study.powers),
        "answers": pilots.sentences(study),
        **(_worlds(study.worlds) if study.worlds else {}),
    }
    if study.worlds and study.calibrated:
        inside = _worlds(study.calibrated)
        names = inside.keys() - {"points"}
        found |= {
            name: pd.concat(
                [found[name].assign(within="full"), inside[name].assign(within="calibrated")]
            )
            for name in names
        }
    return {name: table for name, table in found.items() if len(table)}


def details(study: Study) -> dict[str, pd.DataFrame]:
    """Return what runs told of communities and days, where they kept it (``keep: detail``)."""
    found = {kind: study.results.kind(kind) for kind in ("community", "daily")}
    return {kind: rows.dropna(axis=1, how="all") for kind, rows in found.items() if len(rows)}


def _worlds(worlds: Worlds) -> dict[str, pd.DataFrame]:
    points = pd.DataFrame(worlds.whole.values, columns=list(worlds.whole.bounds))
    if worlds.whole.calibrated is not None:
        points["calibrated"] = worlds.whole.calibrated
    return {
        "robustness": analysis.frame(worlds.robustness),
        "drivers": analysis.frame(worlds.drivers),
        "regrets": analysis.frame(worlds.regrets),
        "rules": pd.DataFrame(
            {**asdict(r), "restrictions": r.words(), "restrictions_zh": r.words(zh=True)}
            for r in worlds.rules
        ),
        "indices": analysis.frame(worlds.indices),
        "convergence": analysis.frame(worlds.convergence),
        "losses": analysis.frame(worlds.losses),
        "points": points.rename_axis("point").reset_index(),
    }


def records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows; numbers that JSON cannot write become None."""
    rows = table.astype(object).to_dict(orient="records")
    return [
        {k: None if isinstance(x, float) and not math.isfinite(x) else x for k, x in row.items()}
        for row in rows
    ]
