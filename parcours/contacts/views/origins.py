"""Where consents come from, as people know it: the import, the action in bulk, the message, and who answers for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from parcours.accounts.models import Job, User
from parcours.contacts import bulk, naming
from parcours.contacts.importing.models import Import
from parcours.contacts.models import ConsentChange
from parcours.contacts.views.words import source_of
from parcours.ui import formats

_LONGEST = 500


@dataclass
class Origin:
    """Where one change comes from, and what is known beside: texts, or links, each under its label."""

    said: str
    facts: list[tuple[str, str]] = field(default_factory=list)


def origins(account_id: int, changes: Sequence[ConsentChange]) -> list[Origin]:
    """The origin of each of some changes of an account, in a query for each kind of thing that they name."""
    jobs = _jobs(account_id, _told(changes, "job"))
    users = _users(account_id, _told(changes, "user"))
    messages = naming.named(account_id, (("message", each) for each in _told(changes, "message")))
    return [_origin(change, jobs, users, messages) for change in changes]


def _origin(
    change: ConsentChange,
    jobs: dict[str, str],
    users: dict[str, str],
    messages: dict[tuple[str, str], naming.Named],
) -> Origin:
    proof = {name: str(value)[:_LONGEST] for name, value in change.proof.items() if value}
    origin, by_job = Origin(source_of(change.source)), jobs.get(proof.get("job", ""), "")
    if change.source == "import":
        origin.said = by_job or origin.said
    elif by_job:
        origin.facts.append(("", by_job))
    if "file" in proof and not by_job:
        origin.facts.append((_("file"), proof["file"]))
    if found := messages.get(("message", proof.get("message", ""))):
        origin.facts.append((_("message"), _link(found.url, found.name)))
    if "date" in proof:
        origin.facts.append((_("date of the consent"), formats.dated(proof["date"])))
    for name, label in (("proof", _("proof")), ("note", _("note"))):
        if name in proof:
            origin.facts.append((label, proof[name]))
    if who := users.get(proof.get("user", "")):
        origin.facts.append((_("user"), who))
    return origin


def _told(changes: Iterable[ConsentChange], name: str) -> set[str]:
    return {str(change.proof[name]) for change in changes if change.proof.get(name)}


def _numbers(ids: Iterable[str]) -> list[int]:
    return [int(each) for each in ids if each.isascii() and each.isdigit() and len(each) <= 18]


def _jobs(account_id: int, ids: set[str]) -> dict[str, str]:
    """What jobs are called, with links to their pages: imports by their file, actions in bulk by their day."""
    numbers = _numbers(ids)
    if not numbers:
        return {}
    called = {}
    for imported in Import.objects.filter(account_id=account_id, job_id__in=numbers):
        named = {"file": imported.filename, "date": formats.day(imported.created_at)}
        text = _("Import “%(file)s” of %(date)s") if imported.filename else _("Import of %(date)s")
        called[str(imported.job_id)] = _link(
            reverse("contacts:import_report", args=[imported.pk]), text % named
        )
    for job in Job.objects.filter(account_id=account_id, pk__in=numbers, kind=bulk.KIND):
        text = _("Action in bulk of %(date)s") % {"date": formats.day(job.created_at)}
        called[str(job.pk)] = _link(reverse("contacts:bulk_job", args=[job.pk]), text)
    return called


def _users(account_id: int, told: set[str]) -> dict[str, str]:
    """Who users are: a proof holds the address that they sign in by, or their id."""
    rows = User.objects.filter(memberships__account_id=account_id, pk__in=_numbers(told))
    return {each: each for each in told if not each.isdigit()} | {
        str(pk): email for pk, email in rows.values_list("pk", "email")
    }


def _link(url: str, text: str) -> str:
    return format_html('<a href="{}">{}</a>', url, text) if url else text
