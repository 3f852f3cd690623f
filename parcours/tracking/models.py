"""Who is behind a browser, and which sites carry the tracker."""

from __future__ import annotations

from django.db import models

from parcours.lib import clock
from parcours.lib.instants import InstantField


class Site(models.Model):
    """A host whose pages carry the account's tracker."""

    account_id = models.BigIntegerField()
    host = models.CharField(max_length=255, help_text="With its port, when the address names one.")
    seen_at = InstantField(help_text="When a page of it was last received, to the day.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account_id", "host"], name="site_once")]


class VisitorLink(models.Model):
    """A visitor tied to a contact, for good.

    A visitor is a browser (the hash of its anonymous id) and a generation: a second known contact on the same
    browser starts the next generation. `visitor` is its id in the event store; that of generation 0 is the
    browser's own hash.
    """

    account_id = models.BigIntegerField()
    browser = models.CharField(max_length=32, help_text="Hash of the account and the anonymous id, in hex.")
    generation = models.PositiveIntegerField(default=0)
    visitor = models.UUIDField()
    contact_id = models.BigIntegerField(db_index=True)
    linked_at = InstantField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account_id", "browser", "generation"], name="visitor_once"),
        ]
