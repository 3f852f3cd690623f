"""The journal: batches of what happened, in the state database, on their way to the event store."""

from __future__ import annotations

from django.db import models

from parcours.lib import clock
from parcours.lib.instants import InstantField


class JournalRow(models.Model):
    """One batch of entries, appended in the transaction of the change that they tell of.

    `body` is compressed MessagePack; `events/journal.py` alone reads and writes it. A row is deleted in the
    transaction that composes its load.
    """

    account_id = models.BigIntegerField()
    shard = models.PositiveSmallIntegerField(default=0)
    count = models.PositiveIntegerField()
    created_at = InstantField(default=clock.now)
    body = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["shard", "id"], name="journal_order"),
            models.Index(fields=["account_id", "id", "created_at"], name="journal_pending"),
        ]


class Load(models.Model):
    """What goes into the event store together, under its own id as deduplication token; never recomposed.

    composed: the verdicts and rows are committed here; stored: the store has them; done: those who wait were
    told. Only the rows of loads that are done count in any answer.
    """

    class Status(models.TextChoices):
        COMPOSED = "composed"
        STORED = "stored"
        DONE = "done"

    account_id = models.BigIntegerField()
    shard = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.COMPOSED)
    count = models.PositiveIntegerField(default=0)
    dropped = models.JSONField(default=dict, help_text="Reason -> how many.")
    accepted_from = InstantField(null=True, help_text="When the oldest of its journal rows was written.")
    accepted_upto = InstantField(
        help_text="Everything accepted until this instant is in this load or an earlier one."
    )
    body = models.BinaryField(null=True, help_text="The rows for each table; emptied once done.")
    created_at = InstantField(default=clock.now)
    done_at = InstantField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account_id", "accepted_upto"], name="load_watermark"),
            models.Index(fields=["shard", "id"], name="load_open", condition=~models.Q(status="done")),
        ]


class Shard(models.Model):
    """Who digests one shard of accounts now, and how far the collector's own journal file was read."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    collector_upto = models.BigIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.BigIntegerField(default=0, help_text="Machine milliseconds.")
    fence = models.BigIntegerField(default=0)


class SeenMessage(models.Model):
    """A sender's message id already taken, as a hash: the same id counts once.

    On SQLite the table is made WITHOUT ROWID: an insert then touches one tree at a random place instead of two.
    """

    pk = models.CompositePrimaryKey("account_id", "hash")
    account_id = models.BigIntegerField()
    hash = models.BinaryField(max_length=16)
    received_at = InstantField()
    forever = models.BooleanField(default=False, help_text="Imported history is remembered for ever.")


class ObjectName(models.Model):
    """The last name seen of an id of another system: a campaign, a form, a document…"""

    account_id = models.BigIntegerField()
    kind = models.CharField(max_length=30)
    object_id = models.CharField(max_length=255)
    name = models.CharField(max_length=500)
    type = models.CharField(max_length=100, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    updated_at = InstantField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account_id", "kind", "object_id"], name="object_once")
        ]
