"""`reformsim run` and `rerun`."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reformsim.cli.common import (
    AsJson,
    Chinese,
    Executor,
    OtherCode,
    Output,
    RetryFailed,
    Workers,
    app,
    console,
    either,
    fail,
    not_drawn,
    told,
)

if TYPE_CHECKING:
    from reformsim.experiment.plan import Plan
    from reformsim.experiment.run import How


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="An experiment, such as experiments/regimes.yaml.")],
    output: Output = None,
    workers: Workers = None,
    executor: Executor = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Instead of the file's.")] = None,
    retry_failed: RetryFailed = False,
    other_code: OtherCode = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell runs, time, memory and disk; keep nothing.")
    ] = False,
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """Run an experiment: its table on the terminal, its plots and data in a directory.

    A folder, such as experiments/backfires, is a table of where measures help and harm. The same
    command goes on where a stopped one left off.
    """
    from reformsim.experiment import plan
    from reformsim.experiment.run import How, execute
    from reformsim.experiment.sampled import Advice, HistoryMatching
    from reformsim.experiment.schema import Experiment
    from reformsim.experiment.stopping import begun, until_precise
    from reformsim.experiment.store import Store, versions

    workers = workers or os.cpu_count() or 1
    how = How(executor=executor, retry_failed=retry_failed, other_code=other_code)
    if file.is_dir():
        _try_out(file, output, workers, how, replications, dry_run, as_json, zh)
        return
    with told(zh):
        experiment = Experiment.load(file)
        if isinstance(experiment.design, HistoryMatching | Advice):
            other = "advise" if isinstance(experiment.design, Advice) else "calibrate"
            kind = experiment.design.kind
            message = either(
                zh,
                f"{file}：design.kind：{kind} 用于 `reformsim {other}`，不用于 `run`",
                f"{file}: design.kind: {kind} is for `reformsim {other}`, not for `run`",
            )
            raise fail([message])
        if replications is not None:
            experiment = experiment.model_copy(update={"replications": replications})
        store = Store(output or Path("results") / experiment.name)
        if dry_run:
            _foresee(plan.of(experiment), store.directory, workers, how, as_json)
            return
        experiment, results = until_precise(
            experiment,
            lambda asked: execute(asked, store.directory, workers, how=how),
            begun(store),
        )

    from reformsim.report import data, figures, tables
    from reformsim.report.study import Study

    manifest = store.manifest()
    study = Study(experiment, results, manifest["config_hash"], versions(manifest))
    screen = console()
    if not as_json:
        tables.write(study, screen, zh)
    with told(zh):
        drawn = figures.draw(study, store.directory, zh=zh)
        paths = [*drawn.paths, *data.write(study, store)]
    for name, reason in drawn.refused.items():
        typer.echo(not_drawn(name, reason, zh), err=True)
    if as_json:
        typer.echo(json.dumps(data.summary(study, paths), ensure_ascii=False, indent=2))
    else:
        screen.print("", *map(str, [store.manifest_path, *paths]), sep="\n", soft_wrap=True)
    if len(results.failed()):
        raise typer.Exit(1)


def _foresee(asked: "Plan", directory: Path, workers: int, how: "How", as_json: bool) -> None:
    """Tell what a plan will take."""
    from reformsim.experiment.forecast import forecast

    foreseen = forecast(asked, directory, workers, how=how)
    typer.echo(json.dumps(asdict(foreseen)) if as_json else foreseen.told())


def _try_out(
    folder: Path,
    output: Path | None,
    workers: int,
    how: "How",
    replications: int | None,
    dry_run: bool,
    as_json: bool,
    zh: bool,
) -> None:
    """Try each measure of a folder where it should help and where it should harm."""
    from reformsim.experiment import trials
    from reformsim.experiment.backfires import load_folder
    from reformsim.report import backfires

    directory = output or Path("results") / folder.resolve().name
    pairs = replications or trials.REPLICATIONS
    with told(zh):
        stories = load_folder(folder)
        if dry_run:
            _foresee(trials.plan_of(stories, pairs), directory, workers, how, as_json)
            return
        found = trials.try_out(stories, directory, pairs, workers, how=how)
    paths = backfires.save(found, directory)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in found], ensure_ascii=False, indent=2))
    else:
        screen = console()
        backfires.write(found, screen, zh)
        screen.print("", *map(str, paths), sep="\n", soft_wrap=True)
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
