"""The forms of the settings pages; what they say is checked by `actions`, for pages and API alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from parcours.accounts.models import BusinessUnit, Member
from parcours.accounts.roles import ADMIN, READ, SEND, WRITE
from parcours.accounts.units import LONGEST_NAME
from parcours.lib.problems import Invalid

#: What each scope lets do, in a word.
SCOPE_WORDS = {READ: _("Read"), WRITE: _("Write"), SEND: _("Send"), ADMIN: _("Administer")}


def _zones() -> list[tuple[str, str]]:
    return [
        (zone, zone.replace("_", " "))
        for zone in sorted(available_timezones())
        if "/" in zone or zone == "UTC"
    ]


class SettingsForm(forms.Form):
    """An account's settings."""

    name = forms.CharField(label=_("Account name"), max_length=200)
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        choices=_zones,
        help_text=_("Dates and hours without a zone of their own are in it."),
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, help_text=_("Three letters, such as EUR."))
    country = forms.CharField(
        label=_("Country"),
        max_length=2,
        help_text=_("Two letters: phone numbers without a prefix are read as its."),
    )
    attribution_days = forms.IntegerField(
        label=_("Attribution window (days)"),
        min_value=1,
        max_value=365,
        help_text=_(
            "An order is credited to the last message clicked, else opened, within these days before it."
        ),
    )
    sender_name = forms.CharField(label=_("Sender name"), max_length=200, required=False)
    sender_email = forms.EmailField(label=_("Sender address"), max_length=320, required=False)
    postal_address = forms.CharField(
        label=_("Postal address"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Shown at the foot of messages, as most laws ask."),
    )


class KeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(
        label=_("Name"), max_length=200, help_text=_("What will use it, such as “Shop sync”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[
            (READ, _("Read: contacts, journeys, reports")),
            (WRITE, _("Write: contacts, events, drafts")),
            (SEND, _("Send: activate journeys, enrol contacts, send tests")),
            (ADMIN, _("Administer: everything, settings and keys included")),
        ],
        widget=forms.CheckboxSelectMultiple,
        initial=[READ],
    )


class UnitForm(forms.Form):
    """A brand inside the account."""

    name = forms.CharField(
        label=_("Name"), max_length=LONGEST_NAME, help_text=_("Such as the name of a brand or of a shop.")
    )


def offer_units(form: forms.Form, account_id: int) -> None:
    """Let a form limit what it is about to a business unit (`business_unit`), where the account has any."""
    units = BusinessUnit.objects.filter(account_id=account_id).order_by("name").values_list("pk", "name")
    if units:
        choices = [("", _("The whole account")), *((str(pk), name) for pk, name in units)]
        form.fields["business_unit"] = forms.ChoiceField(
            label=_("Business unit"), required=False, choices=choices
        )


def chosen_unit(form: forms.Form) -> int | None:
    """The business unit that a valid form says, of those that `offer_units` offered."""
    return int(form.cleaned_data.get("business_unit") or 0) or None


class InvitationForm(forms.Form):
    """Somebody to invite."""

    email = forms.EmailField(label=_("E-mail"), max_length=320)
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, roles: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(role, label) for role, label in Member.Role.choices if role in roles]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]
        self.fields["role"].initial = Member.Role.MARKETER


class JoiningForm(forms.Form):
    """What an invited person says of themselves."""

    name = forms.CharField(label=_("Your name"), max_length=200, required=False)
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 8 characters, and not a common one."),
    )


class ProfileForm(forms.Form):
    """A user's own settings."""

    name = forms.CharField(label=_("Your name"), max_length=200, required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    timezone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {"fr": "Français", "en": "English"}
        languages = [
            ("", _("The browser's")),
            *((code, names.get(code, code)) for code, _said in settings.LANGUAGES),
        ]
        self.fields["language"].choices = languages  # type: ignore[attr-defined]
        self.fields["timezone"].choices = [("", _("The account's")), *_zones()]  # type: ignore[attr-defined]


def add_faults(form: forms.Form, problem: Invalid) -> None:
    """Show a problem's faults at the form's fields, and those of no field above the form."""
    for fault in problem.errors:
        field = fault["pointer"].strip("/").split("/")[0]
        form.add_error(field if field in form.fields else None, fault["detail"])
