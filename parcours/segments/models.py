"""Segments: contacts who meet criteria. Who is a member is kept in the event store; here is the rest."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parcours.accounts.models import Account
from parcours.lib import clock
from parcours.lib.instants import InstantField

LATE_AFTER = timedelta(hours=1)
TICK = timedelta(milliseconds=1)


class Segment(models.Model):
    """A set of contacts defined by criteria.

    Its figures and the list of its members hold at one watermark (`figures_at`, `figures_load`), so that the length
    of the list is the figure. A change of membership goes through the journal; until the digest has passed it
    (`settling_row`), the former figures stand.
    """

    class Status(models.TextChoices):
        COMPUTING = "computing", _("Computing")
        LATE = "late", _("Late")
        UP_TO_DATE = "up_to_date", _("Up to date")
        PAUSED = "paused", _("Paused")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="segments")
    name = models.CharField(max_length=200)
    criteria = models.JSONField()
    mentions = models.JSONField(
        default=dict, help_text="What can move a contact: {events: [names], profile: bool}."
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.COMPUTING)
    profiles = models.BigIntegerField(default=0)
    email_opt_ins = models.BigIntegerField(default=0)
    sms_opt_ins = models.BigIntegerField(default=0)
    figures_at = InstantField(null=True, blank=True)
    figures_load = models.BigIntegerField(default=0)
    computed_at = InstantField(
        null=True, blank=True, help_text="The instant at which the last computation holds."
    )
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    next_at = InstantField(null=True, blank=True, help_text="When it is due for a computation in full.")
    settling_row = models.BigIntegerField(
        null=True, help_text="The journal's row that the digest has to pass."
    )
    settling_at = InstantField(null=True)
    retry_at = models.BigIntegerField(
        default=0, help_text="Machine milliseconds; after a computation that failed."
    )
    error = models.TextField(blank=True)
    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="segment_due", condition=~Q(status="paused")),
            models.Index(fields=["account"], name="segment_settling", condition=Q(settling_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    def state(self, now: datetime) -> str:
        """The status as it is told at an instant: late when it has been due for more than an hour."""
        if self.status != self.Status.PAUSED and self.next_at is not None and now - self.next_at > LATE_AFTER:
            return str(self.Status.LATE)
        return str(self.status)


class Stirred(models.Model):
    """Contacts that a load may have moved in or out of segments, until they are looked at again.

    `groups` is a list of [[segment ids], [contact ids]].
    """

    account_id = models.BigIntegerField(db_index=True)
    load_id = models.BigIntegerField()
    groups = models.JSONField()


class Upkeep(models.Model):
    """Who works on an account's segments now: one worker at a time."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.BigIntegerField(default=0, help_text="Machine milliseconds.")
    fence = models.BigIntegerField(default=0)
