"""The form in which a journey's document is written."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class DocumentForm(forms.Form):
    """A journey's name, and the rest of its document as JSON."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    document = forms.CharField(
        label=gettext_lazy("Document (JSON)"),
        widget=forms.Textarea(attrs={"rows": 26, "class": "font-monospace", "spellcheck": "false"}),
    )

    def clean_document(self) -> dict[str, Any]:
        """The document as an object."""
        try:
            document = msgspec.json.decode(self.cleaned_data["document"].encode())
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            raise forms.ValidationError(_("This is not JSON: %(error)s.") % {"error": error}) from error
        if not isinstance(document, dict):
            raise forms.ValidationError(_("A journey is a JSON object."))
        return document

    def whole(self) -> dict[str, Any]:
        """The document under its name."""
        return {**self.cleaned_data["document"], "name": self.cleaned_data["name"]}


def written(document: dict[str, Any]) -> str:
    """A document as one edits it."""
    rest = {key: value for key, value in document.items() if key != "name"}
    return json.dumps(rest, indent=2, ensure_ascii=False)
