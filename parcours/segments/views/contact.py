"""A part of a contact's page: the segments in which they are."""

from __future__ import annotations

from clickhouse_connect.driver.exceptions import Error as StoreError
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from parcours.accounts.access import PageRequest, find, page
from parcours.contacts.models import Contact
from parcours.contacts.queries import living
from parcours.segments import audience


@require_GET
@page
def of_contact(request: PageRequest, contact_id: str) -> HttpResponse:
    """The segments of a contact, with the date of entry into each."""
    account_id = request.actor.account_id
    contact = find(Contact, contact_id, actor=request.actor, rows=living(account_id))
    try:
        found = audience.of_contact(account_id, contact.pk)
    except (StoreError, OSError):
        found = None
    return render(request, "segments/of_contact.html", {"found": found})
