"""The forms of actions in bulk; what they say is checked by `bulk_actions`, for pages and API alike."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from parcours.accounts.models import Account
from parcours.contacts import tags
from parcours.contacts.forms_profile import YES_OR_NO, field_of
from parcours.contacts.models import AttributeDefinition, Channel, ConsentValue, List


class BulkForm(forms.Form):
    """What an action needs to be told."""

    danger = False
    button = gettext_lazy("Apply")

    def __init__(self, *args: Any, account: Account, count: int, here: str = "", **kwargs: Any) -> None:
        """`here` is the query string of the form's own page."""
        super().__init__(*args, **kwargs)
        self.account = account
        self.count = count
        self.here = here

    def said(self) -> dict[str, Any]:
        """What the form says, as `bulk.start` takes it."""
        return dict(self.cleaned_data)


class ListChoice(BulkForm):
    list = forms.ChoiceField(label=gettext_lazy("List"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = List.objects.filter(account=self.account).order_by("name", "pk").values_list("pk", "name")
        self.fields["list"].choices = [(str(pk), name) for pk, name in rows]  # type: ignore[attr-defined]


class TagChoice(BulkForm):
    tag = forms.CharField(label=gettext_lazy("Tag"), max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = tags.offered(self.account.pk)
        self.fields["tag"].widget.attrs |= {"list": "known-tags", "autocomplete": "off"}


class AttributeValue(BulkForm):
    name = forms.ChoiceField(label=gettext_lazy("Attribute"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        definitions = AttributeDefinition.objects.filter(account=self.account).order_by("name")
        found = {definition.name: definition for definition in definitions}
        self.fields["name"].choices = [(name, name) for name in found]  # type: ignore[attr-defined]
        # Another attribute may have another type: its value is asked for anew.
        self.fields["name"].widget.attrs |= {
            "hx-get": self.here,
            "hx-include": "this",
            "hx-target": "#field-value",
            "hx-select": "#field-value",
            "hx-swap": "outerHTML",
            "hx-disable": "#apply",  # nothing is applied while the value's field is on its way
        }
        asked = self["name"].value()
        chosen = found.get(asked) or next(iter(found.values()), None)
        if chosen is not None:
            value = self.fields["value"] = field_of(chosen, None)
            value.label = _("Value")
            hints = (value.help_text, _("Left empty, those who have a value lose it."))
            value.help_text = " ".join(str(hint) for hint in hints if hint)
            if isinstance(value, forms.ChoiceField):
                value.choices = [("", _("No value")), *YES_OR_NO]


class ConsentChange(BulkForm):
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), choices=Channel.choices)
    value = forms.ChoiceField(
        label=gettext_lazy("Consent"), choices=ConsentValue.choices, initial=ConsentValue.OPTED_OUT
    )
    source = forms.CharField(
        label=gettext_lazy("Where this consent comes from"),
        max_length=200,
        help_text=gettext_lazy("For instance: paper forms of the spring fair. It is kept as the proof."),
    )
    resubscribe = forms.BooleanField(
        label=gettext_lazy("Also write again to those who had opted out"),
        required=False,
        help_text=gettext_lazy("Only if they asked for it since; say where it comes from."),
    )


class Erasure(BulkForm):
    danger = True
    button = gettext_lazy("Erase")
    confirm = forms.CharField(max_length=20)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirm"].label = _("Type %(count)d to confirm") % {"count": self.count}
        self.fields["confirm"].widget.attrs |= {"autocomplete": "off", "inputmode": "numeric"}

    def clean_confirm(self) -> str:
        """The number of people, as it is now."""
        text: str = self.cleaned_data["confirm"]
        if "".join(character for character in text if character.isdigit()) != str(self.count):
            raise forms.ValidationError(_("This is not the number of people who would be erased."))
        return text

    def said(self) -> dict[str, Any]:
        return {}


FORMS: dict[str, type[BulkForm]] = {
    "add_to_list": ListChoice,
    "remove_from_list": ListChoice,
    "add_tag": TagChoice,
    "remove_tag": TagChoice,
    "set_attribute": AttributeValue,
    "set_consent": ConsentChange,
    "erase": Erasure,
}
