"""What the commands share: the application, its options, how a mistake is told."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import reformsim

if TYPE_CHECKING:
    from rich.console import Console

    from reformsim.config import ConfigError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"reformsim {reformsim.__version__}")
        raise typer.Exit()


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Simulate a city-governance reform under stated assumptions."""


Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Results directory; results/NAME if not given."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; all cores if not given.")]
Executor = Annotated[
    str | None,
    typer.Option(help="inline, processes, or dask://host:port for a cluster that is there."),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Make failed runs again.")]
OtherCode = Annotated[
    bool, typer.Option("--other-code", help="Go on though the code has changed since.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Chinese = Annotated[bool, typer.Option("--zh", help="Print in Chinese.")]


def fail(lines: Sequence[str]) -> typer.Exit:
    """Print one error a line on stderr and return the exit of a user's mistake, code 2."""
    for line in lines:
        typer.echo(line, err=True)
    return typer.Exit(2)


def either(zh: bool, chinese: str, english: str) -> str:
    """Choose between two texts."""
    return chinese if zh else english


def not_drawn(name: str, reason: str, zh: bool) -> str:
    """Say why there is no such figure."""
    return either(zh, f"{name}：未绘制：{reason}", f"{name}: not drawn: {reason}")


def fail_file(error: "ConfigError", zh: bool) -> typer.Exit:
    """Print what is wrong with a user's file, one fault a line, and return the exit, code 2."""
    from reformsim.config import chinese

    return fail(chinese.lines(error) if zh else error.lines)


@contextmanager
def told(zh: bool = False) -> Iterator[None]:
    """Turn what may go wrong with an experiment into a message and an exit code.

    2: a mistake of the user, or a directory that cannot take it; 1: a worker died; 130: Ctrl-C.
    """
    from reformsim.config import ConfigError
    from reformsim.experiment.run import ExecutorError, Interrupted, WorkerDied
    from reformsim.experiment.store import StoreError

    try:
        yield
    except ConfigError as error:
        raise fail_file(error, zh) from None
    except (StoreError, ExecutorError) as error:
        raise fail([str(error)]) from None
    except WorkerDied as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    except Interrupted as error:
        typer.echo(error, err=True)
        raise typer.Exit(130) from None


def console() -> "Console":
    """Return where tables go: as wide as the terminal, 80 columns into a file or a pipe."""
    from rich.console import Console

    from reformsim.report import WIDTH

    return Console(width=None if sys.stdout.isatty() else WIDTH)
