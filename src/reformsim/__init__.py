"""reformsim: an agent-based simulation of a city-governance reform."""

__version__ = "0.1.0"
