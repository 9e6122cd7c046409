"""The town in Mesa's own Solara view.

``uv run --extra solara solara run docs/examples/solara_app.py``; a step is a day. The page loads
parts of itself from the network, and stays blank without one.
"""

from copy import deepcopy

import mesa
from mesa.visualization import SolaraViz, make_plot_component

from reformsim import CityModel, Scenario

SCENARIO = Scenario.load("docs/examples/town.yaml")


class Town(mesa.Model):
    """The town under systemic governance; the headlines are collected every month.

    The view wants a scenario of Mesa's own kind, so that it is given a model which holds the town.
    """

    def __init__(self, rng: int = 1) -> None:
        """Start at day 0 with the seed ``rng``."""
        super().__init__(rng=rng)
        self.town = CityModel(SCENARIO, rng=rng, collect=True)
        self.datacollector = deepcopy(self.town.datacollector)

    def step(self) -> None:
        """Live through a day; the last one ends the run."""
        self.town.step()
        # a copy: the page is drawn in another thread, perhaps while a month is being collected
        self.datacollector = deepcopy(self.town.datacollector)
        self.running = self.town.running


page = SolaraViz(
    Town(),
    components=[make_plot_component("satisfaction"), make_plot_component("problem_days")],
    model_params={"rng": {"type": "SliderInt", "value": 1, "min": 1, "max": 99, "label": "seed"}},
    name="reformsim",
)
