"""The bundles of `configs/governance`: what they hold, when and where, and that money suffices."""

from itertools import pairwise

import numpy as np
import pytest

from conftest import CITIES, city_config
from reformsim.city import build
from reformsim.city.places import first
from reformsim.config import load_yaml, validate
from reformsim.institutions import treasury
from reformsim.measures import BY_NAME, MEASURES
from reformsim.model import CityModel
from reformsim.scenario import First, Governance, Scenario, Step
from reformsim.uncertainties import world

FILES = {path.stem: path for path in (CITIES.parent / "governance").glob("*.yaml")}
SECTIONS = {
    "four-combinations": range(1, 8),
    "three-strengthenings": range(8, 20),
    "three-level-architecture": range(20, 29),
    "four-systems": range(29, 48),
}
#: Bundles that bring all 47 measures, if not to all at once.
WHOLE = ("systemic", "systemic-phased", "systemic-pilot")
SMALL = sorted(
    path.stem for path in CITIES.glob("*.yaml") if path.stem not in ("chengdu", "uneven")
)


def steps_of(bundle: str) -> tuple[Step, ...]:
    return validate(load_yaml(FILES[bundle]), Governance).measures


def ids_of(bundle: str) -> list[int]:
    return sorted({BY_NAME[step.measure].id for step in steps_of(bundle)})


@pytest.mark.parametrize("bundle", SECTIONS)
def test_a_section_alone_is_its_measures_at_once(bundle):
    assert ids_of(bundle) == list(SECTIONS[bundle])
    assert len(steps_of(bundle)) == len(ids_of(bundle))
    assert {(s.intensity, s.from_day, s.until, s.where) for s in steps_of(bundle)} == {
        (1.0, 365, None, None)
    }


@pytest.mark.parametrize("bundle", WHOLE)
def test_whole_bundles_bring_all_measures(bundle):
    assert ids_of(bundle) == [measure.id for measure in MEASURES]


def test_economy_and_service_first_pull_apart():
    """Neither is part of the other, and what one takes from investment the other leaves alone."""
    economy, service = (
        {step.measure for step in steps_of(bundle)} for bundle in ("economy-first", "service-first")
    )
    assert economy - service and service - economy
    for lever in ("investment_duty", "weight_investment"):
        assert not any(lever in BY_NAME[name].sets for name in economy)
        assert any(lever in BY_NAME[name].sets for name in service)


def plan(city: str, bundle: str, days: int = 2000, **fields) -> Scenario:
    return Scenario(
        name=bundle, city=city_config(city), days=days, reform=steps_of(bundle), **fields
    )


@pytest.mark.parametrize("bundle", ["systemic-phased", "systemic-pilot"])
def test_schedules_arrive_where_systemic_begins(bundle):
    """The same rules and costs to the bit in the end, less of them on the way."""
    at_once, slow = plan("sweep", "systemic"), plan("sweep", bundle)
    city = build(at_once.city, at_once.city_seed)
    for fold in (Scenario.rules_at, Scenario.costs_at):
        args = (city, 1) if fold is Scenario.rules_at else (city,)
        assert fold(slow, 1999, *args).tobytes() == fold(at_once, 1999, *args).tobytes()
    early, full = slow.costs_at(365, city), at_once.costs_at(365, city)
    assert (early <= full).all() and 0 < early.sum() < full.sum()


def test_a_phased_reform_begins_a_section_each_year():
    days = {BY_NAME[s.measure].section: s.from_day for s in steps_of("systemic-phased")}
    assert sorted(set(days.values())) == [365, 730, 1095, 1460]


@pytest.mark.parametrize("name", [*SMALL, "chengdu"])
def test_pilots_are_whole_districts_of_any_city(name):
    """A larger share contains a smaller one; at least one district, and all in the end."""
    config = city_config(name)
    city = build(config, 1)
    district = city.subdistricts.district
    shares = (0.01, 0.25, 0.5, 1.0)
    chosen = [first(city, share) for share in shares]
    for share, here in zip(shares, chosen, strict=True):
        assert len(np.unique(district[here])) == np.ceil(share * len(city.districts))
        np.testing.assert_array_equal(here, np.isin(district, district[here]))
    for small, large in pairwise(chosen):
        assert (small <= large).all()
    assert chosen[-1].all()
    step = Step(measure="joint_conference", where=First(first=0.25))
    np.testing.assert_array_equal(step.places(city), chosen[1])


def test_another_city_has_other_pilots():
    config = city_config("chengdu")
    pilots = {tuple(first(build(config, seed), 0.25)) for seed in (1, 2)}
    assert len(pilots) == 2


def paid(monkeypatch, city: str, bundle: str) -> tuple[float, list[bytes]]:
    """Run one day with all of a bundle in force; return its largest share of a transfer.

    Also the transfers, to the bit. A bundle above ``max_cost_share`` is refused by the run itself.
    """
    shares, transfers = [], []

    def pay(accounts, years, ahead, revenue, bids, costs, *rest):
        shares.append((costs / accounts["transfer"]).max())
        transfers.append(accounts["transfer"].tobytes())
        return treasury_pay(accounts, years, ahead, revenue, bids, costs, *rest)

    treasury_pay = treasury.pay
    steps = {step.measure: Step(measure=step.measure, from_day=0) for step in steps_of(bundle)}
    scenario = Scenario(
        name=bundle, city=city_config(city), warm_up=0, days=31, reform=tuple(steps.values())
    )
    with monkeypatch.context() as patch:
        patch.setattr(treasury, "pay", pay)
        CityModel(scenario, rng=1).run_until(1)
    print(f"{bundle} in {city}: at most {max(shares):.3f} of a unit's transfer")
    return max(shares), transfers


@pytest.mark.parametrize("city", SMALL)
def test_every_bundle_is_affordable_in_every_small_city(monkeypatch, city):
    """At default uncertainties, all of it at once, everywhere; and all get the same money."""
    limit = world()["max_cost_share"]
    transfers = []
    for bundle in FILES:
        share, given = paid(monkeypatch, city, bundle)
        assert share <= limit, bundle
        transfers.append(given)
    assert all(given == transfers[0] for given in transfers)


def test_the_dearest_bundle_is_affordable_in_the_whole_of_chengdu(monkeypatch):
    share, _ = paid(monkeypatch, "chengdu", "systemic")
    assert 0 < share <= world()["max_cost_share"]


@pytest.mark.slow
@pytest.mark.parametrize("bundle", FILES)
def test_every_bundle_is_affordable_in_the_whole_of_chengdu(monkeypatch, bundle):
    assert paid(monkeypatch, "chengdu", bundle)[0] <= world()["max_cost_share"]


def test_an_unaffordable_bundle_is_refused_not_cut():
    """The check can fail: at three times the costs, the whole reform is too much for a town."""
    scenario = Scenario(
        name="dear", city=city_config("town"), warm_up=0, days=31,
        reform=tuple(Step(measure=name, from_day=0) for name in BY_NAME),
        uncertainties={"cost_factor": 3.0},
    )  # fmt: skip
    with pytest.raises(ValueError, match="above its limit"):
        CityModel(scenario, rng=1).run_until(1)


def test_bundles_say_in_both_languages_what_they_are():
    for path in FILES.values():
        governance = validate(load_yaml(path), Governance)
        comments = [line for line in path.read_text("utf-8").splitlines() if line[:1] == "#"]
        assert any("一" <= c <= "鿿" for c in comments[0])
        assert comments[1].isascii()
        assert governance.name == path.stem and governance.about
