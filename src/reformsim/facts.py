"""The facts a city is held to, beside what the model gives without any reform."""

from dataclasses import dataclass

import numpy as np

from reformsim.cases.state import BIN_FIRST, BIN_GROWTH
from reformsim.city import check_sizes
from reformsim.declared import Outcome
from reformsim.institutions.workers import burnt_out
from reformsim.known import BY_NAME, KNOWN, Mark
from reformsim.model import CityModel
from reformsim.outcomes import quantile_days
from reformsim.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact beside the model: what is known (a range), what the model gives, whether it hits."""

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
    got = figures(model)
    rows = [Fact(k.name, k.low, k.high, got[k.name], k.mark, k.source) for k in KNOWN]
    for size in check_sizes(model.city):
        rows.append(
            Fact(
                size.fact, size.target * 0.9, size.target * 1.1, size.value, size.mark, size.source
            )
        )
    return rows


def figures(model: CityModel) -> dict[str, float]:
    """Return what a run that is over gives for each of ``KNOWN``, after the warm-up."""
    table = model.outcomes()
    city = table[(table.level == "city") & (table.period != "warm_up")]
    got = city.groupby("outcome").value.mean()
    by_parts = np.sum([span.days_by_parts for span in model.history.periods], axis=0)
    median, sigma = log_spread(by_parts.sum(axis=0))
    by_k = quantile_days(by_parts[1:7], 0.5)
    shares = by_parts[1:7].sum(axis=1) / by_parts[1:7].sum()
    skew = by_k / by_k[0]
    load = model.administration.books.load
    workers = model.administration.people.workers
    staff = ("offices", "stations", "grids", "departments")
    values = [
        got["hotline_contacts"], got["grid_events"], got["settled_at_intake"],
        got["to_departments"], 1 - shares[0], median, sigma, *skew[1:6], got["median_days"],
        got["true_solution_rate"], got["case_satisfied"],
        burnt_out(workers["burnout"], workers["vacant"])[1], got["burnout"],
        *(_loaded(load[i], model, name) for i, name in enumerate(staff)),
    ]  # fmt: skip
    return dict(zip(BY_NAME, map(float, values), strict=True))


class FactsCity(CityModel):
    """A city whose headlines tell what it gives for each of ``KNOWN`` as well."""

    def headlines(self) -> list[tuple[Outcome, float]]:
        """Return the outcomes after the transition, then the figures of the facts."""
        named = BY_NAME.values()
        told = [Outcome(k.name, k.unit, "neither", k.name, k.zh) for k in named]
        return [*super().headlines(), *zip(told, figures(self).values(), strict=True)]


def _loaded(load: np.ndarray, model: CityModel, name: str) -> float:
    """Mean utilisation over subdistricts (or districts), weighted by residents."""
    base = model.administration.setting.base
    weight = base.people
    if name == "departments":
        load = load[load > 0]
        weight = base.district_people
    return float(np.average(load, weights=weight))
