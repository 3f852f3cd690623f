"""Imports, and what is kept of each for as long as it can be undone."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from parcours.accounts.models import Account, Job
from parcours.lib import clock
from parcours.lib.instants import InstantField


class Import(models.Model):
    """A file of contacts: sent, told how it is to be read, then imported by a job, and perhaps undone by another."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="imports")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    filename = models.CharField(max_length=200, blank=True)
    path = models.CharField(max_length=64, help_text="The name of the upload, until the import has ended.")
    bytes = models.BigIntegerField(default=0)
    setup = models.JSONField(
        default=dict, help_text="What was said so far of the file and of everyone in it."
    )
    job = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="contacts_import")
    undo = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="undone_import")
    created_at = InstantField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["account", "-id"], name="import_newest")]

    def __str__(self) -> str:
        return self.filename or str(self.pk)


class ImportPart(models.Model):
    """What one transaction of an import did: whom it created, and which lines it refused."""

    imported = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="parts", db_index=False)
    at = InstantField(help_text="The instant that its changes bear.")
    created = models.BinaryField(help_text="The ids of the contacts created, packed; emptied once undone.")
    refused = models.BinaryField(help_text="The lines refused: number, reason, the line itself, packed.")

    class Meta:
        indexes = [models.Index(fields=["imported", "id"], name="import_parts")]


class ImportChange(models.Model):
    """What an import changed of one contact whom it found: the values before and after, lists and tags added.

    It goes when the contact is erased, when the import is undone, or after thirty days.
    """

    imported = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="changes", db_index=False)
    contact_id = models.BigIntegerField()
    at = InstantField(help_text="The instant of the change.")
    body = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["imported", "id"], name="import_changes"),
            models.Index(fields=["contact_id"], name="import_change_of"),
        ]
