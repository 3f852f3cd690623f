"""The forms of the wizard; what they say is checked by `actions`, for pages and API alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from parcours.contacts.importing import cells, encodings
from parcours.contacts.importing.actions import Options
from parcours.contacts.importing.formats import Said
from parcours.contacts.lines import CHANNELS
from parcours.contacts.models import AttributeDefinition, ConsentValue, List

Choice = tuple[str, str | Promise]
NEW = "new:"

FIELDS: dict[str, str | Promise] = {
    "email": _("E-mail address"),
    "phone": _("Phone number"),
    "external_id": _("External id"),
    "id": _("Id in Parcours"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "city": _("City"),
    "country": _("Country"),
    "locale": _("Language"),
    "timezone": _("Time zone"),
    "created_at": _("Date of creation"),
    "last_seen_at": _("Last seen"),
}
CONSENTS: dict[str, str | Promise] = {
    "consents.email": _("Consent to e-mails"),
    "consents.sms": _("Consent to SMS"),
    "consents.whatsapp": _("Consent to WhatsApp"),
}
TOGETHER: dict[str, str | Promise] = {"tags": _("Tags"), "lists": _("Lists, by their ids")}


def label_of(field: str) -> str:
    """The name of a field for a reader; an attribute's is its own."""
    known = {**FIELDS, **CONSENTS, **TOGETHER}.get(field)
    return str(known) if known else field.removeprefix("attributes.")


def shown(value: Any) -> str:
    """A value of a contact for a reader."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value)
    known = dict(ConsentValue.choices).get(value) if isinstance(value, str) else None
    return str(known or value)


def targets(attributes: Iterable[str]) -> list[Any]:
    """What a column can become, in groups."""
    own = [(f"attributes.{name}", name) for name in attributes]
    types = [
        (f"{NEW}{kind.value}", gettext("New attribute: %(type)s") % {"type": str(kind.label).lower()})
        for kind in AttributeDefinition.Type
    ]
    return [
        ("", _("Leave this column out")),
        (_("Who it is"), list(FIELDS.items())[:4]),
        (_("Profile"), list(FIELDS.items())[4:]),
        (_("Consents"), list(CONSENTS.items())),
        (_("Lists and tags"), list(TOGETHER.items())),
        *([(_("Attributes"), own)] if own else []),
        (_("New attribute, named as the column"), types),
    ]


class UploadForm(forms.Form):
    """A file of contacts."""

    file = forms.FileField(
        label=_("CSV or NDJSON file"), widget=forms.FileInput(attrs={"class": "form-control"})
    )


class ReadingForm(forms.Form):
    """How the file is to be read."""

    encoding = forms.ChoiceField(
        label=_("Encoding"),
        choices=[("utf-8", "UTF-8"), ("utf-16", "UTF-16"), ("windows-1252", "Windows-1252")],
        required=False,
    )
    delimiter = forms.ChoiceField(
        label=_("Separator"),
        choices=[(",", _("Comma")), (";", _("Semicolon")), ("\t", _("Tab")), ("|", _("Bar"))],
        required=False,
    )
    quote = forms.ChoiceField(
        label=_("Quotation mark"),
        choices=[('"', _("Double")), ("'", _("Single"))],
        required=False,
    )
    mend = forms.BooleanField(label=_("Read the lines that are not UTF-8 as Windows-1252"), required=False)

    def __init__(self, *args: Any, strays: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not strays:
            del self.fields["mend"]

    def said(self, before: Said, shown: Mapping[str, Any]) -> Said:
        """What the sender says; what stands as it was found stays to be found out."""
        data = self.cleaned_data

        def chosen(name: str) -> str:
            value = data.get(name) or ""
            return value if value != shown[name] else getattr(before, name)

        return Said(
            kind=before.kind,
            encoding=chosen("encoding"),
            delimiter=chosen("delimiter"),
            quote=chosen("quote"),
            mend=bool(data.get("mend")),
            decimal=before.decimal,
            dates=before.dates,
        )


class ValuesForm(forms.Form):
    """How numbers and dates are written, and which key decides."""

    key = forms.ChoiceField(
        label=_("A contact is known by"),
        choices=[
            ("", _("Any of the keys that the line gives")),
            ("email", _("The e-mail address alone")),
            ("phone", _("The phone number alone")),
            ("external_id", _("The external id alone")),
        ],
        required=False,
    )
    decimal = forms.ChoiceField(
        label=_("Numbers are written"),
        choices=[(cells.COMMA, "1 234,56"), (cells.POINT, "1,234.56")],
        required=False,
    )
    dates = forms.ChoiceField(
        label=_("Dates are written"),
        choices=[
            (cells.ISO, _("2026-03-28 (year first)")),
            (cells.DAY_FIRST, _("28/03/2026 (day first)")),
            (cells.MONTH_FIRST, _("03/28/2026 (month first)")),
        ],
        required=False,
    )


class EveryoneForm(forms.Form):
    """What the import says of everyone in the file."""

    list = forms.ChoiceField(label=_("Put everyone on the list"), required=False)
    new_list = forms.CharField(
        label=_("Or on a new list, named"),
        max_length=200,
        required=False,
        help_text=_("It is made when the import starts."),
    )
    tags = forms.CharField(
        label=_("Give everyone these tags"),
        max_length=2000,
        required=False,
        help_text=_("Separated by commas."),
    )
    consent_email = forms.ChoiceField(label=_("Consent to e-mails"), required=False)
    consent_sms = forms.ChoiceField(label=_("Consent to SMS"), required=False)
    consent_whatsapp = forms.ChoiceField(label=_("Consent to WhatsApp"), required=False)
    source = forms.CharField(
        label=_("Where these consents come from"),
        max_length=200,
        required=False,
        help_text=_(
            "For instance: sign-up form of the shop, 2025. It is kept with each consent as its proof."
        ),
    )
    consented_on = forms.DateField(
        label=_("Given on"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    proof = forms.CharField(
        label=_("How they can be proved"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The text that people agreed to, or where the record of it is kept."),
    )
    resubscribe = forms.BooleanField(
        label=_("Also write again to those who had opted out"),
        required=False,
        help_text=_("Only if they asked for it since; say where it comes from."),
    )

    def __init__(self, *args: Any, account_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = List.objects.filter(account_id=account_id).order_by("name").values_list("pk", "name")
        lists = [("", _("None")), *((str(pk), name) for pk, name in found)]
        self.fields["list"].choices = lists  # type: ignore[attr-defined]
        for channel in CHANNELS:
            self.fields[f"consent_{channel}"].choices = [  # type: ignore[attr-defined]
                ("", _("As the file says, or unchanged")),
                *ConsentValue.choices,
            ]

    def options(self, before: Options) -> Options:
        """The options with what the form says; the file's own stay as they were."""
        said = self.cleaned_data
        return Options(
            lists=[said["list"]] if said["list"] else [],
            tags=[tag.strip() for tag in said["tags"].split(",") if tag.strip()],
            consents={channel: value for channel in CHANNELS if (value := said[f"consent_{channel}"])},
            source=said["source"],
            proof=said["proof"],
            consented_on=said["consented_on"].isoformat() if said["consented_on"] else "",
            resubscribe=said["resubscribe"],
            key=before.key,
            mapping=before.mapping,
            said=before.said,
        )

    @staticmethod
    def initial_of(options: Options, *, new_list: str) -> dict[str, Any]:
        """What the form shows of options said before."""
        return {
            "list": options.lists[0] if options.lists else "",
            "new_list": new_list,
            "tags": ", ".join(options.tags),
            **{f"consent_{channel}": value for channel, value in options.consents.items()},
            "source": options.source,
            "proof": options.proof,
            "consented_on": options.consented_on,
            "resubscribe": options.resubscribe,
        }


def encoding_shown(encoding: str) -> str:
    """The choice that stands for an encoding."""
    names: Sequence[str] = ("utf-8", "utf-16", "windows-1252")
    return next(name for name in names if encodings.NAMES[encoding] == encodings.NAMES[name])
