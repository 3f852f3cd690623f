"""The HTTP server of `parcours web` and `parcours collect`."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import click
import urllib3
import uvicorn
from django.conf import settings

from parcours.lib import leases

_LAST_ANSWERS_SECONDS = 5


def serve(application: str, *, host: str, port: int, with_api: bool = True) -> None:
    """Answer until told to end; requests under way get a few seconds more."""
    if with_api:
        _write_address(host, port)
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


def _address_file() -> Path:
    return Path(settings.DATA_DIR) / "run" / "web.json"


def _write_address(host: str, port: int) -> None:
    """Let this machine's commands find the server."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - not bound here
    reached = everywhere.get(host, host)
    reached = f"[{reached}]" if ":" in reached else reached
    path = _address_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {
        "url": f"http://{reached}:{port}",
        "pid": os.getpid(),
        "start": leases.process_start(os.getpid()),
    }
    mine = path.with_name(f"web.json.{os.getpid()}")
    mine.write_text(json.dumps(known))
    mine.replace(path)


def running() -> str:
    """The address of the server of this data directory when it runs on this machine and answers; else empty."""
    try:
        known = json.loads(_address_file().read_text())
    except (OSError, ValueError):
        return ""
    if leases.process_start(known["pid"]) != known["start"]:
        return ""
    try:
        answer = urllib3.request("GET", f"{known['url']}/healthz", timeout=10, retries=False)
    except urllib3.exceptions.HTTPError:
        return ""
    return str(known["url"]) if answer.status == 200 else ""


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
