"""Residents move house: who goes, where to, and what their groups' sums take along."""

import numpy as np

from reformsim.cases.state import FIRST_RESIDENT, SEED, SILENCE
from reformsim.cases.voice import baseline_of, live_through, pulse_to, touch
from reformsim.chance import Purpose, draw, mix
from reformsim.kernels import njit

MOVE, DESTINATION, HOME = int(Purpose.MOVE), int(Purpose.DESTINATION), int(Purpose.HOME)


@njit(cache=True)
def destination(u, cut, home, away):
    """Choose a community by one uniform ``u`` and cumulative shares ``cut``.

    With ``away``, ``home`` is left out and the others' shares grow in proportion; returns
    ``home`` where there is no other.
    """
    if away:
        before = cut[home - 1] if home > 0 else 0.0
        own = cut[home] - before
        u *= cut[-1] - own
        if u >= before:
            u += own
    else:
        u *= cut[-1]
    return min(int(np.searchsorted(cut, u, side="right")), len(cut) - 1)


@njit(cache=True)
def _rehouse(d, i, home, to, grid, t):
    """Move a resident to a grid of another community, with their part of the group's sums."""
    r = d.residents[i]
    pulse_to(d, home, r.age, t)
    pulse_to(d, to, r.age, t)
    satisfaction, burden = touch(d, i, t)
    base = baseline_of(d.world[0], d.fixed[SEED], d.fixed[FIRST_RESIDENT] + i)
    for side in range(2):
        sign = 2.0 * side - 1.0
        p = d.pulse[to if side else home, r.age]
        p.satisfaction += sign * satisfaction
        p.burden += sign * burden
        p.baseline += sign * base
        p.people += sign
    r.place = grid


@njit(cache=True)
def move(d, year, t, movers, displaced, cut, first_grid, living):
    """Let a year's moves within district ``d`` happen at wall time ``t`` (days).

    A share ``displaced`` (communities,) of residents is put out, which they live through as a
    performance of nothing; of the others the share ``movers`` chooses anew where to live, the
    present community included. Communities have the cumulative shares ``cut``, grids of one the
    same chance; ``first_grid`` (communities + 1,) delimits them. ``living`` (grids, 3) counts
    residents and follows. Returns how many moved for each of the two reasons, (2,).
    """
    moved = np.zeros(2, np.int64)
    stream = mix(mix(d.fixed[SEED], MOVE), year)
    most = displaced.max() + movers
    for i in range(len(d.residents)):
        key = mix(stream, d.fixed[FIRST_RESIDENT] + i)
        u = draw(key, 0)
        if u >= most:
            continue
        r = d.residents[i]
        home = d.grids[r.place].community
        out = u < displaced[home]
        if u >= displaced[home] + (1.0 - displaced[home]) * movers:
            continue
        to = destination(draw(key, DESTINATION), cut, home, out)
        if to == home:
            continue
        if out:
            live_through(d, i, t, 0.0, SILENCE, 0.0, False)
        first, grids = first_grid[to], first_grid[to + 1] - first_grid[to]
        grid = first + min(int(draw(key, HOME) * grids), grids - 1)
        living[r.place, r.age] -= 1.0
        living[grid, r.age] += 1.0
        _rehouse(d, i, home, to, grid, t)
        moved[0 if out else 1] += 1
    return moved
