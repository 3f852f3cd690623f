"""The `parcours` command: each sub-command loads only what it needs."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from parcours import __version__
from parcours.config.logs import configure_logs


@click.group(help="Parcours: self-hosted customer-journey software.")
@click.version_option(__version__)
def main() -> None:
    configure_logs()


def _host_port(function: Callable[..., None]) -> Callable[..., None]:
    function = click.option("--port", default=8000, show_default=True, type=int)(function)
    return click.option("--host", default="127.0.0.1", show_default=True)(function)


@main.command(help="Everything on one machine: supervises web, work and store.")
@_host_port
def run(host: str, port: int) -> None:
    from parcours.config import startup, supervisor

    startup.setup_django()
    supervisor.run(host=host, port=port)


@main.command(help="The pages, the API and the collector.")
@_host_port
def web(host: str, port: int) -> None:
    import uvicorn

    from parcours.config import startup

    startup.setup_django()
    startup.start_clock()
    uvicorn.run(
        "parcours.config.asgi:application",
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
    )


@main.command(help="The collector alone, for machines that only take calls.")
@_host_port
def collect(host: str, port: int) -> None:
    import uvicorn

    from parcours.config import startup

    startup.setup_django()
    startup.start_clock()
    uvicorn.run(
        "parcours.config.asgi:collector_application",
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
    )


@main.command(help="The digest, the engine, segments, sending and jobs.")
def work() -> None:
    from parcours.config import startup, worker

    startup.setup_django()
    startup.start_clock()
    worker.run()


@main.command(help="The embedded event store, on loopback.")
def store() -> None:
    from parcours.config import startup
    from parcours.events.store.server import serve

    startup.setup_django()
    serve()


@main.command(help="Bring the databases' schemas up to date.")
def migrate() -> None:
    from parcours.config import startup

    startup.setup_django()
    startup.migrate()


@main.command(context_settings={"ignore_unknown_options": True}, hidden=True)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Django's own commands (`makemigrations`…), for developers."""
    from django.core.management import execute_from_command_line

    from parcours.config import startup

    startup.setup_django()
    execute_from_command_line([sys.argv[0], *arguments])
