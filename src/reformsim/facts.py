"""The facts a city is held to (design §8a), beside what the model gives without any reform."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reformsim.cases.state import BIN_FIRST, BIN_GROWTH
from reformsim.city import check_sizes
from reformsim.institutions.workers import burnt_out
from reformsim.model import CityModel
from reformsim.outcomes import quantile_days
from reformsim.scenario import Scenario

Mark = Literal["input", "calibrated", "held out"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: what is known (a range), what the model gives, and whether it hits.

    *input* went into the model as it is, *calibrated* was aimed at by hand, *held out* was not
    looked at in calibration: only a held-out row says something about the model.
    """

    name: str
    low: float
    high: float
    model: float
    mark: Mark
    source: str

    @property
    def hit(self) -> bool:
        """Whether the model's figure lies in the range."""
        return self.low <= self.model <= self.high


def log_spread(days: np.ndarray) -> tuple[float, float]:
    """Return median and standard deviation of log days, from logarithmic bins (bins,)."""
    middle = np.log(BIN_FIRST * BIN_GROWTH ** (np.arange(len(days)) + 0.5))
    mean = np.average(middle, weights=days)
    sd = np.sqrt(np.average((middle - mean) ** 2, weights=days))
    return float(quantile_days(days[None, :], 0.5)[0]), float(sd)


def facts(scenario: Scenario, seed: int = 1, threads: int = 2) -> list[Fact]:
    """Run ``scenario`` (without a reform) and hold it to the facts, over all of its days."""
    model = CityModel(scenario, rng=seed, threads=threads)
    model.run_until(scenario.days)
    table = model.outcomes()
    city = table[(table.level == "city") & (table.period != "warm_up")]
    got = city.groupby("outcome").value.mean()
    by_parts = np.sum([span.days_by_parts for span in model.history.periods], axis=0)
    median, sigma = log_spread(by_parts.sum(axis=0))
    by_k = quantile_days(by_parts[1:7], 0.5)
    shares = by_parts[1:7].sum(axis=1) / by_parts[1:7].sum()
    skew = by_k / by_k[0]
    load = model.administration.books.load
    people = model.administration.people
    staff = ("offices", "stations", "grids", "departments")
    rows = [
        Fact("hotline contacts per resident-year", 0.22, 1.1, got["hotline_contacts"],
             "calibrated", "Chengdu 2020 to Beijing 2025"),
        Fact("grid events per resident-year", 0.07, 0.13, got["grid_events"],
             "calibrated", "micro-grids 2022: about 0.1"),
        Fact("answered at intake", 0.59, 0.79, got["settled_at_intake"],
             "calibrated", "Beijing 2020, Ningguo"),
        Fact("visits to departments", 0.335, 0.375, got["to_departments"],
             "input", "Panjin 2023: 0.355"),
        Fact("P(two departments or more)", 0.216, 0.333, 1 - shares[0],
             "input", "message board; 0.333 without replies naming none"),
        Fact("median days, dispatched", 9.5, 13.0, median,
             "calibrated", "message board: 11.2"),
        Fact("log sd of days, dispatched", 1.15, 1.45, sigma,
             "calibrated", "message board: 1.29"),
        Fact("days for 2 departments against 1", 1.0, 1.2, skew[1],
             "calibrated", "message board: 1.10 (serial_share)"),
        Fact("days for 3 departments against 1", 1.2, 1.5, skew[2],
             "held out", "message board: 1.35"),
        Fact("days for 4 departments against 1", 1.25, 1.6, skew[3],
             "held out", "message board: 1.42"),
        Fact("days for 5 departments against 1", 1.45, 1.95, skew[4],
             "held out", "message board: 1.70"),
        Fact("days for 6 departments or more against 1", 1.85, 2.6, skew[5],
             "held out", "message board: 2.20"),
        Fact("median days, all contacts", 2.0, 6.0, got["median_days"],
             "held out", "Chengdu 2020: mean 4.24 working days"),
        Fact("solved, as residents say, before swift response", 0.30, 0.50,
             got["true_solution_rate"], "held out", "Beijing: 0.40"),
        Fact("callers satisfied before swift response", 0.51, 0.71, got["case_satisfied"],
             "held out", "Beijing: 0.61"),
        Fact("grid workers with heavy burnout", 0.09, 0.17,
             burnt_out(people.workers["burnout"], people.workers["vacant"])[1], "calibrated",
             "0.13"),
        Fact("grid workers with some burnout", 0.37, 0.47, got["burnout"],
             "calibrated", "0.42"),
        *(
            Fact(f"utilisation, {name}", 0.70, 0.95, _loaded(load[i], model, name),
                 "calibrated", "design §8a, workload-weighted")
            for i, name in enumerate(staff)
        ),
    ]  # fmt: skip
    for size in check_sizes(model.city):
        rows.append(
            Fact(
                size.fact, size.target * 0.9, size.target * 1.1, size.value, size.mark, size.source
            )
        )
    return rows


def _loaded(load: np.ndarray, model: CityModel, name: str) -> float:
    """Mean utilisation over subdistricts (or districts), weighted by residents."""
    base = model.administration.setting.base
    weight = base.people
    if name == "departments":
        load = load[load > 0]
        weight = base.district_people
    return float(np.average(load, weights=weight))
