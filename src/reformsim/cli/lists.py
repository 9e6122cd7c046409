"""What is declared, listed or written as a reference; the city held to its facts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reformsim.cli.common import AsJson, Chinese, app, console, fail, fail_file

if TYPE_CHECKING:
    from reformsim.declared import Outcome, Quantity
    from reformsim.measures import Measure


def _one_of(module: str, items: str) -> Any:
    """Return an argument for one declared name, which the shell completes."""

    def named(incomplete: str) -> list[str]:
        declared = getattr(import_module(f"reformsim.{module}"), items)
        return [item.name for item in declared if item.name.startswith(incomplete)]

    return typer.Argument(help="Explain this one only.", autocompletion=named)


@app.command()
def facts(
    file: Annotated[Path, typer.Argument(help="A scenario without a reform.")] = Path(
        "configs/facts.yaml"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 1,
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """Hold a city without reform to the facts: fact, model, mark, hit or miss."""
    from reformsim.config import ConfigError
    from reformsim.facts import facts as held_to
    from reformsim.report.tables import facts_table
    from reformsim.scenario import Scenario

    try:
        rows = held_to(Scenario.load(file), seed)
    except ConfigError as error:
        raise fail_file(error, zh) from None
    if as_json:
        typer.echo(json.dumps([asdict(row) | {"hit": row.hit} for row in rows], indent=2))
    else:
        facts_table(rows, console(), zh)


@app.command()
def levers(
    name: Annotated[str | None, _one_of("rules", "LEVERS")] = None,
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """List the rules that measures set, with their pre-reform levels."""
    from reformsim.rules import LEVERS

    _quantities("Levers (default: before the reform)", LEVERS, name, as_json, zh)


@app.command("uncertainties")
def list_uncertainties(
    name: Annotated[str | None, _one_of("uncertainties", "UNCERTAINTIES")] = None,
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """List the facts of the world, with default and range."""
    from reformsim.uncertainties import UNCERTAINTIES

    _quantities("Uncertainties", UNCERTAINTIES, name, as_json, zh)


@app.command()
def outcomes(
    name: Annotated[str | None, _one_of("outcomes", "OUTCOMES")] = None,
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """List the results of a run, with unit and which way is better."""
    from reformsim.outcomes import OUTCOMES
    from reformsim.report.chinese import say

    def row(outcome: "Outcome") -> Sequence[str]:
        meaning = outcome.meaning_zh if zh else outcome.meaning
        return outcome.name, say(outcome.better, zh), say(outcome.unit, zh), meaning

    _show("Outcomes", OUTCOMES, name, as_json, zh, ("name", "better", "unit", "meaning"), row)


@app.command("measures")
def list_measures(
    name: Annotated[str | None, _one_of("measures", "MEASURES")] = None,
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """List the measures of the reform, or explain one in both languages."""
    from reformsim.measures import BY_NAME, MEASURES

    def row(measure: "Measure") -> Sequence[str]:
        helps = f"{measure.zh}:{measure.helps_zh}" if zh else measure.helps
        return measure.name, str(measure.id), helps

    if name in BY_NAME and not as_json:
        from reformsim.report import measures

        measures.explain(BY_NAME[name], console())
        return
    _show("Measures", MEASURES, name, as_json, zh, ("name", "id", "helps"), row)


@app.command()
def reference(
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write; standard output if not given."),
    ] = None,
    zh: Chinese = False,
    measures: Annotated[
        bool, typer.Option("--measures", help="Of the measures instead: docs/measures.md.")
    ] = False,
) -> None:
    """Write the reference of all parameters, docs/parameters.md, from their declarations."""
    if measures:
        from reformsim.report.measures import page

        text = page()
    else:
        from reformsim.report.reference import parameters

        text = parameters(zh)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8", newline="\n")


@app.command()
def schema(
    kind: Annotated[
        str | None, typer.Argument(help="experiment, scenario, city, governance, …")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder to write all of them to.")
    ] = None,
) -> None:
    """Write JSON Schemas of the files you write, for editors that complete and check YAML."""
    from reformsim.config import suggest
    from reformsim.report import schemas

    if kind is not None and kind not in schemas.KINDS:
        near = suggest(kind, schemas.KINDS)
        raise fail([f"no {kind!r} among the kinds of files{near} ({', '.join(schemas.KINDS)})"])
    if output is not None:
        try:
            paths = schemas.write(output, (kind,) if kind else tuple(schemas.KINDS))
        except OSError as error:
            raise fail([f"{output}: cannot be written ({error.strerror})"]) from None
        for path in paths:
            typer.echo(path)
    elif kind is not None:
        typer.echo(schemas.text(kind), nl=False)
    else:
        raise fail([f"name a kind of file ({', '.join(schemas.KINDS)}) or a folder (-o)"])


def _quantities(
    title: str, items: "Sequence[Quantity]", name: str | None, as_json: bool, zh: bool
) -> None:
    from reformsim.report.chinese import say

    def row(item: "Quantity") -> Sequence[str]:
        bounds = f"{item.low:g} {say('to', zh)} {item.high:g}"
        meaning = item.meaning_zh if zh else item.meaning
        return item.name, f"{item.default:g}", bounds, say(item.unit, zh), meaning

    heads = ("name", "default", "range", "unit", "meaning")
    _show(title, items, name, as_json, zh, heads, row)


def _show[T: Any](
    title: str,
    items: Sequence[T],
    name: str | None,
    as_json: bool,
    zh: bool,
    heads: Sequence[str],
    row: Callable[[T], Sequence[str]],
) -> None:
    """Print declared items as a table, or one of them in full, or either as JSON."""
    from rich import box
    from rich.table import Table

    from reformsim.report.chinese import say

    if name is not None:
        from reformsim.config import suggest

        known = {item.name: item for item in items}
        if name not in known:
            raise fail([f"no {name!r} among the {title.split()[0].lower()}{suggest(name, known)}"])
        items = [known[name]]
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in items], ensure_ascii=False, indent=2))
        return
    screen = console()
    table = Table(box=box.SIMPLE if screen.is_terminal else None)
    if name is None:
        table.title, rows = say(title, zh), [row(item) for item in items]
    else:
        table.show_header, heads = False, ("", "")
        rows = _fields(asdict(items[0]))
    for index, head in enumerate(heads):
        table.add_column(say(head, zh), overflow="fold", no_wrap=index == 0)
    for cells in rows:
        table.add_row(*cells)
    screen.print(table)


def _fields(fields: dict[str, Any]) -> list[Sequence[str]]:
    """Return the fields of one declaration as rows."""
    return [
        (key, f"{value:g}" if isinstance(value, float) else str(value))
        for key, value in fields.items()
    ]
