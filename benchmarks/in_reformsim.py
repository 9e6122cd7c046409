"""The reduced rule by the real engine: everything else is switched off by facts of the world.

Needs arise, choose a channel, queue at the grid worker, close and are felt by the kernels of
``reformsim.cases``; nothing of them is written here. What reduces them: the grid worker is the
only channel that anybody would choose, all categories are alike, intake settles every case and
does so well and at once, and nobody bears what is not voiced.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.rule import Outcome, Rule
from reformsim import categories
from reformsim.cases import columns, engine
from reformsim.cases import state as s
from reformsim.city.plane import Outlines
from reformsim.city.territory import (
    ALIAS,
    City,
    Communities,
    Districts,
    Grids,
    NeedSpread,
    People,
    Subdistricts,
)
from reformsim.lab import PLAIN
from reformsim.uncertainties import world

GRIDS_OF_A_COMMUNITY = 20


def build(rule: Rule, seed: int) -> Callable[[], Outcome]:
    """Lay out one district, around the clock, with the rule's facts; returns what runs it."""
    facts = PLAIN | {
        "needs": rule.needs,
        "voice_grid": rule.voice,
        "voice_hotline": -50.0,
        "voice_trust": rule.voice_trust,
        "intake_hours_grid": 1.0,
        "competence": 1.0,
        "promise_local": rule.promise,
        "baseline": rule.baseline,
        "baseline_spread": 0.0,
        "burden_weight": 0.0,
        "satisfaction_memory": rule.memory,
        "satisfaction_rate": rule.rate,
        "b0": rule.b0,
        "bP": rule.b_performance,
        "bD": rule.b_gap,
        "loss_aversion": rule.loss_aversion,
        "kappa": rule.kappa,
        "trust_rate": rule.trust_rate,
    }
    d = columns.build(
        _flat(rule), world(**facts), seed, rule.days, around_the_clock=True, service=s.EXPONENTIAL
    ).districts[0]
    d.lift, d.accept = np.ones(1), np.ones_like(d.accept)
    table = np.zeros_like(categories.TABLE)
    table["competence"] = table["lifetime"] = 1.0
    d.categories = table
    d.grids["desk"] = np.arange(rule.grids)
    servers, speed = np.ones(len(d.desks), np.int32), np.ones(len(d.desks))
    servers[: rule.grids], speed[: rule.grids] = rule.servers, rule.service_rate / 24.0
    engine.restaff(d, 0.0, servers, speed)

    def run() -> Outcome:
        engine.run_span(d, 0, rule.days)
        return _outcome(rule, d)

    return run


def _outcome(rule: Rule, d: s.District) -> Outcome:
    tally = d.tally.sum(axis=(0, 1))
    satisfaction, _ = columns.drifted(d, float(rule.days))
    return Outcome.of(
        rule,
        needs=int(tally[s.Count.NEEDS]),
        voiced=int(tally[s.Count.VOICED]),
        closed=int(tally[s.Count.CLOSED]),
        waited=float(d.waits[s.Wait.INTAKE_WAIT]),
        satisfaction=float(satisfaction.mean()),
        trust=float(d.residents["trust_grid"].mean() / 65535.0),
    )


def _flat(rule: Rule) -> City:
    """Return one subdistrict of equal grids, in communities of `GRIDS_OF_A_COMMUNITY`."""
    first_grid = np.append(np.arange(0, rule.grids, GRIDS_OF_A_COMMUNITY), rule.grids)
    communities = len(first_grid) - 1
    place = {
        "code": 0, "name": "flat", "name_zh": "平", "population": rule.residents, "area": 1.0,
        "x": 0.0, "y": 0.0, "density": 1.0, "is_town": False, "urban": True, "station": False,
        "line_heads": np.nan, "office_heads": np.nan, "station_heads": np.nan, "kind": 0,
        "district": 0, "subdistrict": 0,
    }  # fmt: skip
    one, several = pd.DataFrame([place]), pd.DataFrame([place] * communities)
    grids = pd.DataFrame(
        {
            "community": np.repeat(np.arange(communities), np.diff(first_grid)),
            "area": 1.0, "x": 0.0, "y": 0.0, "key": np.arange(rule.grids),
            "multiplier_sum": float(rule.grid_size),
        }
    )  # fmt: skip
    n, nowhere = rule.residents, Outlines(np.zeros((0, 2)), np.zeros(2, np.int64))
    return City(
        name="flat",
        name_zh="平",
        seed=0,
        districts=Districts.of(one, np.array([0, 1])),
        subdistricts=Subdistricts.of(one, np.array([0, communities])),
        communities=Communities.of(several, first_grid),
        grids=Grids.of(grids, np.arange(0, n + 1, rule.grid_size)),
        people=People(age=np.zeros(n), alias=np.full(n, np.array((1.0, 0), ALIAS))),
        need_spread=NeedSpread((1.0, 1.0, 1.0), 1.0),
        district_outlines=nowhere,
        subdistrict_outlines=nowhere,
        community_outlines=nowhere,
    )
