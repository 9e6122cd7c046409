"""`reformsim advise`."""

import os
from pathlib import Path
from typing import Annotated

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
    told,
)


@app.command()
def advise(
    file: Annotated[Path, typer.Argument(help="An experiment with `design: {kind: advice}`.")],
    budget: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of the yearly transfer that measures may take."),
    ],
    at_most: Annotated[int, typer.Option(min=1, help="How many measures at most.")],
    output: Output = None,
    workers: Workers = None,
    executor: Executor = None,
    retry_failed: RetryFailed = False,
    other_code: OtherCode = False,
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """Advise: which few measures for a budget, how sure, who loses, what would change it.

    Searches bundles in few worlds, chooses among the best in fresh ones, and tells what the
    choice does in a third set. The same command goes on where a stopped one left off. "Do
    nothing" is always among the answers.
    """
    from reformsim.config import ConfigError, load_yaml
    from reformsim.experiment import advice
    from reformsim.experiment.plan import Plan
    from reformsim.experiment.run import How, carry_out
    from reformsim.experiment.sampled import Advice
    from reformsim.experiment.schema import Experiment
    from reformsim.experiment.store import Results, Store, StoreError, versions

    how = How(executor=executor, retry_failed=retry_failed, other_code=other_code)

    def carry(plan: Plan, directory: Path) -> Results:
        typer.echo(f"{directory.name}:", err=True)
        return carry_out(plan, directory, workers or os.cpu_count() or 1, how=how)

    with told(zh):
        experiment = Experiment.load(file)
        design = experiment.design
        document = load_yaml(file)
        if not isinstance(design, Advice):
            message = f"must be `advice` here; `reformsim run` makes a `{design.kind}`"
            raise ConfigError(document.fault(("design", "kind"), message))
        if at_most > len(design.candidates()):
            n = len(design.candidates())
            message = either(
                zh,
                f"--at-most：文件只列出 {n} 项措施",
                f"--at-most: the file names {n} measures only",
            )
            raise fail([message])
        directory = output or Path("results") / experiment.name
        if Store(directory).manifest_path.exists():
            raise StoreError(f"{directory} holds the runs of an experiment; use another (-o)")
        question = advice.Question(budget=budget, at_most=at_most)
        found = advice.advise(experiment, question, directory, carry)
        last = Store(directory / "report").manifest()

        from reformsim.report import advice_files, advice_tables
        from reformsim.report.advice import Report

        report = Report(experiment, found, last["config_hash"], versions(last))
        paths = advice_files.write(report, directory, zh)
    if as_json:
        typer.echo(paths[0].read_text(encoding="utf-8"), nl=False)
        return
    screen = console()
    advice_tables.write(report, screen, zh)
    screen.print("", *map(str, paths), sep="\n", soft_wrap=True)
