"""Accounts, the people who sign in to them, their keys, and the jobs that run for them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from parcours.lib import clock
from parcours.lib.instants import InstantField


class Installation(models.Model):
    """What is true of the whole installation; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    first_started_at = InstantField(
        help_text="Machine time of the first start: PARCOURS_CLOCK counts from it."
    )
    clock_high_water = InstantField(null=True, help_text="The latest product time seen: it never goes back.")


class Account(models.Model):
    """One customer of the installation; everything else belongs to exactly one account."""

    class Plan(models.TextChoices):
        FULL = "full", _("Full")
        FREE = "free", _("Free")

    name = models.CharField(max_length=200)
    plan = models.CharField(max_length=10, choices=Plan.choices, default=Plan.FULL)
    timezone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="EUR")
    country = models.CharField(
        max_length=2, default="FR", help_text="Phone numbers without a prefix are read as its."
    )
    attribution_days = models.PositiveSmallIntegerField(default=5)
    write_key = models.CharField(max_length=64, unique=True)
    sender_name = models.CharField(max_length=200, blank=True)
    sender_email = models.CharField(max_length=320, blank=True)
    postal_address = models.TextField(blank=True)
    second_factor_required = models.BooleanField(
        default=False, help_text="Members reach the account's pages only once they have a second factor."
    )
    last_page_at = InstantField(
        null=True, blank=True, help_text="When the tracker's last page view was received."
    )
    created_at = InstantField(default=clock.now)

    def __str__(self) -> str:
        return self.name


class BusinessUnit(models.Model):
    """A brand inside an account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="business_units")
    name = models.CharField(max_length=200)
    created_at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="business_unit_name")]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes users, who sign in by e-mail."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who signs in."""

    email = models.EmailField(max_length=320, unique=True)
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=5, blank=True, help_text="fr or en; empty: the browser's.")
    timezone = models.CharField(max_length=64, blank=True, help_text="Empty: the account's.")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    sessions = models.PositiveIntegerField(
        default=0, help_text="Counted up to end every session: they are signed with it."
    )
    created_at = InstantField(default=clock.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    objects = UserManager()

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What sessions bear: they end when the password or `sessions` changes."""
        text = f"{self.password}:{self.sessions}"
        return salted_hmac("parcours.sessions", text, secret=secret, algorithm="sha256").hexdigest()


class Member(models.Model):
    """A user's place in an account."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        ADMIN = "admin", _("Administrator")
        MARKETER = "marketer", _("Marketer")
        ANALYST = "analyst", _("Analyst")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.OWNER)
    created_at = InstantField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Invitation(models.Model):
    """A place in an account offered to an address; it is gone once taken or withdrawn."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=320)
    role = models.CharField(max_length=20, choices=Member.Role.choices)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    sent_at = InstantField(
        default=clock.now, help_text="The link is signed with it: sent again, the old one is void."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "email"], name="invitation_once")]

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"


class Deed(models.Model):
    """A line of the account's log: who did something that matters for safety, and to what. Never changed."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="deeds")
    at = InstantField(default=clock.now)
    what = models.CharField(max_length=40, help_text="A kind of `accounts.log`, such as `member.removed`.")
    who = models.CharField(max_length=320, blank=True, help_text="A user's address, or a key's name.")
    by_key = models.BooleanField(default=False)
    about = models.CharField(
        max_length=400, blank=True, help_text="An address, a name, a number: whom or what."
    )

    class Meta:
        indexes = [models.Index(fields=["account", "-id"], name="deed_latest")]

    def __str__(self) -> str:
        return f"{self.what} {self.about}"


class ApiKey(models.Model):
    """A program's key: only its prefix and its SHA-256 are kept."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=16)
    hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, help_text="Some of read, write, send, admin.")
    created_at = InstantField(default=clock.now)
    last_used_at = InstantField(null=True, blank=True)
    revoked_at = InstantField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Job(models.Model):
    """Long work done by the work process: an import, an export. Its rows say how far it is (never a cursor
    ahead).
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    parameters = models.JSONField(default=dict)
    accepted = models.BigIntegerField(default=0)
    total_bytes = models.BigIntegerField(default=0)
    done_bytes = models.BigIntegerField(default=0)
    done_lines = models.BigIntegerField(default=0)
    refused = models.JSONField(default=list, help_text="[{line, reason}], the first thousands of them.")
    refused_count = models.BigIntegerField(default=0)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.BigIntegerField(default=0, help_text="Machine milliseconds.")
    fence = models.BigIntegerField(default=0)
    created_at = InstantField(default=clock.now)
    finished_at = InstantField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["status", "id"], name="job_queue")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
