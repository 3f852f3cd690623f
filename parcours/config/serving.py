"""The HTTP server of `parcours web` and `parcours collect`."""

from __future__ import annotations

import socket

import click
import uvicorn

_LAST_ANSWERS_SECONDS = 5


def serve(application: str, *, host: str, port: int) -> None:
    """Answer until told to end; requests under way get a few seconds more."""
    uvicorn.run(
        application,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
    )


def refuse_taken_port(host: str, port: int) -> None:
    """Say at once that another program listens there, rather than start and die over and over."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"Cannot listen on {host}:{port} ({error.strerror}). Choose another with --port."
            raise click.ClickException(reason) from error
