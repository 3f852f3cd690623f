"""Messages, what was sent of them to whom, their tracked links, and who must get nothing more."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from parcours.accounts.models import Account
from parcours.contacts.models import Channel
from parcours.lib import clock
from parcours.lib.instants import InstantField


class Message(models.Model):
    """A template that a step sends."""

    class Kind(models.TextChoices):
        MARKETING = "marketing", _("Marketing")
        TRANSACTIONAL = "transactional", _("Transactional")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="messages")
    business_unit = models.ForeignKey(
        "accounts.BusinessUnit", null=True, blank=True, on_delete=models.SET_NULL
    )
    name = models.CharField(max_length=200)
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.EMAIL)
    kind = models.CharField(max_length=15, choices=Kind.choices, default=Kind.MARKETING)
    subject = models.TextField(blank=True)
    mjml = models.TextField(blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    from_name = models.CharField(max_length=200, blank=True)
    from_email = models.CharField(max_length=320, blank=True)
    reply_to = models.CharField(max_length=320, blank=True)
    track_opens = models.BooleanField(default=True)
    track_clicks = models.BooleanField(default=True)
    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)

    def __str__(self) -> str:
        return self.name


class Link(models.Model):
    """An address that the account wrote in a message: the only places where a click can lead."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="links")
    url = models.TextField()
    url_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "url_hash"], name="link_once")]


class Send(models.Model):
    """One message to one recipient; see the states in `Status`. Its id is the id of the delivery everywhere."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        CLAIMED = "claimed", _("Being sent")
        SENT = "sent", _("Accepted by the server")
        REFUSED = "refused", _("Refused for good")
        DEFERRED = "deferred", _("To be tried again")
        UNKNOWN = "unknown", _("Of unknown fate")
        SKIPPED = "skipped", _("Not sent")

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="sends")
    contact_id = models.BigIntegerField(db_index=True)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    address = models.CharField(max_length=320, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    reason = models.CharField(
        max_length=60, blank=True, help_text="Why skipped, refused or deferred: a code."
    )
    answer = models.TextField(blank=True, help_text="What the server said, raw.")
    is_test = models.BooleanField(default=False)
    journey_id = models.BigIntegerField(null=True)
    version = models.PositiveIntegerField(null=True)
    enrolment_id = models.BigIntegerField(null=True)
    step = models.CharField(max_length=64, blank=True)
    visit = models.PositiveIntegerField(default=0)
    context = models.JSONField(default=dict, help_text="What the template sees besides the contact: `event`.")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = InstantField(default=clock.now)
    queued_at = InstantField(default=clock.now)
    sent_at = InstantField(
        null=True, help_text="When the server accepted or refused it, or its fate was lost."
    )
    first_opened_at = InstantField(null=True)
    bounced_at = InstantField(null=True)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.BigIntegerField(default=0, help_text="Machine milliseconds.")
    fence = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment_id", "step", "visit"], name="one_send_a_visit"),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="send_queue",
                condition=models.Q(status__in=["queued", "deferred"]),
            ),
            models.Index(fields=["lease_until"], name="send_claims", condition=models.Q(status="claimed")),
            models.Index(fields=["message", "status"], name="send_message"),
        ]


class Click(models.Model):
    """A click that waits a few seconds before it is told: what else of its mail is clicked says by whom."""

    account_id = models.BigIntegerField()
    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="clicks")
    link = models.ForeignKey(Link, on_delete=models.CASCADE)
    address = models.TextField(help_text="Where it led.")
    agent = models.TextField(blank=True)
    probe = models.BooleanField(default=False, help_text="A HEAD: nobody followed the link.")
    told = models.BooleanField(
        default=False, help_text="It is in the journal, and kept to judge its neighbours and arrivals by."
    )
    machine = models.BooleanField(default=False, help_text="What was told of it.")
    at = InstantField()

    class Meta:
        indexes = [models.Index(fields=["told", "at"], name="click_settling")]


class Arrival(models.Model):
    """A page view that bore the token of a click: its visitor is tied once the click is known to be a person's."""

    account_id = models.BigIntegerField()
    send = models.ForeignKey(Send, on_delete=models.CASCADE)
    click_id = models.BigIntegerField(help_text="The click that is to be judged; 0: it was a person's.")
    browser = models.CharField(max_length=32)


class Suppression(models.Model):
    """An address to which nothing more goes, known by a keyed hash so that it survives the contact's erasure.

    The address itself is kept beside it, for people to read, until the person is erased.
    """

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", _("Hard bounce")
        COMPLAINT = "complaint", _("Spam complaint")
        UNSUBSCRIBED = "unsubscribed", _("Opt-out")
        MANUAL = "manual", _("By hand")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="suppressions")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    address_hash = models.CharField(max_length=64)
    address = models.CharField(max_length=320, blank=True, help_text="Emptied when the person is erased.")
    reason = models.CharField(max_length=15, choices=Reason.choices)
    contact_id = models.BigIntegerField(null=True)
    send_id = models.BigIntegerField(null=True)
    at = InstantField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "channel", "address_hash"], name="suppressed_once"),
        ]
        indexes = [
            models.Index(fields=["account", "reason", "-id"], name="suppressed_why"),
            models.Index(fields=["account", "address"], name="suppressed_address"),
        ]


class SendingDomain(models.Model):
    """A key that signs the mails which an account writes from a domain (DKIM).

    Of several keys of one domain the oldest signs: a new one is published before the old one is removed.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sending_domains")
    domain = models.CharField(max_length=253, help_text="As A-labels.")
    selector = models.CharField(max_length=63)
    private_key = models.TextField(help_text="Sealed (parcours.lib.sealing): never shown, never logged.")
    public_record = models.TextField(help_text="The value of the TXT record to publish.")
    created_at = InstantField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "domain", "selector"], name="sending_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"
