"""The reduced rule in AgentPy: as in Mesa, an object for each resident and each desk."""

import heapq
from collections.abc import Callable

import agentpy

from benchmarks.in_mesa import poisson_sums
from benchmarks.rule import Outcome, Rule


class Resident(agentpy.Agent):
    """A resident of one grid."""

    def setup(self, rule: Rule) -> None:
        """Begin without a history; the model says at which desk."""
        self.rule = rule
        self.desk: Desk
        self.satisfaction = self.expectation = rule.baseline
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
        rule = self.rule
        p = 2.0 ** (-days / rule.promise)
        before = rule.drift(self.satisfaction, end - self.touched)
        target = rule.target(p, self.expectation)
        self.satisfaction = before + rule.rate * (target - before)
        self.expectation += rule.kappa * (p - self.expectation)
        self.trust += rule.trust_rate * (p - self.trust)
        self.touched = end


class Desk(agentpy.Agent):
    """The desk of one grid; its needs of the day, and the cases that it has taken in."""

    def setup(self, rule: Rule) -> None:
        """Begin empty."""
        self.rule = rule
        self.needs: list[tuple[float, Resident]] = []
        self.free = [0.0] * rule.servers
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
        model, rule = self.model, self.rule
        model.needs += 1
        if model.random.random() >= rule.chance(resident.trust):
            return
        model.voiced += 1
        start = max(t, self.free[0])
        end = start + model.random.expovariate(rule.service_rate)
        heapq.heapreplace(self.free, end)
        heapq.heappush(self.cases, (end, t, start, resident))

    def close_until(self, t: float) -> None:
        """Close the cases that end before ``t``."""
        while self.cases and self.cases[0][0] < t:
            end, arrived, start, resident = heapq.heappop(self.cases)
            self.model.closed += 1
            self.model.waited += start - arrived
            resident.feel(end, end - arrived)


class City(agentpy.Model):
    """Residents and desks, a day a step."""

    def setup(self) -> None:
        """Set all up as the rule begins."""
        rule = self.p.rule
        self.day = self.needs = self.voiced = self.closed = 0
        self.waited = 0.0
        self.at_most = poisson_sums(rule.per_day)
        self.desks = agentpy.AgentList(self, rule.grids, Desk, rule=rule)
        self.residents = agentpy.AgentList(self, rule.residents, Resident, rule=rule)
        for i, resident in enumerate(self.residents):
            resident.desk = self.desks[i // rule.grid_size]

    def step(self) -> None:
        """Let residents have needs, then desks handle them."""
        self.residents.step()
        self.desks.step()
        self.day += 1

    def told(self) -> Outcome:
        """Return the outcome of the days run."""
        rule, end = self.p.rule, float(self.day)
        mood = sum(rule.drift(r.satisfaction, end - r.touched) for r in self.residents)
        trust = sum(r.trust for r in self.residents)
        n = rule.residents
        return Outcome.of(
            rule, self.needs, self.voiced, self.closed, self.waited, mood / n, trust / n
        )


def build(rule: Rule, seed: int) -> Callable[[], Outcome]:
    """Set the rule up; returns what runs it."""
    city = City({"rule": rule, "seed": seed})
    city.sim_setup()

    def run() -> Outcome:
        for _ in range(rule.days):
            city.step()
        return city.told()

    return run
