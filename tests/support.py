"""What several tests of known answers share: z values, Erlang's formula, a small busy town."""

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from numba import njit
from scipy import stats

from reformsim.cases import columns, engine
from reformsim.cases import state as s
from reformsim.chance import Purpose, draw, mix
from reformsim.city.config import CityConfig
from reformsim.city.recipe import build as build_city
from reformsim.uncertainties import world

THINNING = int(Purpose.THINNING)
#: False-alarm rate of every single comparison, two-sided.
ALARM = 1e-4
LIMIT = stats.norm.isf(ALARM / 2)


def z_of_mean(name, sample, expected):
    """Return the z value of the mean of independent values, and print it (``pytest -rP``).

    Student's t of the sample, turned into the normal quantile of the same probability.
    """
    sample = np.asarray(sample, float)
    error = sample.std(ddof=1) / np.sqrt(len(sample))
    t = (sample.mean() - expected) / error
    z = np.sign(t) * stats.norm.isf(stats.t.sf(abs(t), len(sample) - 1))
    share = f", standard error {error / abs(expected):.2%}" if expected else ""
    print(f"{name}: {sample.mean():.6g} against {expected:.6g}{share}, z = {z:.2f}")
    return z


def z_of_p(name, p):
    """Return the |z| of a two-sided p-value, and print it."""
    z = stats.norm.isf(p / 2)
    print(f"{name}: |z| = {z:.2f}")
    return z


def erlang_c(servers, load):
    """Chance to wait in M/M/c with ``load`` = λ/μ < c: Erlang (1917), by his B recursion."""
    b = 1.0
    for n in range(1, servers + 1):
        b = load * b / (n + load * b)
    return b / (1.0 - load / servers * (1.0 - b))


def mean_wait(arrival_rate, service_rate, servers):
    """Mean wait of M/M/c."""
    spare = servers * service_rate - arrival_rate
    return erlang_c(servers, arrival_rate / service_rate) / spare


CONFIG = CityConfig.model_validate(
    {
        "name": "town",
        "units": [{"name": "unit", "name_zh": "区", "population": 6000, "area_km2": 4.0}],
        "subdistricts": {"count": 2, "mean": 3000, "sigma": 0.3},
        "towns": {"count": 0, "mean": 40_000, "sigma": 0.3},
        "communities": 4,
        "grids": 8,
    }
)


def busy_town(seed=1, horizon=120, **facts):
    """Lay out a district with every mechanism on and desks near or above their capacity.

    Returns the district, its servers and its speeds; office hours, cases kept.
    """
    facts = {"needs": 12.0, "transfer_delay": 1.0, "patience": 30.0, "city_share": 0.0} | facts
    d = columns.build(
        build_city(CONFIG, 1), world(**facts), seed, horizon, keep_cases=True
    ).districts[0]
    for name, value in {
        "p_mis": 0.2, "orphan": 0.02, "joint": 0.5, "conference": 0.5, "follow_up": 0.5,
        "sham": 0.1, "audit": 0.5, "poor": 0.2, "patrol_rate": 0.003, "linkage": 0.2,
        "gate_delay": 1.0, "decision_delay": 1.0, "escalation": 0.5, "mediation": 0.5,
        "agreement": 0.4, "mediation_hours": 1.0, "procedure": 0.2, "audit_hours": 0.1,
        "treatment": 0.3, "delegated": 0.1, "poor_new": 0.3,
    }.items():  # fmt: skip
        d.units[name] = value
    d.fixed[s.PERIOD_HOURS], d.fixed[s.AGENDA] = 14 * 24, 5
    d.communities["organised"] = 0.1
    d.communities["online"] = 0.3
    d.communities["police"] = [True, False, True, False]
    d.grids["desk"] = np.arange(len(d.grids))
    d.communities["desk"] = d.fixed[s.STATIONS] + np.arange(len(d.communities))
    territorial = np.arange(2 * 12).reshape(2, 12)
    d.office_desk[:] = d.fixed[s.TERRITORIAL] + territorial
    # the second subdistrict has five pooled offices
    d.office_desk[1] = d.fixed[s.OFFICES] + 5 + d.categories["office"]
    servers, speed = np.ones(len(d.desks), np.int32), np.full(len(d.desks), 0.35)
    servers[d.fixed[s.STATIONS] : d.fixed[s.CENTRES]] = 3
    engine.restaff(d, 0.0, servers, speed)
    return d, servers, speed


@njit
def _marks(grids, seed, first_resident, residents, days, keys, out):
    for i in range(len(keys)):
        g = np.searchsorted(grids["first"], residents[i], side="right") - 1
        cell = mix(mix(seed, grids[g].id), days[i])
        for n in range(1, 2000):
            if mix(mix(cell, n), first_resident + residents[i]) == keys[i]:
                out[i] = draw(mix(cell, n), THINNING)
                break


def thinning_marks(d, cases):
    """Draw the thinning marks of needs anew, from the candidates that they were; (n,)."""
    out = np.full(len(cases), np.nan)
    _marks(
        d.grids, d.fixed[s.SEED], d.fixed[s.FIRST_RESIDENT], cases["resident"].astype(np.int64),
        np.floor(cases["need"]).astype(np.int64), cases["key"].copy(), out,
    )  # fmt: skip
    assert not np.isnan(out).any()
    return out


def kept(d):
    """Return the records in use."""
    return d.cases[d.cases["stage"] != s.FREE]


def follow_or_reject(follow, data, scenarios) -> None:
    """Call ``follow`` on a random scenario and seed; one that its budget refuses is no example."""
    scenario = data.draw(scenarios)
    try:
        follow(scenario, data.draw(st.integers(0, 2**31)))
    except ValueError as refusal:  # a bundle that its budget cannot bear is refused, not cut
        if "above its limit" not in str(refusal):
            raise
        reject()
