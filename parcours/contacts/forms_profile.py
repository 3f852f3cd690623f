"""A contact's profile as a form: the fields that everybody has, and the account's own attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from parcours.contacts.models import AttributeDefinition, Contact
from parcours.lib.problems import Fault

Type = AttributeDefinition.Type
#: An account that has more attributes shows those of which the contact has a value.
MOST_SHOWN = 40
_FIELDS = (
    ("first_name", _("First name"), 200),
    ("last_name", _("Last name"), 200),
    ("email", _("E-mail address"), 400),
    ("phone", _("Phone number"), 40),
    ("external_id", _("External id"), 255),
    ("city", _("City"), 200),
    ("country", _("Country"), 2),
    ("locale", _("Language"), 35),
    ("timezone", _("Time zone"), 64),
)
YES_OR_NO = (("true", _("Yes")), ("false", _("No")))
_HELPS = {
    "country": _("Two letters, such as FR."),
    "locale": _("Such as fr-FR."),
    "timezone": _("Such as Europe/Paris."),
}


class ProfileForm(forms.Form):
    """What is known of a contact, to be changed by hand; what is emptied is cleared."""

    def __init__(self, *args: Any, contact: Contact, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "profile_%s")
        super().__init__(*args, **kwargs)
        self.contact = contact
        for name, label, longest in _FIELDS:
            self.fields[name] = forms.CharField(
                label=label,
                max_length=longest,
                required=False,
                initial=getattr(contact, name) or "",
                help_text=_HELPS.get(name, ""),
            )
        self.own: dict[str, AttributeDefinition] = {}
        rows = AttributeDefinition.objects.filter(account_id=contact.account_id).order_by("name")
        found = list(rows[: MOST_SHOWN + 1])
        if len(found) > MOST_SHOWN:
            found = list(rows.filter(name__in=list(contact.attributes)[:MOST_SHOWN]))
        for definition in found:
            name = f"attribute_{definition.pk}"
            self.own[name] = definition
            self.fields[name] = field_of(definition, contact.attributes.get(definition.name))

    def line(self) -> dict[str, Any]:
        """What the form says, as `upsert_many` takes it: what was left as it was says nothing."""
        line: dict[str, Any] = {"id": self.contact.pk}
        for name, _label, _longest in _FIELDS:
            if name in self.changed_data:
                line[name] = self.cleaned_data[name] or None
        line["attributes"] = {
            definition.name: self.cleaned_data[name] or None
            for name, definition in self.own.items()
            if name in self.changed_data
        }
        return line

    def renamed(self, faults: Sequence[Fault]) -> list[Fault]:
        """Faults that point to attributes, pointing to the form's fields instead."""
        names = {definition.name: name for name, definition in self.own.items()}
        moved = []
        for fault in faults:
            place = fault["pointer"].removeprefix("/attributes/")
            plain = place.replace("~1", "/").replace("~0", "~")
            moved.append(
                Fault(pointer=f"/{names[plain]}", detail=fault["detail"]) if plain in names else fault
            )
        return moved


def field_of(definition: AttributeDefinition, value: Any) -> forms.Field:
    """What a value of an attribute is typed into, by the attribute's type; what is left empty is no value."""
    if definition.type == Type.BOOLEAN:
        shown = "" if value is None else "true" if value else "false"
        choices = [("", _("Unknown")), *YES_OR_NO]
        return forms.ChoiceField(label=definition.name, choices=choices, required=False, initial=shown)
    widget: forms.Widget | None = None
    hint: Any = ""
    shown = "" if value is None else str(value)
    if definition.type == Type.LIST:
        shown = ", ".join(str(element) for element in value or ())
        hint = _("Several values, separated by commas.")
    elif definition.type == Type.NUMBER:
        widget = forms.TextInput(attrs={"inputmode": "decimal"})
    elif definition.type == Type.DATE and (not shown or len(shown) == len("2026-03-28")):
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.CharField(
        label=definition.name,
        required=False,
        max_length=20_000,
        initial=shown,
        widget=widget,
        help_text=hint,
    )
