"""`reformsim calibrate`."""

import json
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
def calibrate(
    file: Annotated[Path, typer.Argument(help="An experiment, as experiments/calibration.yaml.")],
    output: Output = None,
    workers: Workers = None,
    executor: Executor = None,
    retry_failed: RetryFailed = False,
    other_code: OtherCode = False,
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """Rule out worlds that contradict known facts; say what the facts do not pin down.

    The file's design is history_matching. Later experiments take the region that is left:
    DIR/region.csv. The same command goes on where a stopped one left off.
    """
    from reformsim.experiment import calibration
    from reformsim.experiment.run import How
    from reformsim.experiment.sampled import HistoryMatching
    from reformsim.experiment.schema import Experiment
    from reformsim.experiment.store import Store, versions

    how = How(executor=executor, retry_failed=retry_failed, other_code=other_code)
    with told(zh):
        experiment = Experiment.load(file)
        if not isinstance(experiment.design, HistoryMatching):
            kind = experiment.design.kind
            other = "advise" if kind == "advice" else "run"
            message = either(
                zh,
                f"{file}：design.kind：calibrate 使用 history_matching，非 {kind}（请用 {other}）",
                f"{file}: design.kind: calibrate takes history_matching, not {kind} (use {other})",
            )
            raise fail([message])
        directory = output or Path("results") / experiment.name
        found = calibration.calibrate(
            calibration.of(experiment), directory, workers or os.cpu_count() or 1, how=how
        )

    from reformsim.report import calibration as report
    from reformsim.report import profiles

    last = Store(directory / calibration.CHECK.format(len(found.waves))).manifest()
    said = report.Calibrated(experiment, found, last["config_hash"], versions(last))
    screen = console()
    if not as_json:
        report.write(said, screen, zh)
    with told(zh):
        paths = [*profiles.draw(said, directory, zh), *report.save(said, directory)]
    if as_json:
        typer.echo(json.dumps(report.summary(said, paths), ensure_ascii=False, indent=2))
    else:
        screen.print("", *map(str, paths), sep="\n", soft_wrap=True)
