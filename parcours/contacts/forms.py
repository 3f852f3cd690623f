"""The forms of the pages; what they say is checked by `actions`, for pages and API alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from parcours.accounts.forms import offer_units
from parcours.contacts.models import AttributeDefinition, Channel, ConsentValue, Contact, List
from parcours.lib.problems import Fault


def _lists(account_id: int) -> list[tuple[str, str]]:
    found = List.objects.filter(account_id=account_id).order_by("name").values_list("pk", "name")
    return [("", _("None")), *((str(pk), name) for pk, name in found)]  # type: ignore[list-item]


class ContactForm(forms.Form):
    """A contact made by hand."""

    email = forms.CharField(label=_("E-mail address"), max_length=400, required=False)
    phone = forms.CharField(label=_("Phone number"), max_length=40, required=False)
    external_id = forms.CharField(
        label=_("External id"),
        max_length=255,
        required=False,
        help_text=_("The id of this person in your shop."),
    )
    first_name = forms.CharField(label=_("First name"), max_length=200, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=200, required=False)
    consent_email = forms.BooleanField(label=_("This person agreed to receive e-mails"), required=False)
    list = forms.ChoiceField(label=_("Put on the list"), required=False)

    def __init__(self, *args: Any, account_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["list"].choices = _lists(account_id)  # type: ignore[attr-defined]

    def line(self) -> dict[str, Any]:
        """What the form says, as `upsert_many` takes it: what was left empty says nothing."""
        said = self.cleaned_data
        names = ("email", "phone", "external_id", "first_name", "last_name")
        line: dict[str, Any] = {name: said[name] for name in names if said[name]}
        if said["consent_email"]:
            line["consents"] = {"email": ConsentValue.OPTED_IN.value}
        if said["list"]:
            line["lists"] = [said["list"]]
        return line


class ListForm(forms.Form):
    """A list's name, and the business unit whose it is where the account has several brands."""

    name = forms.CharField(label=_("Name of the list"), max_length=200)

    def __init__(self, *args: Any, account_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_units(self, account_id)


class MemberForm(forms.Form):
    """Somebody to put on a list."""

    key = forms.CharField(label=_("E-mail address, phone number or external id"), max_length=400)


class AttributeForm(forms.Form):
    """An attribute's name and type."""

    name = forms.CharField(
        label=_("Name of the attribute"), max_length=100, help_text=_("Without a dot, for instance points.")
    )
    type = forms.ChoiceField(label=_("Type"), choices=AttributeDefinition.Type.choices)


class ConsentForm(forms.Form):
    """A consent recorded by hand, with where it comes from."""

    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices)
    value = forms.ChoiceField(label=_("Consent"), choices=ConsentValue.choices)
    source = forms.CharField(
        label=_("Where this consent comes from"),
        max_length=200,
        help_text=_("For instance: asked by telephone. It is kept as the proof."),
    )
    note = forms.CharField(label=_("Note"), max_length=500, required=False)
    resubscribe = forms.BooleanField(
        label=_("This person had opted out and asks to be written to again"), required=False
    )

    def __init__(self, *args: Any, contact: Contact, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "consent_%s")
        super().__init__(*args, **kwargs)
        self.contact = contact
        self.opted_out = any(
            getattr(contact, f"consent_{channel}") == ConsentValue.OPTED_OUT for channel in Channel.values
        )

    def clean(self) -> dict[str, Any] | None:
        """An opt-out ends only where that is said."""
        said = super().clean() or self.cleaned_data
        channel, value = said.get("channel"), said.get("value")
        if channel and value and not said.get("resubscribe"):
            before = getattr(self.contact, f"consent_{channel}")
            if before == ConsentValue.OPTED_OUT != value:
                self.add_error(
                    "resubscribe", _("This person opted out: say that they ask to be written to again.")
                )
        return said


def add_faults(form: forms.Form, faults: Sequence[Fault]) -> None:
    """Show faults beside their fields, or above the form for those that have none."""
    for fault in faults:
        name = fault["pointer"].strip("/").partition("/")[0]
        form.add_error(name if name in form.fields else None, fault["detail"])
