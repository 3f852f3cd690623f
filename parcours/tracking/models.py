"""Who is behind a browser."""

from __future__ import annotations

from django.db import models

from parcours.lib import clock
from parcours.lib.instants import InstantField


class VisitorLink(models.Model):
    """A visitor tied to a contact, for good.

    A visitor is a browser's anonymous id and a generation: a second known contact on the same browser starts
    the next generation. `visitor` is the visitor's id in the event store, a UUID derived from both.
    """

    account_id = models.BigIntegerField()
    anonymous_hash = models.BinaryField(max_length=16)
    generation = models.PositiveIntegerField(default=0)
    visitor = models.UUIDField()
    contact_id = models.BigIntegerField(db_index=True)
    linked_at = InstantField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account_id", "anonymous_hash", "generation"], name="visitor_once"),
        ]
