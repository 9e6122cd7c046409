"""Shared fixtures: the small cities, scenarios on them, all measures."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reformsim.city import CityConfig
from reformsim.measures import BY_NAME
from reformsim.scenario import First, Scenario, Step
from reformsim.uncertainties import UNCERTAINTIES

#: The same examples in every run, so that a change is what breaks a test. Slow tests draw anew,
#: and so does every test under ``pytest --hypothesis-profile=anew``.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("anew", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")


def pytest_addoption(parser):
    parser.addoption(
        "--refresh-baselines", action="store_true", help="store the results of tests/baselines anew"
    )


CITIES = Path(__file__).resolve().parents[1] / "configs" / "cities"
PLACES = ("Example", "示范区", "Example Subdistrict 01", "示范区01镇")

Plan = Callable[..., Scenario]


def city_config(name: str) -> CityConfig:
    text = (CITIES / f"{name}.yaml").read_text("utf-8")
    return CityConfig.model_validate(YAML(typ="safe").load(text))


def _plan(config: CityConfig) -> Plan:
    def plan(*steps: Step, warm_up: int = 30, days: int = 180, **fields) -> Scenario:
        return Scenario(
            name="test", city=config, warm_up=warm_up, days=days, reform=steps, **fields
        )

    return plan


@pytest.fixture(scope="session")
def town() -> Plan:
    """Return a maker of scenarios on the town: one district, 20,000 residents."""
    return _plan(city_config("town"))


@pytest.fixture(scope="session")
def sweep() -> Plan:
    """Return a maker of scenarios on the sweep city: two districts, 160,000 residents."""
    return _plan(city_config("sweep"))


@pytest.fixture(scope="session")
def every_measure() -> tuple[str, ...]:
    """Return the names of all measures."""
    return tuple(BY_NAME)


@st.composite
def _steps(draw, warm_up: int, days: int) -> Step:
    start = draw(st.integers(warm_up, days - 1))
    return Step(
        measure=draw(st.sampled_from(sorted(BY_NAME))),
        intensity=draw(st.sampled_from((0.0, 0.3, 1.0)) | st.floats(0, 1)),
        from_day=start,
        until=draw(st.none() | st.integers(start + 1, days + 20)),
        where=draw(
            st.none()
            | st.lists(st.sampled_from(PLACES), min_size=1).map(tuple)
            | st.builds(First, first=st.floats(0.01, 1))
        ),
    )


@st.composite
def _scenarios(draw, town: Plan) -> Scenario:
    warm_up, days = draw(st.integers(0, 40)), draw(st.integers(100, 180))
    names = draw(st.lists(st.sampled_from(UNCERTAINTIES), max_size=8, unique=True))
    return town(
        *draw(st.lists(_steps(warm_up, days), max_size=7)),
        warm_up=warm_up,
        days=days,
        keep_cases=draw(st.booleans()),
        uncertainties={x.name: draw(st.floats(x.low, x.high)) for x in names},
    )


@pytest.fixture(scope="session")
def scenarios(town) -> st.SearchStrategy[Scenario]:
    """Return a strategy of scenarios on the town, of some months.

    Any measures, at any intensity, from and until any days, everywhere or somewhere, under
    uncertainties anywhere in their ranges.
    """
    return _scenarios(town)
