"""Who is behind a browser."""

from __future__ import annotations

from django.db import models

from parcours.lib import clock
from parcours.lib.instants import InstantField


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
