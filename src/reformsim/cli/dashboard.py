"""`reformsim dashboard`: the live page."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from reformsim.cli.common import app, fail, told

HOST = "127.0.0.1"


@app.command()
def dashboard(
    directory: Annotated[
        Path, typer.Argument(help="Folder of results directories, or one of them.")
    ] = Path("results"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8017,
    city: Annotated[list[Path] | None, typer.Option(help="A city file of your own.")] = None,
    browse: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the live page on this machine: build a bundle, run it, watch it, compare, save.

    It needs no network and sends nothing. Ctrl-C ends it; what was run is kept.
    """
    try:
        import uvicorn

        from reformsim.dashboard.server import Dashboard
    except ModuleNotFoundError as error:
        if error.name not in ("uvicorn", "starlette"):
            raise
        raise fail(
            ["the live page needs the optional extra: pip install 'reformsim[dashboard]'"]
        ) from None
    from reformsim.dashboard.catalogue import Catalogue

    folder = directory.parent if (directory / "manifest.json").exists() else directory
    with told():
        catalogue = Catalogue.load(folder, city or [])
    config = uvicorn.Config(
        Dashboard(catalogue).app(),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError as error:
            raise fail([f"port {port} cannot be had ({error.strerror}): try --port 0"]) from None
        address = f"http://{HOST}:{listening.getsockname()[1]}/"
        typer.echo(f"{address} (Ctrl-C ends it)")
        if browse:
            typer.launch(address)
        uvicorn.Server(config).run(sockets=[listening])
