"""What is kept of merges: who is whom now, the keys that still find them, and what undoing puts back."""

from __future__ import annotations

from django.db import models

from parcours.accounts.models import Account
from parcours.contacts.models import Contact
from parcours.lib import clock
from parcours.lib.instants import InstantField


class Merged(models.Model):
    """A contact that is another one now. `into` is never one merged away itself: whoever asks needs one look."""

    contact = models.OneToOneField(Contact, primary_key=True, on_delete=models.CASCADE, related_name="+")
    account_id = models.BigIntegerField()
    into = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["account_id", "contact"], name="merged_of_account")]


class Merge(models.Model):
    """One contact merged into another, when and by whom; `kept` is emptied once it is undone or the person erased."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    into = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="merges")
    merged = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="merged_away")
    source = models.CharField(max_length=50, help_text="api, page, duplicates.")
    user_id = models.BigIntegerField(null=True)
    at = InstantField(default=clock.now)
    undone_at = InstantField(null=True)
    kept = models.JSONField(
        default=dict, help_text="What undoing puts back: the merged contact, the other's changes, rows moved."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=models.Q(undone_at__isnull=True), name="merged_once"
            )
        ]
        indexes = [models.Index(fields=["into", "-id"], name="merge_history")]


class Alias(models.Model):
    """A key that a merge took out of use: it finds the contact still. `origin` is whose it was."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, help_text="email, phone, external_id.")
    value = models.CharField(max_length=320)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="aliases")
    origin = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    merge = models.ForeignKey(Merge, on_delete=models.CASCADE, related_name="aliases")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "kind", "value"], name="alias_once")]


class Pair(models.Model):
    """Two contacts who may be one person: how sure that is, why, and whether somebody said that they are not."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    one = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField(help_text="0 to 100.")
    reasons = models.JSONField(help_text="Codes, the strongest first.")
    found_at = InstantField()
    dismissed_at = InstantField(null=True)
    dismissed_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="pair_once"),
            models.CheckConstraint(condition=models.Q(one__lt=models.F("other")), name="pair_in_order"),
        ]
        indexes = [
            models.Index(
                fields=["account", "-score", "-id"],
                name="pair_surest",
                condition=models.Q(dismissed_at__isnull=True),
            )
        ]


class Forgetting(models.Model):
    """People whose erasure the event store has still to follow: their texts go once all they did is in it.

    `row` and `collector` are the places in the journals until which something of them may be under way.
    """

    account_id = models.BigIntegerField()
    contacts = models.JSONField(help_text="The erased contact, and those merged into it.")
    words = models.TextField(
        blank=True, help_text="Sealed: their keys and names, looked for in what they did."
    )
    keys = models.TextField(blank=True, help_text="Sealed: their keys, looked for in the texts of refusals.")
    at = InstantField()
    row = models.BigIntegerField(default=0)
    collector = models.BigIntegerField(default=0)
    done_at = InstantField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="forgetting_due", condition=models.Q(done_at__isnull=True))
        ]


class ErasedKey(models.Model):
    """A key that somebody had until their erasure, as a keyed hash: what was accepted until `at` under it is theirs.

    It goes once all that was accepted until then is digested.
    """

    account_id = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    contact_id = models.BigIntegerField()
    at = InstantField(help_text="When the person was erased.")
    forgetting = models.ForeignKey(Forgetting, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["account_id", "hash", "at"], name="erased_key")]
