"""The command line: parse, call, print. Heavy modules are imported inside the commands."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from reformsim.config import Document
    from reformsim.declared import Outcome, Quantity
    from reformsim.measures import Measure

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Simulate a city-governance reform under stated assumptions.",
)

Name = Annotated[str | None, typer.Argument(help="Explain this one only.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Chinese = Annotated[bool, typer.Option("--zh", help="Print the meaning in Chinese.")]


def fail(lines: Sequence[str]) -> typer.Exit:
    """Print one error a line on stderr and return the exit of a user's mistake, code 2."""
    for line in lines:
        typer.echo(line, err=True)
    return typer.Exit(2)


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A YAML file.")]) -> None:
    """Check a scenario, an experiment, a city, a governance or a backfire file."""
    from reformsim.city.config import CityConfig
    from reformsim.config import ConfigError, load_yaml, resolve, validate
    from reformsim.scenario import Scenario, check_memory

    try:
        document = load_yaml(file)
        kind, model = kind_of(document)
        document = resolve(document, model)
        found = validate(document, model)
        if isinstance(found, CityConfig):
            check_memory(found, document, at=())
        if isinstance(found, Scenario):
            check_memory(found.city, document)
    except ConfigError as error:
        raise fail(error.lines) from None
    typer.echo(f"{file}: a valid {kind}")


def kind_of(document: "Document") -> "tuple[str, type[BaseModel]]":
    """Return what a file is, by its keys: the kind that knows most of them.

    Raises ConfigError if no kind knows any.
    """
    from reformsim.city.config import CityConfig
    from reformsim.config import ConfigError
    from reformsim.scenario import Governance, Scenario

    keys = document.data.keys()
    if keys & {"scenarios", "design"}:
        from reformsim.experiment.schema import Experiment

        return "experiment", Experiment
    if "measures" in keys:
        return "governance file", Governance
    if keys & {"helps", "harms"}:
        from reformsim.experiment.backfires import Backfire

        return "backfire file", Backfire

    def shared(model: "type[BaseModel]") -> int:
        return len(keys & model.model_fields.keys() - {"name", "name_zh"})

    kinds: dict[str, type[BaseModel]] = {"scenario": Scenario, "city": CityConfig}
    best = max(kinds, key=lambda kind: shared(kinds[kind]))
    if not shared(kinds[best]):
        message = "no key of a scenario, an experiment, a city or a governance file"
        raise ConfigError(document.fault((), message))
    return best, kinds[best]


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="An experiment, such as experiments/regimes.yaml.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Results directory [results/NAME].")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes [all cores].")] = None,
    executor: Annotated[
        str | None,
        typer.Option(help="inline, processes, or dask://host:port for a cluster that is there."),
    ] = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Instead of the file's.")] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Make failed runs again.")
    ] = False,
    other_code: Annotated[
        bool, typer.Option("--other-code", help="Go on though the code has changed since.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell runs, time, memory and disk; keep nothing.")
    ] = False,
    as_json: AsJson = False,
    zh: Annotated[bool, typer.Option("--zh", help="Print the tables in Chinese.")] = False,
) -> None:
    """Run an experiment: its table on the terminal, its plots and data in a directory.

    A folder, such as experiments/backfires, is a table of where measures help and harm. The same
    command goes on where a stopped one left off.
    """
    if file.is_dir():
        _run_backfires(file, output, workers, replications, as_json, zh)
        return
    from rich.console import Console

    from reformsim.experiment.run import How, execute
    from reformsim.experiment.schema import Experiment
    from reformsim.experiment.stopping import begun, until_precise
    from reformsim.experiment.store import Store

    workers = workers or os.cpu_count() or 1
    how = How(executor=executor, retry_failed=retry_failed, other_code=other_code)
    with told():
        experiment = Experiment.load(file)
        if replications is not None:
            experiment = experiment.model_copy(update={"replications": replications})
        store = Store(output or Path("results") / experiment.name)
        if dry_run:
            from reformsim.experiment.forecast import forecast

            foreseen = forecast(experiment, store.directory, workers, how=how)
            typer.echo(json.dumps(asdict(foreseen)) if as_json else foreseen.told())
            return
        experiment, results = until_precise(
            experiment,
            lambda asked: execute(asked, store.directory, workers, how=how),
            begun(store),
        )

    from reformsim.report import data, figures, tables
    from reformsim.report.study import Study

    study = Study(experiment, results, store.manifest()["config_hash"])
    console = Console(width=None if sys.stdout.isatty() else tables.WIDTH)
    if not as_json:
        tables.write(study, console, zh)
    with told():
        paths = [*figures.draw(study, store.directory), *data.write(study, store)]
    if as_json:
        typer.echo(json.dumps(data.summary(study, paths), ensure_ascii=False, indent=2))
    else:
        console.print("", *map(str, [store.manifest_path, *paths]), sep="\n", soft_wrap=True)
    if len(results.failed()):
        raise typer.Exit(1)


def _run_backfires(
    folder: Path,
    output: Path | None,
    workers: int | None,
    replications: int | None,
    as_json: bool,
    zh: bool,
) -> None:
    """Try each measure of a folder where it should help and where it should harm."""
    from rich.console import Console

    from reformsim.config import ConfigError
    from reformsim.experiment import trials
    from reformsim.experiment.backfires import load_folder
    from reformsim.report import backfires, tables

    directory = output or Path("results") / folder.resolve().name
    try:
        found = trials.carry_out(
            load_folder(folder),
            directory,
            replications or trials.REPLICATIONS,
            workers or os.cpu_count() or 1,
        )
    except ConfigError as error:
        raise fail(error.lines) from None
    except trials.WorkerDied as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    except trials.Interrupted as error:
        typer.echo(error, err=True)
        raise typer.Exit(130) from None
    paths = backfires.save(found, directory)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in found], ensure_ascii=False, indent=2))
    else:
        console = Console(width=None if sys.stdout.isatty() else tables.WIDTH)
        backfires.write(found, console, zh)
        console.print("", *map(str, paths), sep="\n", soft_wrap=True)
    if any(row.failure for row in found):
        raise typer.Exit(1)


@app.command()
def rerun(
    directory: Annotated[Path, typer.Argument(help="A results directory.")],
    name: Annotated[
        str, typer.Option("--run", help="A run: its number in runs.csv, or scenario/replication.")
    ],
    as_json: AsJson = False,
) -> None:
    """Make one run again from what its directory says, and hold the two to each other.

    Ends with code 1 where they are not the same to the bit.
    """
    from reformsim.experiment.rerun import rerun as again

    with told():
        found = again(directory, name)
    typer.echo(json.dumps(asdict(found), ensure_ascii=False) if as_json else found.told())
    if not found.same:
        raise typer.Exit(1)


@contextmanager
def told() -> Iterator[None]:
    """Turn what may go wrong with an experiment into a message and an exit code.

    2: a mistake of the user, or a directory that cannot take it; 1: a worker died; 130: Ctrl-C.
    """
    from reformsim.config import ConfigError
    from reformsim.experiment.run import ExecutorError, Interrupted, WorkerDied
    from reformsim.experiment.store import StoreError

    try:
        yield
    except ConfigError as error:
        raise fail(error.lines) from None
    except (StoreError, ExecutorError) as error:
        raise fail([str(error)]) from None
    except WorkerDied as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    except Interrupted as error:
        typer.echo(error, err=True)
        raise typer.Exit(130) from None


@app.command()
def facts(
    file: Annotated[Path, typer.Argument(help="A scenario without a reform.")] = Path(
        "configs/facts.yaml"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Hold a city without reform to the facts: fact, model, mark, hit or miss."""
    from rich.console import Console

    from reformsim.config import ConfigError
    from reformsim.facts import facts as held_to
    from reformsim.report.tables import WIDTH, facts_table
    from reformsim.scenario import Scenario

    try:
        rows = held_to(Scenario.load(file), seed)
    except ConfigError as error:
        raise fail(error.lines) from None
    if as_json:
        typer.echo(json.dumps([asdict(row) | {"hit": row.hit} for row in rows], indent=2))
    else:
        facts_table(rows, Console(width=None if sys.stdout.isatty() else WIDTH))


@app.command()
def levers(name: Name = None, as_json: AsJson = False, zh: Chinese = False) -> None:
    """List the rules that measures set, with their pre-reform levels."""
    from reformsim.rules import LEVERS

    _quantities("Levers (default: before the reform)", LEVERS, name, as_json, zh)


@app.command("uncertainties")
def list_uncertainties(name: Name = None, as_json: AsJson = False, zh: Chinese = False) -> None:
    """List the facts of the world, with default and range."""
    from reformsim.uncertainties import UNCERTAINTIES

    _quantities("Uncertainties", UNCERTAINTIES, name, as_json, zh)


@app.command()
def outcomes(name: Name = None, as_json: AsJson = False, zh: Chinese = False) -> None:
    """List the results of a run, with unit and which way is better."""
    from reformsim.outcomes import OUTCOMES

    def row(outcome: "Outcome") -> Sequence[str]:
        meaning = outcome.meaning_zh if zh else outcome.meaning
        return outcome.name, outcome.better, outcome.unit, meaning

    _show("Outcomes", OUTCOMES, name, as_json, ("name", "better", "unit", "meaning"), row)


@app.command("measures")
def list_measures(name: Name = None, as_json: AsJson = False, zh: Chinese = False) -> None:
    """List the measures of the reform, or explain one in both languages."""
    from reformsim.measures import BY_NAME, MEASURES

    def row(measure: "Measure") -> Sequence[str]:
        return measure.name, str(measure.id), measure.zh if zh else measure.helps

    if name in BY_NAME and not as_json:
        from rich.console import Console

        from reformsim.report import measures, tables

        console = Console(width=None if sys.stdout.isatty() else tables.WIDTH)
        measures.explain(BY_NAME[name], console)
        return
    _show("Measures", MEASURES, name, as_json, ("name", "id", "名称" if zh else "helps"), row)


@app.command()
def reference(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write [standard output].")
    ] = None,
    zh: Annotated[bool, typer.Option("--zh", help="In Chinese: docs/parameters.zh.md.")] = False,
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


def _quantities(
    title: str, items: "Sequence[Quantity]", name: str | None, as_json: bool, zh: bool
) -> None:
    def row(item: "Quantity") -> Sequence[str]:
        bounds = f"{item.low:g} to {item.high:g}"
        meaning = item.meaning_zh if zh else item.meaning
        return item.name, f"{item.default:g}", bounds, item.unit, meaning

    heads = ("name", "default", "range", "unit", "含义" if zh else "meaning")
    _show(title, items, name, as_json, heads, row)


def _show[T: Any](
    title: str,
    items: Sequence[T],
    name: str | None,
    as_json: bool,
    heads: Sequence[str],
    row: Callable[[T], Sequence[str]],
) -> None:
    """Print declared items as a table, or one of them in full, or either as JSON."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    if name is not None:
        from reformsim.config import suggest

        known = {item.name: item for item in items}
        if name not in known:
            raise fail([f"no {name!r} among the {title.split()[0].lower()}{suggest(name, known)}"])
        items = [known[name]]
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in items], ensure_ascii=False, indent=2))
        return
    console = Console()
    table = Table(box=box.SIMPLE if console.is_terminal else None)
    if name is None:
        table.title, rows = title, [row(item) for item in items]
    else:
        table.show_header, heads = False, ("", "")
        rows = _fields(asdict(items[0]))
    for index, head in enumerate(heads):
        table.add_column(head, overflow="fold", no_wrap=index == 0)
    for cells in rows:
        table.add_row(*cells)
    console.print(table)


def _fields(fields: dict[str, Any]) -> list[Sequence[str]]:
    """Return the fields of one declaration as rows."""
    return [
        (key, f"{value:g}" if isinstance(value, float) else str(value))
        for key, value in fields.items()
    ]
