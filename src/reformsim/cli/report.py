"""`reformsim report`: what a results directory says, for those who decide."""

from pathlib import Path
from typing import Annotated

import typer

from reformsim.cli.common import app, fail, told


@app.command()
def report(
    directory: Annotated[Path, typer.Argument(help="A results directory.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write [DIRECTORY/brief.html].")
    ] = None,
    advice: Annotated[
        Path | None, typer.Option(help="An advice to show [DIRECTORY/advice.json, if there].")
    ] = None,
) -> None:
    """Write the brief of an experiment: one HTML file in Chinese and English, for any browser.

    It needs no network. What failed or is missing in the directory is said in it.
    """
    from reformsim.report.brief import advised, page
    from reformsim.report.opened import open_results

    path = output or directory / "brief.html"
    with told():
        opened = open_results(directory)
        usual = directory / "advice.json"
        source = advice or (usual if usual.exists() else None)
        text = page.write(opened, advised.read(source) if source else [])
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise fail([f"{path}: cannot be written ({error.strerror})"]) from None
    for warning in opened.warnings():
        typer.echo(f"note: {warning.en}", err=True)
    typer.echo(path)
