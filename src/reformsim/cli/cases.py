"""`reformsim city learn` and `city export`: from an export of cases, and to one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from reformsim.cli.city import city
from reformsim.cli.common import AsJson, Chinese, console, either, fail, told


@city.command()
def learn(
    file: Annotated[Path, typer.Argument(help="An export of cases, CSV.")],
    mapping: Annotated[
        str,
        typer.Option("--map", help="Which column is what: a name in configs/mappings, or a file."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Directory; results/learned_NAME if not given."),
    ] = None,
    residents: Annotated[
        int | None, typer.Option(min=1, help="Residents whom the export covers.")
    ] = None,
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """Learn from a hotline's or a 311 export: mix, days, departments, promises, with intervals.

    Only the mapped columns are read; no address, name or text is kept.
    """
    from reformsim.config.references import configs
    from reformsim.observed.cases import read_cases
    from reformsim.observed.learning import learn as learned_from
    from reformsim.observed.mapping import Mapping
    from reformsim.report import learned

    with told(zh):
        shipped = configs(Path.cwd(), "mappings")
        if mapping not in shipped and not Path(mapping).is_file():
            names = ", ".join(sorted(shipped)) or either(zh, "此处没有", "none here")
            message = either(
                zh,
                f"--map：没有文件 {mapping}，configs/mappings 中也没有此名称（{names}）",
                f"--map: no file {mapping}, nor a name in configs/mappings ({names})",
            )
            raise fail([message])
        read_as = Mapping.load(shipped.get(mapping, mapping))
        cases = read_cases(file, read_as)
        lesson = learned_from(cases, residents)
        directory = output or Path("results") / f"learned_{read_as.name}"
        paths = learned.write(lesson, cases, directory)
    if as_json:
        typer.echo(json.dumps(learned.summary(lesson, cases, paths), ensure_ascii=False, indent=2))
        return
    screen = console()
    learned.show(lesson, cases, screen, zh)
    screen.print("", *map(str, paths), sep="\n", soft_wrap=True)


@city.command()
def export(
    file: Annotated[Path, typer.Argument(help="A scenario.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="CSV file to write.")],
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 1,
    channels: Annotated[
        str | None,
        typer.Option(help="Of hotline, station, grid, with commas; the hotline's if not given."),
    ] = None,
) -> None:
    """Run a scenario and write its cases as a 12345 hotline would: synthetic, no real person."""
    from reformsim import known
    from reformsim.experiment import files
    from reformsim.experiment.own_export import ExportCity
    from reformsim.experiment.own_export import export as exported_by
    from reformsim.scenario import Scenario

    try:
        names = known.HOTLINE if channels is None else channels.split(",")
        listed = known.Listed(known.channels(name.strip() for name in names))
    except ValueError as error:
        raise fail([f"--channels: {error}"]) from None
    with told():
        scenario = Scenario.load(file)
        if not output.parent.is_dir():
            raise fail([f"{output}: no such folder {output.parent}"])
        model = ExportCity(scenario, listed, rng=seed)
        model.run_until(scenario.days)
        table = exported_by(model, listed)
        files.replace(output, table.to_csv(index=False, lineterminator="\n").encode("utf-8-sig"))
    typer.echo(f"{output}: {len(table):,} cases")
