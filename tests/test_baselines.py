"""Golden results of three small experiments, refreshed by ``make baselines`` only.

A difference is a change of results: wanted or not, whoever makes it sees every outcome that it
moved, and by how much, in the diff of the stored tables.
"""

from pathlib import Path

import pandas as pd
import pytest

from reformsim.experiment.run import execute
from reformsim.experiment.schema import Experiment

FOLDER = Path(__file__).parent / "baselines"
KEYS = ["scenario", "replication", "outcome", "period"]


def table(file: Path, directory: Path) -> pd.DataFrame:
    """Run an experiment; return the outcomes of the city, a row each."""
    rows = execute(Experiment.load(file), directory).rows
    rows = rows[(rows["kind"] == "outcome") & (rows["level"] == "city") & rows["month"].isna()]
    return rows[[*KEYS, "value"]].astype({key: str for key in KEYS}).sort_values(KEYS)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_results_are_those_of_the_baseline(name, tmp_path, request):
    found = table(FOLDER / f"{name}.yaml", tmp_path)
    stored = FOLDER / f"{name}.csv"
    if request.config.getoption("refresh_baselines"):
        found.to_csv(stored, index=False, lineterminator="\n")
    want = pd.read_csv(stored, dtype={key: str for key in KEYS}, keep_default_na=True)
    both = want.merge(found, on=KEYS, how="outer", suffixes=("_stored", "_now"))
    # 1e-9: the last bits of a logarithm may depend on the platform, a changed event moves more
    a, b = both["value_stored"], both["value_now"]
    moved = both[((a - b).abs() > 1e-9 * a.abs().clip(lower=1e-3)) | (a.isna() != b.isna())]
    assert moved.empty, (
        f"{len(moved)} of {len(both)} outcomes moved; if that is meant, `make baselines` "
        f"stores them anew:\n{moved.head(20).to_string()}"
    )
