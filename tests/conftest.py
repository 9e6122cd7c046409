"""Shared fixtures: the small cities, scenarios on them, all measures."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reformsim.city import CityConfig
from reformsim.measures import BY_NAME
from reformsim.scenario import Scenario, Step

CITIES = Path(__file__).resolve().parents[1] / "configs" / "cities"

Plan = Callable[..., Scenario]


def _config(name: str) -> CityConfig:
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
    return _plan(_config("town"))


@pytest.fixture(scope="session")
def sweep() -> Plan:
    """Return a maker of scenarios on the sweep city: two districts, 160,000 residents."""
    return _plan(_config("sweep"))


@pytest.fixture(scope="session")
def every_measure() -> tuple[str, ...]:
    """Return the names of all measures."""
    return tuple(BY_NAME)
