"""`parcours import`: a file of contacts, events, orders…, through the running server if there is one, else directly."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import urllib3

from parcours.accounts import actions, jobs
from parcours.accounts.access import ADMIN, as_id
from parcours.accounts.models import Account, Job
from parcours.commerce.importing import actions as commerce
from parcours.commerce.importing.kinds import KINDS
from parcours.config import serving
from parcours.contacts.importing import actions as contacts
from parcours.events import watermark
from parcours.events.store.client import ensure_store
from parcours.lib.problems import Problem
from parcours.tracking import importing as events
from parcours.tracking import work as digest

_CHUNK = 1 << 20
_IDLE_SECONDS = 0.05
_ENDED = ("finished", "failed")


def account_named(name: str | None) -> Account:
    """The account of this name, else of this id; without a name, the installation's only one. Raises ClickException."""
    found = Account.objects.all()
    if name is not None:
        named = found.filter(name=name)
        found = named if named.exists() else found.filter(pk=as_id(name) or 0)
    accounts = list(found.order_by("pk")[:20])
    if len(accounts) == 1:
        return accounts[0]
    if not accounts:
        raise click.ClickException(f"There is no account {name!r}." if name else "There is no account yet.")
    listed = ", ".join(f"{account.pk} ({account.name})" for account in accounts)
    raise click.ClickException(f"Say which account, by its id: --account ID, among {listed}.")


def run(kind: str, file: Path, *, account: Account, options: dict[str, str]) -> dict[str, Any]:
    """Import a file and wait until all of it is digested; answers the job. Raises ClickException when refused."""
    server = serving.running()
    if server:
        return _through(server, kind, file, account=account, options=options)
    return _directly(kind, file, account=account, options=options)


def _through(
    server: str, kind: str, file: Path, *, account: Account, options: dict[str, str]
) -> dict[str, Any]:
    """By the API, as any program would, with a key for the time of the import."""
    key, secret = actions.create_key(
        account=account, name=f"parcours import {file.name}"[:200], scopes=[ADMIN]
    )
    http = urllib3.PoolManager(retries=False, headers={"Authorization": f"Bearer {secret}"})
    address = f"{server}/api/v1/" + ("events" if kind == "events" else f"{kind}/import")
    try:
        with file.open("rb") as content:
            answer = http.request(
                "POST",
                f"{address}?{urlencode(options)}",
                body=content,
                headers={**http.headers, "Content-Type": _content_type(file)},
                timeout=urllib3.Timeout(connect=5, read=None),
            )
        told = _told(answer)
        while told["status"] not in _ENDED:
            told = _told(http.request("GET", f"{server}/api/v1/jobs/{told['job']}?wait=true", timeout=None))
        return _told(http.request("GET", f"{server}/api/v1/jobs/{told['job']}?wait=true", timeout=None))
    except urllib3.exceptions.HTTPError as error:
        raise click.ClickException(f"The server at {server} does not answer: {error}") from error
    finally:
        actions.revoke_key(key)


def _content_type(file: Path) -> str:
    csv = file.name.removesuffix(".gz").endswith(".csv")
    return "text/csv" if csv else "application/x-ndjson"


def _told(answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    """The job in an answer. Raises ClickException with the problem otherwise."""
    document: dict[str, Any] = json.loads(answer.data)
    if answer.status >= 400:
        faults = "".join(f"\n  {each['pointer']}: {each['detail']}" for each in document.get("errors", ()))
        raise click.ClickException(document.get("detail", "") + faults)
    return document


def _directly(kind: str, file: Path, *, account: Account, options: dict[str, str]) -> dict[str, Any]:
    """In this process, with the event store started for the time of it; nothing else of the installation works."""
    with ensure_store():
        try:
            with file.open("rb") as content:
                chunks = iter(lambda: content.read(_CHUNK), b"")
                if kind == "contacts":
                    job = contacts.start(
                        account,
                        chunks,
                        options=contacts.options_of(options),
                        content_type=_content_type(file),
                        filename=file.name,
                    )
                elif kind in KINDS:
                    job = commerce.start(
                        KINDS[kind],
                        account,
                        chunks,
                        history="history" in options,
                        content_type=_content_type(file),
                        filename=file.name,
                    )
                else:
                    job = events.start(account, chunks, history="history" in options, filename=file.name)
        except Problem as problem:
            raise click.ClickException(problem.detail) from problem
        while job.status not in (Job.Status.FINISHED, Job.Status.FAILED):
            if not jobs.round():
                time.sleep(_IDLE_SECONDS)
            job.refresh_from_db()
        while not watermark.digested(account.pk):
            if not digest.round():
                time.sleep(_IDLE_SECONDS)
    return jobs.as_json(job)
