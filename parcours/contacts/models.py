"""People: contacts, what is known of them, what they consented to, and the lists that they are on."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from parcours.accounts.models import Account, Job
from parcours.lib import clock
from parcours.lib.instants import InstantField


class ConsentValue(models.TextChoices):
    PENDING = "pending", _("Pending")
    OPTED_IN = "opted_in", _("Opted in")
    OPTED_OUT = "opted_out", _("Opted out")


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")


class Contact(models.Model):
    """A known person: has an e-mail address, a phone number or an external id, each unique in the account."""

    # No index of its own: those below begin with the account. The same goes for the other tables.
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="contacts", db_index=False)
    email = models.CharField(max_length=320, null=True, blank=True)
    phone = models.CharField(max_length=20, null=True, blank=True, help_text="E.164.")
    external_id = models.CharField(max_length=255, null=True, blank=True)
    first_name = models.CharField(max_length=200, null=True, blank=True)
    last_name = models.CharField(max_length=200, null=True, blank=True)
    # Written by whatever writes names (`folding.sort_name`).
    sort_name = models.CharField(max_length=120, null=True, blank=True, editable=False)
    locale = models.CharField(max_length=35, null=True, blank=True)
    timezone = models.CharField(max_length=64, null=True, blank=True)
    country = models.CharField(max_length=2, null=True, blank=True)
    city = models.CharField(max_length=200, null=True, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    consent_email = models.CharField(
        max_length=10, choices=ConsentValue.choices, default=ConsentValue.PENDING
    )
    consent_sms = models.CharField(max_length=10, choices=ConsentValue.choices, default=ConsentValue.PENDING)
    consent_whatsapp = models.CharField(
        max_length=10, choices=ConsentValue.choices, default=ConsentValue.PENDING
    )
    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)
    last_seen_at = InstantField(null=True, blank=True)
    erased_at = InstantField(null=True, blank=True, help_text="The person was erased: the line stays, empty.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "email"], name="contact_email"),
            # Most have but one or two keys. By addresses people are also sorted, those who have none included.
            models.UniqueConstraint(
                fields=["account", "phone"], condition=models.Q(phone__isnull=False), name="contact_phone"
            ),
            models.UniqueConstraint(
                fields=["account", "external_id"],
                condition=models.Q(external_id__isnull=False),
                name="contact_external_id",
            ),
        ]
        # `erased_at` is in them to be read, not to be looked up by. Of a partial index SQLite would read the rows as
        # well, and one that began with it SQLite would take before those of the keys above.
        indexes = [
            # Ids only grow: in their order each new one is added at the end, where SQLite fills its pages.
            models.Index(fields=["account", "id", "erased_at"], name="contact_living"),
            models.Index(fields=["account", "sort_name", "id", "erased_at"], name="contact_by_name"),
            models.Index(fields=["account", "created_at", "id", "erased_at"], name="contact_by_creation"),
            models.Index(fields=["account", "last_seen_at", "id", "erased_at"], name="contact_by_sight"),
            models.Index(
                fields=["account", "consent_email", "consent_sms", "consent_whatsapp", "erased_at"],
                name="contact_consents",
            ),
        ]

    def __str__(self) -> str:
        return self.email or self.phone or self.external_id or str(self.pk)


class AttributeDefinition(models.Model):
    """A custom attribute that contacts of the account can bear, and its type."""

    class Type(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        BOOLEAN = "boolean", _("Yes or no")
        DATE = "date", _("Date")
        LIST = "list", _("Several values")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="attributes")
    name = models.CharField(max_length=100)
    type = models.CharField(max_length=10, choices=Type.choices)
    created_at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="attribute_name")]

    def __str__(self) -> str:
        return self.name


class ConsentChange(models.Model):
    """The history of a consent: from what to what, when, from where, and its proof."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False)  # always read by contact
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="consent_changes", db_index=False
    )
    channel = models.CharField(max_length=10, choices=Channel.choices)
    before = models.CharField(max_length=10, choices=ConsentValue.choices)
    after = models.CharField(max_length=10, choices=ConsentValue.choices)
    source = models.CharField(max_length=200)
    proof = models.JSONField(default=dict, blank=True)
    send_id = models.BigIntegerField(null=True, blank=True)
    at = InstantField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["contact", "-id"], name="consent_history")]


class List(models.Model):
    """Contacts put there by hand, form, import or automation."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="lists")
    business_unit = models.ForeignKey(
        "accounts.BusinessUnit", null=True, blank=True, on_delete=models.SET_NULL
    )
    name = models.CharField(max_length=200)
    created_at = InstantField(default=clock.now)

    def __str__(self) -> str:
        return self.name


class ListMember(models.Model):
    """A contact on a list, since when and by what."""

    list = models.ForeignKey(List, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="list_memberships")
    source = models.CharField(max_length=50)
    joined_at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["list", "contact"], name="list_member_once")]
        indexes = [models.Index(fields=["list", "-id"], name="list_member_newest")]


class Tag(models.Model):
    """A contact's tag; its name is its identity."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tags", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact", "name"], name="tag_once")]
        indexes = [models.Index(fields=["account", "name"], name="tag_name")]


class BulkStep(models.Model):
    """Whom one batch of an action in bulk changed: what undoing it goes by. Kept for thirty days."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="bulk_steps", db_index=False)
    number = models.PositiveIntegerField()
    contact_ids = models.JSONField()
    at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="bulk_step_once")]
        indexes = [models.Index(fields=["at"], name="bulk_step_at")]


from parcours.contacts.importing.models import Import, ImportChange, ImportPart  # noqa: E402, F401
