"""Common random numbers: a need is the same need in every scenario, and so is all it draws.

Grids are merged, boundaries moved and a tenth of the residents migrate within their district;
needs and their later draws must not notice, but for whether the new place accepts the need.
"""

import numpy as np
import pytest

from reformsim import categories
from reformsim.cases import state as s
from reformsim.cases import work
from reformsim.cases.intake import local_delay, settles
from reformsim.cases.work import visit_key
from reformsim.chance import Purpose, draw
from reformsim.model import CityModel
from reformsim.scenario import Step
from support import thinning_marks

NEED = ["key", "need", "resident", "category"]
MERGED = Step(measure="unified_grid_linkage", from_day=10)


def migrate(model: CityModel, seed: int) -> None:
    """Move a tenth of the residents of each district to any grid of it."""
    chance = np.random.default_rng(seed)
    for d in model.columns.districts:
        n = len(d.residents)
        movers = chance.choice(n, n // 10, replace=False)
        d.residents["place"][movers] = chance.integers(0, len(d.grids), len(movers))


def move_boundaries(model: CityModel) -> None:
    """Let every third community belong to the next subdistrict of its district."""
    for d in model.columns.districts:
        unit = d.communities["unit"]
        unit[::3] = (unit[::3] + 1) % len(d.units)


def needs(d) -> np.ndarray:
    """Records of a district's needs, sorted by key; `row` finds them in its cases."""
    rows = np.flatnonzero(
        (d.cases["stage"] != s.FREE) & (d.cases["parent"] == np.arange(len(d.cases)))
    )
    order = rows[np.argsort(d.cases["key"][rows])]
    assert (np.diff(d.cases["key"][order].astype(object)) > 0).all()
    return order


def accepted(d, cases: np.ndarray) -> np.ndarray:
    """Whether the places where residents now live accept candidate needs."""
    community = d.grids["community"][d.residents["place"][cases["resident"]]]
    return thinning_marks(d, cases) < d.accept[community, cases["category"]]


@pytest.fixture(scope="module")
def worlds(sweep) -> tuple[CityModel, CityModel]:
    """The city as it is, and merged, moved and migrated; 60 days of kept cases each."""
    light = {"needs": 2.0}
    plain = CityModel(sweep(days=60, keep_cases=True, uncertainties=light, warm_up=10), rng=3)
    moved = CityModel(
        sweep(MERGED, days=60, keep_cases=True, uncertainties=light, warm_up=10), rng=3
    )
    migrate(moved, 4)
    move_boundaries(moved)
    for model in (plain, moved):
        model.run_until(60)
    merged = moved.columns.grids["desk"] != plain.columns.grids["desk"]
    units = moved.columns.communities["unit"] != plain.columns.communities["unit"]
    places = moved.columns.residents["place"] != plain.columns.residents["place"]
    assert min(merged.mean(), units.mean(), places.mean()) > 0.05  # it has happened
    return plain, moved


@pytest.fixture(scope="module")
def pairs(worlds) -> list[tuple]:
    """By district: both districts, and the rows of needs that both have."""
    found = []
    for a, b in zip(worlds[0].columns.districts, worlds[1].columns.districts, strict=True):
        rows_a, rows_b = needs(a), needs(b)
        _, in_a, in_b = np.intersect1d(
            a.cases["key"][rows_a], b.cases["key"][rows_b], assume_unique=True, return_indices=True
        )
        found.append((a, b, rows_a[in_a], rows_b[in_b]))
    return found


def test_a_need_is_the_same_need(pairs):
    for a, b, in_a, in_b in pairs:
        assert len(in_a) > 3000
        for field in NEED:
            np.testing.assert_array_equal(a.cases[field][in_a], b.cases[field][in_b])


def test_only_acceptance_by_the_place_makes_a_difference(pairs):
    """A need of one world is in the other exactly where the other's place accepts it."""
    for a, b, in_a, in_b in pairs:
        for own, other, rows, shared in ((a, b, needs(a), in_a), (b, a, needs(b), in_b)):
            lost = np.setdiff1d(rows, shared)
            cases = own.cases
            assert not accepted(other, cases[lost]).any()
            assert accepted(other, cases[shared]).all()
            moved = a.residents["place"] != b.residents["place"]
            assert moved[cases["resident"][lost]].all()
            assert len(lost) > 20  # the test has something to see


def test_later_draws_of_a_need_are_the_same(pairs):
    """Departments, desks, work and delays: by the need, the visit and the purpose alone."""
    compared = 0
    for a, b, in_a, in_b in pairs:
        # K as it arose; the single window may take all desks at once later on
        k_a = [work.departments(k, 0.3) for k in a.cases["key"][in_a]]
        k_b = [work.departments(k, 0.3) for k in b.cases["key"][in_b]]
        assert k_a == k_b and len(set(k_a)) > 3
        window = a.cases["parts"][in_a] == b.cases["parts"][in_b]
        assert window.all()  # no scenario here opens a window
        for i, j in zip(in_a[::10].tolist(), in_b[::10].tolist(), strict=True):
            kept = a.cases[i].copy(), b.cases[j].copy()
            for case in (a.cases[i], b.cases[j]):
                case["attempt"] = case["flags"] = 0
            for part in range(int(a.cases["parts"][i])):
                for visit in (work.part_category, work.territorial):
                    assert visit(a, i, part) == visit(b, j, part)
                for attempt in (0, 1):
                    for visit in (work.part_work, work.part_delay):
                        assert visit(a, i, part, attempt) == visit(b, j, part, attempt)
            for once in (work.common_delay, settles, local_delay):
                assert once(a, i) == once(b, j)
            assert work.intake_work(a, i, 1.0) == work.intake_work(b, j, 1.0)
            a.cases[i], b.cases[j] = kept
            compared += 1
    assert compared > 500


def test_realised_delays_are_the_same(pairs):
    """What settled needs have on record, of whatever desk and day served them."""
    for a, b, in_a, in_b in pairs:
        one, two = a.cases[in_a], b.cases[in_b]
        plain = (one["flags"] == 0) & (two["flags"] == 0) & (one["channel"] == two["channel"])
        both = plain & (one["state"] == s.SOLVED) & (two["state"] == s.SOLVED)
        both &= (one["desk"] >= 0) & (two["desk"] >= 0)
        assert both.sum() > 200
        np.testing.assert_array_equal(one["delay"][both], two["delay"][both])
        assert len(np.unique(one["delay"][both])) > 100
        other_desk = one["desk"][both] != two["desk"][both]
        assert other_desk.sum() > 20  # served elsewhere, and yet the same


def test_streams_of_seeds_and_purposes_are_apart(pairs):
    """No need of one district is a need of the other, and no purpose repeats another's draws."""
    keys = np.concatenate([a.cases["key"][rows] for a, _, rows, _ in pairs])
    assert len(np.unique(keys)) == len(keys)
    assert len(Purpose) == len(Purpose.__members__)  # no two names of one stream
    purposes = [p for p in Purpose if p < Purpose.IMPLEMENTATION]
    draws = np.array([[draw(k, int(p)) for k in keys[:1500]] for p in purposes])
    visits = np.array(
        [[draw(np.uint64(visit_key(k, 0, v)), 14) for k in keys[:1500]] for v in range(4)]
    )
    r = np.corrcoef(np.concatenate([draws, visits]))
    off = np.abs(r[np.triu_indices(len(r), 1)])
    # 5.5 standard errors: a false alarm in 4e-8 × 741 pairs = 3e-5 of seeds
    assert off.max() < 5.5 / np.sqrt(1500)


def test_pairing_makes_contrasts_of_need_counts_precise(town):
    """Migration changes needs a little; paired seeds see it, unpaired ones see noise.

    The variance ratio is about 100 (each need of a tenth of the people has a chance of about a
    tenth to differ); with 15 degrees of freedom each, F would have to be
    below a tenth of its expectation to fail: 2e-5.
    """
    counts = np.zeros((2, 17))
    for seed in range(17):
        for world in range(2):
            model = CityModel(town(days=40, warm_up=10), rng=seed)
            if world:
                migrate(model, 5)
            model.run_until(40)
            counts[world, seed] = model.columns.tally[:, :, s.T["needs"]].sum()
    paired = counts[1] - counts[0]
    unpaired = counts[1, 1:] - counts[0, :-1]
    assert paired.any()
    assert paired.var(ddof=1) * 10 < unpaired.var(ddof=1)


def test_a_reform_that_moves_nobody_changes_no_need(town, every_measure):
    """Needs are counted before anyone reacts to them: the same number, whatever the rules.

    Enforcement makes needs of its own; here it does not. Works begin with the second year.
    """
    calm = {"enforcement_conflict": 0.0, "walls_lost": 0.0}
    reform = [Step(measure=name, from_day=10) for name in every_measure]
    tables = []
    for steps in ((), reform):
        model = CityModel(
            town(*steps, days=200, warm_up=10, keep_cases=True, uncertainties=calm), rng=1
        )
        model.run_until(200)
        (d,) = model.columns.districts
        rows = needs(d)
        tables.append(d.cases[rows][[*NEED]])
    np.testing.assert_array_equal(tables[0], tables[1])
    assert len(np.unique(tables[0]["category"])) == categories.COUNT
