"""Journeys, their versions, and where each contact stands in them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from parcours.accounts.models import Account
from parcours.lib import clock
from parcours.lib.instants import InstantField


class Journey(models.Model):
    """An automation: entry triggers and a graph of steps, published in versions."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        ARCHIVED = "archived", _("Archived")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="journeys")
    business_unit = models.ForeignKey(
        "accounts.BusinessUnit", null=True, blank=True, on_delete=models.SET_NULL
    )
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    draft = models.JSONField(
        null=True, help_text="The document being written; null when it is the published one."
    )
    version = models.PositiveIntegerField(
        default=0, help_text="The version that new runs enter; 0: none yet."
    )
    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)
    activated_at = InstantField(null=True, blank=True)
    paused_at = InstantField(null=True, blank=True)
    archived_at = InstantField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["account", "status"], name="journey_status")]

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """What a journey was when published; never changed."""

    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    published_at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["journey", "number"], name="version_number")]


class Enrolment(models.Model):
    """One run of a contact through a journey: where it stands, since when, and what it waits for.

    Every column is written by the engine alone, in bulk (`journeys/engine/`). `due_at` is the timer: null while
    nothing but an event can move the run, or once it has ended. What waits for an event is found by its contact.
    """

    class Status(models.TextChoices):
        ACTIVE = "active"
        COMPLETED = "completed"
        EXITED = "exited"
        FAILED = "failed"
        HOLDOUT = "holdout"

    account_id = models.BigIntegerField()
    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="enrolments", db_index=False)
    version = models.PositiveIntegerField()
    contact_id = models.BigIntegerField()
    run_key = models.CharField(
        max_length=255, default="", help_text="What tells a contact's runs apart; empty: nothing."
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    reason = models.CharField(max_length=20, blank=True, help_text="goal, exit, archived, removed, merged.")
    step = models.CharField(max_length=64)
    visit = models.PositiveIntegerField(default=0, help_text="The number of this passage among the run's.")
    entered_at = InstantField()
    origin_at = InstantField(help_text="When the entering event occurred: a first wait looks back to it.")
    step_at = InstantField(help_text="When the run entered its step.")
    due_at = InstantField(null=True)
    waiting = models.CharField(
        max_length=10, blank=True, help_text="timer, event; empty: it has just arrived."
    )
    cause_id = models.CharField(
        max_length=64, blank=True, help_text="The message id of the event that moved it last."
    )
    context = models.TextField(default="{}", help_text="JSON: the entering event, for templates.")
    once = models.BooleanField(
        null=True, help_text="True for journeys entered once in a life; else null, which repeats."
    )
    error = models.TextField(blank=True)
    ended_at = InstantField(null=True)
    entrant_id = models.BigIntegerField(
        null=True,
        help_text="Who entered, when that is a contact merged into this one since: its events bear it.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["journey", "contact_id", "once"], name="entered_once"),
            models.UniqueConstraint(
                fields=["journey", "contact_id", "run_key"],
                condition=models.Q(status__in=["active", "failed"]),
                name="one_run_at_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["journey", "due_at", "id"],
                name="enrolment_timer",
                condition=models.Q(status="active", due_at__isnull=False),
            ),
            models.Index(fields=["contact_id"], name="enrolment_live", condition=models.Q(status="active")),
            models.Index(
                fields=["entrant_id"],
                name="enrolment_entrant",
                condition=models.Q(entrant_id__isnull=False),
            ),
            models.Index(
                fields=["journey", "step"], name="enrolment_parked", condition=models.Q(status="failed")
            ),
        ]


class Inbox(models.Model):
    """Something that the engine has to take up, in the order of its instants.

    Written by the digest's fan-out and by actions; a cause enters a journey once, however often it is delivered.
    A paused journey's rows stay until it is resumed.
    """

    class Kind(models.TextChoices):
        """In the order in which they are taken at one instant."""

        EXIT = "a_exit", "what may let runs out: an event, or a change of the contact"
        WAIT = "b_wait", "what may end waits"
        ENTRY = "c_entry", "a contact who may enter"

    account_id = models.BigIntegerField()
    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="inbox", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    contact_id = models.BigIntegerField()
    at = InstantField(help_text="The instant of the cause.")
    origin_at = InstantField(help_text="When the event occurred.")
    cause_id = models.CharField(
        max_length=64, help_text="The message id of the event, or what the action made up."
    )
    run_key = models.CharField(max_length=255, default="", help_text="Of an entry: the key of its run.")
    event = models.TextField(default="", help_text="JSON: the event, as an entry of the journal.")
    error = models.TextField(
        blank=True, help_text="Why it could not be taken up: it waits to be tried again."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "contact_id", "kind", "cause_id"], name="cause_taken_once"
            ),
        ]
        indexes = [
            models.Index(fields=["journey", "at", "kind", "id"], name="inbox_order"),
            models.Index(fields=["contact_id"], name="inbox_contact"),
        ]


class Taken(models.Model):
    """A cause of entry that has been taken up: the same one delivered again is dropped."""

    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="taken", db_index=False)
    contact_id = models.BigIntegerField()
    cause_id = models.CharField(max_length=64)
    verdict = models.CharField(max_length=30, help_text="entered, or why not: the trace tells it.")
    at = InstantField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["journey", "contact_id", "cause_id"], name="taken_once")
        ]


class StepCount(models.Model):
    """Counters kept in the engine's transaction; they audit the figures read from the event store."""

    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="counts", db_index=False)
    version = models.PositiveIntegerField()
    step = models.CharField(
        max_length=80, help_text="A step, or *entered, *completed, *exited:REASON, *holdout."
    )
    passages = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["journey", "version", "step"], name="count_of_step")]


class Part(models.Model):
    """A share of a journey's contacts (by their id), worked on by one worker at a time.

    Whatever concerns one contact in one journey is thus done in one place and in order. The lease is in machine
    time; each claim writes a new fence, without which no commit passes.
    """

    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveSmallIntegerField()
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.BigIntegerField(default=0, help_text="Machine milliseconds.")
    fence = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["journey", "number"], name="part_once")]


class EngineWorker(models.Model):
    """A worker that runs the engine: how many there are says how many parts each may hold."""

    worker = models.CharField(max_length=120, primary_key=True)
    seen_at = models.BigIntegerField(help_text="Machine milliseconds.")
