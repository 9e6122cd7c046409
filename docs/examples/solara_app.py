"""The town in Mesa's own Solara view.

``uv run --extra solara solara run docs/examples/solara_app.py``; a step is a day. The page loads
parts of itself from the network.
"""

from mesa.visualization import SolaraViz, make_plot_component

from reformsim import CityModel, Scenario

SCENARIO = Scenario.load("docs/examples/town.yaml")


class Town(CityModel):
    """The town under systemic governance; the headlines are collected every month."""

    def __init__(self, rng: int = 1) -> None:
        """Start at day 0 with the seed ``rng``."""
        super().__init__(SCENARIO, rng=rng, collect=True)


page = SolaraViz(
    Town(),
    components=[make_plot_component("satisfaction"), make_plot_component("problem_days")],
    model_params={"rng": {"type": "SliderInt", "value": 1, "min": 1, "max": 99, "label": "seed"}},
    name="reformsim",
)
