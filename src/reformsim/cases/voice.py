"""What a resident does about a need: silence, neighbours, the market, or a public channel."""

import math

import numpy as np

from reformsim.cases.state import (
    FIRST_RESIDENT,
    GRID,
    HOTLINE,
    SEED,
    SILENCE,
    STATION,
)
from reformsim.chance import Purpose, draw, mix
from reformsim.kernels import njit
from reformsim.residents.feedback import drift, experience

VOICE, BASELINE, KNOWN = int(Purpose.VOICE), int(Purpose.BASELINE), int(Purpose.KNOWN)
OLD = 2
TRUST_UNIT = 65535.0


@njit(cache=True)
def walk_utility(km, urban, old, urban_scale, rural_scale, old_factor):
    """Utility of a walk to a station, −½(d/d0)²; d0 by density, shorter for older residents."""
    scale = urban_scale if urban else rural_scale
    if old:
        scale *= old_factor
    x = km / scale
    return -0.5 * x * x


def odds_of_neighbours(world, participation):
    """Odds of asking neighbours against silence, by the share of a community that takes part."""
    return np.exp(world["voice_neighbours"] + world["voice_participation"] * participation)


def odds_of_market(world, supply):
    """Odds of the market against silence; of n like services the best is worth log n more."""
    return np.exp(world["voice_market"]) * supply


@njit(cache=True)
def odds(w, category, community, old, km, trust, known):
    """Odds of the six choices against silence, in their order: e to the power of their utilities.

    Multinomial logit (design §4): ``community`` is a COMMUNITY_ROW, ``trust`` holds trust in grid
    worker, station and hotline; ``known`` is True after a first success, which raises the odds
    of voicing by 57 % (Sjoberg, Mellon & Peixoto 2017). What can be had online draws the younger
    to the hotline; older residents lose by it, there and at the windows that close.
    """
    public = category.stakes + (w.report_again if known else 0.0)
    errand = w.voice_errand if category.errand else 0.0
    online = community.online
    excluded = w.online_exclusion * online if old else 0.0
    grid = w.voice_grid + public + errand + community.contact + w.voice_trust * (trust[0] - 0.5)
    station = (
        w.voice_station
        + public
        + community.appeal
        + w.voice_trust * (trust[1] - 0.5)
        + walk_utility(km, community.urban, old, w.distance_urban, w.distance_rural, w.distance_old)
        - excluded
    )
    hotline = (
        w.voice_hotline
        + public
        + errand * (1.0 - online)
        + w.voice_trust * (trust[2] - 0.5)
        + (w.voice_old_hotline - excluded if old else w.online_gain * online)
    )
    # a tuple: counting the uses of one small array took an eighth of the engine's time
    return (
        1.0, community.neighbours, community.market if category.market else 0.0,
        math.exp(grid), math.exp(station), math.exp(hotline),
    )  # fmt: skip


@njit(cache=True)
def choose(u, odds):
    """Choose one of six by a uniform ``u`` and their odds."""
    silence, neighbours, market, grid, station, hotline = odds
    u *= silence + neighbours + market + grid + station + hotline
    u -= silence
    chosen = int(u >= 0.0)
    u -= neighbours
    chosen += u >= 0.0
    u -= market
    chosen += u >= 0.0
    u -= grid
    chosen += u >= 0.0
    u -= station
    chosen += u >= 0.0
    return chosen if u < hotline else SILENCE  # by rounding alone


@njit(cache=True)
def baseline_of(w, seed, resident):
    """Satisfaction of a resident (permanent id) without contact."""
    u = draw(mix(seed, resident), BASELINE)
    return w.baseline + w.baseline_spread * (u - 0.5)


@njit(cache=True)
def known_of(w, seed, resident):
    """Whether a resident (permanent id) once had a success with a public channel."""
    return draw(mix(seed, resident), KNOWN) < w.known_before


@njit(cache=True)
def pulse_to(d, community, age, t):
    """Let a group's summed satisfaction and burden drift to wall time ``t``."""
    w = d.world[0]
    p = d.pulse[community, age]
    days = t - p.time
    if days > 0.0:
        p.satisfaction, p.burden = drift(
            p.satisfaction, p.burden, p.baseline, days,
            w.satisfaction_memory, w.silent_lifetime, w.burden_weight,
        )  # fmt: skip
        p.time = t


@njit(cache=True)
def touch(d, resident, t):
    """Let a resident (local index) drift to wall time ``t``; returns satisfaction and burden."""
    w = d.world[0]
    r = d.residents[resident]
    days = t - r.touched
    base = baseline_of(w, d.fixed[SEED], d.fixed[FIRST_RESIDENT] + resident)
    return drift(
        np.float64(r.satisfaction), np.float64(r.burden), base, days,
        w.satisfaction_memory, w.silent_lifetime, w.burden_weight,
    )  # fmt: skip


@njit(cache=True)
def _record(d, resident, t, before, satisfaction, burden_before, burden):
    """Store a resident's new state and pass the change on to the group's sums."""
    r = d.residents[resident]
    home = d.grids[r.place].community
    pulse_to(d, home, r.age, t)
    r.satisfaction = satisfaction
    r.burden = burden
    r.touched = t
    p = d.pulse[home, r.age]
    p.satisfaction += float(r.satisfaction) - before
    p.burden += float(r.burden) - burden_before


@njit(cache=True)
def bear(d, resident, t, weight):
    """Add ``weight`` silent needs to a resident's burden, up to what empties their satisfaction."""
    w = d.world[0]
    satisfaction, burden = touch(d, resident, t)
    limit = 0.5 * w.baseline / max(w.burden_weight, 1e-9)
    _record(
        d, resident, t, satisfaction, satisfaction, burden, min(burden + weight, max(limit, burden))
    )


@njit(cache=True)
def lift(d, resident, t, weight):
    """Take ``weight`` silent needs off a resident's burden."""
    satisfaction, before = touch(d, resident, t)
    _record(d, resident, t, satisfaction, satisfaction, before, max(before - weight, 0.0))


@njit(cache=True)
def live_through(d, resident, t, p, channel, shift, success):
    """A resident experiences performance ``p`` of a closing that came by ``channel``.

    ``shift`` raises the expectation it is held against (published results).
    """
    w = d.world[0]
    r = d.residents[resident]
    before, burden = touch(d, resident, t)
    satisfaction, _ = experience(
        before, r.expectation + shift, p, w.b0, w.bP, w.bD, w.loss_aversion,
        w.satisfaction_rate, w.kappa,
    )  # fmt: skip
    r.expectation += w.kappa * (p - r.expectation)
    _record(d, resident, t, before, satisfaction, burden, burden)
    if success:
        r.known = 1
    if channel == GRID:
        r.trust_grid = _toward(r.trust_grid, p, w.trust_rate)
    elif channel == STATION:
        r.trust_station = _toward(r.trust_station, p, w.trust_rate)
    elif channel == HOTLINE:
        r.trust_hotline = _toward(r.trust_hotline, p, w.trust_rate)


@njit(cache=True)
def _toward(stored, p, rate):
    trust = stored / TRUST_UNIT
    return int(min(max(trust + rate * (p - trust), 0.0), 1.0) * TRUST_UNIT + 0.5)


@njit(cache=True)
def voice(d, need):
    """Choose what the resident does about a need; returns one of the six choices."""
    r = d.residents[need.resident]
    grid = d.grids[r.place]
    trust = (
        r.trust_grid / TRUST_UNIT, r.trust_station / TRUST_UNIT, r.trust_hotline / TRUST_UNIT,
    )  # fmt: skip
    odds_here = odds(
        d.world[0], d.categories[need.category], d.communities[grid.community], r.age == OLD,
        grid.walk, trust, r.known == 1,
    )  # fmt: skip
    return choose(draw(need.key, VOICE), odds_here)
