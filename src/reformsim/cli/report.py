"""`reformsim report`, `plot` and `provenance`: what a results directory says and shows."""

import json
from pathlib import Path
from typing import Annotated

import typer

from reformsim.cli.common import AsJson, Chinese, app, either, fail, not_drawn, told


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


@app.command()
def plot(
    directory: Annotated[Path, typer.Argument(help="A results directory.")],
    formats: Annotated[
        str, typer.Option("--format", help="Any of png, svg, pdf, with commas between.")
    ] = "png,svg",
    only: Annotated[
        list[str] | None, typer.Option("--only", help="This figure; may be given several times.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where to; the results directory if not given."),
    ] = None,
    dpi: Annotated[int, typer.Option(min=50, max=600, help="Dots per inch of a PNG.")] = 150,
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """Draw every figure that a results directory can give, finished or not.

    What cannot be drawn is told on stderr with the reason; code 1 where a figure asked for by
    --only is among it.
    """
    from reformsim.report import figures, provenance
    from reformsim.report.study import Study

    asked = tuple(dict.fromkeys(formats.split(",")))
    if unknown := [name for name in asked if name not in provenance.FORMATS]:
        there = ", ".join(provenance.FORMATS)
        message = either(
            zh,
            f"--format：没有 {unknown[0]!r}；可用：{there}",
            f"--format: no {unknown[0]!r}; there are {there}",
        )
        raise fail([message])
    with told(zh):
        study = Study.load(directory)
        if not study.n:
            failed = len(study.results.runs)
            message = either(
                zh,
                f"{directory}：没有完成的运行，{failed} 次全部失败",
                f"{directory}: no finished run, all {failed} failed",
            )
            raise fail([message])
        names = study.experiment.design.figures
        for name in only or ():
            if name not in names:
                kind, there = study.experiment.design.kind, ", ".join(names)
                message = either(
                    zh,
                    f"--only：{kind} 设计没有图 {name!r}；可用：{there}",
                    f"--only: no {name!r} of a {kind} design; there are {there}",
                )
                raise fail([message])
        target = output or directory
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = either(
                zh,
                f"{target}：无法建立（{error.strerror}）",
                f"{target}: cannot be made ({error.strerror})",
            )
            raise fail([message]) from None
        drawn = figures.draw(study, target, tuple(only or names), asked, zh, dpi)
    for note in study.notes:
        typer.echo(either(zh, f"注意：{note}", f"note: {note}"), err=True)
    for name, reason in drawn.refused.items():
        typer.echo(not_drawn(name, reason, zh), err=True)
    if as_json:
        told_of = {"files": [str(path) for path in drawn.paths], "refused": drawn.refused}
        typer.echo(json.dumps(told_of, ensure_ascii=False, indent=2))
    else:
        for path in drawn.paths:
            typer.echo(path)
    if not drawn.paths or (only and drawn.refused):
        raise typer.Exit(1)


@app.command()
def provenance(
    picture: Annotated[Path, typer.Argument(help="A PNG, SVG or PDF that reformsim drew.")],
    experiment: Annotated[
        bool, typer.Option("--experiment", help="Only the experiment, as a file for `run`.")
    ] = False,
) -> None:
    """Print what a picture carries: its experiment in full, its hash, versions, as JSON."""
    from reformsim.report.provenance import NoProvenance, read

    try:
        found = read(picture)
    except NoProvenance as error:
        raise fail([str(error)]) from None
    except OSError as error:
        raise fail([f"{picture}: cannot be read ({error.strerror})"]) from None
    shown = found["experiment"] if experiment else found
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
