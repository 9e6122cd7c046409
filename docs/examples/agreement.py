"""Hold the worlds that two sweeps share to each other: does the reform move both alike?

python docs/examples/agreement.py EXPERIMENT DIRECTORY EXPERIMENT DIRECTORY
"""

import sys
from pathlib import Path

import pandas as pd

from reformsim.experiment import plan
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import Store


def effects(file: Path, directory: Path) -> pd.DataFrame:
    """Return what the last scenario adds to the baseline: a row a point, a column an outcome."""
    experiment = Experiment.load(file)
    store = Store(directory)
    for damage in store.ledger.open(mend=False):
        print(damage, file=sys.stderr)
    rows = store.results(plan.of(experiment).runs).rows
    rows = rows[(rows["level"] == "city") & (rows["period"] == "after") & rows["month"].isna()]
    rows = rows[(rows["replication"] == 0) & rows["outcome"].isin(experiment.outcomes)]
    rows = rows.astype({"outcome": str})  # categories differ between directories
    rows[["scenario", "point"]] = rows["scenario"].str.split(" @", expand=True)
    wide = rows.pivot_table(
        index=["point", "outcome"], columns="scenario", values="value", observed=True
    )
    change = wide[list(experiment.scenarios)[-1]] - wide[experiment.baseline]
    return change.dropna().unstack("outcome")


def agreement(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return, for each outcome, in how many of the shared points both changes have one sign."""
    points = one.index.intersection(other.index)
    one, other = one.loc[points], other.loc[points, one.columns]
    same = (one > 0) == (other > 0)
    return pd.DataFrame(
        {"points": len(points), "same sign": same.sum(), "mean of one": one.mean(),
         "mean of other": other.mean()}
    )  # fmt: skip


if __name__ == "__main__":
    a, b, c, d = map(Path, sys.argv[1:])
    print(agreement(effects(a, b), effects(c, d)).to_string(float_format="%.4g"))
