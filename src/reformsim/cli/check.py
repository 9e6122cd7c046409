"""`reformsim check`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reformsim.cli.common import AsJson, Chinese, app, fail_file

if TYPE_CHECKING:
    from pydantic import BaseModel

    from reformsim.config import Document, Fault

#: What a file is called in Chinese.
_KINDS_ZH = {
    "experiment": "实验文件",
    "governance file": "治理文件",
    "backfire file": "措施利弊文件",
    "mapping": "列对照文件",
    "scenario": "方案文件",
    "city": "城市文件",
}


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A YAML file.")],
    as_json: AsJson = False,
    zh: Chinese = False,
) -> None:
    """Check a scenario, an experiment, a city, a governance, a backfire or a mapping file."""
    from reformsim.city.config import CityConfig
    from reformsim.config import ConfigError, load_yaml, resolve, validate
    from reformsim.scenario import Scenario, check_memory

    kind = ""
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
        if as_json:
            typer.echo(_told(file, kind or None, error.args))
            raise typer.Exit(2) from None
        raise fail_file(error, zh) from None
    if as_json:
        typer.echo(_told(file, kind, ()))
    else:
        typer.echo(f"{file}：有效的{_KINDS_ZH[kind]}" if zh else f"{file}: a valid {kind}")


def _told(file: Path, kind: str | None, faults: "Sequence[Fault]") -> str:
    """Return what was found as JSON; ``kind`` is None where the file could not be read."""
    rows = [asdict(x.spot) | {"field": x.field, "message": x.message} for x in faults]
    found = {"file": str(file), "kind": kind, "valid": not rows, "faults": rows}
    return json.dumps(found, ensure_ascii=False, indent=2)


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

    if "columns" in keys:
        from reformsim.observed.mapping import Mapping

        return "mapping", Mapping

    def shared(model: "type[BaseModel]") -> int:
        return len(keys & model.model_fields.keys() - {"name", "name_zh"})

    kinds: dict[str, type[BaseModel]] = {"scenario": Scenario, "city": CityConfig}
    best = max(kinds, key=lambda kind: shared(kinds[kind]))
    if not shared(kinds[best]):
        message = "no key of a scenario, an experiment, a city or a governance file"
        raise ConfigError(document.fault((), message))
    return best, kinds[best]
