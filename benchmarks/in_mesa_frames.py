"""The reduced rule in mesa-frames: residents and desks as two sets of agents in Polars frames.

Needs are drawn over all residents at once. Desks are first in, first out, which a data frame cannot
tell in one expression: the day's needs are handled in rounds, the first of every desk, then the
second of every desk, and so on; before each round, cases close that end before the need of their
resident. All others close together at the end of the day.
"""

from collections.abc import Callable

import numpy as np
import polars as pl
from mesa_frames import AgentSetPolars, ModelDF

from benchmarks.rule import Outcome, Rule

CASES = {
    "resident": pl.Int64, "arrived": pl.Float64, "start": pl.Float64, "finish": pl.Float64
}  # fmt: skip


def put(frame: pl.DataFrame, rows: pl.Series, values: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with new values in some rows: at their places, which no join has to find."""
    return frame.with_columns(frame[c.name].scatter(rows, c) for c in values)


class Residents(AgentSetPolars):
    """Residents: a row for each, in the order of their grids."""

    agents: pl.DataFrame
    needs: pl.DataFrame

    def __init__(self, model: "City") -> None:
        """Begin without a history."""
        super().__init__(model)
        rule = model.rule
        self.add(
            pl.DataFrame({"unique_id": np.arange(rule.residents)}).with_columns(
                satisfaction=pl.lit(rule.baseline),
                expectation=pl.lit(rule.baseline),
                trust=pl.lit(0.5),
                touched=pl.lit(0.0),
            )
        )

    def step(self) -> None:
        """Draw the day's needs: resident, desk, moment and rank at the desk."""
        rule, rng, day = self.model.rule, self.model.random, self.model.day
        count = rng.poisson(rule.per_day, rule.residents)
        who = np.repeat(np.arange(rule.residents), count)
        drawn = pl.DataFrame(
            {
                "resident": who,
                "desk": who // rule.grid_size,
                "arrived": day + rng.random(len(who)),
                "mark": rng.random(len(who)),
                "work": rng.exponential(1.0 / rule.service_rate, len(who)),
            }
        )
        self.needs = drawn.with_columns(rank=pl.col("arrived").rank("ordinal").over("desk"))

    def feel(self, ended: pl.DataFrame) -> None:
        """Let residents live through ended cases, at most one of each."""
        rule = self.model.rule
        before = (
            rule.baseline
            + (pl.col("satisfaction") - rule.baseline)
            * ((pl.col("touched") - pl.col("finish")) / rule.memory).exp()
        )
        p = (-(pl.col("finish") - pl.col("arrived")) / rule.promise * np.log(2.0)).exp()
        gap = pl.col("p") - pl.col("expectation")
        felt = pl.when(gap > 0.0).then(gap).otherwise(rule.loss_aversion * gap)
        target = (rule.b0 + rule.b_performance * pl.col("p") + rule.b_gap * felt).clip(0.0, 1.0)
        moved = (
            ended.hstack(self.agents[ended["resident"]])
            .with_columns(p=p, before=before)
            .select(
                satisfaction=pl.col("before") + rule.rate * (target - pl.col("before")),
                expectation=pl.col("expectation") + rule.kappa * gap,
                trust=pl.col("trust") + rule.trust_rate * (pl.col("p") - pl.col("trust")),
                touched="finish",
            )
        )
        self.agents = put(self.agents, ended["resident"], moved)


class Desks(AgentSetPolars):
    """Desks: a row for each, a column for the time at which each server is free."""

    agents: pl.DataFrame

    def __init__(self, model: "City") -> None:
        """Begin empty."""
        super().__init__(model)
        self.servers = [f"free{k}" for k in range(model.rule.servers)]
        ids = model.rule.residents + np.arange(model.rule.grids)
        self.add(pl.DataFrame({"unique_id": ids} | {k: np.zeros(len(ids)) for k in self.servers}))

    def step(self) -> None:
        """Handle the day's needs in rounds, then close what ends today."""
        model, people = self.model, self.model.residents
        for _, here in sorted(people.needs.partition_by("rank", as_dict=True).items()):
            when = here.select("resident", need="arrived")
            model.close(pl.col("finish") < pl.col("need"), when)
            known = here.with_columns(people.agents[here["resident"]]["trust"])
            utility = model.rule.voice + model.rule.voice_trust * (pl.col("trust") - 0.5)
            voiced = known.filter(pl.col("mark") < 1.0 / (1.0 + (-utility).exp()))
            model.open = pl.concat([model.open, self.queue(voiced.select(here.columns))])
            model.voiced += len(voiced)
        model.needs += len(people.needs)
        model.close(pl.col("finish") < model.day + 1.0)

    def queue(self, voiced: pl.DataFrame) -> pl.DataFrame:
        """Let needs, at most one a desk, join the queues; returns them as cases."""
        first = pl.min_horizontal(self.servers)
        cases = (
            voiced.hstack(self.agents[voiced["desk"]])
            .with_columns(start=pl.max_horizontal(first, "arrived"))
            .with_columns(finish=pl.col("start") + pl.col("work"))
            .with_columns(server=pl.concat_list(self.servers).list.arg_min())
        )
        taken = [
            pl.when(pl.col("server") == k).then("finish").otherwise(name).alias(name)
            for k, name in enumerate(self.servers)
        ]
        self.agents = put(self.agents, voiced["desk"], cases.select(taken))
        return cases.select(CASES.keys())


class City(ModelDF):
    """Residents, desks and open cases, a day a step."""

    def __init__(self, rule: Rule, seed: int) -> None:
        """Set all up as the rule begins."""
        super().__init__(seed)
        self.rule = rule
        self.residents, self.desks = Residents(self), Desks(self)
        self.agents += [self.residents, self.desks]
        self.open = pl.DataFrame(schema=CASES)
        self.day = self.needs = self.voiced = self.closed = 0
        self.waited = 0.0

    def step(self) -> None:
        """Let residents have needs, then desks handle them."""
        self.residents.step()
        self.desks.step()
        self.day += 1

    def close(self, which: pl.Expr, when: pl.DataFrame | None = None) -> None:
        """Close open cases, those of one resident in the order of their ends.

        ``when`` holds the needs that ``which`` asks about; others than their residents' stay open.
        """
        near = self.open if when is None else self.open.join(when, on="resident")
        ended = near.filter(which).select(CASES.keys())
        if ended.is_empty():
            return
        self.open = self.open.join(ended, on=["resident", "arrived"], how="anti")
        self.closed += len(ended)
        self.waited += (ended["start"] - ended["arrived"]).sum()
        ranked = ended.with_columns(turn=pl.col("finish").rank("ordinal").over("resident"))
        for _, one in sorted(ranked.partition_by("turn", as_dict=True).items()):
            self.residents.feel(one)

    def told(self) -> Outcome:
        """Return the outcome of the days run."""
        rule, people = self.rule, self.residents.agents
        fade = np.exp(-(self.day - people["touched"].to_numpy()) / rule.memory)
        mood = rule.baseline + (people["satisfaction"].to_numpy() - rule.baseline) * fade
        return Outcome.of(
            rule, self.needs, self.voiced, self.closed, self.waited,
            float(mood.mean()), float(people["trust"].to_numpy().mean()),
        )  # fmt: skip


def build(rule: Rule, seed: int) -> Callable[[], Outcome]:
    """Set the rule up; returns what runs it."""
    city = City(rule, seed)

    def run() -> Outcome:
        for _ in range(rule.days):
            city.step()
        return city.told()

    return run
