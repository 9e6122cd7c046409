"""The reduced rule in NumPy, written for speed: cost follows needs, and no loop is over residents.

Needs of a day are drawn for the city at once: a Poisson number, spread evenly over residents, which
is a Poisson process of each. Desks are first in, first out, so the day's needs are handled in
rounds: the first of every grid, then the second of every grid, and so on; with two servers start
and end are known on arrival. A case that closes on the day of a further need of its resident is
closed before that need's round; all others close together at the end of the day.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.rule import Outcome, Rule

type Array = NDArray[np.float64]
type Rows = NDArray[np.int64]


class Model:
    """Residents and desks as arrays; cases open at the start of a day and those of the day."""

    def __init__(self, rule: Rule, seed: int) -> None:
        """Set all up as the rule begins."""
        self.rule = rule
        self.rng = np.random.default_rng(seed)
        n = rule.residents
        self.satisfaction = np.full(n, rule.baseline)
        self.expectation = np.full(n, rule.baseline)
        self.trust = np.full(n, 0.5)
        self.touched = np.zeros(n)
        self.free = np.zeros((rule.grids, rule.servers))
        self.due = np.full(n, -np.inf)  # time of a resident's need in this round
        self.twice = np.zeros(n, bool)  # residents with further needs today
        self.resident: Rows = np.empty(0, np.int64)
        self.arrived: Array = np.empty(0)
        self.start: Array = np.empty(0)
        self.finish: Array = np.empty(0)
        self.needs = self.voiced = self.closed = 0
        self.waited = 0.0

    def run(self) -> Outcome:
        """Run all days; returns what they tell."""
        for day in range(self.rule.days):
            self.step(day)
        days = self.rule.days - self.touched
        fade = np.exp(-days / self.rule.memory)
        satisfaction = self.rule.baseline + (self.satisfaction - self.rule.baseline) * fade
        return Outcome.of(
            self.rule, self.needs, self.voiced, self.closed, self.waited,
            float(satisfaction.mean()), float(self.trust.mean()),
        )  # fmt: skip

    def step(self, day: int) -> None:
        """Let one day's needs arise and its cases close."""
        rule, rng = self.rule, self.rng
        count = rng.poisson(rule.residents * rule.per_day)
        who = rng.integers(rule.residents, size=count)
        moment = rng.random(count)
        order = np.argsort(who // rule.grid_size + moment)  # by grid, then by time
        who, when = who[order], day + moment[order]
        mark, work = rng.random(count), rng.exponential(1.0 / rule.service_rate, count)
        old = len(self.resident)
        self.resident = np.concatenate([self.resident, who])
        self.arrived = np.concatenate([self.arrived, when])
        self.start = np.concatenate([self.start, np.full(count, np.inf)])
        self.finish = np.concatenate([self.finish, np.full(count, np.inf)])
        watched = self._watch(who, old)
        for rows in _rounds(who // rule.grid_size):
            watched = self._close_before(watched, who[rows], when[rows])
            voiced = rows[mark[rows] < self._chance(who[rows])]
            self._queue(old + voiced, work[voiced])
            again = old + voiced[self.twice[who[voiced]]]
            watched = np.concatenate([watched, again])
        self.twice[who] = False
        self.needs += count
        self._close(np.flatnonzero(self.finish < day + 1.0))
        waiting = np.isfinite(self.finish)
        self.resident, self.arrived = self.resident[waiting], self.arrived[waiting]
        self.start, self.finish = self.start[waiting], self.finish[waiting]

    def _chance(self, who: Rows) -> Array:
        utility = self.rule.voice + self.rule.voice_trust * (self.trust[who] - 0.5)
        return 1.0 / (1.0 + np.exp(-utility))

    def _watch(self, who: Rows, old: int) -> Rows:
        """Return open cases of residents who have needs today; note who has several."""
        self.due[who] = np.inf
        watched = np.flatnonzero(self.due[self.resident[:old]] == np.inf)
        self.due[who] = -np.inf
        ordered = np.sort(who)
        self.twice[ordered[1:][ordered[1:] == ordered[:-1]]] = True
        return watched

    def _close_before(self, watched: Rows, who: Rows, when: Array) -> Rows:
        """Close watched cases that end before their resident's need; returns the others."""
        if len(watched) == 0:
            return watched
        self.due[who] = when
        ended = self.finish[watched] < self.due[self.resident[watched]]
        self.due[who] = -np.inf
        self._close(watched[ended])
        return watched[~ended]

    def _queue(self, cases: Rows, work: Array) -> None:
        """Let cases, at most one a grid, join the queue of their desk."""
        grid = self.resident[cases] // self.rule.grid_size
        server = self.free[grid].argmin(axis=1)
        start = np.maximum(self.free[grid, server], self.arrived[cases])
        self.start[cases] = start
        self.finish[cases] = self.free[grid, server] = start + work
        self.voiced += len(cases)

    def _close(self, cases: Rows) -> None:
        """Close cases, those of one resident in the order of their ends."""
        if len(cases) == 0:
            return
        cases = cases[np.lexsort((self.finish[cases], self.resident[cases]))]
        for rows in _rounds(self.resident[cases]):
            self._feel(cases[rows])
        self.closed += len(cases)
        self.waited += float((self.start[cases] - self.arrived[cases]).sum())
        self.finish[cases] = np.inf

    def _feel(self, cases: Rows) -> None:
        """Let residents, each at most once, live through the end of their case."""
        rule, who, end = self.rule, self.resident[cases], self.finish[cases]
        p = 2.0 ** (-(end - self.arrived[cases]) / rule.promise)
        fade = np.exp(-(end - self.touched[who]) / rule.memory)
        before = rule.baseline + (self.satisfaction[who] - rule.baseline) * fade
        gap = p - self.expectation[who]
        felt = np.where(gap > 0.0, gap, rule.loss_aversion * gap)
        target = np.clip(rule.b0 + rule.b_performance * p + rule.b_gap * felt, 0.0, 1.0)
        self.satisfaction[who] = before + rule.rate * (target - before)
        self.expectation[who] += rule.kappa * gap
        self.trust[who] += rule.trust_rate * (p - self.trust[who])
        self.touched[who] = end


def _rounds(group: NDArray[np.int64]) -> list[Rows]:
    """Return rows in rounds: the first of each group, then the second; ``group`` is sorted."""
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1])[: len(group)])
    rank = np.arange(len(group)) - np.repeat(first, np.diff(np.append(first, len(group))))
    rows = np.argsort(rank, kind="stable")
    return np.split(rows, np.cumsum(np.bincount(rank))[:-1]) if len(group) else []


def build(rule: Rule, seed: int) -> Callable[[], Outcome]:
    """Set the rule up; returns what runs it."""
    return Model(rule, seed).run
