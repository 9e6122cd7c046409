"""The reduced rule in Mesa as it is usually written: an object for each resident and each desk.

Every resident steps every day and draws the day's needs by one random number; every desk then
handles the day's needs and ends of service in the order of their times.
"""

import heapq
import math
from collections.abc import Callable

from mesa import Agent, Model

from benchmarks.rule import Outcome, Rule


class Resident(Agent):
    """A resident of one grid."""

    def __init__(self, model: "City", desk: "Desk") -> None:
        """Begin without a history."""
        super().__init__(model)
        self.desk = desk
        self.satisfaction = self.expectation = model.rule.baseline
        self.trust = 0.5
        self.touched = 0.0

    def step(self) -> None:
        """Draw the day's needs: mostly none, which one comparison tells."""
        model = self.model
        u = model.random.random()
        for at_most in model.at_most:
            if u < at_most:
                return
            self.desk.needs.append((model.day + model.random.random(), self))

    def feel(self, end: float, days: float) -> None:
        """Live through the end of a case ``days`` after it was voiced."""
        rule = self.model.rule
        p = 2.0 ** (-days / rule.promise)
        before = rule.drift(self.satisfaction, end - self.touched)
        target = rule.target(p, self.expectation)
        self.satisfaction = before + rule.rate * (target - before)
        self.expectation += rule.kappa * (p - self.expectation)
        self.trust += rule.trust_rate * (p - self.trust)
        self.touched = end


class Desk(Agent):
    """The desk of one grid; its needs of the day, and the cases that it has taken in."""

    def __init__(self, model: "City") -> None:
        """Begin empty."""
        super().__init__(model)
        self.needs: list[tuple[float, Resident]] = []
        self.free = [0.0] * model.rule.servers
        self.cases: list[tuple[float, float, float, Resident]] = []

    def step(self) -> None:
        """Handle the day's needs in order, each after what has ended before it."""
        self.needs.sort(key=lambda need: need[0])
        for t, resident in self.needs:
            self.close_until(t)
            self.arise(t, resident)
        self.needs.clear()
        self.close_until(self.model.day + 1.0)

    def arise(self, t: float, resident: Resident) -> None:
        """Let a need be voiced and queue, or be forgotten."""
        model = self.model
        model.needs += 1
        if model.random.random() >= model.rule.chance(resident.trust):
            return
        model.voiced += 1
        start = max(t, self.free[0])
        end = start + model.random.expovariate(model.rule.service_rate)
        heapq.heapreplace(self.free, end)
        heapq.heappush(self.cases, (end, t, start, resident))

    def close_until(self, t: float) -> None:
        """Close the cases that end before ``t``."""
        while self.cases and self.cases[0][0] < t:
            end, arrived, start, resident = heapq.heappop(self.cases)
            self.model.closed += 1
            self.model.waited += start - arrived
            resident.feel(end, end - arrived)


class City(Model):
    """Residents and desks, a day a step."""

    def __init__(self, rule: Rule, seed: int) -> None:
        """Set all up as the rule begins."""
        super().__init__(rng=seed)
        self.rule = rule
        self.day = self.needs = self.voiced = self.closed = 0
        self.waited = 0.0
        self.at_most = poisson_sums(rule.per_day)
        for _ in range(rule.grids):
            desk = Desk(self)
            for _ in range(rule.grid_size):
                Resident(self, desk)
        self.residents, self.desks = self.agents_by_type[Resident], self.agents_by_type[Desk]

    def step(self) -> None:
        """Let residents have needs, then desks handle them."""
        self.residents.do("step")
        self.desks.do("step")
        self.day += 1

    def told(self) -> Outcome:
        """Return the outcome of the days run."""
        n, end = self.rule.residents, float(self.day)
        mood = sum(self.rule.drift(r.satisfaction, end - r.touched) for r in self.residents)
        trust = sum(r.trust for r in self.residents)
        return Outcome.of(
            self.rule, self.needs, self.voiced, self.closed, self.waited, mood / n, trust / n
        )


def poisson_sums(mean: float) -> list[float]:
    """Return the chances of at most 0, 1, 2 … needs, up to all but 1e-15."""
    term = total = math.exp(-mean)
    sums = [total]
    while 1.0 - total > 1e-15:
        term *= mean / len(sums)
        total += term
        sums.append(total)
    return sums


def build(rule: Rule, seed: int) -> Callable[[], Outcome]:
    """Set the rule up; returns what runs it."""
    city = City(rule, seed)

    def run() -> Outcome:
        for _ in range(rule.days):
            city.step()
        return city.told()

    return run
