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
) -> None:
    """Write the brief of an experiment: one HTML file in Chinese and English, for any browser.

    It needs no network. What failed or is missing in the directory is said in it.
    """
    from reformsim.report.brief import page
    from reformsim.report.opened import open_results

    path = output or directory / "brief.html"
    with told():
        opened = open_results(directory)
        text = page.write(opened, [])
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise fail([f"{path}: cannot be written ({error.strerror})"]) from None
    for warning in opened.warnings():
        typer.echo(f"note: {warning.en}", err=True)
    typer.echo(path)
