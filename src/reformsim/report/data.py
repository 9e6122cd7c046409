"""What the tables say, as files and as one JSON object for other programs."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from reformsim.experiment import analysis
from reformsim.experiment.store import Store
from reformsim.report.study import CAVEAT, Study


def write(study: Study, store: Store) -> list[Path]:
    """Write runs, means, contrasts and, where the design has them, effects and leads as CSV."""
    return [
        store.write_text(f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
        for name, table in _tables(study).items()
    ]


def summary(study: Study, files: list[Path]) -> dict[str, Any]:
    """Return the same tables as JSON-able records; what does not exist is None."""
    return {
        "experiment": study.experiment.name,
        "question": study.experiment.question,
        "config_hash": study.config_hash,
        "replications": study.n,
        "caveat": CAVEAT,
        **{name: _records(table) for name, table in _tables(study).items()},
        "files": [str(path) for path in files],
    }


def _tables(study: Study) -> dict[str, pd.DataFrame]:
    tables = {
        "runs": study.results.runs,
        "means": pd.DataFrame() if study.sample else analysis.means(study.results),
        "contrasts": analysis.frame(study.contrasts),
        "effects": analysis.frame(study.effects),
        "shares": analysis.frame(study.shares),
        "leads": analysis.frame(study.leads),
        "robustness": analysis.frame(study.robustness),
        "drivers": analysis.frame(study.drivers),
        "regrets": analysis.frame(study.regrets),
        "rules": pd.DataFrame(
            {**asdict(r), "restrictions": r.words(), "restrictions_zh": r.words(zh=True)}
            for r in study.rules
        ),
        "indices": analysis.frame(study.indices),
        "convergence": analysis.frame(study.convergence),
        "losses": analysis.frame(study.losses),
        "points": _points(study),
    }
    return {name: table for name, table in tables.items() if len(table)}


def _points(study: Study) -> pd.DataFrame:
    if study.sample is None:
        return pd.DataFrame()
    return (
        pd.DataFrame(study.sample.values, columns=list(study.sample.bounds))
        .rename_axis("point")
        .reset_index()
    )


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows; numbers that JSON cannot write become None."""
    rows = table.astype(object).to_dict(orient="records")
    return [
        {k: None if isinstance(x, float) and not math.isfinite(x) else x for k, x in row.items()}
        for row in rows
    ]
