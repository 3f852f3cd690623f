"""The forms of the shop's pages; what they say is checked by the actions, for pages, imports and API alike."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from parcours.accounts.models import Account, Member

_DAY = {"type": "date"}
_MONEY = {"inputmode": "decimal", "autocomplete": "off"}


def _amount(label: Any, *, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=30, help_text=help_text, widget=forms.TextInput(attrs=_MONEY)
    )


def as_number(text: str) -> str:
    """An amount as people type it in French or English, as it is read: "1 234,50" is "1234.50"."""
    bare = "".join(text.split())
    if "," in bare and "." not in bare:
        bare = bare.replace(",", ".")
    return bare


class OrderForm(forms.Form):
    """An order made by hand."""

    AMOUNTS = ("subtotal", "tax", "shipping", "total")

    order_id = forms.CharField(label=_("Order number"), max_length=255)
    contact = forms.EmailField(
        label=_("Buyer's e-mail address"),
        max_length=320,
        help_text=_("A contact not known yet is made."),
    )
    placed_at = forms.CharField(
        label=_("Placed on"),
        required=False,
        max_length=40,
        help_text=_("Now when it is empty."),
        widget=forms.TextInput(attrs={"type": "datetime-local"}),
    )
    subtotal = _amount(_("Amount before tax and shipping"), help_text=_("What reports count."))
    tax = _amount(_("Tax"))
    shipping = _amount(_("Shipping"))
    total = _amount(_("Total"))
    currency = forms.CharField(label=_("Currency"), max_length=3)

    def line(self) -> dict[str, Any]:
        """What the form says, as a line for the actions."""
        said = self.cleaned_data
        line: dict[str, Any] = {
            "order_id": said["order_id"],
            "contact": {"email": said["contact"]},
            "currency": said["currency"],
        }
        if said["placed_at"]:
            line["placed_at"] = said["placed_at"]
        return line | {name: as_number(said[name]) for name in self.AMOUNTS if said[name].strip()}


class RefundForm(forms.Form):
    """An amount given back."""

    amount = _amount(_("Amount to give back"))
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200)


class ProductForm(forms.Form):
    """A product described by hand."""

    product_id = forms.CharField(label=_("Product id"), max_length=255)
    name = forms.CharField(label=_("Name"), max_length=500)
    category = forms.CharField(label=_("Category"), required=False, max_length=255)
    price = _amount(_("Price"))
    currency = forms.CharField(label=_("Currency"), max_length=3, required=False)
    url = forms.CharField(label=_("Address of its page"), required=False, max_length=2000)
    image_url = forms.CharField(label=_("Address of its picture"), required=False, max_length=2000)

    def line(self) -> dict[str, Any]:
        """What the form says, as a line for the actions."""
        said = {name: value or None for name, value in self.cleaned_data.items()}
        return said | {"price": as_number(said["price"]) if said["price"] else None}


class DealForm(forms.Form):
    """A deal made or changed by hand."""

    name = forms.CharField(label=_("Name of the deal"), max_length=300)
    stage = forms.ChoiceField(label=_("Stage"))
    amount = _amount(_("Amount"))
    currency = forms.CharField(label=_("Currency"), max_length=3)
    close_date = forms.CharField(
        label=_("Expected closing"), required=False, max_length=10, widget=forms.TextInput(attrs=_DAY)
    )
    owner = forms.CharField(label=_("In charge"), required=False, max_length=320)
    contact = forms.EmailField(
        label=_("Contact's e-mail address"),
        required=False,
        max_length=320,
        help_text=_("A contact not known yet is made."),
    )

    def __init__(self, *args: Any, account: Account, stages: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stage"].choices = stages  # type: ignore[attr-defined]
        members = Member.objects.filter(account=account).values_list("user__email", flat=True)
        self.owners = sorted(members)
        self.fields["owner"].widget.attrs["list"] = "owners"

    def line(self) -> dict[str, Any]:
        """What the form says, as a line for the actions; the stage is an id."""
        said = self.cleaned_data
        line: dict[str, Any] = {
            "name": said["name"],
            "stage": said["stage"],
            "amount": as_number(said["amount"]) or None,
            "currency": said["currency"],
            "close_date": said["close_date"] or None,
            "owner": said["owner"] or None,
        }
        if said["contact"]:
            line["contacts"] = [{"email": said["contact"]}]
        return line


class ImportForm(forms.Form):
    """A file to import."""

    file = forms.FileField(label=_("CSV or NDJSON file"))
    history = forms.BooleanField(
        label=_("These are past: they start no journey"), required=False, initial=True
    )
