"""`reformsim city`: a city of one's own, from one's own tables."""

import typer

from reformsim.cli.common import app

city = typer.Typer(no_args_is_help=True, help="Your own city, from your own data.")
app.add_typer(city, name="city")
