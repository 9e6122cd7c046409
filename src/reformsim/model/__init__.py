"""The model: builds the city, schedules the rhythm, lets institutions and cases act."""

from reformsim.model.city_model import CityModel

__all__ = ["CityModel"]
