"""The `parcours` command: each sub-command loads only what it needs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

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
    from parcours.config.serving import refuse_taken_port

    refuse_taken_port(host, port)
    startup.follow_address(host, port)
    startup.setup_django()
    supervisor.run(host=host, port=port)


@main.command(help="Everything, with a demonstration account, its customers, a shop, and a mailbox.")
@_host_port
def demo(host: str, port: int) -> None:
    from parcours.config import startup, supervisor
    from parcours.config.serving import refuse_taken_port
    from parcours.demo import run as demonstration

    refuse_taken_port(host, port)
    state = demonstration.prepare(host=host, port=port)
    startup.setup_django()
    startup.migrate()
    startup.start_clock()
    demonstration.ensure_account(state)
    url = f"http://{host}:{port}"
    demonstration.announce_later(state, url=url)
    supervisor.run(host=host, port=port, besides=demonstration.parts(state, url=url))


@main.group("demo-part", hidden=True, help="The processes of the demonstration.")
def demo_part() -> None:
    from parcours.config import startup

    startup.setup_django()


@demo_part.command("sink")
@click.argument("port", type=int)
def demo_sink(port: int) -> None:
    from parcours.demo.audience import bounces
    from parcours.messaging import sink

    sink.serve(port=port, refuses=bounces)


@demo_part.command("life")
@click.argument("url")
def demo_life(url: str) -> None:
    from django.conf import settings

    from parcours.demo.life import live
    from parcours.demo.state import State

    live(State(settings.DATA_DIR), url=url)


@main.command(help="The pages, the API and the collector.")
@_host_port
def web(host: str, port: int) -> None:
    from parcours.config import startup
    from parcours.config.serving import serve

    startup.follow_address(host, port)
    startup.setup_django()
    startup.start_clock()
    serve("parcours.config.asgi:application", host=host, port=port)


@main.command(help="The collector alone, for machines that only take calls.")
@_host_port
def collect(host: str, port: int) -> None:
    from parcours.config import startup
    from parcours.config.serving import serve

    startup.follow_address(host, port)
    startup.setup_django()
    startup.start_clock()
    serve("parcours.config.asgi:collector_application", host=host, port=port, with_api=False)


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


@main.command(
    context_settings={"ignore_unknown_options": True},
    help="Measure this machine; from a checkout of the sources only. Named benchmarks alone are printed.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    import subprocess

    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / "benchmarks" / "__main__.py").exists():
        raise click.ClickException(
            "The benchmarks are not part of the installed package: run `parcours bench` from a checkout of the sources."
        )
    sys.exit(subprocess.call([sys.executable, "-m", "benchmarks", *arguments], cwd=checkout))  # noqa: S603


@main.group(help="The accounts of the installation.")
def account() -> None:
    pass


@account.command("create", help="Make an account and its owner; prints JSON: account, api_key, write_key.")
@click.argument("name")
@click.option("--email", required=True, help="With what the owner signs in.")
@click.option("--password", required=True, prompt=True, hide_input=True)
@click.option("--timezone", default="UTC", show_default=True)
@click.option("--currency", default="EUR", show_default=True)
@click.option(
    "--country", default="FR", show_default=True, help="Phone numbers without a prefix are read as its."
)
@click.option("--language", type=click.Choice(["fr", "en"]), help="The owner's; the browser's unless given.")
def create_account(**values: str | None) -> None:
    from parcours.config import startup

    startup.setup_django()
    startup.migrate()
    startup.start_clock()
    from parcours.accounts.actions import create_account as create
    from parcours.lib.problems import Invalid

    values["language"] = values["language"] or ""
    try:
        new = create(**values, any_password=True)  # type: ignore[arg-type]
    except Invalid as problem:
        faults = "\n".join(f"  {fault['pointer'].lstrip('/')}: {fault['detail']}" for fault in problem.errors)
        raise click.ClickException(f"{problem.detail}\n{faults}") from problem
    keys = {"account": str(new.account.pk), "api_key": new.api_key, "write_key": new.write_key}
    click.echo(json.dumps(keys))


@account.command(
    "plan", help="Give an account (its name or id) the plan full or free; prints JSON: account, plan."
)
@click.argument("name")
@click.argument("plan", type=click.Choice(["full", "free"]))
def set_plan(name: str, plan: str) -> None:
    from parcours.config import startup

    startup.setup_django()
    startup.migrate()
    from parcours.config import importing

    found = importing.account_named(name)
    found.plan = plan
    found.save(update_fields=["plan"])
    click.echo(json.dumps({"account": str(found.pk), "plan": plan}))


@main.command(
    "import",
    help="Import a file of contacts, orders, deals or products (CSV, NDJSON) or events (NDJSON); prints the job.",
)
@click.argument("kind", type=click.Choice(["contacts", "events", "orders", "deals", "products"]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--account", "account_name", help="The account's name or id; not needed when there is only one."
)
@click.option("--list", help="Contacts: ids of lists, separated by commas, that everyone joins.")
@click.option("--consent-email", help="Contacts: everyone's consent where the file gives none.")
@click.option("--consent-sms", help="The same for SMS.")
@click.option("--consent-whatsapp", help="The same for WhatsApp.")
@click.option("--source", help="Contacts: where the consents come from.")
@click.option("--proof", help="Contacts: how the consents can be proved.")
@click.option("--tag", help="Contacts: tags, separated by commas, that everyone bears.")
@click.option(
    "--key", help="Contacts: the one field that tells who is meant (email, phone, external_id, id)."
)
@click.option("--mapping", help="Contacts: JSON, header -> field; see docs/imports.md.")
@click.option("--decimal", help="Contacts: how numbers are written, point or comma.")
@click.option("--dates", help="Contacts: how dates are written, iso, dmy or mdy.")
@click.option("--encoding", help="Contacts: the file's encoding; found out unless given.")
@click.option("--mend", is_flag=True, help="Contacts: read lines that are not UTF-8 as Windows-1252.")
@click.option("--resubscribe", is_flag=True, help="Contacts: let consents end an opt-out; needs --source.")
@click.option("--history", is_flag=True, help="Events, orders, deals: past ones, which start no journey.")
def import_file(kind: str, file: Path, account_name: str | None, **options: str | bool | None) -> None:
    from parcours.config import startup

    startup.setup_django()
    startup.migrate()
    startup.start_clock()
    from django.core.serializers.json import DjangoJSONEncoder

    from parcours.config import importing

    given = {name: "true" if value is True else str(value) for name, value in options.items() if value}
    job = importing.run(kind, file, account=importing.account_named(account_name), options=given)
    click.echo(json.dumps(job, cls=DjangoJSONEncoder, ensure_ascii=False))
    if job["status"] != "finished":
        sys.exit(1)


@main.command(help="Look whether the installation is set up as it should be; exits with 1 when it is not.")
def check() -> None:
    from parcours.config import startup

    startup.setup_django()
    from parcours.config.check import BAD, findings

    marks = {"good": "ok  ", "note": "note", "bad": "BAD "}
    bad = False
    for finding in findings():
        bad = bad or finding.state == BAD
        click.echo(f"{marks[finding.state]}  {finding.subject}: {finding.detail}")
    sys.exit(1 if bad else 0)


@main.command(
    help="Compute every figure in a second way and report differences; exits with 1 when there are some."
)
@click.option("--account", "account_name", help="The account's name or id; all accounts unless given.")
@click.option(
    "--wait", default=60.0, show_default=True, help="Seconds for what was accepted to come into the figures."
)
def verify(account_name: str | None, wait: float) -> None:
    from parcours.config import startup

    startup.setup_django()
    startup.start_clock()
    from parcours.accounts.models import Account
    from parcours.config import importing, verifying

    accounts = (
        [importing.account_named(account_name)] if account_name else list(Account.objects.order_by("pk"))
    )
    found = verifying.run(accounts, seconds=wait, say=lambda line: click.echo(line, err=True))
    click.echo(json.dumps(found))
    sys.exit(1 if found["differences"] else 0)


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
