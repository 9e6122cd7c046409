"""The base of every block of a city file."""

from pydantic import BaseModel, ConfigDict


class Closed(BaseModel):
    """A frozen block of a city file that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)
