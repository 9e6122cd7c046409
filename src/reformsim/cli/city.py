"""`reformsim city`: a user's own city."""

from pathlib import Path
from typing import Annotated

import typer

from reformsim.cli.common import app, told

city = typer.Typer(no_args_is_help=True, help="Your own city, from your own data.")
app.add_typer(city, name="city")


@city.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="units.csv, and staff.csv, stations.csv, boundaries.geojson if any."),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder to write; city/NAME if not given.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the city; that of the first file if not given.")
    ] = None,
    crs: Annotated[
        str, typer.Option(help="Of longitudes and latitudes: wgs84 or gcj02.")
    ] = "wgs84",
    zh: Annotated[bool, typer.Option("--zh", help="Print in Chinese.")] = False,
) -> None:
    """Write a city file from tables of units, staff and stations, and from boundaries.

    What no table states is drawn or left to the model, and marked as assumed.
    """
    from reformsim.observed.boundaries import CRS
    from reformsim.observed.importing import import_city

    if crs not in CRS:
        raise typer.BadParameter(f"must be one of {', '.join(CRS)}", param_hint="--crs")
    name = name or files[0].stem
    with told(zh):
        imported = import_city(files, name, crs, output or Path("city") / name)
    for words in imported.told:
        typer.echo(words.zh if zh else words.en)
    for path in imported.paths:
        typer.echo(path)
