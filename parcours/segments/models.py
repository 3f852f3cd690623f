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


class SegmentFolder(models.Model):
    """A place where an account keeps segments together, by its name."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="segment_folders")
    name = models.CharField(max_length=200)
    created_at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="segment_folder_name")]

    def __str__(self) -> str:
        return self.name


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

    class Error(models.TextChoices):
        CRITERIA = "criteria"
        FAILURE = "failure"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="segments")
    name = models.CharField(max_length=200)
    folder = models.ForeignKey(
        SegmentFolder, null=True, blank=True, on_delete=models.SET_NULL, related_name="segments"
    )
    criteria = models.JSONField()
    mentions = models.JSONField(
        default=dict,
        help_text="What can move a contact: {events: [names], profile: bool, windows: [[name, ms]], ask: bool}.",
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
    progress = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Of a computation under way, 0 to 100; null when there is none."
    )
    late_reason = models.TextField(
        blank=True, help_text="What the worker knows of why it is not computed: digest, queue, failure."
    )
    flips_until = InstantField(
        null=True, blank=True, help_text="Until when it is known who can flip by time alone (`Flips`)."
    )
    settling_first = models.BigIntegerField(null=True, help_text="The first row told of the journal.")
    settling_row = models.BigIntegerField(
        null=True, help_text="The journal's row that the digest has to pass."
    )
    settling_at = InstantField(null=True)
    retry_at = models.BigIntegerField(
        default=0, help_text="Machine milliseconds; after a computation that failed."
    )
    error = models.CharField(max_length=10, blank=True, choices=Error)
    error_detail = models.TextField(blank=True, help_text="What the machine said of a failure.")
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


class SegmentSize(models.Model):
    """How many contacts a segment had: the last word of each hour in which its figures changed."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes", db_index=False)
    slot = models.PositiveIntegerField(help_text="The hour, counted from 1970 UTC.")
    at = InstantField()
    profiles = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "slot"], name="segment_size_slot")]


class Stirred(models.Model):
    """Contacts that a load may have moved in or out of segments, until they are looked at again.

    `groups` is a list of [[segment ids], [contact ids]]; `flips` one of [segment id, [instants in ms], [contact ids]],
    the instants at which the load's events can move their contacts by time alone.
    """

    account_id = models.BigIntegerField(db_index=True)
    load_id = models.BigIntegerField()
    groups = models.JSONField()
    flips = models.JSONField(default=list)
    linked = models.JSONField(default=list, help_text="Contacts whose past is another than it was.")
    ready_at = InstantField(
        null=True, help_text="The latest instant of what it tells: looked at from then on."
    )
    consents = models.BooleanField(default=False, help_text="Whether consents changed, which figures count.")


class Flips(models.Model):
    """Instants at which contacts can enter or leave a segment by the mere passing of time, in their order.

    `body` is MessagePack: [instants in ms], [contact ids]. Every such instant until `Segment.flips_until` is in a row.
    """

    account_id = models.BigIntegerField()
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    due_at = InstantField(help_text="The first of them.")
    body = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["due_at", "account_id"], name="segment_flips_timer")]


class Upkeep(models.Model):
    """Who works on an account's segments now (one worker at a time), and when it computes them in full."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.BigIntegerField(default=0, help_text="Machine milliseconds.")
    fence = models.BigIntegerField(default=0)
    consents_load = models.BigIntegerField(default=0, help_text="The last load that changed consents.")
    figured_load = models.BigIntegerField(
        default=0, help_text="Until which such load all figures count them."
    )
    night_hour = models.PositiveSmallIntegerField(
        default=3, help_text="The hour, in the account's zone, of the computation in full."
    )
