"""Segments: contacts who meet criteria. Who is a member is kept in the event store; here is the rest."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from parcours.accounts.models import Account
from parcours.lib import clock
from parcours.lib.instants import InstantField


class Segment(models.Model):
    """A set of contacts defined by criteria, with the figures of its last computation."""

    class Status(models.TextChoices):
        COMPUTING = "computing", _("Computing")
        LATE = "late", _("Late")
        UP_TO_DATE = "up_to_date", _("Up to date")
        PAUSED = "paused", _("Paused")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="segments")
    name = models.CharField(max_length=200)
    criteria = models.JSONField()
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.COMPUTING)
    profiles = models.BigIntegerField(default=0)
    email_opt_ins = models.BigIntegerField(default=0)
    sms_opt_ins = models.BigIntegerField(default=0)
    computed_at = InstantField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    next_at = InstantField(null=True, blank=True)
    error = models.TextField(blank=True)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.BigIntegerField(default=0, help_text="Machine milliseconds.")
    fence = models.BigIntegerField(default=0)
    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)

    def __str__(self) -> str:
        return self.name
